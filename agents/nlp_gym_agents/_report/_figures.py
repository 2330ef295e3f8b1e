"""Plots of lines: learning curves, fronts, cost against score."""

import math
from collections import defaultdict
from collections.abc import Sequence

from ._bars import Figure
from ._draw import Axis, Panel
from ._groups import TRIVIAL, Line, Place
from ._rows import Row
from ._style import Looks
from ._words import duration, metric_name, number, scale, short, shown

FRONTS = {  # what accuracy or quality is paid with
    "fraction_read": ("share of the text read, %", 100.0),
    "average_lagging": ("average lagging, words", 1.0),
}
COSTS = {
    "environment_steps": ("environment steps", short),
    "forward_passes": ("forward passes of the model", short),
    "seconds": ("time", duration),
    "cpu_seconds": ("processor time", duration),
}
CLOCK = (0.01, 0.1, 1, 10, 60, 600, 3600, 36000)  # seconds that people read easily
Point = tuple[float, float, float, float]  # steps; the seeds' mean, lowest and highest


def curves(place: Place, looks: Looks) -> list[Figure]:
    """Learning curves on the validation split: the seeds' mean, and from the lowest to the highest of them."""
    learners = [line for line in place.lines if line.learned]
    found = []
    for metric in dict.fromkeys((place.metric, "return")):
        times, digits = scale(metric)
        series = {line: points for line in learners if (points := _curve(line.rows, metric, times))}
        if not series or (metric != place.metric and _same(learners, place.metric)):
            continue
        levels = _levels(place, metric, times)
        heights = [value for points in series.values() for _, *three in points for value in three]
        last = max(points[-1][0] for points in series.values())
        longest = max(len(line.label) for line in (*series, *levels))
        panel = Panel(
            Axis(0, last, "environment steps", short), Axis.over([*heights, *levels.values()]), right=room(longest)
        )
        for line, points in series.items():
            lows, highs = [(x, low) for x, _, low, _ in points], [(x, high) for x, _, _, high in points]
            panel.band(line.label, lows, highs, looks[line.series])
        for line, points in series.items():
            tips = [_curve_tip(point, digits, len(line.rows)) for point in points]
            panel.curve(line.label, [(x, mean) for x, mean, _, _ in points], looks[line.series], tips)
        for line, level in levels.items():
            panel.rule(level, line.label, looks[line.series])
        title = f"{metric_name(metric)} on the validation split"
        found.append(Figure(title, panel.svg(f"Learning curves on {place.name}: {title}")))
    return found


def _same(lines: Sequence[Line], metric: str) -> bool:
    """Whether the return is the metric itself, as where one answer is all there is to an episode."""
    points = [point for line in lines for row in line.rows for point in row.curve]
    return all(abs(point.get("return", 0.0) - point.get(metric, 0.0)) < 1e-6 for point in points)


def room(letters: int) -> int:
    """How much of a plot's width the names beside it take."""
    return min(150, max(60, 26 + 6 * letters))


def _curve_tip(point: Point, digits: int, seeds: int) -> str:
    """What is said of a point of a curve."""
    steps, mean, low, high = point
    spread = f" ({number(low, digits)} to {number(high, digits)})" if seeds > 1 else ""
    return f"{number(mean, digits)}{spread} at {short(steps)}"


def _curve(rows: Sequence[Row], metric: str, times: float) -> list[Point]:
    """A line's curve. Seeds look at slightly different steps: their first looks are put together, their second, …"""
    looks = [[point for point in row.curve if metric in point] for row in rows]
    looks = [points for points in looks if len(points) > 1]
    found = []
    for points in zip(*looks, strict=False):
        values = [times * point[metric] for point in points]
        steps = sum(point["steps"] for point in points) / len(points)
        found.append((steps, sum(values) / len(values), min(values), max(values)))
    return found


def _levels(place: Place, metric: str, times: float) -> dict[Line, float]:
    """Baselines to draw across a plot of validation scores, where they were judged on that split."""
    found = {}
    for line in (place.trivial, place.rule, place.ceiling):
        score = line.score(metric, "validation") if line is not None else None
        if line is not None and score is not None:
            found[line] = times * score.value
    return found


def fronts(found: Sequence[Place], looks: Looks) -> list[tuple[str, Figure]]:
    """For each id whose agents pay for their score: the score against the price, over all settings of the id."""
    by_env: dict[str, list[Place]] = defaultdict(list)
    for place in found:
        by_env[place.env].append(place)
    drawn = []
    for env, members in by_env.items():
        for cost, (words, times) in FRONTS.items():
            points = _priced(members, cost, times)
            if len({line.series for _, _, line in points}) > 1 and len({x for x, *_ in points}) > 2:
                drawn.append((env, _front(members[0], points, words, looks)))
    return drawn


def _priced(members: Sequence[Place], cost: str, times: float) -> list[tuple[float, float, Line]]:
    """Price, score and line of everything that has both; the oracle pays nothing and shows nothing."""
    found = []
    for place in members:
        for line in place.lines:
            score, price = line.score(place.metric), line.score(cost)
            if score is not None and price is not None and line.agent != "oracle":
                found.append((times * price.value, scale(place.metric)[0] * score.value, line))
    return found


def _front(place: Place, points: Sequence[tuple[float, float, Line]], words: str, looks: Looks) -> Figure:
    """Marks joined along the price; the trivial policies far below are told of instead."""
    shown_points = [point for point in points if point[2].agent not in TRIVIAL]
    lowest = min((y for _, y, _ in shown_points), default=-math.inf)
    left_out = [point for point in points if point[2].agent in TRIVIAL and point[1] < lowest]
    series: dict[str, list[tuple[float, float, Line]]] = defaultdict(list)
    for point in points:
        if point not in left_out:
            series[point[2].series].append(point)
    everything = [point for members in series.values() for point in members]
    panel = Panel(
        Axis.over([x for x, *_ in everything], words),
        Axis.over([y for _, y, _ in everything], metric_name(place.metric)),
        height=270,
        right=room(max(map(len, series))),
    )
    for name, members in series.items():
        members.sort(key=lambda point: point[0])
        panel.curve(name, [(x, y) for x, y, _ in members], looks[name])
        for x, y, line in members:
            where = f" · {line.setting}" if line.setting else ""
            told = f"{metric_name(place.metric)} {shown(line.score(), place.metric)}"
            tip = f"{line.label}{where}: {told} at {number(x, 1)} ({words})"
            panel.mark(name, x, y, looks[name], tip, 3.8)
    note = "; ".join(f"{line.label} {number(y, 1)} at {number(x, 1)}" for x, y, line in left_out)
    return Figure(
        place.name,
        panel.svg(f"{place.name}: {place.metric} against {words}"),
        f"Below the plot: {note}." if note else "",
    )


def costs(found: Sequence[Place], looks: Looks) -> list[Figure]:
    """What a score costs: one mark for each agent on each id."""
    drawn = []
    for cost, (words, text) in COSTS.items():
        points = []
        for place in found:
            for line in place.lines:
                score, price = line.score(place.metric), line.mean(cost)
                value = place.normalised(score.value) if score else None
                if price and value is not None and line.agent not in (*TRIVIAL, "oracle"):
                    points.append((price, value, place, line, score))
        prices = [price for price, *_ in points]
        if (
            not prices
            or max(prices) < 1.1 * min(prices)
            or (cost == "cpu_seconds" and drawn and drawn[-1].title.endswith("against time"))
        ):
            continue
        panel = Panel(
            Axis.over(prices, words, text, log=True, at=CLOCK if text is duration else ()),
            Axis.over([p[1] for p in points]),
            right=14,
        )
        for price, value, place, line, score in points:
            told = f"{metric_name(place.metric)} {shown(score, place.metric)}, {number(value, 2)} normalised"
            tip = f"{line.label} on {place.name}: {told}; {text(price)}{f' {words}' if text is short else ''}"
            panel.mark(line.series, price, value, looks[line.series], tip, 4)
        drawn.append(Figure(f"normalised score against {words}", panel.svg(f"Normalised score against {words}")))
    return drawn
