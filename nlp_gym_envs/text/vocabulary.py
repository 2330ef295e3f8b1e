"""Texts as word ids, for agents that bring their own encoder."""

import functools
from collections import Counter

import numpy as np

from .examples import Examples, Shared

PADDING, UNKNOWN = 0, 1


class WordIds(Shared):
    """`ids` (N, length) int32: the first words of each text; 0 pads, 1 is any word the vocabulary lacks."""

    def __init__(self, ids: np.ndarray, words: tuple[str, ...]) -> None:
        self.ids, self.words = ids, words

    @property
    def size(self) -> int:
        """How many different ids there can be."""
        return len(self.words)


@functools.lru_cache(maxsize=16)
def word_ids(examples: Examples, train: Examples, length: int, size: int) -> WordIds:
    """The words of `examples` as ids; the vocabulary is the `size` commonest words of `train`, commonest first."""
    words = vocabulary(train, size)
    position = {word: index for index, word in enumerate(words)}
    ids = np.full((len(examples), length), PADDING, np.int32)
    for row, text in zip(ids, examples["text"], strict=True):
        found = [position.get(word, UNKNOWN) for word in text.lower().split(maxsplit=length)[:length]]
        row[: len(found)] = found
    ids.flags.writeable = False
    table = WordIds(ids, words)
    table.recipe = (word_ids, (examples, train, length, size))
    return table


@functools.lru_cache(maxsize=16)
def vocabulary(train: Examples, size: int) -> tuple[str, ...]:
    """What each id stands for: padding, the unknown, then the commonest words, equally common ones by name."""
    counted = Counter(word for text in train["text"] for word in text.lower().split())
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[: size - 2]
    return ("<padding>", "<unknown>", *(word for word, _ in ranked))
