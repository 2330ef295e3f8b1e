"""Metrics: scikit-learn says the same; counts add up; scores stay in bounds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from nlp_gym_envs.task import METRICS

JUDGES = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
TABLES = [  # classes, answers, targets
    (2, [0, 1, 1, 0], [0, 1, 0, 1]),
    (2, [0, 0, 0, 0], [0, 0, 0, 1]),
    (2, [1], [1]),
    (3, [0, 0, 0, 0], [1, 1, 2, 2]),
    (3, [0, 1, 2], [0, 1, 2]),
    (4, [3, 3, 1, 0, 2, 2], [3, 1, 1, 0, 0, 2]),
    (5, [0, 0, 1, 1, 1], [1, 1, 1, 0, 0]),
    (50, [49, 0, 7], [49, 7, 7]),
]
OF_LABELS = [name for name in METRICS.names() if name == "accuracy" or name.endswith(("_macro", "_micro"))]
every_metric = pytest.mark.parametrize("name", OF_LABELS)


def by_scikit_learn(name: str, answers: Any, targets: Any) -> float:
    if name == "accuracy":
        return float(accuracy_score(targets, answers))
    kind, average = name.split("_")
    return float(JUDGES[kind](targets, answers, average=average, zero_division=0))


def by_us(name: str, classes: int, answers: Any, targets: Any) -> float:
    metric = METRICS.get(name)(classes)
    return float(metric.score(metric.counts(np.array(answers), np.array(targets)).sum(0)))


@st.composite
def judged(draw: Any) -> tuple[int, list[int], list[int]]:
    classes, size = draw(st.integers(2, 6)), draw(st.integers(1, 30))
    labels = st.lists(st.integers(0, classes - 1), min_size=size, max_size=size)
    return classes, draw(labels), draw(labels)


@every_metric
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_tables(name: str, table: tuple[int, list[int], list[int]]) -> None:
    assert by_us(name, *table) == pytest.approx(by_scikit_learn(name, *table[1:]), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "worked"),
    [
        ("accuracy", 3 / 5),
        ("precision_macro", (1 / 2 + 1 + 1 / 2) / 3),
        ("recall_macro", (1 + 1 / 2 + 1 / 2) / 3),
        ("f1_macro", (2 / 3 + 2 / 3 + 1 / 2) / 3),
        ("precision_micro", 3 / 5),
        ("recall_micro", 3 / 5),
        ("f1_micro", 3 / 5),
    ],
)
def test_a_table_worked_by_hand(name: str, worked: float) -> None:
    """Class 0: 1 hit, 1 extra. Class 1: 1 hit, 1 missed. Class 2: 1 hit, 1 extra, 1 missed."""
    assert by_us(name, 3, [0, 2, 1, 0, 2], [0, 1, 1, 2, 2]) == pytest.approx(worked)


@every_metric
@settings(deadline=None, max_examples=80)
@given(table=judged())
def test_scikit_learn_agrees(name: str, table: tuple[int, list[int], list[int]]) -> None:
    ours = by_us(name, *table)
    assert ours == pytest.approx(by_scikit_learn(name, *table[1:]), abs=1e-12)
    assert 0.0 <= ours <= 1.0


@every_metric
@settings(deadline=None, max_examples=40)
@given(table=judged(), cut=st.integers(0, 30))
def test_counts_of_parts_add_up(name: str, table: tuple[int, list[int], list[int]], cut: int) -> None:
    classes, answers, targets = table[0], np.array(table[1]), np.array(table[2])
    metric = METRICS.get(name)(classes)
    whole = metric.counts(answers, targets)
    parts = metric.counts(answers[:cut], targets[:cut]).sum(0) + metric.counts(answers[cut:], targets[cut:]).sum(0)
    assert np.array_equal(whole.sum(0), parts)
    assert whole.shape[0] == len(answers) and (whole >= 0).all()


@every_metric
@settings(deadline=None, max_examples=40)
@given(table=judged())
def test_each_answer_on_its_own(name: str, table: tuple[int, list[int], list[int]]) -> None:
    """`each` is the score of each row's counts: 1 for a right answer, 0 for a wrong one."""
    classes, answers, targets = table[0], np.array(table[1]), np.array(table[2])
    metric = METRICS.get(name)(classes)
    each = metric.each(answers, targets)
    assert each.dtype == np.float64
    assert np.array_equal(each, metric.score(metric.counts(answers, targets)))
    assert np.array_equal(each, (answers == targets).astype(float))


@every_metric
def test_scores_of_many_sums_at_once(name: str) -> None:
    """A bootstrap scores (..., s) sums in one call."""
    metric, draw = METRICS.get(name)(3), np.random.default_rng(0)
    counts = metric.counts(draw.integers(3, size=40), draw.integers(3, size=40))
    sums = counts[draw.integers(40, size=(5, 6, 40))].sum(2)
    scores = metric.score(sums)
    assert scores.shape == (5, 6)
    assert scores[2, 3] == metric.score(sums[2, 3])
    assert len(set(scores.ravel().tolist())) > 5


@every_metric
def test_no_answer_is_a_miss(name: str) -> None:
    metric = METRICS.get(name)(3)
    assert metric.each(np.array([-1, -1, -1]), np.array([0, 1, 2])).tolist() == [0.0, 0.0, 0.0]
    some = metric.score(metric.counts(np.array([0, -1]), np.array([0, 0])).sum(0))
    assert 0.0 < some <= 1.0
    assert metric.score(metric.counts(np.empty(0, int), np.empty(0, int)).sum(0)) == 0.0


@every_metric
def test_a_metric_is_called_what_its_file_is_called(name: str) -> None:
    assert METRICS.get(name)(2).name == name
