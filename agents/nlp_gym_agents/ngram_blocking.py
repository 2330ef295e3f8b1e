"""Greedy, but no n-gram twice (Paulus et al. 2018, "A deep reinforced model for abstractive summarization")."""

from typing import Any

import numpy as np

from ._writing import Writer


class NgramBlocking(Writer):
    """The likeliest candidate that does not end an n-gram of tokens written before; `n` is 1, 2 or 3."""

    def __init__(self, policy: str, env: Any, *, n: int = 2, seed: int | None = None, verbose: int = 0) -> None:
        self.n = n
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        return self.unrepeated(rows, self.n)


AGENT = NgramBlocking
