"""The bridge gives Stable-Baselines3 what its own vectoriser of single environments gives, and what Gymnasium told."""

import pickle
from collections import deque

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from play import near
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

import nlp_gym_envs  # noqa: F401
from nlp_gym_agents import SB3VecEnv, make_vec_env

IDS = ("nlp/sst2-label-v0", "nlp/trec6-read-v0", "nlp/arc_easy-choices-v0", "nlp/squad-span-v0", "nlp/squad-tokens-v0")


def same(ours, theirs, near=0.0):
    """Equality of infos: arrays by content, everything else by value; floats may differ by `near`."""
    if isinstance(ours, np.ndarray):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=near)
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=0, abs=near)
    elif isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        for name in ours:
            same(ours[name], theirs[name], near)
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            same(mine, other, near)
    else:
        assert ours == theirs


@pytest.mark.parametrize("limit", [None, 2])
@pytest.mark.parametrize("env_id", IDS)
def test_it_equals_sb3s_own_vectoriser_of_single_environments(env_id, limit):
    count, tolerance = 5, near(env_id)
    options = {} if limit is None else {"max_episode_steps": limit}
    ours = SB3VecEnv(gym.make_vec(env_id, num_envs=count, autoreset_mode="SameStep", **options))
    theirs = DummyVecEnv([lambda: Monitor(single(env_id, limit)) for _ in range(count)])
    generator = np.random.default_rng(0)
    for env in (ours, theirs):
        env.seed(7)
    np.testing.assert_allclose(ours.reset(), theirs.reset(), rtol=0, atol=tolerance)
    same([dict(info) for info in ours.reset_infos], theirs.reset_infos, tolerance)
    for _ in range(40):
        actions = generator.integers(ours.action_space.n, size=count)
        seen, expected = ours.step(actions), theirs.step(actions)
        np.testing.assert_allclose(seen[0], expected[0], rtol=0, atol=tolerance)
        np.testing.assert_allclose(seen[1], expected[1], atol=max(1e-6, tolerance))
        np.testing.assert_array_equal(seen[2], expected[2])
        for info, other in zip(seen[3], expected[3], strict=True):
            info = dict(info)
            assert ("episode" in info) == ("episode" in other)
            if "episode" in info:
                mine, his = info.pop("episode"), other.pop("episode")
                assert mine["l"] == his["l"] and mine["r"] == pytest.approx(his["r"], abs=max(1e-5, 10 * tolerance))
            if info["TimeLimit.truncated"]:  # the single face does not know that a wrapper around it ended the episode
                info = {name: info[name] for name in other}
            same(info, other, tolerance)
        same([dict(info) for info in ours.reset_infos], theirs.reset_infos, tolerance)


def single(env_id, limit):
    env = gym.make(env_id).unwrapped
    return env if limit is None else TimeLimit(env, limit)


def test_truncation_is_told_and_only_truncation():
    env = make_vec_env("nlp/sst2-read-v0", 4, seed=0, env_kwargs={"max_episode_steps": 1, "chunk": 1})
    env.reset()
    read = env.action_space.n - 1
    _, _, dones, infos = env.step(np.array([read, 0, read, 1]))
    assert dones.all()
    assert [info["TimeLimit.truncated"] for info in infos] == [True, False, True, False]
    assert all(info["terminal_observation"].shape == env.observation_space.shape for info in infos)


def test_an_info_is_an_ordinary_dict_to_everybody():
    env = make_vec_env("nlp/sst2-label-v0", 3, seed=0)
    env.reset()
    infos = env.step(np.zeros(3, int))[3]
    assert isinstance(infos[0], dict) and "answer" in infos[0] and infos[0].get("nothing", 5) == 5
    assert infos[1]["episode_metrics"]["accuracy"] in (0.0, 1.0)
    assert {**infos[2]}["target"] and dict(infos[2]).keys() == infos[0].keys() == infos[1].copy().keys()
    assert pickle.loads(pickle.dumps(infos[0])).keys() == infos[0].keys()
    with pytest.raises(KeyError):
        infos[0]["nothing"]
    infos[1]["mine"] = 1
    assert "mine" in infos[1] and "mine" not in infos[0]
    assert infos[0].pop("answer") and "answer" not in infos[0]


def test_to_ask_for_an_episode_as_callbacks_do_makes_nothing(monkeypatch):
    env = make_vec_env("nlp/sentiment-read-v0", 4, 0)
    env.reset()
    episodes, ended = env.get_attr("episodes")[0], 0
    for name in ("info_of_step", "info_at_start", "info_at_end"):
        monkeypatch.setattr(episodes, name, lambda *_: pytest.fail("an info was made"))
    for _ in range(40):
        infos = env.step(np.array([env.action_space.sample() for _ in range(4)]))[3]
        ended += sum("episode" in info and info["episode"]["l"] > 0 for info in infos)
    assert ended > 0


def test_an_info_keeps_what_it_said_after_later_steps():
    env = make_vec_env("nlp/sst2-label-v0", 4, seed=0)
    env.reset()
    infos = env.step(np.zeros(4, int))[3]
    early = [dict(info) for info in env.step(np.zeros(4, int))[3]]
    late = env.step(np.ones(4, int))[3]
    assert [info["example"] for info in late] != [info["example"] for info in early]
    texts = [info["text"] for info in infos]  # looked at only now
    env.seed(0)
    env.reset()
    assert [info["text"] for info in env.step(np.zeros(4, int))[3]] == texts


def test_masks_reach_sb3_contrib_row_by_row():
    env = make_vec_env("nlp/sst2-read-v0", 3, seed=0, env_kwargs={"chunk": 1000})
    assert is_masking_supported(env)
    env.reset()
    assert get_action_masks(env).all()
    env.step(np.array([2, 0, 2]))  # all is read where it was 2
    np.testing.assert_array_equal(get_action_masks(env)[:, 2], [False, True, False])
    assert len(env.env_method("action_masks", indices=[0, 2])) == 2


def test_other_reset_modes_are_refused_with_a_sentence():
    for mode in ("NextStep", "Disabled"):
        with pytest.raises(ValueError, match="same-step auto-reset"):
            SB3VecEnv(gym.make_vec("nlp/sst2-label-v0", num_envs=2, autoreset_mode=mode))


def test_any_same_step_vector_environment_will_do():
    venv = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    env, reference = SB3VecEnv(venv), DummyVecEnv([lambda: gym.make("CartPole-v1")] * 3)
    for each in (env, reference):
        each.seed(3)
    np.testing.assert_array_equal(env.reset(), reference.reset())
    generator = np.random.default_rng(0)
    for _ in range(120):
        actions = generator.integers(2, size=3)
        for ours, theirs in zip(env.step(actions)[:3], reference.step(actions)[:3], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert env.get_attr("_max_episode_steps") == reference.get_attr("_max_episode_steps")
    assert PPO("MlpPolicy", env, n_steps=16, batch_size=16).learn(64).num_timesteps >= 64


def test_the_same_seed_gives_the_same_weights_and_another_gives_others():
    def weights(seed):
        env = make_vec_env("nlp/sst2-label-v0", 4)
        model = PPO("MlpPolicy", env, n_steps=16, batch_size=32, seed=seed, device="cpu").learn(128)
        return np.concatenate([p.detach().numpy().ravel() for p in model.policy.parameters()])

    np.testing.assert_array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


def test_attributes_and_methods():
    env = make_vec_env("nlp/sst2-label-v0", 3, env_kwargs={"render_mode": "rgb_array"})
    assert env.get_attr("action_meanings", [1])[0][0].startswith("answer")
    assert not env.has_attr("nothing_of_the_kind")
    with pytest.raises(AttributeError):
        env.env_method("nothing_of_the_kind")
    with pytest.raises(ValueError, match="shared by all rows"):
        env.set_attr("note", 1, indices=[0])
    env.set_attr("note", 1)
    assert env.get_attr("note") == [1, 1, 1]
    assert env.env_is_wrapped(Monitor) == [True] * 3
    env.reset()
    assert [image.shape for image in env.get_images()] == [(360, 640, 3)] * 3
    assert env.env_method("oracle_actions", indices=[2])[0] in (0, 1)
    env.close()


def test_the_wrappers_and_callbacks_of_sb3_take_it(tmp_path):
    env = VecNormalize(make_vec_env("nlp/sst2-label-v0", 4, seed=0), norm_obs=False)
    judge = VecNormalize(make_vec_env("nlp/sst2-label-v0", 4, env_kwargs={"split": "validation"}), norm_obs=False)
    judge.norm_reward = judge.training = False
    model = A2C("MlpPolicy", env, n_steps=8, device="cpu")
    model.learn(128, callback=EvalCallback(judge, eval_freq=8, n_eval_episodes=8, log_path=str(tmp_path), verbose=0))
    assert len(model.ep_info_buffer) and (tmp_path / "evaluations.npz").exists()
    assert isinstance(model.ep_info_buffer, deque)
    mean, _ = evaluate_policy(model, judge, n_eval_episodes=8)
    assert 0 <= mean <= 1
    monitored = VecMonitor(make_vec_env("nlp/sst2-label-v0", 4))
    assert monitored.reset().shape == (4, monitored.observation_space.shape[0])


def test_dict_and_id_observations_train():
    env = make_vec_env("nlp/sst2-read-v0", 4, env_kwargs={"observation": "dict"})
    assert PPO("MultiInputPolicy", env, n_steps=8, batch_size=16, device="cpu").learn(32).num_timesteps == 32
    env = make_vec_env("nlp/sst2-label-v0", 4, env_kwargs={"observation": "ids"})
    assert DQN("MlpPolicy", env, learning_starts=8, device="cpu").learn(32).num_timesteps == 32


def test_one_line_of_sb3_is_enough():
    model = PPO("MlpPolicy", "nlp_gym_envs:nlp/sst2-label-v0", n_steps=16, batch_size=16, device="cpu")
    assert model.learn(32).num_timesteps == 32
