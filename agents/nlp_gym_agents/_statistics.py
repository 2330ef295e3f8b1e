"""Scores over runs and tasks, with intervals: the aggregates of Agarwal et al. 2021, in NumPy alone.

"Deep reinforcement learning at the edge of the statistical precipice": the interquartile mean, performance profiles and
the probability of improvement, with bootstrap intervals stratified by task. Scores are (R, T): R runs, as seeds, of T
tasks; they should be normalised where tasks have different scales. The tests hold these against rliable 1.2.0.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

REPETITIONS = 2000  # of a bootstrap
LEVEL = 0.95  # of its interval
BLOCK = 2_000_000  # numbers that are drawn at once: bounds the memory at 16 MB


class Interval(NamedTuple):
    """A number and where it lies with the probability `LEVEL`."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def normalise(score: np.ndarray | float, floor: float, ceiling: float) -> np.ndarray | float:
    """Scores between a floor (0) and a ceiling (1), as uniform and oracle; beyond both is possible."""
    if not ceiling > floor:
        raise ValueError(f"the ceiling must be above the floor, got {ceiling} and {floor}.")
    return (score - floor) / (ceiling - floor)


# ---------------------------------------------------------------- aggregates of (..., R, T)


def mean(scores: np.ndarray) -> np.ndarray:
    """The mean over runs and tasks, (..., R, T) -> (...,)."""
    return scores.mean((-2, -1))


def median(scores: np.ndarray) -> np.ndarray:
    """The median over tasks of the means over runs, (..., R, T) -> (...,)."""
    return np.median(scores.mean(-2), -1)


def iqm(scores: np.ndarray) -> np.ndarray:
    """The interquartile mean: a quarter of all scores is left out at either end, (..., R, T) -> (...,)."""
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    cut = flat.shape[-1] // 4
    return flat[..., cut : flat.shape[-1] - cut].mean(-1)


def optimality_gap(scores: np.ndarray, target: float = 1.0) -> np.ndarray:
    """How far scores fall short of a target on average, more than the target counting as the target."""
    return target - np.minimum(scores, target).mean((-2, -1))


def profile(scores: np.ndarray, thresholds: Sequence[float] | np.ndarray) -> np.ndarray:
    """The share of runs above each threshold, the mean over tasks: (..., R, T) and (K,) -> (..., K)."""
    return np.stack([(scores > threshold).mean((-2, -1)) for threshold in thresholds], -1)


def improvement(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """How likely a run of mine is above a run of theirs on a task drawn at random, a tie counting half.

    (..., R, T) and (..., S, T) -> (...,).
    """
    mine, theirs = mine[..., :, None, :], theirs[..., None, :, :]
    return ((mine > theirs) + 0.5 * (mine == theirs)).mean((-3, -2, -1))


# ---------------------------------------------------------------- intervals


def stratified(
    statistic: Callable[..., np.ndarray], *scores: np.ndarray, repetitions: int = REPETITIONS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A statistic of one or more (R, T), and its percentile interval: runs are drawn anew for each task on its own.

    One run alone has an interval of no width: it says nothing of other runs.
    """
    generator = np.random.default_rng(seed)
    drawn = [_resampled(array, repetitions, generator) for array in scores]
    return (statistic(*scores), *_percentiles(statistic(*drawn)))


def interval(
    statistic: Callable[..., np.ndarray], *scores: np.ndarray, repetitions: int = REPETITIONS, seed: int = 0
) -> Interval:
    """`stratified`, of a statistic that is one number."""
    return Interval(*(float(number) for number in stratified(statistic, *scores, repetitions=repetitions, seed=seed)))


def _resampled(scores: np.ndarray, repetitions: int, generator: np.random.Generator) -> np.ndarray:
    """(R, T) -> (repetitions, R, T): each column's runs drawn with replacement."""
    runs, tasks = scores.shape
    return scores[generator.integers(runs, size=(repetitions, runs, tasks)), np.arange(tasks)]


def _percentiles(drawn: np.ndarray) -> np.ndarray:
    """The ends of the interval over the first axis, (2, ...)."""
    return np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)


def paired(
    mine: np.ndarray,
    theirs: np.ndarray,
    score: Callable[[np.ndarray], np.ndarray],
    repetitions: int = REPETITIONS,
    seed: int = 0,
) -> tuple[Interval, float]:
    """How much more mine score than theirs on the same examples, and how often they do in resamples, ties half.

    Counts are (R, N, s) and (S, N, s) of R and S runs on N examples in the same order; `score` takes summed counts
    (..., s) to (...,). Each repetition draws examples, the same for both, and runs, each side's own; a side's score is
    the mean over its runs. Of one run a side this is the paired bootstrap of machine translation (Koehn 2004).
    """
    (runs, examples, _), (others, count, _) = mine.shape, theirs.shape
    if count != examples:
        raise ValueError(f"both must be judged on the same examples, got {examples} and {count} of them.")
    generator = np.random.default_rng(seed)
    differences = np.empty(repetitions)
    step = max(1, BLOCK // examples)
    for start in range(0, repetitions, step):
        size = min(step, repetitions - start)
        drawn = generator.integers(examples, size=(size, examples))
        weights = np.stack([np.bincount(row, minlength=examples) for row in drawn]).astype(float)  # (size, N)
        sides = []
        for counts, have in ((mine, runs), (theirs, others)):
            scores = score(np.einsum("bn,rns->brs", weights, counts, optimize=True))  # (size, R)
            chosen = generator.integers(have, size=(size, have))
            sides.append(np.take_along_axis(scores, chosen, 1).mean(1))
        differences[start : start + size] = sides[0] - sides[1]
    value = score(mine.sum(1)).mean() - score(theirs.sum(1)).mean()
    low, high = _percentiles(differences)
    above = float((differences > 0).mean() + (differences == 0).mean() / 2)
    return Interval(float(value), float(low), float(high)), above
