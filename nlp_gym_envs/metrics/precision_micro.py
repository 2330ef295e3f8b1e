"""Micro precision: right answers over all answers, classes pooled (equals accuracy while every answer is one label)."""

import numpy as np

from ._base import ClassCounts, divide


class PrecisionMicro(ClassCounts):
    """Counts are (true positives, false positives, false negatives) of each class."""

    name = "precision_micro"

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; 0 where nothing was counted."""
        right, extra, _ = self.split(counts)
        return divide(right.sum(-1), (right + extra).sum(-1))


METRIC = PrecisionMicro
