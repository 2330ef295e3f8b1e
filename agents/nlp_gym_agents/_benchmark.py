"""Running a benchmark: its cells side by side, a row for each; what has a row already is not run again."""

import errno
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from nlp_gym_envs.errors import BadArgument

from ._plan import LEARNED, Benchmark, Cell, cells, only
from ._results import FAILED, OK, SKIPPED, Outcome, Results
from ._workers import Begun, cores, here, in_processes, on_ray


class Watcher(Protocol):
    """What is told how a benchmark goes."""

    def begin(self, state: "State") -> None:
        """It starts; `state` changes as it goes."""

    def begun(self, cell: Cell) -> None:
        """A cell is being worked on."""

    def finished(self, row: dict[str, Any]) -> None:
        """A cell has its row."""


class State:
    """How a benchmark stands: what was there before, what is finished, and how long the rest may take."""

    def __init__(self, wanted: Sequence[Cell], rows: Sequence[dict[str, Any]], workers: int) -> None:
        self.workers = workers
        self.total = len(wanted)
        self.rows = {row["cell"]: row for row in rows}  # of wanted cells
        self.running: dict[str, float] = {}  # cells, and when each began
        self.waiting = {cell.id: cell for cell in wanted if cell.id not in self.rows}
        self._taken: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for row in rows:
            self._remember(row)

    def count(self, status: str) -> int:
        """How many cells have a row with this status."""
        return sum(row["status"] == status for row in self.rows.values())

    def begun(self, cell: Cell) -> None:
        """A cell is being worked on."""
        self.running[cell.id] = time.monotonic()

    def finished(self, row: dict[str, Any]) -> None:
        """A cell has its row."""
        self.rows[row["cell"]] = row
        self.running.pop(row["cell"], None)
        self.waiting.pop(row["cell"], None)
        self._remember(row)

    def score(self) -> float | None:
        """The learned agents' mean test score so far, on the task as it is; None before the first."""
        found = [
            row["scores"]["test"][row["metric"]][0]
            for row in self.rows.values()
            if row["status"] == OK and row["kind"] == LEARNED and row["arm"] == "as is"
        ]
        return sum(found) / len(found) if found else None

    def seconds_left(self) -> float | None:
        """What the cells left will take, by what cells like them took; None before the first."""
        if not self._taken:
            return None
        now = time.monotonic()
        left = 0.0
        for name, cell in self.waiting.items():
            expected = self._expected(cell)
            left += max(expected - (now - self.running[name]), 0) if name in self.running else expected
        return left / max(1, min(self.workers, len(self.waiting)))

    def _remember(self, row: dict[str, Any]) -> None:
        if row["status"] == OK and "seconds" in row:
            for likeness in _likenesses(row["env"], row["agent"], row["kind"]):
                self._taken[likeness].append(row["seconds"])

    def _expected(self, cell: Cell) -> float:
        for likeness in _likenesses(cell.env, cell.agent, cell.kind):
            if taken := self._taken.get(likeness):
                return sum(taken) / len(taken)
        return 0.0


def _likenesses(env: str, agent: str, kind: str) -> tuple[tuple[str, ...], ...]:
    """From the likest to any cell at all: how long one took tells of another."""
    dynamics = env.rpartition("-v")[0].rpartition("-")[2]
    return (env, agent), (dynamics, agent), (dynamics, kind), (kind,), ()


def run(
    benchmark: Benchmark,
    folder: str | Path,
    workers: int | str | None = None,
    chosen: Sequence[str] = (),
    retry: bool = False,
    watcher: Watcher | None = None,
) -> tuple[State, str | None]:
    """Run what has no row yet; how it stands then, and what was found damaged.

    `workers` is how many processes (0: this one; by default one for each core), or "ray". Failed and skipped cells are
    run again only with `retry`. Raises BadArgument where the folder is another benchmark's or in use, and OSError where
    the disk is full: what was finished is kept then, as it is when the process is killed.
    """
    results = Results(folder)
    wanted = only(cells(benchmark), chosen)
    if not wanted:
        raise BadArgument(f"no cell of benchmark {benchmark.name!r} fits {' and '.join(chosen)}.")
    count = workers if isinstance(workers, int) else cores()
    with results.locked():
        damaged = results.begin(asdict(benchmark))
        ids = {cell.id for cell in wanted}
        again = (FAILED, SKIPPED) if retry else ()
        rows = [row for row in results.rows() if row["cell"] in ids and row["status"] not in again]
        state = State(wanted, rows, count)
        if watcher:
            watcher.begin(state)

        def begun(cell: Cell) -> None:
            state.begun(cell)
            if watcher:
                watcher.begun(cell)

        left = list(state.waiting.values())
        for outcome in _made(left, "ray" if workers == "ray" else count, str(results.scratch), begun):
            outcome.row = {"cell": outcome.row["cell"], "benchmark": benchmark.name, **outcome.row}
            _keep(results, outcome)
            state.finished(outcome.row)
            if watcher:
                watcher.finished(outcome.row)
    return state, damaged


def _made(left: list[Cell], workers: int | str, scratch: str, begun: Begun) -> Iterable[Outcome]:
    if not left:
        return ()
    if workers == "ray":
        return on_ray(left, begun)
    return in_processes(left, int(workers), scratch, begun) if workers else here(left, scratch, begun)


def _keep(results: Results, outcome: Outcome) -> None:
    """Write what came of a cell. Raises OSError where a disk is full, here or where the cell worked."""
    if outcome.full is not None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), outcome.full.partition(": ")[2])
    results.add(outcome)
