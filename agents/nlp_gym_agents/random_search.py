"""The best of as many random parameters as an agent has looks."""

from typing import Any

import numpy as np

from ._search import Search


class RandomSearch(Search):
    """Every parameter is normal with `width` of its bound for a deviation; the start counts too."""

    def __init__(
        self, policy: str, env: Any, *, width: float = 1 / 6, seed: int | None = None, verbose: int = 0
    ) -> None:
        self.width = width
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _found(self, board: Any, batch: Any, start: np.ndarray, looks: int) -> np.ndarray:
        best, most = start.copy(), board.utility(batch, start)
        for _ in range(looks):
            tried = np.clip(self._generator.normal(size=start.shape) * self.width, -1, 1) * board.bound / 100
            found = board.utility(batch, tried)
            better = found > most
            best[better], most[better] = tried[better], found[better]
        return best


AGENT = RandomSearch
