"""Macro F1: the mean over classes of 2 TP / (2 TP + FP + FN)."""

import numpy as np

from ._base import ClassCounts, divide


class F1Macro(ClassCounts):
    """Counts are (true positives, false positives, false negatives) of each class."""

    name = "f1_macro"

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; 0 where nothing was counted."""
        right, extra, missed = self.split(counts)
        return self.mean(divide(2 * right, 2 * right + extra + missed), counts)


METRIC = F1Macro
