"""Clauses of the English-German corpus: tense, negation and word order, in English and in both German registers."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from nlp_gym_envs.text.builtin._grammar import join
from nlp_gym_envs.text.builtin._translation_nouns import NOMINATIVE
from nlp_gym_envs.text.builtin._translation_phrases import (
    NO,
    RELATIVE,
    Adverbial,
    NounPhrase,
    Phrase,
    Prepositional,
    Pronoun,
    Register,
)
from nlp_gym_envs.text.builtin._translation_verbs import BE, HABEN, HAVE, SEIN, EnglishVerb, GermanVerb, Predicate

Persons = tuple[str, str, str]  # forms for I; he, she or it; we or they


class Tense(NamedTuple):
    """A simple tense."""

    name: str


class Modal(NamedTuple):
    """A verb that takes an infinitive, or the infinitive of the perfect; an empty negative is not in use."""

    english: Persons
    negative: Persons
    german: Persons
    perfect: bool = False


PRESENT, SIMPLE = Tense("present"), Tense("simple present")
PAST, PERFECT = Tense("past"), Tense("present perfect")  # in German both are the perfect


def _same(form: str) -> Persons:
    return form, form, form


_NONE = ("", "", "")
_MUST = ("muss", "muss", "müssen")
FUTURE = Modal(_same("will"), _same("will not"), ("werde", "wird", "werden"))
CAN = Modal(_same("can"), _same("cannot"), ("kann", "kann", "können"))
MODALS = (
    CAN,
    Modal(_same("must"), _NONE, _MUST),
    Modal(
        ("want to", "wants to", "want to"),
        ("do not want to", "does not want to", "do not want to"),
        ("will", "will", "wollen"),
    ),
    Modal(_same("should"), _same("should not"), ("sollte", "sollte", "sollten")),
    Modal(
        ("am allowed to", "is allowed to", "are allowed to"),
        ("am not allowed to", "is not allowed to", "are not allowed to"),
        ("darf", "darf", "dürfen"),
    ),
)
GUESS = Modal(_same("must have"), _NONE, _MUST, True)
AnyTense = Tense | Modal


def _english_verbs(verb: EnglishVerb, person: int, tense: AnyTense, negated: bool) -> str:
    if isinstance(tense, Modal):
        auxiliary = (tense.negative if negated else tense.english)[person]
        return f"{auxiliary} {verb.participle if tense.perfect else verb.base}"
    if tense is PRESENT and verb.progressive:
        return f"{BE.present[person]} {'not ' if negated else ''}{verb.progressive}"
    if tense is PERFECT:
        return f"{HAVE.present[person]} {'not ' if negated else ''}{verb.participle}"
    finite = (verb.past if tense is PAST else verb.present)[person]
    if not negated:
        return finite
    if verb.base == "be":
        return f"{finite} not"
    does = "did" if tense is PAST else ("do", "does", "do")[person]
    return f"{does} not {verb.base}"


def _german_verbs(verb: GermanVerb, person: int, tense: AnyTense) -> tuple[str, str]:
    """The finite verb, and what closes the clause when the finite verb stands second."""
    perfect = SEIN if verb.moves else HABEN
    if isinstance(tense, Modal):
        closing = f"{verb.participle} {perfect.infinitive}" if tense.perfect else verb.infinitive
        return tense.german[person], closing
    if tense is not PAST and tense is not PERFECT:
        return verb.present[person], verb.prefix
    return (verb.past[person], "") if verb.past else (perfect.present[person], verb.participle)


class Attachment(NamedTuple):
    """A clause that follows another one, after a conjunction."""

    conjunction: tuple[str, str]  # English with what precedes it: a space, perhaps a comma; German
    clause: Clause

    @property
    def english(self) -> str:
        return f"{self.conjunction[0]} {self.clause.english}"

    def german(self, register: Register) -> str:
        opening = self.conjunction[1]
        second = opening in register.verb_second
        clause = self.clause.main(register) if second else self.clause.subordinate(register)
        return f", {opening} {clause}"


class Relative(NamedTuple):
    """A relative clause: of the subject of the clause if case is the nominative, else of an object left out of it."""

    english_pronoun: str
    head: Phrase
    case: int
    clause: Clause

    @property
    def english(self) -> str:
        rest = self.clause.english_predicate if self.case == NOMINATIVE else self.clause.english
        return f" {self.english_pronoun} {rest}"

    def german(self, register: Register) -> str:
        pronoun = RELATIVE[self.head.agreement][self.case]
        rest = self.clause.ending(register) if self.case == NOMINATIVE else self.clause.subordinate(register)
        return f", {pronoun} {rest}"


class Described(NamedTuple):
    """A subject with a relative clause."""

    head: Phrase
    relative: Relative

    @property
    def english(self) -> str:
        return self.head.english + self.relative.english

    @property
    def object(self) -> str:
        return self.english

    @property
    def person(self) -> int:
        return self.head.person

    @property
    def agreement(self) -> int:
        return self.head.agreement

    def german(self, case: int, register: Register) -> str:
        return f"{self.head.german(case, register)}{self.relative.german(register)},"

    def leading(self, register: Register) -> str:
        return self.german(NOMINATIVE, register)


class After(Protocol):
    """What can follow a clause."""

    @property
    def english(self) -> str: ...
    def german(self, register: Register) -> str: ...


class Clause(NamedTuple):
    """A subject, what is said of it, and its adverbials; `front` is the one that opens the clause, if any does."""

    subject: Phrase
    predicate: Predicate
    tense: AnyTense
    negated: bool = False
    objects: tuple[tuple[int, Phrase], ...] = ()  # case and phrase, the dative first
    time: Adverbial | None = None
    cause: Adverbial | None = None
    company: Adverbial | None = None
    place: Prepositional | None = None
    front: Adverbial | None = None
    after: tuple[After, ...] = ()

    @property
    def english(self) -> str:
        opening = f"{self.front.english}{self.front.comma} " if self.front else ""
        return f"{opening}{self.subject.english} {self.english_predicate}"

    @property
    def english_predicate(self) -> str:
        """The clause without its subject."""
        words = [_english_verbs(self.predicate.english, self.subject.person, self.tense, self.negated)]
        words += [phrase.object for _, phrase in self.objects]
        if self.predicate.rest[0]:
            words.append(self.predicate.rest[0])
        adverbials = (self.company, self.place, self.time, self.cause)
        words += [adverbial.english for adverbial in adverbials if adverbial and adverbial is not self.front]
        return " ".join(words) + "".join(part.english for part in self.after)

    def _verbs(self, register: Register) -> tuple[str, str]:
        literal = self.predicate.literal if register.literal_idioms else None
        verb = literal[0] if literal else self.predicate.german
        return _german_verbs(verb, self.subject.person, self.tense)

    def _middle(self, register: Register) -> list[str]:
        """What stands between the finite verb and the closing verbs, without the subject."""
        literal = self.predicate.literal if register.literal_idioms else None
        rest = literal[1] if literal else self.predicate.rest[1]
        objects = [phrase.german(case, register) for case, phrase in self.objects]
        # A pronoun and the first of two objects stand before the adverbials.
        early = len(objects) == 2 or (objects and isinstance(self.objects[0][1], Pronoun))
        words = objects[:1] if early else []
        for adverbial in (self.time, self.cause, self.company, self.place if self.objects else None):
            if adverbial and adverbial is not self.front:
                words.append(adverbial.german(register))
        words += objects[1:] if early else objects
        if self.negated and not self._denies_object:
            words.append("nicht")
        if self.place and not self.objects and self.place is not self.front:
            words.append(self.place.german(register))
        if rest:
            words.append(rest)
        return words

    @property
    def _denies_object(self) -> bool:
        """Whether kein before the last object is the negation."""
        last = self.objects[-1][1] if self.objects else None
        return isinstance(last, NounPhrase) and last.determiner is NO

    def main(self, register: Register) -> str:
        """The German main clause: the finite verb second."""
        if self.front:
            return f"{self.front.german(register)} {self.inverted(register)}"
        finite, closing = self._verbs(register)
        return self._ended([self.subject.leading(register), finite, *self._middle(register), closing], register)

    def inverted(self, register: Register) -> str:
        """The German main clause from its finite verb on, where something else than the subject stands first."""
        finite, closing = self._verbs(register)
        subject = self.subject.german(NOMINATIVE, register)
        return self._ended([finite, subject, *self._middle(register), closing], register)

    def subordinate(self, register: Register) -> str:
        """The German subordinate clause without its conjunction: the finite verb last."""
        return f"{self.subject.german(NOMINATIVE, register)} {self.ending(register)}"

    def ending(self, register: Register) -> str:
        """The German subordinate clause without its subject."""
        finite, closing = self._verbs(register)
        separable = self.tense is PRESENT or self.tense is SIMPLE
        verbs = [closing + finite] if separable else [closing, finite]
        return self._ended([*self._middle(register), *verbs], register)

    def _ended(self, words: list[str], register: Register) -> str:
        return " ".join(filter(None, words)) + "".join(part.german(register) for part in self.after)


class Fronted(NamedTuple):
    """A sentence that opens with a subordinate clause, whose verb comes last in every register."""

    conjunction: tuple[str, str]
    condition: Clause
    clause: Clause

    @property
    def english(self) -> str:
        return f"{self.conjunction[0].strip()} {self.condition.english}, {self.clause.english}"

    def main(self, register: Register) -> str:
        """The German sentence without capital letter and full stop."""
        condition = self.condition.subordinate(register)
        return f"{self.conjunction[1]} {condition}, {self.clause.inverted(register)}"


Sentence = Clause | Fronted

_WORD = re.compile(r"\w+")
_COMMAS = re.compile(r",(?=[,.])")  # a relative clause closes with a comma, unless another mark follows


def english_text(sentence: Sentence) -> str:
    """The finished English sentence."""
    return join([sentence.english])


def german_text(sentence: Sentence, register: Register) -> str:
    """The finished German sentence in one register."""
    text = sentence.main(register)
    if register.words:
        text = _WORD.sub(lambda match: register.words.get(match[0], match[0]), text)
    return _COMMAS.sub("", f"{text[0].upper()}{text[1:]}.")
