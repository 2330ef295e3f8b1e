"""Learners over many ids at once: interquartile means, performance profiles, probabilities of improvement.

Only ids on which all that are compared were run, and as many seeds as all have on them: else a mean over more or easier
ids would look like a better agent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._statistics import Interval, improvement, interval, iqm, profile, stratified
from ._bars import Figure, bar_chart
from ._draw import Axis, Panel
from ._figures import room
from ._groups import Line, Place
from ._style import Looks
from ._words import count, listed, number

LEAST = 2  # ids that an aggregate needs
THRESHOLDS = 61  # of a profile
REPETITIONS = 1000  # of the bootstraps here


@dataclass(frozen=True)
class Pair:
    """How likely one learner is above another, on the ids that both have; None where they have too few."""

    chance: Interval | None
    ids: int
    seeds: int = 0

    @property
    def sure(self) -> bool:
        """Whether the interval leaves evens out; one seed has none."""
        return self.chance is not None and self.seeds > 1 and (self.chance.low > 0.5 or self.chance.high < 0.5)


@dataclass(frozen=True)
class Aggregates:
    """What can be said over ids: two plots, a square of probabilities, and whom it is about."""

    figures: tuple[Figure, ...]
    names: tuple[str, ...]
    pairs: tuple[tuple[Pair, ...], ...]
    note: str


def aggregates(found: Sequence[Place], looks: Looks) -> Aggregates | None:
    """The learners' aggregates over the ids that have a floor and a ceiling; None where there are too few of them."""
    runs = _runs(found)
    if not runs:
        return None
    chosen, ids = _common(runs)
    figures: tuple[Figure, ...] = ()
    note = ""
    if len(ids) >= LEAST:
        scores = {name: _matrix(runs[name], ids) for name in chosen}
        figures = (_means(scores, looks), _profiles(scores, looks))
        note = _told(scores, ids, [name for name in runs if name not in chosen])
    names = tuple(runs)
    pairs = tuple(tuple(_pair(runs, mine, theirs) for theirs in names) for mine in names)
    some = any(pair.chance for row in pairs for pair in row)
    return Aggregates(figures, names if some else (), pairs, note) if some or figures else None


Runs = dict[str, np.ndarray]  # id -> normalised scores of its seeds


def _runs(found: Sequence[Place]) -> dict[str, Runs]:
    """Each learner's normalised scores by id; of variants by a number the best on average stands for it."""
    best: dict[str, dict[str, tuple[float, Line, np.ndarray]]] = {}
    for place in found:
        if place.normalised(0.0) is None:
            continue
        for line in place.lines:
            raw = line.values(place.metric) if line.learned else []
            values = np.array([value for one, _, _ in raw if (value := place.normalised(one)) is not None])
            here = best.setdefault(line.series, {}) if len(values) else {}
            if len(values) and (place.key not in here or values.mean() > here[place.key][0]):
                here[place.key] = float(values.mean()), line, values
    return {name: {key: values for key, (_, _, values) in ids.items()} for name, ids in best.items()}


def _common(runs: dict[str, Runs]) -> tuple[list[str], list[str]]:
    """Learners and the ids that they share: who has the fewest ids is left out until enough are shared."""
    chosen = sorted(runs, key=lambda name: -len(runs[name]))
    while chosen:
        ids = [key for key in runs[chosen[0]] if all(key in runs[name] for name in chosen)]
        if len(ids) >= LEAST:
            return chosen, ids
        chosen.pop()
    return [], []


def _matrix(runs: Runs, ids: Sequence[str]) -> np.ndarray:
    """(R, T): as many seeds as there are on every id."""
    seeds = min(len(runs[key]) for key in ids)
    return np.stack([runs[key][:seeds] for key in ids], axis=1)


def _means(scores: dict[str, np.ndarray], looks: Looks) -> Figure:
    """Interquartile means with intervals, as bars."""
    drawn = []
    for name, matrix in scores.items():
        found = interval(iqm, matrix, repetitions=REPETITIONS)
        tip = f"{name}: interquartile mean {number(found.value, 3)}, {number(found.low, 3)} to {number(found.high, 3)}"
        drawn.append((name, name, (found.value, found.low, found.high), tip))
    return Figure("interquartile mean, normalised", bar_chart(drawn, looks, "Interquartile means over ids"))


def _profiles(scores: dict[str, np.ndarray], looks: Looks) -> Figure:
    """The share of runs above each normalised score."""
    highest = max(1.05, *(float(matrix.max()) for matrix in scores.values()))
    thresholds = np.linspace(min(0.0, *(float(matrix.min()) for matrix in scores.values())), highest, THRESHOLDS)
    axis = Axis(float(thresholds[0]), highest, "normalised score", lambda value: number(value, 1))
    panel = Panel(axis, Axis(0, 100, "", lambda value: number(value, 0)), right=room(max(map(len, scores))))
    for name, matrix in scores.items():
        values, low, high = stratified(lambda drawn: profile(drawn, thresholds), matrix, repetitions=REPETITIONS)
        at = [float(threshold) for threshold in thresholds]
        panel.band(name, _percent(at, low), _percent(at, high), looks[name])
        tips = [f"{number(100 * v, 0)} % of runs above {number(t, 2)}" for t, v in zip(at, values, strict=True)]
        panel.curve(name, _percent(at, values), looks[name], tips, at_end=False)
    return Figure("% of runs above a score", panel.svg("Performance profiles"))


def _percent(at: Sequence[float], values: np.ndarray) -> list[tuple[float, float]]:
    return [(x, 100 * float(y)) for x, y in zip(at, values, strict=True)]


def _pair(runs: dict[str, Runs], mine: str, theirs: str) -> Pair:
    """The probability of improvement of one learner over another."""
    ids = [key for key in runs[mine] if key in runs[theirs]]
    if mine == theirs or len(ids) < LEAST:
        return Pair(None, len(ids))
    pair = _matrix(runs[mine], ids), _matrix(runs[theirs], ids)
    return Pair(interval(improvement, *pair, repetitions=REPETITIONS), len(ids), min(map(len, pair)))


def _told(scores: dict[str, np.ndarray], ids: Sequence[str], left_out: Sequence[str]) -> str:
    """Whom the plots are about."""
    seeds = sorted({len(matrix) for matrix in scores.values()})
    several = " to ".join(str(n) for n in dict.fromkeys((seeds[0], seeds[-1])))
    plural = "seed" if seeds == [1] else "seeds"
    plural = "seed" if seeds == [1] else "seeds"
    whose = f"that {listed(list(scores))} share" if len(scores) > 1 else f"of {next(iter(scores))}"
    told = f"Over the {count(len(ids), 'id')} {whose}, {several} {plural} each"
    told += "; one seed says nothing of others, so that its interval has no width." if seeds[0] == 1 else "."
    return f"{told} Left out, for want of common ids: {listed(list(left_out))}." if left_out else told
