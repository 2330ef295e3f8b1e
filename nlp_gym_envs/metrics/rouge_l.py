"""ROUGE-L: how much of an accepted text an answer has in the same order (Lin 2004), as an F-measure."""

import re
from functools import lru_cache
from typing import Any

from ._texts import Mean, best, checked

TOKENS = re.compile("[a-z0-9]+")  # of the text in lower case; all else separates, umlauts too, as in rouge_score


class RougeL(Mean):
    """Counts are (F-measure, answered): the mean over examples of the best F-measure against an accepted text.

    The same as `rougeL` of Google's rouge_score without its stemmer. Its tokens are ASCII letters and digits: for texts
    in other scripts it counts nothing.
    """

    name = "rouge_l"

    def value(self, answer: str, accepted: tuple[str, ...]) -> float:
        """2 P R / (P + R), where P and R are the longest common subsequence over the answer's and the text's length."""
        return best(overlap, TOKENS.findall(answer.lower()), _targets(accepted))


def overlap(tokens: list[str], target: tuple[int, dict[str, int]]) -> float:
    """The F-measure of an answer's tokens against one text."""
    size, places = target
    if not tokens or not size:
        return 0.0
    return 2 * common(tokens, size, places) / (len(tokens) + size)


def common(tokens: list[str], size: int, places: dict[str, int]) -> int:
    """The length of the longest common subsequence with a text of `size` tokens, `places[token]` its bit set.

    Row by row of the usual table, a row in the bits of one integer (Hyyro 2004, "Bit-parallel LCS-length computation
    revisited"): a bit falls to 0 where the length grows.
    """
    every = (1 << size) - 1
    row = every
    for token in tokens:
        met = row & places.get(token, 0)
        row = ((row + met) | (row - met)) & every
    return size - row.bit_count()


@lru_cache(maxsize=2**13)
def _targets(accepted: Any) -> list[tuple[int, dict[str, int]]]:
    targets = []
    for text in checked(accepted):
        tokens, places = TOKENS.findall(text.lower()), {}
        for place, token in enumerate(tokens):
            places[token] = places.get(token, 0) | 1 << place
        targets.append((len(tokens), places))
    return targets


METRIC = RougeL
