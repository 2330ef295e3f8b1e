"""Our ids under other people's code: a plain loop, Gymnasium's wrappers and vectorisers, a single-file PPO."""

import importlib.util
import itertools
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from cleanrl_ppo import train
from gymnasium import wrappers
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as vector_wrappers
from play import near

import nlp_gym_envs  # noqa: F401  registers the ids

READ, LABEL = "nlp/sst2-read-v0", "nlp/sst2-label-v0"
CHOICES, SPAN, TOKENS = "nlp/arc_easy-choices-v0", "nlp/squad-span-v0", "nlp/squad-tokens-v0"
both = pytest.mark.parametrize("env_id", [READ, LABEL])
each_kind = pytest.mark.parametrize("env_id", [READ, LABEL, CHOICES, SPAN, TOKENS])

SINGLE = {
    "RecordEpisodeStatistics": wrappers.RecordEpisodeStatistics,
    "TimeLimit": lambda env: wrappers.TimeLimit(env, 2),
    "TimeAwareObservation": lambda env: wrappers.TimeAwareObservation(wrappers.TimeLimit(env, 9)),
    "FlattenObservation": wrappers.FlattenObservation,
    "FrameStackObservation": lambda env: wrappers.FrameStackObservation(env, 3),
    "NormalizeObservation": wrappers.NormalizeObservation,
    "NormalizeReward": wrappers.NormalizeReward,
    "ClipReward": lambda env: wrappers.ClipReward(env, -0.1, 0.1),
    "DtypeObservation": lambda env: wrappers.DtypeObservation(env, np.float64),
    "RescaleObservation": lambda env: wrappers.RescaleObservation(env, np.float32(-1), np.float32(1)),
    "TransformAction": lambda env: wrappers.TransformAction(env, lambda action: action, None),
    "Autoreset": wrappers.Autoreset,
    "DelayObservation": lambda env: wrappers.DelayObservation(env, 1),
}
MANY = {
    "RecordEpisodeStatistics": vector_wrappers.RecordEpisodeStatistics,
    "DictInfoToList": vector_wrappers.DictInfoToList,
    "ClipReward": lambda env: vector_wrappers.ClipReward(env, -0.1, 0.1),
    "NormalizeReward": vector_wrappers.NormalizeReward,
}
MANY_NEXT_STEP = {
    "NormalizeObservation": vector_wrappers.NormalizeObservation,
    "FlattenObservation": vector_wrappers.FlattenObservation,
    "DtypeObservation": lambda env: vector_wrappers.DtypeObservation(env, np.float64),
}


@each_kind
def test_a_plain_loop(env_id: str) -> None:
    env = gym.make(env_id, split="validation")
    scores = []
    for episode in range(24):
        _, info = env.reset(seed=1 if episode == 0 else None)
        over = False
        while not over:
            action = env.action_space.sample(mask=info["action_mask"].astype(np.int8))
            _, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
        scores.append(info["episode_metrics"][env.unwrapped.task.metric.name])  # type: ignore[attr-defined]
    env.close()
    assert all(0 <= score <= 1 for score in scores)
    assert env_id == TOKENS or len(set(scores)) > 1


@both
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")  # gymnasium's DtypeObservation
@pytest.mark.parametrize("name", SINGLE)
def test_wrappers_of_one(env_id: str, name: str) -> None:
    env = SINGLE[name](gym.make(env_id))
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(30):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert observation in env.observation_space and np.isfinite(float(reward))
        if (terminated or truncated) and name != "Autoreset":
            env.reset()


@both
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
@pytest.mark.parametrize(
    ("name", "mode"),
    [*itertools.product(MANY, AutoresetMode)]
    + [(name, AutoresetMode.NEXT_STEP) for name in MANY_NEXT_STEP],  # Gymnasium's own refuse the other modes
)
def test_wrappers_of_many(env_id: str, name: str, mode: AutoresetMode) -> None:
    env = (MANY | MANY_NEXT_STEP)[name](gym.make_vec(env_id, num_envs=3, autoreset_mode=mode))
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(20):
        observations, rewards, terminated, truncated, _ = env.step(env.action_space.sample())
        assert observations in env.observation_space and np.isfinite(rewards).all()
        if mode == AutoresetMode.DISABLED and (terminated | truncated).any():
            env.reset(options={"reset_mask": terminated | truncated})


def test_a_dict_is_flattened() -> None:
    flat = wrappers.FlattenObservation(gym.make(READ, observation="dict"))
    plain = gym.make(READ)
    assert flat.observation_space.shape == plain.observation_space.shape
    assert sorted(flat.reset(seed=3)[0].tolist()) == sorted(plain.reset(seed=3)[0].tolist())


def test_episode_statistics_are_right() -> None:
    """Gymnasium's statistics, of one and of many, are the sums of our rewards."""
    one = wrappers.RecordEpisodeStatistics(gym.make(READ))
    made = gym.make_vec(READ, num_envs=1, autoreset_mode="SameStep")
    many = vector_wrappers.RecordEpisodeStatistics(made)
    one.reset(seed=5), many.reset(seed=5)
    draw, total, length = np.random.default_rng(0), 0.0, 0
    for _ in range(60):
        action = draw.integers(3)
        _, reward, terminated, _, info = one.step(action)
        infos = many.step(np.array([action]))[4]
        total, length = total + float(reward), length + 1
        assert ("episode" in info) is terminated
        if terminated:
            assert info["episode"]["r"] == pytest.approx(total) and info["episode"]["l"] == length
            assert infos["episode"]["r"][0] == pytest.approx(total)
            assert infos["episode"]["l"][0] == length
            total, length = 0.0, 0
            one.reset()


@each_kind
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_gymnasiums_own_vectorisers(env_id: str, kind: str) -> None:
    env = gym.make_vec(env_id, num_envs=2, vectorization_mode=kind)
    ours = gym.make_vec(env_id, num_envs=2)
    try:
        assert isinstance(env, SyncVectorEnv if kind == "sync" else AsyncVectorEnv)
        assert np.allclose(env.reset(seed=3)[0], ours.reset(seed=3)[0], rtol=0, atol=near(env_id))
        for actions in np.random.default_rng(0).integers(env.single_action_space.n, size=(20, 2)):
            came, expected = env.step(actions), ours.step(actions)
            for part, other in zip(came[:4], expected[:4], strict=True):
                assert np.allclose(part, other, rtol=0, atol=near(env_id))
            assert came[4]["text"].tolist() == expected[4]["text"].tolist()
    finally:
        env.close()


@pytest.mark.skipif(importlib.util.find_spec("moviepy") is None, reason="RecordVideo needs moviepy")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_film_of_an_episode(tmp_path: Path) -> None:
    env = wrappers.RecordVideo(gym.make(READ, render_mode="rgb_array"), str(tmp_path / "films"), disable_logger=True)
    env.reset(seed=0)
    over = False
    while not over:
        over = env.step(2)[2]
    env.close()
    films = list(tmp_path.glob("films/*.mp4"))
    assert len(films) == 1 and films[0].stat().st_size > 1000


def test_a_single_file_ppo_learns() -> None:
    """Uniform answers earn one half; a few seconds' learning earn clearly more, on our rows and on Gymnasium's."""
    made: Any = gym.make_vec("nlp/sentiment-label-v0", num_envs=32, autoreset_mode=AutoresetMode.SAME_STEP)
    returns = train(vector_wrappers.RecordEpisodeStatistics(made), 30_000)
    assert len(returns) > 25_000
    assert np.mean(returns[:1024]) < 0.56
    assert np.mean(returns[-4096:]) > 0.57  # .62 to .64 in six seeds; the standard error is .008


def test_a_single_file_ppo_runs_on_gymnasiums_rows() -> None:
    rows = SyncVectorEnv([lambda: gym.make(READ) for _ in range(4)], autoreset_mode=AutoresetMode.SAME_STEP)
    assert len(train(vector_wrappers.RecordEpisodeStatistics(rows), 512)) > 100
