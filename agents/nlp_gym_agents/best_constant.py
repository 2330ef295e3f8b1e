"""The best thing to do without looking: one action from a grid, chosen on training instances; level, or slowing down.

With an environment's `optimiser="adam"` it is Adam at its best static rates; `schedule="cosine"` is its static decay.
"""

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from nlp_gym_envs.errors import BadArgument

from ._baseline import Baseline, _ask

LEVELS = 7  # of a Box's coordinates, all alike or one of them alone
KEPT = 6  # actions that are tried on the second half of the instances too
FACE = ("num_envs", "vectorization_mode", "autoreset_mode", "max_episode_steps", "render_mode")  # not the game's
SCHEDULES = ("constant", "cosine")


class BestConstant(Baseline):
    """`instances` of the training split, each of which every action of the grid is tried on from start to end.

    Of `nudge`, where repeating a nudge soon overshoots, each action is tried any number of times, and then STOP.
    """

    dynamics = ("nudge", "subspace", "layers", "rates")
    _fitted = ("action", "times")
    action: Any = None
    times = np.array(0)  # of `nudge`: after so many it stops

    def __init__(
        self,
        policy: str,
        env: Any,
        *,
        schedule: str = "constant",
        instances: int = 32,
        seed: int | None = None,
        verbose: int = 0,
    ) -> None:
        if schedule not in SCHEDULES:
            raise BadArgument(f"schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}.")
        self.schedule, self.instances = schedule, instances
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _fit(self) -> None:
        if self.episodes.dynamics.name == "nudge":
            self._fit_repeated()
            return
        spec, tried = _ask(self.env, "spec"), max(2, self.instances)
        options = {**spec.kwargs, "split": "train", "order": "random"}
        options = {name: value for name, value in options.items() if name not in FACE}
        env = gym.make_vec(spec.id, num_envs=tried, vectorization_mode="vector_entry_point",
                           autoreset_mode="Disabled", **options)  # fmt: skip
        here: Any = env.unwrapped
        here.reset(seed=self.seed or 0)
        examples, halves = here.episodes.dynamics.example.copy(), np.array_split(np.arange(tried), 2)
        self._check(here.episodes.dynamics)
        found = grid(here.episodes.dynamics)
        first = np.array([self._value(here.episodes.dynamics, action, halves[0], examples) for action in found])
        best = np.argsort(-first, kind="stable")[:KEPT]
        second = np.array([self._value(here.episodes.dynamics, found[i], halves[1], examples) for i in best])
        weights = np.array([len(half) for half in halves])
        self.action = found[best[np.argmax(np.column_stack((first[best], second)) @ weights)]]
        env.close()

    def _fit_repeated(self) -> None:
        game = self.episodes.dynamics.on_train(self.instances)
        rows, best = np.arange(self.instances), -np.inf
        numbers = self._generator.integers(game.size, size=self.instances)
        for action in range(game.action_space.n):
            game.begin(rows, numbers)
            for times in range(1, game.horizon + 1):
                game.act(rows, np.full(len(rows), action))
                if (paid := game.outcome(rows).mean()) > best:
                    best, self.action, self.times = paid, np.array(action), np.array(times)

    def _value(self, here: Any, action: np.ndarray, rows: np.ndarray, examples: np.ndarray) -> float:
        """The mean outcome of an action on the instances of some rows, less what it cost."""
        here.begin(rows, examples[rows])
        spent = 0.0
        while len(going := rows[~here.over(rows)]):
            costs = here.act(going, self._now(here, action, going))
            spent += sum(float(cost.sum()) for cost in costs.values())
        low, high = here.pays
        return float(low + (high - low) * here.outcome(rows).mean() - spent / len(rows))

    def _now(self, here: Any, action: np.ndarray, rows: np.ndarray) -> np.ndarray:
        actions = np.array([action] * len(rows))
        if self.schedule == "constant":
            return actions
        share = (1 + np.cos(np.pi * here.taken[rows] / here.horizon)) / 2
        return here.slower(actions, share)

    def _check(self, here: Any) -> None:
        if self.schedule != "constant" and not hasattr(here, "slower"):
            raise BadArgument(f"schedule={self.schedule!r} is for layers and rates, this environment is {here.name!r}.")

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        if self.action is None:
            raise BadArgument("BestConstant has not chosen an action yet; call learn() first.")
        here = self.episodes.dynamics
        if here.name == "nudge":
            return np.where(here.looks[: len(masks)] < self.times, self.action, 0)
        self._check(here)
        return self._now(here, np.asarray(self.action), np.arange(self.episodes.num_rows))[: len(masks)]


def grid(here: Any) -> list[np.ndarray]:
    """The actions that are tried: all there are; of a Box all coordinates alike, and each alone, the others at rest."""
    space = here.action_space
    if isinstance(space, spaces.Discrete):
        return [np.array(action) for action in range(int(space.n))]
    if isinstance(space, spaces.MultiDiscrete):
        return [np.array(action) for action in itertools.product(*map(range, space.nvec.tolist()))]
    rest, levels = here.still(np.zeros(1, np.int64))[0], np.linspace(space.low, space.high, LEVELS)  # (L, k)
    alone = np.where(np.eye(len(rest), dtype=bool), levels[:, None], rest).reshape(-1, len(rest))  # (L x k, k)
    return list(np.unique(np.concatenate(([rest], levels, alone)).astype(space.dtype), axis=0))


AGENT = BestConstant
