"""Token F1 of question answering: the overlap of an answer with the nearest accepted text, as SQuAD counts it."""

from collections import Counter

from ._texts import Mean, best, normal, normal_targets


class F1(Mean):
    """Counts are (F1, answered): the mean over examples of the best F1 against an accepted text.

    Rajpurkar et al. 2016 (SQuAD 1.1), and Rajpurkar, Jia, Liang 2018 (2.0): tokens are the words of the normal form;
    where the answer or the accepted text has none, F1 is 1 if neither has, else 0.
    """

    name = "f1"

    def value(self, answer: str, accepted: tuple[str, ...]) -> float:
        """2 x shared tokens / (tokens of the answer + tokens of the text), the best of the accepted texts."""
        return best(overlap, normal(answer).split(), normal_targets(accepted))


def overlap(tokens: list[str], text: str) -> float:
    """F1 of the answer's tokens and those of one normal text."""
    wanted = text.split()
    if not tokens or not wanted:
        return float(tokens == wanted)
    shared = (Counter(tokens) & Counter(wanted)).total()
    return 2 * shared / (len(tokens) + len(wanted))


METRIC = F1
