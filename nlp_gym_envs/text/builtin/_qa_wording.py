"""Statements and questions in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._qa_names import pronoun
from nlp_gym_envs.text.builtin._qa_relations import Group, Relation

_SLOT = re.compile(r"\{(\w+)\}")
_PHRASE = re.compile(r"\[([^\]]*)\]")
_WORD = re.compile(r"[a-z]+")
_FUNCTION_WORDS = frozenset("a an as at by did do does for from has in is it of on the to was what which who".split())
# How a subject of each kind is taken up again: by a relative clause, and in a question.
WHO = {"person": "who"}
SOMEONE = {
    "person": "the person who",
    "place": "the house that",
    "structure": "the structure that",
    "object": "the object that",
    "painted": "the thing that",
    "event": "the event that",
}


class Fact(NamedTuple):
    """One thing that is so in a passage."""

    group: Group
    relation: Relation
    slots: Mapping[str, str]

    @property
    def name(self) -> str:
        """The fact in one line, whatever the wording: it decides which split may ask about it."""
        return " ".join([self.relation.statements[0], *self.slots.values()])

    def has(self, given: Mapping[str, str]) -> bool:
        """True where the fact is about the given values."""
        return all(self.slots[slot] == value for slot, value in given.items())


@cache
def slots_of(template: str) -> tuple[str, ...]:
    """The slots of a template, in order."""
    return tuple(_SLOT.findall(template))


@cache
def _content(template: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_SLOT.sub("", template).lower())) - _FUNCTION_WORDS


@cache
def _shared(template: str, question: str) -> int:
    return len(_content(template) & _content(question))


def predicate(template: str, fact: Fact, contrast: tuple[str, str] | None = None) -> str:
    """A statement without its subject; `contrast` is a slot and the value that it does not have: "not A but B"."""
    text = template.split(" ", 1)[1]

    def phrase(match: re.Match[str]) -> str:
        inside = match[1]
        if contrast is None or f"{{{contrast[0]}}}" not in inside:
            return inside
        return f"not {inside.replace(f'{{{contrast[0]}}}', contrast[1])} but {inside}"

    return _PHRASE.sub(phrase, text).format_map(fact.slots)


def subject_slot(template: str) -> str:
    """The slot that a statement opens with."""
    return slots_of(template)[0]


def statement(template: str, fact: Fact, contrast: tuple[str, str] | None = None) -> str:
    """The whole statement."""
    return f"{fact.slots[subject_slot(template)]} {predicate(template, fact, contrast)}"


def phrase_slots(template: str) -> list[str]:
    """The slots that can be contrasted."""
    return [slots_of(phrase)[0] for phrase in _PHRASE.findall(template)]


def pick_statement(choices: Choices, fact: Fact, question: str, wish: int, subjects: Sequence[str] = ()) -> str:
    """A statement of the fact that opens with one of the subjects, if any are given.

    With a wish of -1, it shares as few words as possible with the question; with 1, as many as possible.
    """
    options = [text for text in fact.relation.statements if not subjects or subject_slot(text) in subjects]
    if wish:
        best = max(wish * _shared(text, question) for text in options)
        options = [text for text in options if wish * _shared(text, question) == best]
    return choices.pick(options)


def relative(kind: str, name: str, inside: str) -> str:
    """A subject with a relative clause."""
    return f"{name}, {WHO.get(kind, 'which')} {inside},"


def can_use_pronoun(kind: str, name: str, facts: Sequence[Fact]) -> bool:
    """True where a pronoun for the name is clear, if it follows on these facts: nothing else it could stand for."""
    if kind != "person":
        return sum(value == name for fact in facts for value in fact.slots.values()) == len(facts) and all(
            fact.slots[slot] == name or other not in SOMEONE or other == "person"
            for fact in facts
            for slot, other in fact.group.slots.items()
        )
    own = pronoun(kind, name)
    return not any(
        other == "person" and fact.slots[slot] != name and pronoun("person", fact.slots[slot]) == own
        for fact in facts
        for slot, other in fact.group.slots.items()
    )


def accepted(kind: str, value: str, things: str = "") -> list[str]:
    """The wordings of an answer that are accepted, the fullest first."""
    if kind == "number":
        return [f"{value} {things}", value]
    if kind in ("price", "metres"):
        return [value, value.split(" ")[0]]
    if kind == "spot":
        return [value, value.split(" ", 1)[1]]
    if kind in ("job", "cause") and value.startswith("a "):
        return [value, value[2:]]
    if value.startswith("the "):
        return [value, value[4:]]
    return [value]
