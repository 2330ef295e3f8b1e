"""Drawing the noun phrases and clauses of the English-German corpus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from nlp_gym_envs.text.builtin import _translation_nouns as nouns
from nlp_gym_envs.text.builtin import _translation_phrases as phrases
from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._translation_nouns import DATIVE, FEMININE, GENITIVE, MASCULINE, Adjective, Noun
from nlp_gym_envs.text.builtin._translation_phrases import (
    HER,
    HIS,
    MY,
    NUMERALS,
    THE,
    A,
    Determiner,
    Fixed,
    Name,
    NounPhrase,
    Phrase,
    Prepositional,
    Pronoun,
)
from nlp_gym_envs.text.builtin._translation_verbs import FIRST

_NAMES = tuple(Name(english, gender) for english, gender in nouns.NAMES)
_CAUSES = tuple(
    Prepositional(pair, NounPhrase(THE, None, noun), GENITIVE)
    for pair in nouns.CAUSES
    for noun in (*nouns.EVENTS, *nouns.TASKS)
)
_COUNTED = tuple(noun for noun in nouns.PEOPLE if noun.plural)
Named = TypeVar("Named", Noun, Name, Fixed)


def _possessive(subject: Phrase) -> Determiner | None:
    """The determiner of what belongs to the subject, where German and English agree on one."""
    if subject.person == FIRST:
        return MY
    return {MASCULINE: HIS, FEMININE: HER}.get(subject.agreement)


class Drawing:
    """The choices of one sentence, which takes each noun and each name at most once."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self._used: set[object] = set()  # English words

    def unused(self, options: Sequence[Named]) -> Named:
        """A noun, name or time that the sentence does not have yet."""
        option = self.choices.pick(options)
        if option.english in self._used:
            option = self.choices.pick([other for other in options if other.english not in self._used] or options)
        self._used.add(option.english)
        return option

    def name(self) -> Name:
        """A name that the sentence does not have yet."""
        return self.unused(_NAMES)

    def described(self, determiner: Determiner, noun: Noun, adjectives: Sequence[Adjective]) -> NounPhrase:
        """A noun phrase, perhaps with an adjective."""
        adjective = self.choices.pick(adjectives) if self.choices.chance(0.4) else None
        return NounPhrase(determiner, adjective, noun, determiner in NUMERALS)

    def human(self, determiner: Determiner, options: Sequence[Noun] = nouns.PEOPLE) -> NounPhrase:
        """A person or people, named by a noun."""
        noun = self.unused(options)
        return self.described(determiner, noun, nouns.OF_CHILDREN if noun in nouns.CHILDREN else nouns.OF_PEOPLE)

    def object(self, determiner: Determiner, noun: Noun) -> NounPhrase:
        """A thing or things, named by a noun."""
        return self.described(determiner, noun, nouns.OF_TEXTS if noun in nouns.TEXTS else nouns.OF_THINGS)

    def someone(self) -> NounPhrase:
        """One person, named by a noun."""
        return self.human(A if self.choices.chance(0.3) else THE)

    def several(self) -> NounPhrase:
        """Several people."""
        if self.choices.chance(0.5):
            return self.human(self.choices.pick(NUMERALS), _COUNTED)
        return self.human(THE, _COUNTED)._replace(plural=True)

    def relation(self, determiner: Determiner = MY) -> NounPhrase:
        """A member of the family."""
        return NounPhrase(determiner, None, self.unused(nouns.KIN))

    def subject(self) -> Phrase:
        """Who does it."""
        style = self.choices.below(100)
        if style < 36:
            return self.name()
        if style < 52:
            return self.choices.pick((phrases.I, phrases.HE, phrases.SHE, phrases.WE, phrases.THEY))
        if style < 62:
            return self.relation()
        return self.several() if style < 70 else self.someone()

    def person(self, subject: Phrase) -> Phrase:
        """Whom it is done to."""
        style = self.choices.below(100)
        if style < 30 and isinstance(subject, Pronoun):
            # German has no case ending for names: "Heute besucht die Frau Anna" could be read in more than one way.
            return self.name()
        if style < 40:
            return self.relation(_possessive(subject) or MY)
        return self.several() if style < 52 else self.someone()

    def thing(self, options: Sequence[Noun], subject: Phrase, indefinite: bool = True) -> NounPhrase:
        """A thing, which may belong to the subject; definite ones serve as subjects themselves."""
        noun = self.unused(options)
        style = self.choices.below(100)
        determiner = A if indefinite and style >= 30 else THE
        if 66 <= style < 76 and noun.plural:
            determiner = self.choices.pick(NUMERALS) if indefinite else THE
        elif 76 <= style < 84:
            determiner = _possessive(subject) or THE
        phrase = self.object(determiner, noun)
        return phrase._replace(determiner=THE, owner=self.owner(indefinite)) if style >= 82 else phrase

    def owner(self, named: bool) -> NounPhrase | Name:
        """Whose thing it is."""
        style = self.choices.below(10)
        if style < 3 and named:
            return self.name()
        if style < 5:
            return self.relation()
        return self.human(THE)

    def place(self, case: int) -> Prepositional:
        """Where it happens (dative) or where it leads (accusative)."""
        noun = self.unused(nouns.PLACES if case == DATIVE else nouns.GOALS)
        prepositions = nouns.PREPOSITIONS[noun] if case == DATIVE else ("to", "in")
        return Prepositional(prepositions, self.described(THE, noun, nouns.OF_PLACES), case)

    def company(self, subject: Phrase) -> Prepositional:
        """With whom it happens."""
        relative = self.choices.chance(0.4)
        person = self.relation(_possessive(subject) or MY) if relative else self.someone()
        return Prepositional(("with", "mit"), person, DATIVE)

    def cause(self) -> Prepositional:
        """Because of what, despite what or during what it happens."""
        return self.choices.pick(_CAUSES)
