"""The report's figures, each from places and lines to SVG."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ._draw import Axis, Panel, clipped, sign
from ._groups import HELD_OUT, Line, Place, Score
from ._rows import Row
from ._style import Look
from ._words import count, duration, number, scale, short, shown

Looks = Mapping[str, Look]
FRONTS = {  # what accuracy or quality is paid with
    "fraction_read": ("share of the text read, %", 100.0),
    "average_lagging": ("average lagging, words", 1.0),
}
COSTS = {
    "environment_steps": ("environment steps", short),
    "forward_passes": ("forward passes of the model", short),
    "seconds": ("seconds", duration),
    "cpu_seconds": ("processor seconds", duration),
}


@dataclass(frozen=True)
class Figure:
    """A drawing with its title and what there is to know of it."""

    title: str
    svg: Markup
    note: str = ""


def curves(place: Place, looks: Looks) -> list[Figure]:
    """Learning curves on the validation split: the seeds' mean, and from the lowest to the highest of them."""
    learners = [line for line in place.lines if line.learned and any(len(row.curve) > 1 for row in line.rows)]
    found = []
    for metric in dict.fromkeys((place.metric, "return")):
        times, digits = scale(metric)
        series = {line.label: _curve(line.rows, metric, times) for line in learners}
        series = {name: points for name, points in series.items() if points}
        if not series:
            continue
        levels = _levels(place, metric, times)
        heights = [value for points in series.values() for _, *three in points for value in three] + list(levels.values())
        last = max(points[-1][0] for points in series.values())
        panel = Panel(Axis(0, last, "environment steps", short), Axis.over(heights))
        for name, points in series.items():
            panel.band(name, [(x, low) for x, _, low, _ in points], [(x, high) for x, _, _, high in points], looks[name])
        for name, points in series.items():
            seeds = len(next(line for line in learners if line.label == name).rows)
            tips = [_curve_tip(point, digits, seeds) for point in points]
            panel.curve(name, [(x, mean) for x, mean, _, _ in points], looks[name], tips)
        for name, level in levels.items():
            panel.rule(level, name, looks[name])
        found.append(Figure(f"{metric.replace('_', ' ')}, validation", panel.svg(f"Learning curves of {place.name}: {metric}")))
    return found


def _curve_tip(point: tuple[float, float, float, float], digits: int, seeds: int) -> str:
    """What is said of a point of a curve."""
    steps, mean, low, high = point
    spread = f" ({number(low, digits)} to {number(high, digits)})" if seeds > 1 else ""
    return f"{number(mean, digits)}{spread} at {short(steps)}"


def _curve(rows: Sequence[Row], metric: str, times: float) -> list[tuple[float, float, float, float]]:
    """Steps, the seeds' mean, lowest and highest. Seeds look at slightly different steps: the n-th looks are put together."""
    looks = [[point for point in row.curve if metric in point] for row in rows]
    looks = [points for points in looks if len(points) > 1]
    found = []
    for points in zip(*looks, strict=False):
        values = [times * point[metric] for point in points]
        found.append((sum(point["steps"] for point in points) / len(points), sum(values) / len(values), min(values), max(values)))
    return found


def _levels(place: Place, metric: str, times: float) -> dict[str, float]:
    """Baselines to draw across a plot of validation scores, where they were judged on that split."""
    found = {}
    for line in dict.fromkeys((place.trivial, place.rule, place.ceiling)):
        score = line.score(metric, "validation") if line is not None else None
        if line is not None and score is not None:
            found[line.label] = times * score.value
    return found


def bars(place: Place, looks: Looks) -> Figure | None:
    """Every line of a place between uniform, 0, and the ceiling, 1."""
    rows = [(line, score) for line in place.lines if (score := line.score(place.metric)) and line is not place.ceiling]
    values = [(line, place.normalised(s.value), place.normalised(s.low), place.normalised(s.high), s) for line, s in rows]
    drawn = sorted((v for v in values if v[1] is not None), key=lambda v: -float(v[1] or 0))
    if not drawn or place.ceiling is None:
        return None
    lows, highs = [float(v[2] or 0) for v in drawn], [float(v[3] or 0) for v in drawn]
    axis = Axis(min(-0.05, *lows), max(1.05, *highs), f"0 uniform, 1 {place.ceiling.label}", lambda value: number(value, 1))
    height = 30 + 20 * len(drawn)
    panel = Panel(axis, Axis(0, len(drawn)), height=height, left=112, right=44, top=4, bottom=30)
    parts = []
    for tick in axis.ticks():
        across, _ = panel.at(tick, 0)
        strong = " strong" if abs(tick) < 1e-9 or abs(tick - 1) < 1e-9 else ""
        parts.append(Markup('<path class="grid{}" d="M{:g} 2V{}"/>').format(strong, across, height - 28))
        parts.append(Markup('<text class="tick" x="{:g}" y="{}" text-anchor="middle">{}</text>').format(across, height - 16, axis.text(tick)))
    for number_, (line, value, low, high, score) in enumerate(drawn):
        parts += _bar(panel, len(drawn) - number_ - 0.5, line, (float(value or 0), float(low or 0), float(high or 0)), score, looks[line.label])
    parts.append(Markup('<text class="name" x="{}" y="{}" text-anchor="end">{}</text>').format(380 - 44, height - 3, axis.label))
    svg = Markup('<svg viewBox="0 0 380 {}" role="img" aria-label="{}">{}</svg>').format(
        height, f"Normalised scores of {place.name}", Markup("").join(parts)
    )
    return Figure(f"normalised {place.metric.replace('_', ' ')}", svg)


def _bar(panel: Panel, y: float, line: Line, values: tuple[float, float, float], score: Score, look: Look) -> list[Markup]:
    """A bar with its name, interval and number."""
    value, low, high = values
    (zero, down), (end, _), (left, _), (right, _) = (panel.at(x, y) for x in (0, value, low, high))
    tip = f"{line.label}: {number(value, 2)} normalised, {shown(score, line.metric)} {line.metric}, {count(len(line.rows), 'seed')}"
    kind = "" if look.filled else " hollow"
    return [
        Markup('<text class="label" x="{}" y="{:g}" text-anchor="end" data-agent="{}">{}</text>').format(
            panel.left - 18, down + 3.5, line.label, clipped(line.label, 15)
        ),
        sign(look, panel.left - 9, down, 3.4, line.label),
        Markup('<rect class="bar c-{}{}" data-agent="{}" x="{:g}" y="{:g}" width="{:g}" height="9" rx="1.5" data-tip="{}"/>').format(
            look.colour, kind, line.label, min(zero, end), down - 4.5, max(abs(end - zero), 0.5), tip
        ),
        Markup('<path class="whisker" data-agent="{}" d="M{:g} {:g}H{:g}"/>').format(line.label, left, down, right),
        Markup('<text class="tick" x="{}" y="{:g}" text-anchor="end">{}</text>').format(panel.width, down + 3.5, number(value, 2)),
    ]


def overview(found: Sequence[Place], looks: Looks) -> Markup | None:
    """One row for each place: where its agents stand between uniform and the ceiling."""
    rows = [place for place in found if place.floor and place.ceiling and place.normalised(0) is not None]
    if not rows:
        return None
    points = [
        (place, line, score, float(place.normalised(score.value) or 0))
        for place in rows
        for line in place.lines
        if (score := line.score(place.metric)) and line.agent not in ("uniform", "oracle")
    ]
    axis = Axis(min(-0.1, *(p[3] for p in points)), max(1.1, *(p[3] for p in points)), "", lambda value: number(value, 1))
    panel = Panel(axis, Axis(0, len(rows)), height=26 + 34 * len(rows), left=8, right=8, top=4, bottom=22)
    parts = []
    for tick in axis.ticks():
        across, _ = panel.at(tick, 0)
        strong = " strong" if abs(tick) < 1e-9 or abs(tick - 1) < 1e-9 else ""
        parts.append(Markup('<path class="grid{}" d="M{:g} 4V{}"/>').format(strong, across, panel.height - 20))
        parts.append(Markup('<text class="tick" x="{:g}" y="{}" text-anchor="middle">{}</text>').format(across, panel.height - 7, axis.text(tick)))
    for n, place in enumerate(rows):
        _, down = panel.at(0, len(rows) - n - 0.5)
        name = clipped(_full_name(place), 46)
        parts.append(Markup('<a href="#{}"><text class="label halo" x="10" y="{:g}">{}</text></a>').format(place.key, down - 6, name))
        ceiling = place.ceiling.label if place.ceiling else ""
        parts.append(Markup('<text class="name halo" x="372" y="{:g}" text-anchor="end">1 = {}</text>').format(down - 6, ceiling))
        parts.append(Markup('<path class="track" d="M8 {:g}H372"/>').format(down + 7))
        for _, line, score, value in sorted((p for p in points if p[0] is place), key=lambda p: p[1].learned):
            tip = f"{place.name} · {line.label}: {number(value, 2)} normalised, {shown(score, place.metric)} {place.metric}"
            across, _ = panel.at(value, 0)
            parts.append(sign(looks[line.label], across, down + 7, 4.5, line.label, tip))
    return Markup('<svg viewBox="0 0 380 {}" role="img" aria-label="Normalised scores of every id">{}</svg>').format(
        panel.height, Markup("").join(parts)
    )


def _full_name(place: Place) -> str:
    """A place's id with its setting."""
    return f"{place.name} · {place.setting}" if place.setting else place.name


def fronts(found: Sequence[Place], looks: Looks) -> list[tuple[str, Figure]]:
    """For each id whose agents pay for their score: the score against the price, over all settings of the id."""
    by_env: dict[str, list[Place]] = defaultdict(list)
    for place in found:
        by_env[place.env].append(place)
    drawn = []
    for env, members in by_env.items():
        for cost, (words, times) in FRONTS.items():
            series = _front(members, cost, times)
            if sum(len(points) for points in series.values()) > 2:
                drawn.append((env, Figure(members[0].name, _draw_front(members[0], series, words, looks))))
    return drawn


FrontPoint = tuple[float, float, Line, str]


def _front(members: Sequence[Place], cost: str, times: float) -> dict[str, list[FrontPoint]]:
    """Points by agent: price, score, the line, and its setting; variants by one number are one agent's."""
    series: dict[str, list[FrontPoint]] = defaultdict(list)
    for place in members:
        for line in place.lines:
            score, price = line.score(place.metric), line.score(cost)
            if score is None or price is None or line.agent == "oracle":
                continue
            name = line.agent if _swept(line) else line.label
            series[name].append((times * price.value, scale(place.metric)[0] * score.value, line, place.setting))
    return series


def _swept(line: Line) -> bool:
    """Whether a line's variant is one number of many, as a share that is read."""
    told = line.label.removeprefix(line.agent).strip(", ").split(" ")
    return len(told) == 2 and told[1].replace(".", "").isdigit()


def _draw_front(place: Place, series: Mapping[str, list[FrontPoint]], words: str, looks: Looks) -> Markup:
    """Marks joined along the price."""
    xs = [x for points in series.values() for x, *_ in points]
    ys = [y for points in series.values() for _, y, *_ in points]
    panel = Panel(Axis.over(xs, words), Axis.over(ys), height=280)
    for name, points in series.items():
        look = looks.get(name) or looks[points[0][2].label]
        points.sort(key=lambda point: point[0])
        panel.curve(name, [(x, y) for x, y, *_ in points], look)
        for x, y, line, setting in points:
            score = line.score()
            tip = f"{line.label}{' · ' + setting if setting else ''}: {shown(score, place.metric)} {place.metric} at {number(x, 1)} ({words})"
            panel.mark(name, x, y, look, tip, 3.8)
    return panel.svg(f"{place.name}: {place.metric} against {words}")


def costs(found: Sequence[Place], looks: Looks) -> list[Figure]:
    """What a score costs: one mark for each agent on each id."""
    drawn = []
    for cost, (words, text) in COSTS.items():
        points = []
        for place in found:
            for line in place.lines:
                score, price = line.score(place.metric), line.mean(cost)
                value = place.normalised(score.value) if score else None
                if price and value is not None and line.agent not in ("uniform", "oracle", "majority"):
                    points.append((price, value, place, line, score))
        if len(points) < 2:
            continue
        panel = Panel(Axis.over([p[0] for p in points], words, text, log=True), Axis.over([p[1] for p in points]), right=14)
        for price, value, place, line, score in points:
            tip = f"{place.name} · {line.label}: {number(value, 2)} normalised ({shown(score, place.metric)} {place.metric}) for {text(price)} {words if text is short else ''}"
            panel.mark(line.label, price, value, looks[line.label], tip.strip(), 4)
        drawn.append(Figure(f"score against {words}", panel.svg(f"Normalised score against {words}")))
    return drawn


def held_out(lines: Sequence[Line]) -> str:
    """The name of the split that is reported, for a heading."""
    names = {line.held_out for line in lines}
    return next((name for name in HELD_OUT if name in names), "held-out")
