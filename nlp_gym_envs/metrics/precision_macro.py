"""Macro precision: the mean over classes of TP / (TP + FP)."""

import numpy as np

from ._base import ClassCounts, divide


class PrecisionMacro(ClassCounts):
    """Counts are (true positives, false positives, false negatives) of each class."""

    name = "precision_macro"

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; 0 where nothing was counted."""
        right, extra, _ = self.split(counts)
        return self.mean(divide(right, right + extra), counts)


METRIC = PrecisionMacro
