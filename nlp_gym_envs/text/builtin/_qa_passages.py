"""Passages with one question each, told plainly: at most one construction, and some sentences joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nlp_gym_envs.text.builtin._grammar import Choices, join
from nlp_gym_envs.text.builtin._qa_constructions import STYLES
from nlp_gym_envs.text.builtin._qa_questions import SHARING, Question, ask, same_as, wording
from nlp_gym_envs.text.builtin._qa_splits import Belongs
from nlp_gym_envs.text.builtin._qa_wording import Fact, accepted, statement
from nlp_gym_envs.text.builtin._qa_world import GROUPS, Scene

FEWEST_SENTENCES, MOST_SENTENCES = 3, 8
OPENINGS = (
    "as most people know,",
    "by all accounts,",
    "according to the local paper,",
    "as the records show,",
    "this much is certain:",
    "it is no secret that",
    "visitors are often told that",
)
REMARKS = (
    "nobody was surprised",
    "the local paper wrote about it",
    "it rained for most of that week",
    "people still talk about those days",
    "not everything has been written down",
    "some of this was news to the neighbours",
    "the rest is a matter of taste",
    "a few photographs have been kept",
)
_JOINTS = (" and ", ", and ", ", while ", "; ", ", whereas ")


class Row(NamedTuple):
    """A passage, a question about it, and the accepted answers; none where it has no answer."""

    context: str
    question: str
    answers: list[str]


def answer_row(scene: Scene, sentences: Sequence[str], question: Question, text: str, answerable: bool) -> Row | None:
    """The finished row; None where its passage is too short or long, or does not answer as it should."""
    if not FEWEST_SENTENCES <= len(sentences) <= MOST_SENTENCES:
        return None
    found = scene.answers(question.fact.relation, question.asked, question.given)
    if found != ({question.fact.slots[question.asked]} if answerable else set()):
        return None
    context = join(sentences)
    kind = question.fact.group.slots[question.asked]
    wordings = accepted(kind, question.fact.slots[question.asked], question.fact.slots.get("things", ""))
    answers = [wording for wording in wordings if wording in context] if answerable else []
    if answerable and not answers:
        return None
    return Row(context, text, answers)


def plain(choices: Choices, place: int, belongs: Belongs) -> Row | None:
    """A row in which three of twenty questions have no answer; None where its fact belongs to another split."""
    scene = Scene(choices)
    asked: str | None = None
    known: dict[str, str] = {}
    if choices.chance(0.06):
        group = choices.pick(SHARING)
        asked, shared = group.slots
        known = {shared: same_as(group, scene.draw(group.slots[asked]))}
    else:
        group = choices.pick(GROUPS)
    key = scene.fact(group, choices.pick(group.relations), known)
    if not belongs(key.name):
        return None
    question = ask(choices, key, asked)
    answerable = place % 20 >= 3
    if answerable:
        scene.add(key)
        final = question
    else:
        final = _unanswered(scene, question)
    _add_lures(scene, question)
    for _ in range(choices.between(4, 7) - len(scene.facts)):
        scene.add(scene.filler())
    return answer_row(scene, _told(scene, final, key if answerable else None), final, final.text, answerable)


def _unanswered(scene: Scene, question: Question) -> Question:
    """A question that the passage will not answer: its fact is missing, about somebody else, or the other way round."""
    choices, fact = scene.choices, question.fact
    style = choices.below(20)
    if style < 13:
        return question
    changed = dict(fact.slots)
    scene.add(fact)
    people = [slot for slot in question.given if fact.group.slots[slot] == "person"]
    if style < 16 and len(people) == 2:
        changed[people[0]], changed[people[1]] = changed[people[1]], changed[people[0]]
    else:
        slot = choices.pick(list(question.given))
        changed[slot] = scene.draw(fact.group.slots[slot])
    return question._replace(fact=fact._replace(slots=changed))


def _add_lures(scene: Scene, question: Question) -> None:
    choices, given = scene.choices, list(question.given)
    other = scene.add(scene.same_relation(question.fact, given)) if choices.chance(0.9) else None
    for probability in (0.9, 0.25):
        sibling = scene.sibling(question.fact, given) if choices.chance(probability) else None
        if sibling:
            scene.add(sibling)
    backwards = scene.reversed(question.fact) if choices.chance(0.6) else None
    if backwards:
        scene.add(backwards)
    if other and choices.chance(0.4):
        sibling = scene.sibling(other, given)
        if sibling:
            scene.add(sibling)


def _told(scene: Scene, question: Question, key: Fact | None) -> list[str]:
    """The facts of the passage as sentences."""
    choices = scene.choices
    style = choices.weighted(STYLES)
    target = key if key and choices.chance(0.6) else choices.pick(scene.facts)
    special = style(scene, question, target) if style else None
    told = list(scene.facts)
    units: list[list[str]] = []
    if special:
        target_facts, unit = special
        told = [fact for fact in scene.facts if fact not in target_facts]
        units.append(unit)
    units += [[text] for text in plainly(scene, told, question, key)]
    if choices.chance(0.3):
        units.append([choices.pick(REMARKS)])
    return [sentence for unit in shuffle(choices, units) for sentence in unit]


def plainly(scene: Scene, facts: Sequence[Fact], question: Question, key: Fact | None) -> list[str]:
    """The facts as statements in mixed order, some of them two in a sentence."""
    choices = scene.choices
    sentences: list[str] = []
    rest = shuffle(choices, facts)
    while rest:
        fact = rest.pop()
        text = statement(wording(choices, fact, question, key), fact)
        if rest and choices.chance(0.2) and not set(fact.slots.values()) & set(rest[-1].slots.values()):
            text += choices.pick(_JOINTS) + statement(wording(choices, rest[-1], question, key), rest.pop())
        elif choices.chance(0.12):
            text = f"{choices.pick(OPENINGS)} {text}"
        sentences.append(text)
    return sentences


def shuffle(choices: Choices, items: Sequence) -> list:
    """The items in another order."""
    return [items[place] for place in choices.shuffled(len(items))]
