"""Nudging: exact, reversible, one policy for any number of classes; judged on texts and instances never seen."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import nlp_gym_envs  # noqa: F401
from nlp_gym_agents._agents import make_agent
from nlp_gym_agents._bridge import make_vec_env
from nlp_gym_agents._evaluation import evaluate
from nlp_gym_agents._hyperparameters import as_values, hyperparameters
from nlp_gym_envs.dynamics._instances import BATCHES
from nlp_gym_envs.errors import BadArgument

LABELS, TEXTS = ("sst2", "ag_news", "trec6"), ("multi30k_en_de", "squad_v2")
EVERY = (*LABELS, *TEXTS)


def rows_of(task: str, rows: int, **options: Any) -> Any:
    """The vector face, started."""
    env: Any = gym.make_vec(f"nlp/{task}-nudge-v0", num_envs=rows, autoreset_mode="SameStep", **options).unwrapped
    env.reset(seed=7)
    return env


def test_one_policy_fits_any_number_of_classes() -> None:
    spaces = [(e.single_observation_space, e.single_action_space) for e in (rows_of(task, 1) for task in LABELS)]
    assert all(pair == spaces[0] for pair in spaces)


@pytest.mark.parametrize("task", EVERY)
def test_what_changes_nothing_pays_exactly_nothing(task: str) -> None:
    env = rows_of(task, 8)
    env.step(np.full(8, 5))  # whatever was done before
    _, rewards, terminated, _, _ = env.step(np.zeros(8, np.int64))
    assert (rewards == 0).all() and terminated.all()


@pytest.mark.parametrize("task", EVERY)
def test_a_nudge_and_the_nudge_back_restore_everything_to_the_last_bit(task: str) -> None:
    env = rows_of(task, 8)
    game = env.episodes.dynamics
    up, down = game.actions - 4, game.actions - 1  # of the log temperature
    seen, utility = game.seen.copy(), game.utility.copy()
    _, first, _, _, _ = env.step(np.full(8, up))
    assert (game.utility != utility).any()
    _, second, _, _, _ = env.step(np.full(8, down))
    assert (game.seen == seen).all() and (game.utility == utility).all() and (first + second == 0).all()


@pytest.mark.parametrize("task", EVERY)
def test_a_row_is_the_single_face_and_other_rows_do_not_move_it(task: str) -> None:
    env, chance = rows_of(task, 5), np.random.default_rng(0)
    single: Any = gym.make(f"nlp/{task}-nudge-v0")
    single.reset(seed=7 + 3)
    for _ in range(6):
        actions = chance.integers(1, env.single_action_space.n, 5)
        seen, rewards, _, _, _ = env.step(actions)
        one, paid, _, _, info = single.step(actions[3])
        assert (one == seen[3]).all() and paid == rewards[3]
    assert info["example"] == env.episodes.dynamics.example[3]


@pytest.mark.parametrize("task", EVERY)
def test_instances_are_their_numbers_and_no_text_serves_twice(task: str) -> None:
    numbers = np.array([3, 4, 3])
    games = {split: rows_of(task, 1, split=split).episodes.dynamics for split in ("train", "validation", "test")}
    for game in games.values():
        texts = [set(game.board.pools.texts[batch].tolist()) for batch in BATCHES]
        assert not texts[0] & texts[1] and not texts[1] & texts[2] and not texts[0] & texts[2]
        batch = game.board.batch(numbers, "probe")
        again = game.board.batch(numbers[2:], "probe")
        assert all((part[:, 2] == other[:, 0]).all() for part, other in zip(batch, again, strict=True))
        assert (batch[0][:, 0] == batch[0][:, 2]).all() and (batch[0][:, 0] != batch[0][:, 1]).any()
    hidden = {split: game.board.undone(numbers) for split, game in games.items()}
    assert (hidden["train"] != hidden["test"]).all() and (hidden["validation"] != hidden["test"]).all()
    assert [games[split].size for split in games] == [1_000_000, 200, 400]


@pytest.mark.parametrize(("task", "steps"), [("ag_news", 400), ("multi30k_en_de", 60), ("squad_v2", 60)])
def test_any_actions_stay_inside_all_bounds(task: str, steps: int) -> None:
    env, chance = rows_of(task, 256, looks=40), np.random.default_rng(1)
    space, (low, high) = env.observation_space, env.reward_range
    constant = chance.integers(1, env.single_action_space.n, 256)  # to the bounds, and against them
    for step in range(steps):
        actions = constant if step % 80 < 60 else chance.integers(0, env.single_action_space.n, 256)
        seen, rewards, _, _, _ = env.step(actions)
        assert space.contains(seen) and np.isfinite(rewards).all()
        assert (low <= rewards).all() and (rewards <= high).all()
        game = env.episodes.dynamics
        assert (np.abs(game.units) <= game.board.bound).all() and env.action_masks().any(1).all()


def test_a_nudge_at_its_bound_is_masked_and_changes_nothing() -> None:
    env = rows_of("sst2", 1, looks=20)
    heat = env.episodes.dynamics.actions - 4
    for _ in range(6):  # 6 x .5 is the bound
        assert env.action_masks()[0, heat]
        env.step(np.array([heat]))
    assert not env.action_masks()[0, heat] and env.action_masks()[0, 0]
    _, rewards, terminated, _, _ = env.step(np.array([heat]))
    assert rewards[0] == 0 and not terminated[0]


@pytest.mark.parametrize("task", EVERY)
def test_both_ways_of_paying_differ_by_the_start_alone(task: str) -> None:
    paid = {}
    for reward in ("improvement", "final"):
        env = rows_of(task, 1, reward=reward)
        start = env.episodes.dynamics.utility[0]
        paid[reward] = sum(env.step(np.array([action]))[1][0] for action in (2, 4, 8, 0))
    assert paid["final"] == pytest.approx(paid["improvement"] + 10 * start)


def ended(env: Any, actions: list[int]) -> dict[str, Any]:
    """The last info of an episode of the single face."""
    info: dict[str, Any] = {}
    for action in actions:
        _, _, terminated, truncated, info = env.step(action)
        assert not truncated
        if terminated:
            break
    return info


def test_how_episodes_end() -> None:
    env: Any = gym.make("nlp/sst2-nudge-v0", split="test")
    env.reset(seed=0)
    assert ended(env, [1, 0])["stop"] == "stop"
    env.reset()
    info = ended(env, [6, 7] * 9)
    assert info["stop"] == "horizon" and info["episode_metrics"]["looks"] == 12 and not info["is_success"]
    assert info["answer"].startswith("accuracy") and info["target"][0].startswith("accuracy")


def test_a_target_is_confirmed_on_other_texts() -> None:
    game = rows_of("sst2", 64, target=0.6).episodes.dynamics
    rows = np.arange(64)
    game.act(rows, np.full(64, 6))
    reached = game.solved(rows)
    confirmed = game.board.report(game.board.batch(game.example, "confirmation"), game.units * 0.01)["accuracy"] >= 0.6
    assert (reached == (confirmed & (game.metric >= 0.6))).all() and 0 < reached.sum() < 64
    assert (game.details(rows)["stop"][reached] == "target").all() and (game.over(rows) == reached).all()


def test_metrics_are_scikit_learns_on_the_judge() -> None:
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    game = rows_of("trec6", 3).episodes.dynamics
    rows = np.arange(3)
    game.act(rows, np.array([1, 3, 6]))
    told, (odds, wanted, _) = game.metrics(rows), game.board.batch(game.example, "judge")
    for row in rows:
        bias, heat = game.units[row, :-1] / 100, game.units[row, -1] / 100
        scores = odds[:, row].T.astype(np.float64) * np.exp(-heat) + bias  # (T, K)
        chance = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        right = wanted[:, row].argmax(0)
        assert told["accuracy"][row] == pytest.approx(accuracy_score(right, scores.argmax(1)))
        assert told["f1_macro"][row] == pytest.approx(f1_score(right, scores.argmax(1), average="macro"))
        assert told["loss"][row] == pytest.approx(log_loss(right, chance, labels=range(6)), rel=1e-4)
        share = told["accuracy"][row]
        assert told["accuracy_standard_error"][row] == pytest.approx(np.sqrt(share * (1 - share) / 255), rel=1e-6)


@pytest.mark.parametrize("task", EVERY)
def test_the_slope_is_that_of_what_it_climbs(task: str) -> None:
    board = rows_of(task, 1).episodes.dynamics.board
    batch = board.batch(np.arange(4), "probe")
    at, size = np.full((4, len(board.names)), 0.2), 1e-2
    slope = board.slope(batch, at)
    for parameter in range(len(board.names)):
        aside = size * (np.arange(len(board.names)) == parameter)
        loss = [board.look(batch, at + sign * aside).loss for sign in (-1, 1)]
        assert slope[:, parameter] == pytest.approx((loss[0] - loss[1]) / (2 * size), abs=3e-3)


def test_a_fixed_instance_is_always_the_same_one() -> None:
    env = rows_of("sst2", 4, instance="fixed")
    assert env.episodes.size == 1 and (env.episodes.dynamics.example == 0).all()
    assert (np.ptp(env.episodes.observe(np.arange(4)), axis=0) == 0).all()


@pytest.mark.parametrize(
    ("options", "told"),
    [({"instance": "some"}, "varied"), ({"instances": 0}, "instances"), ({"target": 1.5}, "target"),
     ({"looks": 0}, "looks"), ({"model": "t5"}, "model"), ({"observation": "ids"}, "ids"),
     ({"instance": "fixed", "instances": 3}, "fixed")],
)  # fmt: skip
def test_what_does_not_fit_is_said(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadArgument, match=told):
        gym.make("nlp/sst2-nudge-v0", **options)


@pytest.mark.parametrize("task", ["ag_news", "multi30k_en_de", "squad_v2"])
def test_searches_and_the_oracle_raise_what_they_see(task: str) -> None:
    paid = {}
    for name in ("no_op", "best_constant", "random_search", "hill_climb", "gradient_calibration", "oracle"):
        options = {"instances": 16} if name == "best_constant" else {}
        agent = make_agent(name, make_vec_env(f"nlp/{task}-nudge-v0", 1), options, 0)
        paid[name] = evaluate(agent.learn(), f"nlp/{task}-nudge-v0", "test", limit=50, intervals=False).episodes
    assert (paid["no_op"]["return"] == 0).all() and (paid["no_op"]["rise"] == 0).all()
    for name in ("random_search", "hill_climb", "gradient_calibration"):  # they keep the start unless they see better
        assert (paid[name]["return"] >= -1e-9).all() and paid[name]["return"].mean() > 0.05
    assert paid["oracle"]["rise"].mean() > 0.01


def test_prior_correction_is_for_labels() -> None:
    agent = make_agent("prior_correction", make_vec_env("nlp/trec6-nudge-v0", 1), {}, 0)
    assert evaluate(agent, "nlp/trec6-nudge-v0", "test", limit=50, intervals=False).scores["return"].value > 0.05
    with pytest.raises(BadArgument, match="gradient_calibration"):
        evaluate(make_agent("prior_correction", make_vec_env("nlp/squad_v2-nudge-v0", 1), {}, 0),
                 "nlp/squad_v2-nudge-v0", "test", limit=2)  # fmt: skip


def test_sarsa_learns_and_plays_data_with_another_number_of_classes() -> None:
    settings = hyperparameters("sarsa", "nlp/ag_news-nudge-v0")
    rows, steps = settings.pop("n_envs"), settings.pop("n_timesteps") // 4
    env = make_vec_env("nlp/ag_news-nudge-v0", rows, seed=0)
    learner = make_agent("sarsa", env, as_values(settings), 0).learn(steps)
    constant = make_agent("best_constant", env, {"instances": 32}, 0).learn()
    for task in LABELS:
        learned, best = (
            evaluate(agent, f"nlp/{task}-nudge-v0", "test", limit=150, intervals=False).scores["return"].value
            for agent in (learner, constant)
        )
        assert learned > best + 0.3 > 0.6
