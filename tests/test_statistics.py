"""Statistics over runs and tasks, held against rliable's numbers and against what is true by definition.

`rliable.json` was made with rliable 1.2.0 and pandas 2 (it does not import beside pandas 3): scores of 5 and 7 runs of
8 tasks from a Beta distribution; `rly.get_interval_estimates` of `metrics.aggregate_*` (20,000 repetitions) and of
`metrics.probability_of_improvement` (5,000); `rly.create_performance_profile`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nlp_gym_agents import _statistics as statistics
from nlp_gym_envs.metrics.accuracy import Accuracy

THEIRS: dict[str, Any] = json.loads((Path(__file__).parent / "rliable.json").read_text())
A, B = np.array(THEIRS["mine"]), np.array(THEIRS["theirs"])
SCORES = arrays.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-2, 2, width=16))


@pytest.mark.parametrize("name", ["mean", "median", "iqm", "optimality_gap"])
def test_aggregates_and_intervals_are_rliables(name: str) -> None:
    value, low, high = THEIRS["aggregates"][name]
    found = statistics.interval(getattr(statistics, name), A, repetitions=20_000)
    assert found.value == pytest.approx(value, abs=1e-5)
    assert found.low == pytest.approx(low, abs=4e-3) and found.high == pytest.approx(high, abs=4e-3)


def test_the_probability_of_improvement_is_rliables() -> None:
    value, low, high = THEIRS["improvement"]
    found = statistics.interval(statistics.improvement, A, B, repetitions=5000)
    assert found.value == pytest.approx(value, abs=1e-5)
    assert found.low == pytest.approx(low, abs=0.015) and found.high == pytest.approx(high, abs=0.015)


def test_profiles_are_rliables() -> None:
    thresholds = THEIRS["thresholds"]
    value, low, high = statistics.stratified(lambda scores: statistics.profile(scores, thresholds), A)
    for mine, theirs in ((value, "value"), (low, "low"), (high, "high")):
        np.testing.assert_allclose(mine, THEIRS["profile"][theirs], atol=1e-5 if theirs == "value" else 0.026)


@given(SCORES)
def test_aggregates_lie_within_the_scores_whatever_they_are(scores: np.ndarray) -> None:
    for statistic in (statistics.mean, statistics.median, statistics.iqm):
        assert scores.min() - 1e-9 <= statistic(scores) <= scores.max() + 1e-9
    assert statistics.improvement(scores, scores) == pytest.approx(0.5)
    falls = statistics.profile(scores, [-3.0, -1.0, 0.0, 1.0, 3.0])
    assert (np.diff(falls) <= 0).all() and falls[0] == 1 and falls[-1] == 0


@given(SCORES, st.floats(-1, 1), st.floats(0.1, 3))
def test_normalising_moves_floor_and_ceiling_to_0_and_1(scores: np.ndarray, floor: float, height: float) -> None:
    made = statistics.normalise(scores, floor, floor + height)
    assert statistics.normalise(floor, floor, floor + height) == 0
    assert statistics.normalise(floor + height, floor, floor + height) == pytest.approx(1)
    np.testing.assert_allclose(made * height + floor, scores, atol=1e-9)


def test_a_ceiling_that_is_no_ceiling_is_refused() -> None:
    with pytest.raises(ValueError, match="above the floor"):
        statistics.normalise(0.5, 0.7, 0.7)


def test_the_iqm_forgives_an_outlier() -> None:
    scores = np.full((4, 2), 0.6)
    scores[0, 0] = -100
    assert statistics.iqm(scores) == pytest.approx(0.6)


def test_one_run_has_an_interval_without_width_and_more_repetitions_change_little() -> None:
    found = statistics.interval(statistics.iqm, A[:1])
    assert found.value == found.low == found.high
    few, many = (statistics.interval(statistics.mean, A, repetitions=count) for count in (500, 5000))
    assert few.low == pytest.approx(many.low, abs=0.02)


def counts_of(right: np.ndarray) -> np.ndarray:
    """(R, N) right or wrong as the counts of accuracy, (R, N, 2)."""
    return np.stack([right, np.ones_like(right)], -1).astype(float)


def test_pairing_sees_a_small_steady_difference_that_unpaired_intervals_hide() -> None:
    generator = np.random.default_rng(0)
    theirs = generator.random(600) < 0.7
    mine = theirs.copy()
    mine[np.flatnonzero(~theirs)[:12]] = True  # two points better, never worse
    found, above = statistics.paired(counts_of(mine[None]), counts_of(theirs[None]), Accuracy().score)
    assert found.value == pytest.approx(12 / 600) and found.low > 0.008 and above > 0.999
    spread = 1.96 * (theirs.std() / 600**0.5) * 2**0.5
    assert found.high - found.low < spread  # what two separate intervals would say
    back, below = statistics.paired(counts_of(theirs[None]), counts_of(mine[None]), Accuracy().score)
    assert back.value == -found.value and below == pytest.approx(1 - above)


def test_the_same_answers_differ_by_nothing() -> None:
    same = counts_of(np.random.default_rng(1).random((1, 300)) < 0.5)
    assert statistics.paired(same, same, Accuracy().score) == ((0, 0, 0), 0.5)
    with pytest.raises(ValueError, match="same examples"):
        statistics.paired(same, same[:, :-1], Accuracy().score)


def test_runs_that_differ_widen_the_interval() -> None:
    generator = np.random.default_rng(2)
    theirs = counts_of(generator.random((1, 400)) < 0.5)
    alike = counts_of(np.repeat(generator.random((1, 400)) < 0.7, 3, 0))
    unlike = counts_of(np.stack([generator.random(400) < chance for chance in (0.5, 0.7, 0.9)]))
    (narrow, _), (wide, _) = (statistics.paired(mine, theirs, Accuracy().score) for mine in (alike, unlike))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@settings(max_examples=3, deadline=None)
@given(st.floats(0.2, 0.8))
def test_ninety_five_percent_intervals_hold_the_truth_about_that_often(chance: float) -> None:
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(40):
        mine, theirs = generator.random((2, 1, 200)) < [[[chance]], [[0.5]]]
        found, _ = statistics.paired(counts_of(mine), counts_of(theirs), Accuracy().score, repetitions=300)
        held += found.low <= chance - 0.5 <= found.high
    assert held >= 40 * 0.83
