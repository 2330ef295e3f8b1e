"""Instances: what an episode that changes a model starts on, made of a split's name and a number and nothing else.

The numbers are SplitMix64's, as those of `streams`: many instances are drawn in one call, and instance n of a split is
the same in every process. A generator of NumPy for each of them would take longer than a step.
"""

import hashlib
from typing import Any

import numpy as np

from ..errors import BadArgument, BadData
from ..streams import DRAW, GOLDEN, mix
from ._base import positive

COUNTS = {"train": 1_000_000, "validation": 200}  # instances of a split; elsewhere `OTHERS`
OTHERS = 400
KINDS = ("varied", "fixed")
BATCHES = ("probe", "judge", "confirmation")  # whose texts are never the same


def how_many(split: str, instance: str, instances: int | None) -> int:
    """How many instances a split has: one where it is fixed. Raises BadArgument."""
    if instance not in KINDS:
        raise BadArgument(f"instance must be 'varied' or 'fixed', got {instance!r}.")
    if instances is None:
        return 1 if instance == "fixed" else COUNTS.get(split, OTHERS)
    count = positive("instances", instances, 1, int)
    if instance == "fixed" and count != 1:
        raise BadArgument(f"instance='fixed' is a single one; leave instances={instances!r} out.")
    return count


def uniform(split: str, topic: str, numbers: np.ndarray, count: int) -> np.ndarray:
    """`count` numbers in [0, 1) for each of the instances `numbers` (n,): (n, count) float64, others for each topic."""
    salt = np.uint64(int.from_bytes(hashlib.sha256(f"{split}\n{topic}".encode()).digest()[:8], "little"))
    state = mix(mix(numbers.astype(np.uint64) * GOLDEN + salt))  # (n,)
    bits = mix(state[:, None] + np.arange(1, count + 1, dtype=np.uint64) * DRAW)
    return (bits >> np.uint64(11)) * 2.0**-53


def normal(split: str, topic: str, numbers: np.ndarray, count: int) -> np.ndarray:
    """(n, count) numbers of the standard normal distribution (Box and Muller 1958)."""
    first, second = np.split(uniform(split, topic, numbers, 2 * count), 2, axis=1)
    return np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)


def dirichlet(split: str, topic: str, numbers: np.ndarray, count: int) -> np.ndarray:
    """(n, count) shares that add up to 1, every such vector equally likely."""
    parts = -np.log1p(-uniform(split, topic, numbers, count))
    return parts / parts.sum(1, keepdims=True)


class Pools:
    """The examples of a split dealt to the batches, so that none is in two; within a batch they lie class by class."""

    def __init__(self, groups: np.ndarray, classes: int, where: str) -> None:
        """`groups` (N,): the class of each example, -1 for one that is never drawn."""
        order = np.argsort(groups, kind="stable")
        order = order[groups[order] >= 0]
        if len(order) < len(BATCHES):
            raise BadData(f"{where} has {len(order)} examples that can be drawn; there must be {len(BATCHES)} or more.")
        self.texts: dict[str, np.ndarray] = {}  # (M,) examples, sorted by class
        self.count: dict[str, np.ndarray] = {}  # (K,) how many of each class
        for at, batch in enumerate(BATCHES):
            self.texts[batch] = mine = order[at :: len(BATCHES)]
            self.count[batch] = np.bincount(groups[mine], minlength=classes)

    def draw(self, split: str, batch: str, numbers: np.ndarray, size: int, prior: np.ndarray) -> np.ndarray:
        """`size` examples of a batch for each instance, (n, size): first a class by `prior` (n, K), then one of it.

        A class that the batch has no example of is left out. Examples may come twice.
        """
        count = self.count[batch]
        edges = np.cumsum(prior * (count > 0), axis=1)  # (n, K)
        chance, place = np.split(uniform(split, batch, numbers, 2 * size), 2, axis=1)
        wanted = (chance * edges[:, -1:])[:, :, None]
        group = np.minimum((wanted >= edges[:, None, :-1]).sum(2), count.nonzero()[0][-1])
        start = np.cumsum(count) - count
        return self.texts[batch][start[group] + (place * count[group]).astype(np.int64)]


def spread(sums: np.ndarray, metric: Any) -> np.ndarray:
    """The standard error of a metric on a batch, (n,), by leaving out one text at a time; `sums` (n, size, s)."""
    size = sums.shape[1]
    scores = metric.score(sums.sum(1, keepdims=True) - sums)  # (n, size)
    return np.sqrt((size - 1) / size * ((scores - scores.mean(1, keepdims=True)) ** 2).sum(1))
