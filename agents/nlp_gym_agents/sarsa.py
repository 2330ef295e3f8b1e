"""SARSA(lambda) with linear action values, for Discrete actions and the rows of a VecEnv.

The algorithm is true-online Sarsa(lambda) with Dutch traces (van Seijen et al. 2016, JMLR 17(145); Sutton & Barto 2018,
section 12.8), the successor of Rummery & Niranjan's SARSA (1994). Among the traces it is the one made for function
approximation: after every step its weights are those of the online lambda-return algorithm. Accumulating traces only
come near that, and can diverge with features that stay active; replacing traces are defined for binary features alone.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback, Schedule
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv

from ._store import Parameters, StoredAgent, check_number

Array = NDArray[np.float64]
FEATURES = ("linear", "squares", "tiles")


@dataclass
class _Rows:
    """What each of the B rows of the env stands in: features (B, F), masks (B, A), chosen action, trace (B, A, F)."""

    features: Array
    masks: NDArray[np.bool_]
    actions: NDArray[np.int64]
    values: Array
    """Value of the chosen action (B,) by the weights of the moment when it was chosen."""
    traces: Array


class SARSA(StoredAgent):
    """On-policy control with one weight vector per action, an epsilon-greedy policy and eligibility traces.

    The step size is that of normalised least mean squares: `learning_rate` is the share, in (0, 1], of the error in one
    state and action that one step removes. All rows change the weights together. What row b would do alone (which
    includes its normalisation) is divided by the sum over rows c of |cos(trace b, trace c)|: rows in equal states
    average, rows in unrelated states each learn in full, and one row is the published algorithm. With lambda_ = 0
    Gershgorin's theorem bounds the step in every direction by `learning_rate`, however alike the rows are; with longer
    traces the rule is a heuristic. Features should be of similar norm: normalising weighs a state by 1 / norm**2.

    Masks: only allowed actions are taken, in states with `env.action_masks()`, and only their values are bootstrapped.
    A truncated episode bootstraps the expected value of the policy in its last observation; the mask of that state
    is not to be had from a VecEnv, so the one of the state before stands in for it.

    Args:
        policy: "LinearPolicy".
        env: VecEnv, Gymnasium env or id; observations Box(d,), actions Discrete(A). None if set later by `load`.
        learning_rate: in (0, 1]; or "lin_0.5" or a function of the remaining progress (1 to 0).
        gamma: discount, in [0, 1].
        lambda_: decay of the traces, in [0, 1]; 0 is one-step SARSA.
        features: "linear" (bias and observation), "squares" (and each squared element), or "tiles" (bias and one-hot
            tiles of each element on its own, without products).
        tilings: number of tilings per element, each shifted by 1 / tilings of a tile; 1 or more.
        bins: tiles across the range of an element; 1 or more. F = 1 + d * tilings * (bins + 1).
        tile_bounds: (low, high) that replace the bounds of the Box, needed where those are not finite. Observations
            outside are clipped.
        exploration_fraction: share of the training, in [0, 1], over which epsilon falls linearly.
        exploration_initial_eps: first epsilon, in [0, 1].
        exploration_final_eps: last epsilon, in [0, 1].
        average: predict with the mean of the weights over the second half of the last `learn` (Polyak & Juditsky 1992),
            as constant steps leave noise in the last ones; before that half, and for learning, the weights themselves.
        seed: of the agent's own random generators and of the env; None draws one from the system.
    """

    policy_name = "LinearPolicy"

    def __init__(
        self,
        policy: str,
        env: GymEnv | str | None,
        *,
        learning_rate: float | str | Schedule = 0.5,
        gamma: float = 0.99,
        lambda_: float = 0.9,
        features: str = "linear",
        tilings: int = 4,
        bins: int = 8,
        tile_bounds: tuple[float, float] | None = None,
        exploration_fraction: float = 0.5,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.05,
        average: bool = True,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        if features not in FEATURES:
            raise ValueError(f"features={features!r} is not allowed: choose one of {', '.join(FEATURES)}")
        if tile_bounds is not None and not -np.inf < tile_bounds[0] < tile_bounds[1] < np.inf:
            raise ValueError(f"tile_bounds={tile_bounds!r} are not allowed: give finite (low, high) with low < high")
        check_number("lambda_", lambda_, 0.0, 1.0)
        check_number("tilings", tilings, 1)
        check_number("bins", bins, 1)
        check_number("exploration_fraction", exploration_fraction, 0.0, 1.0)
        check_number("exploration_initial_eps", exploration_initial_eps, 0.0, 1.0)
        check_number("exploration_final_eps", exploration_final_eps, 0.0, 1.0)
        self.lambda_, self.features, self.average = lambda_, features, average
        self.tilings, self.bins, self.tile_bounds = tilings, bins, tile_bounds
        self.exploration_fraction = exploration_fraction
        self.exploration_initial_eps, self.exploration_final_eps = exploration_initial_eps, exploration_final_eps
        self.exploration_rate = exploration_initial_eps
        super().__init__(policy, env, learning_rate, gamma, seed, verbose, tensorboard_log, device, stats_window_size)
        if isinstance(self.learning_rate, float):
            check_number("learning_rate", self.learning_rate, 0.0, 1.0, above=True)
        if self.env is not None:
            self._setup_model()

    def _setup_model(self) -> None:
        assert isinstance(self.observation_space, spaces.Box)
        size = self.observation_space.shape[0]
        width = {"linear": 1, "squares": 2, "tiles": self.tilings * (self.bins + 1)}[self.features]
        if self.features == "tiles":
            self._setup_tiles(self.observation_space)
        self._setup_lr_schedule()
        self.exploration_schedule = LinearSchedule(
            self.exploration_initial_eps, self.exploration_final_eps, self.exploration_fraction
        )
        self.set_random_seed(self.seed)
        self.weights: Array = np.zeros((self.n_actions, 1 + size * width))  # (A, F)
        self.mean_weights: Array = np.zeros_like(self.weights)  # (A, F)
        self._mean_count = 0
        self._rows: _Rows | None = None

    def _setup_tiles(self, space: spaces.Box) -> None:
        size = space.shape[0]
        low, high = np.asarray(space.low, dtype=float), np.asarray(space.high, dtype=float)  # (d,) each
        if self.tile_bounds is not None:
            low, high = (np.full(size, bound, dtype=float) for bound in self.tile_bounds)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise ValueError(
                f"features='tiles' is not allowed for {space}, whose bounds are not finite: "
                "give tile_bounds=(low, high) or choose features='linear'"
            )
        self._tile_low, self._tile_high = low, high
        self._tile_scale = self.bins / np.where(high > low, high - low, 1.0)
        self._tile_shifts = np.arange(self.tilings) / self.tilings
        self._tile_starts = 1 + (self.bins + 1) * np.arange(size * self.tilings)

    def _features(self, observations: Any) -> Array:
        """Return the features (B, F) of observations (B, d); the first one is the constant 1."""
        observations = np.asarray(observations, dtype=np.float64)
        bias = np.ones((len(observations), 1))
        if self.features == "linear":
            return np.concatenate((bias, observations), axis=1)
        if self.features == "squares":
            return np.concatenate((bias, observations, np.square(observations)), axis=1)
        positions = (np.clip(observations, self._tile_low, self._tile_high) - self._tile_low) * self._tile_scale
        tiles = np.floor(positions[:, :, None] + self._tile_shifts).astype(np.int64)  # (B, d, tilings) in [0, bins]
        features = np.zeros((len(observations), 1 + len(self._tile_starts) * (self.bins + 1)))
        features[:, 0] = 1.0
        np.put_along_axis(features, tiles.reshape(len(tiles), -1) + self._tile_starts, 1.0, axis=1)
        return features

    def action_values(self, observations: Any) -> Array:
        """Return the values (B, A) that predictions for observations (B, d) go by; masks do not enter."""
        return self._features(observations) @ (self.mean_weights if self._mean_count else self.weights).T

    def _choose(self, observations: NDArray[Any], masks: NDArray[np.bool_], deterministic: bool) -> NDArray[np.int64]:
        epsilon = 0.0 if deterministic else self.exploration_rate
        return _epsilon_greedy(self.action_values(observations), masks, epsilon, self._prediction_generator)

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int | None = 100,
        tb_log_name: str = "SARSA",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Take `total_timesteps` steps, over all rows, and learn from each; `log_interval` counts episodes."""
        env = self._training_env()
        fresh = reset_num_timesteps or self._last_obs is None
        total_timesteps, callback = self._setup_learn(
            total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar
        )
        if reset_num_timesteps:
            self.exploration_rate = self.exploration_initial_eps
        if fresh or self._rows is None:
            self._rows = self._first_rows(env)
        self._mean_count = 0
        half = (self.num_timesteps + total_timesteps) / 2
        callback.on_training_start(locals(), globals())
        keep_going = True
        while keep_going and self.num_timesteps < total_timesteps:
            callback.on_rollout_start()
            new_obs, rewards, dones, infos = env.step(self._rows.actions)
            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            keep_going = callback.on_step()
            self._update_current_progress_remaining(self.num_timesteps, total_timesteps)
            self.exploration_rate = self.exploration_schedule(self._current_progress_remaining)
            self._learn_step(env, new_obs, rewards, dones, infos)
            if self.average and self.num_timesteps > half:
                self._mean_count += 1
                self.mean_weights += (self.weights - self.mean_weights) / self._mean_count
            self._last_obs = np.asarray(new_obs)
            callback.on_rollout_end()
            if dones.any():
                self._log_episodes(infos, dones, log_interval)
        callback.on_training_end()
        return self

    def _log_episodes(self, infos: list[dict[str, Any]], dones: NDArray[np.bool_], log_interval: int | None) -> None:
        self._update_info_buffer(infos, dones)
        before = self._episode_num
        self._episode_num += int(dones.sum())
        if log_interval is not None and before // log_interval != self._episode_num // log_interval:
            self.logger.record("rollout/exploration_rate", self.exploration_rate)
            self.logger.record("train/learning_rate", self.lr_schedule(self._current_progress_remaining))
            self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
            self.dump_logs()

    def _first_rows(self, env: VecEnv) -> _Rows:
        features = self._features(self._last_obs)
        masks = self._current_masks(env)
        action_values = features @ self.weights.T  # (B, A)
        actions = _epsilon_greedy(action_values, masks, self.exploration_rate, self._generator)
        values = np.take_along_axis(action_values, actions[:, None], axis=1)[:, 0]
        return _Rows(features, masks, actions, values, np.zeros((env.num_envs, *self.weights.shape)))

    def _learn_step(
        self, env: VecEnv, new_obs: Any, rewards: Any, dones: NDArray[np.bool_], infos: list[dict[str, Any]]
    ) -> None:
        """Choose the next actions, then update the weights with what the last ones led to (the order of SARSA)."""
        rows = self._rows
        assert rows is not None
        features = self._features(new_obs)
        masks = self._current_masks(env)
        action_values = features @ self.weights.T  # (B, A)
        actions = _epsilon_greedy(action_values, masks, self.exploration_rate, self._generator)
        values = np.take_along_axis(action_values, actions[:, None], axis=1)[:, 0]  # (B,)
        next_values = np.where(dones, 0.0, values)
        truncated = [row for row in np.flatnonzero(dones) if infos[row].get("TimeLimit.truncated", False)]
        if truncated:
            last = np.stack([infos[row]["terminal_observation"] for row in truncated])
            next_values[truncated] = self._expected_values(last, rows.masks[truncated])
        self._update(rows, np.asarray(rewards, dtype=np.float64) + self.gamma * next_values)
        rows.traces[dones] = 0.0
        self._rows = _Rows(features, masks, actions, values, rows.traces)

    def _expected_values(self, observations: NDArray[Any], masks: NDArray[np.bool_]) -> Array:
        """Return the values (B,) of the observations under the epsilon-greedy policy."""
        values = self._features(observations) @ self.weights.T
        mean = np.where(masks, values, 0.0).sum(axis=1) / masks.sum(axis=1)
        best = np.where(masks, values, -np.inf).max(axis=1)
        return self.exploration_rate * mean + (1.0 - self.exploration_rate) * best

    def _update(self, rows: _Rows, targets: Array) -> None:
        """Move the weights towards the targets (B,) of the rows' actions, along their traces."""
        features, traces, index = rows.features, rows.traces, np.arange(len(targets))
        rate = self.lr_schedule(self._current_progress_remaining)
        step_sizes = rate / np.square(features).sum(axis=1)  # (B,), finite as the bias is 1
        traces *= self.gamma * self.lambda_
        overlaps = (traces[index, rows.actions] * features).sum(axis=1)  # (B,)
        traces[index, rows.actions] += (step_sizes * (1.0 - overlaps))[:, None] * features
        values = (self.weights[rows.actions] * features).sum(axis=1)
        # What the value changed by since the action was chosen; its correction is what makes the method true-online.
        drift = values - rows.values
        flat = traces.reshape(len(targets), -1)  # (B, A * F)
        shares = _shares(flat)
        self.weights += ((shares * (targets - rows.values)) @ flat).reshape(self.weights.shape)
        taken = rows.actions == np.arange(self.n_actions)[:, None]  # (A, B)
        self.weights -= (taken * (shares * step_sizes * drift)) @ features
        self._n_updates += 1

    def _counters(self) -> dict[str, Any]:
        return super()._counters() | {"exploration_rate": self.exploration_rate, "_mean_count": self._mean_count}

    def get_parameters(self) -> Parameters:
        """Return copies of the weights and of their mean, (A, F) each."""
        return {"values": {"weights": self.weights.copy(), "mean_weights": self.mean_weights.copy()}}

    def _write_parameters(self, parameters: Parameters) -> None:
        self.weights = np.array(parameters["values"]["weights"], dtype=np.float64)
        self.mean_weights = np.array(parameters["values"]["mean_weights"], dtype=np.float64)
        self._rows = None  # its values and traces belong to the weights of before


def _epsilon_greedy(
    values: Array, masks: NDArray[np.bool_], epsilon: float, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return per row the best allowed action or, with probability epsilon, any allowed one; all shapes (B, A)."""
    greedy = np.where(masks, values, -np.inf).argmax(axis=1)
    if epsilon == 0.0:
        return greedy
    uniform = np.where(masks, generator.random(masks.shape), -1.0).argmax(axis=1)
    return np.where(generator.random(len(masks)) < epsilon, uniform, greedy)


def _shares(traces: Array) -> Array:
    """Return 1 / sum_c |cos(trace b, trace c)| for rows b of traces (B, N); 1 if none is alike, 1 / B if all are."""
    if len(traces) == 1:
        return np.ones(1)
    norms = np.maximum(np.sqrt(np.square(traces).sum(axis=1)), 1e-100)  # a rate of 0 leaves traces of 0
    cosines = np.abs(traces @ traces.T) / np.outer(norms, norms)  # (B, B)
    return 1.0 / np.maximum(cosines.sum(axis=1), 1.0)


AGENT = SARSA
