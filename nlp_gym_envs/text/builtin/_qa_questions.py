"""Questions about facts, and statements that are worded to suit or to mislead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._qa_relations import Group
from nlp_gym_envs.text.builtin._qa_wording import SOMEONE, Fact, pick_statement, slots_of, subject_slot
from nlp_gym_envs.text.builtin._qa_world import GROUPS, Scene

_SAME = ("town", "year", "colour", "price", "place", "day")
SHARING = [group for group in GROUPS if len(group.slots) == 2 and list(group.slots.values())[1] in _SAME]


class Question(NamedTuple):
    """A question: the fact that answers it, the slot that it asks for, its wording, and the values it gives."""

    fact: Fact
    asked: str
    template: str

    @property
    def given(self) -> dict[str, str]:
        """The values that the question names."""
        return {slot: self.fact.slots[slot] for slot in slots_of(self.template)}

    @property
    def text(self) -> str:
        """The question as it is asked."""
        return self.template.format_map(self.fact.slots)


def ask(choices: Choices, fact: Fact, asked: str | None = None) -> Question:
    """A question that the fact answers."""
    slot = asked or choices.pick(list(fact.relation.questions))
    kind = fact.group.slots[slot]
    named = [text for text in fact.relation.statements if subject_slot(text) == slot and kind in SOMEONE]
    if named and choices.chance(0.08):
        told = choices.pick(named).split(" ", 1)[1].replace("[", "").replace("]", "")
        return Question(fact, slot, f"Name {SOMEONE[kind]} {told}.")
    return Question(fact, slot, choices.pick(fact.relation.questions[slot]))


def same_as(group: Group, name: str) -> str:
    """The value of a sharing group that somebody else has, without saying which it is: the same town as Anna."""
    kind = list(group.slots.values())[1]
    return f"the same {'house' if kind == 'place' else kind} as {name}"


def wording(choices: Choices, fact: Fact, question: Question, key: Fact | None, subjects: Sequence[str] = ()) -> str:
    """A statement, with one of the subjects if any are given, that tends to lead a reader by words alone astray."""
    wish = 0
    if fact is key:
        wish = -1 if choices.chance(0.7) else 0
    elif fact.relation is question.fact.relation:
        wish = 1 if choices.chance(0.6) else 0
    return pick_statement(choices, fact, question.template, wish, subjects)


def decoy(scene: Scene, fact: Fact, slot: str) -> str:
    """A value that the slot does not have: another name of the passage, or a fresh one."""
    kind = fact.group.slots[slot]
    others = [name for name in scene.named(kind) if name not in fact.slots.values()]
    return scene.choices.pick(others) if others and scene.choices.chance(0.5) else scene.draw(kind)
