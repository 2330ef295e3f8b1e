"""Random streams: what plain SplitMix64 says, spread evenly, independent of each other, the same anywhere."""

import numpy as np
import pytest
from scipy import stats

from nlp_gym_envs.streams import Streams

MASK = 2**64 - 1
GOLDEN, DRAW = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
LEAST = 1e-4  # p-value: seeds are fixed, so a test either always passes or never

pytestmark = pytest.mark.filterwarnings("error")


def mixed(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def plain(seed: int, episode: int, draw: int) -> int:
    """The definition, one number at a time, with Python's own integers; episodes count from 1."""
    bits = mixed((mixed((seed * GOLDEN + DRAW) & MASK) + episode * GOLDEN) & MASK)
    return mixed((bits + draw * DRAW) & MASK) if draw else bits


def seeded(count: int, first: int = 0) -> tuple[Streams, np.ndarray]:
    streams, rows = Streams(count), np.arange(count)
    streams.seed(rows, rows.astype(np.uint64) + np.uint64(first))
    return streams, rows


def table(count: int, episodes: int, bound: int, first: int = 0) -> np.ndarray:
    """(episodes, count) draws below `bound`."""
    streams, rows = seeded(count, first)
    drawn = []
    for _ in range(episodes):
        streams.begin(rows)
        drawn.append(streams.below(rows, bound))
    return np.array(drawn)


def evenness(values: np.ndarray, cells: int) -> float:
    return float(stats.chisquare(np.bincount(values.ravel(), minlength=cells)).pvalue)


def test_the_finaliser_is_splitmix64() -> None:
    """The generator's published first outputs for seed 1234567."""
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert [mixed((1234567 + n * GOLDEN) & MASK) for n in range(1, 6)] == known


@pytest.mark.parametrize("seeds", [[0, 1, 2], [2**63, 2**64 - 1, 12345678901234567890], [7, 7, 8]])
@pytest.mark.parametrize("draw", [0, 1, 2, 5, 1000])
def test_plain_python_says_the_same(seeds: list[int], draw: int) -> None:
    streams, rows = Streams(3), np.arange(3)
    streams.seed(rows, np.array(seeds, np.uint64))
    for episode in range(1, 6):
        streams.begin(rows)
        assert streams.bits(rows, draw).tolist() == [plain(seed, episode, draw) for seed in seeds]
        expected = [(plain(seed, episode, draw) >> 11) * 1000 >> 53 for seed in seeds]
        assert streams.below(rows, 1000, draw).tolist() == expected


def test_rows_go_their_own_ways() -> None:
    streams, rows = seeded(4)
    for row, episodes in enumerate((1, 3, 2, 5)):
        for _ in range(episodes):
            streams.begin(rows[[row]])
    assert streams.bits(rows).tolist() == [plain(row, episodes, 0) for row, episodes in enumerate((1, 3, 2, 5))]
    streams.seed(rows[[1]], np.array([9], np.uint64))
    streams.begin(rows[[1]])
    assert streams.bits(rows[[3, 1]]).tolist() == [plain(3, 5, 0), plain(9, 1, 0)]


@pytest.mark.parametrize("bound", [2, 3, 10, 97, 12_000])
def test_examples_are_drawn_evenly(bound: int) -> None:
    drawn = table(500, max(200, bound // 25), bound)
    assert drawn.min() >= 0 and drawn.max() < bound
    assert evenness(drawn, bound) > LEAST
    assert evenness(drawn[:, 0] if bound < 20 else drawn[: drawn.shape[0] // 2], bound) > LEAST


def test_every_bit_is_even_and_free_of_the_others() -> None:
    streams, rows = seeded(20_000)
    streams.begin(rows)
    for draw in (0, 1):
        bits = np.unpackbits(streams.bits(rows, draw).view(np.uint8).reshape(-1, 8), axis=1)  # (20,000, 64)
        assert np.abs(bits.mean(0) - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)
        related = np.corrcoef(bits.T) - np.eye(64)
        assert np.abs(related).max() < 6 / np.sqrt(20_000)


@pytest.mark.parametrize("first", [0, 1, 2**40])
def test_neighbouring_rows_and_episodes_are_independent(first: int) -> None:
    drawn = table(400, 400, 8, first)
    for before, after in ((drawn[:, :-1], drawn[:, 1:]), (drawn[:-1], drawn[1:]), (drawn[:-1, 1:], drawn[1:, :-1])):
        assert evenness(before * 8 + after, 64) > LEAST


def test_draws_of_one_episode_are_independent() -> None:
    streams, rows = seeded(100_000)
    streams.begin(rows)
    drawn = [streams.below(rows, 8, draw) for draw in range(4)]
    for one in range(4):
        for other in range(one):
            assert evenness(drawn[one] * 8 + drawn[other], 64) > LEAST


def test_neighbouring_seeds_differ() -> None:
    """Seed s + 1 is the next row's, and nothing like seed s: no number in common, however they are shifted."""
    one, other = table(1, 1000, 2**40, 5).ravel(), table(1, 1000, 2**40, 6).ravel()
    assert not set(one.tolist()) & set(other.tolist())
    assert np.array_equal(table(2, 50, 2**40, 5)[:, 1], table(1, 50, 2**40, 6)[:, 0])


def test_the_bound_is_never_reached() -> None:
    streams, row = Streams(1), np.zeros(1, int)
    streams.bits = lambda rows, draw=0: np.full(len(rows), MASK, np.uint64)
    for bound in (1, 2, 3, 1000, 12_001, 2**31 + 1, 2**40 - 1):
        assert streams.below(row, bound).tolist() == [bound - 1]
