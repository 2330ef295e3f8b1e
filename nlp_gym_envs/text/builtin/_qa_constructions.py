"""The constructions of the plain passages: relative clauses, pronouns, contrasts and corrections, one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from nlp_gym_envs.text.builtin._qa_names import pronoun
from nlp_gym_envs.text.builtin._qa_questions import Question, decoy, wording
from nlp_gym_envs.text.builtin._qa_wording import (
    Fact,
    can_use_pronoun,
    phrase_slots,
    predicate,
    relative,
    statement,
    subject_slot,
)
from nlp_gym_envs.text.builtin._qa_world import Scene, subjects_of

HEARSAY = ("many people believe that", "an old guide says that", "the local paper wrote that", "it is often said that")
TRUTH = (", but in truth", ", but in fact", ", although the records show that")

Unit = tuple[list[Fact], list[str]]


def _pair(scene: Scene, target: Fact) -> tuple[str, str, Fact] | None:
    """A subject of the target, its kind, and another fact about it, which is added to the passage."""
    slot = scene.choices.pick(subjects_of(target))
    kind = target.group.slots[slot]
    companion = scene.about(kind, target.slots[slot], target.group)
    return (slot, kind, scene.add(companion)) if companion else None


def _relative(scene: Scene, question: Question, target: Fact) -> Unit | None:
    pair = _pair(scene, target)
    if pair is None:
        return None
    slot, kind, companion = pair
    name = target.slots[slot]
    inside, outside = (target, companion) if scene.choices.chance(0.5) else (companion, target)
    parts = [_predicate_of(scene, fact, name, question) for fact in (inside, outside)]
    return [inside, outside], [f"{relative(kind, name, parts[0])} {parts[1]}"]


def _pronoun(scene: Scene, question: Question, target: Fact) -> Unit | None:
    pair = _pair(scene, target)
    if pair is None:
        return None
    slot, kind, companion = pair
    name = target.slots[slot]
    first, second = (companion, target) if scene.choices.chance(0.7) else (target, companion)
    if not can_use_pronoun(kind, name, [first, second]):
        return None
    opening, following = (_predicate_of(scene, fact, name, question) for fact in (first, second))
    return [first, second], [f"{name} {opening}", f"{pronoun(kind, name)} {following}"]


def _predicate_of(scene: Scene, fact: Fact, name: str, question: Question) -> str:
    subjects = [slot for slot in subjects_of(fact) if fact.slots[slot] == name]
    template = wording(scene.choices, fact, question, question.fact, subjects)
    return predicate(template, fact)


def _contrast(scene: Scene, question: Question, target: Fact) -> Unit | None:
    template = wording(scene.choices, target, question, question.fact)
    slots = phrase_slots(template)
    if not slots:
        return None
    slot = scene.choices.pick(slots)
    return [target], [statement(template, target, (slot, decoy(scene, target, slot)))]


def _rather(scene: Scene, question: Question, target: Fact) -> Unit | None:
    slot = scene.choices.pick(subjects_of(target))
    other = decoy(scene, target, slot)
    template = wording(scene.choices, target, question, question.fact, [slot])
    return [target], [f"{target.slots[slot]}, not {other}, {predicate(template, target)}"]


def _correction(scene: Scene, question: Question, target: Fact) -> Unit | None:
    template = wording(scene.choices, target, question, question.fact)
    slots, subject = phrase_slots(template), subject_slot(template)
    if not slots:
        return None
    slot = scene.choices.pick(slots)
    name = target.slots[subject]
    return [target], [correction(scene, template, target, (slot, decoy(scene, target, slot)), name, [])]


def correction(
    scene: Scene, template: str, fact: Fact, wrong: tuple[str, str], opening: str, context: Sequence[Fact]
) -> str:
    """What people say, with the wrong value, and what is so; a pronoun stands for the subject where it is clear."""
    subject, (slot, value) = subject_slot(template), wrong
    kind, name = fact.group.slots[subject], fact.slots[subject]
    false = fact._replace(slots={**fact.slots, slot: value})
    again = pronoun(kind, name) if can_use_pronoun(kind, name, [*context, false, fact]) else name
    truth = f"{scene.choices.pick(TRUTH)} {again} {predicate(template, fact)}"
    return f"{scene.choices.pick(HEARSAY)} {opening} {predicate(template, false)}{truth}"


STYLES = ((None, 40), (_relative, 16), (_pronoun, 16), (_contrast, 11), (_rather, 8), (_correction, 9))
