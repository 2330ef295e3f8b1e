"""TF-IDF of words and word pairs, projected on the training texts' main directions (latent semantic analysis).

Deerwester et al. 1990, "Indexing by latent semantic analysis". scikit-learn's `TfidfVectorizer` and `TruncatedSVD`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np


class Tfidf:
    """`dimensions` numbers a text; word 1..`ngrams`-grams seen in at least `min_count` training texts."""

    def __init__(self, dimensions: int = 128, ngrams: int = 2, min_count: int = 2) -> None:
        self.dimensions, self.ngrams, self.min_count = dimensions, ngrams, min_count
        self.fitted: tuple[Any, Any] | None = None

    def fit(self, texts: Sequence[str]) -> None:
        """Learn the vocabulary, its weights and the directions."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        few = len(texts) < 50
        words = TfidfVectorizer(
            ngram_range=(1, self.ngrams),
            min_df=1 if few else self.min_count,
            max_features=100_000,
            sublinear_tf=True,
            token_pattern=r"(?u)\b\w+\b|[!?]",  # single letters count ("I", "a"), and so do ! and ?
            dtype=np.float32,
        )
        table = words.fit_transform(texts)
        if few or table.shape[1] <= self.dimensions + 1:  # too little to project: the directions are the words
            self.fitted = (words, None)
        else:
            self.fitted = (words, TruncatedSVD(self.dimensions, random_state=0).fit(table))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dimensions) float32; zeros fill what a tiny data set leaves empty."""
        assert self.fitted is not None
        words, directions = self.fitted
        table = words.transform(texts)
        found = directions.transform(table) if directions is not None else table.toarray()[:, : self.dimensions]
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        vectors[:, : found.shape[1]] = found
        return vectors


ENCODER = Tfidf
