"""What the metrics of texts share: batches of answers and accepted texts, means over examples, SQuAD's normal form."""

import re
import string
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import BadData
from ._base import divide

PUNCTUATION = str.maketrans("", "", string.punctuation)  # ASCII only, as in SQuAD's script
ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def pairs(answers: np.ndarray, targets: np.ndarray) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Each answer with its accepted texts; raises BadData for a target that is no tuple."""
    for accepted in targets:
        if not isinstance(accepted, tuple):
            checked(accepted)
    return zip(answers, targets, strict=True)


def checked(accepted: Any) -> tuple[str, ...]:
    """The accepted texts of one example as they are; raises BadData unless they are a tuple of one text or more."""
    if not isinstance(accepted, tuple) or not accepted or not all(isinstance(text, str) for text in accepted):
        raise BadData(
            f"a target is a tuple of one accepted text or more, got {accepted!r}. Write ('the text',) for one text; "
            f"('',) where no answer is right."
        )
    return accepted


def table(rows: list[Any], width: int) -> np.ndarray:
    """(B, width) float64, also of no rows."""
    return np.array(rows, np.float64).reshape(-1, width)


class Mean:
    """A metric that is a mean over examples: the counts of an answer are (its value, 1)."""

    name = ""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer

    def value(self, answer: str, accepted: tuple[str, ...]) -> float:
        """How good one answer is, in [0, 1]."""
        raise NotImplementedError

    def counts(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B, 2): the value of each answer, and 1. Raises BadData for a target that is no tuple of texts."""
        values = self.each(answers, targets)
        return np.stack((values, np.ones_like(values)), axis=-1)

    def score(self, counts: np.ndarray) -> np.ndarray:
        """The mean value, in [0, 1]; 0 of no answers."""
        return divide(counts[..., 0], counts[..., 1])

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B,): the value of each answer."""
        return np.array([self.value(*pair) for pair in pairs(answers, targets)], np.float64)


def best(value: Callable[[Any, Any], float], answer: Any, accepted: Sequence[Any]) -> float:
    """The greatest value that an answer has against one of the accepted texts."""
    return max(value(answer, text) for text in accepted)


def normal(text: str) -> str:
    """Lower case, without punctuation and articles, single spaces: SQuAD's normal form (Rajpurkar et al. 2016)."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


@lru_cache(maxsize=2**14)
def normal_targets(accepted: tuple[str, ...]) -> tuple[str, ...]:
    """The normal forms of the accepted texts that have any; ("",) where none has: then no answer is right.

    The rule for unanswerable questions of SQuAD 2.0 (Rajpurkar, Jia, Liang 2018).
    """
    forms = filter(None, map(normal, checked(accepted)))
    return tuple(dict.fromkeys(forms)) or ("",)
