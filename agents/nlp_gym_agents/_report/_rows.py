"""Results as they lie on disk: rows, their samples, and a list of everything that could not be used."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlp_gym_envs.errors import BadData, NotAvailable

AS_IS = "as is"
FAILED = ("failed", "skipped")
FIRST_METRICS = ("accuracy", "f1", "chrf", "bleu", "return")  # of older rows, which do not name theirs
ABOUT = ("benchmark", "versions", "python", "platform", "commit", "data")
TIMES = ("seconds", "cpu_seconds", "peak_memory_mb")
HUGE = 1e12  # no score or count is beyond it
STEM = 48  # letters of a broken line that are shown

Interval = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class Row:
    """One finished cell: an agent on an id with one seed, judged once.

    `scores` split -> metric -> (value, low, high); `sizes` split -> how many examples; `curve` points with "steps" and
    what was measured there; `parameters` are the hyper-parameters by which variants of an agent are told apart.
    """

    cell: str
    env: str
    agent: str
    arm: str
    seed: int
    steps: int
    learned: bool
    metric: str
    scores: Mapping[str, Mapping[str, Interval]]
    sizes: Mapping[str, int]
    curve: tuple[Mapping[str, float], ...] = ()
    setting: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """A row that has no scores, or a line that is no row: `what` it was, `why` it is not in the tables."""

    kind: str  # "failed", "skipped" or "broken"
    what: str
    why: str
    where: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Results:
    """Everything that a report is made from."""

    name: str
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    samples: Mapping[str, Any]  # cell -> what its file holds
    config: str = ""


def load(path: Path) -> Results:
    """The results in a folder with `rows.jsonl`, or in one file of rows."""
    file = path / "rows.jsonl" if path.is_dir() else path
    if not file.is_file():
        wanted = "a folder with rows.jsonl, as `nlp-gym benchmark` writes it, or a file of rows (.jsonl)"
        raise NotAvailable(f"there are no results in {path}; give {wanted}.")
    rows, problems = _read(file)
    if not rows and not problems:
        raise BadData(f"{file} has no rows yet; a benchmark writes one whenever a cell is finished.")
    samples: dict[str, Any] = {}
    config = ""
    if path.is_dir():
        samples, unreadable = _samples(path / "samples")
        problems += unreadable
        config = (path / "config.yaml").read_text(errors="replace") if (path / "config.yaml").is_file() else ""
    name = path.resolve().name if path.is_dir() else path.stem
    return Results(name, tuple(rows), tuple(problems), samples, config)


def _read(file: Path) -> tuple[list[Row], list[Problem]]:
    """The latest row of each cell, and what is no row; a later row of a cell replaces an earlier one, a failure too."""
    found: dict[str, Row | Problem] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file.name}, line {number}"
        try:
            raw = json.loads(line)
            key = _cell(raw)
            found[key] = _problem(raw, where) or _row(raw)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            start = line[:STEM] + ("…" if len(line) > STEM else "")
            found[where] = Problem("broken", start, _why(error), where)
    values = found.values()
    return [one for one in values if isinstance(one, Row)], [one for one in values if isinstance(one, Problem)]


def _why(error: Exception) -> str:
    """What is wrong with a line, in words."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at column {error.colno}"
    if isinstance(error, KeyError):
        return f"the key {error} is missing"
    return f"not a row: {error}"


def _cell(raw: Mapping[str, Any]) -> str:
    """What a row is called; older rows have no name of their own."""
    if "cell" in raw:
        return str(raw["cell"])
    keys = ("experiment", "env", "agent", "arm", "seed", "set", "param")
    return json.dumps([raw.get(key) for key in keys], sort_keys=True)


def _problem(raw: Mapping[str, Any], where: str) -> Problem | None:
    """The row of a cell that has no scores to show."""
    error = raw.get("error")
    status = raw.get("status", "failed" if error else "ok")
    if status not in FAILED:
        return None
    what = " · ".join(str(raw[key]) for key in ("env", "agent", "arm") if raw.get(key)) or _cell(raw)
    what += f" · seed {raw['seed']}" if "seed" in raw else ""
    return Problem(status, what, str(error or "no reason was written down"), where, str(raw.get("traceback") or ""))


def _row(raw: Mapping[str, Any]) -> Row:
    """A row of the benchmark, or an older one."""
    older = "metric" not in raw
    scores = _scores(raw["scores"])
    metric = _metric(scores) if older else str(raw["metric"])
    if not all(metric in found for found in scores.values()):
        raise ValueError(f"its metric {metric!r} is not among its scores")
    sizes = raw.get("n") if older else {split: found.get("n") for split, found in raw["scores"].items()}
    sizes = sizes if isinstance(sizes, Mapping) else {"test": sizes}
    curve = tuple(_curve(raw.get("curve") or (), metric))
    trained = bool(curve) and max(point["steps"] for point in curve) > 0
    steps = int(raw.get("steps") or 0)
    return Row(
        cell=_cell(raw),
        env=str(raw["env"]),
        agent=str(raw["agent"]),
        arm=str(raw.get("arm") or AS_IS),
        seed=int(raw.get("seed") or 0),
        steps=steps,
        learned=raw["kind"] == "learned" if "kind" in raw else trained,
        metric=metric,
        scores=scores,
        sizes={split: int(n) for split, n in sizes.items() if n},
        curve=curve,
        setting=dict(raw.get("set", raw.get("env_kwargs")) or {}),
        parameters=dict(raw.get("param", raw.get("hyperparameters")) or {}),
        costs=({"environment_steps": float(steps)} if trained else {}) | dict(_costs(raw)),
        about={name: raw[name] for name in ABOUT if name in raw},
    )


def _costs(raw: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What was counted and timed."""
    for name, value in ((raw.get("counts") or {}) | {name: raw.get(name) for name in TIMES}).items():
        if value is not None:
            cost = float(value)
            if not 0 <= cost < HUGE:
                raise ValueError(f"its {name} are {value}")
            yield str(name), cost


def _scores(raw: Mapping[str, Any]) -> dict[str, dict[str, Interval]]:
    """Scores by split; those of rows that judge one split only are the held-out one's."""
    if any(isinstance(value, list) for value in raw.values()):
        raw = {"test": raw}
    found: dict[str, dict[str, Interval]] = {}
    for split, values in raw.items():
        found[split] = {name: _interval(value) for name, value in values.items() if name != "n" and value is not None}
    if not found:
        raise ValueError("it has no scores")
    return found


def _interval(value: Any) -> Interval:
    """A value with its bounds, which are itself where nobody measured them."""
    numbers = value if isinstance(value, list | tuple) else (value, value, value)
    middle, low, high = (float(number) for number in numbers)
    if not all(abs(number) < HUGE for number in (middle, low, high)):  # nor is it NaN
        raise ValueError(f"a score is {value}")
    return middle, low, high


def _metric(scores: Mapping[str, Mapping[str, Interval]]) -> str:
    """The task's own metric of a row that does not name it."""
    names = next(iter(scores.values()))
    return next((name for name in FIRST_METRICS if name in names), next(iter(names)))


def _curve(raw: Any, metric: str) -> Iterator[dict[str, float]]:
    """Points of a curve; older rows have lists of steps, return and metric."""
    for point in raw:
        named = point if isinstance(point, Mapping) else dict(zip(("steps", "return", metric), point, strict=False))
        yield {name: float(v) for name, v in named.items() if isinstance(v, int | float) and abs(v) < HUGE}


def _samples(folder: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The sample episodes by cell."""
    found: dict[str, Any] = {}
    problems = []
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(content, dict) or not isinstance(content.get("episodes"), list):
                raise ValueError('it has no list of "episodes"')
            found[file.stem] = content
        except (ValueError, OSError) as error:
            problems.append(Problem("broken", f"samples/{file.name}", _why(error)))
    return found, problems
