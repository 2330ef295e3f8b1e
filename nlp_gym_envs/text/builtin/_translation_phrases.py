"""Noun phrases, pronouns and adverbials of the English-German corpus, each in English and in both German registers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, Protocol

from nlp_gym_envs.text.builtin import _translation_nouns as nouns
from nlp_gym_envs.text.builtin._translation_nouns import (
    DATIVE,
    FEMININE,
    GENITIVE,
    MASCULINE,
    NEUTER,
    NOMINATIVE,
    PLURAL,
    Adjective,
    Noun,
)
from nlp_gym_envs.text.builtin._translation_verbs import FIRST, MANY, THIRD


class Register(NamedTuple):
    """How one variety of German differs from the other."""

    genitive: int  # the case after wegen, trotz and während
    possessor: str  # the preposition before an owner in the dative; without one the owner stands in the genitive
    articled_names: bool  # die Anna
    demonstratives: bool  # der, den and dem for er, ihn and ihm
    literal_idioms: bool
    verb_second: frozenset[str]  # conjunctions with the word order of a main clause
    words: Mapping[str, str]  # short forms


WRITTEN = Register(GENITIVE, "", False, False, False, frozenset(("und", "aber")), {})
SPOKEN = Register(
    DATIVE,
    "von",
    True,
    True,
    True,
    frozenset(("und", "aber", "weil")),
    {
        "einen": "nen",
        "eine": "ne",
        "einem": "nem",
        "einer": "ner",
        "nicht": "nich",
        "ist": "is",
        "habe": "hab",
        "sehr": "voll",
        "heute": "heut",
        "jetzt": "jetz",
    },
)

Table = tuple[tuple[str, ...], ...]  # by agreement (three genders, plural), then by case


def _table(*rows: str) -> Table:
    return tuple(tuple(form.strip("-") for form in row.split()) for row in rows)


_DEFINITE = _table("der den dem des", "die die der der", "das das dem des", "die die den der")
_MIXED_ARTICLE = _table("- -en -em -es", "-e -e -er -er", "- - -em -es", "-e -e -en -er")
_WEAK = _table("-e -en -en -en", "-e -e -en -en", "-e -e -en -en", "-en -en -en -en")
_MIXED = _table("-er -en -en -en", "-e -e -en -en", "-es -es -en -en", "-en -en -en -en")
_STRONG = _table("-er -en -em -en", "-e -e -er -er", "-es -es -em -en", "-e -e -en -er")
# The relative pronoun is also the demonstrative one; the corpus uses neither in the genitive.
RELATIVE = _table("der den dem", "die die der", "das das dem", "die die denen")


class Determiner(NamedTuple):
    """What opens a noun phrase: its English, its German forms, and the adjective endings that it asks for."""

    english: str
    forms: Table
    endings: Table


def _like_ein(english: str, stem: str) -> Determiner:
    return Determiner(english, tuple(tuple(stem + ending for ending in row) for row in _MIXED_ARTICLE), _MIXED)


@cache
def _unchanging(english: str, german: str) -> Determiner:
    return Determiner(english, ((german,) * 4,) * 4, _STRONG)


THE = Determiner("the", _DEFINITE, _WEAK)
A = _like_ein("a", "ein")
NO = _like_ein("a", "kein")  # English negates the verb
MY, HIS, HER = _like_ein("my", "mein"), _like_ein("his", "sein"), _like_ein("her", "ihr")
NUMERALS = tuple(_unchanging(english, german) for english, german in nouns.NUMBERS)


class Phrase(Protocol):
    """What a noun phrase and a pronoun have in common; `agreement` is a gender, or PLURAL."""

    @property
    def english(self) -> str: ...
    @property
    def object(self) -> str: ...
    @property
    def person(self) -> int: ...
    @property
    def agreement(self) -> int: ...
    def german(self, case: int, register: Register) -> str: ...
    def leading(self, register: Register) -> str:
        """The subject as the first words of a main clause."""
        ...


class Pronoun(NamedTuple):
    """A personal pronoun; `object` is its English objective form."""

    english: str
    object: str
    person: int
    agreement: int
    forms: tuple[str, str, str]  # by case; never in the genitive
    points: bool = True  # whether a demonstrative pronoun can stand for it

    def german(self, case: int, register: Register) -> str:
        # A subject after its verb or conjunction stays personal: "dass die die Tante besucht" would be hard to read.
        return self.forms[case] if case == NOMINATIVE else self._shown(case, register)

    def leading(self, register: Register) -> str:
        return self._shown(NOMINATIVE, register)

    def _shown(self, case: int, register: Register) -> str:
        return RELATIVE[self.agreement][case] if self.points and register.demonstratives else self.forms[case]


I = Pronoun("I", "me", FIRST, MASCULINE, ("ich", "mich", "mir"), False)  # noqa: E741
WE = Pronoun("we", "us", MANY, PLURAL, ("wir", "uns", "uns"), False)
IT = Pronoun("it", "it", THIRD, NEUTER, ("es", "es", "ihm"))
WEATHER = IT._replace(points=False)
HE = Pronoun("he", "him", THIRD, MASCULINE, ("er", "ihn", "ihm"))
SHE = Pronoun("she", "her", THIRD, FEMININE, ("sie", "sie", "ihr"))
THEY = Pronoun("they", "them", MANY, PLURAL, ("sie", "sie", "ihnen"))
PERSONAL = {MASCULINE: HE, FEMININE: SHE, PLURAL: THEY}  # a child or a girl would be "es": the corpus avoids it
THING = {
    MASCULINE: HE._replace(english="it", object="it"),
    FEMININE: SHE._replace(english="it", object="it"),
    NEUTER: IT,
    PLURAL: THEY,
}


class Name(NamedTuple):
    """A first name."""

    english: str
    agreement: int

    @property
    def object(self) -> str:
        return self.english

    @property
    def person(self) -> int:
        return THIRD

    def german(self, case: int, register: Register) -> str:
        return f"{_DEFINITE[self.agreement][case]} {self.english}" if register.articled_names else self.english

    def leading(self, register: Register) -> str:
        return self.german(NOMINATIVE, register)

    def owning(self, register: Register) -> tuple[Determiner, str]:
        """What stands before and after the thing that this person owns."""
        if register.possessor:
            return THE, f" {register.possessor} {self.german(DATIVE, register)}"
        return _unchanging("", self.english + "s"), ""


class NounPhrase(NamedTuple):
    """A noun with its determiner, perhaps an adjective, perhaps an owner (who then replaces the determiner)."""

    determiner: Determiner
    adjective: Adjective | None
    noun: Noun
    plural: bool = False
    owner: NounPhrase | Name | None = None

    @property
    def english(self) -> str:
        opening = f"{self.owner.english}'s" if self.owner else self.determiner.english
        noun = self.noun.english[self.plural]
        return f"{opening} {self.adjective.english} {noun}" if self.adjective else f"{opening} {noun}"

    @property
    def object(self) -> str:
        return self.english

    @property
    def person(self) -> int:
        return MANY if self.plural else THIRD

    @property
    def agreement(self) -> int:
        return PLURAL if self.plural else self.noun.gender

    def german(self, case: int, register: Register) -> str:
        determiner, after = self.owner.owning(register) if self.owner else (self.determiner, "")
        agreement = PLURAL if self.plural else self.noun.gender
        opening = determiner.forms[agreement][case]
        noun = (self.noun.plural if self.plural else self.noun.singular)[case]
        if self.adjective is None:
            return f"{opening} {noun}{after}"
        return f"{opening} {self.adjective.stem}{determiner.endings[agreement][case]} {noun}{after}"

    def leading(self, register: Register) -> str:
        return self.german(NOMINATIVE, register)

    def owning(self, register: Register) -> tuple[Determiner, str]:
        """What stands before and after the thing that this person owns."""
        if register.possessor:
            return THE, f" {register.possessor} {self.german(DATIVE, register)}"
        return THE, f" {self.german(GENITIVE, register)}"


class Fixed(NamedTuple):
    """An adverbial without parts; `spoken` is a literal translation, where it is an idiom."""

    english: str
    written: str
    spoken: str = ""

    @property
    def comma(self) -> str:
        """What English puts after it at the start of a sentence."""
        return ""

    def german(self, register: Register) -> str:
        return self.spoken if self.spoken and register.literal_idioms else self.written


_CONTRACTIONS = {"in dem": "im", "in das": "ins"}


class Prepositional(NamedTuple):
    """A preposition with its noun phrase."""

    prepositions: tuple[str, str]  # English, German
    phrase: Phrase
    case: int

    @property
    def english(self) -> str:
        return f"{self.prepositions[0]} {self.phrase.object}"

    @property
    def comma(self) -> str:
        """What English puts after it at the start of a sentence."""
        return ","

    def german(self, register: Register) -> str:
        case = register.genitive if self.case == GENITIVE else self.case
        text = f"{self.prepositions[1]} {self.phrase.german(case, register)}"
        short = _CONTRACTIONS.get(text[:6])
        return short + text[6:] if short else text


Adverbial = Fixed | Prepositional

_HOURS = tuple(Fixed(f"at {english} o'clock", f"um {german} Uhr") for english, german in nouns.NUMBERS[1:])
NOW = (Fixed("today", "heute"), Fixed("now", "jetzt"))
HABITS = (  # no hours: "they read a book at four o'clock" is to be the past
    Fixed("on Sundays", "sonntags"),
    Fixed("every day", "jeden Tag"),
    Fixed("once in a blue moon", "alle Jubeljahre", "einmal in einem blauen Mond"),
)
PAST_TIMES = (Fixed("yesterday", "gestern"), Fixed("last week", "letzte Woche"), *_HOURS)
FUTURE_TIMES = (Fixed("tomorrow", "morgen"), Fixed("next week", "nächste Woche"), *_HOURS)
MODAL_TIMES = (NOW[0], FUTURE_TIMES[0], FUTURE_TIMES[1])
