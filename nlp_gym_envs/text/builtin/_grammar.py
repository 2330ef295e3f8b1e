"""Seeded choices, sentence finishing and split building shared by the built-in corpora."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeVar

Item = TypeVar("Item")

SIZES = {"train": 12_000, "validation": 1_500, "test": 3_000, "compositional": 3_000}
MAXIMUM_WORDS = 45

# Every text has one home split, chosen by a checksum of its words, so no text can occur in two splits.
_HOME_COUNT = 25
_HOMES = {"train": range(0, 15), "validation": range(15, 17), "test": range(17, 21), "compositional": range(21, 25)}
_SPLIT_SEEDS = {"train": 1, "validation": 2, "test": 3, "compositional": 4}

_SLOT = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"[a-z0-9]+")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!uni|one|eu|use)[aeiou]|hour|honest)")


class Choices:
    """A stream of seeded choices that is the same on every Python version."""

    def __init__(self, seed: int) -> None:
        # Only random() keeps its sequence across Python versions, so every choice is derived from it.
        self._next = random.Random(seed).random

    def below(self, limit: int) -> int:
        """A whole number from 0 to one less than the limit."""
        return int(self._next() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._next() < probability

    def pick(self, options: Sequence[Item]) -> Item:
        """One of the options, all equally likely."""
        return options[int(self._next() * len(options))]

    def weighted(self, options: Sequence[tuple[Item, int]]) -> Item:
        """One of the options, each as likely as its weight says."""
        remaining = self._next() * sum(weight for _, weight in options)
        for option, weight in options:
            remaining -= weight
            if remaining < 0:
                return option
        return options[-1][0]

    def fill(self, template: str, tables: Mapping[str, Sequence[str]]) -> str:
        """The template with each {slot} replaced by a choice from the table of that name."""
        pieces = _pieces(template)
        if len(pieces) == 1:
            return template
        return "".join(self.pick(tables[piece]) if place % 2 else piece for place, piece in enumerate(pieces))

    def shuffled(self, count: int) -> list[int]:
        """The numbers below count in a random order."""
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order


@cache
def _pieces(template: str) -> tuple[str, ...]:
    return tuple(_SLOT.split(template))


def join(sentences: Sequence[str]) -> str:
    """The sentences as prose: capital letters, full stops and the right indefinite articles."""
    finished = " ".join(sentence[0].upper() + sentence[1:] + "." for sentence in sentences)
    return _ARTICLE.sub(r"\1n ", finished)


def normalise(text: str) -> str:
    """The words of a text in lower case, without punctuation."""
    return " ".join(_WORD.findall(text.lower()))


def check_split(split: str) -> None:
    """Refuses a split name that does not exist."""
    if split not in SIZES:
        allowed = ", ".join(repr(name) for name in SIZES)
        raise ValueError(f"unknown split {split!r}; allowed are {allowed}")


def build_split(
    split: str, seed: int, label_count: int, minimum_words: int, compose: Callable[[Choices, int, bool], str]
) -> tuple[list[str], list[int]]:
    """The texts and labels of one split, where compose writes a text for (choices, label, whether nested)."""
    check_split(split)
    choices = Choices(seed * 10 + _SPLIT_SEEDS[split])
    homes = _HOMES[split]
    nested = split == "compositional"
    size = SIZES[split]
    texts: list[str] = []
    known: set[str] = set()
    while len(texts) < size:
        # The label of a slot is fixed before its text, so rejected texts cannot unbalance the labels.
        text = compose(choices, len(texts) % label_count, nested)
        words = normalise(text)
        if zlib.crc32(words.encode("ascii")) % _HOME_COUNT not in homes or words in known:
            continue
        if not minimum_words <= text.count(" ") + 1 <= MAXIMUM_WORDS:
            continue
        known.add(words)
        texts.append(text)
    order = choices.shuffled(size)
    return [texts[place] for place in order], [place % label_count for place in order]
