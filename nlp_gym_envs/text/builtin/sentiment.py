"""Short invented reviews of films, products, meals and hotels, labelled by the verdict of the writer.

The label follows from a few rules that a reader applies without thinking: negation turns a word around, the main
clause of a contrast decides, the stronger of two graded words decides, opinions of other people and expectations do
not count, and facts about price, date or place say nothing. Openings such as "Granted," announce that the verdict is
still to come; openings such as "In short," announce that it follows at once and that nothing overturns it. The
grammar can write well over 10^12 distinct texts. The compositional split nests the constructions in ways that the
other splits never do.
"""

from __future__ import annotations

from nlp_gym_envs.text.builtin import _sentiment_phrases as phrases
from nlp_gym_envs.text.builtin._grammar import Choices, build_split, join

__all__ = ["LABELS", "generate"]

LABELS: tuple[str, ...] = ("negative", "positive")

_SEED = 41_201
_MINIMUM_WORDS = 8


class _Review:
    """The phrases of one review, which keeps to one subject and never repeats a fact."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.domain = choices.pick(phrases.DOMAINS)
        self.name = choices.pick(self.domain.wholes)
        self.whole = f"the {self.name}"
        self.tables = {**phrases.TABLES, "whole": (self.name,)}
        self._facts = list(self.domain.facts)
        self._aspects = list(self.domain.aspects)

    def one(self, options: tuple[str, ...]) -> str:
        return self.choices.pick(options)

    def fact(self) -> str:
        template = self._facts.pop(self.choices.below(len(self._facts)))
        return self.choices.fill(template, self.tables)

    def facts(self, low: int, high: int) -> list[str]:
        return [self.fact() for _ in range(self.choices.between(low, high))]

    def aspect(self) -> str:
        return "the " + self._aspects.pop(self.choices.below(len(self._aspects)))

    def mild(self, polarity: int) -> str:
        return self.one(self.domain.adjectives[polarity] if self.choices.chance(0.4) else phrases.MILD[polarity])

    def adjective(self, polarity: int) -> str:
        return self.one(phrases.STRONG[polarity]) if self.choices.chance(0.4) else self.mild(polarity)

    def negated(self, polarity: int, subject: str, negations: tuple[str, ...] = phrases.NEGATIONS) -> str:
        return f"{subject} was {self.one(negations)} {self.mild(1 - polarity)}"

    def direct(self, polarity: int, subject: str) -> str:
        return f"{subject} was {self.adjective(polarity)}"

    def impersonal(self, polarity: int, subject: str) -> str:
        return self.negated(polarity, subject) if self.choices.chance(0.35) else self.direct(polarity, subject)

    def clause(self, polarity: int, subject: str) -> str:
        style = self.choices.below(20)
        if style < 9:
            return self.direct(polarity, subject)
        if style < 13:
            return self.negated(polarity, subject)
        if style < 16:
            return self.one(phrases.SAYING_SO[polarity]).format(subject)
        if style < 18:
            return self.one(phrases.DENYING_SO[polarity]).format(subject)
        if style < 19:
            return f"{self.one(phrases.WRONG_TO_CALL)} {subject} {self.mild(1 - polarity)}"
        return f"{self.one(phrases.WRONG_TO_SAY)} {subject} was {self.mild(1 - polarity)}"

    def verdict(self, polarity: int) -> str:
        return self.clause(polarity, self.whole)

    def remark(self, polarity: int) -> str:
        return self.clause(polarity, self.aspect())

    def speaker(self) -> str:
        return self.one(phrases.SPEAKERS)

    def said(self) -> str:
        return self.choices.fill(self.one(phrases.SAID), self.tables)

    def reported(self, polarity: int) -> str:
        if self.choices.chance(0.4):
            return f"{self.speaker()} called {self.whole} {self.adjective(polarity)}"
        return f"{self.said()} {self.impersonal(polarity, self.whole)}"

    def own(self, polarity: int, subject: str) -> str:
        if self.choices.chance(0.4):
            return f"I found {subject} {self.adjective(polarity)}"
        return f"{self.one(phrases.OWN)} {self.impersonal(polarity, subject)}"

    def expectation(self, polarity: int) -> str:
        word = self.adjective(polarity)
        style = self.choices.below(4)
        if style == 0:
            return f"I expected {self.whole} to be {word}"
        if style == 1:
            return f"the {self.one(self.domain.promiser)} {self.one(phrases.PROMISED[polarity])} a {word} {self.name}"
        if style == 2:
            return f"{self.whole} was said to be {word}"
        return f"I thought that {self.whole} would be {word}"

    def graded(self, polarity: int) -> str:
        forceful = f"{self.one(phrases.FORCEFUL)} {self.one(phrases.MILD[polarity])}"
        weak = f"{self.one(phrases.WEAK[1 - polarity])} {self.one(self.domain.adjectives[1 - polarity])}"
        style = self.choices.below(4)
        if style == 0:
            return f"{self.whole} was {weak} yet {forceful}"
        if style == 1:
            return f"{self.whole} was {forceful} if {weak}"
        if style == 2:
            return f"{self.whole} was {forceful} and {self.aspect()} {weak}"
        return f"{self.aspect()} was {weak} and {self.whole} {forceful}"

    def more(self, polarity: int, probability: float) -> list[str]:
        return [self.remark(polarity)] if self.choices.chance(probability) else []


def _plain(review: _Review, polarity: int) -> list[str]:
    opening = review.verdict(polarity) if review.choices.chance(0.7) else review.remark(polarity)
    return [*review.facts(0, 1), opening, *review.facts(0, 1), *review.more(polarity, 0.6), *review.facts(1, 2)]


def _early(review: _Review, polarity: int) -> list[str]:
    sentences = [f"{review.one(phrases.EARLY)} {review.verdict(polarity)}", *review.facts(1, 2)]
    style = review.choices.below(10)
    if style < 4:
        sentences.append(review.reported(1 - polarity))
    elif style < 6:
        sentences.append(f"{review.one(phrases.ANNOUNCE[:2])} {review.remark(1 - polarity)}")
    elif style < 8:
        sentences.append(review.remark(polarity))
    return sentences + review.facts(0, 2)


def _announced(review: _Review, polarity: int) -> list[str]:
    opening, again = f"{review.one(phrases.ANNOUNCE)} {review.remark(1 - polarity)}", review.whole
    if review.choices.chance(0.4):
        # Of the whole, only a passing impression can be conceded without a contradiction.
        opening, again = f"{review.one(phrases.SEEMING)} {review.verdict(1 - polarity)}", "it"
    if review.choices.chance(0.4):
        return [f"{opening}, but {review.clause(polarity, again)}", *review.facts(0, 2)]
    turn = f"{review.one(phrases.TURN)} {review.verdict(polarity)}"
    return [opening, *review.facts(0, 2), turn, *review.more(polarity, 0.2), *review.facts(0, 1)]


def _although(review: _Review, polarity: int) -> list[str]:
    concession = f"{review.one(phrases.ALTHOUGH)} {review.remark(1 - polarity)}"
    if review.choices.chance(0.6):
        return [*review.facts(0, 1), f"{concession}, {review.verdict(polarity)}", *review.facts(0, 2)]
    return [*review.facts(0, 1), f"{review.verdict(polarity)}, {concession}", *review.facts(0, 2)]


def _turned(review: _Review, polarity: int) -> list[str]:
    changed = review.choices.chance(0.4)
    opening = review.verdict(1 - polarity) if changed else review.remark(1 - polarity)
    turn = review.one(phrases.CHANGED if changed else phrases.FINAL if review.choices.chance(0.4) else phrases.TURN)
    return [
        *review.facts(0, 1),
        opening,
        *review.facts(0, 2),
        f"{turn} {review.verdict(polarity)}",
        *review.more(polarity, 0.2),
        *review.facts(0, 1),
    ]


def _graded(review: _Review, polarity: int) -> list[str]:
    return [*review.facts(0, 1), review.graded(polarity), *review.facts(1, 2)]


def _reported(review: _Review, polarity: int) -> list[str]:
    other = review.reported(1 - polarity if review.choices.chance(0.75) else polarity)
    if review.choices.chance(0.4):
        return [f"{other}; {review.own(polarity, 'it')}", *review.facts(0, 2)]
    own = review.own(polarity, review.whole)
    if review.choices.chance(0.4):
        return [other, *review.facts(1, 2), own, *review.facts(0, 1)]
    return [own, *review.facts(0, 2), other, *review.facts(0, 1)]


def _agreed(review: _Review, polarity: int) -> list[str]:
    agrees = review.choices.chance(0.5)
    other = review.reported(polarity if agrees else 1 - polarity)
    answer = review.one(phrases.AGREE if agrees else phrases.DISAGREE)
    return [*review.facts(0, 1), other, answer, *review.facts(0, 2)]


def _expected(review: _Review, polarity: int) -> list[str]:
    if review.choices.chance(0.25):
        return [f"{review.expectation(polarity)}, {review.one(phrases.CAME_TRUE)}", *review.facts(1, 2)]
    hope = review.expectation(1 - polarity)
    if review.choices.chance(0.5):
        return [*review.facts(0, 1), f"{hope}, yet {review.clause(polarity, 'it')}", *review.facts(0, 2)]
    return [hope, *review.facts(0, 2), f"{review.one(phrases.INSTEAD)} {review.verdict(polarity)}", *review.facts(0, 1)]


def _reported_contrast(review: _Review, polarity: int) -> list[str]:
    inner = 1 - polarity if review.choices.chance(0.6) else polarity
    concession = f"{review.speaker()} said that although {review.impersonal(1 - inner, review.aspect())}"
    other = f"{concession}, {review.impersonal(inner, review.whole)}"
    own = review.own(polarity, review.whole)
    return [other, own, *review.facts(0, 1)] if review.choices.chance(0.6) else [own, *review.facts(0, 1), other]


def _double_negation(review: _Review, polarity: int) -> list[str]:
    denied = review.negated(1 - polarity, review.whole, phrases.CLEAR_NEGATIONS)
    verdict = f"{review.one(phrases.WRONG_TO_SAY)} {denied}"
    if review.choices.chance(0.4):
        return [*review.facts(0, 1), f"although {review.remark(1 - polarity)}, {verdict}", *review.facts(0, 1)]
    return [*review.facts(0, 1), verdict, *review.more(polarity, 0.6), *review.facts(1, 2)]


def _two_contrasts(review: _Review, polarity: int) -> list[str]:
    first = f"{review.one(phrases.ANNOUNCE)} {review.remark(polarity)}, but {review.remark(1 - polarity)}"
    if review.choices.chance(0.5):
        first = f"although {review.remark(polarity)}, {review.remark(1 - polarity)}"
    return [first, *review.facts(0, 1), f"{review.one(phrases.FINAL)} {review.verdict(polarity)}", *review.facts(0, 1)]


def _early_contrast(review: _Review, polarity: int) -> list[str]:
    contrast = f"although {review.remark(1 - polarity)}, {review.verdict(polarity)}"
    sentences = [f"{review.one(phrases.EARLY)} {contrast}", *review.facts(0, 1), *review.more(polarity, 0.4)]
    return [*sentences, review.reported(1 - polarity)] if review.choices.chance(0.5) else sentences


def _reported_expectation(review: _Review, polarity: int) -> list[str]:
    inner = 1 - polarity if review.choices.chance(0.6) else polarity
    hoped = f"{review.speaker()} expected {review.whole} to be {review.adjective(1 - inner)}"
    return [
        f"{hoped} yet called it {review.adjective(inner)}",
        *review.facts(0, 1),
        review.own(polarity, review.whole),
        *review.more(polarity, 0.5),
        *review.facts(0, 1),
    ]


def _graded_concession(review: _Review, polarity: int) -> list[str]:
    weak = f"{review.one(phrases.WEAK[polarity])} {review.one(review.domain.adjectives[polarity])}"
    forceful = f"{review.one(phrases.FORCEFUL)} {review.one(phrases.MILD[1 - polarity])}"
    grades = f"{review.aspect()} was {weak} and {review.aspect()} {forceful}"
    if review.choices.chance(0.5):
        return [*review.facts(0, 1), f"although {grades}, {review.verdict(polarity)}", *review.facts(0, 1)]
    return [
        f"{review.one(phrases.ANNOUNCE)} {grades}",
        *review.facts(0, 1),
        f"{review.one(phrases.TURN)} {review.verdict(polarity)}",
    ]


def _disagreed_concession(review: _Review, polarity: int) -> list[str]:
    answer = f"{review.one(phrases.DISAGREE)}, although {review.remark(1 - polarity)}"
    return [*review.facts(0, 1), review.reported(1 - polarity), answer, *review.facts(0, 1)]


def _expected_negation(review: _Review, polarity: int) -> list[str]:
    hope = f"I did not expect {review.whole} to be {review.adjective(polarity)}"
    return [
        *review.facts(0, 1),
        f"{hope}, yet {review.clause(polarity, 'it')}",
        *review.more(polarity, 0.6),
        *review.facts(0, 2),
    ]


_CONSTRUCTIONS = (
    (_plain, 26),
    (_early, 18),
    (_announced, 14),
    (_although, 10),
    (_turned, 12),
    (_graded, 8),
    (_reported, 8),
    (_agreed, 4),
    (_expected, 8),
)
_NESTED_CONSTRUCTIONS = (
    (_reported_contrast, 1),
    (_double_negation, 1),
    (_two_contrasts, 1),
    (_early_contrast, 1),
    (_reported_expectation, 1),
    (_graded_concession, 1),
    (_disagreed_concession, 1),
    (_expected_negation, 1),
)


def _compose(choices: Choices, label: int, nested: bool) -> str:
    construction = choices.weighted(_NESTED_CONSTRUCTIONS if nested else _CONSTRUCTIONS)
    return join(construction(_Review(choices), label))


def generate(split: str) -> tuple[list[str], list[int]]:
    """The texts and labels of a split: train, validation, test or compositional."""
    return build_split(split, _SEED, len(LABELS), _MINIMUM_WORDS, _compose)
