"""The tables of `results/simultaneous.md`, from the rows that `simultaneous.py` and `simultaneous.py --report` wrote.

python benchmarks/simultaneous_tables.py
"""

import json
from collections import defaultdict
from typing import Any

from tables import FOLDER, cell

MEASURES = {  # column -> score, scale, digits
    "lagging, words": ("average_lagging", 1, 2),
    "lagging, length-adaptive": ("length_adaptive_average_lagging", 1, 2),
    "proportion, %": ("average_proportion", 100, 1),
    "BLEU": ("bleu", 100, 1),
    "chrF": ("chrf", 100, 1),
    "return x 100": ("return", 100, 1),
}
INTRODUCTION = """# When to read and when to write: simultaneous translation of Multi30k

Made by `python benchmarks/simultaneous_tables.py` from `simultaneous.jsonl` and `simultaneous_paired.jsonl`; those are
made by

    nlp-gym pretrain --task multi30k_en_de --out models/m30k ...    # as in writing.md
    export NLP_GYM_DATA=<folder with multi30k_en_de>
    python benchmarks/simultaneous.py line ppo --model models/m30k
    python benchmarks/simultaneous.py line ppo --model models/m30k --report
    python benchmarks/simultaneous.py controls --seeds 1 --model m30k_b    # and line --only wait_k

The recipe of writing.md trained again (78 s on a GPU: chrF 36.8, BLEU 15.8 on validation), then tuned on prefixes for
200 updates (125 s of one core); all play with the tuned one. 19,997 / 1,014 / 1,000 pairs;
the reward is the rise of the mean of sentence chrF and BLEU, less the price of delay x the average proportion. A
learned policy is the best of three checkpoints on validation, judged once on the whole test split.
"""


def main() -> None:
    """Write simultaneous.md."""
    rows, pairs = _rows("simultaneous.jsonl"), _rows("simultaneous_paired.jsonl")
    models: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if "error" not in row:
            models[row["model"]].append(row)
    first, *again = models.values()
    text = f"{INTRODUCTION}\n{_table(first)}"
    text += "\n![quality against delay](simultaneous.png)\n"
    text += _paired([pair for pair in pairs if pair["agent"] != "uniform"])
    for there in again:
        text += f"\n## Controls, with the model trained again\n\n{_table(there)}"
    notes = FOLDER / "SIMULTANEOUS_NOTES.md"
    text += "\n" + notes.read_text() if notes.exists() else ""
    (FOLDER / "simultaneous.md").write_text(text)


def _rows(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def named(row: dict[str, Any]) -> str:
    """How tables call what differs between rows besides the seed."""
    told = " ".join([row["agent"], *(f"{name}={value}" for name, value in row["param"].items())])
    told += "" if row["experiment"] == "line" else f", delay at {row['price']:g}"
    return told if row["arm"] == "as is" else f"{told}, {row['arm']}"


def _table(rows: list[dict[str, Any]]) -> str:
    """One line for each rule, and for each price of delay."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["experiment"], row["agent"], row["scores"]["average_lagging"][0])):
        groups[named(row)].append({**row, "scores": {"test": row["scores"]}})
    lines = [f"| policy | seeds | {' | '.join(MEASURES)} |", "|---" * (len(MEASURES) + 2) + "|"]
    for name, group in groups.items():
        numbers = [cell(group, score, "test", scale, digits) for score, scale, digits in MEASURES.values()]
        lines.append(f"| {name} | {len(group)} | {' | '.join(numbers)} |")
    return "\n".join(lines) + "\n"


def _paired(pairs: list[dict[str, Any]]) -> str:
    """What a policy has beyond the wait-k line where that is as late."""
    if not pairs:
        return ""
    lines = ["", "Beyond the wait-k line at the same delay (linear between neighbouring k), x 100, 95 % interval over "
             "sentences and seeds:", "",
             "| policy | seeds | at | words | BLEU | chrF |", "|---|---|---|---|---|---|"]  # fmt: skip
    for pair in pairs:
        at = pair["at"]
        numbers = ["{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * x for x in pair[m])) for m in ("bleu", "chrf")]
        told = at.replace("_", " ").replace("average lagging", "lagging")
        lines.append(f"| {named(pair)} | {pair['seeds']} | {told} | {pair[at]:.2f} | {' | '.join(numbers)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
