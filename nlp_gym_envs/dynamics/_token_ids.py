"""`observation="ids"` where a language model is inside: the model's own ids of the prompt and of what is written."""

from typing import Any

import numpy as np
from gymnasium import spaces

from ._base import positive


class TokenObservation:
    """(B, length) int32: the prompt's ids cut to half the length, then the last ids written; the rest is the id of END.

    `of(rows)` gives the prompts (b, S), their lengths (b,), what is written (b, T) and its lengths (b,).
    """

    def __init__(self, of: Any, vocabulary_size: int, end: int, length: int = 128) -> None:
        self.length, self.of, self.end = positive("length", length, 2, int), of, end
        self.space = spaces.Box(0, vocabulary_size - 1, (self.length,), np.int32)

    def observe(self, rows: np.ndarray) -> np.ndarray:
        """(B, length) int32."""
        source, read, written, length = self.of(rows)
        half = self.length // 2
        column = np.arange(half)
        ids = np.full((len(rows), self.length), self.end, np.int32)
        known = source[:, : min(half, source.shape[1])]
        shown = column[: known.shape[1]] < read[:, None]
        ids[:, : known.shape[1]][shown] = known[shown]
        rest = np.arange(self.length - half)
        at = np.maximum(length - len(rest), 0)[:, None] + rest  # where in what is written each column looks
        there = at < length[:, None]
        picked = np.take_along_axis(written, np.minimum(at, written.shape[1] - 1), 1)
        ids[:, half:][there] = picked[there]
        return ids
