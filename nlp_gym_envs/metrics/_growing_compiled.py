"""Growing answers in NumPy arrays with a row for each, worked on by compiled loops. Imports numba; load it lazily."""

import hashlib
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numba
import numpy as np

from . import _growing_formulas as formulas
from . import _growing_kernels as kernels
from . import _growing_units as units
from . import chrf

KINDS = {"characters": units.CHARACTERS, "none": units.SPACES, "13a": units.THIRTEEN_A}


def keep_in(folder: Path) -> None:
    """Keep the machine code in `folder`, named by the content of the files that it is made from.

    A folder that cannot be written is done without, with a warning: the code is made anew in each process.
    """
    sources = [Path(str(module.__file__)).read_bytes() for module in (kernels, units, formulas)]
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:16]
    place = folder / f"compiled-{digest}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:  # asked before numba is, which would turn to the folder of the package
        warnings.warn(f"cannot keep compiled code in {folder} ({error}); going on without it.", stacklevel=2)
        return
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(place)  # type: ignore[attr-defined]
    try:
        for kernel in (kernels.begin, kernels.extend):
            kernel.enable_caching()
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


class Compiled:
    """The engine of `Growing` with numba. `split` is a name in KINDS; `orders` is 4 for BLEU, 6 for chrF."""

    def __init__(
        self, split: str, orders: int, references: np.ndarray, pieces: Sequence[bytes], num_rows: int, longest: int
    ) -> None:
        self.kind, self.orders = KINDS[split], orders
        self.pieces = np.frombuffer(b"".join(pieces), np.uint8).copy()  # writable, else another machine code
        self.starts = ends([len(piece) for piece in pieces])  # (V + 1,)
        texts = [text for accepted in references for text in accepted]
        self.texts = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.int32).copy()
        self.text_starts = ends([len(text) for text in texts])  # (M + 1,)
        self.example_starts = ends([len(accepted) for accepted in references])  # (N + 1,)
        most = int(np.diff(self.example_starts).max(initial=1))
        columns = most if orders == chrf.ORDERS else 1  # BLEU takes its references together
        typical = int(np.diff(self.starts).mean()) + 1
        self.facts = np.zeros((num_rows, kernels.FIRST + most + columns * orders), np.int64)
        self.units = np.empty((num_rows, (longest + 2) * typical), np.uint64)
        self.tail = np.empty((num_rows, 32 * typical), np.int32)
        widest = int(np.diff(self.text_starts[self.example_starts]).max(initial=0))  # characters of an example
        self._work(max(widest, self.tail.shape[1]))
        self.keys = np.zeros((num_rows, 2), np.uint64)
        self.tally = np.zeros((num_rows, 2, 1 + columns), np.int32)
        self.values = np.zeros((num_rows, 1))

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> bool:
        """Empty answers; False for an index out of range."""
        done = 0
        while 0 <= done < len(rows):
            done = kernels.begin(
                done, rows, examples, self.kind, self.orders, self.facts, self.keys, self.tally, self.texts,
                self.text_starts, self.example_starts, self.words, self.room,
            )  # fmt: skip
            if 0 <= done < len(rows):
                room = int(self.facts[rows[done], kernels.MASK]) + 1
                self.keys, self.tally = widened(self.keys, room), widened(self.tally, room)
        if done >= 0:
            self.values[rows] = 0
        return done >= 0

    def push(self, rows: np.ndarray, tokens: np.ndarray) -> bool:
        """Append a piece to each; False for an index out of range."""
        return self._extend(False, rows, tokens[:, None], self.values)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """The metric of each answer as it stands."""
        return self.values.take(rows)

    def would(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray | None:
        """The metric of each answer with each of its candidates appended; None for an index out of range."""
        out = np.empty(tokens.shape)
        return out if self._extend(True, rows, tokens, out) else None

    def _extend(self, trial: bool, rows: np.ndarray, tokens: np.ndarray, out: np.ndarray) -> bool:
        done = 0
        while 0 <= done < len(rows):
            done = kernels.extend(
                done, trial, rows, tokens, self.kind, self.orders, self.facts, self.units, self.tail, self.keys,
                self.tally, self.pieces, self.starts, self.words, self.room, out,
            )  # fmt: skip
            if 0 <= done < len(rows):
                self._make_room(int(rows[done]))
        return done >= 0

    def _make_room(self, row: int) -> None:
        """For the longest piece after the answer of `row`, in all rows."""
        piece = int(np.diff(self.starts).max())
        tail = int(self.facts[row, kernels.TAIL]) + piece
        length = int(self.facts[row, kernels.LENGTH]) + tail
        if length > self.units.shape[1]:
            self.units = widened(self.units, 2 * length)
        if tail > self.tail.shape[1]:
            self.tail = widened(self.tail, 2 * tail)
            self._work(max(2 * tail, len(self.room)))

    def _work(self, width: int) -> None:
        """Arrays that the loops work in."""
        self.words, self.room = np.empty((2, width), np.uint64), np.empty(width, np.int32)


def widened(array: np.ndarray, width: int) -> np.ndarray:
    """The same rows with `width` columns; the new ones are not set."""
    wide = np.empty((len(array), width, *array.shape[2:]), array.dtype)
    wide[:, : array.shape[1]] = array
    return wide


def ends(sizes: Sequence[int]) -> np.ndarray:
    """Where things of these sizes lie one after the other: (n + 1,) int64 from 0."""
    return np.append(0, np.cumsum(np.asarray(sizes, np.int64)))
