"""The page: everything that the template needs, and the file that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from . import _aggregates, _bars, _episodes, _figures, _tables, _words
from ._draw import icon
from ._groups import Place, places
from ._rows import AS_IS, Results, load
from ._style import looks

HERE = Path(__file__).parent
OPEN = 3  # of the sections of ids, how many are open when there are more
MOST_ON_PAPER = 12  # sections of ids that are printed with all their sample episodes


@dataclass(frozen=True)
class Section:
    """All that is said of one place."""

    place: Place
    verdict: _words.Verdict
    figures: tuple[_bars.Figure, ...]
    table: _tables.Table
    samples: tuple[_episodes.Sample, ...]
    picture: Markup
    open: bool


def write(results: Path, out: Path | None = None) -> Path:
    """Read results and write their report: beside the rows, as report.html, unless told where."""
    page = render(load(results))
    out = out or (results / "report.html" if results.is_dir() else results.with_suffix(".html"))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    return out


def render(results: Results) -> str:
    """The whole page."""
    found = places(results.rows)
    compared = [place for place in found if place.shown]
    pairs = [(line.series, line.learned) for place in found for line in (*place.lines, *place.controls)]
    look = looks(pairs)
    templates = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters["icon"] = icon
    return templates.get_template("page.html").render(
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup((HERE / "page.js").read_text(encoding="utf-8")),
        name=results.name,
        introduction=_words.introduction(results, compared),
        findings=_words.findings(results, compared),
        looks=dict(sorted(look.items(), key=lambda item: not item[1].filled)),
        glance=_tables.glance(compared, look),
        aggregates=_aggregates.aggregates(compared, look),
        across=_bars.across(compared, look),
        fronts=_figures.fronts(found, look),
        controls=_tables.controls(found, look),
        gaps=_tables.gaps(compared, look),
        costs=_figures.costs(compared, look),
        everything=_tables.everything(found, look),
        sections=[
            _section(place, results, look, n < OPEN or len(compared) <= 2 * OPEN) for n, place in enumerate(compared)
        ],
        most_on_paper=MOST_ON_PAPER,
        problems=results.problems,
        config=results.config,
        made=_made(results),
    )


def _section(place: Place, results: Results, look: _tables.Looks, is_open: bool) -> Section:
    """A place's own section."""
    bars = _bars.bars(place, look)
    return Section(
        place,
        _words.verdict(place),
        (*_figures.curves(place, look), *([bars] if bars is not None else [])),
        _tables.of_place(place, look),
        tuple(_episodes.samples(place, results.samples, _words.leaks(place))),
        _tables.picture(place, place.best, look) if place.best else Markup(""),
        is_open,
    )


def _made(results: Results) -> list[tuple[str, str]]:
    """Where the numbers come from: each fact with all the values that rows have of it."""
    found = []
    for name in ("benchmark", "commit", "versions", "python", "platform"):
        values = dict.fromkeys(_told(row.about[name]) for row in results.rows if row.about.get(name))
        if values:
            found.append((name, " / ".join(values)))
    found += [(f"training data, {env}", told) for env, told in _data(results)]
    return found


def _told(value: Any) -> str:
    """A fact in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items() if part)
    return str(value)


def _data(results: Results) -> Sequence[tuple[str, str]]:
    """The size and hash of each id's training data, by the rows as they are."""
    found: dict[str, str] = {}
    for row in results.rows:
        data = row.about.get("data")
        train = data.get("train") if isinstance(data, dict) else None
        if row.env not in found and row.arm == AS_IS and isinstance(train, dict) and train.get("sha256"):
            held_out = "".join(f", {size:,} {split}" for split, size in row.sizes.items() if split != "train")
            found[row.env] = f"{train.get('n')} examples{held_out}; sha256 {str(train['sha256'])[:16]}…"
    return list(found.items())
