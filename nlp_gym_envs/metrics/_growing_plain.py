"""Growing answers in plain Python: where numba is not installed, and where a tokenizer needs the whole text."""

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _growing_formulas as formulas
from . import bleu, chrf


@dataclass(slots=True)
class Answer:
    """One answer as it stands."""

    limits: Sequence[dict[Any, int]] = ()  # how often an n-gram may match, for each reference or all together
    sizes: Sequence[int] = ()  # the length of each reference in units
    right: list[int] = field(default_factory=list)  # matched n-grams, for each of `limits` and each order
    units: list[str] = field(default_factory=list)  # words or characters
    used: dict[Any, int] = field(default_factory=dict)
    part: bytes = b""  # of a character that is not complete
    tail: str = ""  # the text from the last place on where words can be split whatever follows
    kept: int = 0  # how many units are before the tail


class Plain:
    """The engine of `Growing` in Python. `split` is "characters", or one of BLEU's tokenizers "none" and "13a"."""

    def __init__(
        self, metric: Any, split: str, orders: int, references: np.ndarray, pieces: Sequence[bytes], num_rows: int
    ) -> None:
        self.metric, self.split, self.orders, self.references = metric, split, orders, references
        self.pieces = pieces
        self.texts = [whole(piece) for piece in pieces]
        self.settling = {token for token, text in enumerate(self.texts) if text is None or text.split() != [text]}
        self.answers = [Answer() for _ in range(num_rows)]

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> bool:
        """Empty answers; False for an index out of range."""
        if outside(rows, len(self.answers)) or outside(examples, len(self.references)):
            return False
        for row, example in zip(rows.tolist(), examples.tolist(), strict=True):
            limits, sizes = self._reference(self.references[example])
            self.answers[row] = Answer(limits, sizes, [0] * (self.orders * len(limits)))
        return True

    def push(self, rows: np.ndarray, tokens: np.ndarray) -> bool:
        """Append a piece to each; False for an index out of range."""
        if outside(rows, len(self.answers)) or outside(tokens, len(self.pieces)):
            return False
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            answer = self.answers[row]
            self._append(answer, token)
            if self.split == "characters":
                answer.tail, answer.kept = "", len(answer.units)
            elif token in self.settling:
                settle(answer, self._units)
        return True

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The metric of each answer as it stands."""
        return np.array([self._score(self.answers[row]) for row in rows.tolist()], np.float64)

    def would(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray | None:
        """The metric of each answer with each of its candidates appended; None for an index out of range."""
        if outside(rows, len(self.answers)) or outside(tokens, len(self.pieces)):
            return None
        out = np.empty(tokens.shape)
        for number, row in enumerate(rows.tolist()):
            answer = self.answers[row]
            part, tail, last = answer.part, answer.tail, answer.units[answer.kept :]
            for place, token in enumerate(tokens[number].tolist()):
                self._append(answer, token)
                out[number, place] = self._score(answer)
                answer.part, answer.tail = part, tail
                self._exchange(answer, last)
        return out

    def _reference(self, accepted: Any) -> tuple[Sequence[dict[Any, int]], Sequence[int]]:
        if self.orders == chrf.ORDERS:
            every = chrf.reference(accepted)
            return [limits for _, limits in every], [size for size, _ in every]
        limits, sizes = bleu.reference(self.metric.tokenize, accepted)
        return [limits], sizes

    def _append(self, answer: Answer, token: int) -> None:
        text = None if answer.part else self.texts[token]
        if text is None:
            text, used = codecs.utf_8_decode(answer.part + self.pieces[token], "ignore", False)
            answer.part = (answer.part + self.pieces[token])[used:]
        answer.tail += text
        if text:
            self._exchange(answer, self._units(answer.tail))

    def _units(self, text: str) -> Sequence[str]:
        return "".join(text.split()) if self.split == "characters" else bleu.split(self.split, text)

    def _exchange(self, answer: Answer, last: Sequence[str]) -> None:
        """Make the units after the kept ones those in `last`."""
        same = answer.kept
        for old, new in zip(answer.units[same:], last, strict=False):
            if old != new:
                break
            same += 1
        while len(answer.units) > same:
            self._count(answer, -1)
            answer.units.pop()
        for unit in last[same - answer.kept :]:
            answer.units.append(unit)
            self._count(answer, 1)

    def _count(self, answer: Answer, step: int) -> None:
        """Count the n-grams that end with the last unit, or take them back (step -1)."""
        units, used = answer.units, answer.used
        for order in range(min(self.orders, len(units))):
            gram = tuple(units[-order - 1 :]) if self.orders == bleu.ORDERS else "".join(units[-order - 1 :])
            count = used.get(gram, 0)
            known = False
            for number, limits in enumerate(answer.limits):
                if limit := limits.get(gram, 0):
                    known = True
                    answer.right[number * self.orders + order] += step * (count + (step > 0) <= limit)
            if not known:  # then no reference has a longer one that ends with it
                break
            used[gram] = count + step

    def _score(self, answer: Answer) -> float:
        formula = formulas.bleu if self.orders == bleu.ORDERS else formulas.chrf
        return formula(len(answer.units), answer.sizes, answer.right) if answer.sizes else 0.0


class Rescored:
    """The engine of `Growing` for any metric: every text is scored anew."""

    def __init__(self, metric: Any, references: np.ndarray, pieces: Sequence[bytes], num_rows: int) -> None:
        self.metric, self.references, self.pieces = metric, references, pieces
        self.example = np.zeros(num_rows, np.int64)
        self.written = [b""] * num_rows

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> bool:
        """Empty answers; False for an index out of range."""
        if outside(rows, len(self.written)) or outside(examples, len(self.references)):
            return False
        self.example[rows] = examples
        for row in rows.tolist():
            self.written[row] = b""
        return True

    def push(self, rows: np.ndarray, tokens: np.ndarray) -> bool:
        """Append a piece to each; False for an index out of range."""
        if outside(rows, len(self.written)) or outside(tokens, len(self.pieces)):
            return False
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            self.written[row] += self.pieces[token]
        return True

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The metric of each answer as it stands."""
        return self._of([self.written[row] for row in rows.tolist()], rows)

    def would(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray | None:
        """The metric of each answer with each of its candidates appended; None for an index out of range."""
        if outside(rows, len(self.written)) or outside(tokens, len(self.pieces)):
            return None
        every = [self.written[row] + self.pieces[t] for row, some in zip(rows, tokens, strict=True) for t in some]
        return self._of(every, np.repeat(rows, tokens.shape[1])).reshape(tokens.shape)

    def _of(self, written: Sequence[bytes], rows: np.ndarray) -> np.ndarray:
        texts = np.empty(len(written), object)
        texts[:] = [line.decode("utf-8", "ignore").strip() for line in written]
        return self.metric.each(texts, self.references[self.example[rows]])


def settle(answer: Answer, split: Callable[[str], Sequence[str]]) -> None:
    """Cut off the tail what stays as it is whatever follows: all before the last white space that text follows.

    But a dash before a line break is taken out with it, unless the text ends there; "<skipped>" may hide the dash.
    """
    text = answer.tail.rstrip()
    if len(parts := text.rsplit(None, 1)) == 0:
        return
    before = text[: -len(parts[-1])]
    spaces = before[len(before.rstrip()) :]
    if spaces and not ("\n" in spaces and before.rstrip().endswith(("-", ">"))):
        answer.tail = answer.tail[len(before) :]
        answer.kept = len(answer.units) - len(split(answer.tail))


def whole(piece: bytes) -> str | None:
    """The text of a piece, or None where it holds a part of a character."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return None


def outside(indices: np.ndarray, count: int) -> bool:
    """Whether an index is not in 0..count-1."""
    return bool(indices.size) and not (0 <= indices.min() and indices.max() < count)
