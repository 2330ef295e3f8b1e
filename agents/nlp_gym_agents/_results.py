"""A benchmark's results are a folder: a row for each finished cell, and what rows are too small for.

| file | holds |
|---|---|
| `config.yaml` | what was asked |
| `rows.jsonl` | one JSON object for each finished, failed or skipped cell |
| `episodes/<cell>.npz` | each example's return and metrics on the test split, and the counts that metrics are made of |
| `samples/<cell>.json` | some episodes, step by step |
| `.lock` | held by the process that works here |
| `.cells/` | what cells in flight write; removed by the next that works here |
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.text.cache import save_atomically

from ._runs import hold

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
DAMAGED = "rows.damaged.jsonl"


@dataclass
class Outcome:
    """What came of a cell: its row, and the content of its other files; `full` where a disk was."""

    row: dict[str, Any]
    episodes: bytes | None = None
    samples: dict[str, Any] | None = None
    full: str | None = None


class Results:
    """The folder of a benchmark's results; one process at a time writes there."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "rows.jsonl"
        self._known: set[str] = set()  # cells that have a row, from `begin` on

    @property
    def exists(self) -> bool:
        """Whether there are results in the folder."""
        return self.path.is_file() or (self.folder / "config.yaml").is_file()

    # ---------------------------------------------------------------- reading

    def read(self) -> tuple[list[dict[str, Any]], list[int]]:
        """The rows, the latest of each cell, and the numbers of lines that cannot be read. Raises BadArgument."""
        if not self.exists:
            raise BadArgument(f"there are no results in {self.folder}: `nlp-gym benchmark CONFIG --out` makes them.")
        lines = self.path.read_bytes().split(b"\n") if self.path.exists() else []
        rows: dict[str, dict[str, Any]] = {}
        damaged = []
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                row = json.loads(line)
                rows[row["cell"]] = row
            except (ValueError, LookupError, TypeError):
                damaged.append(number)
        return list(rows.values()), damaged

    def rows(self) -> list[dict[str, Any]]:
        """The rows that can be read."""
        return self.read()[0]

    def episodes(self, cell: str) -> dict[str, np.ndarray]:
        """What was kept of a cell's test examples: name -> (N,), and `counts/<metric>` (N, s)."""
        path = self.folder / "episodes" / f"{cell}.npz"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        except FileNotFoundError as error:
            raise BadData(f"{path} is missing; without it cell {cell} can be in tables, not in comparisons.") from error
        except (OSError, ValueError) as error:
            raise BadData(f"{path} cannot be read: {error}. Copy the results again.") from error

    def samples(self, cell: str) -> dict[str, Any] | None:
        """Some of a cell's episodes, step by step; None where none were kept."""
        path = self.folder / "samples" / f"{cell}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    # ---------------------------------------------------------------- writing

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing here meanwhile. Raises BadArgument where one does."""
        busy = "is written to by another benchmark, process {}; wait for its end, or choose another folder with --out."
        with hold(self.folder, busy):
            shutil.rmtree(self.scratch, ignore_errors=True)
            try:
                yield
            finally:
                shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def scratch(self) -> Path:
        """Where cells in flight work."""
        return self.folder / ".cells"

    def begin(self, config: dict[str, Any]) -> str | None:
        """Write what is asked, and set aside lines of rows.jsonl that cannot be read; what to tell of these.

        The folder goes on with a benchmark of the same name; its configuration may have grown.
        Raises BadArgument where another benchmark's results are here.
        """
        known = self.folder / "config.yaml"
        if known.exists():
            before = yaml.safe_load(known.read_text(encoding="utf-8")) or {}
            if before.get("name") != config["name"]:
                raise BadArgument(
                    f"{self.folder} holds the results of benchmark {before.get('name')!r}, not {config['name']!r}; "
                    "choose another folder with --out."
                )
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        save_atomically(known, lambda file: file.write(text.encode()))
        rows, damaged = self.read()
        self._known = {row["cell"] for row in rows}
        return self._mend(rows, damaged) if self.path.exists() else None

    def _mend(self, rows: list[dict[str, Any]], damaged: list[int]) -> str | None:
        """Keep the file as it is beside itself, and go on with the rows that can be read."""
        content = self.path.read_bytes()
        if damaged:
            save_atomically(self.folder / DAMAGED, lambda file: file.write(content))
        if damaged or not content.endswith(b"\n"):  # the next row would be written behind the last
            self._rewrite(rows)
        if not damaged:
            return None
        lines = f"line{'s' * (len(damaged) > 1)} {', '.join(map(str, damaged))}"
        return (
            f"{lines} of {self.path} could not be read, as after a crash or an edit by hand. The {len(rows)} whole "
            f"rows are kept; what cannot be read is run again. The file as it was: {self.folder / DAMAGED}."
        )

    def add(self, outcome: Outcome) -> None:
        """Write what came of a cell; its row last, so that a row never lacks its files. Raises OSError."""
        row = outcome.row
        name, content, samples = row["cell"], outcome.episodes, outcome.samples
        if content is not None:
            save_atomically(self.folder / "episodes" / f"{name}.npz", lambda file: file.write(content))
        if samples is not None:
            text = json.dumps(samples, ensure_ascii=False, allow_nan=False)
            save_atomically(self.folder / "samples" / f"{name}.json", lambda file: file.write(text.encode()))
        if name in self._known:
            self._rewrite([*(other for other in self.rows() if other["cell"] != name), row])
        else:
            self._append(_line(row))
            self._known.add(name)

    def _append(self, line: bytes) -> None:
        """Add a line, or leave the file as it was."""
        with open(self.path, "ab", buffering=0) as file:
            size = file.tell()
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):  # the error that is told is the one above
                    os.truncate(self.path, size)
                raise

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        save_atomically(self.path, lambda file: file.writelines(map(_line, rows)))


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()
