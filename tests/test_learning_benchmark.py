"""The learning benchmark runs a cell of each arm whole, and its tables count seeds and texts."""

import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


learning, tables = script("learning"), script("tables")


def test_no_two_cells_are_the_same_and_learners_have_every_seed() -> None:
    for experiment in ("label", "read", "front", "recurrent"):
        cells = learning.cells(experiment, 5)
        keys = [learning.key(cell) for cell in cells]
        assert len(set(keys)) == len(keys)
        assert all(learning.key({**c, "seed": 4}) in keys for c in cells if c["agent"] in ("ppo", "sarsa", "a2c"))


@pytest.mark.parametrize("arm", ["as is", "constant reward", "shuffled labels"])
def test_a_cell_becomes_a_row_and_is_judged_on_the_true_labels(arm: str) -> None:
    cell = {"experiment": "label", "agent": "supervised", "env": "nlp/trec6-label-v0", "arm": arm, "seed": 0}
    row = learning.run({**cell, "set": {}, "param": {}})
    assert "error" not in row, row
    assert row["n"]["test"] > 0 and 0 <= row["scores"]["test"]["accuracy"][0] <= 1
    again = learning.run({**cell, "arm": "as is", "set": {}, "param": {}})
    same = row["data"]["train"]["sha256"] == again["data"]["train"]["sha256"]
    assert same == (arm != "shuffled labels")


def test_a_failed_cell_is_a_row() -> None:
    cell = {"experiment": "read", "agent": "nobody", "env": "nlp/trec6-read-v0", "arm": "as is", "seed": 0}
    assert "no agent 'nobody'" in learning.run({**cell, "set": {}, "param": {}})["error"]


def test_an_interval_counts_the_seeds_and_the_texts() -> None:
    def rows(*values: float) -> list[dict[str, Any]]:
        return [{"scores": {"test": {"accuracy": [v, v - 0.0196, v + 0.0196]}}} for v in values]

    assert tables.summary(rows(0.5), "accuracy") == pytest.approx((0.5, 0.0196))
    mean, half = tables.summary(rows(0.4, 0.6), "accuracy")
    assert (mean, half) == pytest.approx((0.5, 1.96 * math.sqrt(0.01**2 + 0.02 / 2)))
