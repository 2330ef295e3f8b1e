"""The tables of `results/nudging.md`, from the rows that `nudging.py` wrote.

python benchmarks/nudging_tables.py
"""

import json
from collections import defaultdict
from typing import Any

import numpy as np
from finetuning_tables import alike, resampled
from tables import FOLDER

BESIDE = ("no_op", "best_constant", "hill_climb", "prior_correction", "gradient_calibration")
MEASURES = {"accuracy": 100, "f1_macro": 100, "chrf": 100, "bleu": 100, "f1": 100, "exact_match": 100, "loss": 1}
INTRODUCTION = """# Nudging: frozen models calibrated step by step

Made by `python benchmarks/nudging_tables.py` from `nudging.jsonl`, which is made by

    NLP_GYM_DATA=<folder with ag_news, trec6, sst2> python benchmarks/nudging.py transfer
    python benchmarks/nudging.py builtin

400 test instances, the same for every agent; `rise` is that of the utility on each instance's judge batch x 100, with a
95 % interval over seeds and instances. `beside` is the rise less a rule's, paired by instance, with its interval. All
have 12 looks at the probe; the searches are not bound to the nudges. `oracle` is told the judge. Seeds are
counted in the table: fewer than five are a first look, and intervals of one seed are over instances alone.
"""


def shown(means: np.ndarray) -> str:
    """A mean and half its interval, x 100."""
    low, high = np.quantile(means[1:], [0.025, 0.975])
    return f"{100 * means[0]:.2f} ± {50 * (high - low):.2f}"


def table(rows: list[dict[str, Any]]) -> list[str]:
    """One data set: a line for each agent, best rise first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["agent"], row["arm"]].append(row)
    alike([row["scores"]["loss_start"][0] for row in rows], str((rows[0]["task"], rows[0]["judged_on"])))
    rises = {name: np.array([row["rises"] for row in group]) for name, group in groups.items()}
    beside = [rule for rule in BESIDE if (rule, "as is") in rises]
    measures = [name for name in MEASURES if name in rows[0]["scores"]]
    heads = ["agent", "seeds", "rise", *(f"beside {rule}" for rule in beside), *measures, "looks"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in sorted(groups, key=lambda name: -rises[name].mean()):
        group, mine = groups[name], rises[name]
        cells = [" ".join(part for part in name if part != "as is"), str(len(group))]
        cells.append(shown(resampled(mine)))
        for rule in beside:
            other = rises[rule, "as is"]
            cells.append("" if name[0] == rule else shown(resampled(mine - other)))
        for measure in measures:
            scale = MEASURES[measure]
            ends = [np.mean([row["scores"][f"{measure}{end}"][0] for row in group]) for end in ("_start", "")]
            cells.append(" to ".join(f"{scale * end:.{1 if scale > 1 else 3}f}" for end in ends))
        cells.append(f"{np.mean([row['scores']['looks'][0] for row in group]):.1f}")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Write the page."""
    rows = [json.loads(line) for line in (FOLDER / "nudging.jsonl").read_text().splitlines()]
    data: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        data[row["task"], row["judged_on"]].append(row)
    parts = [INTRODUCTION]
    for (trained, judged), group in data.items():
        zero_shot = "" if trained == judged else f", zero-shot (trained on {trained})"
        parts.append(f"## {judged}{zero_shot}\n\n" + "\n".join(table(group)) + "\n")
    notes = FOLDER / "NUDGING_NOTES.md"
    parts += [notes.read_text()] if notes.exists() else []
    (FOLDER / "nudging.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
