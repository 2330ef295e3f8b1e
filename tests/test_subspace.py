"""`subspace`: what is hidden stays hidden, the way back is there, and a move and its opposite cancel."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents import make_vec_env
from nlp_gym_agents._agents import make_agent
from nlp_gym_agents._evaluation import evaluate
from nlp_gym_agents._hyperparameters import as_values, hyperparameters

SMALL: dict[str, Any] = {"updates": 0, "probe": 6, "judge": 6, "length": 8, "k": 4, "horizon": 6}


def rows(num_envs: int, **options: Any) -> Any:
    """Rows of a small environment that stay at their end."""
    made = gym.make_vec("nlp/sentiment-subspace-v0", num_envs=num_envs, vectorization_mode="vector_entry_point",
                        autoreset_mode="Disabled", **{**SMALL, **options})  # fmt: skip
    return made.unwrapped


def test_the_point_is_told_from_where_it_began_and_not_from_the_trained_model() -> None:
    env = rows(8, observe=("point",))
    seen, _ = env.reset(seed=0)
    assert (seen == 0).all(), "the start's coordinates are the way back, with another sign"
    full = np.ones((8, 4), np.float32)
    moved = env.step(full)[0]
    assert (moved > 0).all() and np.ptp(moved) == 0, "the same moves look the same, wherever they began"


def test_the_oracle_goes_back_to_the_trained_model() -> None:
    env = rows(4)
    env.reset(seed=0)
    here = env.episodes.dynamics
    for _ in range(here.horizon - 1):
        env.step(env.oracle_actions())
    assert np.abs(here.point).max() < 1e-6 * here.distance


def test_a_move_and_its_opposite_cancel() -> None:
    env = rows(3)
    env.reset(seed=0)
    here = env.episodes.dynamics
    loss, action = here.loss.copy(), np.array([[1, -1, 0.5, 0]] * 3, np.float32)
    env.step(action)
    assert not np.array_equal(here.loss, loss)
    env.step(-action)
    assert here.loss == pytest.approx(loss, abs=1e-5)


def test_an_agent_learns_on_some_instances_what_helps_on_others_and_blinded_it_does_not() -> None:
    env_id, options = "nlp/sentiment-subspace-v0", {"updates": 300, "length": 16, "probe": 16, "judge": 16}
    settings = hyperparameters("a2c", env_id)
    num_envs = settings.pop("n_envs")
    settings.pop("n_timesteps")
    rises = []
    for observation in ("vector", {"name": "vector", "blank": True}):
        seen = {**options, "observation": observation}
        agent = make_agent("a2c", make_vec_env(env_id, num_envs, 0, seen), as_values(settings), 0).learn(2048)
        found = evaluate(agent, env_id, "test", seen, num_envs=64, limit=64, intervals=False)
        rises.append(found.scores["rise"].value)
    assert rises[0] > 0.25, rises
    assert rises[1] < 0.1, rises
