"""BLEU and chrF of one growing answer from its counts: plain loops over few numbers, to be compiled or not."""

import math
from typing import Any


def bleu(size: int, sizes: Any, right: Any) -> float:
    """Sentence BLEU in [0, 1], as `bleu(counts, effective=True)`.

    `size` is the answer's length in words, `sizes` those of the references, `right` (4,) the matched n-grams.
    """
    if right[0] == 0:
        return 0.0
    closest = sizes[0]
    for other in sizes:
        gap, least = abs(other - size), abs(closest - size)
        if gap < least or (gap == least and other < closest):
            closest = other
    orders = min(size, 4)
    product, halved = 1.0, 1.0
    for order in range(orders):
        matched = float(right[order])
        if matched == 0:
            halved *= 2
            matched = 1 / halved
        product *= matched / (size - order)
    mean = math.sqrt(math.sqrt(product)) if orders == 4 else product ** (1 / orders)
    return mean if closest <= size else mean * math.exp(1 - closest / size)


def chrf(size: int, sizes: Any, right: Any) -> float:
    """chrF2 in [0, 1], the best of the references.

    `size` is the answer's length in characters, `sizes` those of the R references, `right` (6 R,) the matched n-grams.
    """
    best = 0.0
    for number in range(len(sizes)):
        theirs = sizes[number]
        orders = min(size, theirs, 6)
        precision, recall = 0.0, 0.0
        for order in range(orders):
            matched = right[6 * number + order]
            precision += matched / (size - order)
            recall += matched / (theirs - order)
        if precision + recall > 0:
            best = max(best, 5 * precision * recall / (orders * (4 * precision + recall)))
    return best
