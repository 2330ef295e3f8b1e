"""Choices one by one: the shuffle, the masks, what is seen, what is paid; their features, baselines and learning."""

import itertools
import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents._agents import make_agent
from nlp_gym_agents._bridge import make_vec_env
from nlp_gym_agents._evaluation import evaluate
from nlp_gym_envs.dynamics.choices import ANSWER, CONTINUE
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.text.matching import Weights, stem, stems
from nlp_gym_envs.text.matching_association import Association, learn

ENV = "nlp/multiple_choice-choices-v0"
THINGS = "lamp boat drum coin bell rope ring vase harp sled".split()
PLACES = "attic cellar barn garden tower kitchen stable chapel".split()
SIZES = {"train": 160, "validation": 60, "test": 60}


def rows_of(split: str, shift: int = 0, choices: int = 4) -> list[dict[str, Any]]:
    """Where is the thing? The context says it in one sentence; other choices are in other sentences."""
    draw = np.random.default_rng(len(split))
    rows = []
    for number in range(SIZES[split]):
        things, places = draw.permutation(THINGS)[:choices], draw.permutation(PLACES)[:choices]
        told = [f"On page {number} of {split} we read so much: the {thing} is in the {place}."
                for thing, place in zip(things, places, strict=True)]  # fmt: skip
        asked, right = int(draw.integers(choices)), draw.permutation(choices)
        answer = (int(np.argsort(right)[asked]) + shift) % choices
        rows.append({"context": " ".join(told), "question": f"Where is the {things[asked]}?",
                     "choices": [str(places[i]) for i in right], "answer": answer})  # fmt: skip
    return rows


def write(folder: Path, shift: int = 0, choices: int = 4) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for split in SIZES:
        lines = [json.dumps(row) for row in rows_of(split, shift * (split != "train"), choices)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    return str(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("choices"))


def vector(folder: str, rows: int = 60, **options: Any) -> Any:
    return gym.make_vec(ENV, num_envs=rows, dataset=folder, autoreset_mode="Disabled", **options)


# ---------------------------------------------------------------- the order


def test_every_order_is_equally_likely_and_told_by_the_seed_alone(tmp_path: Path) -> None:
    env = vector(write(tmp_path, choices=3), rows=6000)
    env.reset(seed=0)
    moves = env.episodes.dynamics
    first = moves.order.copy()
    seen, counts = np.unique(first, axis=0, return_counts=True)
    assert sorted(map(tuple, seen.tolist())) == sorted(itertools.permutations(range(3)))
    expected = 6000 / 6
    assert ((counts - expected) ** 2 / expected).sum() < 20.5  # chi-square with 5 degrees of freedom, p = .001
    together = np.corrcoef(moves.example, first[:, 0])[0, 1]
    assert abs(together) < 0.05  # which example it is tells nothing of its order
    env.reset()
    assert (moves.order != first).any(1).mean() > 0.7  # the next episode has an order of its own
    env.reset(seed=0)
    assert np.array_equal(moves.order, first)


def test_rows_shuffle_as_single_environments_do(small: str) -> None:
    env = vector(small, rows=5)
    env.reset(seed=3)
    for row in range(5):
        one: Any = gym.make(ENV, dataset=small).unwrapped
        one.reset(seed=3 + row)
        assert np.array_equal(one.episodes.dynamics.order[0], env.episodes.dynamics.order[row])


# ---------------------------------------------------------------- moves and rewards


def test_the_last_choice_cannot_be_passed_by(small: str) -> None:
    env = vector(small, looking_cost=0.125)
    env.reset(seed=0)
    for seen in range(1, 5):
        assert (env.action_masks() == [True, seen < 4]).all()
        _, rewards, over, _, infos = env.step(np.full(60, CONTINUE))
        assert (over == (seen == 4)).all()
        if seen < 4:
            assert (rewards == -0.125).all()
    assert (infos["reward_components"]["invalid"] == -0.05).all() and not infos["reward_components"]["looking"].any()
    shown = infos["text"].tolist()
    assert all(text.endswith(f"choice 4 of 4: {answer}") for text, answer in zip(shown, infos["answer"], strict=True))
    assert (infos["episode_metrics"]["choices_seen"] == 4).all()
    assert infos["episode_metrics"]["accuracy"].mean() == pytest.approx(np.mean(
        [answer == target[0] for answer, target in zip(infos["answer"], infos["target"], strict=True)]))  # fmt: skip


@pytest.mark.parametrize("reward", ["final", "improvement"])
def test_the_oracle_is_always_right_and_is_paid_for_it(small: str, reward: str) -> None:
    env = vector(small, split="test", reward=reward)
    env.reset(seed=0)
    paid, running = np.zeros(60), np.ones(60, bool)
    for _ in range(4):
        _, rewards, over, _, infos = env.step(env.oracle_actions())
        paid += rewards * running
        assert (infos["episode_metrics"]["accuracy"][over & running] == 1).all() if over.any() else True
        running &= ~over
        if over.any():
            env.reset(options={"reset_mask": over})
    assert not running.any()
    assert paid == pytest.approx(1.0 if reward == "final" else 0.75)  # a blind draw was worth 1/4 already


def test_improvement_pays_what_passing_by_a_choice_is_worth(small: str) -> None:
    env = vector(small, reward="improvement")
    env.reset(seed=1)
    moves = env.episodes.dynamics
    right = moves.order[np.arange(60), 0] == env.task.examples.target[moves.example]
    _, rewards, _, _, _ = env.step(np.full(60, CONTINUE))
    assert right.any() and not right.all()
    assert rewards == pytest.approx(np.where(right, -1 / 4, 1 / 3 - 1 / 4))


# ---------------------------------------------------------------- what is seen


def test_other_answers_change_nothing_that_is_seen(small: str, tmp_path: Path) -> None:
    faces = [vector(folder, split="validation", ahead=True) for folder in (small, write(tmp_path, shift=1))]
    seen = [[face.reset(seed=0)[0]] for face in faces]
    for _ in range(3):
        for face, frames in zip(faces, seen, strict=True):
            frames.append(face.step(np.full(60, CONTINUE))[0])
    assert all(np.array_equal(one, other) for one, other in zip(*seen, strict=True))
    targets = [face.task.examples.target for face in faces]
    assert (targets[0] != targets[1]).all()


def test_parts_tell_of_the_choices_in_their_order(small: str) -> None:
    env = vector(small, observation="dict", ahead=True)
    seen, _ = env.reset(seed=0)
    moves = env.episodes.dynamics
    table = moves.table
    rows = table.start[moves.example][:, None] + moves.order
    for at in range(4):
        offered = table.matches[rows]  # (B, K, F)
        assert np.array_equal(seen["choice"], offered[:, at])
        best = offered[:, :at].max(1) if at else np.zeros_like(offered[:, 0])
        assert np.array_equal(seen["best"], best)
        assert np.array_equal(seen["margin"], offered[:, at] - best if at else np.zeros_like(best))
        others = np.delete(offered, at, axis=1).max(1)
        assert np.array_equal(seen["ahead"], offered[:, at] - others)
        assert np.allclose(seen["progress"], [at / 4, 1 / (4 - at), at == 0, at == 3])
        if at < 3:
            seen = env.step(np.full(60, CONTINUE))[0]


def test_features_are_standardised_by_the_training_split(small: str) -> None:
    env = vector(small, encoder="hashing", vectors=8)
    train = env.episodes.dynamics.table
    assert train.matches.shape[1] == len(train.names) == 17 and train.vectors.shape == (640, 24)
    varied = train.matches.std(0) > 0
    assert varied.sum() >= 6
    assert np.allclose(train.matches[:, varied].mean(0), 0, atol=0.05)
    spread = train.matches[:, varied].std(0)
    assert ((spread > 0.5) & (spread < 1.01)).all()  # less than 1 where outliers are clipped
    test = vector(small, split="test", encoder="hashing", vectors=8).episodes.dynamics.table
    assert np.isfinite(test.vectors).all() and np.abs(test.vectors).max() <= 5


def test_questions_may_have_different_numbers_of_choices(tmp_path: Path) -> None:
    for split in SIZES:
        rows = [row for pair in zip(rows_of(split), rows_of(split, choices=2), strict=True) for row in pair]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    env = vector(str(tmp_path), rows=200, ahead=True)
    env.reset(seed=0)
    count = env.episodes.dynamics.table.count[env.episodes.dynamics.example]
    assert set(count) == {2, 4} and env.horizon == 4
    assert (np.sort(env.episodes.dynamics.order)[count == 4] == np.arange(4)).all()
    assert (np.sort(env.episodes.dynamics.order[count == 2][:, :2]) == np.arange(2)).all()
    _, _, _, _, _ = env.step(np.full(200, CONTINUE))
    assert (env.action_masks()[:, CONTINUE] == (count == 4)).all()
    seen, _, over, _, _ = env.step(np.full(200, CONTINUE))
    assert (over == (count == 2)).all() and np.isfinite(seen).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"vectors": 4}, "encoder"), ({"vectors": -1}, "vectors"), ({"ahead": 2}, "ahead"), ({"encoder": 3}, "encoder"),
     ({"looking_cost": -1}, "looking_cost")],
)  # fmt: skip
def test_mistakes_are_told(small: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        vector(small, rows=1, **options)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("one", "other"), [("opened", "opens"), ("stopped", "stopping"), ("House", "houses"), ("wide", "wides")]
)
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_different_words_keep_different_stems() -> None:
    assert len({stem(word) for word in ("glass", "glad", "red", "bed", "bus", "is", "sing", "the")}) == 8


def test_weights_are_those_of_the_formula() -> None:
    weights = Weights(["red boat", "red lamp", "red red bell"])
    found = {word: float(weights.weight[number]) for word, number in weights.index.items()}
    assert found == pytest.approx({"red": np.log(4 / 3) / np.log(4), **dict.fromkeys(stems("boat lamp bell"), 1.0)})
    assert float(weights.weight[-1]) == pytest.approx(1.0)


def test_words_that_go_together_are_found_without_answers() -> None:
    """Synonyms 0..9 for 10..19: a question has the name of its sentence and the other word for its verb."""
    draw = np.random.default_rng(0)
    questions = []
    for _ in range(600):
        verbs, names = draw.permutation(10)[:4], draw.permutation(30)[:4] + 20
        sentences = [[int(verb) + 10, int(name)] for verb, name in zip(verbs, names, strict=True)]
        meant = draw.integers(4)
        questions.append(([int(verbs[meant]), int(names[meant])], sentences))
    known = Association(learn(questions, 50), 50)
    strength = known.strength(np.repeat(np.arange(10), 10), np.tile(np.arange(10, 20), 10)).reshape(10, 10)
    assert (strength.argmax(1) == np.arange(10)).all()
    assert (np.diag(strength) > 2 * (strength - 2 * np.diag(np.diag(strength))).max(1)).all()
    assert not known.strength(np.array([3, 60]), np.array([70, 13])).any()  # words that training lacks


# ---------------------------------------------------------------- agents


def agent_of(name: str, folder: str, **options: Any) -> Any:
    env = make_vec_env(ENV, 32, 0, {"dataset": folder, **options})
    return make_agent(name, env, {}, 0)


def accuracy(agent: Any, folder: str, **options: Any) -> float:
    found = evaluate(agent, ENV, "test", {"dataset": folder, **options}, intervals=False)
    return found.scores["accuracy"].value


def test_baselines_stand_where_they_should(small: str) -> None:
    found = {name: accuracy(agent_of(name, small).learn(), small)
             for name in ("uniform", "first_choice", "sliding_window", "bandit", "oracle")}  # fmt: skip
    assert found["oracle"] == 1.0
    assert max(found["uniform"], found["first_choice"]) < 0.45  # a quarter is chance
    assert found["bandit"] > 0.9 > found["first_choice"]
    assert found["sliding_window"] > 0.9  # thing and place are five words apart, other places further


def test_the_window_is_taken_from_the_table(small: str) -> None:
    agent = agent_of("sliding_window", small)
    moves, env = agent.episodes.dynamics, agent.env
    observation = env.reset()
    worth = moves.table.matches[:, moves.table.names.index("window")]
    offered = worth[moves.table.start[moves.example][:, None] + moves.order]
    taken = np.zeros(32, int)
    for at in range(4):
        actions, _ = agent.predict(observation)
        taken = np.where((actions == ANSWER) & (taken == 0), at + 1, taken)
        moves.at[:] = min(at + 1, 3)  # all go on
    assert np.array_equal(taken - 1, offered.argmax(1))


def test_an_agent_learns_to_wait_for_the_right_choice(small: str) -> None:
    from stable_baselines3 import PPO

    env = make_vec_env(ENV, 32, 0, {"dataset": small, "reward": "improvement"})
    agent = PPO("MlpPolicy", env, n_steps=16, batch_size=128, n_epochs=4, learning_rate=3e-3, gamma=1.0, seed=0,
                device="cpu")  # fmt: skip
    agent.learn(12_000)
    assert accuracy(agent, small) > 0.8
