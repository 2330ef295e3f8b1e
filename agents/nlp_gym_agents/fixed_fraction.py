"""Read a fixed share of every text, then give the frozen classifier's answer: 0 reads nothing, 1 everything."""

from typing import Any

import numpy as np

from ._baseline import Baseline


class FixedFraction(Baseline):
    """The reference line of a reading environment: no look at what was read decides when to stop."""

    dynamics = ("read",)

    def __init__(
        self, policy: str, env: Any, *, fraction: float = 0.5, seed: int | None = None, verbose: int = 0
    ) -> None:
        self.fraction = fraction
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        progress = self.part(observation, "progress")  # share read, ..., nothing left?
        finished = (progress[:, 0] >= self.fraction) | (progress[:, 2] == 1)
        return np.where(finished, self.part(observation, "posterior").argmax(1), self.actions - 1)


AGENT = FixedFraction
