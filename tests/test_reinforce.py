"""REINFORCE: its returns, gradients, learning on small tasks and masks; then the interface that both agents share."""

import io
import json
import os
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sb3_contrib.common.maskable.evaluation import evaluate_policy as evaluate_masked
from stable_baselines3.common.callbacks import CheckpointCallback, EvalCallback, StopTrainingOnMaxEpisodes
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import KVWriter, Logger
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv
from test_sarsa import Bandit, Corridor, Loop, Masked, rows, timed_loop

from nlp_gym_agents._store import StoredAgent
from nlp_gym_agents.reinforce import REINFORCE, _Steps
from nlp_gym_agents.sarsa import SARSA

one_row_or_more = pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.slow), 4])


def small(env: Any, **keywords: Any) -> REINFORCE:
    return REINFORCE("MlpPolicy", env, **{"seed": 1, "net_arch": (16,), "episodes_per_update": 16, **keywords})


def test_contextual_bandit_is_learnt() -> None:
    agent = small(rows(Bandit, 8), learning_rate=0.02, episodes_per_update=64).learn(16_000)
    assert evaluate_policy(agent, rows(Bandit, 4), 400)[0] > 0.85


def test_corridor_leads_right() -> None:
    agent = small(rows(Corridor, 4), learning_rate=0.01, gamma=0.95).learn(8_000)
    assert evaluate_policy(agent, Monitor(Corridor()), 3)[0] == pytest.approx(0.97)


@one_row_or_more
def test_truncation_bootstraps(count: int) -> None:
    env = DummyVecEnv([timed_loop] * count)
    agent = small(env, gamma=0.8, learning_rate=0.02, net_arch=(), value_steps=20, episodes_per_update=4)
    agent.learn(3_000)
    first = 1.0 / (1.0 - 0.8**2)
    assert agent.values(np.eye(2)) == pytest.approx([first, 0.8 * first], rel=0.05)


@one_row_or_more
def test_termination_does_not_bootstrap(count: int) -> None:
    env = rows(Loop, count, terminates=True)
    agent = small(env, gamma=0.8, learning_rate=0.02, net_arch=(), value_steps=20, episodes_per_update=4)
    agent.learn(2_000)
    assert agent.values(np.eye(2)) == pytest.approx([1.0, 0.0], abs=0.05)


def test_returns_of_ragged_episodes() -> None:
    """Every step of a finished episode is used once, with its own return; unfinished ones wait."""
    generator = np.random.default_rng(0)
    count, gamma, steps = 3, 0.9, _Steps()
    rewards, dones = generator.normal(size=(60, count)), generator.random((60, count)) < [0.5, 0.1, 0.02]
    expected = {}
    for row in range(count):
        total = 0.0
        for step in reversed(range(60)):
            total = rewards[step, row] + gamma * (0.0 if dones[step, row] else total)
            if dones[step:, row].any():
                expected[step, row] = total
    found = {}
    for step in range(60):
        # An observation names its step and row, so that what comes back can be told apart.
        steps.observations.append(np.array([[step, row] for row in range(count)], dtype=np.float32))
        steps.masks.append(np.ones((count, 2), dtype=bool))
        steps.actions.append(np.arange(count))
        steps.rewards.append(rewards[step].copy())
        steps.dones.append(dones[step])
        steps.fresh.append(np.ones(count, dtype=bool))
        if step % 7 == 6 or step == 59:
            episodes = steps.finished_episodes()
            observations, _, actions, returns = steps.take_finished(gamma)
            assert dones[tuple(observations.astype(int).T)].sum() == episodes
            assert (actions == observations[:, 1]).all() and steps.finished_episodes() == 0
            for key, value in zip(map(tuple, observations.astype(int).tolist()), returns, strict=True):
                assert key not in found
                found[key] = value
    assert found == pytest.approx(expected)
    assert len(steps.rewards) == len(steps.fresh) == 60 - min(np.flatnonzero(dones[:, row])[-1] + 1 for row in range(3))


def test_policy_step_follows_the_gradient_of_williams() -> None:
    """One unclipped step on linear logits changes them along (one-hot action - probabilities) * advantage."""
    agent = small(rows(Bandit, 1), net_arch=(), ent_coef=0.0, max_grad_norm=1e9)
    observations, actions = torch.eye(4), torch.tensor([0, 1, 2, 0])
    advantages, masks = torch.tensor([1.0, -2.0, 0.5, 3.0]), torch.ones(4, 3, dtype=torch.bool)
    probabilities = torch.tensor(agent.action_probabilities(np.eye(4), np.ones((4, 3), dtype=bool)))
    agent.learn(0)
    agent._train_policy(observations, masks, actions, advantages)
    score = (torch.nn.functional.one_hot(actions, 3) - probabilities) * advantages[:, None] / 4
    gradient = -next(agent.policy_net.parameters()).grad.T
    assert gradient.numpy() == pytest.approx(score.numpy(), abs=1e-6)


def test_masked_actions_have_no_probability_and_no_gradient() -> None:
    agent = small(rows(Masked, 1), net_arch=(), ent_coef=0.5)
    masks = np.array([[True, False, True, False, False]])
    probabilities = agent.action_probabilities(np.ones((1, 5)), masks)
    assert (probabilities[~masks] == 0.0).all() and probabilities.sum() == pytest.approx(1.0)
    agent.learn(0)
    agent._train_policy(torch.ones(1, 5), torch.as_tensor(masks), torch.tensor([2]), torch.tensor([1.0]))
    gradient = next(agent.policy_net.parameters()).grad
    assert torch.isfinite(gradient).all()
    assert (gradient[[1, 3, 4]] == 0.0).all() and (gradient[[0, 2]] != 0.0).all()


def test_samples_follow_the_probabilities() -> None:
    agent = small(rows(Bandit, 1))
    with torch.no_grad():
        agent.policy_net[-1].bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    masks = np.array([True, False, True])
    actions, _ = agent.predict(np.zeros((20_000, 4)), action_masks=masks)
    expected = agent.action_probabilities(np.zeros((1, 4)), masks[None])[0]
    assert np.bincount(actions, minlength=3) / 20_000 == pytest.approx(expected, abs=0.02)


@one_row_or_more
def test_masks_are_never_violated(count: int) -> None:
    agent = small(rows(Masked, count), learning_rate=0.02).learn(6_000)
    generator = np.random.default_rng(0)
    masks = np.eye(5, dtype=bool)[generator.integers(5, size=200)]
    for deterministic in (True, False):
        actions, _ = agent.predict(generator.random((200, 5)), deterministic=deterministic, action_masks=masks)
        assert (actions == masks.argmax(axis=1)).all()
    # Four steps of at most 1 each; an action that is not allowed would raise.
    assert evaluate_masked(agent, rows(Masked, 2), 60)[0] > 3.2


class Kept(KVWriter):
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, Any], step: int = 0) -> None:
        self.seen.append(dict(key_values))

    def close(self) -> None:
        pass


def test_schedule_and_log() -> None:
    agent = small(rows(Bandit, 2), learning_rate="lin_0.1")
    kept = Kept()
    agent.set_logger(Logger(None, [kept]))
    agent.learn(64)
    assert [values["train/learning_rate"] for values in kept.seen] == pytest.approx([0.075, 0.05, 0.025, 0.0])
    assert {"rollout/ep_rew_mean", "train/entropy_loss", "train/value_loss", "time/fps"} <= kept.seen[0].keys()


def test_minibatches_and_the_last_update() -> None:
    agent = small(rows(Bandit, 2), n_minibatches=4).learn(40)
    # 16 + 16 episodes and the 8 that were left when the steps were used up.
    assert agent._n_updates == 3
    assert {int(state["step"]) for state in agent.policy_optimizer.state.values()} == {12}
    assert {int(state["step"]) for state in agent.value_optimizer.state.values()} == {30}


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"policy": "CnnPolicy"}, "policy='CnnPolicy' is not allowed: REINFORCE takes 'MlpPolicy'"),
        ({"gamma": -0.1}, "gamma=-0.1 is not allowed"),
        ({"learning_rate": -1.0}, "learning_rate=-1.0 is not allowed"),
        ({"episodes_per_update": 0}, "episodes_per_update=0 is not allowed"),
        ({"n_minibatches": 0}, "n_minibatches=0 is not allowed"),
        ({"value_steps": -1}, "value_steps=-1 is not allowed"),
        ({"ent_coef": -1.0}, "ent_coef=-1.0 is not allowed"),
        ({"max_grad_norm": 0.0}, "max_grad_norm=0.0 is not allowed"),
        ({"net_arch": (16, 0)}, "net_arch: width=0 is not allowed"),
        ({"env": "MountainCarContinuous-v0"}, "action space Box.* is not allowed: REINFORCE takes Discrete"),
        ({"env": "FrozenLake-v1"}, "observation space Discrete.* is not allowed"),
    ],
)
def test_bad_arguments(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        REINFORCE(**{"policy": "MlpPolicy", "env": Bandit(), **keywords})


def linear(env: Any, **keywords: Any) -> SARSA:
    return SARSA("LinearPolicy", env, **{"seed": 1, **keywords})


both = pytest.mark.parametrize("make", [linear, small])


def same_parameters(first: StoredAgent, second: StoredAgent) -> bool:
    ours, theirs = first.get_parameters(), second.get_parameters()
    return all((theirs[group][name] == array).all() for group in ours for name, array in ours[group].items())


@both
def test_predict_has_the_shapes_of_stable_baselines(make: Any) -> None:
    agent = make(rows(Bandit, 1))
    single, state = agent.predict(np.zeros(4, dtype=np.float32), state=None)
    assert isinstance(single, np.ndarray) and single.shape == () and state is None
    assert agent.predict(np.zeros((3, 4)))[0].shape == (3,)
    assert agent.predict(np.zeros((3, 4)), action_masks=[False, True, False])[0].tolist() == [1, 1, 1]
    for wrong in (np.zeros(5), np.zeros((2, 5)), np.zeros((1, 1, 4))):
        with pytest.raises(ValueError, match="shape"):
            agent.predict(wrong)
    with pytest.raises(ValueError, match="no action at all in row 1"):
        agent.predict(np.zeros((2, 4)), action_masks=[[True] * 3, [False] * 3])
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        agent.predict(np.zeros((2, 4)), action_masks=[True, False])


@both
@pytest.mark.filterwarnings("ignore:rich is experimental")
def test_callbacks(make: Any, tmp_path: Path) -> None:
    evaluation = EvalCallback(rows(Bandit, 1), eval_freq=100, n_eval_episodes=5, best_model_save_path=str(tmp_path))
    checkpoints = CheckpointCallback(200, str(tmp_path / "steps"), name_prefix="agent")
    agent = make(rows(Bandit, 2)).learn(800, callback=[evaluation, checkpoints], progress_bar=True)
    assert agent.num_timesteps == 800 and np.isfinite(evaluation.last_mean_reward)
    assert (tmp_path / "best_model.zip").is_file()
    assert sorted(path.name for path in (tmp_path / "steps").iterdir()) == [
        "agent_400_steps.zip",
        "agent_800_steps.zip",
    ]
    agent.learn(1_000, callback=StopTrainingOnMaxEpisodes(10))
    assert agent.num_timesteps == 20
    agent.learn(50, reset_num_timesteps=False)
    assert agent.num_timesteps == 70


@both
def test_round_trip(make: Any, tmp_path: Path) -> None:
    agent = make(rows(Masked, 2), learning_rate="lin_0.1", seed=7).learn(600)
    agent.save(tmp_path / "agent_v0.1")
    assert [path.name for path in tmp_path.iterdir()] == ["agent_v0.1.zip"]
    loaded = type(agent).load(tmp_path / "agent_v0.1", env=rows(Masked, 3))
    assert loaded.num_timesteps == 600 and loaded.n_envs == 3
    observations = np.random.default_rng(0).random((50, 5))
    for deterministic in (True, False):
        expected = agent.predict(observations, deterministic=deterministic)[0]
        assert (loaded.predict(observations, deterministic=deterministic)[0] == expected).all()
    same_env = rows(Masked, 3)
    same_env.seed(7)
    agent.set_env(same_env)
    agent.learn(300, reset_num_timesteps=False)
    loaded.learn(300, reset_num_timesteps=False)
    assert same_parameters(agent, loaded) and loaded.num_timesteps == 900
    assert type(agent).load(tmp_path / "agent_v0.1.zip", gamma=0.5).gamma == 0.5


@both
def test_an_agent_that_never_learnt_goes_through_memory(make: Any) -> None:
    agent, file = make(rows(Bandit, 1)), io.BytesIO()
    agent.save(file)
    loaded = type(agent).load(file, env=rows(Bandit, 1))
    assert same_parameters(agent.learn(64), loaded.learn(64))


@both
def test_parameters_are_taken_over_or_refused(make: Any) -> None:
    agent, other = make(Bandit()).learn(100), make(Bandit(), seed=8)
    given = agent.get_parameters()
    other.set_parameters(given)
    assert same_parameters(agent, other)
    group, name = next((group, name) for group in given for name in given[group])
    with pytest.raises(ValueError, match="missing"):
        other.set_parameters({group: {name: given[group][name]}})
    with pytest.raises(ValueError, match="shape"):
        other.set_parameters({group: {name: np.zeros(1)}}, exact_match=False)


class Intruder:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_files_hold_no_pickle_and_are_checked(tmp_path: Path) -> None:
    good = tmp_path / "good.zip"
    SARSA("LinearPolicy", Bandit()).save(good)
    with zipfile.ZipFile(good) as archive:
        assert sorted(archive.namelist()) == ["arrays.npz", "data.json"]
        members = {name: archive.read(name) for name in archive.namelist()}
    packed = io.BytesIO()
    np.savez(packed, weights=np.array([Intruder(tmp_path / "intruded")]), allow_pickle=True)
    data = json.loads(members["data.json"])
    cases = {
        "text": b"not a zip file",
        "cut": good.read_bytes()[:-200],
        "pickle": pickle.dumps({"agent": "SARSA"}),
        "objects": zipped({**members, "arrays.npz": packed.getvalue()}),
        "no_arrays": zipped({"data.json": members["data.json"]}),
        "no_counters": zipped({**members, "data.json": json.dumps({**data, "counters": {}}).encode()}),
        "other_size": zipped({**members, "data.json": json.dumps({**data, "n_actions": 4}).encode()}),
    }
    for name, content in cases.items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}\.zip cannot be read: expected a zip file"):
            SARSA.load(path)
    assert not (tmp_path / "intruded").exists()
    with pytest.raises(ValueError, match=r"good\.zip holds an agent of kind 'SARSA', expected 'REINFORCE'"):
        REINFORCE.load(good)
    with pytest.raises(FileNotFoundError, match="absent"):
        SARSA.load(tmp_path / "absent")
    with pytest.raises(ValueError, match="[Ss]pace"):
        SARSA.load(good, env=Corridor())


def zipped(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return whole.getvalue()


@both
def test_seeds(make: Any) -> None:
    first, same, other = (make(rows(Bandit, 4), seed=seed).learn(1_000) for seed in (5, 5, 6))
    assert same_parameters(first, same) and not same_parameters(first, other)


@both
def test_global_generators_are_untouched(make: Any) -> None:
    before = random.getstate(), pickle.dumps(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    make(rows(Masked, 2)).learn(200).predict(np.zeros((3, 5)))
    assert random.getstate() == before[0]
    assert pickle.dumps(np.random.get_state()) == before[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])


@both
def test_env_by_name_and_no_env(make: Any) -> None:
    agent = make("CartPole-v1").learn(50)
    assert agent.get_env() is not None and agent.num_timesteps == 50
    with pytest.raises(ValueError, match="env=None"):
        make(None).learn(10)
