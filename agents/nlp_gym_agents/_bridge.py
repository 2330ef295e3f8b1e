"""A bridge: any same-step Gymnasium `VectorEnv` as a Stable-Baselines3 `VecEnv`, an id's vector face among them."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from nlp_gym_envs.lazy import Lazy

PER_ROW = ("action_masks", "oracle_actions", "render")  # methods that answer for all rows at once, an entry for each


def make_vec_env(
    env_id: str, n_envs: int = 16, seed: int | None = None, env_kwargs: Mapping[str, Any] | None = None
) -> "SB3VecEnv":
    """The vector face of an id as an SB3 `VecEnv`: one batched environment, not `n_envs` of them.

    `seed` s makes row i repeat the single face seeded s + i. `env_kwargs` go to the environment. Episode statistics are
    in the infos of finished episodes (`info["episode"]`), as SB3's `Monitor` puts them there.
    """
    import nlp_gym_envs  # noqa: F401  registers the ids

    options = dict(env_kwargs or {})
    made = gym.make_vec(
        env_id, num_envs=n_envs, vectorization_mode="vector_entry_point", autoreset_mode="SameStep", **options
    )
    env = SB3VecEnv(made)
    if seed is not None:
        env.seed(seed)
    return env


class SB3VecEnv(VecEnv):
    """Translates `done`, the list of infos, `terminal_observation`, `TimeLimit.truncated`, seeds, masks and methods.

    Only SAME_STEP auto-reset fits SB3, which expects the observation after a done to be the next episode's first.
    """

    def __init__(self, venv: VectorEnv) -> None:
        mode = getattr(venv.unwrapped, "autoreset_mode", None) or venv.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(
                f"SB3 needs same-step auto-reset, this environment has {mode}; make it with autoreset_mode='SameStep' "
                "(Gymnasium's own vectorisers: vector_kwargs={'autoreset_mode': AutoresetMode.SAME_STEP})."
            )
        self.venv = venv
        self.spec = venv.spec
        self._actions: np.ndarray | None = None
        self._begun = np.full(venv.num_envs, None, object)  # (n,) the vector info in which each row's episode began
        self._started = time.time()
        super().__init__(venv.num_envs, venv.single_observation_space, venv.single_action_space)
        self._returns, self._lengths = np.zeros(self.num_envs), np.zeros(self.num_envs, np.int64)

    # ---------------------------------------------------------------- reset and step

    def reset(self) -> Any:
        """The first observations; the seed given to `seed` takes effect here, once."""
        options = self._options[0] if any(self._options) else None
        if any(other != self._options[0] for other in self._options):
            raise ValueError(
                "the rows of a batched environment cannot have reset options of their own; give all the same."
            )
        observations, infos = self.venv.reset(seed=self._seeds[0], options=options)
        self._begun[:] = infos
        self._returns[:], self._lengths[:] = 0, 0
        self._reset_seeds()
        self._reset_options()
        return self._as_sb3(observations)

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions; `step_wait` takes them."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Observations, rewards (n,) float32, dones (n,) bool, infos."""
        observations, rewards, terminated, truncated, vector_infos = self.venv.step(self._actions)
        done = terminated | truncated
        self._returns += rewards
        self._lengths += 1
        if not done.any():
            infos: list[Any] = [_row_info(GOING, vector_infos, row) for row in range(self.num_envs)]
        else:
            infos = [None if ended else _row_info(GOING, vector_infos, row) for row, ended in enumerate(done.tolist())]
            self._begun[done] = vector_infos
            self._finish(infos, np.flatnonzero(done), vector_infos["final_obs"], vector_infos.get("final_info", {}))
            if truncated.any():
                for row in np.flatnonzero(truncated & ~terminated):
                    infos[row]["TimeLimit.truncated"] = True
        return self._as_sb3(observations), rewards.astype(np.float32), done, infos

    def _finish(self, infos: list[Any], ended: np.ndarray, last: Any, last_infos: Mapping[str, Any]) -> None:
        """What SB3 wants to know of finished episodes."""
        elapsed = round(time.time() - self._started, 6)
        for row, paid, length in zip(
            ended.tolist(), self._returns[ended].tolist(), self._lengths[ended].tolist(), strict=True
        ):
            episode = {"r": paid, "l": length, "t": elapsed}
            there = {"TimeLimit.truncated": False, "terminal_observation": last[row], "episode": episode}
            infos[row] = _row_info(there, last_infos, row)
        if (success := last_infos.get("is_success")) is not None:
            for row, perfect in zip(ended.tolist(), success[ended].tolist(), strict=True):
                infos[row]["is_success"] = perfect
        self._returns[ended], self._lengths[ended] = 0, 0

    @property
    def reset_infos(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The info of each row's latest reset; made when somebody looks."""
        return [{} if infos is None else _deal(infos, row) for row, infos in enumerate(self._begun)]

    @reset_infos.setter
    def reset_infos(self, infos: Any) -> None:
        """SB3's constructor sets it; there is nothing to keep."""

    def _as_sb3(self, observations: Any) -> Any:
        if isinstance(self.observation_space, spaces.Dict):
            return {name: np.asarray(part) for name, part in observations.items()}
        return np.asarray(observations)

    def close(self) -> None:
        """Close the environment."""
        self.venv.close()

    # ---------------------------------------------------------------- attributes and methods

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute, for each of the rows asked for."""
        rows = list(self._get_indices(indices))
        found, value = _find(self.venv, attr_name)
        if found:
            return [value for _ in rows]
        if hasattr(self.venv.unwrapped, "envs"):  # Gymnasium's SyncVectorEnv: a list of environments
            values = self.venv.unwrapped.get_attr(attr_name)  # type: ignore[attr-defined]
            return [values[row] for row in rows]
        raise AttributeError(f"{self.venv} has no attribute {attr_name!r}")

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute; the rows of a batched environment share it, so that it cannot be set for some alone."""
        if indices is not None and len(list(self._get_indices(indices))) < self.num_envs:
            raise ValueError(f"{attr_name} is shared by all rows of a batched environment; set it without indices.")
        if hasattr(self.venv.unwrapped, "envs"):
            self.venv.unwrapped.set_attr(attr_name, value)  # type: ignore[attr-defined]
        else:
            setattr(self.venv.unwrapped, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Call a method; the result is a list with an entry for each of the rows asked for."""
        rows = list(self._get_indices(indices))
        found, method = _find(self.venv, method_name)
        if found:
            result = method(*args, **kwargs)
            if method_name in PER_ROW and result is not None:
                return [result[row] for row in rows]
            return [result for _ in rows]
        if hasattr(self.venv.unwrapped, "envs"):
            results = self.venv.unwrapped.call(method_name, *args, **kwargs)  # type: ignore[attr-defined]
            return [results[row] for row in rows]
        raise AttributeError(f"{self.venv} has no method {method_name!r}")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Whether each row has a wrapper; to SB3 this bridge is a Monitor, whose statistics it keeps."""
        monitored = wrapper_class in (Monitor, VecMonitor)
        return [monitored for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Each row's picture."""
        frames = self.venv.render() if self.venv.render_mode == "rgb_array" else None
        return list(frames) if frames is not None else [None] * self.num_envs  # type: ignore[arg-type]


def _find(env: Any, name: str) -> tuple[bool, Any]:
    """An attribute of a vector environment or of one that it wraps (its wrappers do not pass them on)."""
    while True:
        if name in vars(env) or hasattr(type(env), name):
            return True, getattr(env, name)
        if not hasattr(env, "env"):
            return False, None
        env = env.env


EAGER = frozenset(
    ("TimeLimit.truncated", "terminal_observation", "episode", "is_success")
)  # what SB3 reads in every step


GOING = {"TimeLimit.truncated": False}


class RowInfo(Lazy):
    """One row's info: what SB3 reads in every step is there from the start, the rest when somebody looks."""

    __slots__ = ("row", "source")
    source: Mapping[str, Any] | None
    row: int

    def rest(self) -> Mapping[str, Any] | None:
        """The row of the vector info, once; None afterwards."""
        source, self.source = self.source, None
        return None if source is None else _deal(source, self.row)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, or the default."""
        return dict.get(self, name, default) if name in EAGER else super().get(name, default)

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) if name in EAGER else super().__contains__(name)


def _row_info(there: dict[str, Any], source: Mapping[str, Any], row: int) -> RowInfo:
    """An info with what is there at once, and the rest in one row of a vector info."""
    info = RowInfo(there)
    info.source, info.row = source, row
    return info


FINAL = ("final_obs", "final_info")  # of other episodes than the one that goes on; SB3 has them elsewhere


def _deal(infos: Mapping[str, Any], row: int) -> dict[str, Any]:
    """One row of a vector info, in which `_name` says in which rows `name` is set."""
    dealt: dict[str, Any] = {}
    for name, values in infos.items():
        if name in FINAL or (name[0] == "_" and name[1:] in infos):
            continue
        mask = infos.get(f"_{name}")
        if mask is None or mask[row]:
            value = _deal(values, row) if isinstance(values, Mapping) else values[row]
            dealt[name] = value.item() if isinstance(value, np.generic) else value
    return dealt
