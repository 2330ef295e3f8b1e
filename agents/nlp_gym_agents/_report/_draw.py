"""Plots as inline SVG: axes, curves with bands, marks with whiskers. What is text in them is escaped.

Colours are classes, which page.css turns into Okabe and Ito's in light and in dark; `data-tip` is shown on hovering.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from ._style import Look
from ._words import number, short

WIDTH, HEIGHT = 380, 236  # of a panel: as wide as a phone, so that its letters are never scaled down
LINE = 13  # the least distance between two labels
GREY = Look("grey", "circle", "2 3", False)


def nice(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers between two."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [step * k for k in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Axis:
    """A direction of a plot: its bounds, how its numbers are written, whether it is logarithmic."""

    low: float
    high: float
    label: str = ""
    text: Callable[[float], str] = lambda value: number(value, 0)
    log: bool = False
    at: tuple[float, ...] = ()  # where numbers should stand, if several of them fit

    @classmethod
    def over(
        cls,
        values: Iterable[float],
        label: str = "",
        text: Callable[[float], str] | None = None,
        log: bool = False,
        at: tuple[float, ...] = (),
    ) -> "Axis":
        """An axis that shows all values, with some room."""
        known = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
        low, high = min(known), max(known)
        if log:
            return cls(low / 1.4, high * 1.4, label, text or short, True, at)
        room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
        ticks = nice(low - room, high + room)
        digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9)) if len(ticks) > 1 else 2
        return cls(low - room, high + room, label, text or (lambda value: number(value, digits)), False, at)

    def share(self, value: float) -> float:
        """How far along the axis a value is, from 0 to 1."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-12))
        return min(1.0, max(0.0, (value - low) / (high - low or 1.0)))

    def ticks(self) -> list[float]:
        """Where numbers stand."""
        asked = [value for value in self.at if self.low <= value <= self.high]
        if len(asked) > 1:
            return asked
        if not self.log:
            return nice(self.low, self.high)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        found = [10.0**power for power in powers if self.low <= 10.0**power <= self.high]
        more = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        return found if len(found) > 2 else [value for value in more if self.low <= value <= self.high]


@dataclass
class Panel:
    """One plot. Parts are added in the order in which they are painted; `svg` gives the whole."""

    x: Axis
    y: Axis
    width: int = WIDTH
    height: int = HEIGHT
    left: int = 38
    right: int = 96
    top: int = 12
    bottom: int = 36
    parts: list[Markup] = field(default_factory=list)
    labels: list[tuple[float, str, Look]] = field(default_factory=list)
    curves: list[tuple[str, str, list[tuple[float, str]]]] = field(default_factory=list)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the data on the paper."""
        across, up = self.width - self.left - self.right, self.height - self.top - self.bottom
        return round(self.left + across * self.x.share(x), 1), round(self.top + up * (1 - self.y.share(y)), 1)

    def curve(
        self,
        name: str,
        points: Sequence[tuple[float, float]],
        look: Look,
        tips: Sequence[str] = (),
        at_end: bool = True,
    ) -> None:
        """A line through points, named where it ends, or else where it is halfway down.

        `tips` are shown where the pointer is nearest.
        """
        places = [self.at(x, y) for x, y in points]
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in places)
        self.parts.append(
            Markup('<path class="curve c-{}" data-agent="{}" d="{}" stroke-dasharray="{}"/>').format(
                look.colour, name, path, look.dash
            )
        )
        named = places[-1] if at_end else places[len(places) // 2]
        self.labels.append((named[1], name, look))
        if tips:
            self.curves.append((name, look.colour, [(x, tip) for (x, _), tip in zip(places, tips, strict=True)]))

    def band(
        self, name: str, lows: Sequence[tuple[float, float]], highs: Sequence[tuple[float, float]], look: Look
    ) -> None:
        """The area between two lines."""
        corners = [self.at(x, y) for x, y in (*lows, *reversed(highs))]
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in corners) + "Z"
        self.parts.append(Markup('<path class="band c-{}" data-agent="{}" d="{}"/>').format(look.colour, name, path))

    def mark(self, name: str, x: float, y: float, look: Look, tip: str, size: float = 4.5) -> None:
        """A point, with what is said of it."""
        across, down = self.at(x, y)
        self.parts.append(sign(look, across, down, size, name, tip))

    def whisker(self, name: str, x: tuple[float, float], y: tuple[float, float], look: Look) -> None:
        """An interval, across or upright."""
        (left, low), (right, high) = self.at(x[0], y[0]), self.at(x[1], y[1])
        self.parts.append(
            Markup('<path class="whisker c-{}" data-agent="{}" d="M{:g} {:g}L{:g} {:g}"/>').format(
                look.colour, name, left, low, right, high
            )
        )

    def rule(self, y: float, name: str, look: Look = GREY) -> None:
        """A level across the whole plot, named at its end."""
        (left, down), (right, _) = self.at(self.x.low, y), self.at(self.x.high, y)
        self.parts.insert(
            0, Markup('<path class="level" data-agent="{}" d="M{:g} {:g}H{:g}"/>').format(name, left, down, right)
        )
        self.labels.append((down, name, look))

    def _axes(self) -> Iterable[Markup]:
        """Fine lines, numbers, and what the axes are."""
        bottom, right = self.height - self.bottom, self.width - self.right
        for tick in self.y.ticks():
            _, down = self.at(self.x.low, tick)
            yield Markup('<path class="grid" d="M{} {:g}H{}"/>').format(self.left, down, right)
            yield Markup('<text class="tick" x="{}" y="{:g}" text-anchor="end">{}</text>').format(
                self.left - 6, down + 3.5, self.y.text(tick)
            )
        for tick in self.x.ticks():
            across, _ = self.at(tick, self.y.low)
            yield Markup('<path class="grid" d="M{:g} {}v4"/>').format(across, bottom)
            yield Markup('<text class="tick" x="{:g}" y="{}" text-anchor="middle">{}</text>').format(
                across, bottom + 15, self.x.text(tick)
            )
        yield Markup('<path class="axis" d="M{} {}H{}"/>').format(self.left, bottom, right)
        yield Markup('<text class="name" x="{}" y="{}" text-anchor="end">{}</text>').format(
            right, self.height - 4, self.x.label
        )

    def _named(self) -> Iterable[Markup]:
        """The labels beside the lines' ends, moved apart where they would cover each other."""
        order = sorted(self.labels, key=lambda label: label[0])
        spots = spread([down for down, _, _ in order], self.top - 4, self.height - 4)
        edge = self.width - self.right
        for spot, (down, name, look) in zip(spots, order, strict=True):
            yield Markup('<path class="leader" d="M{:g} {:g}L{:g} {:g}"/>').format(edge + 1, down, edge + 8, spot)
            yield sign(look, edge + 13, spot, 3.2, name)
            yield Markup('<text class="label" data-agent="{}" x="{}" y="{:g}">{}</text>').format(
                name, edge + 20, spot + 3.5, clipped(name, (self.right - 20) // 6)
            )

    def svg(self, title: str) -> Markup:
        """The plot; `title` says to those who do not see it what it shows."""
        hover = Markup(' data-curves="{}"').format(json.dumps(self.curves)) if self.curves else Markup("")
        inner = Markup("").join([*self._axes(), *self.parts, *self._named()])
        return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}"{}>{}</svg>').format(
            self.width, self.height, title, hover, inner
        )


def spread(wanted: Sequence[float], low: float, high: float, distance: float = LINE) -> list[float]:
    """Places for labels: near where they are wanted (ascending), at least `distance` apart, inside where they fit."""
    spots: list[float] = []
    for want in wanted:
        spots.append(max(want, spots[-1] + distance if spots else low))
    if spots and spots[-1] > high:
        spots[-1] = high
        for k in range(len(spots) - 2, -1, -1):
            spots[k] = min(spots[k], spots[k + 1] - distance)
    return spots


def clipped(text: str, letters: int) -> str:
    """A text that is not longer than so many letters."""
    return text if len(text) <= letters else f"{text[: max(1, letters - 1)]}…"


def outline(mark: str, x: float, y: float, r: float) -> str:
    """The path of a mark around a point."""
    if mark == "circle":
        return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z"
    corners = {
        "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
        "triangle": [(0, -1.15), (1.1, 0.8), (-1.1, 0.8)],
        "down": [(0, 1.15), (1.1, -0.8), (-1.1, -0.8)],
        "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
        "plus": [(-.35, -1.1), (.35, -1.1), (.35, -.35), (1.1, -.35), (1.1, .35), (.35, .35),
                 (.35, 1.1), (-.35, 1.1), (-.35, .35), (-1.1, .35), (-1.1, -.35), (-.35, -.35)],
        "cross": [(0, -.5), (.65, -1.1), (1.1, -.65), (.5, 0), (1.1, .65), (.65, 1.1),
                  (0, .5), (-.65, 1.1), (-1.1, .65), (-.5, 0), (-1.1, -.65), (-.65, -1.1)],
    }[mark]  # fmt: skip
    return "M" + "L".join(f"{x + r * dx:.1f} {y + r * dy:.1f}" for dx, dy in corners) + "Z"


def sign(look: Look, x: float, y: float, size: float, name: str = "", tip: str = "") -> Markup:
    """An agent's mark."""
    hint = Markup(' data-tip="{}" tabindex="0"').format(tip) if tip else Markup("")
    return Markup('<path class="mark c-{}{}" data-agent="{}" d="{}"{}/>').format(
        look.colour, "" if look.filled else " hollow", name, outline(look.mark, x, y, size), hint
    )


def icon(look: Look) -> Markup:
    """An agent's mark and dash for a table or a legend."""
    frame = Markup('<svg class="icon" viewBox="0 0 26 12" aria-hidden="true">{}{}</svg>')
    line = Markup('<path class="curve c-{}" d="M1 6H25" stroke-dasharray="{}"/>').format(look.colour, look.dash)
    return frame.format(line, sign(look, 13, 6, 4))


def strip(low: float, high: float, marks: Sequence[tuple[float, Look, str]], levels: Sequence[tuple[float, str]] = (),
          interval: tuple[float, float] | None = None, colour: str = "grey") -> Markup:  # fmt: skip
    """A line of a table as a picture: an interval and marks between two bounds, upright ticks for levels."""
    axis = Axis(low, high if high > low else low + 1)
    width, inner = 132, 118

    def across(value: float) -> float:
        return round(7 + inner * axis.share(value), 1)

    parts = [Markup('<path class="track" d="M7 9H{}"/>').format(7 + inner)]
    parts += [Markup('<path class="stop" d="M{:g} 3v12" data-tip="{}"/>').format(across(v), tip) for v, tip in levels]
    if interval is not None:
        parts.append(
            Markup('<path class="reach c-{}" d="M{:g} 9H{:g}"/>').format(
                colour, across(interval[0]), across(interval[1])
            )
        )
    parts += [sign(look, across(value), 9, 4.2, tip=tip) for value, look, tip in marks]
    return Markup('<svg class="strip" viewBox="0 0 {} 18" role="img" aria-label="{}">{}</svg>').format(
        width, "; ".join(tip for _, _, tip in marks), Markup("").join(parts)
    )
