"""Candidates drawn by the model's own probabilities, among those allowed."""

from typing import Any

import numpy as np

from ._writing import Writer


class Sampling(Writer):
    """Ancestral sampling over the candidates; `temperature` below 1 sharpens the distribution."""

    seeded = True

    def __init__(
        self, policy: str, env: Any, *, temperature: float = 1.0, seed: int | None = None, verbose: int = 0
    ) -> None:
        self.temperature = temperature
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        log_p = self.writing.log_p[rows] / self.temperature
        return log_p + self._generator.gumbel(size=log_p.shape)  # the highest is a draw from the softmax


AGENT = Sampling
