"""Macro recall: the mean over classes of TP / (TP + FN)."""

import numpy as np

from ._base import ClassCounts, divide


class RecallMacro(ClassCounts):
    """Counts are (true positives, false positives, false negatives) of each class."""

    name = "recall_macro"

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; 0 where nothing was counted."""
        right, _, missed = self.split(counts)
        return self.mean(divide(right, right + missed), counts)


METRIC = RecallMacro
