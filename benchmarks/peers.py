"""The same work in other libraries beside ours, where they are installed: single-turn classification episodes so far.

    python benchmarks/peers.py                       # one line for each library that is not there, rows for the others
    python benchmarks/peers.py --task sst2 --only GEM --out results/peers.jsonl

Rounds, clock and actions are those of throughput.py. Both sides ask the same questions (the task's test split) and get
the same random answers; every reward of theirs is compared with ours for that question and answer before timing.

| library | what both sides do | what differs |
|---|---|---|
| GEM | a question, an answer, 1 for an exact match and 0 otherwise; same-step auto-reset; no question twice in an epoch | theirs shows the question in a prompt and reads the answer out of a string like `<answer>positive</answer>`; ours shows the text's vector, takes the answer's number, and delivers text, masks, last observations and metrics in infos |
| NLPGym | a text's vector, a label, 1 (F1 of one label) if it is right and 0 otherwise | theirs has no vector environment: it is one row against any number of ours. It is a multi-label environment, limited to one step; it gets our vectors ready-made instead of its own embedding, and each sample from outside instead of from its own sampler, both in its favour |
| DACBench | nothing yet: there is no parameter-update environment here | its ToySGD is timed alone, and no ratio is given |
"""  # noqa: E501

import argparse
import importlib
import itertools
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from throughput import HEAD, MANY, SEED, Row, Settings, Side, in_turn, line, random_actions, record, rewards_of, spread
from throughput import surroundings as about_now

import nlp_gym_envs  # noqa: F401  registers the ids

AT_LEAST = {("GEM", 16): 5, ("GEM", 256): 20}


def our_face(settings: Settings, rows: int) -> Any:
    """Our vector face over the test split, every text once in an epoch."""
    env = gym.make_vec(
        f"nlp/{settings.task}-label-v0",
        num_envs=rows,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        split="test",
        order="sequential",
    )
    env.reset(seed=SEED)
    return env


def our_rewards(settings: Settings) -> np.ndarray:
    """What our environment pays for every answer to every text, (N, K)."""
    count = len(our_face(settings, 1).unwrapped.task.examples)
    env = our_face(settings, count)  # sequential: row i is always at text i
    return np.column_stack([env.step(np.full(count, answer))[1] for answer in range(int(env.single_action_space.n))])


def checksums(played: Iterable[tuple[int, int, float]], table: np.ndarray, peer: str) -> tuple[str, str]:
    """Sum and hash of our and their rewards for the same (text, answer); raises RuntimeError where they differ."""
    texts, answers, theirs = (np.array(column) for column in zip(*played, strict=True))
    both = (table[texts, answers], theirs.astype(np.float64) + 0.0)
    ours, other = (f"{rewards.sum():.3f} #{zlib.crc32(rewards.tobytes()):08x}" for rewards in both)
    if ours != other:
        raise RuntimeError(f"the rewards of {peer} are {other}, ours for the same texts and answers {ours}.")
    return ours, other


def rows_against(peer: str, against: str, settings: Settings, rows: int, other: Side, rewards: tuple[str, str]) -> Row:
    """A row of the table: our vector face with `rows` rows against one side of a peer."""
    ours = our_face(settings, rows)
    side = Side(rewards_of(ours), random_actions(ours.single_action_space, rows))
    goal = None if settings.quick or (peer, rows) not in AT_LEAST else ("at least", AT_LEAST[peer, rows])
    return Row(peer, against, "label", rows, *in_turn(side, other, settings), goal, rewards=rewards)


def gem(settings: Settings) -> Iterator[Row]:
    """GEM's question-answering environment in its own synchronous vectoriser."""
    import datasets
    from gem.envs.qa_env import QaEnv
    from gem.vector.sync_vector_env import SyncVectorEnv
    from gem.vector.vector_env import AutoresetMode

    datasets.disable_progress_bars()
    task, table = our_face(settings, 1).unwrapped.task, our_rewards(settings)
    names, count = task.answer.names, len(task.examples)
    questions = datasets.Dataset.from_dict(
        {
            "question": task.examples["text"].tolist(),
            "answer": [names[target] for target in task.examples.target],
            "number": list(range(count)),
        }
    )
    made = [QaEnv(dataset=questions, seed=number) for number in range(max(settings.rows(1, 16, 256)))]
    number_of = dict(zip(made[0].dataset["question"], made[0].dataset["number"], strict=True))  # by the whole prompt
    for rows in settings.rows(1, 16, 256):
        makers: list[Callable[[], Any]] = [lambda env=env: env for env in made[:rows]]
        env = SyncVectorEnv(["nlp"] * rows, makers, autoreset_mode=AutoresetMode.SAME_STEP)
        answers = random_actions(our_face(settings, 1).single_action_space, rows)
        actions = [[f"<answer>{names[answer]}</answer>" for answer in batch] for batch in answers]
        seen, _ = env.reset()
        played = []
        for number in range(max(4, min(200, 20_000 // rows))):
            asked = seen
            seen, rewards, *_ = env.step(actions[number % MANY])
            played += [
                (number_of[prompt], int(answer), float(reward))
                for prompt, answer, reward in zip(asked, answers[number % MANY], rewards, strict=True)
            ]
        side = Side(rewards_of(env), actions)
        yield rows_against("GEM", "QaEnv in SyncVectorEnv", settings, rows, side, checksums(played, table, "GEM"))


def nlpgym(settings: Settings) -> Iterator[Row]:
    """NLPGym's multi-label environment with one step, the sample and its vector handed to it."""
    from nlp_gym.data_pools.base import Sample
    from nlp_gym.envs.multi_label.env import MultiLabelEnv
    from nlp_gym.envs.multi_label.observation import ObservationFeaturizer

    face, table = our_face(settings, 1).unwrapped, our_rewards(settings)
    task, encoded = face.task, face.episodes.dynamics.encoded.vectors
    texts = task.examples["text"].tolist()
    vectors = {text: torch.tensor(vector) for text, vector in zip(texts, encoded, strict=True)}

    class ReadyMade(ObservationFeaturizer):
        """Looks our vectors up."""

        def init_on_reset(self, input_text: str) -> None:
            self.vector = vectors[input_text]

        def featurize(self, observation: Any) -> torch.Tensor:
            return self.vector

        def get_observation_dim(self) -> int:
            return encoded.shape[1]

    names = list(task.answer.names)
    env = MultiLabelEnv(possible_labels=names, max_steps=1, observation_featurizer=ReadyMade())
    samples = [Sample(text, [names[target]]) for text, target in zip(texts, task.examples.target, strict=True)]
    endless = itertools.cycle(samples)

    def step(actions: list[int]) -> float:
        reward = env.step(actions[0])[1]
        env.reset(next(endless))
        return reward

    actions = random_actions(face.single_action_space, 1).tolist()
    played = []
    for number in range(200):
        example, (answer,) = number % len(samples), actions[number % MANY]
        env.reset(samples[example])
        played.append((example, answer, env.step(answer)[1]))
    env.reset(next(endless))
    for rows in settings.rows(1, 16, 256):
        rewards = checksums(played, table, "NLPGym")
        yield rows_against("NLPGym", "MultiLabelEnv, one row", settings, rows, Side(step, actions), rewards)


def dacbench(settings: Settings) -> Iterator[Row]:
    """DACBench's cheapest environment of learning rates, alone."""
    from dacbench.benchmarks import ToySGDBenchmark

    env = ToySGDBenchmark().get_environment()
    env.reset()
    action = env.action_space.sample()

    def step(_: Any) -> float:
        _, reward, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
        return reward

    side = Side(step, [[0]] * MANY)
    count = side.enough(settings.seconds)
    times = [1e6 * side.seconds(count) / count for _ in range(settings.rounds)]
    print(f"\nDACBench has no work in common with ours yet: a step of its ToySGD takes {spread(times)} µs, no ratio.\n")
    yield from ()


PEERS: dict[str, tuple[str, Callable[[Settings], Iterator[Row]]]] = {
    "GEM": ("gem.envs.qa_env", gem),
    "NLPGym": ("nlp_gym.envs.multi_label.env", nlpgym),
    "DACBench": ("dacbench.benchmarks", dacbench),
}


def main() -> None:
    """Measure what is installed, print a markdown table, append to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="sentiment", help="a task by name (default: sentiment, which is built in)")
    parser.add_argument("--only", nargs="+", default=list(PEERS), choices=list(PEERS), help="these libraries alone")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each side in each round (default: 0.5)")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its numbers mean nothing")
    parser.add_argument("--out", type=Path, help="append a JSON line for each row of the table to this file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rounds, length = (2, 0.01) if asked.quick else (asked.rounds, asked.seconds)
    settings = Settings(asked.task, ("label",), rounds, length, asked.quick)
    about = about_now()
    print(f"task {asked.task}, {about['date']}, commit {about['commit']}, {about['versions']}\n\n{HEAD}", flush=True)
    for peer in asked.only:
        module, measure = PEERS[peer]
        try:
            importlib.import_module(module)
        except Exception as error:  # somebody else's package may fail in any way: say which
            print(f"{peer} is skipped: {type(error).__name__}: {error}", flush=True)
            continue
        for row in measure(settings):
            print(line(row), flush=True)
            if asked.out is not None:
                asked.out.parent.mkdir(parents=True, exist_ok=True)
                with asked.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record(row, asked.task, about)) + "\n")


if __name__ == "__main__":
    main()
