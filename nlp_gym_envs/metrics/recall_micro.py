"""Micro recall: right answers over all targets, classes pooled (equals accuracy while every answer is one label)."""

import numpy as np

from ._base import ClassCounts, divide


class RecallMicro(ClassCounts):
    """Counts are (true positives, false positives, false negatives) of each class."""

    name = "recall_micro"

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; 0 where nothing was counted."""
        right, _, missed = self.split(counts)
        return divide(right.sum(-1), (right + missed).sum(-1))


METRIC = RecallMicro
