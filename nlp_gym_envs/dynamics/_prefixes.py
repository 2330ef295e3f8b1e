"""Sources word by word: where each word ends, and every prefix as a model reads it."""

import functools
from typing import Any

import numpy as np

from ..errors import BadArgument
from ..text.examples import Examples, Shared

STOPS, PAUSES = ".!?…。！？", ",;:–—、，；："  # what a word that ends a sentence or a clause ends in


class Prefixes(Shared):
    """The prefixes of a split's texts as token ids, encoded when an example is first needed.

    `count` (N,) is how many words each text has, at least 1: an empty text is a word that is empty.
    """

    def __init__(self, examples: Examples, model: Any, form: str, longest: int) -> None:
        if "{text}" not in form:
            raise BadArgument(f"prompt must have {{text}} in it, where what was read goes; got {form!r}.")
        self.texts: list[str] = examples["text"].tolist()
        self.model, self.form, self.longest = model, form, longest
        self.count = np.array([max(1, len(text.split())) for text in self.texts], np.int64)
        self.ends = np.full(len(examples), None, object)  # of each text, (words,) characters up to each word's end
        self.marks = np.full(len(examples), None, object)  # (words,): 2 a stop, 1 a pause, 0 neither
        self.ids = np.full(len(examples), None, object)  # a list of lists of ids, one for each number of words

    def prepare(self, examples: np.ndarray) -> None:
        """Encode the prefixes of some examples, where that is not done."""
        new = [example for example in examples.tolist() if self.ids[example] is None]
        for example in new:
            self.ends[example] = ends = word_ends(self.texts[example])
            last = [self.texts[example][end - 1 : end] or " " for end in ends.tolist()]
            self.marks[example] = np.array([2 * (c in STOPS) + (c in PAUSES) for c in last])
        pairs = [(self.texts[example], end) for example in new for end in self.ends[example]]
        asked = [self.form.replace("{text}", text[:end]) for text, end in pairs]
        ids = iter(self.model.encode(asked, self.longest))
        for example in new:
            self.ids[example] = [next(ids) for _ in self.ends[example]]

    def of(self, examples: np.ndarray, words: np.ndarray) -> list[list[int]]:
        """The ids of the first `words` (B,) words of each of `examples` (B,), which are prepared."""
        every: Any = self.ids
        return [every[e][w - 1] for e, w in zip(examples.tolist(), words.tolist(), strict=True)]

    def read(self, example: int, words: int) -> str:
        """The first words of a text, as they stand in it."""
        return self.texts[example][: self.ends[example][words - 1]]


@functools.lru_cache(maxsize=8)
def prefixes(examples: Examples, model: Any, form: str, longest: int) -> Prefixes:
    """The prefixes of a split for a model, one for all who ask for the same."""
    made = Prefixes(examples, model, form, longest)
    made.recipe = (prefixes, (examples, model, form, longest))
    return made


def word_ends(text: str) -> np.ndarray:
    """Where each word of a text ends in it, in characters, (words,); of an empty text [0]."""
    ends, at = [], 0
    for word in text.split():
        at = text.index(word, at) + len(word)
        ends.append(at)
    return np.array(ends or [0], np.int64)
