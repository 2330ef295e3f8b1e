"""The tables of `results/writing.md`, from the rows that `writing.py` and `writing.py --compare` wrote.

python benchmarks/writing_tables.py
"""

import json
from collections import defaultdict
from typing import Any

from tables import FOLDER, cell
from writing import FOR_GOALS, LEARNERS, RULES, named

TITLES = {
    "plain": "Multi30k, no other goal: the rise of the mean of sentence chrF and BLEU is paid",
    "length": "Multi30k, at most 0.9 of the prompt's characters: 2 x the share beyond is charged",
    "terms": "Multi30k, with 23 required terms: .5 is charged for each that is missing",
    "formats": "Multi30k, number formats of the model's weights",
    "builtin": "Built-in translation: the rise of sentence chrF is paid",
    "builtin length": "Built-in translation, at most 0.9 of the prompt's characters",
    "builtin terms": "Built-in translation, with 54 required terms",
}
AGAIN = "m30k_b"  # the model of the same recipe, trained on another machine
MEASURES = {  # column -> score, scale, digits
    "chrF": ("chrf", 100, 1),
    "BLEU": ("bleu", 100, 1),
    "return x 100": ("return", 100, 1),
    "tokens": ("tokens", 1, 1),
    "beyond the limit, %": ("beyond_limit", 100, 1),
    "terms met": ("terms_met", 1, 2),
    "terms required": ("terms_required", 1, 2),
}
INTRODUCTION = """# Writing: token choice with a frozen model inside

Made by `python benchmarks/writing_tables.py` from `writing.jsonl` and `writing_paired.jsonl`; those are made by

    nlp-gym pretrain --task multi30k_en_de --out models/m30k --param width=192 --param heads=6 --param inner=768 \\
        --param vocabulary=4096 --param updates=2200 --param batch=3072 --param warmup=300 --device cuda
    export NLP_GYM_DATA=<folder with multi30k_en_de>
    python benchmarks/writing.py plain length terms formats --model models/m30k --jobs 16
    python benchmarks/writing.py builtin --only maskable_ppo "as is" --steps 150000    # and the rules, "as is"
    python benchmarks/writing.py "builtin length" "builtin terms" --only "as is"
    python benchmarks/writing.py plain length terms formats --compare
    python benchmarks/writing.py length terms --model m30k_b --seeds 1 --only maskable_ppo    # the model trained again

Multi30k: 19,997 / 1,014 / 1,000 pairs (test_2016_flickr). The model: a T5 of 2.85 million parameters, trained from
nothing in 78 seconds of an NVIDIA H200 (the other cores at work; without `--device` some 20 minutes of one core);
greedy on validation: chrF 38.3, BLEU 16.6. Learned agents: five seeds where nothing else is said, the best of three
checkpoints on validation, judged once on the whole test split; means over seeds with a 95 % interval over seeds and
sentences. A run takes 70 to 120 seconds of one core.

The rules choose among the same candidates; `beam width=8 rerank=True` orders its finished hypotheses by the
environment's costs, then likelihood (eight times the forward passes of an agent); `goal_rule` is n-gram blocking that
stops at the limit and appends missing terms. `prior=1`: the policy's scores are added to the model's own log
probabilities, so that it starts as the model itself. Controls of the same architecture: `constant reward` pays every
answer the same (judged as it stands after the last step), `zero observation` shows zeros; `no lexicon` lacks the two
features of IBM Model 1.
"""


def main() -> None:
    """Write writing.md."""
    rows = _rows("writing.jsonl")
    pairs = _rows("writing_paired.jsonl")
    text = INTRODUCTION
    for experiment, title in TITLES.items():
        mine = [row for row in rows if row["experiment"] == experiment and "error" not in row]
        here = [row for row in mine if row["set"].get("model") != AGAIN]
        if here:
            text += f"\n## {title}\n\n{_table(here)}"
            text += _paired([pair for pair in pairs if pair["experiment"] == experiment])
        if there := [row for row in mine if row["set"].get("model") == AGAIN]:
            text += f"\n### {title}: the model trained again\n\n{_table(there)}"
    notes = FOLDER / "WRITING_NOTES.md"
    text += "\n" + notes.read_text() if notes.exists() else ""
    (FOLDER / "writing.md").write_text(text)


def _rows(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _table(rows: list[dict[str, Any]]) -> str:
    """One line for each agent and arm."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=_place):
        row = {**row, "scores": {"test": row["scores"]}}
        groups[named(row)].append(row)
    shown = {name: each for name, each in MEASURES.items() if each[0] in rows[0]["scores"]}
    lines = [f"| agent | seeds | {' | '.join(shown)} |", "|---" * (len(shown) + 2) + "|"]
    for name, group in groups.items():
        numbers = [cell(group, score, "test", scale, digits) for score, scale, digits in shown.values()]
        lines.append(f"| {name} | {len(group)} | {' | '.join(numbers)} |")
    return "\n".join(lines) + "\n"


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    """Rules in their own order, then what is learned, controls last."""
    rules = [*RULES, *FOR_GOALS]
    rule = (row["agent"], row["param"])
    return (row["agent"] in LEARNERS, row["arm"] != "as is", rules.index(rule) if rule in rules else 0, named(row))


def _paired(pairs: list[dict[str, Any]]) -> str:
    """The learned agents' differences to the others."""
    if not pairs:
        return ""
    lines = ["", "Paired difference, x 100, 95 % bootstrap interval over sentences:", "",
             "| learned | against | return | chrF | BLEU |", "|---|---|---|---|---|"]  # fmt: skip
    for pair in pairs:
        if pair["other"] in ("uniform", "oracle"):
            continue
        numbers = ["{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * x for x in pair[m])) for m in ("return", "chrf", "bleu")]
        lines.append(f"| {pair['learner']} | {pair['other']} | {' | '.join(numbers)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
