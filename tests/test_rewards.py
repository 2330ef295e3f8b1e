"""Ways of paying: named, weighed, your own; costs; and what is refused."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from conftest import stand_in, write_csv
from play import steps

import nlp_gym_envs
from nlp_gym_envs import rewards
from nlp_gym_envs.errors import BadArgument, UnknownName

READ = "nlp/sst2-read-v0"
READ_ON = 2  # the action, where there are two labels


def components(reward: Any, **options: Any) -> list[dict[str, float]]:
    """The components of 60 steps, after checking that they add up to the reward."""
    env = gym.make(READ, reward=reward, **options)
    low, high = env.unwrapped.reward_range
    found = []
    for came in steps(env, 60):
        if len(came) == 5:
            parts = came[4]["reward_components"]
            assert came[1] == pytest.approx(sum(parts.values()), abs=1e-12)
            assert low - 1e-12 <= came[1] <= high + 1e-12
            found.append(parts)
    return found


def brevity(step: rewards.Step) -> np.ndarray:
    """A term of one's own: 1 at the end."""
    return step.over.astype(float)


def test_a_name_is_a_weight_of_one() -> None:
    assert components("final") == components({"final": 1.0}) == components({"final": 1})
    assert components(None) == components("final")


def test_weights_multiply_terms() -> None:
    for once, twice in zip(components("improvement"), components({"improvement": 2.0}), strict=True):
        assert twice["improvement"] == 2 * once["improvement"]
        assert {name: part for name, part in twice.items() if name != "improvement"} == {
            name: part for name, part in once.items() if name != "improvement"
        }


def test_costs_count_once_unless_weighed() -> None:
    plain = components("final")
    assert any(parts["reading"] < 0 for parts in plain) and any(parts["reading"] == 0 for parts in plain)
    for weight in (0.0, 3.0, -1.0):
        for once, weighed in zip(plain, components({"final": 1.0, "reading": weight}), strict=True):
            assert weighed["reading"] == pytest.approx(weight * once["reading"], abs=1e-15)
            assert weighed["final"] == once["final"] and weighed["invalid"] == once["invalid"]
    assert str(components({"final": 1.0, "reading": 0.0})[0]["reading"]) == "0.0"  # not -0


def test_the_price_of_words() -> None:
    env = gym.make(READ, reading_cost=0.01, chunk=3, split="validation")
    env.reset(seed=0)
    words = len(env.unwrapped.task.examples["text"][0].split())
    paid, over = 0.0, False
    while not over:
        _, _, over, _, info = env.step(READ_ON)
        paid -= info["reward_components"]["reading"]
        penalty = info["reward_components"]["invalid"]
    assert paid == pytest.approx(0.01 * words)
    assert penalty == -0.05  # READ with nothing left
    assert info["episode_metrics"]["words_read"] == words and info["episode_metrics"]["fraction_read"] == 1.0


def test_what_a_wrong_answer_pays() -> None:
    for wrong in (-1.0, 0.0, -7.5):
        paid = {parts["final"] for parts in components("final", wrong=wrong)}
        assert paid <= {1.0, 0.0, wrong} and {1.0, wrong} <= paid
    with pytest.raises(BadArgument, match="below 1"):
        gym.make(READ, wrong=1.0)


def test_your_own_function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "my_rewards.py").write_text("def brevity(step):\n    return step.over.astype(float)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(rewards.TERMS, "briefly", brevity)  # as register_reward does
    for reward, name in ((brevity, "brevity"), ("my_rewards.brevity", "my_rewards.brevity"), ("briefly", "briefly")):
        paid = [parts[name] for parts in components(reward)]
        assert set(paid) == {0.0, 1.0}
    mixed = components({"final": 1.0, "my_rewards.brevity": 0.25})
    assert {parts["my_rewards.brevity"] for parts in mixed} == {0.0, 0.25}


def test_register_reward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewards, "TERMS", dict(rewards.TERMS))
    nlp_gym_envs.register_reward("brevity", brevity)
    assert {parts["brevity"] for parts in components("brevity")} == {0.0, 1.0}


def test_your_own_term_sees_the_standing() -> None:
    def rise(step: rewards.Step) -> np.ndarray:
        return 2.0 * (step.after - step.before)  # what a right answer pays, less what a wrong one does

    for own, ours in zip(components(rise), components("improvement"), strict=True):
        assert own["rise"] == pytest.approx(ours["improvement"], abs=1e-12)


def test_your_own_term_is_never_asked_about_nobody() -> None:
    def counted(step: rewards.Step) -> np.ndarray:
        assert len(step.rows) > 0
        return np.full(len(step.rows), step.actions.max() * 1.0)

    env = gym.make_vec("nlp/sst2-label-v0", num_envs=2, reward=counted)
    env.reset(seed=0)
    for _ in range(6):
        env.step(np.ones(2, int))  # every second step only starts new episodes


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), None, "1", [1.0]], ids=["nan", "infinity", "nothing", "text", "list"]
)
def test_weights_are_finite_numbers(value: Any) -> None:
    with pytest.raises(BadArgument, match="finite number"):
        gym.make(READ, reward={"final": value})


@pytest.mark.parametrize("given", [np.zeros(5), np.array([np.nan]), 1.0, np.array([np.inf])], ids=str)
def test_terms_give_a_finite_number_for_each_row(given: Any) -> None:
    env = gym.make(READ, reward=lambda step: given)
    env.reset(seed=0)
    with pytest.raises(BadArgument, match="finite number for each of 1 rows"):
        env.step(0)


def test_a_term_cannot_have_a_costs_name() -> None:
    def reading(step: rewards.Step) -> np.ndarray:
        return step.over.astype(float)

    with pytest.raises(BadArgument, match="a cost of read"):
        gym.make(READ, reward=reading)


def test_rewards_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, message in (
        ("improvment", "did you mean 'improvement'"),
        ("readin", "did you mean 'reading'"),
        ("no_package.reward", "PYTHONPATH"),
        ("json.nothing", "PYTHONPATH"),
        (".reward", "no reward at"),
    ):
        with pytest.raises(UnknownName, match=message):
            gym.make(READ, reward=name)
    with pytest.raises(BadArgument, match="must be a function"):
        gym.make(READ, reward="string.digits")
    (tmp_path / "broken_rewards.py").write_text("import no_such_thing_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_thing_at_all"):  # the user's own mistake shows
        gym.make(READ, reward="broken_rewards.term")


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        ("final", (-1.055, 1.0)),
        ("improvement", (-2.055, 2.0)),
        ({"final": 0.5, "reading": 0.0}, (-0.55, 0.5)),
        ({"final": -1.0}, (-1.055, 1.0)),
        ({"final": 1.0, "improvement": 1.0}, (-3.055, 3.0)),
        ({"final": 0.0, "invalid": -1.0}, (-0.005, 0.05)),
        (brevity, (-np.inf, np.inf)),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_range_is_declared(reward: Any, expected: tuple[float, float]) -> None:
    assert gym.make(READ, reward=reward).unwrapped.reward_range == pytest.approx(expected)


def test_an_unfinished_episode_scores_nothing() -> None:
    """Cut off by a limit before it answered: no answer, no hit, whatever the classifier would have said."""
    env = gym.make_vec(READ, num_envs=8, max_episode_steps=1, autoreset_mode="SameStep")
    env.reset(seed=0)
    _, rewards_paid, terminated, truncated, infos = env.step(np.full(8, READ_ON))
    last = infos["final_info"]
    assert truncated.all() and not terminated.any()
    assert set(last["answer"].tolist()) == {""} and not last["is_success"].any()
    assert last["episode_metrics"]["accuracy"].tolist() == [0.0] * 8
    assert (rewards_paid < 0).all()


def test_an_empty_text_can_still_be_answered(tmp_path: Path) -> None:
    rows = [(text if n % 5 else "", label) for n, (text, label) in enumerate(stand_in(2, "train"))]
    for split in ("train", "validation", "test"):
        write_csv(tmp_path / f"{split}.csv", ("text", "label"), rows)
    env = gym.make("nlp/sentiment-read-v0", dataset=str(tmp_path), split="validation")
    _, info = env.reset(seed=0)
    assert info["text"] == "" and info["action_mask"].tolist() == [True, True, False]
    _, _, terminated, _, info = env.step(READ_ON)
    assert terminated and info["answer"] in ("0", "1")
    assert info["reward_components"]["invalid"] == -0.05
