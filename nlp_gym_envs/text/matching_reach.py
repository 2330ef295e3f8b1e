"""The token F1 of every span of a passage's candidates: what can still be reached from where a pointer stands."""

import functools
from collections import Counter

import numpy as np

from .examples import Examples, Shared
from .matching_passages import Passages

SENTENCE, LAST = 0, 2  # stages
MEMORY = 2**14  # examples whose spans are kept: some 60 MB


class Reach(Shared):
    """The best F1 that a choice leaves within reach, and the step that keeps it; of one example at a time, kept.

    The F1 is that of `metrics.f1`, word for word; where punctuation ties words together it may differ a little.
    """

    @staticmethod
    @functools.lru_cache(maxsize=8)
    def of(examples: Examples, passages: Passages, longest: int) -> "Reach":
        """Of a split, for spans of at most `longest` words."""
        made = Reach(examples, passages, longest)
        made.recipe = (Reach.of, (examples, passages, longest))
        return made

    def __init__(self, examples: Examples, passages: Passages, longest: int) -> None:
        self.target, self.passages, self.longest = examples.target, passages, longest
        self._spans = functools.lru_cache(maxsize=MEMORY)(self._scored)

    def best(self, example: int, stage: int, chosen: np.ndarray, can_refuse: bool) -> float:
        """The best F1 that is left, in [0, 1]."""
        each, refusal = self.each(example, stage, chosen, can_refuse)
        return max(float(each.max(initial=0)), refusal)

    def step(self, example: int, stage: int, chosen: np.ndarray, can_refuse: bool) -> int:
        """The sentence, first or last word that leaves the best within reach; -1 for "no answer"."""
        each, refusal = self.each(example, stage, chosen, can_refuse)
        if not len(each) or refusal > each.max():
            return -1
        return int(each.argmax()) + (int(chosen[1]) if stage == LAST else 0)

    def each(self, example: int, stage: int, chosen: np.ndarray, can_refuse: bool) -> tuple[np.ndarray, float]:
        """The best F1 that each sentence, first word, or length of the span leaves, (n,), and that of "no answer".

        `chosen` (3,) the sentence and first word taken before.
        """
        spans, unanswerable = self._spans(int(example)), not any(self.target[example])  # (S, W, L)
        if stage == SENTENCE:
            return spans.max((1, 2), initial=0), float((can_refuse or not spans.size) and unanswerable)
        left = spans[int(chosen[0])]
        return (left[int(chosen[1])] if stage == LAST else left.max(1, initial=0)), 0.0

    def _scored(self, example: int) -> np.ndarray:
        """(S, W, L) float32: the F1 of the span of l + 1 words from word w of candidate s; 0 where there is none."""
        from ..metrics._texts import normal, normal_targets

        passages, words = self.passages, self.passages.words
        pieces = [piece for piece in passages.candidates[example].tolist() if piece >= 0]
        sizes = [int(words.count[piece]) for piece in pieces]
        found = np.zeros((len(pieces), max(sizes, default=0), self.longest), np.float32)
        context = passages.contexts[example]
        wanted = [Counter(text.split()) for text in normal_targets(self.target[example]) if text]
        for number, (piece, size) in enumerate(zip(pieces, sizes, strict=True)):
            at = range(words.first[piece], words.first[piece] + size)
            said = [normal(context[words.begin[word] : words.end[word]]).split() for word in at]
            for counts in wanted:
                if any(token in counts for tokens in said for token in tokens):
                    np.maximum(found[number, :size], _overlaps(said, counts, self.longest), out=found[number, :size])
        return found


def _overlaps(said: list[list[str]], wanted: Counter[str], longest: int) -> np.ndarray:
    """(W, L) float32: the F1 of each span of some words, given as their tokens, against the tokens wanted."""
    size = len(said)
    first = np.arange(size)[:, None]
    stop = first + np.arange(1, longest + 1)  # (W, L)
    inside = stop <= size
    stop = np.minimum(stop, size)
    length = np.cumsum([0, *map(len, said)])
    shared = np.zeros(stop.shape)
    for token, count in wanted.items():
        seen = np.cumsum([0, *(tokens.count(token) for tokens in said)])
        shared += np.minimum(seen[stop] - seen[first], count)
    return np.where(inside, 2 * shared / (length[stop] - length[first] + wanted.total()), 0).astype(np.float32)
