"""The page `results/pairs.md`: which agents learn to change a model, for four tasks and four dynamics.

python benchmarks/pairs_tables.py
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import finetuning
import finetuning_tables
import nudging
import numpy as np
from finetuning_tables import LEARNERS
from tables import FOLDER

TASKS = nudging.BUILTIN
TAKES: dict[str, tuple[str, ...]] = {"nudge": nudging.LEARNERS, **finetuning.LEARNERS}  # who can take its actions
CONSTANT, DECAY = "best_constant", "best_constant schedule=cosine"
FLOORS = ("uniform", "no_op", CONSTANT)
ALSO = {"trec6": "text_classification", "babi_qa": "question_answering"}  # data sets of the four tasks
OTHERS = ("unlike short", "unlike texts", "damaged")  # instances that no id has without keywords
ENOUGH = 5  # seeds
METRICS = ("accuracy", "chrf", "f1")  # of the tasks
INTRODUCTION = """# Sixteen pairs: who learns to change a model

Made by `python benchmarks/pairs_tables.py` from `nudging.jsonl` and `finetuning.jsonl`; the pages
[nudging](nudging.md) and [changing a model](finetuning.md) say how their rows were made, what controls and other rules
have, and what was tried.

Judged on instances that no agent was trained on, on examples that no action was chosen by. *above*: the lower bounds
of the differences to uniform actions, to doing nothing and to the best constant action are all above 0; **above**: to
the best cosine decay of a constant action, too, where there is one. *level*: above uniform actions and doing nothing,
and not surely above or below the best constant action; *below*: surely below it, or not above the other two. Beside it
the number of seeds, where it is not five; `-`: the agent cannot take such actions; empty: not run.

*usual* and *unlike*, with *passages* and *stories* in question answering, are the instances that ids have without
keywords (stories but for the length of an answer). In *unlike* ones of `layers` and `rates` nothing is wrong, or names
are swapped, or a group is damaged, and agents work on top of a cosine schedule. Below them are others: *unlike short*
and *unlike texts*, where models read little, and *damaged*, where a group is damaged in each and rates do not decay.
"""
METRIC = """## The task's metric

On the examples that no action was chosen by, x 100; where rows have it for each instance. The reward is the fall of a
loss, and the metric may follow it or not.
"""


@dataclass
class Case:
    """A task, a dynamics and its instances: each agent's rises (seeds, instances), and the task's metric at the end."""

    task: str
    dynamics: str
    instances: str
    rises: dict[str, np.ndarray]
    metric: str = ""
    scores: dict[str, np.ndarray] = field(default_factory=dict)  # of agents whose rows have it for each instance

    def beside(self, learner: str, other: str) -> np.ndarray | None:
        """Means of the difference of rises, as it is and resampled."""
        return difference(self.rises, learner, other)

    def verdict(self, learner: str) -> str:
        """What a learner is beside the floors; empty where it or a floor was not run."""
        gaps = [self.beside(learner, other) for other in FLOORS] if learner in self.rises else [None]
        bounds = [np.quantile(gap[1:], [0.025, 0.975]) for gap in gaps if gap is not None]
        if len(bounds) < len(FLOORS):
            return ""
        if all(low > 0 for low, _ in bounds):
            decay = self.beside(learner, DECAY)
            found = "above" if decay is not None and np.quantile(decay[1:], 0.025) <= 0 else "**above**"
        else:
            trivial = any(low <= 0 for low, _ in bounds[:-1])
            found = "below" if trivial or bounds[-1][1] < 0 else "level"
        seeds = len(self.rises[learner])
        return found if seeds == ENOUGH else f"{found} ({seeds})"


def difference(of: dict[str, np.ndarray], learner: str, other: str) -> np.ndarray | None:
    """Means of a learner's numbers less another's, as they are and resampled; None where the other was not run."""
    return finetuning_tables.less(of[learner], of[other]) if other in of else None


def nudges() -> Iterator[Case]:
    """Cases of `nudge`, on the built-in data sets."""
    groups: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for line in (FOLDER / "nudging.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["task"] in TASKS and row["arm"] == "as is":
            groups[row["task"]][row["agent"]].append(row["rises"])
    for task, agents in groups.items():
        yield Case(task, "nudge", "usual", {agent: np.array(rises) for agent, rises in agents.items()})


def trainings() -> Iterator[Case]:
    """Cases of the other dynamics, by their settings."""
    groups: dict[tuple[str, ...], dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in finetuning_tables.load():
        named = finetuning.name_of_setting(row["task"], row["common"])
        as_named = row["common"] == (finetuning.SETTINGS[named].common if named else {})
        if row["arm"] not in ("as is", "adam") or named == "hard" or not as_named:
            continue
        instances = kind_of(row["task"], named) if named else "usual"
        where = (row["task"], row["dynamics"], instances)
        name = finetuning_tables.name_of(row, row["steps"])
        groups[where][name].append(row)
    for (task, dynamics, instances), agents in groups.items():
        chosen = {name: trained_longest(rows) for name, rows in agents.items()}
        rises = {name: np.array([row["each"]["rise"] for row in rows]) for name, rows in chosen.items()}
        metric = next(metric for metric in METRICS if any(metric in row["scores"] for row in chosen["no_op"]))
        told = {name: [row["each"][metric] for row in rows if metric in row["each"]] for name, rows in chosen.items()}
        yield Case(task, dynamics, instances, rises, metric, {n: np.array(found) for n, found in told.items() if found})


def kind_of(task: str, setting: str) -> str:
    """What a setting is called here: by its instances alone, where these are what the task's ids have."""
    if (task, setting) == ("question_answering", "unlike texts"):  # its ids read more
        return setting
    return setting.removesuffix(" labels").removesuffix(" texts")


def trained_longest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an agent that took the most steps."""
    most = max(row["steps"] or 0 for row in rows)
    return [row for row in rows if (row["steps"] or 0) == most]


def matrix(cases: list[Case]) -> list[str]:
    """Who learns what, at a glance."""
    lines = ["| | task | kind | " + " | ".join(LEARNERS) + " |", "|---" * (3 + len(LEARNERS)) + "|"]
    for case in cases:
        cells = [case.verdict(agent) if agent in TAKES[case.dynamics] else "-" for agent in LEARNERS]
        lines.append(f"| {' | '.join((case.dynamics, case.task, case.instances, *cells))} |")
    return lines


def details(cases: list[Case]) -> list[str]:
    """The numbers behind it."""
    others = {"uniform": "uniform", "no_op": "doing nothing", CONSTANT: "best constant", DECAY: "its best decay"}
    heads = ["", "task", "kind", "agent", "seeds", "rise x 100", *(f"less {other}" for other in others.values())]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for case in cases:
        for agent in (a for a in LEARNERS if a in case.rises):
            rises = case.rises[agent]
            gaps = [case.beside(agent, other) for other in others]
            cells = [finetuning_tables.written(100 * finetuning_tables.resampled(rises), 1)]
            cells += ["" if gap is None else finetuning_tables.written(100 * gap, 1) for gap in gaps]
            lines.append(f"| {case.dynamics} | {case.task} | {case.instances} | {agent} | {len(rises)} | "
                         f"{' | '.join(cells)} |")  # fmt: skip
    return lines


def metrics(cases: list[Case]) -> list[str]:
    """The task's metric, where the rows have it for each instance."""
    others = {"no_op": "at the start", CONSTANT: "best constant", DECAY: "its best decay"}
    heads = ["", "task", "kind", "agent", "seeds", "metric", "start", "end", *(f"less {o}" for o in others.values())]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for case in cases:
        for agent in (a for a in LEARNERS if a in case.scores and "no_op" in case.scores):
            gaps = [difference(case.scores, agent, other) for other in others]
            ends = [f"{100 * case.scores[name].mean():.1f}" for name in ("no_op", agent)]
            ends += ["" if gap is None else finetuning_tables.written(100 * gap, 1) for gap in gaps]
            lines.append(f"| {case.dynamics} | {case.task} | {case.instances} | {agent} | {len(case.scores[agent])} | "
                         f"{case.metric} | {' | '.join(ends)} |")  # fmt: skip
    return lines


def place(case: Case) -> tuple[bool, int, int, str, str]:
    """Where a case stands on the page: instances that ids do not have without keywords at the end."""
    task = TASKS.index(ALSO.get(case.task, case.task))
    return case.instances in OTHERS, list(TAKES).index(case.dynamics), task, case.task, case.instances


def main() -> None:
    """Write the page."""
    cases = sorted([*nudges(), *trainings()], key=place)
    notes = FOLDER / "PAIRS_NOTES.md"
    parts = [INTRODUCTION, *matrix(cases), "", *([notes.read_text()] if notes.exists() else [])]
    parts += ["## The numbers", "", *details(cases), "", METRIC, *metrics(cases), ""]
    (FOLDER / "pairs.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
