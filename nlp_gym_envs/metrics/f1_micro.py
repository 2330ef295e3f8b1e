"""Micro F1: 2 TP / (2 TP + FP + FN), classes pooled (equals accuracy while every answer is one label)."""

import numpy as np

from ._base import ClassCounts, divide


class F1Micro(ClassCounts):
    """Counts are (true positives, false positives, false negatives) of each class."""

    name = "f1_micro"

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; 0 where nothing was counted."""
        right, extra, missed = self.split(counts)
        return divide(2 * right.sum(-1), (2 * right + extra + missed).sum(-1))


METRIC = F1Micro
