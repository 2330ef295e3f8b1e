"""Hashed word n-grams: every word and word pair adds +1 or -1 at a position that its hash names; nothing is fitted.

Weinberger et al. 2009, "Feature hashing for large scale multitask learning". scikit-learn's `HashingVectorizer`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

BLOCK = 10_000  # texts at a time: a sparse copy of a million need not exist


class Hashing:
    """`dimensions` numbers a text, of word 1..`ngrams`-grams; each text has length 1."""

    fits = False

    def __init__(self, dimensions: int = 512, ngrams: int = 2) -> None:
        self.dimensions, self.ngrams = dimensions, ngrams

    def fit(self, texts: Sequence[str]) -> None:
        """Nothing to learn."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dimensions) float32."""
        from sklearn.feature_extraction.text import HashingVectorizer

        number: Any = np.float32  # scikit-learn's own annotation knows only its default
        words = HashingVectorizer(
            n_features=self.dimensions,
            ngram_range=(1, self.ngrams),
            token_pattern=r"(?u)\b\w+\b|[!?]",
            dtype=number,
        )
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), BLOCK):
            table: Any = words.transform(texts[start : start + BLOCK])
            vectors[start : start + BLOCK] = table.toarray()
        return vectors


ENCODER = Hashing
