"""How fast the environments are: ratios of two sides timed in turn in one process, on one thread, by the CPU clock.

    python benchmarks/throughput.py                         # the built-in task: ten to twenty minutes
    python benchmarks/throughput.py --task sst2             # another task, whose data are there (NLP_GYM_DATA)
    python benchmarks/throughput.py --only vector bridge --out results/throughput.jsonl
    python benchmarks/throughput.py --quick                 # a smoke run in seconds, whose numbers mean nothing

Both sides get the same seed and the same random actions; before anything is timed the rewards of both are compared, to
the bit. A round times one side, then the other, and gives one ratio; a row shows the median [least .. most] of all
rounds. Absolute times are of this computer at this moment, only ratios compare.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: two threads on busy cores are far slower than one

import argparse
import datetime
import json
import platform
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

import nlp_gym_envs
from nlp_gym_agents._bridge import SB3VecEnv, make_vec_env
from nlp_gym_agents._runs import commit
from nlp_gym_envs.envs import NLPEnv

SEED = 0
MANY = 64  # batches of actions drawn beforehand and taken in turn
BOTH = ("label", "read")
AT_LEAST = {  # (what, dynamics, rows) -> the ratio that we promise
    ("vector", "label", 16): 5,
    ("vector", "label", 256): 35,
    ("vector", "label", 4096): 60,
    ("vector", "read", 256): 10,
    **{("bridge", dynamics, rows): goal for dynamics in BOTH for rows, goal in ((1, 0.9), (16, 3), (256, 8))},
    ("floor", "label", 256): 0.15,
}
AT_MOST = {(what, dynamics, rows): goal for dynamics in BOTH
           for what, rows, goal in (("learn, defaults", 16, 0.01), ("learn, light", 256, 0.10))}  # fmt: skip


@dataclass
class Settings:
    """What the command line asked for."""

    task: str
    dynamics: Sequence[str]
    rounds: int
    seconds: float  # of each side in each round
    quick: bool

    def rows(self, *wanted: int) -> list[int]:
        """The numbers of rows to measure at."""
        return [count for count in wanted if count <= 16] if self.quick else list(wanted)

    def goal(self, what: str, dynamics: str, rows: int) -> tuple[str, float] | None:
        """("at least" or "at most", the ratio), where there is a goal."""
        key = (what, dynamics, rows)
        if self.quick or key not in AT_LEAST | AT_MOST:
            return None
        return ("at least", AT_LEAST[key]) if key in AT_LEAST else ("at most", AT_MOST[key])


def meets(ratios: Sequence[float], goal: tuple[str, float] | None) -> bool | None:
    """Whether the median of some ratios meets a goal; None where there is none."""
    if goal is None:
        return None
    sense, bound = goal
    return bool(np.median(ratios) >= bound if sense == "at least" else np.median(ratios) <= bound)


@dataclass
class Row:
    """One line of the table; times are microseconds of CPU time per step of one row, one for each round."""

    what: str
    against: str
    dynamics: str
    rows: int
    ours: list[float]
    other: list[float]
    goal: tuple[str, float] | None
    share: bool = False  # the ratio is ours over the other (a share), not the other over ours (how many times faster)
    rewards: tuple[str, str] | None = None  # checksums of both sides, where the work is the same
    ratios: list[float] = field(init=False)

    def __post_init__(self) -> None:
        pairs = zip(self.ours, self.other, strict=True)
        self.ratios = [ours / other if self.share else other / ours for ours, other in pairs]

    @property
    def met(self) -> bool | None:
        """Whether the median meets the goal."""
        return meets(self.ratios, self.goal)


# ---------------------------------------------------------------- two sides in turn


@dataclass
class Side:
    """Something to be timed: a step, and the actions that it is given in turn."""

    step: Callable[[Any], Any]  # the actions of all rows -> their rewards
    actions: Sequence[Any] | np.ndarray  # (MANY, B)

    def seconds(self, count: int) -> float:
        """CPU seconds of `count` steps."""
        step, actions = self.step, list(self.actions)
        start = time.process_time()
        for number in range(count):
            step(actions[number % MANY])
        return time.process_time() - start

    def enough(self, wanted: float) -> int:
        """How many steps take about `wanted` CPU seconds."""
        count = 1
        while (taken := self.seconds(count)) < wanted / 4:
            count *= 2
        return max(1, round(count * wanted / taken))

    def checksum(self, count: int) -> str:
        """The sum of the rewards of `count` steps, and a hash of every one of them in order."""
        total, code = 0.0, 0
        for number in range(count):
            rewards = np.asarray(self.step(self.actions[number % MANY]), np.float64) + 0.0  # 0, never -0
            total, code = total + float(rewards.sum()), zlib.crc32(rewards.tobytes(), code)
        return f"{total:.3f} #{code:08x}"


def in_turn(ours: Side, other: Side, settings: Settings) -> tuple[list[float], list[float]]:
    """Microseconds per step of one row, ours and the other's, one of each for every round."""
    timed = [(side, side.enough(settings.seconds), list[float]()) for side in (ours, other)]
    for number in range(settings.rounds):
        for side, count, times in timed if number % 2 == 0 else reversed(timed):
            times.append(1e6 * side.seconds(count) / (count * len(side.actions[0])))
    return timed[0][2], timed[1][2]


def random_actions(space: Any, rows: int) -> np.ndarray:
    """(MANY, rows): uniform, the same in every run."""
    return np.random.default_rng(SEED).integers(0, int(space.n), (MANY, rows))


def rewards_of(env: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The step of a vector environment of either kind, as far as a `Side` looks at it."""
    step = env.step
    return lambda actions: step(actions)[1]


# ---------------------------------------------------------------- what is measured


def rewards_with_infos_read(env: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The rewards of a step in which somebody looks at every info: ours are made only then."""

    def step(actions: np.ndarray) -> np.ndarray:
        _, rewards, _, _, infos = env.step(actions)
        for part in (infos, infos.get("final_info", {})):
            list(part.values())
        return rewards

    return step


def vector_face(settings: Settings, dynamics: str, rows: int) -> Any:
    """Our vector face, same-step auto-reset: final observations and infos are delivered in every step."""
    env_id = f"nlp/{settings.task}-{dynamics}-v0"
    env = gym.make_vec(env_id, num_envs=rows, vectorization_mode="vector_entry_point", autoreset_mode="SameStep")
    env.reset(seed=SEED)
    return env


def vector(settings: Settings) -> Iterator[Row]:
    """Our vector face against Gymnasium's own vectoriser over our single face, bare of `gym.make`'s wrappers."""
    for dynamics in settings.dynamics:
        for rows in settings.rows(*((1,) if dynamics == "label" else ()), 16, 256, 4096):
            ours = vector_face(settings, dynamics, rows)
            makers = [partial(NLPEnv, settings.task, dynamics)] * rows  # bare, which favours the other side
            other = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
            other.reset(seed=SEED)
            actions = random_actions(ours.single_action_space, rows)
            sides = [Side(rewards_with_infos_read(env), actions) for env in (ours, other)]
            yield compare("vector", "SyncVectorEnv", dynamics, rows, *sides, settings)
            ours.close(), other.close()


def bridge(settings: Settings) -> Iterator[Row]:
    """The vector face behind the bridge to Stable-Baselines3 against its own vectoriser over our single face."""
    for dynamics in settings.dynamics:
        for rows in settings.rows(1, 16, 256):
            for wrap, against in ((None, "DummyVecEnv"), (Monitor, "DummyVecEnv of Monitors")):
                ours = make_vec_env(f"nlp/{settings.task}-{dynamics}-v0", rows, SEED)
                single = partial(NLPEnv, settings.task, dynamics)
                other = DummyVecEnv([single if wrap is None else lambda make=single: Monitor(make())] * rows)
                other.seed(SEED)
                ours.reset(), other.reset()
                actions = random_actions(ours.action_space, rows)
                sides = [Side(rewards_of(env), actions) for env in (ours, other)]
                what = "bridge" if wrap is None else "bridge, statistics"
                yield compare(what, against, dynamics, rows, *sides, settings)
                ours.close(), other.close()


def compare(what: str, against: str, dynamics: str, rows: int, ours: Side, other: Side, settings: Settings) -> Row:
    """A row of the table for two sides that do the same work; raises RuntimeError where their rewards differ."""
    count = max(4, min(200, 20_000 // rows))
    rewards = (ours.checksum(count), other.checksum(count))
    if rewards[0] != rewards[1]:
        raise RuntimeError(f"{what}, {dynamics}, {rows} rows: our rewards are {rewards[0]}, {against}'s {rewards[1]}.")
    times = in_turn(ours, other, settings)
    return Row(what, against, dynamics, rows, *times, settings.goal(what, dynamics, rows), rewards=rewards)


def floor(settings: Settings) -> Iterator[Row]:
    """What a step costs per row, and how much of that is the bare gather of the observations."""
    for dynamics in settings.dynamics:
        for rows in settings.rows(1, 4, 16, 64, 256, 1024, 4096):
            env = vector_face(settings, dynamics, rows)
            game = env.unwrapped.episodes.dynamics
            vectors = game.encoded.vectors if dynamics == "label" else game.table.observation
            bare = Side(vectors.__getitem__, np.random.default_rng(SEED).integers(0, len(vectors), (MANY, rows)))
            times = in_turn(Side(rewards_of(env), random_actions(env.single_action_space, rows)), bare, settings)
            yield Row("floor", "the bare gather", dynamics, rows, *times, settings.goal("floor", dynamics, rows))
            env.close()


class Stopwatch(SB3VecEnv):
    """The bridge, with the CPU time that is spent in it."""

    spent = 0.0

    def reset(self) -> Any:
        start = time.process_time()
        result = super().reset()
        self.spent += time.process_time() - start
        return result

    def step_wait(self) -> Any:
        start = time.process_time()
        result = super().step_wait()
        self.spent += time.process_time() - start
        return result


def learn(settings: Settings) -> Iterator[Row]:
    """The environment's share of PPO's training: with its defaults, and with the lightest updates that make sense."""
    cases: list[tuple[str, int, int, dict[str, int]]] = [
        ("learn, defaults", 16, 32_768, {}),
        ("learn, light", 256, 163_840, {"n_steps": 64, "batch_size": 2_048, "n_epochs": 1}),
    ]
    if settings.quick:
        cases = [(what, 16, 256, {"n_steps": 16, "n_epochs": 1}) for what, *_ in cases]
    for dynamics in settings.dynamics:
        for what, rows, steps, keywords in cases:
            ours, whole = [], []
            for number in range(settings.rounds):
                env = Stopwatch(vector_face(settings, dynamics, rows))
                model = ppo(env, SEED + number, keywords)
                start = time.process_time()
                model.learn(steps)
                whole.append(1e6 * (time.process_time() - start) / steps)
                ours.append(1e6 * env.spent / steps)
                env.close()
            yield Row(
                what, "all of PPO.learn", dynamics, rows, ours, whole, settings.goal(what, dynamics, rows), share=True
            )


def ppo(env: VecEnv, seed: int, keywords: dict[str, int]) -> PPO:
    """PPO on the CPU, its network and everything else as it comes but for `keywords`."""
    return PPO("MlpPolicy", env, seed=seed, device="cpu", **keywords)  # type: ignore[arg-type]


PARTS: dict[str, Callable[[Settings], Iterator[Row]]] = {
    "vector": vector,
    "bridge": bridge,
    "learn": learn,
    "floor": floor,
}


# ---------------------------------------------------------------- what is told


HEAD = """\
| what | dynamics | rows | ours, µs | against | its µs | ratio | goal | met | rewards |
|---|---|---|---|---|---|---|---|---|---|"""


def spread(values: list[float], form: str = ".3g") -> str:
    """median [least .. most]."""
    return f"{np.median(values):{form}} [{min(values):{form}} .. {max(values):{form}}]"


def line(row: Row) -> str:
    """The row as a line of the markdown table; times are per step of one row."""
    percent = row.share or row.what == "floor"
    goal = "" if row.goal is None else f"{row.goal[0]} {row.goal[1]:{'.0%' if percent else 'g'}}"
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    rewards = "" if row.rewards is None else f"{row.rewards[0]} = {row.rewards[1]}"
    ratio = spread(row.ratios, ".2%") if percent else spread(row.ratios)
    cells = (row.what, row.dynamics, row.rows, f"{np.median(row.ours):.3g}", row.against, f"{np.median(row.other):.3g}",
             ratio, goal, met, rewards)  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def record(row: Row, task: str, about: dict[str, Any]) -> dict[str, Any]:
    """The row as an entry of a JSONL file."""
    return {
        "what": row.what,
        "task": task,
        "dynamics": row.dynamics,
        "rows": row.rows,
        "against": row.against,
        "unit": "microseconds of CPU time per step of one row, median",
        "ours": float(np.median(row.ours)),
        "other": float(np.median(row.other)),
        "ratio": {"median": float(np.median(row.ratios)), "min": min(row.ratios), "max": max(row.ratios)},
        "rounds": len(row.ratios),
        "goal": None if row.goal is None else {row.goal[0].replace(" ", "_"): row.goal[1]},
        "met": row.met,
        "rewards": row.rewards,
        **about,
    }


def surroundings() -> dict[str, Any]:
    """When, with what and of which commit ("+" behind it: files have changed since)."""
    names = ("numpy", "gymnasium", "stable_baselines3", "torch")
    versions = {"python": platform.python_version(), "nlp_gym_envs": nlp_gym_envs.__version__}
    return {
        "date": datetime.date.today().isoformat(),
        "versions": versions | {name: version(name) for name in names},
        "commit": commit(),
    }


def main() -> None:
    """Measure, print a markdown table, append to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="sentiment", help="a task by name (default: sentiment, which is built in)")
    parser.add_argument("--dynamics", nargs="+", default=BOTH, choices=BOTH)
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=list(PARTS), help="these parts alone")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each side in each round (default: 0.5)")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its numbers mean nothing")
    parser.add_argument("--out", type=Path, help="append a JSON line for each row of the table to this file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rounds, length = (2, 0.01) if asked.quick else (asked.rounds, asked.seconds)
    settings = Settings(asked.task, asked.dynamics, rounds, length, asked.quick)
    about = surroundings()
    print(f"task {asked.task}, {about['date']}, commit {about['commit']}, {about['versions']}\n\n{HEAD}", flush=True)
    for part in asked.only:
        for row in PARTS[part](settings):
            print(line(row), flush=True)
            if asked.out is not None:
                asked.out.parent.mkdir(parents=True, exist_ok=True)
                with asked.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record(row, asked.task, about)) + "\n")


if __name__ == "__main__":
    main()
