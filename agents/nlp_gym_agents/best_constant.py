"""The best thing to do without looking: one action from a grid, chosen on training instances; level, or slowing down.

With an environment's `optimiser="adam"` it is Adam at its best static rates. Where rates do not decay by themselves
(the environment's `schedule="constant"`), its own `schedule="cosine"` is the best static decay.
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

    With `knows=True` it is told what is hidden in an instance of `layers` and `rates`, and has a best action for each
    secret: no agent can know as much from the start, so that this is a yardstick and not a rival.
    Of `nudge`, where repeating a nudge soon overshoots, each action is tried any number of times, and then STOP.
    """

    dynamics = ("nudge", "subspace", "layers", "rates")
    _fitted = ("action", "times", "known")
    action: Any = None
    known: Any = np.zeros(0)  # (secrets, ...) the best action of each
    times = np.array(0)  # of `nudge`: after so many it stops

    def __init__(
        self,
        policy: str,
        env: Any,
        *,
        schedule: str = "constant",
        instances: int = 32,
        knows: bool = False,
        seed: int | None = None,
        verbose: int = 0,
    ) -> None:
        if schedule not in SCHEDULES:
            raise BadArgument(f"schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}.")
        self.schedule, self.instances, self.knows = schedule, instances, knows
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _fit(self) -> None:
        if self.episodes.dynamics.name == "nudge":
            self._fit_repeated()
            return
        env, rows = self._training_rows(), np.arange(max(2, self.instances))
        here: Any = env.unwrapped.episodes.dynamics
        self._check(here)
        examples, found = here.example.copy(), grid(here)

        def worth(actions: Any, rows: np.ndarray) -> np.ndarray:  # (actions, rows)
            return np.stack([self._values(here, action, rows, examples) for action in actions])

        if self.knows:
            values, secrets = worth(found, rows), here.secrets(rows)
            self.action = found[values.mean(1).argmax()]
            self.known = np.array([self.action] * here.num_secrets)
            for secret in np.unique(secrets):
                self.known[secret] = found[values[:, secrets == secret].mean(1).argmax()]
        else:
            first, second = np.array_split(rows, 2)
            values = worth(found, first)
            best = np.argsort(-values.mean(1), kind="stable")[:KEPT]
            values = np.column_stack((values[best], worth([found[at] for at in best], second)))
            self.action = found[best[values.mean(1).argmax()]]
        env.close()

    def _training_rows(self) -> Any:
        """The environment on as many training instances as are tried on, each row at its first."""
        spec = _ask(self.env, "spec")
        options = {**spec.kwargs, "split": "train", "order": "random"}
        options = {name: value for name, value in options.items() if name not in FACE}
        env = gym.make_vec(spec.id, num_envs=max(2, self.instances), vectorization_mode="vector_entry_point",
                           autoreset_mode="Disabled", **options)  # fmt: skip
        env.reset(seed=self.seed or 0)
        return env

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

    def _values(self, here: Any, action: np.ndarray, rows: np.ndarray, examples: np.ndarray) -> np.ndarray:
        """The outcome of an action on each of the instances of some rows, less what it cost, (B,)."""
        here.begin(rows, examples[rows])
        actions, spent = np.array([action] * len(here.example)), np.zeros(len(here.example))
        while len(going := rows[~here.over(rows)]):
            costs = here.act(going, self._now(here, actions[going], going))
            spent[going] += sum(costs.values())
        low, high = here.pays
        return low + (high - low) * here.outcome(rows) - spent[rows]

    def _now(self, here: Any, actions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self.schedule == "constant":
            return actions
        share = (1 + np.cos(np.pi * here.taken[rows] / here.horizon)) / 2
        return here.slower(actions, share)

    def _check(self, here: Any) -> None:
        if self.schedule != "constant" and not hasattr(here, "slower"):
            raise BadArgument(f"schedule={self.schedule!r} is for layers and rates, this environment is {here.name!r}.")
        if self.knows and not hasattr(here, "secrets"):
            raise BadArgument(f"knows=True is for layers and rates, this environment is {here.name!r}.")

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        if self.action is None:
            raise BadArgument("BestConstant has not chosen an action yet; call learn() first.")
        here = self.episodes.dynamics
        if here.name == "nudge":
            return np.where(here.looks[: len(masks)] < self.times, self.action, 0)
        self._check(here)
        rows = np.arange(self.episodes.num_rows)
        actions = self.known[here.secrets(rows)] if len(self.known) else np.array([self.action] * len(rows))
        return self._now(here, actions, rows)[: len(masks)]


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
