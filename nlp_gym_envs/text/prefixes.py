"""What a small frozen classifier makes of every prefix of every text: computed once, indexed by each READ.

Logistic regression on TF-IDF of words and word pairs, fitted on prefixes of random length of the training texts. On the
training texts themselves the posterior is cross-fitted (five folds): a text is judged by a classifier that did not see
it, or an agent would learn from posteriors more certain than any it meets later.
"""

import functools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import cache
from .examples import Examples, Shared

FOLDS = 5
FORMAT = 1  # of the cached arrays; raise it when the same key would mean other numbers
BLOCK = 20_000  # texts at a time: bounds the memory that the prefixes of a large corpus take
TOKEN = re.compile(r"\w+|[!?]")


class Prefixes(Shared):
    """The posteriors after 0, 1, ... chunks of each of N texts, one below the other.

    `posterior` (P, K) float32; text n has `chunks[n]` chunks and its rows are `start[n]` ... `start[n] + chunks[n]`;
    `words` (N,) is the length of each text in words.
    """

    def __init__(self, posterior: np.ndarray, words: np.ndarray, chunk: int) -> None:
        self.posterior, self.words = posterior, words
        self.chunks = -(-words // chunk)  # (N,) rounded up
        self.start = np.concatenate(([0], np.cumsum(self.chunks + 1)[:-1]))  # (N,)


@functools.lru_cache(maxsize=16)
def prefixes(examples: Examples, train: Examples, chunk: int) -> Prefixes:
    """The prefix posteriors of `examples` in chunks of `chunk` words, by a classifier fitted on `train`."""
    key = {"what": "prefixes", "format": FORMAT, "chunk": chunk, "fitted on": train.digest, "texts": examples.digest}

    def make() -> np.ndarray:
        if examples is not train:
            return _fit(train, np.arange(len(train))).posterior(examples["text"], chunk)
        blocks: list[Any] = [None] * len(train)
        for fold in range(FOLDS):  # every FOLDS-th text: a corpus sorted by label is still dealt evenly
            mine = np.arange(len(train)) % FOLDS == fold
            rows = _fit(train, np.flatnonzero(~mine)).posterior(train["text"][mine], chunk)
            sizes = [-(-len(text.split()) // chunk) + 1 for text in train["text"][mine]]
            for n, part in zip(np.flatnonzero(mine), np.split(rows, np.cumsum(sizes)[:-1]), strict=True):
                blocks[n] = part
        return np.concatenate(blocks)

    words = np.array([len(text.split()) for text in examples["text"]], np.int64)
    table = Prefixes(cache.array(key, make), words, chunk)
    table.recipe = (prefixes, (examples, train, chunk))
    return table


def _fit(train: Examples, rows: np.ndarray) -> "PrefixClassifier":
    return PrefixClassifier(train["text"][rows], train.target[rows], len(train.labels))


def tokens_of(text: str) -> tuple[list[str], np.ndarray]:
    """The classifier's tokens (lower-case letters and digits, ! and ?) and how many the first 0, 1, ... words hold."""
    words = [TOKEN.findall(word) for word in text.lower().split()]
    return [token for word in words for token in word], np.cumsum([0, *map(len, words)])


class PrefixClassifier:
    """Multinomial logistic regression on sublinear TF-IDF of words and pairs, fitted on random prefixes and whole texts."""

    def __init__(self, texts: Sequence[str], labels: np.ndarray, classes: int) -> None:
        from sklearn.linear_model import LogisticRegression

        self.classes = classes
        tokens = [tokens_of(text)[0] for text in texts]
        counted = Counter(gram for words in tokens for gram in set(_grams(words)))
        kept = sorted(counted)
        self.index = {gram: i for i, gram in enumerate(kept)}
        self.idf = np.log((1 + len(texts)) / (1 + np.array([counted[gram] for gram in kept], float))) + 1.0
        generator = np.random.default_rng(0)  # its own: which prefixes are learned from is part of the classifier
        lengths = [(int(a * (len(words) + 1)), int(b * (len(words) + 1)), len(words))
                   for words, (a, b) in zip(tokens, generator.random((len(tokens), 2)), strict=True)]  # fmt: skip
        features = self._features([self._ids(words) for words in tokens], lengths)
        model = LogisticRegression(C=20.0, max_iter=200, tol=1e-3)
        model.fit(features, np.repeat(labels, 3))
        self.seen = model.classes_  # a class without training texts has no weights, and posterior 0
        two = len(self.seen) == 2  # scikit-learn keeps one row of weights for two classes
        self.weights = np.concatenate((-model.coef_, model.coef_)) / 2 if two else model.coef_  # (K', V)
        self.bias = np.concatenate((-model.intercept_, model.intercept_)) / 2 if two else model.intercept_

    def posterior(self, texts: Sequence[str], chunk: int) -> np.ndarray:
        """(P, K) float32: the class probabilities after 0, 1, ... chunks of each text, texts one below the other."""
        parts = []
        for begin in range(0, len(texts), BLOCK):
            split = [tokens_of(text) for text in texts[begin : begin + BLOCK]]
            lengths = [[*held[:-1:chunk], held[-1]] if len(held) > 1 else [0] for _, held in split]
            logits = self._features([self._ids(tokens) for tokens, _ in split], lengths) @ self.weights.T + self.bias
            logits -= logits.max(1, keepdims=True)
            odds = np.exp(logits)
            full = np.zeros((len(odds), self.classes), np.float32)
            full[:, self.seen] = odds / odds.sum(1, keepdims=True)
            parts.append(full)
        return np.concatenate(parts)

    def _ids(self, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """For each position, the word's index and that of the pair it ends; -1 where unknown; each (len(words),)."""
        single = np.array([self.index.get(word, -1) for word in words], np.int64)
        pair = np.array(
            [-1, *(self.index.get(f"{a} {b}", -1) for a, b in zip(words, words[1:], strict=False))], np.int64
        )
        return single, pair[: len(words)]

    def _features(self, ids: list[tuple[np.ndarray, np.ndarray]], lengths: Sequence[Sequence[int]]) -> Any:
        """TF-IDF rows, of length 1, of the prefixes with so many words; CSR (sum of len(lengths[i]), V)."""
        from scipy.sparse import csr_matrix
        from sklearn.preprocessing import normalize

        pieces = [part[:length] for (single, pair), wanted in zip(ids, lengths, strict=True)
                  for length in wanted for part in (single, pair)]  # fmt: skip
        flat = np.concatenate(pieces) if pieces else np.empty(0, np.int64)
        row = np.repeat(np.arange(len(pieces)) // 2, [len(piece) for piece in pieces])
        known = flat >= 0
        table = csr_matrix((np.ones(known.sum()), (row[known], flat[known])), (len(pieces) // 2, len(self.index)))
        table.sum_duplicates()
        table.data = 1.0 + np.log(table.data)
        table.data *= self.idf[table.indices]
        return normalize(table, copy=False)


def _grams(words: list[str]) -> list[str]:
    return words + [f"{a} {b}" for a, b in zip(words, words[1:], strict=False)]
