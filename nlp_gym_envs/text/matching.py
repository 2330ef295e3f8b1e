"""How well two texts match, word by word: words, their stems, and how telling each stem is.

All of it is learned from the texts of the training split alone; no answer is looked at.
"""

import functools
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .examples import Examples, Shared

WORD = re.compile(r"[$£€¥#]?[^\W_]+(?:[.,:/–-][^\W_]+)*%?|['’][^\W_]+|_+")  # "$3.50", "mid-1990s", "Anna" and "'s"
ENDINGS = ("ing", "edly", "ed", "es", "s", "ly")
SHORTEST = 3  # letters that an ending must leave


@functools.lru_cache(maxsize=2**17)
def stem(word: str) -> str:
    """A word without its English ending: "opened", "opens" and "opening" are one; a light form of Porter's (1980)."""
    word = word.lower().strip("'’")
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    if len(word) > SHORTEST and word[-1] == word[-2] and word[-1] not in "lsz":  # "stopp" of "stopped"
        word = word[:-1]
    return word[:-1] if len(word) > SHORTEST and word.endswith("e") else word


def stems(text: str) -> list[str]:
    """The stems of a text's words, in order."""
    return [stem(word) for word in WORD.findall(text)]


class Weights(Shared):
    """The stems of the training texts: `index` stem -> id, commonest first, and `weight` (V + 1,) float32.

    A stem's weight is log((1 + texts) / texts that have it) (Sparck Jones 1972) over log(1 + texts): in (0, 1], and 1,
    the last, for a stem that no training text has.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        counted = Counter(word for text in texts for word in set(stems(text)))
        ordered = sorted(counted, key=lambda word: (-counted[word], word))
        self.index = {word: number for number, word in enumerate(ordered)}
        frequency = np.array([*(counted[word] for word in ordered), 1.0])
        self.weight = (np.log((1 + len(texts)) / frequency) / np.log(1 + max(len(texts), 1))).astype(np.float32)

    def __len__(self) -> int:
        return len(self.index)

    def of(self, ids: np.ndarray) -> np.ndarray:
        """The weight of each stem by its id; an id beyond those of the training texts is a stem that they lack."""
        return self.weight[np.minimum(ids, len(self.index))]


class Ids:
    """Ids for all stems of a split: those of the training texts, and new ones for others as they come."""

    def __init__(self, known: Weights) -> None:
        self.index = dict(known.index)

    def __call__(self, words: Sequence[str]) -> list[int]:
        """The id of each word's stem."""
        index = self.index
        return [index.setdefault(stem(word), len(index)) for word in words]


@functools.lru_cache(maxsize=8)
def weights(train: Examples, columns: tuple[str, ...]) -> Weights:
    """The weights by the training texts in some columns; equal texts count once."""
    texts = dict.fromkeys(text for column in columns for text in train[column])
    made = Weights(list(texts))
    made.recipe = (weights, (train, columns))
    return made
