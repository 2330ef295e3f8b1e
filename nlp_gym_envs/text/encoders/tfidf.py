"""TF-IDF of words and word pairs, projected on the training texts' main directions (latent semantic analysis).

Deerwester et al. 1990, "Indexing by latent semantic analysis". scikit-learn's `TfidfVectorizer` and `TruncatedSVD`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

FEW = 50  # of so few texts, words seen once count too, and are the directions
ENOUGH = 100_000  # training texts; of more than twice as many, every n-th is learned from
TOKEN = r"(?u)\b\w+\b|[!?]"  # single letters count ("I", "a"), and so do ! and ?
BLOCK = 10_000  # texts at a time: a sparse copy of a million need not exist


class Tfidf:
    """`dimensions` numbers a text; word 1..`ngrams`-grams seen in at least `min_count` training texts."""

    def __init__(self, dimensions: int = 512, ngrams: int = 2, min_count: int = 2) -> None:
        self.dimensions, self.ngrams, self.min_count = dimensions, ngrams, min_count
        self.words: Any = None  # None where no text has a word
        self.directions: Any = None  # None where the words themselves are few enough

    def fit(self, texts: Sequence[str]) -> None:
        """Learn the vocabulary, its weights and the directions."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = texts[:: max(1, len(texts) // ENOUGH)]
        number: Any = np.float32  # scikit-learn's own annotation knows only its default
        table: Any = None
        for least in (self.min_count if len(texts) >= FEW else 1, 1):  # the texts may have no word in common
            words = TfidfVectorizer(
                ngram_range=(1, self.ngrams),
                min_df=least,
                max_features=100_000,
                sublinear_tf=True,
                token_pattern=TOKEN,
                dtype=number,
            )
            try:
                table = words.fit_transform(texts)
            except ValueError:  # no word is in so many texts
                continue
            self.words = words
            break
        if table is not None and len(texts) >= FEW and table.shape[1] > self.dimensions + 1:
            self.directions = TruncatedSVD(self.dimensions, n_iter=3, random_state=0).fit(table)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, dimensions) float32; zeros fill what a tiny data set leaves empty."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        if self.words is None:
            return vectors
        for start in range(0, len(texts), BLOCK):
            table = self.words.transform(texts[start : start + BLOCK])
            if self.directions is None:
                found = table[:, : self.dimensions].toarray()
            else:
                found = self.directions.transform(table)
            vectors[start : start + BLOCK, : found.shape[1]] = found
        return vectors


ENCODER = Tfidf
