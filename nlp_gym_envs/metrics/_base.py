"""What a metric is: the counts of one answer, which add up over a corpus, and a score of summed counts."""

from typing import Any, Protocol

import numpy as np


class Metric(Protocol):
    """Two separable moves, so that one answer, a corpus, a bootstrap interval and a paired test are the same code.

    It is made with the task's form of answer. Answers and targets are what that form stores: indices (B,), or texts
    (B,) object and tuples of accepted texts (B,) object.
    """

    name: str

    def counts(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """What each answer adds, (B, s); answers and targets (B,)."""
        ...

    def score(self, counts: np.ndarray) -> np.ndarray:
        """The score of summed counts, (..., s) -> (...,) in [0, 1]."""
        ...

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The score of every answer on its own, (B,): `score(counts(...))`, by a shorter way where there is one."""
        ...


def divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, and 0 where nothing was counted (scikit-learn's `zero_division=0`)."""
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)


class ClassCounts:
    """Per class: true positives, false positives, false negatives; (B, 3 K) laid out as (3, K).

    An answer or target outside 0..K-1 (no label at all) counts for no class; against a target it is still a miss.
    """

    def __init__(self, answer: Any) -> None:
        self.classes: int = answer if isinstance(answer, int) else len(answer)

    def counts(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        every = np.arange(self.classes)
        answered = np.asarray(answers)[:, None] == every  # (B, K)
        wanted = np.asarray(targets)[:, None] == every  # (B, K)
        parts = (answered & wanted, answered & ~wanted, wanted & ~answered)
        return np.concatenate(parts, axis=1).astype(np.float64)

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; each metric has its own."""
        raise NotImplementedError

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The score of every answer on its own, (B,)."""
        return self.score(self.counts(answers, targets))

    def split(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """True positives, false positives, false negatives of summed counts, each (..., K)."""
        right, extra, missed = np.split(np.asarray(counts, np.float64), 3, axis=-1)
        return right, extra, missed

    def mean(self, per_class: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """The plain mean over the classes that were answered or wanted at all, as scikit-learn's "macro"."""
        right, extra, missed = self.split(counts)
        seen = (right + extra + missed) > 0
        return divide(np.where(seen, per_class, 0.0).sum(-1), seen.sum(-1))
