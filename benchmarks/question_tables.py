"""The tables of `results/questions.md`, from the rows that `questions.py` wrote.

python benchmarks/question_tables.py
"""

import json
from collections import defaultdict
from typing import Any

from tables import FOLDER, cell

MEASURES = {"accuracy": "accuracy", "F1": "f1", "exact match": "exact_match"}  # column -> score
ORDER = ("uniform", "first_choice", "sliding_window", "bandit", "sarsa", "dqn", "ppo", "maskable_ppo", "oracle")
INTRODUCTION = """# Question answering: choices one by one, and spans

Made by `python benchmarks/question_tables.py` from `questions.jsonl` and `questions_paired.jsonl`; those are made by

    export NLP_GYM_DATA=<folder with commonsense_qa, squad>
    python benchmarks/questions.py choices --only commonsense_qa --encoder <folder of all-MiniLM-L6-v2>
    python benchmarks/questions.py span --only squad --steps 150000
    python benchmarks/questions.py span --only question_answering --steps 300000
    python benchmarks/questions.py choices span --compare

CommonsenseQA: 8,738 / 1,003 / 1,221 questions, five choices each; the encoder is all-MiniLM-L6-v2, frozen (the SHA-256
of its weights begins with 53aa5117). SQuAD 1.1: 3,179 / 760 / 1,190 questions of whole passages, word features, no
encoder. Built-in question_answering: 12,000 / 1,000 / 2,000 questions, 15 % of them without an answer. Agents are
trained on the training split, their best checkpoint is chosen on validation, and they are judged once on every test
question. Numbers are x 100, means over seeds with a 95 % interval over seeds and questions.
"""


def main() -> None:
    """Write questions.md."""
    rows, pairs = _rows("questions.jsonl"), _rows("questions_paired.jsonl")
    text = INTRODUCTION
    for env in dict.fromkeys(row["env"] for row in rows):
        text += f"\n## {env}\n\n" + table([row for row in rows if row["env"] == env])
        text += paired([pair for pair in pairs if pair["env"] == env])
    notes = FOLDER / "QUESTIONS_NOTES.md"
    text += "\n" + notes.read_text() if notes.exists() else ""
    (FOLDER / "questions.md").write_text(text)


def _rows(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [row for row in rows if "error" not in row]


def paired(pairs: list[dict[str, Any]]) -> str:
    """The learners' differences to the others."""
    if not pairs:
        return ""
    lines = ["", "Paired difference, 95 % bootstrap interval over questions and seeds:", "",
             "| learned | against | difference |", "|---|---|---|"]  # fmt: skip
    for pair in pairs:
        arm = "" if pair["arm"] == "as is" else f", {pair['arm']}"
        difference = "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * x for x in pair["difference"]))
        lines.append(f"| {pair['learner']} | {pair['other']}{arm} | {difference} |")
    return "\n".join(lines) + "\n"


def table(rows: list[dict[str, Any]]) -> str:
    """One line for each agent, what it sees, and arm."""
    groups: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    several = len({str(row["set"]) for row in rows}) > 1
    for row in rows:
        seen = ", sees those to come" if several and row["set"].get("ahead") else ""
        arm = "" if row["arm"] == "as is" else f", {row['arm']}"
        groups[ORDER.index(row["agent"]), row["agent"] + seen + arm].append(row)
    shown = {name: score for name, score in MEASURES.items() if score in rows[0]["scores"]["test"]}
    lines = [f"| agent | seeds | {' | '.join(shown)} |", "|---" * (len(shown) + 2) + "|"]
    for (_, name), group in sorted(groups.items(), key=lambda item: item[0]):
        lines.append(f"| {name} | {len(group)} | {' | '.join(cell(group, score) for score in shown.values())} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
