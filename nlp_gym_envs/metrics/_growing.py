"""Sentence BLEU and chrF of many answers that grow piece by piece, without scoring them anew at each."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadArgument
from ._texts import checked
from .bleu import BLEU
from .chrf import CHRF

INT64 = np.dtype(np.int64)


class Growing:
    """The metric of `num_rows` unfinished answers: after each piece what `metric.each` would say, to 1e-9.

    The text of a row is `b"".join(its pieces).decode("utf-8", "ignore").strip()`: a piece may be a part of a word or of
    a character, several words, or nothing. A piece that changes the last word (and what "13a" splits off it) takes back
    the n-grams of the old one; words before the last white space are not looked at again.

    `references` (N,) object holds the accepted texts of each example, a tuple of str; `pieces` what each of the V
    tokens appends; `longest` how many tokens an answer usually has at most: room is set aside for so many, and made for
    more. Compiled by numba where it is installed (`compiled` chooses), else in Python. Compiling takes seven seconds of
    processor time in each process, or in the first alone where `cache` names a folder to keep the machine code in. A
    metric other than chrF and BLEU with the tokenizer "13a", "none" or "char" is scored anew each time.

    Raises BadData for references that are no tuples of texts, BadArgument for an index out of range.
    """

    def __init__(
        self,
        metric: Any,
        references: np.ndarray,
        pieces: Sequence[bytes],
        num_rows: int,
        longest: int,
        compiled: bool | None = None,
        cache: Path | None = None,
    ) -> None:
        for accepted in references:
            checked(accepted)
        self.about = f"rows are 0..{num_rows - 1}, examples 0..{len(references) - 1}, tokens 0..{len(pieces) - 1}."
        self.engine = engine_of(metric, references, list(pieces), num_rows, longest, compiled, cache)

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        """Empty answers in `rows` (B,) to `examples` (B,)."""
        if not self.engine.begin(integers(rows), integers(examples)):
            raise BadArgument(f"a row or an example is out of range: {self.about}")

    def push(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Append `pieces[token]` to each of `rows`, (B,) both."""
        if not self.engine.push(integers(rows), integers(tokens)):
            raise BadArgument(f"a row or a token is out of range: {self.about}")

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The metric of each answer as it stands, (B,) in [0, 1]."""
        return self.engine.scores(integers(rows))

    def would(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """What the scores were if each of `tokens` (B, k) were pushed, (B, k); nothing is changed."""
        found = self.engine.would(integers(rows), integers(tokens))
        if found is None:
            raise BadArgument(f"a row or a token is out of range: {self.about}")
        return found


def engine_of(
    metric: Any,
    references: np.ndarray,
    pieces: list[bytes],
    num_rows: int,
    longest: int,
    compiled: bool | None,
    cache: Path | None,
) -> Any:
    """The quickest engine that can: compiled, in Python, or scoring anew."""
    from . import _growing_plain as plain

    if isinstance(metric, CHRF):
        split, orders = "characters", 6
    elif isinstance(metric, BLEU) and metric.tokenize in ("13a", "none", "char"):
        split, orders = "characters" if metric.tokenize == "char" else metric.tokenize, 4
    else:
        return plain.Rescored(metric, references, pieces, num_rows)
    if compiled is None:
        compiled = importlib.util.find_spec("numba") is not None
    if not compiled:
        return plain.Plain(metric, split, orders, references, pieces, num_rows)
    from . import _growing_compiled

    if cache is not None:
        _growing_compiled.keep_in(cache)
    return _growing_compiled.Compiled(split, orders, references, pieces, num_rows, longest)


def integers(indices: Any) -> np.ndarray:
    """As the engines take them: other memory (read-only, not contiguous) would have machine code made for it."""
    if type(indices) is np.ndarray and indices.dtype is INT64 and indices.flags.carray:
        return indices
    return np.array(indices, np.int64, order="C")
