"""What `nlp-gym benchmark` shows while it runs: cells done, failed, left, the time left, the score so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from ._benchmark import State
from ._plan import Cell
from ._results import FAILED, OK, SKIPPED


def standing(state: State) -> str:
    """How a benchmark stands, in a line."""
    told = [f"{len(state.rows):,} of {state.total:,} cells"]
    told += [f"{state.count(status):,} {status}" for status in (FAILED, SKIPPED) if state.count(status)]
    left = state.seconds_left() if state.waiting else None
    told += [f"{duration(left)} left"] if left is not None else []
    score = state.score()
    return ", ".join([*told, *([f"mean test score of learned agents {score:.3f}"] if score is not None else [])])


def duration(seconds: float) -> str:
    """A time as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def about(row: dict[str, Any]) -> str:
    """What came of a cell, in a line."""
    arm = "" if row["arm"] == "as is" else f", {row['arm']}"
    name = f"{row['agent']} on {row['env']}{arm}, seed {row['seed']}"
    if row["status"] != OK:
        return f"{row['status']}: {name}: {row['error']}"
    value, low, high = row["scores"]["test"][row["metric"]]
    return f"{name}: {row['metric']} {value:.3f} [{low:.3f}, {high:.3f}] in {duration(row['seconds'])}"


class Lines:
    """A line for each finished cell."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self.reasons: set[str] = set()  # why cells were skipped, as far as it was told

    def begin(self, state: State) -> None:
        """Tell what is there already."""
        self.state = state
        self._print(standing(state))

    def begun(self, cell: Cell) -> None:
        """Nothing to tell."""

    def finished(self, row: dict[str, Any]) -> None:
        """Tell what came of a cell, and how it stands now."""
        if self._is_new(row):
            self._print(about(row))
            self._print(f"  {standing(self.state)}")

    def _is_new(self, row: dict[str, Any]) -> bool:
        """Whether there is more to tell than that another cell was skipped for a reason that has been told."""
        known = row["status"] == SKIPPED and row["error"] in self.reasons
        if row["status"] == SKIPPED:
            self.reasons.add(row["error"])
        return not known

    def _print(self, line: str) -> None:
        self.out.print(Text(line), soft_wrap=True)  # a line stays a line


class Bar(Lines):
    """On a terminal: the lines scroll above a bar, and below it what is being worked on."""

    def __init__(self, out: Console, bar: Any) -> None:
        super().__init__(out)
        self.bar = bar

    def begin(self, state: State) -> None:
        """Draw the bar."""
        self.state, self.running = state, {}
        self.task = self.bar.add_task("", total=state.total, completed=len(state.rows), told="")
        self._draw()

    def begun(self, cell: Cell) -> None:
        """A cell more is being worked on."""
        self.running[cell.id] = f"{cell.agent} on {cell.env}"
        self._draw()

    def finished(self, row: dict[str, Any]) -> None:
        """A line above the bar, and one cell less."""
        self.running.pop(row["cell"], None)
        if self._is_new(row):
            self.bar.console.print(Text(about(row), "red" if row["status"] == FAILED else "dim"))
        self._draw()

    def _draw(self) -> None:
        now = f"; {', '.join(self.running.values())}" if self.running else ""
        self.bar.update(self.task, completed=len(self.state.rows), told=f"{standing(self.state)}{now}")


@contextmanager
def watching(out: Console) -> Iterator[Lines]:
    """A bar on a terminal, lines elsewhere."""
    if not out.is_terminal:
        yield Lines(out)
        return
    from rich.progress import BarColumn, Progress, TextColumn

    with Progress(BarColumn(), TextColumn("{task.fields[told]}", markup=False), console=out) as bar:
        yield Bar(out, bar)
