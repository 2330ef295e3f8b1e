"""What the baselines share: policies that are not trained by reward, with the interface of the agents that are."""

from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from nlp_gym_envs.actions import mask_width
from nlp_gym_envs.errors import BadArgument

from ._store import read_store, write_store


class Baseline:
    """A policy beside which learned ones are judged; `learn` fits what there is to fit, on the training data only.

    Subclasses write `_choose` and, where there is something to fit, `_fit` and `_fitted`, the names of the arrays.
    """

    policy_name: ClassVar[str] = "none"
    dynamics: ClassVar[tuple[str, ...]] = ()  # the kinds of environment it is for; empty: all
    _fitted: ClassVar[tuple[str, ...]] = ()

    def __init__(self, policy: str, env: Any, *, seed: int | None = None, verbose: int = 0) -> None:
        self.seed, self.verbose, self.num_timesteps = seed, verbose, 0
        self._generator = np.random.default_rng(seed)
        self.env: Any = None
        if env is not None:
            self.set_env(env)

    def set_env(self, env: Any) -> None:
        """Act in `env` from now on; an SB3 `VecEnv`, or a face of this suite."""
        kind = _ask(env, "episodes").dynamics.name
        if self.dynamics and kind not in self.dynamics:
            raise BadArgument(
                f"{type(self).__name__} is for {' and '.join(self.dynamics)} environments, "
                f"this one's actions are {kind!r}."
            )
        self.env = env

    @property
    def episodes(self) -> Any:
        """The game behind the environment: its task, data and tables."""
        if self.env is None:
            raise BadArgument(f"{type(self).__name__} has no environment; give it one with set_env.")
        return _ask(self.env, "episodes")

    def learn(self, total_timesteps: int = 0, callback: Any = None, **ignored: Any) -> "Baseline":
        """Fit what there is to fit; no step is taken in the environment."""
        self._fit()
        return self

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
        action_masks: np.ndarray | None = None,
    ) -> tuple[np.ndarray, Any]:
        """Actions (B, ...) for observations (B, ...), or one for one; `state` unchanged."""
        space = self.episodes.observation_space
        first = next(iter(observation.values())) if isinstance(observation, dict) else observation
        shape = next(iter(space.values())).shape if isinstance(space, spaces.Dict) else space.shape
        single = np.ndim(first) == len(shape or ())
        if single:
            observation = (
                {k: v[None] for k, v in observation.items()} if isinstance(observation, dict) else observation[None]
            )
        rows = 1 if single else len(first)
        masks = np.ones((rows, self.actions), bool) if action_masks is None else np.asarray(action_masks, bool)
        actions = self._choose(observation, masks.reshape(rows, self.actions))
        return (actions[0] if single else actions), state

    @property
    def actions(self) -> int:
        """How many entries a mask has: of `Discrete`, how many actions there are."""
        return mask_width(self.episodes.dynamics.action_space)

    def part(self, observation: Any, name: str) -> np.ndarray:
        """A named part of observations, (B, size), in whichever form they come."""
        if isinstance(observation, dict):
            return observation[name]
        if self.episodes.form != "vector":
            raise BadArgument(
                f"{type(self).__name__} reads the parts of an observation; make it observation='vector' or 'dict'."
            )
        start = 0
        for part, box in self.episodes.dynamics.parts.items():
            if part == name:
                return observation[:, start : start + box.shape[0]]
            start += box.shape[0]
        raise BadArgument(f"the observation has no part {name!r}; it has: {', '.join(self.episodes.dynamics.parts)}.")

    def save(self, path: Any) -> None:
        """Write what was fitted, without pickle."""
        write_store(
            path, {"format": "nlp_gym_agents/1", "agent": type(self).__name__, "seed": self.seed}, self._arrays()
        )

    def set_parameters(self, path: Any, exact_match: bool = True, device: str = "auto") -> None:
        """Take over what `save` wrote."""
        for name, values in read_store(path, type(self).__name__)[1].items():
            setattr(self, name, values)

    @classmethod
    def load(cls, path: Any, env: Any = None, **options: Any) -> "Baseline":
        """What `save` wrote, to act in `env`."""
        agent = cls(cls.policy_name, env, **options)
        agent.set_parameters(path)
        return agent

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: np.asarray(getattr(self, name)) for name in self._fitted}

    def _fit(self) -> None:
        """Nothing to fit unless a subclass says so."""

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        """Actions (B, ...) for observations and masks (B, A)."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does")


def _ask(env: Any, name: str) -> Any:
    """An attribute of an environment, through whichever face or bridge."""
    return (
        env.get_attr(name)[0] if hasattr(env, "get_attr") and not hasattr(env, name) else getattr(env.unwrapped, name)
    )
