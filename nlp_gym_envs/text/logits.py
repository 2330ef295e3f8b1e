"""What a small frozen classifier makes of whole texts: logarithms of its probabilities, computed once.

Logistic regression on TF-IDF of words and word pairs. On the training texts themselves it is cross-fitted (three
folds), so that it is as sure of a text that it is asked about there as of one that it meets later.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import cache
from .examples import Examples, Shared
from .prefixes import TOKEN

FOLDS = 3
ENOUGH = 12_000  # training texts; of more, every n-th is learned from
FORMAT = 1  # of the cached arrays; raise it when the same key would mean other numbers
LEAST = 1e-6  # of a probability: a class that training lacks has this one


class Logits(Shared):
    """`texts` (M,) which examples are judged, sorted; `table` (M, K) float32, their log-probabilities."""

    def __init__(self, texts: np.ndarray, table: np.ndarray) -> None:
        self.texts, self.table = texts, table


@functools.lru_cache(maxsize=16)
def logits(examples: Examples, train: Examples, most: int) -> Logits:
    """Of at most `most` of the examples, by a classifier that is fitted on `train`."""
    texts = np.arange(len(examples))[:: -(-len(examples) // most)]
    key = {
        "what": "a classifier's logits",
        "format": FORMAT,
        "most": most,
        "fitted on": train.digest,
        "texts": examples.digest,
    }

    def make() -> np.ndarray:
        learned = np.arange(len(train))[:: -(-len(train) // ENOUGH)]
        found = np.zeros((len(texts), len(train.labels)), np.float32)
        if examples is not train:
            found[:] = _judged(train, learned, examples["text"][texts])
            return found
        fold_of = _folds(train["text"])
        for fold in np.unique(fold_of[texts]):
            mine = fold_of[texts] == fold
            others = learned[fold_of[learned] != fold]
            found[mine] = _judged(train, others, train["text"][texts[mine]])
        return found

    made = Logits(texts, cache.array(key, make))
    made.recipe = (logits, (examples, train, most))
    return made


def _folds(texts: np.ndarray) -> np.ndarray:
    """Which fold each text is in, (N,); repeats of a text are in one."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(text, len(first)) % FOLDS for text in texts], np.int64)


def _judged(train: Examples, learned: np.ndarray, texts: Sequence[str] | np.ndarray) -> np.ndarray:
    """(M, K): the log-probabilities of some texts by a classifier that has learned from some training texts."""
    labels = train.target[learned]
    found = np.full((len(texts), len(train.labels)), LEAST)
    known, count = np.unique(labels, return_counts=True)
    if len(known) < 2:  # nothing to tell apart
        found[:, known] = 1.0
        return np.log(found)
    features, model = _fitted(train["text"][learned], labels)
    found[:, known] = np.maximum(model.predict_proba(features.transform(texts)), LEAST)
    return np.log(found / found.sum(1, keepdims=True))


def _fitted(texts: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    features = TfidfVectorizer(token_pattern=TOKEN.pattern, ngram_range=(1, 2), sublinear_tf=True, max_features=50_000)
    return features, LogisticRegression(C=10.0, max_iter=300, tol=1e-3).fit(features.fit_transform(texts), labels)
