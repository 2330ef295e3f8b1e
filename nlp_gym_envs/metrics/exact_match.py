"""Exact match: the share of answers equal to an accepted text, both in SQuAD's normal form."""

from ._texts import Mean, normal, normal_targets


class ExactMatch(Mean):
    """Counts are (matched, answered).

    Rajpurkar et al. 2016 (SQuAD 1.1), and Rajpurkar, Jia, Liang 2018 (2.0): case, ASCII punctuation, English articles
    and spaces do not count; the accepted text ("",) means that there is no answer, and only an empty one is right.
    """

    name = "exact_match"

    def value(self, answer: str, accepted: tuple[str, ...]) -> float:
        """1.0 where the answer equals one of the accepted texts."""
        return float(normal(answer) in normal_targets(accepted))


METRIC = ExactMatch
