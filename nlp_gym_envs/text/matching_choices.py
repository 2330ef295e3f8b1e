"""How well each choice of a question matches the question and its context: computed once for a split, choice by choice.

What is fitted (how telling a word is, which words go together, means and spreads) is fitted on the training split, its
texts alone but for `matching_reading`, which learns from its answers too.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import cache
from .encoding import BOUND, encode
from .examples import Examples, Shared
from .matching import WORD, Ids, Weights, weights
from .matching_association import Association, Questions, association
from .matching_reading import READ, readings
from .matching_words import NEGATIONS, sentences

WORDS = ("in_question", "in_context", "near_context", "window", "exact_link", "sentence_link", "clause_link", "chain",
         "negated", "length",  # see `_Page.features`
         *READ)  # fmt: skip
SENSES = ("question_similarity", "context_similarity", "both_similarity")  # with an encoder: cosines
_NO = frozenset(NEGATIONS.split())
_CLAUSE = re.compile(r"[,;:()–—]+\s|\b(?:and|but|while|whereas|although|though)\b")
LONG = 20  # words from which on a choice counts as long as can be
FORMAT = 3  # of the cached arrays; raise it when the same key would mean other numbers


class ChoiceTable(Shared):
    """The P choices of all questions, one below the other: `matches` (P, F) float32 in [-5, 5], as `names` says.

    Question n has `count[n]` choices from `start[n]` on, both (N,). With an encoder `vectors` (P, 3 d) float32 are the
    question's and the choice's main components and their products, else None. All are standardised by the training
    split and clipped.
    """

    names: tuple[str, ...]

    @staticmethod
    @functools.lru_cache(maxsize=8)
    def of(examples: Examples, train: Examples, encoder: str, dimensions: int) -> "ChoiceTable":
        """Of a split; `encoder` is a spec in JSON, "null" for none; `dimensions` components, 0 for no vectors."""
        made = ChoiceTable(examples, train, json.loads(encoder), dimensions)
        made.recipe = (ChoiceTable.of, (examples, train, encoder, dimensions))
        return made

    def __init__(
        self, examples: Examples, train: Examples, encoder: str | Mapping[str, Any] | None, dimensions: int
    ) -> None:
        self.count = np.array([len(choices) for choices in examples["choices"]], np.int64)
        self.start = np.cumsum(self.count) - self.count
        self.names, self.vectors = (WORDS if encoder is None else (*WORDS, *SENSES)), None
        mine, its = raw_matches(examples, train), raw_matches(train, train)
        if encoder is not None:
            senses, vectors = sense(examples, train, encoder, dimensions)
            its_senses = senses if examples is train else sense(train, train, encoder, dimensions)[0]
            mine, its = np.column_stack((mine, senses)), np.column_stack((its, its_senses))
            self.vectors = vectors if dimensions else None
        self.matches = standardised(mine, its)


def standardised(values: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The columns in standard deviations of `by` from its mean, clipped, float32; a column that never varies is 0."""
    mean, spread = by.mean(0, dtype=np.float64), by.std(0, dtype=np.float64)
    scale = np.where(spread < 1e-6, 0, 1 / np.maximum(spread, 1e-6))
    return np.clip((values - mean) * scale, -BOUND, BOUND).astype(np.float32)


@functools.lru_cache(maxsize=8)
def raw_matches(examples: Examples, train: Examples) -> np.ndarray:
    """(P, 14) float32: see WORDS; kept on disk."""
    key = {
        "what": "how choices match questions",
        "format": FORMAT,
        "fitted on": train.digest,
        "texts": examples.text_digest,
    }

    def make() -> np.ndarray:
        known = weights(train, ("question", "context"))
        ids = Ids(known)
        pages = [_Page(*row, ids) for row in _rows(examples)]
        mine = pages if examples is train else [_Page(*row, Ids(known)) for row in _rows(train)]
        linked = [association(train, side, len(known), lambda side=side: _lesson(mine, side)) for side in SIDES[:2]]
        rows = [row for page in pages for row in page.features(known, *linked)]
        matched = np.array(rows, np.float32).reshape(-1, len(WORDS) - len(READ))
        return np.column_stack((matched, readings(examples, train, known)))

    return cache.array(key, make)


def _rows(examples: Examples) -> Iterator[tuple[str, str, Sequence[str]]]:
    return zip(examples["question"], examples["context"], examples["choices"], strict=True)


def _lesson(pages: "list[_Page]", side: str) -> Questions:
    """What goes with which clause: the questions, or the choices, right and wrong alike."""
    if side == "question":
        return [(page.asked, page.clauses()) for page in pages if page.clauses()]
    return [(choice, page.clauses()) for page in pages if page.clauses() for choice in page.choices]


class _Page:
    """The stems of a question, its choices and its context, the latter in sentences and clauses."""

    def __init__(self, question: str, context: str, choices: Sequence[str], ids: Ids) -> None:
        self.asked = list(dict.fromkeys(ids(WORD.findall(question))))
        self.choices = [list(dict.fromkeys(ids(WORD.findall(choice)))) for choice in choices]
        self.said: list[int] = []
        self.negates: list[bool] = []
        self.sentence_at: list[int] = []  # where each sentence begins, in words
        self.clause_at: list[int] = []
        for start, stop in sentences(context) if context else ():
            spelt = WORD.findall(context, start, stop)
            if not spelt:
                continue
            self.sentence_at.append(len(self.said))
            for clause in _CLAUSE.split(context[start:stop]):
                if words := WORD.findall(clause):
                    self.clause_at.append(len(self.said))
                    self.said += ids(words)
                    self.negates += [word.lower() in _NO for word in words]

    def clauses(self) -> list[list[int]]:
        """The different stems of each clause."""
        edges = [*self.clause_at, len(self.said)]
        return [list(dict.fromkeys(self.said[a:b])) for a, b in zip(edges, edges[1:], strict=False)]

    def features(self, known: Weights, asking: Association, offering: Association) -> list[list[float]]:
        """What words tell of each choice."""
        every = list({*self.asked, *self.said, *(word for choice in self.choices for word in choice)})
        weight = dict(zip(every, known.of(np.array(every, np.int64)).tolist(), strict=True))
        question = _Cover(self.asked, weight, asking, self)
        common = self._common(weight)
        found = []
        for choice in self.choices:
            own = [word for word in choice if word not in self.asked] or choice  # what tells it from the question
            cover = _Cover(own, weight, offering, self)
            total = sum(weight[word] for word in choice)
            sentence, clause = question.sentence * cover.sentence, question.clause * cover.clause
            best = int(clause.argmax()) if len(clause) else -1
            found.append([
                sum(weight[word] for word in choice if word in self.asked) / total if total else 0.0,
                cover.whole_exact,
                cover.whole,
                _window(self.said or self.asked, {*self.asked, *choice}, weight),
                float((question.exact * cover.exact).max(initial=0)),
                float(sentence.max(initial=0)),
                float(clause.max(initial=0)),
                float((question.clause[:, None] * common * cover.clause).max(initial=0)),
                float(best >= 0 and self._negated(best)),
                min(len(choice) / LONG, 1.0),
            ])  # fmt: skip
        return found

    def _common(self, weight: dict[int, float]) -> np.ndarray:
        """(C, C): which share of the lighter one's weight two different clauses have in common."""
        clauses = [set(clause) for clause in self.clauses()]
        total = [sum(weight[word] for word in clause) for clause in clauses]
        found = np.zeros((len(clauses), len(clauses)), np.float32)
        for a, one in enumerate(clauses):
            for b in range(a + 1, len(clauses)):
                if both := one & clauses[b]:
                    share = sum(weight[word] for word in both) / max(min(total[a], total[b]), 1e-6)
                    found[a, b] = found[b, a] = share
        return found

    def _negated(self, clause: int) -> bool:
        edges = [*self.clause_at, len(self.said)]
        return any(self.negates[edges[clause] : edges[clause + 1]])


class _Cover:
    """How much of the weight of some stems each sentence and clause of a context covers, itself or by association."""

    def __init__(self, wanted: list[int], weight: dict[int, float], linked: Association, page: _Page) -> None:
        self.whole = self.whole_exact = 0.0
        self.exact = self.sentence = self.clause = np.zeros(0, np.float32)
        if not wanted or not page.said:
            return
        asked, said = np.array(wanted, np.int64), np.array(page.said, np.int64)
        share = np.array([weight[word] for word in wanted], np.float32)
        share /= max(share.sum(), 1e-6)
        same = (asked[:, None] == said).astype(np.float32)  # (W, S)
        near = linked.strength(np.repeat(asked, len(said)), np.tile(said, len(asked))).reshape(same.shape)
        near = np.maximum(near, same)
        self.exact = share @ np.maximum.reduceat(same, page.sentence_at, axis=1)
        self.sentence = share @ np.maximum.reduceat(near, page.sentence_at, axis=1)
        self.clause = share @ np.maximum.reduceat(near, page.clause_at, axis=1)
        self.whole, self.whole_exact = float(share @ near.max(1)), float(share @ same.max(1))


def _window(said: list[int], wanted: set[int], weight: dict[int, float]) -> float:
    """The greatest share of the wanted weight in a window of the text, as many words wide as there are wanted ones.

    The sliding window of Richardson et al. 2013, "MCTest".
    """
    total = sum(weight[word] for word in wanted)
    if not said or not total:
        return 0.0
    worth = [weight[word] if word in wanted else 0.0 for word in said]
    width = min(len(wanted), len(said))
    inside = best = sum(worth[:width])
    for coming, going in zip(worth[width:], worth, strict=False):
        inside += coming - going
        best = max(best, inside)
    return min(best / total, 1.0)


def sense(
    examples: Examples, train: Examples, encoder: str | Mapping[str, Any], dimensions: int
) -> tuple[np.ndarray, np.ndarray]:
    """By an encoder: cosines of each choice with question, context and both (P, 3); vectors (P, 3 d)."""
    question, choice, context, both = (_side(examples, train, side, encoder) for side in SIDES)
    row = np.repeat(np.arange(len(examples)), [len(choices) for choices in examples["choices"]])  # (P,)
    cosines = np.stack([(_unit(side)[row] * _unit(choice)).sum(1) for side in (question, context, both)], axis=1)
    if not dimensions:
        return cosines, np.zeros((len(row), 0), np.float32)
    axes = _axes(train, json.dumps(encoder, sort_keys=True), dimensions)  # (D, d)

    def components(asked: np.ndarray, offered: np.ndarray, where: np.ndarray) -> np.ndarray:
        asked, offered = (_unit(asked) @ axes)[where], _unit(offered) @ axes
        return np.column_stack((asked, offered, asked * offered))

    its_row = np.repeat(np.arange(len(train)), [len(choices) for choices in train["choices"]])
    its = components(_side(train, train, "question", encoder), _side(train, train, "choices", encoder), its_row)
    return cosines, standardised(components(question, choice, row), its)


SIDES = ("question", "choices", "context", "text")


def _side(examples: Examples, train: Examples, side: str, encoder: str | Mapping[str, Any]) -> np.ndarray:
    """The vectors of one side of all questions: (N, D), of the choices (P, D)."""
    return encode(_texts(examples, side), _texts(train, side), encoder).vectors


@functools.lru_cache(maxsize=32)
def _texts(examples: Examples, side: str) -> Examples:
    """One side of all questions as examples of their own."""
    values = examples[side]
    texts = [choice for choices in values for choice in choices] if side == "choices" else values.tolist()
    return Examples({"text": texts}, np.zeros(len(texts), np.int64))


@functools.lru_cache(maxsize=8)
def _axes(train: Examples, encoder: str, dimensions: int) -> np.ndarray:
    """The main axes of the training questions and choices, (D, d), each with its largest number positive."""
    sides = [_unit(_side(train, train, side, json.loads(encoder))) for side in SIDES[:2]]
    spread: Any = sum((side - side.mean(0)).T @ (side - side.mean(0)) / len(side) for side in sides)
    axes = np.linalg.eigh(spread.astype(np.float64))[1][:, ::-1][:, :dimensions]
    return (axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1; 0 stays 0."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
