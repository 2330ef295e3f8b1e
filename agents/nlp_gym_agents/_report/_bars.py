"""Scores between uniform, 0, and a ceiling, 1: bars for one id, a row of marks for each of many."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ._draw import Axis, Panel, clipped, sign
from ._groups import Line, Place, Score
from ._style import Look, Looks
from ._words import count, metric_name, number, shown

STRIP, ROW = 440, 34  # the width and height of an id's row of marks
ABOVE, BELOW = 11, 24  # where learners and baselines stand in it: apart, for they crowd at 1


@dataclass(frozen=True)
class Figure:
    """A drawing with its title and what there is to know of it."""

    title: str
    svg: Markup
    note: str = ""


@dataclass(frozen=True)
class Across:
    """An id's row: its marks, and what is 1 there."""

    place: Place
    svg: Markup
    ceiling: str


Bar = tuple[str, str, tuple[float, float, float], str]  # label, series; value, low, high; what is said of it


def bars(place: Place, looks: Looks) -> Figure | None:
    """Every line of a place between uniform and the ceiling, with its interval; the oracle only if it is that."""
    drawn: list[Bar] = []
    for line in place.lines:
        score = line.score(place.metric)
        values = _values(place, score) if score is not None else None
        if values is None or (line.agent == "oracle" and line is not place.ceiling):
            continue
        raw = f"{metric_name(place.metric)} {shown(score, place.metric)}, {count(len(line.rows), 'seed')}"
        drawn.append((line.label, line.series, values, f"{line.label}: {number(values[0], 2)} normalised, {raw}"))
    if not drawn or place.ceiling is None:
        return None
    title = f"{metric_name(place.metric)}, 0 = uniform, 1 = {place.ceiling.label}"
    return Figure(title, bar_chart(drawn, looks, f"Normalised scores on {place.name}"))


def bar_chart(drawn: Sequence[Bar], looks: Looks, title: str) -> Markup:
    """Bars from 0 with whiskers, the longest first."""
    drawn = sorted(drawn, key=lambda one: -one[2][0])
    lows, highs = [low for _, _, (_, low, _), _ in drawn], [high for _, _, (_, _, high), _ in drawn]
    axis = Axis(min(-0.02, *lows), max(1.05, *highs), text=lambda value: number(value, 1))
    height = 26 + 19 * len(drawn)
    left = min(150, 34 + 6 * max(len(label) for label, *_ in drawn))
    panel = Panel(axis, Axis(0, len(drawn)), height=height, left=left, right=34, top=2, bottom=24)
    parts = list(_ruler(panel, 2, height - 22, height - 8))
    for n, bar in enumerate(drawn):
        parts += _bar(panel, len(drawn) - n - 0.5, bar, looks[bar[1]])
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        panel.width, height, title, Markup("").join(parts)
    )


def _values(place: Place, score: Score) -> tuple[float, float, float] | None:
    """A normalised score and its interval."""
    value, low, high = place.normalised(score.value), place.normalised(score.low), place.normalised(score.high)
    return None if value is None or low is None or high is None else (value, low, high)


def _ruler(panel: Panel, top: float, bottom: float, numbers: float) -> list[Markup]:
    """Upright lines and their numbers, stronger at 0 and 1."""
    parts = []
    for tick in panel.x.ticks():
        across, _ = panel.at(tick, 0)
        strong = " strong" if abs(tick) < 1e-9 or abs(tick - 1) < 1e-9 else ""
        parts.append(Markup('<path class="grid{}" d="M{:g} {}V{}"/>').format(strong, across, top, bottom))
        if numbers:
            text = Markup('<text class="tick" x="{:g}" y="{}" text-anchor="middle">{}</text>')
            parts.append(text.format(across, numbers, panel.x.text(tick)))
    return parts


def _bar(panel: Panel, y: float, drawn: Bar, look: Look) -> list[Markup]:
    """A bar with its name, interval and number."""
    label, name, (value, low, high), tip = drawn
    (zero, down), (end, _), (left, _), (right, _) = (panel.at(x, y) for x in (0, value, low, high))
    text = Markup('<text class="label" x="{}" y="{:g}" text-anchor="end" data-agent="{}">{}</text>')
    bar = Markup(
        '<rect class="bar c-{}{}" data-agent="{}" x="{:g}" y="{:g}" width="{:g}" height="9" rx="1.5" data-tip="{}"/>'
    )
    whisker = Markup('<path class="whisker" data-agent="{}" d="M{:g} {:g}H{:g}"/>')
    figure = Markup('<text class="tick" x="{}" y="{:g}" text-anchor="end">{}</text>')
    kind, width = "" if look.filled else " hollow", max(abs(end - zero), 0.5)
    return [
        text.format(panel.left - 18, down + 3.5, name, clipped(label, (panel.left - 20) // 6)),
        sign(look, panel.left - 9, down, 3.4, name),
        bar.format(look.colour, kind, name, min(zero, end), down - 4.5, width, tip),
        whisker.format(name, left, down, right),
        figure.format(panel.width, down + 3.5, number(value, 2)),
    ]


def across(found: Sequence[Place], looks: Looks) -> tuple[list[Across], Markup]:
    """A row for each id that has a floor and a ceiling, all on one scale; and the scale's numbers."""
    points: dict[str, list[tuple[Line, Score, float]]] = {}
    for place in found:
        here = [
            (line, score, value)
            for line in place.lines
            if line.agent not in ("uniform", "oracle")
            and (score := line.score(place.metric)) is not None
            and (value := place.normalised(score.value)) is not None
        ]
        best: dict[str, tuple[Line, Score, float]] = {}
        for one in here:  # of variants by a number, the best stands for all
            if one[0].series not in best or one[2] > best[one[0].series][2]:
                best[one[0].series] = one
        points[place.key] = list(best.values())
    values = [value for here in points.values() for *_, value in here]
    if not values:
        return [], Markup("")
    axis = Axis(max(-1.0, min(-0.08, *values)), min(2.0, max(1.08, *values)), text=lambda value: number(value, 1))
    panel = Panel(axis, Axis(0, 1), width=STRIP, height=ROW, left=8, right=8, top=0, bottom=0)
    rows = [
        Across(place, _row(panel, place, points[place.key], looks), place.ceiling.label if place.ceiling else "")
        for place in found
        if points[place.key]
    ]
    ruler = Markup('<svg viewBox="0 0 {} 16" aria-hidden="true">{}</svg>').format(
        STRIP, Markup("").join(_ruler(panel, 0, 3, 14))
    )
    return rows, ruler


def _row(panel: Panel, place: Place, points: Sequence[tuple[Line, Score, float]], looks: Looks) -> Markup:
    """The marks of one id."""
    parts = _ruler(panel, 0, ROW, 0)
    for line, score, value in sorted(points, key=lambda one: (one[0].learned, one[2])):
        raw = f"{metric_name(place.metric)} {shown(score, place.metric)}"
        tip = f"{line.label} on {place.name}: {number(value, 2)} normalised, {raw}"
        x, _ = panel.at(value, 0)
        parts.append(sign(looks[line.series], x, ABOVE if line.learned else BELOW, 4.6, line.series, tip))
    told = "; ".join(f"{line.label} {number(value, 2)}" for line, _, value in points)
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        STRIP, ROW, told, Markup("").join(parts)
    )
