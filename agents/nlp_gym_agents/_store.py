"""Agents as Stable-Baselines3 algorithms that are saved without pickle.

A saved agent is one `.zip` file with two members: `data.json` (kind of agent, hyperparameters, counters, states of
the random generators) and `arrays.npz` (bounds of the observations, weights, optimiser moments), which is read with
`allow_pickle=False`: a file from a stranger can hold wrong numbers, but cannot run code.
"""

import inspect
import io
import json
import os
import pathlib
import sys
import time
import warnings
import zipfile
import zlib
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3.common.base_class import BaseAlgorithm, maybe_make_env
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, Schedule
from stable_baselines3.common.utils import LinearSchedule as Linear
from stable_baselines3.common.utils import check_for_correct_spaces, is_vectorized_observation, safe_mean
from stable_baselines3.common.vec_env import VecEnv

FORMAT = "nlp_gym_agents/1"
StorePath = str | pathlib.Path | io.BufferedIOBase
Parameters = dict[str, dict[str, NDArray[Any]]]
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, TypeError, ValueError, AttributeError, RuntimeError)


def write_store(path: StorePath, data: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Write `data` and `arrays` into one zip file; under `path` stands the old file or the whole new one.

    `.zip` is added to a path that does not end in it, and missing folders are made.
    """
    text = json.dumps(data, indent=1, allow_nan=False, default=lambda value: value.item())
    packed, whole = io.BytesIO(), io.BytesIO()
    np.savez(packed, **arrays)  # pyright: ignore[reportArgumentType]
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", text)
        archive.writestr("arrays.npz", packed.getvalue())
    if isinstance(path, io.BufferedIOBase):
        path.write(whole.getvalue())
        return
    target = pathlib.Path(path)
    target = target if target.suffix == ".zip" else target.with_name(f"{target.name}.zip")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(whole.getvalue())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def read_store(path: StorePath, agent: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what `write_store` wrote for an agent of the class named `agent`; anything else is a ValueError."""
    source = path if isinstance(path, io.BufferedIOBase) else pathlib.Path(path)
    if isinstance(source, pathlib.Path) and not source.is_file():
        source = source.with_name(f"{source.name.removesuffix('.zip')}.zip")
        if not source.is_file():
            raise FileNotFoundError(f"{source} is not a file: expected an agent written by {agent}.save()")
    try:
        with zipfile.ZipFile(source) as archive:
            data = json.loads(archive.read("data.json"))
            found = data["agent"] if data["format"] == FORMAT else None
            with np.load(io.BytesIO(archive.read("arrays.npz")), allow_pickle=False) as packed:
                arrays = {name: packed[name] for name in packed.files}
    except _BROKEN as error:
        raise _not_an_agent(path, agent, error) from error
    if found != agent:
        raise ValueError(f"{path} holds an agent of kind {found!r}, expected {agent!r} in format {FORMAT!r}")
    return data, arrays


def _not_an_agent(path: StorePath, agent: str, error: Exception) -> ValueError:
    expected = f"a zip file with data.json and arrays.npz, written by {agent}.save()"
    return ValueError(f"{path} cannot be read: expected {expected} ({type(error).__name__}: {error})")


def check_number(name: str, value: float, low: float, high: float = float("inf"), *, above: bool = False) -> None:
    """Raise a ValueError unless `low <= value <= high` (`low < value` with `above`)."""
    if not (low <= value <= high) or (above and value == low):
        bracket = "(" if above else "["
        raise ValueError(f"{name}={value!r} is not allowed: it must lie in {bracket}{low}, {high}]")


def learning_rate_setting(value: float | str | Schedule) -> float | Schedule:
    """Turn `"lin_0.1"` (linear from 0.1 to 0, the spelling of RL Zoo) into a schedule; the rest passes through."""
    if isinstance(value, str):
        try:
            value = Linear(float(value.removeprefix("lin_")), 0.0, 1.0) if value[:4] == "lin_" else float(value)
        except ValueError:
            raise ValueError(f"learning_rate={value!r} is not allowed: use a number, 'lin_0.1' or a function") from None
    if isinstance(value, int | float):
        check_number("learning_rate", value, 0.0, above=True)
        return float(value)
    return value


class StoredAgent(BaseAlgorithm):
    """An algorithm of Stable-Baselines3 with masks, own random generators and files without pickle.

    Observations are vectors, `Box(shape=(d,))`; actions are `Discrete(A)` counted from 0. No global random
    generator is seeded or read. Subclasses keep every keyword of their constructor in an attribute of its name, since
    these are what `save` stores.
    """

    policy_name: ClassVar[str]

    def __init__(
        self,
        policy: str,
        env: GymEnv | str | None,
        learning_rate: float | str | Schedule,
        gamma: float,
        seed: int | None,
        verbose: int,
        tensorboard_log: str | None,
        device: torch.device | str,
        stats_window_size: int,
    ) -> None:
        if policy != self.policy_name:
            raise ValueError(f"policy={policy!r} is not allowed: {type(self).__name__} takes {self.policy_name!r}")
        check_number("gamma", gamma, 0.0, 1.0)
        self.gamma, self.stats_window_size = gamma, stats_window_size
        rate = learning_rate_setting(learning_rate)
        super().__init__(
            BasePolicy, env, rate, None, stats_window_size, tensorboard_log, verbose, device, True, True, seed
        )
        if self.env is not None:
            self._check_spaces(self.env)

    @abstractmethod
    def _choose(self, observations: NDArray[Any], masks: NDArray[np.bool_], deterministic: bool) -> NDArray[np.int64]:
        """Return one allowed action per row for observations (B, d) and masks (B, A)."""

    @abstractmethod
    def _write_parameters(self, parameters: Parameters) -> None:
        """Copy arrays, whose names and shapes are known to be right, into the model."""

    @abstractmethod
    def get_parameters(self) -> Parameters:
        """Return copies of all learned arrays as `{group: {name: array}}`."""

    def _counters(self) -> dict[str, Any]:
        """Return further attributes, by name, that `save` stores and `load` sets."""
        names = ("num_timesteps", "_total_timesteps", "_n_updates", "_episode_num", "_current_progress_remaining")
        return {name: getattr(self, name) for name in names}

    def _check_spaces(self, env: VecEnv) -> None:
        observations, actions, name = env.observation_space, env.action_space, type(self).__name__
        if not isinstance(observations, spaces.Box) or len(observations.shape) != 1:
            raise ValueError(
                f"observation space {observations} is not allowed: {name} takes a Box of one dimension; "
                "wrap the env in gymnasium.wrappers.FlattenObservation"
            )
        if not isinstance(actions, spaces.Discrete) or actions.start != 0:
            raise ValueError(
                f"action space {actions} is not allowed: {name} takes Discrete(n) that counts from 0; "
                "wrap the env in gymnasium.wrappers.TransformAction"
            )

    @property
    def n_actions(self) -> int:
        """Number of actions A, allowed or not."""
        assert isinstance(self.action_space, spaces.Discrete)
        return int(self.action_space.n)

    def set_random_seed(self, seed: int | None = None) -> None:
        """Start own generators from `seed` (None: from the system) and hand the seed to the env, as SB3 does."""
        training, prediction, initial = np.random.SeedSequence(seed).spawn(3)
        self._generator = np.random.default_rng(training)
        # Predictions draw from their own generator, so that an evaluation leaves the training as it was.
        self._prediction_generator = np.random.default_rng(prediction)
        self._initial_seed = int(initial.generate_state(1)[0])
        if seed is not None:
            self.action_space.seed(seed)
            if self.env is not None:
                self.env.seed(seed)

    def set_env(self, env: GymEnv | str, force_reset: bool = True) -> None:
        """Use `env` from now on; its spaces must be those the agent has, its number of rows is free."""
        wrapped = self._wrap_env(maybe_make_env(env, self.verbose), self.verbose)
        check_for_correct_spaces(wrapped, self.observation_space, self.action_space)
        force_reset = force_reset or wrapped.num_envs != self.n_envs
        self.n_envs = wrapped.num_envs
        super().set_env(wrapped, force_reset)

    def _training_env(self) -> VecEnv:
        if self.env is None:
            raise ValueError(f"env=None is not allowed for learning: give one to {type(self).__name__}")
        self._masked = is_masking_supported(self.env)
        return self.env

    def _current_masks(self, env: VecEnv) -> NDArray[np.bool_]:
        """Return the allowed actions (B, A) in the states the env stands in; without a mask all are allowed."""
        if not self._masked:
            return np.ones((env.num_envs, self.n_actions), dtype=bool)
        return self._checked_masks(get_action_masks(env), env.num_envs)

    def _checked_masks(self, masks: Any, rows: int) -> NDArray[np.bool_]:
        masks = np.asarray(masks, dtype=bool)
        if masks.shape not in ((rows, self.n_actions), (self.n_actions,)):
            raise ValueError(f"action_masks have shape {masks.shape}, expected ({rows}, {self.n_actions})")
        masks = np.broadcast_to(masks, (rows, self.n_actions))
        if not masks.any(axis=1).all():
            raise ValueError(f"action_masks allow no action at all in row {int(np.argmin(masks.any(axis=1)))}")
        return masks

    def predict(
        self,
        observation: Any,
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
        action_masks: Any = None,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """Return the action for one observation (d,) or actions (B,) for a batch (B, d), and `state` unchanged.

        `action_masks`, of shape (A,) or (B, A), names the allowed actions and is always obeyed.
        """
        observation = np.asarray(observation)
        batched = is_vectorized_observation(observation, self.observation_space)
        observations = observation if batched else observation[None]
        masks = np.ones(self.n_actions) if action_masks is None else action_masks
        masks = self._checked_masks(masks, len(observations))
        actions = self._choose(observations, masks, deterministic)
        return (actions if batched else actions.squeeze(axis=0)), state

    def dump_logs(self) -> None:
        """Write the mean return and length of the last episodes, the speed and what was recorded since."""
        seconds = max((time.time_ns() - self.start_time) / 1e9, sys.float_info.epsilon)
        if self.ep_info_buffer:
            self.logger.record("rollout/ep_rew_mean", safe_mean([episode["r"] for episode in self.ep_info_buffer]))
            self.logger.record("rollout/ep_len_mean", safe_mean([episode["l"] for episode in self.ep_info_buffer]))
        if self.ep_success_buffer:
            self.logger.record("rollout/success_rate", safe_mean(self.ep_success_buffer))
        self.logger.record("time/fps", int((self.num_timesteps - self._num_timesteps_at_start) / seconds))
        self.logger.record("time/total_timesteps", self.num_timesteps, exclude="tensorboard")
        self.logger.dump(step=self.num_timesteps)

    def set_parameters(
        self, load_path_or_dict: Any, exact_match: bool = True, device: torch.device | str = "auto"
    ) -> None:
        """Take over arrays from a saved file or from what `get_parameters` returned; `device` is not needed.

        With `exact_match=False` some may be missing; unknown names and other shapes are always a ValueError.
        """
        given = load_path_or_dict
        if not isinstance(given, dict):
            given = _grouped(read_store(given, type(self).__name__)[1])
        known, new = _flat(self.get_parameters()), _flat(given)
        missing, unknown = sorted(known.keys() - new.keys()), sorted(new.keys() - known.keys())
        if unknown or (missing and exact_match):
            raise ValueError(f"parameters do not fit the agent: missing {missing}, unknown {unknown}")
        for name, array in new.items():
            if np.shape(array) != known[name].shape:
                raise ValueError(f"parameter {name} has shape {np.shape(array)}, expected {known[name].shape}")
        self._write_parameters(_grouped({**known, **new}))

    def _hyperparameters(self) -> dict[str, Any]:
        """Return the keywords of the constructor; a function as learning rate has no text and becomes None."""
        names = inspect.signature(type(self).__init__).parameters.keys()
        values = {name: getattr(self, name) for name in names if name not in _NOT_STORED}
        rate = values["learning_rate"]
        if isinstance(rate, Linear) and (rate.end, rate.end_fraction) == (0.0, 1.0):
            rate = f"lin_{float(rate.start)}"
        values["learning_rate"] = rate if isinstance(rate, float | str) else None
        return values

    def save(self, path: StorePath, exclude: Iterable[str] | None = None, include: Iterable[str] | None = None) -> None:
        """Write the agent to `path` (`.zip` is added); `exclude` and `include` of SB3 have no effect."""
        assert isinstance(self.observation_space, spaces.Box)
        generators = [self._generator.bit_generator.state, self._prediction_generator.bit_generator.state]
        data = {"format": FORMAT, "agent": type(self).__name__, "n_actions": self.n_actions}
        data |= {"hyperparameters": self._hyperparameters(), "counters": self._counters(), "generators": generators}
        bounds = {"space/low": self.observation_space.low, "space/high": self.observation_space.high}
        write_store(path, data, _flat(self.get_parameters()) | bounds)

    @classmethod
    def load(
        cls,
        path: StorePath,
        env: GymEnv | str | None = None,
        device: torch.device | str = "auto",
        custom_objects: dict[str, Any] | None = None,
        print_system_info: bool = False,
        force_reset: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Read an agent that `save` wrote; `kwargs` replace stored keywords of the constructor.

        `device="auto"` is the CPU, the faster one for models this small. `custom_objects`, `print_system_info`
        and `force_reset` are there for callers that know SB3; nothing is unpickled and the env always starts anew.
        """
        data, arrays = read_store(path, cls.__name__)
        try:
            stored = dict(data["hyperparameters"])
            observations = spaces.Box(low := arrays.pop("space/low"), arrays.pop("space/high"), dtype=low.dtype.type)
            actions = spaces.Discrete(data["n_actions"])
        except (*_BROKEN, AssertionError) as error:
            raise _not_an_agent(path, cls.__name__, error) from error
        if stored.get("learning_rate", 0) is None:
            del stored["learning_rate"]
            if "learning_rate" not in kwargs:
                warnings.warn(f"{path}: its learning rate was a function; learning_rate=... sets it", stacklevel=2)
        model = cls(cls.policy_name, None, device="cpu" if device == "auto" else device, **(stored | kwargs))
        model.observation_space, model.action_space, model.n_envs = observations, actions, 1
        model._setup_model()
        try:
            model.set_parameters(_grouped(arrays))
            for name in model._counters():
                setattr(model, name, data["counters"][name])
            if "seed" not in kwargs:
                training, prediction = data["generators"]
                model._generator.bit_generator.state = training
                model._prediction_generator.bit_generator.state = prediction
        except (*_BROKEN, AssertionError) as error:
            raise _not_an_agent(path, cls.__name__, error) from error
        if env is not None:
            model.set_env(env)
            if model.env is not None and model.seed is not None:
                model.env.seed(model.seed)
        return model


_NOT_STORED = ("self", "policy", "env", "device", "tensorboard_log")


def _flat(parameters: Parameters) -> dict[str, NDArray[Any]]:
    return {f"{group}/{name}": array for group, arrays in parameters.items() for name, array in arrays.items()}


def _grouped(arrays: dict[str, NDArray[Any]]) -> Parameters:
    groups: Parameters = {}
    for key, array in arrays.items():
        group, _, name = key.partition("/")
        if group != "space":
            groups.setdefault(group, {})[name] = array
    return groups
