"""Vector scaling by gradient: as many steps down the probe's loss as an agent has looks (Guo et al. 2017).

Of candidate answers the gradient is that of the expected metric.
"""

from typing import Any

import numpy as np

from ._search import Search


class GradientCalibration(Search):
    """`rate` is the first step of every parameter; it falls linearly, and the best point by utility is taken."""

    def __init__(self, policy: str, env: Any, *, rate: float = 0.5, seed: int | None = None, verbose: int = 0) -> None:
        self.rate = rate
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _found(self, board: Any, batch: Any, start: np.ndarray, looks: int) -> np.ndarray:
        return board.ascended(batch, start, looks, self.rate)


AGENT = GradientCalibration
