"""What a small frozen classifier makes of every prefix of every text: computed once, indexed by each READ.

Logistic regression on TF-IDF of words and word pairs, fitted on prefixes of random length of the training texts. On the
training texts themselves the posterior is cross-fitted (five folds): a text is judged by a classifier that did not see
it, or an agent would learn from posteriors more certain than any it meets later.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import cache
from .examples import Examples, Shared

Ids = tuple[np.ndarray, np.ndarray]  # a text's words, and the pairs they end, as indices into the vocabulary

TOKEN = re.compile(r"\w+|[!?]")
FOLDS = 5
MOST = 100_000  # words and pairs, the commonest; more made no difference to accuracy
ENOUGH = 100_000  # training texts; of more than twice as many, every n-th is learned from
FORMAT = 4  # of the cached arrays; raise it when the same key would mean other numbers
PORTION = 5_000_000  # words of prefixes at a time: bounds the memory that a large corpus or a long text takes


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
    key = {
        "what": "what a classifier thinks of each prefix",
        "format": FORMAT,
        "chunk": chunk,
        "fitted on": train.digest,
        "texts": examples.digest,
    }

    def make() -> np.ndarray:
        if examples is not train:
            return _fit(train, np.arange(len(train))).posterior(examples["text"].tolist(), chunk)
        blocks: list[Any] = [None] * len(train)
        fold_of = folds(train["text"].tolist())
        for fold in range(FOLDS):
            mine = np.flatnonzero(fold_of == fold)
            if not len(mine):
                continue
            texts = train["text"][mine].tolist()
            rows = _fit(train, np.flatnonzero(fold_of != fold)).posterior(texts, chunk)
            sizes = [-(-len(text.split()) // chunk) + 1 for text in texts]
            for n, part in zip(mine, np.split(rows, np.cumsum(sizes)[:-1]), strict=True):
                blocks[n] = part
        return np.concatenate(blocks)

    words = np.array([len(text.split()) for text in examples["text"]], np.int64)
    table = Prefixes(cache.array(key, make), words, chunk)
    table.recipe = (prefixes, (examples, train, chunk))
    return table


def folds(texts: Sequence[str], number: int = FOLDS) -> np.ndarray:
    """Which fold each text is in, (N,): dealt in turn, so that a corpus sorted by label is dealt evenly.

    Repeats of a text are in one fold, or its label would reach its posterior through them.
    """
    first: dict[str, int] = {}
    return np.array([first.setdefault(text, len(first)) % number for text in texts], np.int64)


def _fit(train: Examples, rows: np.ndarray) -> "PrefixClassifier":
    rows = rows[:: max(1, len(rows) // ENOUGH)]
    return PrefixClassifier(train["text"][rows].tolist(), train.target[rows], len(train.labels))


def tokens_of(text: str) -> tuple[list[str], np.ndarray]:
    """The classifier's tokens (lower-case letters and digits, ! and ?) and how many the first 0, 1, ... words hold."""
    words = [TOKEN.findall(word) for word in text.lower().split()]
    return [token for word in words for token in word], np.cumsum([0, *map(len, words)])


class PrefixClassifier:
    """Multinomial logistic regression on sublinear TF-IDF of words and pairs, of random prefixes and whole texts."""

    def __init__(self, texts: Sequence[str], labels: np.ndarray, classes: int) -> None:
        self.classes = classes
        tokens = [tokens_of(text)[0] for text in texts]
        counted = Counter(gram for words in tokens for gram in set(_grams(words)))
        kept = sorted(sorted(counted, key=lambda gram: (-counted[gram], gram))[:MOST])
        self.index = {gram: i for i, gram in enumerate(kept)}
        self.idf = np.log((1 + len(texts)) / (1 + np.array([counted[gram] for gram in kept], float))) + 1.0
        self.seen = np.unique(labels) if len(labels) else np.arange(classes)  # a class without texts has posterior 0
        self.weights = np.zeros((len(self.seen), len(kept)))  # (K', V)
        self.bias = np.log(np.maximum(1.0, (labels == self.seen[:, None]).sum(1)))  # (K',)
        if len(self.seen) > 1 and kept and len(labels):  # else there is nothing to learn but how common each label is
            self._learn(tokens, labels)

    def _learn(self, tokens: list[list[str]], labels: np.ndarray) -> None:
        from sklearn.linear_model import LogisticRegression

        generator = np.random.default_rng(0)  # its own: which prefixes are learned from is part of the classifier
        lengths = [(int(a * (len(words) + 1)), int(b * (len(words) + 1)), len(words))
                   for words, (a, b) in zip(tokens, generator.random((len(tokens), 2)), strict=True)]  # fmt: skip
        features = self._features([self._ids(words) for words in tokens], lengths)
        model = LogisticRegression(C=10.0, solver="sag", max_iter=1000, tol=1e-3, random_state=0)
        model.fit(features, np.repeat(labels, 3))
        two = len(self.seen) == 2  # scikit-learn keeps one row of weights for two classes
        self.weights = np.concatenate((-model.coef_, model.coef_)) / 2 if two else model.coef_
        self.bias = np.concatenate((-model.intercept_, model.intercept_)) / 2 if two else model.intercept_

    def posterior(self, texts: Sequence[str], chunk: int) -> np.ndarray:
        """(P, K) float32: the class probabilities after 0, 1, ... chunks of each text, texts one below the other."""
        parts = []
        for ids, lengths in self._portions(texts, chunk):
            logits = self._features(ids, lengths) @ self.weights.T + self.bias
            logits -= logits.max(1, keepdims=True)
            odds = np.exp(logits)
            full = np.zeros((len(odds), self.classes), np.float32)
            full[:, self.seen] = odds / odds.sum(1, keepdims=True)
            parts.append(full)
        return np.concatenate(parts)

    def _portions(self, texts: Sequence[str], chunk: int) -> Iterator[tuple[list[Ids], list[list[int]]]]:
        """The prefixes of the texts in order, some `PORTION` words at a time; a long text goes on in the next."""
        ids: list[Ids] = []
        lengths: list[list[int]] = []
        size = 0
        for text in texts:
            tokens, held = tokens_of(text)
            known, wanted = self._ids(tokens), held[:-1:chunk].tolist() + held[-1:].tolist()
            most = max(1, PORTION // max(1, len(tokens)))
            for at in range(0, len(wanted), most):
                ids.append(known)
                lengths.append(wanted[at : at + most])
                size += sum(lengths[-1])
                if size >= PORTION:
                    yield ids, lengths
                    ids, lengths, size = [], [], 0
        if ids:
            yield ids, lengths

    def _ids(self, words: list[str]) -> Ids:
        """For each position, the word's index and that of the pair it ends; -1 where unknown; each (len(words),)."""
        single = np.array([self.index.get(word, -1) for word in words], np.int64)
        pair = np.array(
            [-1, *(self.index.get(f"{a} {b}", -1) for a, b in zip(words, words[1:], strict=False))], np.int64
        )
        return single, pair[: len(words)]

    def _features(self, ids: list[Ids], lengths: Sequence[Sequence[int]]) -> Any:
        """TF-IDF rows, of length 1, of the prefixes with so many words; CSR (sum of len(lengths[i]), V)."""
        from scipy.sparse import csr_matrix
        from sklearn.preprocessing import normalize

        pieces = [part[:length] for (single, pair), wanted in zip(ids, lengths, strict=True)
                  for length in wanted for part in (single, pair)]  # fmt: skip
        flat = np.concatenate(pieces) if pieces else np.empty(0, np.int64)
        row = np.repeat(np.arange(len(pieces)) // 2, [len(piece) for piece in pieces])
        known = flat >= 0
        table = csr_matrix(
            (np.ones(known.sum(), np.float32), (row[known], flat[known])), (len(pieces) // 2, len(self.index))
        )
        table.sum_duplicates()
        table.data = 1.0 + np.log(table.data)
        table.data *= self.idf[table.indices].astype(np.float32)
        return normalize(table, copy=False) if self.index else table


def _grams(words: list[str]) -> list[str]:
    return words + [f"{a} {b}" for a, b in zip(words, words[1:], strict=False)]
