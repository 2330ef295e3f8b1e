"""What the baselines of `tokens` environments share: they see the candidates, and may ask the model ahead."""

from typing import Any

import numpy as np

from ._baseline import Baseline

NEVER = -np.inf


class Writer(Baseline):
    """A rule that writes; `scores` says how good each candidate is."""

    dynamics = ("tokens",)

    @property
    def writing(self) -> Any:
        """The dynamics: candidates (B, k), log_p (B, k), written (B, T), ..."""
        return self.episodes.dynamics

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        here = self.writing
        rows = np.arange(len(masks))
        return np.where(here.allowed[rows], self.scores(rows), NEVER).argmax(1)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """How good each candidate is, (b, k)."""
        raise NotImplementedError(f"{type(self).__name__} must score candidates")

    def unrepeated(self, rows: np.ndarray, n: int) -> np.ndarray:
        """Log-probabilities, and -1000 beside them where a candidate ends an n-gram written before; (b, k)."""
        here = self.writing
        name = {1: "was written before", 2: "ends a pair of tokens that was written before",
                3: "ends a triple of tokens that was written before"}[n]  # fmt: skip
        repeats = here.seen[rows][:, :, here.feature_names.index(name)] > 0
        repeats &= here.candidates[rows] != here.model.end
        return here.log_p[rows] - 1000.0 * repeats


def blocked(written: np.ndarray, n: int, size: int) -> np.ndarray:
    """Which of `size` tokens would end an n-gram that is in `written` (T,) already; (size,) bool."""
    found = np.zeros(size, bool)
    if n == 1:
        found[written] = True
    elif len(written) >= n:
        tail = written[len(written) - n + 1 :]
        for start in range(len(written) - n + 1):
            if (written[start : start + n - 1] == tail).all():
                found[written[start + n - 1]] = True
    return found
