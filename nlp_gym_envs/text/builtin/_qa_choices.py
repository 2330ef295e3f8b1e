"""Facts about invented things, and questions with choices that follow from one fact or from two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._qa_kinds import KINDS, NAMES, Kind, Predicate

_WHICH = (
    "Which of these {}?",
    "Which {noun} {}?",
    "Someone looks for the {noun} that {}. What fits?",
    "Name the {noun} that {}.",
)
FOLLOWS = (
    "What can be said of anything that {}?",
    "Something {}. What follows?",
    "If something {}, what else is true?",
)
LAW = ("whatever {} {}", "everything that {} {}", "anything that {} {}")
EVERY = ("every {} {}", "any {} {}")
KIND_OF = ("a {} is a kind of {}", "a {} is one sort of {}", "the {} belongs to the family of the {}")
BESIDE = (
    "a {} is always found next to a {}",
    "a {} never leaves the side of a {}",
    "a {} is nowhere but where a {} is",
)


class Row(NamedTuple):
    """A question, its choices, the place of the right one, and one to three facts from which it follows."""

    question: str
    choices: list[str]
    answer: int
    context: str


class Draft(NamedTuple):
    """A row whose choices and facts have no order yet."""

    question: str
    right: str
    wrong: list[str]  # those that mislead first; the last may be left out
    facts: list[str]


class Thing(NamedTuple):
    """An invented thing and what the facts say of it."""

    name: str
    predicates: list[Predicate]


class World:
    """What one row is about: a kind, what is asked, and things of that kind with different names."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.kind: Kind = choices.pick(KINDS)
        self.key = choices.pick(NAMES)
        self.told = (choices.below(2), choices.below(2))  # the wording of the fact that answers
        # The question tends to have other words for the verb and for its object.
        self.asked = (self._changed(self.told[0]), self._changed(self.told[1]))
        self._names = {self.key}

    def _changed(self, wording: int) -> int:
        return 1 - wording if self.choices.chance(0.8) else wording

    def name(self) -> str:
        """A name that the row has not had."""
        while True:
            name = self.choices.pick(NAMES)
            if name not in self._names:
                self._names.add(name)
                return name

    def predicate(self) -> Predicate:
        """Anything that can be said of such a thing."""
        kind = self.kind
        attribute = self.choices.pick((*kind.attributes, *kind.attributes, kind.places, kind.causes, kind.effects))
        return Predicate(attribute, self.choices.below(len(attribute.values)))

    def law(self) -> tuple[Predicate, Predicate]:
        """A cause and its effect."""
        return self.choices.pick(self.kind.laws)

    def other(self, predicate: Predicate) -> Predicate:
        """The same attribute with another value."""
        count = len(predicate.attribute.values)
        return predicate._replace(value=(predicate.value + self.choices.between(1, count - 1)) % count)

    def like(self, predicate: Predicate) -> Predicate:
        """A predicate that shares the verb or the object."""
        attribute = predicate.attribute
        others = [a for a in self.kind.attributes if a is not attribute and a.values is attribute.values]
        if others and self.choices.chance(0.45):
            return Predicate(self.choices.pick(others), predicate.value)
        return self.other(predicate)

    def implied(self, predicates: Sequence[Predicate]) -> list[Predicate]:
        """The predicates and what follows from them by a law."""
        return [*predicates, *(effect for cause, effect in self.kind.laws if cause in predicates)]

    def thing(self, name: str, *predicates: Predicate, without: Predicate) -> Thing:
        """A thing of which something else may be told too, from which `without` and its like do not follow."""
        if self.choices.chance(0.35):
            extra = self.like(without) if self.choices.chance(0.5) else self.predicate()
            if not any(p.attribute is extra.attribute for p in (*predicates, without)) and not any(
                p.attribute is without.attribute for p in self.implied([extra])
            ):
                return Thing(name, [*predicates, extra] if self.choices.chance(0.5) else [extra, *predicates])
        return Thing(name, list(predicates))

    def words(self, predicate: Predicate, answers: bool = False) -> str:
        """A predicate as a fact has it: one that only misleads is often worded as the question is."""
        if answers:
            return predicate.words(*self.told)
        if self.choices.chance(0.5):
            return predicate.words(*self.asked)
        return predicate.words(self.choices.below(2), self.choices.below(2))

    def tell(self, things: Sequence[Thing], answer: Predicate | None, most: int) -> list[str]:
        """The things in at most so many sentences, in mixed order."""
        clauses = [self._clause(things[place], answer) for place in self.choices.shuffled(len(things))]
        count = min(len(clauses), self.choices.between(1, most))
        return [self._sentence(clauses[start::count]) for start in range(count)]

    def _clause(self, thing: Thing, answer: Predicate | None) -> tuple[str, str]:
        own = thing.name == self.key
        return thing.name, " and ".join(self.words(p, own and p == answer) for p in thing.predicates)

    def _sentence(self, clauses: Sequence[tuple[str, str]]) -> str:
        (name, told), *rest = clauses
        style = self.choices.below(4)
        if not rest:
            noun = self.choices.pick(self.kind.nouns)
            one = f"a {name} is a {noun} that {{}}" if style < 2 else f"a {name} {{}}"
            return (self.choices.pick(EVERY).format(name, "{}") if style == 2 else one).format(told)
        if len(rest) == 1 and style == 0:
            return f"unlike a {rest[0][0]}, which {rest[0][1]}, a {name} {told}"
        texts = [f"a {name} {told}" for name, told in clauses]
        joint = self.choices.pick((", but ", ", while ", ", and ") if len(rest) == 1 else (", while ", ", and "))
        return ", ".join(texts[:-1]) + joint + texts[-1]

    def which(self, predicate: Predicate) -> str:
        """A question for the thing of which the predicate is true."""
        template = self.choices.pick(_WHICH)
        return template.format(predicate.words(*self.asked), noun=self.choices.pick(self.kind.nouns))

    def values(self, predicate: Predicate, misleading: Sequence[Predicate]) -> tuple[str, list[str]]:
        """The value in the question's wording, and wrong ones: first the misleading, as the facts may have them."""
        own = [p.value for p in misleading if p.attribute.values is predicate.attribute.values]
        rest = [value for value in self.choices.shuffled(len(predicate.attribute.values)) if value not in own]
        wrong = [value for value in dict.fromkeys([*own, *rest]) if value != predicate.value]
        texts = [predicate._replace(value=value).value_words(self.choices.below(2)) for value in wrong]
        return predicate.value_words(self.asked[1]), texts

    def names(self, things: Sequence[str]) -> list[str]:
        """The wrong things, then others of which no fact speaks."""
        return [f"a {name}" for name in (*things, *(self.name() for _ in range(4)))]
