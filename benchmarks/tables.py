"""The tables and pictures of `results/`, from the rows that `learning.py` wrote.

python benchmarks/tables.py
"""

import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
COLOURS = {  # Okabe and Ito's, which colour-blind readers can tell apart
    "maskable_ppo": "#0072B2", "sarsa": "#D55E00", "threshold": "#009E73", "level threshold": "#56B4E9",
    "fixed_fraction": "#999999", "recurrent_ppo": "#CC79A7", "ppo": "#E69F00",
}  # fmt: skip
INTRODUCTION = """# Results

Made by `python benchmarks/tables.py` from `learning.jsonl`, whose rows hold every configuration, versions, commit,
data hash, learning curve and scores; those are made by
`NLP_GYM_DATA=<folder> python benchmarks/learning.py label read front recurrent`. Texts to train / validate / test:
SST-2 6,908 / 872 / 1,821, AG News 10,596 / 1,000 / 7,600, TREC-6 4,866 / 498 / 500, built in 12,000 / 1,500 / 3,000.
Every agent is trained on the training split, its best checkpoint chosen on validation, and judged once on the held-out
split, on every text. Numbers are means over the seeds, x 100, with a 95 % interval over both the seeds and the texts.
"""


def load() -> list[dict[str, Any]]:
    """The rows without an error; the latest of each cell."""
    path = FOLDER / "learning.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    latest = {}
    for row in rows:
        if "error" not in row:
            latest[
                json.dumps(
                    [row[k] for k in ("experiment", "agent", "env", "arm", "seed", "set", "param")], sort_keys=True
                )
            ] = row
    return list(latest.values())


def summary(rows: list[dict[str, Any]], metric: str, split: str = "test") -> tuple[float, float]:
    """Mean over seeds, and half of its 95 % interval over seeds and texts."""
    values = [row["scores"][split][metric] for row in rows]
    mean = sum(value for value, _, _ in values) / len(values)
    texts = sum(((high - low) / 3.92) ** 2 for _, low, high in values) / len(values)
    seeds = (
        sum((value - mean) ** 2 for value, _, _ in values) / (len(values) - 1) / len(values) if len(values) > 1 else 0.0
    )
    return mean, 1.96 * math.sqrt(texts + seeds)


def cell(rows: list[dict[str, Any]], metric: str, split: str = "test", scale: float = 100, digits: int = 1) -> str:
    """A number of a table."""
    if not rows or split not in rows[0]["scores"] or metric not in rows[0]["scores"][split]:
        return ""
    mean, half = summary(rows, metric, split)
    return f"{scale * mean:.{digits}f} ± {scale * half:.{digits}f}"


def name_of(row: dict[str, Any]) -> str:
    """How a table calls a row's agent."""
    name = row["agent"]
    if name == "threshold" and row["param"].get("slope") is False:
        name = "level threshold"
    if name == "fixed_fraction":
        name = f"fixed fraction {row['param'].get('fraction', 0.5):g}"
    return name if row["arm"] == "as is" else f"{name}, {row['arm']}"


def grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows by agent and arm, in the order in which they are listed."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[name_of(row)].append(row)
    return found


def labels(rows: list[dict[str, Any]]) -> str:
    """One table for all labelling ids."""
    tasks = list(dict.fromkeys(row["env"] for row in rows))
    text = (
        "\n## Label choice: accuracy\n\n| agent | seeds | "
        + " | ".join(task.split("/")[1].split("-")[0] for task in tasks)
        + " |\n"
    )
    text += "|---" * (len(tasks) + 2) + "|\n"
    for name, members in grouped(rows).items():
        by_task = {task: [row for row in members if row["env"] == task] for task in tasks}
        count = max(len(found) for found in by_task.values())
        text += f"| {name} | {count} | " + " | ".join(cell(by_task[task], "accuracy") for task in tasks) + " |\n"
    return text


def reading(rows: list[dict[str, Any]], env: str) -> str:
    """The table of one reading id."""
    built_in = any("compositional" in row["scores"] for row in rows)
    extra = " | compositional |" if built_in else " |"
    text = (
        f"\n### {env}\n\n| agent | seeds | accuracy | words read | share read | return{extra}\n"
        + "|---" * (7 if built_in else 6)
        + "|\n"
    )
    for name, members in grouped(rows).items():
        parts = (
            cell(members, "accuracy"),
            cell(members, "words_read", scale=1),
            cell(members, "fraction_read"),
            cell(members, "return"),
            *([cell(members, "accuracy", "compositional")] if built_in else []),
        )
        text += f"| {name} | {len(members)} | " + " | ".join(parts) + " |\n"
    return text


def front(rows: list[dict[str, Any]], task: str) -> None:
    """Accuracy against the share read, one point for each price of a word."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    whole, near = figure.subplots(1, 2)  # everything, and the front itself
    series: dict[str, dict[Any, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["arm"] == "as is" and row["agent"] != "oracle":
            short = "fixed_fraction" if row["agent"] == "fixed_fraction" else name_of(row)
            place = (
                row["param"].get("fraction", 0.5)
                if short == "fixed_fraction"
                else row["set"].get("reading_cost", 0.001)
            )
            series[short][place].append(row)
    marks = {"uniform": "x", "majority": "v", "supervised": "*"}
    shown: list[tuple[float, float]] = []
    titles = {
        "majority": "read nothing",
        "supervised": "read all",
        "fixed_fraction": "fixed share",
        "threshold": "sloping threshold",
    }
    for short, places in series.items():
        points = []
        for place in sorted(places):
            (x, dx), (y, dy) = summary(places[place], "fraction_read"), summary(places[place], "accuracy")
            points.append((100 * x, 100 * y, 100 * dx, 100 * dy))
        points.sort()
        xs, ys, dxs, dys = zip(*points, strict=True)
        label = titles.get(short, short)
        for axes in (whole, near):
            if short in marks:
                axes.plot(xs, ys, marks[short], color="#222222", markersize=9, label=label)
            else:
                colour = COLOURS.get(short, "#222222")
                axes.errorbar(
                    xs, ys, yerr=dys, xerr=dxs, marker=".", capsize=2, lw=1.2, elinewidth=0.6, color=colour, label=label
                )
        if short not in marks and short != "fixed_fraction":
            shown += zip(xs, ys, strict=True)
    for axes in (whole, near):
        axes.set(xlabel="share of the words read, %", ylabel="test accuracy, %")
        axes.grid(alpha=0.3)
    lowest, highest = min(y for _, y in shown), max(y for _, y in shown)
    near.set(
        xlim=(min(x for x, _ in shown) - 4, min(104, max(x for x, _ in shown) + 6)),
        ylim=(lowest - 2.5, highest + 2.0),
        title="the same, near the front",
    )
    whole.set_title(f"nlp/{task}-read-v0")
    whole.legend(frameon=False, fontsize=9)
    figure.savefig(FOLDER / f"front_{task}.png", dpi=130)


def main() -> None:
    """Write README.md and the pictures."""
    rows = load()
    text = INTRODUCTION + labels([row for row in rows if row["experiment"] == "label"]) + "\n## Sequential reading\n"
    read = [row for row in rows if row["experiment"] in ("read", "recurrent")]
    for env in dict.fromkeys(row["env"] for row in read):
        text += reading([row for row in read if row["env"] == env], env)
    for task in ("ag_news", "sentiment", "text_classification"):
        chosen = [row for row in rows if row["env"] == f"nlp/{task}-read-v0"]
        if any(row["experiment"] == "front" for row in chosen):
            front(chosen, task)
            text += f"\n![accuracy against words read, {task}](front_{task}.png)\n"
    notes = FOLDER / "NOTES.md"
    text += "\n" + notes.read_text() if notes.exists() else ""
    (FOLDER / "README.md").write_text(text)


if __name__ == "__main__":
    main()
