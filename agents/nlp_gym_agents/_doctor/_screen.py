"""The doctor's screen: sections, a line for each finding, the verdict."""

from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from .._pages import plain
from .._screens import PIPED
from ._findings import FAULT, NOTE, OK, WARNING
from ._runner import Examined, Report

MARKS = {OK: ("✓", "green"), NOTE: ("·", "dim"), WARNING: ("!", "yellow"), FAULT: ("✗", "bold red")}
LABELS = 22  # columns of what was looked at


def show_report(report: Report, out: Console) -> None:
    """Print everything."""
    if not out.is_terminal:
        out.width = max(out.width, PIPED)
    given = ", ".join(f"{name}={value}" for name, value in report.options.items())
    out.print(Text.assemble((report.env_id, "bold cyan"), (f"  {given}" if given else "", "dim")))
    section = ""
    for each in report.found:
        if each.section != section:
            section = each.section
            out.print()
            out.print(Text(section, "bold"))
        out.print(_line(each))
    out.print()
    colour = "bold red" if report.marked(FAULT) else "bold yellow" if report.marked(WARNING) else "bold green"
    out.print(Text(report.verdict, colour))


def _line(each: Examined) -> Table:
    mark, colour = MARKS[each.finding.mark]
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=2, justify="right", no_wrap=True)
    grid.add_column(width=LABELS)
    grid.add_column(overflow="fold")
    told: list[Any] = [Text(plain(each.finding.told), "" if each.finding.mark != NOTE else "dim")]
    if each.finding.todo:
        told.append(Text(f"→ {plain(each.finding.todo)}", colour if each.finding.mark != NOTE else "cyan"))
    grid.add_row(Text(mark, colour), Text(plain(each.finding.about)), Group(*told))
    return grid


@contextmanager
def progress(out: Console) -> Any:
    """Something to call with each section as it begins; silent where there is no terminal."""
    if not out.is_terminal:
        yield lambda section: None
        return
    with out.status("making the environment") as status:
        yield lambda section: status.update(f"looking at {section.lower()}")
