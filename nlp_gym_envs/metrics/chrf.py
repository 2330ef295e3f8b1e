"""chrF: shared character n-grams up to six, recall counting twice as much (Popovic 2015), as sacreBLEU counts it."""

from functools import cache, lru_cache
from typing import Any

import numpy as np

from ._base import divide
from ._texts import checked, pairs, table
from .bleu import signature

ORDERS = 6
BETA = 2


class CHRF:
    """Counts are (n-grams of the answer, of the reference, matched) of each order 1 to 6: (B, 18), as sacreBLEU's.

    chrF2 as it comes in sacreBLEU: without word n-grams, white space left out, precision and recall averaged over the
    orders that answer and reference are long enough for. Of several references the one with the best score counts.
    The form of answer changes nothing.
    """

    name = "chrf"

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.references: set[int] = set()  # how many references the targets had that were counted

    def counts(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B, 18). Raises BadData for a target that is no tuple of texts."""
        counts = table([self.of_one(*pair) for pair in pairs(answers, targets)], 3 * ORDERS)
        self.references.update(map(len, targets))
        return counts

    def score(self, counts: np.ndarray) -> np.ndarray:
        """chrF of summed counts (..., 18), in [0, 1]: 5 P R / (4 P + R) of the mean precision and recall."""
        counts = np.asarray(counts, np.float64)
        ours, theirs, right = counts[..., 0::3], counts[..., 1::3], counts[..., 2::3]
        there = (ours > 0) & (theirs > 0)
        orders = there.sum(-1)
        precision = divide(np.where(there, divide(right, ours), 0.0).sum(-1), orders)
        recall = divide(np.where(there, divide(right, theirs), 0.0).sum(-1), orders)
        return divide((1 + BETA**2) * precision * recall, BETA**2 * precision + recall)

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B,): the sentence score of each answer, in [0, 1]."""
        return self.score(self.counts(answers, targets))

    @property
    def signature(self) -> str:
        """sacreBLEU's signature; the number of references is that of the targets counted so far."""
        return signature(sacrebleu_chrf(), self.references)

    def of_one(self, answer: str, accepted: tuple[str, ...]) -> list[int]:
        """The counts of one answer."""
        text = squeezed(answer)
        every = [against(text, *each) for each in reference(accepted)]
        if len(every) == 1:
            return every[0]
        return every[int(np.argmax(self.score(np.array(every))))]


def squeezed(text: str) -> str:
    """A text without white space."""
    return "".join(text.split())


def against(text: str, size: int, limits: dict[str, int]) -> list[int]:
    """The counts of a squeezed text against a reference of `size` characters with these n-grams."""
    counts, used = [], {}
    for order in range(1, ORDERS + 1):
        right = 0
        for start in range(len(text) - order + 1):
            gram = text[start : start + order]
            if gram in limits and (count := used.get(gram, 0)) < limits[gram]:
                used[gram] = count + 1
                right += 1
        theirs = max(size - order + 1, 0)
        counts += (max(len(text) - order + 1, 0) if theirs else 0, theirs, right)  # sacreBLEU's 0 without n-grams there
    return counts


@lru_cache(maxsize=2**10)
def reference(accepted: tuple[str, ...]) -> list[tuple[int, dict[str, int]]]:
    """The length and the n-grams of each reference."""
    every = []
    for text in map(squeezed, checked(accepted)):
        limits: dict[str, int] = {}
        for order in range(1, ORDERS + 1):
            for start in range(len(text) - order + 1):
                gram = text[start : start + order]
                limits[gram] = limits.get(gram, 0) + 1
        every.append((len(text), limits))
    return every


@cache
def sacrebleu_chrf() -> Any:
    """sacreBLEU's object, for its signature."""
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


METRIC = CHRF
