"""The best policy that sees nothing: one action, a number of times, and then STOP; chosen on training instances."""

from typing import Any

import numpy as np

from ._baseline import Baseline


class BestConstant(Baseline):
    """All actions and numbers are tried on the same `instances` of the training split."""

    dynamics = ("nudge",)
    _fitted = ("action", "times")
    action, times = np.array(0), np.array(0)

    def __init__(
        self, policy: str, env: Any, *, instances: int = 512, seed: int | None = None, verbose: int = 0
    ) -> None:
        self.instances = instances
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _fit(self) -> None:
        game = self.episodes.dynamics.on_train(self.instances)
        rows, best = np.arange(self.instances), -np.inf
        numbers = self._generator.integers(game.size, size=self.instances)
        for action in range(game.action_space.n):
            game.begin(rows, numbers)
            for times in range(1, game.horizon + 1):
                game.act(rows, np.full(len(rows), action))
                if (paid := game.outcome(rows).mean()) > best:
                    best, self.action, self.times = paid, np.array(action), np.array(times)

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        looks = self.episodes.dynamics.looks[: len(masks)]
        return np.where(looks < self.times, self.action, 0)


AGENT = BestConstant
