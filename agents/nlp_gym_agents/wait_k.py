"""Wait-k: read k words, then write one and read one in turn, and write on when all is read (Ma et al. 2019, "STACL").

A `k` beyond the longest source reads everything first: the model's own translation of the whole sentence.
"""

from typing import Any

import numpy as np

from nlp_gym_envs.errors import BadArgument

from ._baseline import Baseline

READ, WRITE = 0, 1


class WaitK(Baseline):
    """The reference line of simultaneous translation: no look at the text or the model decides when to write."""

    dynamics = ("readwrite",)

    def __init__(self, policy: str, env: Any, *, k: int = 3, seed: int | None = None, verbose: int = 0) -> None:
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise BadArgument(f"k must be a whole number of at least 1, got {k!r}.")
        self.k = k
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        here, rows = self.episodes.dynamics, np.arange(len(masks))
        unread = here.read[rows] < here.source[rows]
        return np.where(unread & (here.read[rows] < here.units[rows] + self.k), READ, WRITE)


AGENT = WaitK
