"""The report's tables: heads, and rows of cells that know their text and by what they are sorted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ._draw import strip
from ._groups import HELD_OUT, Line, Place, Score
from ._rows import AS_IS
from ._style import Look, Looks
from ._words import duration, metric_name, number, scale, short, shown, standing, verdict

ASIDE = ("return", "fraction_read", "words_read", "average_lagging", "length", "tokens", "bleu", "chrf", "exact_match",
         "f1")  # fmt: skip
ARMS = ("constant reward", "shuffled labels", "zero observation")
STANDINGS = {  # a sign and a word, so that neither has to be a colour
    "above": ("▲", "above trivial"),
    "level": ("≈", "level with it"),
    "below": ("▼", "below trivial"),
    "unknown": ("?", "not known"),
}


@dataclass(frozen=True)
class Cell:
    """One cell: its text or markup, what it is sorted by, a class, what is shown on hovering."""

    text: str | Markup = ""
    value: float | str | None = None
    kind: str = ""
    tip: str = ""
    note: str = ""
    link: str = ""
    look: Look | None = None


@dataclass(frozen=True)
class Entry:
    """One row of a table: its cells, what the filter finds it by, and its kind."""

    cells: tuple[Cell, ...]
    words: str = ""
    kind: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each head; heads are pairs of a text and a class."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[Entry, ...]


def _score(score: Score | None, metric: str, tip: str = "") -> Cell:
    """A score with its interval; two numbers that stand under those above them."""
    if score is None:
        return Cell("–", None, "number none")
    times, digits = scale(metric)
    text = Markup('{}<span class="half"> ± {}</span>').format(
        number(times * score.value, digits), number(times * score.half, digits)
    )
    bounds = f"{number(times * score.low, digits)} to {number(times * score.high, digits)}"
    return Cell(text, score.value, "number", f"{tip}{': ' if tip else ''}{bounds}, 95 %")


def _plain(value: float | None, text: str) -> Cell:
    return Cell(text, value, "number") if value is not None else Cell("–", None, "number none")


def bounds(place: Place) -> tuple[float, float]:
    """Between which values a place's scores are drawn."""
    scores = [score for line in (*place.lines, *place.controls) if (score := line.score(place.metric))]
    low, high = min(score.low for score in scores), max(score.high for score in scores)
    if scale(place.metric)[0] == 100 and 0 <= low and high <= 1.001:
        return 0.0, 1.0
    return low, high


def picture(place: Place, line: Line, looks: Looks) -> Markup:
    """Where a line stands: its interval and mark, upright ticks for the trivial policy and the ceiling."""
    score = line.score(place.metric)
    if score is None:
        return Markup("")
    levels = []
    for name, other in (("trivial", place.trivial), ("ceiling", place.ceiling)):
        if other is not None and (found := other.score(place.metric)) is not None:
            levels.append((found.value, f"{name}: {other.label} {shown(found, place.metric)}"))
    look = looks[line.series]
    mark = (score.value, look, f"{line.label} {shown(score, place.metric)}")
    return strip(*bounds(place), [mark], levels, (score.low, score.high), look.colour)


def glance(found: Sequence[Place], looks: Looks) -> Table:
    """One row for each id: the best that learned, between floor and ceiling."""
    heads = (("id", ""), ("metric", ""), ("trivial", "number"), ("best learner", ""), ("score", "number"), ("", "wide"),
             ("best rule", "number"), ("ceiling", "number"), ("verdict", ""))  # fmt: skip
    rows = []
    for place in found:
        told, metric, best = verdict(place), place.metric, place.best
        trivial, rule, ceiling, bar = (
            line.score(metric) if line else None for line in (place.trivial, place.rule, place.ceiling, place.bar)
        )
        score = best.score(metric) if best else None
        mark, words = STANDINGS[told.standing]
        sign = Markup('<span class="standing {}"><b aria-hidden="true">{}</b> {}</span>').format(
            told.standing, mark, words
        )
        cells = (
            Cell(place.name, place.name, "id", note=place.setting, link=place.key),
            Cell(metric_name(metric), metric),
            _named(trivial, metric, place.trivial),
            Cell(best.label, best.label, "agent", look=looks[best.series]) if best else Cell("none", "", "none"),
            _score(score, metric),
            Cell(picture(place, best, looks), score.value if score else None, "wide") if best else Cell(),
            _named(rule, metric, place.rule),
            _named(ceiling, metric, place.ceiling),
            Cell(sign, ("below", "level", "unknown", "above").index(told.standing), "verdict",
                 note=_aside(told.standing, score, bar, metric)),
        )  # fmt: skip
        rows.append(Entry(cells, f"{place.env} {place.setting} {' '.join(line.label for line in place.lines)}"))
    return Table(heads, tuple(rows))


def _aside(found: str, score: Score | None, bar: Score | None, metric: str) -> str:
    """By how much the best is not above what it must be above."""
    if found == "above" or score is None or bar is None:
        return ""
    return f"by {shown(score.less(bar), metric)}"


def _named(score: Score | None, metric: str, line: Line | None) -> Cell:
    """A score with the name of who has it under it."""
    if score is None or line is None:
        return Cell("–", None, "number none")
    times, digits = scale(metric)
    return Cell(number(times * score.value, digits), score.value, "number", shown(score, metric), note=line.label)


def everything(found: Sequence[Place], looks: Looks) -> Table:
    """One row for each agent on each id, the controls too."""
    heads = (("id", ""), ("agent", ""), ("metric", ""), ("score", "number"), ("", "wide"),
             ("normalised", "number"), ("return", "number"), ("seeds", "number"), ("steps", "number"),
             ("time", "number"))  # fmt: skip
    rows = []
    for place in found:
        for line in (*place.lines, *place.controls):
            score = line.score(place.metric)
            value = place.normalised(score.value) if score else None
            arm = "" if line.arm == AS_IS else line.arm
            seconds = line.mean("seconds") or line.mean("cpu_seconds")
            kind = "control" if line in place.controls else "learned" if line.learned else "baseline"
            cells = (
                Cell(place.name, place.name, "id", note=place.setting, link=place.key),
                Cell(line.label, line.label, "agent", look=looks[line.series], note=arm),
                Cell(metric_name(place.metric), place.metric),
                _score(score, place.metric),
                Cell(picture(place, line, looks), score.value if score else None, "wide"),
                _plain(value, number(value or 0, 2)),
                _score(line.score("return"), "return"),
                Cell(str(len(line.rows)), len(line.rows), "number"),
                _plain(line.steps if line.learned else None, short(line.steps)),
                _plain(seconds, duration(seconds or 0)),
            )
            rows.append(Entry(cells, f"{place.env} {place.setting} {line.label} {line.arm} {kind}", kind, line.series))
    return Table(heads, tuple(rows))


def of_place(place: Place, looks: Looks) -> Table:
    """Every line of one place with all that was measured."""
    lines = sorted(
        (*place.lines, *place.controls), key=lambda line: -(s.value if (s := line.score(place.metric)) else -1e9)
    )
    aside = [name for name in ASIDE if name != place.metric and any(line.score(name) for line in lines)][:5]
    others = dict.fromkeys(
        split for line in lines for split in line.rows[0].scores if split not in (*HELD_OUT, "train")
    )
    heads = [("agent", ""), (metric_name(place.metric), "number"), ("", "wide"), ("normalised", "number")]
    heads += [(metric_name(name), "number") for name in aside]
    heads += [(f"{metric_name(place.metric)}, {split}", "number") for split in others]
    heads += [("seeds", "number")]
    rows = []
    for line in lines:
        score = line.score(place.metric)
        value = place.normalised(score.value) if score else None
        cells = [
            Cell(line.label, line.label, "agent", look=looks[line.series], note="" if line.arm == AS_IS else line.arm),
            _score(score, place.metric),
            Cell(picture(place, line, looks), score.value if score else None, "wide"),
            _plain(value, number(value or 0, 2)),
            *(_score(line.score(name), name) for name in aside),
            *(_score(line.score(place.metric, split), place.metric) for split in others),
            Cell(str(len(line.rows)), len(line.rows), "number"),
        ]
        rows.append(Entry(tuple(cells), "", "learned" if line.learned else "baseline", line.series))
    return Table(tuple(heads), tuple(rows))


def controls(found: Sequence[Place], looks: Looks) -> Table | None:
    """What agents reach when what they could learn from is taken away."""
    members = [place for place in found if place.controls]
    arms = dict.fromkeys([arm for arm in ARMS if any(line.arm == arm for place in members for line in place.controls)])
    arms |= dict.fromkeys(line.arm for place in members for line in place.controls)
    heads = (
        ("id", ""),
        ("agent", ""),
        ("as is", "number"),
        *((arm, "number") for arm in arms),
        ("trivial", "number"),
        ("", "wide"),
        ("verdict", ""),
    )
    rows = []
    for place in members:
        trivial = place.trivial.score(place.metric) if place.trivial else None
        for label in dict.fromkeys(line.label for line in place.controls):
            by_arm = {line.arm: line for line in place.controls if line.label == label}
            plain = next((line for line in place.lines if label in (line.label, line.agent)), None)
            look = looks[next(iter(by_arm.values())).series]
            scores = {arm: line.score(place.metric) for arm, line in by_arm.items()}
            bad = [arm for arm, s in scores.items() if s and trivial and standing(s, trivial) == "above"]
            told = "unknown" if trivial is None else "below" if bad else "above"
            words = {
                "unknown": ("?", "no trivial policy"),
                "below": ("▲", f"above chance: {', '.join(bad)}"),
                "above": ("✓", "at chance"),
            }
            sign = Markup('<span class="standing {}"><b aria-hidden="true">{}</b> {}</span>').format(told, *words[told])
            cells = (
                Cell(place.name, place.name, "id", note=place.setting, link=place.key),
                Cell(label, label, "agent", look=look),
                _score(plain.score(place.metric) if plain else None, place.metric),
                *(_score(scores.get(arm), place.metric) for arm in arms),
                _named(trivial, place.metric, place.trivial),
                Cell(_control_picture(place, plain, by_arm, looks), None, "wide"),
                Cell(sign, len(bad), "verdict"),
            )
            rows.append(Entry(cells, f"{place.env} {label}", "control", label))
    return Table(heads, tuple(rows)) if rows else None


HOLLOW = ("square", "triangle", "diamond", "down", "plus")


def _control_picture(place: Place, plain: Line | None, by_arm: Mapping[str, Line], looks: Looks) -> Markup:
    """The agent as it is and its controls on one line."""
    marks = []
    for mark, (arm, line) in zip(HOLLOW, by_arm.items(), strict=False):
        if (score := line.score(place.metric)) is not None:
            marks.append((score.value, Look("grey", mark, "", False), f"{arm}: {shown(score, place.metric)}"))
    if plain is not None and (score := plain.score(place.metric)) is not None:
        marks.append((score.value, looks[plain.series], f"as is: {shown(score, place.metric)}"))
    trivial = place.trivial.score(place.metric) if place.trivial else None
    levels = [(trivial.value, f"trivial: {shown(trivial, place.metric)}")] if trivial else []
    return strip(*bounds(place), marks, levels)


def gaps(found: Sequence[Place], looks: Looks) -> Table | None:
    """Scores on the examples that were trained on, against those held out."""
    rows = []
    for place in found:
        for line in place.lines:
            seen, unseen = line.score(place.metric, "train"), line.score(place.metric)
            if seen is None or unseen is None or line.held_out == "train" or line.agent == "oracle":
                continue
            gap = seen.less(unseen)
            marks = [
                (seen.value, Look("grey", "circle", "", False), f"train {shown(seen, place.metric)}"),
                (unseen.value, looks[line.series], f"{line.held_out} {shown(unseen, place.metric)}"),
            ]
            ends = min(seen.value, unseen.value), max(seen.value, unseen.value)
            told = {"above": "beyond the noise", "level": "within the noise", "below": "better on the unseen"}[
                standing(seen, unseen)
            ]
            cells = (
                Cell(place.name, place.name, "id", note=place.setting, link=place.key),
                Cell(line.label, line.label, "agent", look=looks[line.series]),
                _score(seen, place.metric),
                _score(unseen, place.metric),
                _score(gap, place.metric),
                Cell(strip(*bounds(place), marks, (), ends, looks[line.series].colour), gap.value, "wide"),
                Cell(told, gap.value, "muted" if gap.low <= 0 else ""),
            )
            rows.append(
                Entry(cells, f"{place.env} {line.label}", "learned" if line.learned else "baseline", line.series)
            )
    heads = (
        ("id", ""),
        ("agent", ""),
        ("train", "number"),
        ("held out", "number"),
        ("gap", "number"),
        ("", "wide"),
        ("", ""),
    )
    return Table(heads, tuple(rows)) if rows else None
