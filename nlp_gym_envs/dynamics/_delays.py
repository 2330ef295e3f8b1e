"""How late a translation comes: average proportion and average lagging, of many translations at once.

`delays` (B, T) tells how many of the `source` (B,) source words had been read when each target word was whole; of row b
the first `count[b]` entries hold. A translation without a word came as late as can be.
"""

import numpy as np


def average_proportion(delays: np.ndarray, count: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The mean share of the source that had been read at each target word, (B,) in [0, 1]; 1 without a word.

    Cho and Esipova 2016, "Can neural machine translation do simultaneous translation?", equation 8.
    """
    there = np.arange(delays.shape[1]) < count[:, None]
    total = np.where(there, delays, 0).sum(1, dtype=np.float64)
    return np.where(count > 0, total / (np.maximum(count, 1) * source), 1.0)


def average_lagging(
    delays: np.ndarray, count: np.ndarray, source: np.ndarray, target: np.ndarray | None = None
) -> np.ndarray:
    """By how many source words a translation is behind an ideal one that keeps pace from the start, (B,).

    AL = 1 / tau x sum over t <= tau of g(t) - (t - 1) / gamma, with gamma = |y| / |x| and tau the first word at which
    the whole source had been read (where none is, the last word): Ma et al. 2019, "STACL", equations 8 and 9. |y| is
    `count`, or `target` (B,) where given: the longer of translation and reference makes it LAAL (Papi et al. 2022,
    "Over-generation cannot be rewarded"). It can be negative. Without a word it is |x|.
    """
    position = np.arange(delays.shape[1])
    length = np.maximum(count if target is None else target, 1)
    whole = (delays >= source[:, None]) & (position < count[:, None])
    tau = np.where(whole.any(1), whole.argmax(1) + 1, count)
    behind = delays - position * (source / length)[:, None]
    total = np.where(position < tau[:, None], behind, 0.0).sum(1)
    return np.where(count > 0, total / np.maximum(tau, 1), source.astype(np.float64))
