"""The "learned by" part of an id's page, from the rows of `benchmarks/results/*.jsonl` and from nothing else."""

import json
import math
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nlp_gym_agents import _pages
from nlp_gym_agents._agents import AGENTS
from nlp_gym_agents._baseline import Baseline
from nlp_gym_envs.task import TASKS

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
SWEEPS = ("front",)  # experiments that draw a front over a price: their tables are in the results' own page
TRIVIAL = (
    "uniform",
    "majority",
    "first_choice",
    "greedy",
    "stop",
    "static",
    "no_op",
    "best_constant",
)  # policies that nobody has to learn
CEILINGS = ("oracle", "supervised")
TOLD = "knows"  # a parameter of `best_constant`: it is told what is hidden
CALLED = {"usual": "without keywords", "builtin": "the built-in data"}  # experiments in which a model is changed
PAGES = {"finetuning.jsonl": "finetuning.md", "nudging.jsonl": "nudging.md"}  # where their experiments are explained
USUAL = ("unlike labels", "unlike texts", "unlike passages", "unlike stories")  # what ids are without keywords, first
SEEN = {"chunk", "encoder", "observation"}  # keywords that change what is seen, not what is paid
COUNTED = {  # scores that are no share: the column's title
    "words_read": "words read",
    "tokens": "tokens",
    "length": "length of an episode",
    "average_lagging": "average lagging",
    "forwards": "forwards",
}
SHARES = {"fraction_read": "share read", "average_proportion": "average proportion", "beyond_limit": "beyond the limit"}

Row = dict[str, Any]


def learned_by(env_id: str) -> str:
    """Sentences and tables: which agents learn the id, how well, and which do not."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for file, row in _rows():
        if row["env"] == env_id and row.get("experiment") not in SWEEPS:
            groups[file, row.get("experiment", ""), _setting(row)].append(row)
    if not groups:
        return "Not measured yet: `benchmarks/results` has no row of this id."
    paid = [row for rows in groups.values() for row in rows if "rises" not in row]  # a rise is no return
    plain = [row for row in paid if set(row.get("set") or {}) <= SEEN]
    return "\n\n".join(
        _group(env_id, key, groups[key], _floors(groups[key]) or _floors(plain)) for key in sorted(groups, key=_place)
    )


def _place(key: tuple[str, str, str]) -> tuple[bool, tuple[str, str, str]]:
    """Where an experiment stands on an id's page."""
    return key[1] not in USUAL, key


def measured(env_id: str) -> bool:
    """Whether there is any row of the id."""
    return any(row["env"] == env_id for _, row in _rows())


@cache
def _rows() -> tuple[tuple[str, Row], ...]:
    """Every row without an error, the latest of each cell, with the name of its file."""
    latest: dict[tuple[str, str], tuple[str, Row]] = {}
    for path in sorted(RESULTS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = _as_others(json.loads(line))
            if "env" in row and row.get("scores") and not row.get("error"):
                cell = [row.get(k) for k in ("experiment", "agent", "env", "arm", "seed", "set", "param")]
                name = path.name, json.dumps(cell, sort_keys=True)
                if name not in latest or "rises" not in row or _trained_for(row) >= _trained_for(latest[name][1]):
                    latest[name] = (path.name, row)
    return tuple(latest.values())


def _trained_for(row: Row) -> int:
    return row.get("steps") or 0


def _as_others(row: Row) -> Row:
    """A row by the names that `learning.py` gave: of `nlp-gym benchmark`, `nudging.py` or `finetuning.py`."""
    if "benchmark" in row:
        return row | {
            "experiment": row["benchmark"],
            "set": row["env_kwargs"],
            "param": row["hyperparameters"] if row["kind"] == "baseline" else {},
        }
    if "judged_on" in row:  # of `nudging.py`, whose agents may have been trained on other data
        here = row["judged_on"] == row["task"]
        return row | ({"env": f"nlp/{row['task']}-nudge-v0", "metric": "rise"} if here else {})
    if "dynamics" in row:
        return _of_finetuning(row)
    return row


def _of_finetuning(row: Row) -> Row:
    """A row of `finetuning.py`, whose settings have names; Adam is a parameter of who takes it."""
    learns = row["steps"] is not None
    param = {} if learns else row["param"] | ({"optimiser": "adam"} if row["arm"] == "adam" else {})
    return row | {
        "env": f"nlp/{row['task']}-{row['dynamics']}-v0",
        "experiment": row["setting"] or ("" if row["common"] else "usual"),
        "arm": "as is" if row["arm"] == "adam" else row["arm"],
        "param": param,
        "set": {} if row["setting"] else row["common"],
        "metric": "rise",
        "rises": row["each"]["rise"],
    }


def _floors(rows: list[Row]) -> dict[str, tuple[float, float]]:
    """The returns of the trivial policies, by name."""
    by_agent = _by_agent([row for row in rows if _is_trivial(row) and row.get("arm", "as is") == "as is"])
    return {name: paid for name, members in by_agent.items() if (paid := _mean(members, _judged_by(members)))}


def _is_trivial(row: Row) -> bool:
    """Whether nobody has to learn what this does: of `best_constant` only the action that is the same for ever."""
    return row["agent"] in TRIVIAL and not (row["agent"] == "best_constant" and row.get("param"))


def _judged_by(rows: list[Row]) -> str:
    """The score that says who is above whom: the return; where a model is changed the rise on other examples."""
    return "rise" if all("rises" in row for row in rows) else "return"


def _by_agent(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by agent, arm and parameters."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[_name(row)].append(row)
    return found


def _group(env_id: str, key: tuple[str, str, str], rows: list[Row], floors: dict[str, tuple[float, float]]) -> str:
    """One experiment: a sentence for learners above the trivial policies, one for those that are not, a table."""
    (file, experiment, setting), by_agent = key, _by_agent(rows)
    by = _judged_by(rows)
    paid = {name: _mean(members, by) for name, members in by_agent.items()}
    floor = max(floors, key=lambda name: floors[name][0]) if floors else None
    named = f", experiment `{CALLED.get(experiment, experiment)}`" if experiment else ""
    source = f"`benchmarks/results/{file}`"
    source = f"[{source}](../results/{PAGES[file]})" if file in PAGES else source
    told = [f"From {source}{named}{setting}."]
    learners = [name for name, members in by_agent.items() if _learns(members[0]) and paid[name]]
    if floor and learners:
        above = [n for n in learners if _is_above(by_agent[n], by_agent.get(floor, []), paid[n], floors[floor])]
        below = [name for name in learners if name not in above]
        if above:
            told.append(f"**Learned by {', '.join(above)}**: {by} above that of `{floor}`, the best trivial policy.")
        if below:
            told.append(f"**Not learned by {', '.join(below)}**: not clearly above `{floor}`.")
    order = sorted(by_agent, key=lambda name: -(paid[name] or (-math.inf, 0))[0])
    return " ".join(told) + "\n\n" + _table(env_id, order, by_agent, floor)


def _is_above(mine: list[Row], its: list[Row], paid: Any, floor: tuple[float, float]) -> bool:
    """Whether an agent is above a policy beyond the noise: instance by instance, where rows have every one."""
    if not its or not all("rises" in row for row in [*mine, *its]):
        return _low(paid) > _high(floor)
    both = min(len(row["rises"]) for row in [*mine, *its])
    gaps = np.array([row["rises"][:both] for row in mine]) - np.mean([row["rises"][:both] for row in its], 0)
    seeds = gaps.mean(1).std(ddof=1) / math.sqrt(len(gaps)) if len(gaps) > 1 else 0.0
    return float(gaps.mean() - 1.96 * math.hypot(seeds, gaps.mean(0).std(ddof=1) / math.sqrt(both))) > 0


def _table(env_id: str, order: list[str], by_agent: dict[str, list[Row]], floor: str | None) -> str:
    """An agent a row, best first; means over seeds with half of their 95 % interval, shares x 100."""
    there = {name for members in by_agent.values() for row in members for name in _scores(row)}
    metrics = [name for name in TASKS.get(_pages.names_of(env_id)[0]).metrics if name in there][:2]
    if metrics[:1] == ["accuracy"]:
        metrics = metrics[:1]
    own = by_agent[order[0]][0].get("metric")
    metrics = [own, *metrics] if own in there and own not in metrics else metrics
    columns = {name: (name.replace("_", " "), 100) for name in metrics}
    columns |= {name: (title, 100) for name, title in SHARES.items() if name in there}
    columns |= {name: (title, 1) for name, title in COUNTED.items() if name in there and _varies(by_agent, name)}
    columns |= {"return": ("return x 100", 100)}
    lines = ["| agent | | seeds | trained for | " + " | ".join(title for title, _ in columns.values()) + " |"]
    lines.append("|---" * (len(columns) + 4) + "|")
    for name in order:
        members = by_agent[name]
        cells = [_cell(_mean(members, score), scale) for score, (_, scale) in columns.items()]
        lines.append(
            f"| {name} | {_kind(members[0], name == floor)} | {len({row['seed'] for row in members})} | "
            f"{_steps(members)} | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines)


def _scores(row: Row) -> dict[str, Any]:
    """The held-out scores of a row: those of its test split, where there are several."""
    scores = row["scores"]
    return scores["test"] if "test" in scores else scores


def _interval(value: Any) -> tuple[float, float, float]:
    """A score and its interval, as a list of three, an object, or a bare number."""
    if isinstance(value, dict):
        return value["value"], value["low"], value["high"]
    return (value[0], value[1], value[2]) if isinstance(value, list) else (value, value, value)


def _mean(rows: list[Row], name: str) -> tuple[float, float] | None:
    """Mean over seeds, and half of its 95 % interval over seeds and texts."""
    values = [_interval(_scores(row)[name]) for row in rows if name in _scores(row)]
    if not values:
        return None
    mean = sum(value for value, _, _ in values) / len(values)
    texts = sum(((high - low) / 3.92) ** 2 for _, low, high in values) / len(values)
    spread = sum((value - mean) ** 2 for value, _, _ in values)
    seeds = spread / (len(values) - 1) / len(values) if len(values) > 1 else 0.0
    return mean, 1.96 * math.sqrt(texts + seeds)


def _low(score: tuple[float, float] | None) -> float:
    return score[0] - score[1] if score else -math.inf


def _high(score: tuple[float, float]) -> float:
    return score[0] + score[1]


def _cell(score: tuple[float, float] | None, scale: float) -> str:
    return f"{scale * score[0]:.1f}\u00a0±\u00a0{scale * score[1]:.1f}" if score else ""


def _varies(by_agent: dict[str, list[Row]], name: str) -> bool:
    """Whether a count tells agents apart: every episode of a label id has one step."""
    return len({round(mean[0], 3) for rows in by_agent.values() if (mean := _mean(rows, name))}) > 1


def _is_trained(row: Row) -> bool:
    """Whether the row is of an agent that learns by reward."""
    kind = AGENTS.get(row["agent"]) if row["agent"] in AGENTS.names() else None
    return not (isinstance(kind, type) and issubclass(kind, Baseline))


def _learns(row: Row) -> bool:
    """Whether an agent could have learned the task: it is trained, and the task was as it is."""
    return _is_trained(row) and row.get("arm", "as is") == "as is"


def _kind(row: Row, best_floor: bool) -> str:
    """What an agent is to the comparison."""
    if row.get("arm", "as is") != "as is":
        return "control"
    if row["agent"] in CEILINGS:
        return "ceiling"
    if TOLD in (row.get("param") or {}):
        return "told what is hidden"
    if _is_trivial(row):
        return "floor, the best" if best_floor else "floor"
    return "learns" if _learns(row) else "rule"


def _name(row: Row) -> str:
    """An agent with what sets it apart from its namesakes."""
    told = [f"{key}={value}" for key, value in (row.get("param") or {}).items()]
    name = " ".join([row["agent"], *told])
    return name if row.get("arm", "as is") == "as is" else f"{name}, {row['arm']}"


def _setting(row: Row) -> str:
    """The environment's keywords, where they are not its own defaults."""
    told = ", ".join(f"`{key}={value}`" for key, value in (row.get("set") or {}).items())
    return f"; with {told}" if told else ""


def _steps(rows: list[Row]) -> str:
    """Environment steps of training; rules take none."""
    counts = {row.get("steps") or 0 for row in rows} if _is_trained(rows[0]) else {0}
    return f"{max(counts):,}" if counts != {0} else "–"
