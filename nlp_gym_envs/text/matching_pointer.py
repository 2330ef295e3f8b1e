"""The candidates of each stage of a span pointer: best first by a rule, with what an agent sees of each.

The rules look at words alone and are written by hand; nothing is fitted.
"""

import functools
import re

import numpy as np

from .examples import Examples
from .matching_passages import NO_WORD, SEEN, Passages
from .matching_words import FLAG, TYPES, suits, type_of

FEATURES = 18  # of a candidate at any stage
ANSWERS = len(SEEN) + 1  # where it stands how likely a sentence is to answer; before it the encoder's cosine
NEAR = 4  # words before and behind in which question words count as near
OPENINGS = ("to whom", "from whom", "by wh", "in wh", "name ")
Point = tuple[np.ndarray, np.ndarray, np.ndarray]


@functools.lru_cache(maxsize=8)
def question_features(examples: Examples) -> np.ndarray:
    """(N, 13) float32 in [0, 1]: the type asked for, how the question begins, its length over 30 words."""
    found = np.zeros((len(examples), len(TYPES) + len(OPENINGS) + 1), np.float32)
    for row, question in zip(found, examples["question"], strict=True):
        row[type_of(question)] = 1
        lower = question.lower()
        row[len(TYPES) : -1] = [lower.startswith(opening) for opening in OPENINGS]
        row[-1] = min(len(re.findall(r"\w+", question)) / 30, 1)
    return found


class Pointer:
    """The candidates of B rows at a stage: what is seen (B, W, 18), which are there (B, W), what each is (B, W)."""

    def __init__(self, passages: Passages, width: int, longest: int) -> None:
        self.passages, self.width, self.longest = passages, width, longest

    def sentences(self, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is seen of the sentences, and which are there; they are in order already."""
        seen = np.zeros((len(examples), self.width, FEATURES), np.float32)
        found = self.passages.seen[examples]
        seen[:, : found.shape[1], : len(SEEN)] = found
        if self.passages.similarity is not None:
            seen[:, : found.shape[1], len(SEEN)] = self.passages.similarity[examples]
        seen[:, : found.shape[1], ANSWERS : ANSWERS + 2] = self.passages.answers[examples]
        there = np.zeros((len(examples), self.width), bool)
        there[:, : found.shape[1]] = self.passages.candidates[examples] >= 0
        return seen, there

    def first_words(self, examples: np.ndarray, chosen: np.ndarray) -> Point:
        """The words of the sentences taken, `chosen[:, 0]`, as first words of the span."""
        sentence = _Sentence(self.passages, examples, chosen[:, 0], self.width)
        near_before, near_behind = sentence.near()
        rule = (
            1.2 * sentence.look
            + 0.6 * sentence.new
            - 0.8 * sentence.flag("function")
            + 0.8 * np.maximum(near_before, near_behind)
            - 0.7 * sentence.runs_on
            - 0.8 * sentence.negated
            + 0.1 * sentence.before("article")
        )
        features = (
            np.clip(rule / 2, -1, 1), sentence.look, sentence.new, near_before, near_behind, sentence.closeness(),
            sentence.flag("capital"), sentence.flag("digits"), sentence.flag("function"), sentence.runs_on,
            sentence.before("agent"), sentence.before("goal"), sentence.before("place"), sentence.negated,
            sentence.before("article"), sentence.place, sentence.weight,
        )  # fmt: skip
        return _sorted(rule, features, sentence.there, np.arange(self.width))

    def last_words(self, examples: np.ndarray, chosen: np.ndarray) -> Point:
        """The words from `chosen[:, 1]` on, as last words of the span."""
        sentence = _Sentence(self.passages, examples, chosen[:, 0], self.width)
        at = chosen[:, 1, None] + np.arange(self.longest)  # (B, L)
        inside = at < sentence.size[:, None]
        at = np.minimum(at, sentence.size[:, None] - 1)
        row = np.arange(len(examples))[:, None]

        def own(values: np.ndarray) -> np.ndarray:
            return values[row, at]

        def following(values: np.ndarray) -> np.ndarray:
            return np.where(at + 1 < sentence.size[:, None], values[row, np.minimum(at + 1, self.width - 1)], 0)

        ends = np.maximum(own(sentence.flag("ends")), at + 1 >= sentence.size[:, None])
        breaks = np.cumsum(own(sentence.flag("ends")), 1) - own(sentence.flag("ends"))  # commas inside
        repeats = np.cumsum(1 - own(sentence.new), 1)  # question words inside
        goes_on = own(sentence.alike)  # the next word is of the same kind
        function, next_function = own(sentence.flag("function")), following(sentence.flag("function"))
        length = np.arange(1, self.longest + 1) / self.longest
        boundary = np.maximum.reduce((ends, next_function, 1 - following(sentence.new)))
        rule = (
            boundary
            - goes_on
            - 1.5 * function
            - 0.6 * np.minimum(breaks, 2)
            - 0.3 * np.minimum(repeats, 3)
            - 0.3 * length
        )
        features = (
            np.clip(rule / 3, -1, 1), np.broadcast_to(length, at.shape), ends, boundary, goes_on, function,
            next_function,
            own(sentence.look), own(sentence.new), following(sentence.new), own(sentence.flag("capital")),
            following(sentence.flag("capital")), own(sentence.flag("digits")), following(sentence.flag("digits")),
            np.minimum(breaks / 3, 1), np.minimum(repeats / 3, 1), following(sentence.flag("place")),
        )  # fmt: skip
        return _sorted(rule, features, inside, at, self.width)


class _Sentence:
    """What is known of the words of one candidate of each row, all (B, W)."""

    def __init__(self, passages: Passages, examples: np.ndarray, rank: np.ndarray, width: int) -> None:
        words, piece = passages.words, passages.candidates[examples, rank]
        self.size = words.count[piece]  # (B,)
        column = np.arange(width)
        self.there = column < self.size[:, None]
        at = words.first[piece][:, None] + np.minimum(column, self.size[:, None] - 1)
        stem, self.flags = words.stem[at], words.flags[at]
        asked = passages.asked[examples]  # (B, Q)
        same = (stem[:, :, None] == asked[:, None, :]) & (asked != NO_WORD)[:, None, :]  # (B, W, Q)
        self.shared = (same * passages.weight[examples][:, None, :]).sum(2) * self.there  # weight in the question
        self.new = (~same.any(2)).astype(np.float32)
        self.weight = np.where(stem < len(passages.known), passages.known.of(stem), np.float32(1))
        self.previous = np.zeros_like(self.flags)
        self.previous[:, 1:] = self.flags[:, :-1]
        asked_for = np.broadcast_to(passages.kind[examples][:, None], stem.shape)
        self.look = suits(self.flags, self.previous, asked_for)
        name = self.flag("capital") * (1 - self.flag("function"))
        amount = np.maximum(self.flag("digits"), self.flag("number"))
        self.alike = np.zeros(stem.shape, np.float32)  # this word and the next are parts of one name or number
        unbroken = (1 - self.flag("ends"))[:, :-1] * self.there[:, 1:]
        self.alike[:, :-1] = (
            np.maximum(name[:, :-1] * name[:, 1:], amount[:, :-1] * (1 - self.flag("function")[:, 1:])) * unbroken
        )
        self.runs_on = np.zeros_like(self.alike)
        self.runs_on[:, 1:] = name[:, :-1] * name[:, 1:] * unbroken
        refusal = self.flag("negation")
        self.negated = np.zeros_like(refusal)
        for back in (1, 2):
            self.negated[:, back:] = np.maximum(self.negated[:, back:], refusal[:, :-back])
        self.place = np.broadcast_to((column / width).astype(np.float32), stem.shape)

    def flag(self, name: str) -> np.ndarray:
        """Whether each word has a flag."""
        return self.flags[..., FLAG[name]].astype(np.float32)

    def before(self, name: str) -> np.ndarray:
        """Whether the word before each has a flag."""
        return self.previous[..., FLAG[name]].astype(np.float32)

    def near(self) -> tuple[np.ndarray, np.ndarray]:
        """The weight of question words just before and just behind each word."""
        total = np.cumsum(self.shared, 1)
        total = np.concatenate((np.zeros((len(total), 1), total.dtype), total), 1)  # (B, W + 1)
        width = self.shared.shape[1]
        column = np.arange(width)
        before = total[:, column] - total[:, np.maximum(column - NEAR, 0)]
        behind = total[:, np.minimum(column + 1 + NEAR, width)] - total[:, column + 1]
        return np.clip(before, 0, 1), np.clip(behind, 0, 1)

    def closeness(self) -> np.ndarray:
        """1 beside a telling question word, less with the distance, 0 without any."""
        column = np.arange(self.shared.shape[1])
        telling = (self.shared > 0) & (self.flag("function") == 0)
        last = np.maximum.accumulate(np.where(telling, column, -99), 1)
        coming = np.minimum.accumulate(np.where(telling, column, 999)[:, ::-1], 1)[:, ::-1]
        return 1 / np.maximum(np.minimum(column - last, coming - column), 1) * telling.any(1)[:, None]


def _sorted(
    rule: np.ndarray, features: tuple[np.ndarray, ...], there: np.ndarray, what: np.ndarray, width: int = 0
) -> Point:
    """The candidates best first, and zeros behind them."""
    order = np.argsort(np.where(there, -rule, np.inf), axis=1, kind="stable")
    rows, columns = rule.shape
    width = max(width, columns)
    seen = np.zeros((rows, width, FEATURES), np.float32)
    stacked = np.stack((there, *features), axis=-1) * there[..., None]
    seen[:, :columns, : stacked.shape[-1]] = np.take_along_axis(stacked, order[..., None], 1)
    is_there, meant = np.zeros((rows, width), bool), np.full((rows, width), -1)
    is_there[:, :columns] = np.take_along_axis(there, order, 1)
    meant[:, :columns] = np.take_along_axis(np.broadcast_to(what, rule.shape), order, 1)
    meant[~is_there] = -1
    return seen, is_there, meant
