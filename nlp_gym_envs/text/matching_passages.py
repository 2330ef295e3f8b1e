"""Passages as words and sentences, and how well each sentence matches its question: computed once for a split.

A sentence of more than `longest` words is cut into pieces of about equal length; of a passage with many pieces those
that match the question best are candidates. No answer is looked at.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import cache
from .encoding import encode
from .examples import Examples, Shared
from .matching import WORD, Ids, Weights, weights
from .matching_association import Association, Questions, association
from .matching_words import FLAG, FLAGS, looks, sentences, suits, type_of

SEEN = ("there", "match", "overlap", "match_margin", "overlap_margin", "pairs", "missed", "names", "suits", "position",
        "length", "negation", "before", "best")  # fmt: skip  # of a sentence; see `_features`
FORMAT = 2  # of the cached arrays; raise it when the same key would mean other numbers
BLOCK = 2_000  # examples at a time
LONG = 40  # words of a sentence from which on it counts as long as can be
STOPS = ",;:.!?()–—"
NO_WORD = -1  # stands where a question has no more words


class Words(Shared):
    """The words of all passages, one below the other, and where their pieces are.

    Per word (T,): `begin`, `end` in characters of the passage, `stem`; `flags` (T, 15) bool, see `matching_words`.
    Per piece (R,): `first` word, `count` of words, `place` in the passage, 0 to 1. Per passage (P,):
    `first_piece` and how many `pieces`.
    """

    def __init__(self, passages: list[str], ids: Ids, longest: int) -> None:
        begin: list[int] = []
        end: list[int] = []
        stem: list[int] = []
        flags: list[np.ndarray] = []
        opens: list[int] = []
        closes: list[int] = []
        first: list[int] = []
        count: list[int] = []
        place: list[float] = []
        pieces: list[int] = []
        for text in passages:
            before = len(first)
            for start, stop in sentences(text):
                found = list(WORD.finditer(text, start, stop))
                if not found:
                    continue
                opens.append(len(begin))
                for at, size in _cut(len(found), longest):
                    first.append(len(begin) + at)
                    count.append(size)
                begin += [word.start() for word in found]
                end += [word.end() for word in found]
                stem += ids([word.group() for word in found])
                flags += [looks(word.group()) for word in found]
                ends = [word.end() for word in found]
                following = [*(word.start() for word in found[1:]), len(text)]
                closes += [any(sign in STOPS for sign in text[a:b]) for a, b in zip(ends, following, strict=True)]
            pieces.append(len(first) - before)
            place += [at / max(pieces[-1] - 1, 1) for at in range(pieces[-1])]
        self.begin, self.end, self.stem = (np.array(values, np.int32) for values in (begin, end, stem))
        self.flags = np.array(flags, bool).reshape(len(begin), len(FLAGS))
        self.flags[opens, FLAG["first"]] = True
        self.flags[:, FLAG["ends"]] = closes
        self.first, self.count = np.array(first, np.int32), np.array(count, np.int32)
        self.place, self.pieces = np.array(place, np.float32), np.array(pieces, np.int32)
        self.first_piece = (np.cumsum(self.pieces) - self.pieces).astype(np.int32)


def _cut(words: int, longest: int) -> Iterator[tuple[int, int]]:
    """Pieces of a sentence: where each begins and how many words it has; as few as can be, of about equal length."""
    parts = -(-words // longest)
    edges = [words * part // parts for part in range(parts + 1)]
    yield from ((a, b - a) for a, b in zip(edges, edges[1:], strict=False))


class Passages(Shared):
    """What is known of each question and its passage.

    `words`; `passage` (N,) which one each question is about; `kind` (N,) the type of answer it asks for; `asked`
    (N, Q) its stems, NO_WORD behind them, and `weight` (N, Q) how telling they are, which adds up to 1; `candidates`
    (N, S) pieces, best match first, -1 behind them; `seen` (N, S, 14) float32 in [-1, 1], see SEEN; `answers`
    (N, S, 2) how likely each is to answer.
    """

    @staticmethod
    @functools.lru_cache(maxsize=8)
    def of(examples: Examples, train: Examples, most: int, longest: int, encoder: str = "null") -> "Passages":
        """Of a split: at most `most` candidates a passage, of at most `longest` words; `encoder` is a spec in JSON."""
        made = Passages(examples, train, most, longest)
        made.answers = made.answering(train)
        if encoder != "null":
            made.similarity = made.similarities(train, json.loads(encoder))
        made.recipe = (Passages.of, (examples, train, most, longest, encoder))
        return made

    def __init__(self, examples: Examples, train: Examples, most: int, longest: int) -> None:
        self.examples = examples
        self.contexts, self.questions_text = examples["context"], examples["question"]
        self.similarity: np.ndarray | None = None  # (N, S) cosines of candidates and questions, with an encoder
        self.settings, self.answers = (most, longest), np.zeros((0, 0, 2), np.float32)
        self.known = known = weights(train, ("context", "question"))
        ids = Ids(known)
        place: dict[str, int] = {}
        self.passage = np.array([place.setdefault(text, len(place)) for text in examples["context"]], np.int32)
        self.words = Words(list(place), ids, longest)
        self.kind = np.array([type_of(question) for question in examples["question"]], np.int32)
        self._questions(examples, ids, known)

        def teach() -> Questions:
            return (self if examples is train else taught(train, most, longest)).questions()

        key = {"format": FORMAT, "most": most, "longest": longest, "fitted on": train.text_digest}
        key["texts"] = examples.text_digest
        found = cache.array(
            {"what": "spans that may answer", **key},
            lambda: self._matched(association(train, "question", len(known), teach), known, most),
        )  # (N, S, 1 + 14): which piece, and what is seen of it
        self.candidates, self.seen = found[..., 0].astype(np.int32), found[..., 1:]

    def _questions(self, examples: Examples, ids: Ids, known: Weights) -> None:
        """Stems, weights and names of the questions."""
        spelt = [WORD.findall(question) for question in examples["question"]]
        stems = [ids(words) for words in spelt]
        longest = max(1, *map(len, stems))
        self.asked = np.full((len(stems), longest), NO_WORD, np.int32)
        self.is_name = np.zeros((len(stems), longest), bool)  # (N, Q) capitals and numbers, but for the first word
        repeated = np.zeros((len(stems), longest), bool)
        for row, (words, found) in enumerate(zip(spelt, stems, strict=True)):
            self.asked[row, : len(found)] = found
            self.is_name[row, : len(found)] = [at > 0 and not word[0].islower() for at, word in enumerate(words)]
            repeated[row, : len(found)] = [word in found[:at] for at, word in enumerate(found)]
        telling = np.where((self.asked != NO_WORD) & ~repeated, known.of(self.asked), 0)
        self.weight = (telling / np.maximum(telling.sum(1, keepdims=True), 1e-6)).astype(np.float32)

    def text(self, example: int, rank: int, first: int = 0, last: int | None = None) -> str:
        """The text of a candidate, or from its word `first` to its word `last`, both counted within it."""
        words, piece = self.words, self.candidates[example, rank]
        start = words.first[piece]
        stop = start + (words.count[piece] - 1 if last is None else last)
        return self.contexts[example][words.begin[start + first] : words.end[stop]]

    def similarities(self, train: Examples, encoder: Any) -> np.ndarray:
        """(N, S) float32: the cosine of each candidate and its question, 0 where there is none."""
        example, rank = np.nonzero(self.candidates >= 0)
        pieces = [self.text(n, k) for n, k in zip(example.tolist(), rank.tolist(), strict=True)]
        texts = Examples({"text": [*pieces, *self.questions_text]}, np.zeros(len(pieces) + len(self.questions_text)))
        asked = Examples({"text": train["question"]}, np.zeros(len(train)))
        vectors = encode(texts, asked, encoder).vectors
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        found = np.zeros(self.candidates.shape, np.float32)
        found[example, rank] = np.clip((vectors[: len(pieces)] * vectors[len(pieces) :][example]).sum(1), -1, 1)
        return found

    def answering(self, train: Examples) -> np.ndarray:
        """(N, S, 2) float32 in (-1, 1): tanh (l / 4) and tanh (d / 4), 0 where there is no candidate.

        l are the log odds that a candidate answers its question, see `matching_relations`, d what they are above those
        of the best other candidate.
        """
        from .matching_relations import FORMAT, answering

        def odds_of() -> np.ndarray:
            learned = self if self.examples is train else taught(train, *self.settings)
            return answering(self.examples, train, self, learned, key)

        key = {"settings": self.settings, "taught": train.digest}
        named = {"what": "which sentences answer", "format": FORMAT, **key, "texts": self.examples.text_digest}
        odds = cache.array(named, odds_of)
        example, rank = np.nonzero(self.candidates >= 0)
        flat, found = odds[example, rank], np.zeros((*odds.shape, 2), np.float32)
        found[example, rank] = np.tanh(np.column_stack((flat, flat - _best_other(flat, example))) / 4)
        return found

    def questions(self) -> Questions:
        """Each question's different stems, and those of each piece of its passage, for learning."""
        words = self.words
        pieces = [list(dict.fromkeys(words.stem[at : at + size].tolist()))
                  for at, size in zip(words.first.tolist(), words.count.tolist(), strict=True)]  # fmt: skip
        found = []
        for row, passage in enumerate(self.passage.tolist()):
            first = words.first_piece[passage]
            asked = [stem for stem in dict.fromkeys(self.asked[row].tolist()) if stem != NO_WORD]
            found.append((asked, pieces[first : first + words.pieces[passage]]))
        return found

    def _matched(self, linked: Association, known: Weights, most: int) -> np.ndarray:
        """(N, S, 1 + 14) float32: the candidates, best first, and what is seen of each."""
        found = np.zeros((len(self.passage), most, 1 + len(SEEN)), np.float32)
        found[..., 0] = -1
        for at in range(0, len(self.passage), BLOCK):
            rows = np.arange(at, min(at + BLOCK, len(self.passage)))
            pieces = self.words.pieces[self.passage[rows]]
            example = np.repeat(rows, pieces)  # (R,) of each piece of each question's passage
            number = np.arange(len(example)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
            piece = self.words.first_piece[self.passage[example]] + number
            seen = self._features(example, piece, linked)
            order = np.lexsort((number, -seen[:, SEEN.index("overlap")], -seen[:, SEEN.index("match")], example))
            kept = number < most  # of the sorted rows: `number` counts within each example, whatever the order
            column = number[kept]
            chosen = order[kept]
            found[example[chosen], column, 0] = piece[chosen]
            found[example[chosen], column, 1:] = seen[chosen]
        return found

    def _features(self, example: np.ndarray, piece: np.ndarray, linked: Association) -> np.ndarray:
        """What is seen of pieces (R,) for the questions (R,) of one block; rows of one question are neighbours."""
        words, total = self.words, len(piece)
        row = np.repeat(np.arange(total), words.count[piece])  # (E,) of each word of each piece
        word = np.arange(len(row)) - np.repeat(np.cumsum(words.count[piece]) - words.count[piece], words.count[piece])
        word += words.first[piece][row]
        asked, weight = self.asked[example], self.weight[example]  # (R, Q)
        own, linking = np.zeros(asked.shape, np.float32), np.zeros(asked.shape, np.float32)
        in_question = np.zeros(len(row), bool)  # (E,)
        position = np.zeros((len(row), asked.shape[1]), bool) if asked.shape[1] <= 64 else None
        for column in range(asked.shape[1]):
            here = np.flatnonzero(asked[row, column] != NO_WORD)
            same = here[asked[row[here], column] == words.stem[word[here]]]
            own[row[same], column] = 1
            in_question[same] = True
            if position is not None:
                position[same, column] = True
            rest = here[(own[row[here], column] == 0) & (weight[row[here], column] > 0)]
            strength = linked.strength(
                asked[row[rest], column].astype(np.int64), words.stem[word[rest]].astype(np.int64)
            )
            np.maximum.at(linking[:, column], row[rest], strength)
        covered = np.maximum(own, linking)
        flags = words.flags[word]
        before = np.vstack((flags[:1] & False, flags[:-1]))
        looks_right = suits(flags, before, self.kind[example[row]]) * ~in_question
        best_look, negated = np.zeros(total, np.float32), np.zeros(total, np.float32)
        np.maximum.at(best_look, row, looks_right)
        np.maximum.at(negated, row, flags[:, FLAG["negation"]].astype(np.float32))
        adjacent = np.zeros(total, np.float32)
        if position is not None and len(row) > 1:
            both = position[:-1, :-1] & position[1:, 1:] & (row[:-1] == row[1:])[:, None]
            np.add.at(adjacent, row[:-1], both.any(1))
        asked_words = np.maximum((asked != NO_WORD).sum(1) - 1, 1)
        name = self.is_name[example]
        match, overlap = (weight * covered).sum(1), (weight * own).sum(1)
        best = _best_other(match, example)
        length = np.minimum(words.count[piece] / LONG, 1)
        previous = np.where(np.diff(example, prepend=-1) == 0, np.roll(overlap, 1), 0)
        return np.column_stack((
            np.ones(total),
            match,
            overlap,
            match - best,
            overlap - _best_other(overlap, example),
            np.minimum(adjacent / asked_words, 1),
            (weight * (1 - covered)).max(1),
            (own * name).sum(1) / np.maximum(name.sum(1), 1),
            best_look,
            words.place[piece],
            length,
            negated,
            previous,
            match >= best,
        )).astype(np.float32)  # fmt: skip


@functools.lru_cache(maxsize=2)
def taught(train: Examples, most: int, longest: int) -> Passages:
    """The training split's passages, for what is learned of them: without what is said of their own sentences."""
    return Passages(train, train, most, longest)


def _best_other(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The greatest value among the others of its group, (R,); 0 where there is no other."""
    order = np.lexsort((-values, group))
    ordered, starts = values[order], np.flatnonzero(np.diff(group[order], prepend=-1))
    size = np.diff(np.append(starts, len(order)))
    best = np.repeat(ordered[starts], size)
    second = np.repeat(np.where(size > 1, ordered[np.minimum(starts + 1, len(order) - 1)], 0), size)
    others = np.empty(len(values))
    is_first = np.zeros(len(values), bool)
    is_first[starts] = True
    others[order] = np.where(is_first, second, best)
    return others
