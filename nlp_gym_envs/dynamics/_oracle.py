"""What somebody who knows the answer would write: the ceiling of token choice."""

from typing import Any

import numpy as np


def exact(writing: Any, row: int) -> int:
    """The allowed candidate that continues a reference of a row, the longest such; -1 where none does."""
    best, longest = -1, -1
    pieces, end = writing.model.pieces, writing.model.end
    done = b"".join(pieces[token] for token in writing.written[row, : writing.length[row]]).lstrip()
    for reference in writing.task.accepted[writing.example[row]]:
        whole = reference.strip().encode()
        if not whole.startswith(done):
            continue
        for action in np.flatnonzero(writing.allowed[row]).tolist():
            token = int(writing.candidates[row, action])
            if token == end:
                size = 0 if done.rstrip() == whole else -1
            else:
                piece = pieces[token] if done else pieces[token].lstrip()
                size = len(piece) if piece and whole.startswith(done + piece) else -1
            if size > longest:
                best, longest = action, size
    return best


def closest(writing: Any, rows: np.ndarray) -> np.ndarray:
    """The allowed candidates after which the metric is highest, (b,); of equals the likeliest."""
    scores = writing.worth(rows) + 1e-6 * writing.log_p[rows]
    return np.where(writing.allowed[rows], scores, -np.inf).argmax(1)
