"""BLEU: shared word n-grams up to four, short answers penalised (Papineni et al. 2002), as sacreBLEU counts it."""

import importlib.util
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..errors import BadArgument, NotAvailable
from ._texts import checked, pairs, table

ORDERS = 4
TOKENIZERS = ("13a", "intl", "char", "none", "zh", "ja-mecab")


class BLEU:
    """Counts are (words, words of the closest reference, matched 1- to 4-grams, 1- to 4-grams): (B, 10).

    A corpus has sacreBLEU's default score (Post 2018; exponential smoothing: Chen and Cherry 2014, method 3), an answer
    its sentence score, in which orders that the answer is too short for do not count. Of several references, an n-gram
    may match as often as in the one that has it most often.

    `answer` is the task's form of answer; its `tokenize` names one of sacreBLEU's tokenizers: "13a" (default), "intl",
    "char", "none", "zh", or "ja-mecab". Raises BadArgument for another, NotAvailable where MeCab is not installed.
    """

    name = "bleu"

    def __init__(self, answer: Any = None) -> None:
        self.tokenize = getattr(answer, "tokenize", "13a")
        if self.tokenize not in TOKENIZERS:
            raise BadArgument(f"tokenize must be one of {', '.join(TOKENIZERS)}, got {self.tokenize!r}.")
        if self.tokenize == "ja-mecab" and importlib.util.find_spec("MeCab") is None:
            raise NotAvailable('tokenize="ja-mecab" needs MeCab: pip install "sacrebleu[ja]", or take tokenize="char".')
        self.references: set[int] = set()  # how many references the targets had that were counted

    def counts(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B, 10). Raises BadData for a target that is no tuple of texts."""
        counts = table([self.of_one(*pair) for pair in pairs(answers, targets)], 2 + 2 * ORDERS)
        self.references.update(map(len, targets))
        return counts

    def score(self, counts: np.ndarray) -> np.ndarray:
        """The corpus score of summed counts, in [0, 1]; 0 where no answer has four words."""
        return bleu(counts, effective=False)

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B,): the sentence score of each answer, in [0, 1]; 0 where no word matches."""
        return bleu(self.counts(answers, targets), effective=True)

    @property
    def signature(self) -> str:
        """sacreBLEU's signature of the corpus score; the number of references is that of the targets counted so far."""
        return signature(sacrebleu_bleu(self.tokenize), self.references)

    def of_one(self, answer: str, accepted: tuple[str, ...]) -> list[int]:
        """The counts of one answer."""
        words = split(self.tokenize, answer)
        size = len(words)
        limits, sizes = reference(self.tokenize, accepted)
        closest = min(sizes, key=lambda other: (abs(other - size), other))
        totals = [max(size - order, 0) for order in range(ORDERS)]
        return [size, closest, *matches(words, limits), *totals]


def bleu(counts: np.ndarray, effective: bool) -> np.ndarray:
    """BLEU of counts (..., 10) -> (...,) in [0, 1]; `effective` leaves out the orders that have no n-grams at all.

    An order without a match counts as 1 / (2^i x its n-grams), where it is the i-th such order.
    """
    counts = np.asarray(counts, np.float64)
    size, closest, right, total = counts[..., 0], counts[..., 1], counts[..., 2:6], counts[..., 6:]
    there = total > 0
    missed = np.cumsum(there & (right == 0), axis=-1)
    precision = np.where(right > 0, right, 2.0**-missed) / np.maximum(total, 1)
    logs = np.where(there, np.log(precision), 0.0 if effective else -np.inf)
    orders = np.maximum(there.sum(-1), 1) if effective else ORDERS
    brevity = np.minimum(1 - closest / np.maximum(size, 1e-300), 0)
    # a rounding error above 1 is cut: four logarithms need not add up
    return np.where(right.any(-1), np.minimum(np.exp(brevity + logs.sum(-1) / orders), 1.0), 0.0)


def matches(words: list[str], limits: dict[tuple[str, ...], int]) -> list[int]:
    """How many 1- to 4-grams of the words are in the reference, each at most as often as `limits` says."""
    used: dict[tuple[str, ...], int] = {}
    right = [0] * ORDERS
    for order in range(ORDERS):
        for gram in zip(*(words[shift:] for shift in range(order + 1)), strict=False):
            if (count := used.get(gram, 0)) < limits.get(gram, 0):
                used[gram] = count + 1
                right[order] += 1
    return right


@lru_cache(maxsize=2**12)
def reference(tokenize: str, accepted: tuple[str, ...]) -> tuple[dict[tuple[str, ...], int], tuple[int, ...]]:
    """How often each 1- to 4-gram may match, and the length of each reference in words."""
    limits: dict[tuple[str, ...], int] = {}
    sizes = []
    for text in checked(accepted):
        words = split(tokenize, text)
        sizes.append(len(words))
        own: dict[tuple[str, ...], int] = {}
        for order in range(ORDERS):
            for gram in zip(*(words[shift:] for shift in range(order + 1)), strict=False):
                own[gram] = own.get(gram, 0) + 1
        for gram, count in own.items():
            limits[gram] = max(limits.get(gram, 0), count)
    return limits, tuple(sizes)


def split(tokenize: str, text: str) -> list[str]:
    """The words of a text, as sacreBLEU splits it."""
    return sacrebleu_bleu(tokenize).tokenizer(text.rstrip()).split()


@cache
def sacrebleu_bleu(tokenize: str) -> Any:
    """sacreBLEU's object: its tokenizer, and its signature."""
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=tokenize)


def signature(judge: Any, references: set[int]) -> str:
    """What sacreBLEU's object calls itself after it has scored targets of so many references; of no targets, 1 each."""
    judge.num_refs = -1 if len(references) > 1 else next(iter(references), 1)
    return str(judge.get_signature())


METRIC = BLEU
