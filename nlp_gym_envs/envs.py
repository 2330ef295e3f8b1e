"""The two Gymnasium faces of the same episodes: one at a time, and many with auto-reset, which exists only here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from . import actions as kinds
from . import pictures
from .episodes import Columns, Episodes, assemble
from .errors import BadArgument, NlpGymError
from .lazy import Lazy, Made

RENDER_MODES = ["ansi", "human", "rgb_array"]
RENDER_FPS = 2
NO_ROWS = np.empty(0, np.int64)
WORD = 2**64  # seeds wrap around here, as unsigned integers do


class _Face:
    """What both faces tell of their episodes."""

    episodes: Episodes
    render_mode: str | None

    def _prepare(self, num_rows: int, render_mode: str | None, task: Any, dynamics: Any, **options: Any) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise BadArgument(f"render_mode must be one of {', '.join(RENDER_MODES)} or None, got {render_mode!r}.")
        self.render_mode = render_mode
        self.episodes = assemble(num_rows, task, dynamics, **options)
        self._paid = np.zeros(num_rows)  # (B,) the return so far, for people who watch
        self._last = kinds.none_yet(self.episodes.dynamics.action_space, num_rows)  # (B, ...) the last action

    @property
    def task(self) -> Any:
        """The task with its data: `examples`, `answer`, `metrics`, `split`."""
        return self.episodes.dynamics.task

    @property
    def model(self) -> Any:
        """The transformers model in the environment, shared by all rows. AttributeError where there is none."""
        return self.episodes.dynamics.model.model  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer. AttributeError where there is none."""
        return self.episodes.dynamics.model.tokenizer  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def action_meanings(self) -> tuple[Any, ...]:
        """What each action means; of `MultiDiscrete` a tuple for each coordinate, of `Box` each coordinate's name."""
        return self.episodes.dynamics.action_meanings

    @property
    def reward_range(self) -> tuple[float, float]:
        """Bounds of one step's reward."""
        return self.episodes.reward.range

    @property
    def horizon(self) -> int:
        """No episode has more steps than this."""
        return self.episodes.dynamics.horizon

    def export(self, row: int, path: Any) -> Any:
        """Save the model of row `row` as its actions have changed it; AttributeError where actions change none."""
        return self.episodes.dynamics.export(row, path)  # pyright: ignore[reportAttributeAccessIssue]

    def _draw(self, rows: np.ndarray) -> list[Any]:
        """What render shows of each of `rows`."""
        scenes = [pictures.scene(self.episodes, row, self._last[row], float(self._paid[row])) for row in rows]
        if self.render_mode == "human":
            for scene in scenes:
                pictures.show(scene)
            return []
        if self.render_mode == "ansi":
            return [pictures.text(scene) for scene in scenes]
        own = getattr(self.episodes.dynamics, "picture", None)  # of those whose episodes are no texts
        return [own(row) for row in rows] if own is not None else [pictures.picture(scene) for scene in scenes]


class NLPEnv(_Face, gym.Env):
    """One episode at a time. See an id's own page for its spaces and rewards: `nlp-gym show ID`."""

    metadata = {"render_modes": RENDER_MODES, "render_fps": RENDER_FPS}
    _row = np.zeros(1, np.int64)

    def __init__(self, task: Any, dynamics: Any, render_mode: str | None = None, **options: Any) -> None:
        self._prepare(1, render_mode, task, dynamics, **options)
        self.observation_space = self.episodes.observation_space
        self.action_space = self.episodes.dynamics.action_space
        self._seeded, self._over = False, True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start the next episode; a seed makes it and all later ones repeatable."""
        super().reset(seed=seed)
        if seed is not None or not self._seeded:
            self.episodes.streams.seed(self._row, _seeds(self.np_random_seed, self._row))
            self.episodes.restart()
            self._seeded = True
        self.episodes.begin(self._row)
        self._paid[0], self._over = 0.0, False
        self._last = kinds.none_yet(self.episodes.dynamics.action_space, 1)
        if self.render_mode == "human":
            self.render()
        return self._observation(), _only(self.episodes.info_at_start(self._row))

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action. Truncation is never the game's own; a `TimeLimit` may add it."""
        if self._over:
            raise NlpGymError(
                f"{'the episode has ended' if self._seeded else 'no episode has started'}; call reset() first."
            )
        given = np.asarray(action)
        lone = given.reshape(1) if given.size == 1 and not self.action_space.shape else given[None]
        actions = kinds.checked(lone, self.episodes.dynamics.action_space, 1)
        rewards, over, components = self.episodes.act(self._row, actions)
        info = self.episodes.info_of_step(self._row, components)
        self._over = bool(over[0])
        if self._over:
            info |= self.episodes.info_at_end(self._row)
        self._paid[0] += rewards[0]
        self._last[0] = actions[0]
        if self.render_mode == "human":
            self.render()
        return self._observation(), float(rewards[0]), self._over, False, _only(info)

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now, (A,) bool; of `MultiDiscrete` coordinate after coordinate, of `Box` all."""
        return self.episodes.dynamics.masks(self._row)[0]

    def oracle_action(self) -> Any:
        """What a policy that knows the target would do."""
        action = self.episodes.dynamics.oracle(self._row)[0]
        return action if np.ndim(action) else int(action)

    def render(self) -> Any:
        """The episode as text ("ansi"), as a picture (H, W, 3) ("rgb_array"), or on the terminal ("human")."""
        drawn = self._draw(self._row) if self.render_mode else []
        return drawn[0] if drawn else None

    def _observation(self) -> Any:
        seen = self.episodes.observe(self._row)
        return {name: part[0] for name, part in seen.items()} if isinstance(seen, dict) else seen[0]


class NLPVectorEnv(_Face, VectorEnv):
    """Many episodes at once: row i is the single face seeded `seed + i`, in every auto-reset mode.

    `autoreset_mode` is Gymnasium's own ("NextStep", the default; "SameStep"; "Disabled"). `max_episode_steps`
    truncates, as `TimeLimit` does on the single face, but never an episode that ends in that very step. Under
    "SameStep" `infos["final_obs"]` is one array of observations, where Gymnasium's own has an array of objects.
    With `order="sequential"` a full `reset` gives the examples out from the first, one to each row that starts,
    so that all rows together visit every example exactly once per `info["epoch"]`.
    """

    metadata = {"render_modes": RENDER_MODES, "render_fps": RENDER_FPS, "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int,
        task: Any,
        dynamics: Any,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        if num_envs < 1:
            raise BadArgument(f"num_envs must be at least 1, got {num_envs}.")
        if max_episode_steps == -1:  # no limit, as in gym.make
            max_episode_steps = None
        elif max_episode_steps is not None and max_episode_steps < 1:
            raise BadArgument(
                f"max_episode_steps must be at least 1, or None or -1 for no limit, got {max_episode_steps}."
            )
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {**type(self).metadata, "autoreset_mode": self.autoreset_mode}
        self._prepare(num_envs, render_mode, task, dynamics, **options)
        self.num_envs, self.max_episode_steps = num_envs, max_episode_steps
        self.single_observation_space = self.episodes.observation_space
        self.single_action_space = self.episodes.dynamics.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._all = np.arange(num_envs)
        self._done = np.ones(num_envs, bool)  # (B,) no episode is running: the last one has ended, or none began
        self._steps = np.zeros(num_envs, np.int64)  # (B,) of the current episode
        self._seeded = False

    # ---------------------------------------------------------------- reset and step

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start a new episode in every row, or where `options["reset_mask"]` (B,) bool says so.

        A seed s gives row i the seed s + i; a list has one for each row, or None to let a row's stream go on.
        """
        rows = self._all
        if options is not None and "reset_mask" in options:
            mask = np.asarray(options.pop("reset_mask"))  # popped, as Gymnasium's own vector environments do
            if mask.shape != (self.num_envs,) or mask.dtype != bool or not mask.any():
                raise BadArgument(f"reset_mask must be {self.num_envs} booleans with one true at least, got {mask!r}.")
            rows = np.flatnonzero(mask)
        else:
            self.episodes.restart()
        self._seed(seed, rows)
        self._begin(rows)
        infos = self._infos(rows, NO_ROWS, dict, NO_ROWS)
        if self.render_mode == "human":
            self.render()
        return self.episodes.observe(self._all), infos

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in every row; rows whose episode ended start anew as `autoreset_mode` says."""
        actions = kinds.checked(np.asarray(actions), self.episodes.dynamics.action_space, self.num_envs)
        started, acting = self._renew() if self._done.any() else (NO_ROWS, self._all)
        rewards, terminated, truncated, components = self._act(acting, actions)
        done = terminated | truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and done.any():
            infos = self._finish_and_renew(done, components)
        else:
            self._done = done
            infos = self._infos(started, acting, lambda: components, np.flatnonzero(done))
        if self.render_mode == "human":
            self.render()
        return self.episodes.observe(self._all), rewards, terminated, truncated, infos

    def _renew(self) -> tuple[np.ndarray, np.ndarray]:
        """NEXT_STEP: the rows whose episode ended in the last step, which start anew, and the others, which act."""
        if not self._seeded:
            raise NlpGymError("no episode has started; call reset() first.")
        if self.autoreset_mode != AutoresetMode.NEXT_STEP:
            raise NlpGymError(
                f"no episode is running in rows {np.flatnonzero(self._done).tolist()}, and auto-reset starts none; "
                'reset them first: env.reset(options={"reset_mask": terminated | truncated}).'
            )
        renewed, acting = np.flatnonzero(self._done), np.flatnonzero(~self._done)
        self._begin(renewed)
        return renewed, acting

    def _act(self, rows: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, Columns]:
        """Rewards, terminated, truncated, all (num_envs,), and the components of `rows`."""
        if len(rows) == self.num_envs:
            return self._act_in(rows, actions)
        rewards, components = np.zeros(self.num_envs), {}
        terminated, truncated = np.zeros((2, self.num_envs), bool)
        if len(rows):
            rewards[rows], terminated[rows], truncated[rows], components = self._act_in(rows, actions[rows])
        return rewards, terminated, truncated, components

    def _act_in(self, rows: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, Columns]:
        """Rewards, terminated, truncated and components of `rows`, each (len(rows),)."""
        paid, over, components = self.episodes.act(rows, actions)
        self._last[rows] = actions
        self._paid[rows] += paid
        self._steps[rows] += 1
        if self.max_episode_steps is None:
            return paid, over, np.zeros(len(rows), bool), components
        return paid, over, (self._steps[rows] >= self.max_episode_steps) & ~over, components

    def _finish_and_renew(self, done: np.ndarray, components: Columns) -> Lazy:
        """SAME_STEP: the ended episodes' last observation and info move to `final_obs` and `final_info`."""
        ended = np.flatnonzero(done)
        final_info = self._infos(NO_ROWS, ended, lambda: _rows_of(components, ended), ended)
        final_info["is_success"], final_info["_is_success"] = self.episodes.success, done.copy()
        final_obs = self._final_observations(ended)
        self._begin(ended)
        going = NO_ROWS if len(ended) == self.num_envs else np.flatnonzero(~done)
        infos = self._infos(ended, going, lambda: _rows_of(components, going), NO_ROWS)
        infos["final_obs"], infos["_final_obs"] = final_obs, done.copy()
        infos["final_info"], infos["_final_info"] = final_info, done.copy()
        return infos

    def _infos(
        self, started: np.ndarray, acting: np.ndarray, components: Callable[[], Columns], ended: np.ndarray
    ) -> Lazy:
        """The infos of this moment, made when somebody looks: of rows that started, that acted, and that ended."""
        moment, total = self.episodes.frozen(), self.num_envs

        def make() -> dict[str, Any]:
            infos: dict[str, Any] = {}
            if len(started):
                _merge(infos, moment.info_at_start(started), started, total)
            if len(acting):
                _merge(infos, moment.info_of_step(acting, components()), acting, total)
            if len(ended):
                _merge(infos, moment.info_at_end(ended), ended, total)
            return infos

        return Made(make)

    def _final_observations(self, rows: np.ndarray) -> np.ndarray:
        """Entry i is row i's last observation: (B, ...), or (B,) object of dicts; meaningless where not in `rows`."""
        seen = self.episodes.observe(rows)
        if isinstance(seen, dict):
            last = np.full(self.num_envs, None, object)
            for at, row in enumerate(rows):
                last[row] = {name: part[at] for name, part in seen.items()}
            return last
        if len(rows) == self.num_envs:
            return seen
        last = np.zeros((self.num_envs, *seen.shape[1:]), seen.dtype)
        last[rows] = seen
        return last

    def _seed(self, seed: int | Sequence[int | None] | None, rows: np.ndarray) -> None:
        """Give `rows` their seeds: an integer s means s + i for row i; None keeps a row's stream as it is."""
        streams, each = self.episodes.streams, seed if isinstance(seed, Sequence) else None
        if each is not None and (len(each) != self.num_envs or any(value is not None and value < 0 for value in each)):
            raise BadArgument(f"seed must be an integer, or {self.num_envs} of them or None, not negative; got {each}.")
        first = None if isinstance(seed, Sequence) else seed
        super().reset(seed=first)  # refuses what is no seed
        if not self._seeded:
            streams.seed(self._all, _seeds(self.np_random_seed, self._all))
            self._seeded = True
        elif first is not None:
            streams.seed(rows, _seeds(first, rows))
        if each is not None:
            for row in rows:
                if (own := each[row]) is not None:
                    streams.seed(np.array([row]), np.array([own % WORD], np.uint64))

    def _begin(self, rows: np.ndarray) -> None:
        self.episodes.begin(rows)
        self._done[rows] = False
        self._steps[rows] = 0
        self._paid[rows] = 0.0
        self._last[rows] = kinds.none_yet(self.episodes.dynamics.action_space, len(rows))

    # ---------------------------------------------------------------- what else can be asked

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now in each row, (B, A) bool."""
        return self.episodes.dynamics.masks(self._all)

    def oracle_actions(self) -> np.ndarray:
        """What a policy that knows the targets would do, (B, ...)."""
        return self.episodes.dynamics.oracle(self._all)

    def render(self) -> Any:
        """A tuple with each row's picture or text, as the single face renders it; None for "human"."""
        drawn = self._draw(self._all) if self.render_mode else []
        return tuple(drawn) or None

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """An attribute, once for each row: the rows share it."""
        return (getattr(self, name),) * self.num_envs

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """A method's result, row by row where it has one entry for each."""
        value = getattr(self, name)
        result: Any = value(*args, **kwargs) if callable(value) else value
        if result is None or name not in ("action_masks", "oracle_actions", "render"):
            return (result,) * self.num_envs
        return tuple(result)


def _mode(mode: AutoresetMode | str) -> AutoresetMode:
    """An auto-reset mode by its value or its name, in any case."""
    if isinstance(mode, AutoresetMode):
        return mode
    for known in AutoresetMode:
        if str(mode).replace("_", "").lower() == known.value.lower():
            return known
    raise BadArgument(f"autoreset_mode must be one of {', '.join(m.value for m in AutoresetMode)}, got {mode!r}.")


def _seeds(first: int | None, rows: np.ndarray) -> np.ndarray:
    """The seeds first, first + 1, ... of rows 0, 1, ..., (len(rows),) uint64."""
    return rows.astype(np.uint64) + np.uint64((first or 0) % WORD)


def _only(columns: Columns) -> dict[str, Any]:
    """The info of the only row there is, as Python's own values; arrays stay arrays."""
    info: dict[str, Any] = {}
    for name, values in columns.items():
        if isinstance(values, dict):
            info[name] = _only(values)
        else:
            value = values[0]
            info[name] = value.item() if isinstance(value, np.generic) else value
    return info


def _rows_of(components: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[rows] for name, values in components.items()}


def _merge(infos: dict[str, Any], columns: Mapping[str, Any], rows: np.ndarray, total: int) -> None:
    """Write the rows' columns into a vector environment's info: arrays of all rows, `_name` where they are set."""
    whole = len(rows) == total
    where = np.zeros(total, bool)
    where[rows] = True
    for name, values in columns.items():
        known = infos.get(f"_{name}")
        infos[f"_{name}"] = where if known is None else known | where
        if isinstance(values, dict):
            _merge(infos.setdefault(name, {}), values, rows, total)
        elif whole:
            infos[name] = values
        else:
            if name not in infos:
                empty = None if values.dtype == object else 0
                infos[name] = np.full((total, *values.shape[1:]), empty, values.dtype)
            infos[name][rows] = values
