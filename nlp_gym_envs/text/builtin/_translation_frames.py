"""Drawing the clauses of the English-German corpus: a verb with what it governs, a tense, adverbials, negation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nlp_gym_envs.text.builtin import _translation_nouns as nouns
from nlp_gym_envs.text.builtin import _translation_phrases as phrases
from nlp_gym_envs.text.builtin import _translation_verbs as verbs
from nlp_gym_envs.text.builtin._translation_clauses import (
    CAN,
    FUTURE,
    GUESS,
    MODALS,
    PAST,
    PERFECT,
    PRESENT,
    SIMPLE,
    AnyTense,
    Clause,
    Described,
    Modal,
)
from nlp_gym_envs.text.builtin._translation_drawing import Drawing
from nlp_gym_envs.text.builtin._translation_nouns import ACCUSATIVE, DATIVE, Adjective
from nlp_gym_envs.text.builtin._translation_phrases import NO, NUMERALS, THE, A, Name, NounPhrase, Phrase
from nlp_gym_envs.text.builtin._translation_verbs import FIRST, SEIN, Predicate

Tenses = tuple[AnyTense, ...]  # as often as each is likely


class Mood(NamedTuple):
    """Which tenses a clause can have: full verbs on one side, states and idioms on the other."""

    actions: Tenses
    states: Tenses
    actions_of_i: Tenses  # "ich" never stands before a full verb in the present


_PLANS: Tenses = (*(FUTURE,) * 4, *MODALS)
ANY = Mood(
    (*(PRESENT,) * 10, *(PAST,) * 6, *(PERFECT,) * 2, *(FUTURE,) * 2, *MODALS),
    (*(PRESENT,) * 6, *(PAST,) * 3, FUTURE),
    (*(PAST,) * 5, *(PERFECT,) * 2, *(FUTURE,) * 2, *MODALS),
)
PLAN = Mood(_PLANS, (FUTURE,), _PLANS)
HOPE = Mood((*(FUTURE,) * 4, PRESENT, PAST, CAN), (PRESENT, FUTURE), (FUTURE, PAST, CAN))
CONDITION = Mood((SIMPLE,), (PRESENT,), ())  # and no action of "ich"
GUESSING = Mood((GUESS,), (), (GUESS,))
_IDIOMS_OF_I = (PAST, PAST, PAST, FUTURE)

_TIMES = {
    PRESENT: phrases.NOW,
    SIMPLE: phrases.HABITS,
    PAST: phrases.PAST_TIMES,
    PERFECT: phrases.NOW[:1],
    FUTURE: phrases.FUTURE_TIMES,
    GUESS: phrases.PAST_TIMES,
}


def _negated(clause: Clause) -> Clause:
    """The clause with nicht, or with kein in its last object; as it was, where a negation would sound odd."""
    if isinstance(clause.tense, Modal) and not clause.tense.negative[0]:
        return clause
    if not clause.objects:
        return clause._replace(negated=True)
    *others, (case, last) = clause.objects
    if any(isinstance(phrase, NounPhrase) and phrase.determiner is A for _, phrase in others):
        return clause
    if isinstance(last, NounPhrase) and last.determiner in NUMERALS:
        return clause
    if isinstance(last, NounPhrase) and last.determiner is A:
        last = last._replace(determiner=NO)
    return clause._replace(negated=True, objects=(*others, (case, last)))


def tense(drawing: Drawing, subject: Phrase, mood: Mood = ANY) -> AnyTense:
    """A tense for what the subject does."""
    return drawing.choices.pick(mood.actions_of_i if subject.person == FIRST else mood.actions)


def timed(drawing: Drawing, clause: Clause, chance: float = 0.5) -> Clause:
    """The clause, perhaps with a time that goes with its tense; a habit goes with the simple present."""
    if not drawing.choices.chance(chance):
        return clause
    if clause.tense is PRESENT and drawing.choices.chance(0.4):
        clause = clause._replace(tense=SIMPLE)
    times = _TIMES.get(clause.tense, phrases.MODAL_TIMES)
    if clause.tense is SIMPLE and (clause.negated or clause.predicate is verbs.NO_TIME):
        times = phrases.HABITS[:1]  # "does not work every day" would ask for another word order
    return clause._replace(time=drawing.unused(times))


def _placed(drawing: Drawing, clause: Clause, room: int, kinds: Sequence[str]) -> Clause:
    """The clause with a time and one adverbial of the other kinds, if there is room."""
    choices = drawing.choices
    if room:
        clause = timed(drawing, clause)
        room -= clause.time is not None
    if not room or not kinds or not choices.chance(0.3):
        return clause
    kind = choices.pick(kinds)
    if kind == "cause":
        return clause._replace(cause=drawing.cause())
    if kind == "place":
        return clause._replace(place=drawing.place(DATIVE))
    return clause._replace(company=drawing.company(clause.subject))


Governed = tuple[Predicate, tuple[tuple[int, Phrase], ...]]  # the verb, and its objects with their cases


class _Frame(NamedTuple):
    """A kind of verb: what it governs, and which adverbials it can have beside a time."""

    govern: Callable[[Drawing, Phrase], Governed]
    kinds: tuple[str, ...]


def _handle(drawing: Drawing, subject: Phrase) -> Governed:
    predicate, things = drawing.choices.pick(verbs.HANDLING)
    return predicate, ((ACCUSATIVE, drawing.thing(things, subject)),)


def _meet(drawing: Drawing, subject: Phrase) -> Governed:
    return drawing.choices.pick(verbs.MEETING), ((ACCUSATIVE, drawing.person(subject)),)


def _help(drawing: Drawing, subject: Phrase) -> Governed:
    return drawing.choices.pick(verbs.HELPING), ((DATIVE, drawing.person(subject)),)


def _give(drawing: Drawing, subject: Phrase) -> Governed:
    receiver, gift = drawing.person(subject), drawing.thing(nouns.GIFTS, subject)
    if isinstance(gift.owner, Name) and isinstance(receiver, Name):
        gift = gift._replace(owner=None)  # "Er gibt Anna Karls Buch" reads badly
    return drawing.choices.pick(verbs.GIVING), ((DATIVE, receiver), (ACCUSATIVE, gift))


def _stay(drawing: Drawing, subject: Phrase) -> Governed:
    return drawing.choices.pick(verbs.STAYING), ()


def _move(drawing: Drawing, subject: Phrase) -> Governed:
    return drawing.choices.pick(verbs.MOVING), ()


def _drive(drawing: Drawing, subject: Phrase) -> Governed:
    return verbs.DRIVING, ()


_DRIVE = _Frame(_drive, ("cause", "company"))
_FRAMES = (  # as often as each is likely
    *(_Frame(_handle, ("cause", "place", "company")),) * 10,
    *(_Frame(_meet, ("cause",)),) * 4,
    *(_Frame(_help, ("cause", "place")),) * 3,
    *(_Frame(_give, ()),) * 4,
    *(_Frame(_stay, ("cause", "place", "place")),) * 3,
    *(_Frame(_move, ("cause",)),) * 2,
    *(_DRIVE,) * 2,
)


def action(drawing: Drawing, subject: Phrase, room: int = 2, mood: Mood = ANY) -> Clause:
    """A clause about what the subject does, sometimes negated, with up to so many adverbials."""
    choices = drawing.choices
    frame = choices.pick(_FRAMES)
    predicate, objects = frame.govern(drawing, subject)
    clause = Clause(subject, predicate, tense(drawing, subject, mood), objects=objects)
    if choices.chance(0.14):
        clause = _negated(clause)
    clause = _placed(drawing, clause, room, () if clause.negated else frame.kinds)
    return clause._replace(place=drawing.place(ACCUSATIVE)) if frame is _DRIVE else clause


def _adjective(subject: Phrase) -> Adjective | None:
    if isinstance(subject, Described):
        return _adjective(subject.head)
    return subject.adjective if isinstance(subject, NounPhrase) else None


def state(drawing: Drawing, subject: Phrase, room: int = 1, mood: Mood = ANY) -> Clause:
    """A clause about how the subject is."""
    predicate = drawing.choices.pick(verbs.STATES if drawing.choices.chance(0.6) else verbs.FEELINGS)
    if (adjective := _adjective(subject)) and adjective.english in predicate.rest[0]:
        predicate = drawing.choices.pick(verbs.FEELINGS)  # not "the sick man is sick"
    clause = Clause(subject, predicate, drawing.choices.pick(mood.states))
    if predicate.german is SEIN and not predicate.rest[0].startswith("very") and drawing.choices.chance(0.2):
        clause = clause._replace(negated=True)
    return timed(drawing, clause) if room else clause


def quality(drawing: Drawing) -> Clause:
    """A clause about how a thing is."""
    thing = drawing.thing(nouns.GOODS, phrases.WE, indefinite=False)
    predicate = drawing.choices.pick(verbs.QUALITIES)
    if thing.adjective and thing.adjective.english in predicate.rest[0]:
        thing = thing._replace(adjective=None)
    return Clause(thing, predicate, drawing.choices.pick((PRESENT, PRESENT, PRESENT, PAST)))


def idiom(drawing: Drawing, subject: Phrase, room: int = 1, mood: Mood = ANY) -> Clause:
    """A clause with an idiom about a person."""
    predicate = drawing.choices.pick(verbs.IDIOMS)
    tenses = _IDIOMS_OF_I if subject.person == FIRST and mood is ANY else mood.states
    chosen = Clause(subject, predicate, drawing.choices.pick(tenses))
    return timed(drawing, chosen) if room else chosen


def impersonal(drawing: Drawing, mood: Mood = ANY) -> Clause:
    """A clause with an idiom about a price, a task or the weather."""
    chosen = drawing.choices.pick(mood.states)
    style = drawing.choices.below(3)
    if style == 0:
        thing = drawing.thing(nouns.GOODS, phrases.WE, indefinite=False)
        return Clause(thing, verbs.PRICE_IDIOM, chosen)
    if style == 1:
        task = NounPhrase(THE, None, drawing.unused(nouns.TASKS))
        return Clause(task, verbs.TASK_IDIOM, chosen)
    return timed(drawing, Clause(phrases.WEATHER, verbs.RAIN_IDIOM, chosen))


def personal(drawing: Drawing, subject: Phrase, room: int = 2, mood: Mood = ANY) -> Clause:
    """A clause of any kind about a person."""
    style = drawing.choices.below(100)
    if style < 80:
        return action(drawing, subject, room, mood)
    return state(drawing, subject, min(room, 1), mood) if style < 92 else idiom(drawing, subject, min(room, 1), mood)


def fronted(drawing: Drawing, clause: Clause) -> Clause:
    """The clause, perhaps with one of its adverbials in front."""
    if clause.time and drawing.choices.chance(0.5):
        return clause._replace(front=clause.time)
    if clause.cause and drawing.choices.chance(0.5):
        return clause._replace(front=clause.cause)
    static = clause.place and clause.place.case == DATIVE
    return clause._replace(front=clause.place) if static and drawing.choices.chance(0.3) else clause
