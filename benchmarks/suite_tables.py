"""The tables of a benchmark's rows: `results/quick.md` from `results/quick.jsonl`, and so on.

    NLP_GYM_DATA=<folder> nlp-gym benchmark configs/quick.yaml
    cp runs/quick/rows.jsonl benchmarks/results/quick.jsonl
    python benchmarks/suite_tables.py quick

Every id is a line with its floor, its ceiling, its best learner, its best rule and its controls, and a sentence that
says whether anything was learned. Below it, under `All agents`, each id has all of its agents.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tables import FOLDER

from nlp_gym_agents._report._groups import Line, Place, places
from nlp_gym_agents._report._rows import Results, load
from nlp_gym_agents._report._words import introduction, metric_name, shown, verdict

ARMS = ("constant reward", "shuffled labels", "zero observation")


def cell(place: Place, line: Line | None) -> str:
    """An agent's name and score."""
    score = None if line is None else line.score(place.metric)
    return "" if line is None or score is None else f"{line.label} {shown(score, place.metric)}"


def summary(found: list[Place]) -> Iterator[str]:
    """A line for each id."""
    yield "| id | metric | best trivial | best learner | best rule | ceiling | " + " | ".join(ARMS) + " | |"
    yield "|---" * (7 + len(ARMS)) + "|"
    for place in found:
        controls = {line.arm: line for line in place.controls if place.best and line.agent == place.best.agent}
        controls = {line.arm: line for line in place.controls} | controls
        cells = [place.name + (f", {place.setting}" if not place.main else ""), metric_name(place.metric)]
        cells += [cell(place, line) for line in (place.trivial, place.best, place.rule, place.ceiling)]
        cells += [cell(place, controls.get(arm)) for arm in ARMS]
        yield f"| {' | '.join(cells)} | {verdict(place).text} |"


def agents(place: Place) -> Iterator[str]:
    """All agents of an id, best first, with further metrics of the held-out split and what the runs cost."""
    lines = [*place.lines, *place.controls]
    there = Counter(name for line in lines for name in line.rows[0].scores[line.held_out])
    more = [name for name in there if name != place.metric and not name.endswith(("_start", "_standard_error"))][:5]
    yield "| agent | seeds | trained for | " + " | ".join(metric_name(name) for name in [place.metric, *more]) + " |"
    yield "|---" * (4 + len(more)) + "|"
    for line in sorted(lines, key=lambda line: -(score.value if (score := line.score(place.metric)) else -1e9)):
        name = line.label if line.arm == "as is" else f"{line.label}, {line.arm}"
        scores = [shown(line.score(metric), metric) for metric in (place.metric, *more)]
        steps = f"{line.steps:,}" if line.learned else ""
        yield f"| {name} | {len({row.seed for row in line.rows})} | {steps} | {' | '.join(scores)} |"


def short(env_id: str) -> str:
    """An id without what all ids share."""
    return env_id.removeprefix("nlp/").removesuffix("-v0")


def about(rows: list[dict[str, Any]], results: Results) -> Iterator[str]:
    """What the rows are, and what is not among them."""
    commits = sorted({row["commit"][:12] for row in rows if row.get("commit")})
    hours = sum(row.get("cpu_seconds") or 0 for row in rows) / 3600
    yield f"{len(rows)} cells, {hours:.1f} hours of CPU time, commits {', '.join(commits)}."
    kinds = Counter(problem.kind for problem in results.problems)
    for kind, count in kinds.items():
        whys = Counter(problem.why.split(": it is")[0] for problem in results.problems if problem.kind == kind)
        yield f"{count} cells were {kind}: " + "; ".join(f"{why} ({n})" for why, n in whys.most_common()) + "."


def page(name: str) -> str:
    """The whole page of a benchmark."""
    path = FOLDER / f"{name}.jsonl"
    results = load(path)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = sorted(places(results.rows), key=lambda place: (place.name.split("-")[1], place.name, not place.main))
    made = f"Made by `python benchmarks/suite_tables.py {name}` from `{path.name}`, which are the rows of"
    told = [f"# Benchmark `{name}`", "", made, "", f"    nlp-gym benchmark configs/{name}.yaml", ""]
    told += [*about(rows, results), "", *introduction(results, found), ""]
    if (notes := FOLDER / f"{name.upper()}_NOTES.md").exists():
        told += [notes.read_text(encoding="utf-8")]
    for dynamics in dict.fromkeys(place.name.split("-")[1] for place in found):
        told += [f"## {dynamics}", "", *summary([p for p in found if p.name.split("-")[1] == dynamics]), ""]
    if absent := sorted({row["env"] for row in rows if row.get("status") == "skipped"} - {p.env for p in found}):
        told += [
            "## Not run",
            "",
            f"The data of {len(absent)} ids were not there: {', '.join(map(short, absent))}.",
            "",
        ]
    told += ["# All agents", ""]
    for place in found:
        told += [f"## {place.name}{f', {place.setting}' if not place.main else ''}", "", *agents(place), ""]
    return "\n".join(told).rstrip() + "\n"


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="benchmarks whose rows lie in results/")
    for name in parser.parse_args().names:
        (FOLDER / f"{name}.md").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    main()
