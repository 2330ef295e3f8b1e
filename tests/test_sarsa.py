"""SARSA(lambda): its updates against their published form, learning on small tasks and masks."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import TimeLimit
from sb3_contrib.common.maskable.evaluation import evaluate_policy as evaluate_masked
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from nlp_gym_agents.sarsa import SARSA, _Rows


class Bandit(gym.Env[Any, Any]):
    """One step per episode; the arm with the largest of three linear scores of the context pays 1."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (4,))
        self.action_space = spaces.Discrete(3)

    def _context(self) -> Any:
        self.context = self.np_random.uniform(-1.0, 1.0, 4).astype(np.float32)
        return self.context

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return self._context(), {}

    def step(self, action: Any) -> Any:
        reward = float(action == self.context[:3].argmax())
        return self._context(), reward, True, False, {}


class Corridor(gym.Env[Any, Any]):
    """Six states from left to right: 0.1 for leaving at the left end, 1 at the right, -0.01 for each step."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (6,))
        self.action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = 2
        return np.eye(6, dtype=np.float32)[self.place], {}

    def step(self, action: Any) -> Any:
        self.place += 2 * int(action) - 1
        ended = self.place in (-1, 6)
        reward = {-1: 0.1, 6: 1.0}.get(self.place, -0.01)
        return np.eye(6, dtype=np.float32)[np.clip(self.place, 0, 5)], reward, ended, False, {}


class Loop(gym.Env[Any, Any]):
    """Two states in turn; the first pays 1, the second 0; one action. Terminates after two steps if asked to."""

    def __init__(self, terminates: bool = False) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (2,))
        self.action_space = spaces.Discrete(1)
        self.terminates = terminates

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = 0
        return np.eye(2, dtype=np.float32)[0], {}

    def step(self, action: Any) -> Any:
        reward = float(self.place == 0)
        ended = self.terminates and self.place == 1
        self.place = 1 - self.place
        return np.eye(2, dtype=np.float32)[self.place], reward, ended, False, {}


class Masked(gym.Env[Any, Any]):
    """Four steps per episode, of five actions two are allowed in turn; another one raises; the higher one pays 1."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (5,))
        self.action_space = spaces.Discrete(5)

    def _observe(self) -> Any:
        self.allowed = np.zeros(5, dtype=bool)
        self.allowed[self.np_random.choice(5, 2, replace=False)] = True
        return self.allowed.astype(np.float32)

    def action_masks(self) -> Any:
        return self.allowed

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        return self._observe(), {}

    def step(self, action: Any) -> Any:
        if not self.allowed[action]:
            raise RuntimeError(f"action {action} is not allowed")
        reward = float(action == np.flatnonzero(self.allowed).max())
        self.steps += 1
        return self._observe(), reward, self.steps == 4, False, {}


def rows(env_class: Any, count: int, **keywords: Any) -> DummyVecEnv:
    return DummyVecEnv([lambda: Monitor(env_class(**keywords)) for _ in range(count)])


def timed_loop() -> gym.Env[Any, Any]:
    return TimeLimit(Loop(), 5)


def one_hot_values(agent: SARSA, size: int) -> Any:
    return agent.action_values(np.eye(size))


def test_contextual_bandit_is_learnt() -> None:
    agent = SARSA("LinearPolicy", rows(Bandit, 8), seed=1).learn(12_000)
    assert evaluate_policy(agent, rows(Bandit, 4), 400)[0] > 0.85


@pytest.mark.parametrize(
    ("features", "lambda_"),
    [
        ("linear", 0.9),
        ("squares", 0.0),
        ("tiles", 0.9),
        *(pytest.param(*more, marks=pytest.mark.slow) for more in [("linear", 0.0), ("squares", 0.9), ("tiles", 0.0)]),
    ],
)
def test_corridor_leads_right(features: str, lambda_: float) -> None:
    agent = SARSA("LinearPolicy", Corridor(), features=features, lambda_=lambda_, gamma=0.95, seed=2).learn(6_000)
    assert (one_hot_values(agent, 6).argmax(axis=1) == 1).all()
    assert evaluate_policy(agent, Monitor(Corridor()), 3)[0] == pytest.approx(0.97)


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("lambda_", [0.0, 0.8])
def test_truncation_bootstraps(count: int, lambda_: float) -> None:
    env = DummyVecEnv([timed_loop] * count)
    agent = SARSA("LinearPolicy", env, gamma=0.9, lambda_=lambda_, seed=0).learn(4_000 * count)
    first = 1.0 / (1.0 - 0.9**2)
    assert one_hot_values(agent, 2)[:, 0] == pytest.approx([first, 0.9 * first], rel=0.02)


@pytest.mark.parametrize("count", [1, 4])
def test_termination_does_not_bootstrap(count: int) -> None:
    agent = SARSA("LinearPolicy", rows(Loop, count, terminates=True), gamma=0.9, lambda_=0.0, seed=0).learn(
        2_000 * count
    )
    assert one_hot_values(agent, 2)[:, 0] == pytest.approx([1.0, 0.0], abs=0.01)


def test_truncation_bootstraps_allowed_actions_only() -> None:
    agent = SARSA("LinearPolicy", rows(Masked, 1), exploration_initial_eps=0.5, seed=0)
    agent.weights[:, 0] = [1.0, 2.0, 3.0, 4.0, 100.0]
    masks = np.array([[True, False, True, False, False]])
    # Half of the time uniform over the two allowed ones, half of the time the better one.
    assert agent._expected_values(np.zeros((1, 5)), masks) == pytest.approx([0.5 * 2.0 + 0.5 * 3.0])


def random_walk(agent: SARSA, count: int, steps: int) -> list[tuple[Any, Any, Any]]:
    """Features (1 + d,), action and target of random steps, the same for all of `count` rows."""
    generator = np.random.default_rng(5)
    agent._rows = None
    traces = np.zeros((count, *agent.weights.shape))
    seen = []
    old_values = np.zeros(count)
    for _ in range(steps):
        observation, action, reward = generator.normal(size=4), int(generator.integers(3)), generator.normal()
        features = np.repeat(agent._features(observation[None]), count, axis=0)
        here = _Rows(features, np.ones((count, 3), bool), np.full(count, action), old_values, traces)
        next_observation, next_action = generator.normal(size=4), int(generator.integers(3))
        old_values = np.repeat(agent._features(next_observation[None]) @ agent.weights[next_action], count)
        agent._update(here, reward + agent.gamma * old_values)
        seen.append((features[0], action, (reward, agent._features(next_observation[None])[0], next_action)))
    return seen


def test_one_row_is_the_published_algorithm() -> None:
    agent = SARSA("LinearPolicy", rows(Bandit, 1), lambda_=0.8, gamma=0.95, learning_rate=0.4)
    steps = random_walk(agent, 1, 40)
    # Sutton & Barto 2018, section 12.8, with the step size inside the trace as it changes from step to step.
    weights, trace, old = np.zeros(15), np.zeros(15), 0.0
    for features, action, (reward, next_features, next_action) in steps:
        x, following = np.zeros((3, 5)), np.zeros((3, 5))
        x[action], following[next_action] = features, next_features
        x, following = x.ravel(), following.ravel()
        alpha = 0.4 / (x @ x)
        value, next_value = weights @ x, weights @ following
        error = reward + 0.95 * next_value - value
        trace = 0.95 * 0.8 * trace + alpha * (1 - 0.95 * 0.8 * trace @ x) * x
        weights = weights + (error + value - old) * trace - alpha * (value - old) * x
        old = next_value
    assert agent.weights.ravel() == pytest.approx(weights)


def test_rows_in_lockstep_learn_as_one_row() -> None:
    one, many = (SARSA("LinearPolicy", rows(Bandit, count), lambda_=0.9) for count in (1, 16))
    random_walk(one, 1, 40)
    random_walk(many, 16, 40)
    assert many.weights == pytest.approx(one.weights)


def test_unlike_rows_each_learn_in_full() -> None:
    agent = SARSA("LinearPolicy", rows(Bandit, 3), learning_rate=1.0)
    features = agent._features(np.eye(4)[:3])
    here = _Rows(features, np.ones((3, 3), bool), np.arange(3), np.zeros(3), np.zeros((3, 3, 5)))
    agent._update(here, np.array([1.0, 2.0, 3.0]))
    assert (agent.weights * features).sum(axis=1) == pytest.approx([1.0, 2.0, 3.0])


def test_traces_end_with_their_episode() -> None:
    agent = SARSA("LinearPolicy", DummyVecEnv([lambda: TimeLimit(Corridor(), 1), Corridor]), seed=0)
    rows_after = agent.learn(2)._rows
    assert rows_after is not None and rows_after.traces.any(axis=(1, 2)).tolist() == [False, True]


def test_large_features_do_not_diverge() -> None:
    env = DummyVecEnv([lambda: gym.wrappers.TransformObservation(Corridor(), lambda x: 1e4 * x, None)] * 1)
    agent = SARSA("LinearPolicy", env, features="squares", seed=0).learn(3_000)
    assert np.abs(agent.action_values(1e4 * np.eye(6))).max() < 5.0


def test_average_is_the_mean_of_the_second_half() -> None:
    agent = SARSA("LinearPolicy", rows(Bandit, 2), seed=3)
    seen: list[Any] = []

    def note(local: Any, _: Any) -> bool:
        seen.append(agent.weights.copy())
        return True

    agent.learn(40, callback=note)
    # The callback comes before the update of its step.
    assert agent.mean_weights == pytest.approx(np.mean([*seen[11:], agent.weights], axis=0))
    plain = SARSA("LinearPolicy", rows(Bandit, 2), average=False, seed=3).learn(40)
    assert plain.action_values(np.eye(4)) == pytest.approx(plain._features(np.eye(4)) @ plain.weights.T)


def test_tiles_stay_in_bounds() -> None:
    agent = SARSA("LinearPolicy", rows(Bandit, 1), features="tiles", tilings=3, bins=4)
    assert agent.weights.shape == (3, 1 + 4 * 3 * 5)
    features = agent._features(np.array([[-9.0, -1.0, 1.0, 9.0], [0.0, 0.1, 0.2, 0.3]]))
    assert (features.sum(axis=1) == 1 + 4 * 3).all()
    assert (features[0] == agent._features(np.array([[-1.0, -1.0, 1.0, 1.0]]))[0]).all()


@pytest.mark.parametrize("count", [1, 4])
def test_masks_are_never_violated(count: int) -> None:
    agent = SARSA("LinearPolicy", rows(Masked, count), seed=4).learn(4_000)
    generator = np.random.default_rng(0)
    observations = generator.random((200, 5))
    masks = np.eye(5, dtype=bool)[generator.integers(5, size=200)]
    for deterministic in (True, False):
        actions, _ = agent.predict(observations, deterministic=deterministic, action_masks=masks)
        assert (actions == masks.argmax(axis=1)).all()
    # Four steps of at most 1 each; an action that is not allowed would raise.
    assert evaluate_masked(agent, rows(Masked, 2), 60)[0] > 3.2


def test_schedules() -> None:
    agent = SARSA("LinearPolicy", rows(Bandit, 1), learning_rate="lin_0.4", exploration_final_eps=0.1, seed=0)
    assert [agent.lr_schedule(progress) for progress in (1.0, 0.5, 0.0)] == pytest.approx([0.4, 0.2, 0.0])
    agent.learn(100)
    assert agent.exploration_rate == pytest.approx(0.1)
    assert SARSA("LinearPolicy", rows(Bandit, 1), learning_rate=lambda left: 0.3 * left).lr_schedule(0.5) == 0.15


def test_predictions_leave_training_as_it_was() -> None:
    agents = [SARSA("LinearPolicy", rows(Bandit, 2), seed=5) for _ in range(2)]
    for agent in agents:
        agent.learn(100)
    agents[0].predict(np.zeros((10, 4)), deterministic=False)
    for agent in agents:
        agent.learn(100, reset_num_timesteps=False)
    assert (agents[0].weights == agents[1].weights).all()


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = SARSA("LinearPolicy", Bandit())
    agent.save(tmp_path / "agent.zip")
    before = (tmp_path / "agent.zip").read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        agent.learn(10).save(tmp_path / "agent.zip")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_a_function_as_learning_rate_is_named_when_loading(tmp_path: Path) -> None:
    SARSA("LinearPolicy", Bandit(), learning_rate=lambda left: 0.1 * left).save(tmp_path / "agent")
    with pytest.warns(UserWarning, match="learning_rate"):
        SARSA.load(tmp_path / "agent")
    assert SARSA.load(tmp_path / "agent", learning_rate=0.2).learning_rate == 0.2


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"policy": "MlpPolicy"}, "policy='MlpPolicy' is not allowed: SARSA takes 'LinearPolicy'"),
        ({"gamma": 1.5}, "gamma=1.5 is not allowed"),
        ({"lambda_": -0.1}, "lambda_=-0.1 is not allowed"),
        ({"features": "cubes"}, "features='cubes' is not allowed: choose one of linear, squares, tiles"),
        ({"learning_rate": 0.0}, "learning_rate=0.0 is not allowed"),
        ({"learning_rate": 1.5}, "learning_rate=1.5 is not allowed"),
        ({"learning_rate": "log_0.1"}, "learning_rate='log_0.1' is not allowed"),
        ({"learning_rate": "lin_x"}, "learning_rate='lin_x' is not allowed"),
        ({"tilings": 0}, "tilings=0 is not allowed"),
        ({"tile_bounds": (1.0, 0.0)}, "tile_bounds=.* are not allowed"),
        ({"exploration_fraction": 2.0}, "exploration_fraction=2.0 is not allowed"),
        ({"env": "CartPole-v1", "features": "tiles"}, "bounds are not finite: give tile_bounds"),
        ({"env": "MountainCarContinuous-v0"}, "action space Box.* is not allowed: SARSA takes Discrete"),
        ({"env": "FrozenLake-v1"}, "observation space Discrete.* is not allowed: SARSA takes a Box of one dimension"),
        ({"env": "Blackjack-v1"}, "observation space Tuple.* is not allowed"),
    ],
)
def test_bad_arguments(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SARSA(**{"policy": "LinearPolicy", "env": Bandit(), **keywords})
