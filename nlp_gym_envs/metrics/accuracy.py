"""Accuracy: the share of answers that equal their target (scikit-learn's `accuracy_score`)."""

from typing import Any

import numpy as np

from ._base import divide


class Accuracy:
    """Counts are (right, answered)."""

    name = "accuracy"

    def __init__(self, answer: Any = None) -> None:
        pass  # whatever there is to choose from

    def counts(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B, 2): 1 where the answer is right, and 1 for every answer."""
        right = np.asarray(answers) == np.asarray(targets)
        return np.stack((right, np.ones_like(right)), axis=-1).astype(np.float64)

    def score(self, counts: np.ndarray) -> np.ndarray:
        """right / answered, in [0, 1]; 0 of no answers."""
        return divide(counts[..., 0], counts[..., 1])

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B,): 1.0 where the answer is right."""
        return np.equal(answers, targets).astype(np.float64)


METRIC = Accuracy
