"""Questions about a small invented world, each with four or five choices and the facts that decide between them.

Tools, machines, animals and plants with invented names have uses, places, parts and habits, told in real words: "A
blicket cuts rope. What does a blicket cut?" The question tends to have other words for the same ("slices through
cord"), which a reader has to know; wrong choices and other facts share its words. Laws of everyday science hold
everywhere: whatever is made of copper conducts electricity. One to three facts go with a question, and the right choice
is the only one that follows from them. In the compositional split it follows only from two together: a fact and a law,
a thing and its family, or a thing and its neighbour; the other splits show each of these alone. Every place among the
choices is right equally often. The splits hold 12,000, 1,000, 2,000 and 2,000 rows, of more than 10^9 that the grammar
can write.

Accuracy without reading, where ties are broken at random (tests/test_builtin_questions.py measures it):

| | test | compositional |
| --- | --- | --- |
| a random choice | .225 | .225 |
| the longest choice | .224 | .218 |
| the choice with the most words of the question | .220 | .229 |
| the choice with the most words of the facts | .257 | .359 |
| the choice with the most words of the fact that is nearest to the question | .289 | .226 |
"""

from __future__ import annotations

from collections.abc import Sequence

from nlp_gym_envs.text.builtin import _qa_choices as wordings
from nlp_gym_envs.text.builtin._grammar import Choices, join
from nlp_gym_envs.text.builtin._qa_choices import Draft, Row, Thing, World
from nlp_gym_envs.text.builtin._qa_kinds import Predicate
from nlp_gym_envs.text.builtin._qa_splits import Belongs, build_rows

__all__ = ["generate"]

_SEED = 74_509


def _which_thing(world: World) -> Draft:
    """Which thing has the property?"""
    asked = world.predicate()
    key = world.thing(world.key, asked, without=asked)
    others = [world.thing(world.name(), world.like(asked), without=asked) for _ in range(world.choices.between(2, 3))]
    facts = world.tell([key, *others], asked, 3)
    return Draft(world.which(asked), f"a {key.name}", world.names([thing.name for thing in others]), facts)


def _which_value(world: World) -> Draft:
    """Which property has the thing?"""
    asked = world.predicate()
    key = world.thing(world.key, asked, without=asked)
    others = [world.thing(world.name(), world.other(asked), without=asked) for _ in range(world.choices.between(1, 2))]
    facts = world.tell([key, *others], asked, 3)
    misleading = [predicate for thing in (key, *others) for predicate in thing.predicates]
    return Draft(_about(world, asked), *world.values(asked, misleading), facts)


def _about(world: World, asked: Predicate) -> str:
    return asked.attribute.question.format(name=world.key)


def _which_effect(world: World) -> Draft:
    """What follows from a property?"""
    cause, effect = world.law()
    other, other_effect = _other_law(world, effect)
    facts = [_law(world, other, other_effect, False), _law(world, cause, effect, True)]
    facts += world.tell([Thing(world.name(), [world.choices.pick([other, cause])])], None, 1)
    question = world.choices.pick(wordings.FOLLOWS).format(cause.words(*world.asked))
    return Draft(question, *world.values(effect, [other_effect]), facts)


def _which_name(world: World) -> Draft:
    """What does a thing belong to, or stand beside?"""
    choices = world.choices
    family = choices.chance(0.5)
    templates = wordings.KIND_OF if family else wordings.BESIDE
    pairs = [(world.key, world.name()), *((world.name(), world.name()) for _ in range(choices.between(1, 2)))]
    if family and choices.chance(0.5):
        pairs[1] = (pairs[1][0], world.key)
    question = "What is a {} a kind of?" if family else "Next to what would you find a {}?"
    facts = [choices.pick(templates).format(*pair) for pair in pairs]
    wrong = [*(pair[1] for pair in pairs[1:] if pair[1] != world.key), *(pair[0] for pair in pairs[1:])]
    return Draft(question.format(world.key), f"a {pairs[0][1]}", world.names(wrong), facts)


def _other_law(world: World, effect: Predicate) -> tuple[Predicate, Predicate]:
    return next(law for law in iter(world.law, None) if law[1] != effect)


def _law(world: World, cause: Predicate, effect: Predicate, answers: bool) -> str:
    return world.choices.pick(wordings.LAW).format(world.words(cause), world.words(effect, answers))


def _two_laws(world: World) -> tuple[Predicate, list[Predicate], list[str], list[str]]:
    cause, effect = world.law()
    other, other_effect = _other_law(world, effect)
    names = [world.name() for _ in range(world.choices.between(1, 2))]
    causes = [other, world.other(cause)]
    things = [Thing(world.key, [cause]), *(Thing(name, [c]) for name, c in zip(names, causes, strict=False))]
    facts = [*world.tell(things, cause, 1), _law(world, cause, effect, True), _law(world, other, other_effect, False)]
    return effect, [other_effect], names, facts


def _chained_thing(world: World) -> Draft:
    """Which thing has a property that only follows from what is said of it?"""
    effect, _, names, facts = _two_laws(world)
    return Draft(world.which(effect), f"a {world.key}", world.names(names), facts)


def _chained_effect(world: World) -> Draft:
    """What follows from what is said of a thing?"""
    effect, misleading, _, facts = _two_laws(world)
    return Draft(_about(world, effect), *world.values(effect, misleading), facts)


def _family(world: World) -> Draft:
    """What holds of a family holds of its members."""
    asked = world.predicate()
    misleading = world.like(asked) if world.choices.chance(0.5) else world.other(asked)
    family, other_family, other = world.name(), world.name(), world.name()
    every = world.choices.pick(wordings.EVERY)
    members = [wordings.KIND_OF, (world.key, family)], [wordings.KIND_OF, (other, other_family)]
    facts = [
        f"{every.format(family, world.words(asked, True))} and {every.format(other_family, world.words(misleading))}",
        *(world.choices.pick(templates).format(*names) for templates, names in members),
    ]
    if world.choices.chance(0.5):
        return Draft(world.which(asked), f"a {world.key}", world.names([other_family, other]), facts)
    return Draft(_about(world, asked), *world.values(asked, [misleading]), facts)


def _neighbour(world: World) -> Draft:
    """A thing is where its neighbour is."""
    places = world.kind.places
    asked = Predicate(places, world.choices.below(len(places.values)))
    misleading = world.other(asked)
    neighbour, stranger = world.name(), world.name()
    facts = world.tell([Thing(neighbour, [asked]), Thing(stranger, [misleading])], None, 1)
    facts += [world.choices.pick(wordings.BESIDE).format(world.key, neighbour)]
    facts += [world.choices.pick(wordings.BESIDE).format(world.name(), stranger)]
    return Draft(_about(world, asked), *world.values(asked, [misleading]), facts)


_SINGLE = (*[_which_thing] * 8, *[_which_value] * 8, *[_which_effect] * 3, _which_name)
_CHAINED = (*[_chained_thing] * 6, *[_chained_effect] * 5, *[_family] * 6, *[_neighbour] * 3)


def _compose(choices: Choices, place: int, chained: bool, belongs: Belongs) -> tuple[str, Row] | None:
    """A row with four or five choices, the right one in the next place."""
    turn, kind = divmod(place, len(_SINGLE))
    world = World(choices)
    draft = (_CHAINED if chained else _SINGLE)[kind](world)
    if not belongs(f"{draft.right} {draft.question}"):
        return None
    count = 4 + turn % 2
    options = draft.wrong[: count - 1]
    answer = (turn // 2 + kind) % count
    options = [options[i] for i in choices.shuffled(len(options))]
    options.insert(answer, draft.right)
    context = join(_shuffled(choices, draft.facts))
    return f"{context} {draft.question}", Row(draft.question, options, answer, context)


def _shuffled(choices: Choices, items: Sequence[str]) -> list[str]:
    return [items[place] for place in choices.shuffled(len(items))]


def generate(split: str) -> dict[str, list]:
    """The columns of a split: train, validation, test or compositional.

    "question" and "context" hold texts, "choices" four or five texts for each question, "answer" the index of the right
    one. Raises ValueError for another split.
    """
    rows = build_rows(split, _SEED, _compose)
    return {
        "question": [row.question for row in rows],
        "choices": [row.choices for row in rows],
        "answer": [row.answer for row in rows],
        "context": [row.context for row in rows],
    }
