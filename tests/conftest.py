"""Every test runs offline, with a cache of its own, on stand-ins for the named data sets; built-in corpora are real."""

import csv
import json
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

SIZES = {"train": 3, "validation": 2, "test": 1}  # texts of each label
LEAST = {"train": 48, "validation": 24, "test": 18}  # texts in all, where there are few labels
WORDS = (
    "the old miller walks along a quiet river and counts seven grey boats before rain falls on every "
    "garden while two clerks read letters near an open window about bread maps snow clocks and lamps"
).split()
SYLLABLES = ("ba", "co", "di", "fu", "ge", "ha", "jo", "ku", "le", "mi", "no", "pu", "ra", "si", "to", "vu")

FIRST_PROCESS = "PYTEST_XDIST_WORKER" not in os.environ  # xdist's workers inherit what it sets
if FIRST_PROCESS:
    os.environ["NLP_GYM_TEST_FOLDER"] = tempfile.mkdtemp(prefix="nlp_gym_tests_")
FOLDER = Path(os.environ["NLP_GYM_TEST_FOLDER"])
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    NLP_GYM_CACHE=str(FOLDER / "cache"),
    NLP_GYM_DATA=str(FOLDER / "data"),
)


def stand_in(labels: int, split: str) -> list[tuple[str, int]]:
    """Short invented texts and their labels: a label shows in one word, and in one text of eight that word misleads."""
    chance = random.Random(f"{labels} {split}")
    count = max(LEAST[split], SIZES[split] * labels)
    rows = []
    for number in range(count):
        label = number % labels if chance.random() < 0.8 else 0  # label 0 is the commonest
        told = label if chance.random() < 7 / 8 else chance.randrange(labels)
        words = chance.choices(WORDS, k=chance.randint(3, 14))
        words.insert(chance.randint(0, len(words)), SYLLABLES[told % 16] + SYLLABLES[told // 16] + "ne")
        rows.append((" ".join([*words, split, str(number)]), label))
    return rows


def write_csv(path: Path, columns: tuple[str, str], rows: list[tuple[str, Any]]) -> None:
    """A file that `dataset=` can name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def _write_stand_ins() -> None:
    from nlp_gym_envs.answers import Label
    from nlp_gym_envs.task import TASKS
    from nlp_gym_envs.text.corpora import BuiltIn

    for place, name in enumerate(TASKS.names()):
        task = TASKS.get(name)
        if isinstance(task.source, BuiltIn) or not isinstance(task.answer, Label):
            continue
        columns = (task.source.columns["text"], task.source.columns["label"])
        for split in SIZES:
            rows = stand_in(len(task.answer), split)
            path = FOLDER / "data" / name / split
            if place % 2:  # label numbers in a table, label names in JSON lines
                write_csv(path.with_suffix(".csv"), columns, rows)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                named = [(text, task.answer.names[label]) for text, label in rows]
                lines = "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in named)
                path.with_suffix(".jsonl").write_text(lines, encoding="utf-8")


if FIRST_PROCESS:
    _write_stand_ins()

import torch  # noqa: E402  after the number of threads is set

torch.set_num_threads(1)


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    if FIRST_PROCESS:
        shutil.rmtree(FOLDER, ignore_errors=True)
