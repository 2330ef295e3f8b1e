"""One random stream per row, counter-based: a number is a hash of the row's seed, its episode and a draw.

The hash is SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"), started at a mixed
seed and advanced by the episode; vectorised, it costs no Python loop however many rows there are.
"""

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64's increment: 2^64 / golden ratio, odd
DRAW = np.uint64(0xD1B54A32D192ED03)  # another odd constant, so that draws and episodes do not walk the same line


def mix(x: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: a bijection on 64 bits in which every output bit depends on every input bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Streams:
    """The random streams of `num_rows` rows; row i, seeded s, in its e-th episode, gives the same numbers anywhere."""

    def __init__(self, num_rows: int) -> None:
        self.state = np.zeros(num_rows, np.uint64)  # (B,) the mixed seed of each row + its episode x GOLDEN

    def seed(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """Give each of `rows` its seed (non-negative, (len(rows),)) and start its episodes anew."""
        self.state[rows] = mix(np.asarray(seeds).astype(np.uint64) * GOLDEN + DRAW)

    def begin(self, rows: np.ndarray) -> None:
        """Start the next episode of each of `rows`: fresh numbers."""
        self.state[rows] += GOLDEN

    def bits(self, rows: np.ndarray, draw: int = 0) -> np.ndarray:
        """64 random bits for each of `rows`, (len(rows),) uint64: the `draw`-th number of the row's episode."""
        bits = mix(self.state[rows])
        return mix(bits + np.uint64(draw * int(DRAW) % 2**64)) if draw else bits

    def below(self, rows: np.ndarray, bound: int, draw: int = 0) -> np.ndarray:
        """A uniform integer in [0, bound) for each of `rows`, int64 (bias below bound / 2^53)."""
        return ((self.bits(rows, draw) >> np.uint64(11)) * (bound * 2.0**-53)).astype(np.int64)
