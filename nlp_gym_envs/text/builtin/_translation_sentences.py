"""The usual constructions of the English-German corpus: how clauses make sentences, and how often each comes."""

from __future__ import annotations

from collections.abc import Callable

from nlp_gym_envs.text.builtin import _translation_phrases as phrases
from nlp_gym_envs.text.builtin import _translation_verbs as verbs
from nlp_gym_envs.text.builtin._translation_clauses import (
    PAST,
    PRESENT,
    Attachment,
    Clause,
    Described,
    Relative,
    Sentence,
)
from nlp_gym_envs.text.builtin._translation_drawing import Drawing
from nlp_gym_envs.text.builtin._translation_frames import (
    ANY,
    CONDITION,
    HOPE,
    PLAN,
    Mood,
    action,
    fronted,
    idiom,
    impersonal,
    personal,
    quality,
    state,
    tense,
    timed,
)
from nlp_gym_envs.text.builtin._translation_nouns import ACCUSATIVE, DATIVE, NOMINATIVE, Noun
from nlp_gym_envs.text.builtin._translation_phrases import (
    NUMERALS,
    RELATIVE,
    SPOKEN,
    THE,
    WRITTEN,
    A,
    NounPhrase,
    Phrase,
)
from nlp_gym_envs.text.builtin._translation_verbs import Predicate

Construction = Callable[[Drawing], Sentence]

BECAUSE, ALTHOUGH, IF, THAT = (" because", "weil"), (" although", "obwohl"), (" if", "wenn"), (" that", "dass")
_ADDITIONS = ((", and", "und"), (", but", "aber"))

# What else is done to a thing, for "and Peter is repairing it".
_HANDLED_BY = {
    noun: tuple(predicate for predicate, things in verbs.HANDLING if noun in things)
    for noun in {noun for _, things in verbs.HANDLING for noun in things}
}


def repeated(*options: tuple[Construction, int]) -> tuple[Construction, ...]:
    """Each construction as often as its weight says, so that drawing one is a single look-up."""
    return tuple(option for option, weight in options for _ in range(weight))


def another(drawing: Drawing) -> Phrase:
    """A person whom no article introduces, so that no relative pronoun is followed by the same article."""
    return drawing.relation() if drawing.choices.chance(0.5) else drawing.name()


def same_or_another(drawing: Drawing, first: Clause) -> Phrase:
    """The subject of a second clause: often a pronoun for the subject of the first."""
    if drawing.choices.chance(0.5):
        return another(drawing)
    if isinstance(first.subject, phrases.Pronoun):
        return first.subject
    return phrases.PERSONAL.get(first.subject.agreement) or another(drawing)


def followed(main: Clause, conjunction: tuple[str, str], second: Clause) -> Clause:
    """The clause with another one after it."""
    return main._replace(after=(Attachment(conjunction, second),))


def reason(drawing: Drawing, main: Clause) -> Clause:
    """The clause that says why, or despite what."""
    style = drawing.choices.below(100)
    subject = same_or_another(drawing, main)
    if style < 45:
        return action(drawing, subject, 1)
    if style < 85:
        return state(drawing, subject)
    return impersonal(drawing) if style < 93 else idiom(drawing, subject)


def ground(drawing: Drawing) -> tuple[str, str]:
    """The conjunction of a reason."""
    return BECAUSE if drawing.choices.chance(0.75) else ALTHOUGH


def thinker(drawing: Drawing) -> Clause:
    """Who believes, knows or hopes."""
    subject = another(drawing)
    if drawing.choices.chance(0.3):
        subject = drawing.choices.pick((phrases.HE, phrases.SHE, phrases.WE, phrases.THEY))
    return Clause(subject, drawing.choices.pick(verbs.THINKING), PRESENT)


def mood_of(main: Clause) -> Mood:
    """The tenses of what somebody believes, knows or hopes."""
    return HOPE if main.predicate is verbs.HOPE else ANY


def head(drawing: Drawing) -> NounPhrase:
    """Whom a relative clause describes."""
    return drawing.several() if drawing.choices.chance(0.25) else drawing.someone()


def described(drawing: Drawing, draw: Callable[[Drawing, Phrase, int], Clause] = action) -> Described:
    """Somebody with a relative clause, in which the relative pronoun never meets the same article."""
    person = head(drawing)
    pronoun = RELATIVE[person.agreement][NOMINATIVE] + " "
    while True:
        relative = draw(drawing, person, 1)
        if not any(relative.ending(register).startswith(pronoun) for register in (WRITTEN, SPOKEN)):
            return Described(person, Relative("who", person, NOMINATIVE, relative))


def which(drawing: Drawing, subject: Phrase) -> Clause:
    """A clause whose object has a relative clause."""
    main, relative = (_which_thing if drawing.choices.chance(0.7) else _which_person)(drawing, subject)
    # Nothing but the relative clause may follow the object, so that every reader attaches it alike.
    return main._replace(front=main.time, after=(relative,))


def _which_thing(drawing: Drawing, subject: Phrase) -> tuple[Clause, Relative]:
    choices = drawing.choices
    predicate, things = choices.pick(verbs.HANDLING)
    noun = drawing.unused(things)
    determiner = choices.pick(NUMERALS) if noun.plural and choices.chance(0.2) else choices.pick((THE, A))
    thing = drawing.object(determiner, noun)
    main = _done(drawing, subject, predicate, (ACCUSATIVE, thing))
    relative = _done(drawing, _insider(drawing), _other_use(drawing, noun, predicate))
    return main, Relative("that", thing, ACCUSATIVE, relative)


def _which_person(drawing: Drawing, subject: Phrase) -> tuple[Clause, Relative]:
    choices = drawing.choices
    person = head(drawing)
    main = _done(drawing, subject, choices.pick(verbs.MEETING), (ACCUSATIVE, person))
    case, predicates = choices.pick(((ACCUSATIVE, verbs.MEETING), (DATIVE, verbs.HELPING)))
    predicate = choices.pick([predicate for predicate in predicates if predicate is not main.predicate])
    return main, Relative("whom", person, case, _done(drawing, _insider(drawing), predicate))


def _insider(drawing: Drawing) -> Phrase:
    """The subject of a relative clause; without an article, as in `another`."""
    return drawing.relation() if drawing.choices.chance(0.6) else drawing.choices.pick((phrases.I, phrases.WE))


def _done(drawing: Drawing, subject: Phrase, predicate: Predicate, *objects: tuple[int, Phrase]) -> Clause:
    return timed(drawing, Clause(subject, predicate, tense(drawing, subject), objects=objects))


def _other_use(drawing: Drawing, noun: Noun, predicate: Predicate) -> Predicate:
    return drawing.choices.pick([other for other in _HANDLED_BY[noun] if other is not predicate] or [predicate])


def _plain(drawing: Drawing) -> Sentence:
    return fronted(drawing, personal(drawing, drawing.subject()))


def _impersonal(drawing: Drawing) -> Sentence:
    return fronted(drawing, impersonal(drawing))


def _because(drawing: Drawing) -> Sentence:
    main = fronted(drawing, action(drawing, drawing.subject(), 1))
    return followed(main, ground(drawing), reason(drawing, main))


def _if(drawing: Drawing) -> Sentence:
    main = action(drawing, drawing.subject(), 0, PLAN)
    return followed(main, IF, _condition(drawing, main))


def _condition(drawing: Drawing, main: Clause) -> Clause:
    subject = same_or_another(drawing, main)
    if subject is phrases.I or drawing.choices.chance(0.4):
        return state(drawing, subject, 1, CONDITION)
    if drawing.choices.chance(0.15):
        return impersonal(drawing, CONDITION)
    return action(drawing, subject, 1, CONDITION)


def _that(drawing: Drawing) -> Sentence:
    main = thinker(drawing)
    return followed(main, THAT, personal(drawing, same_or_another(drawing, main), 1, mood_of(main)))


def _who(drawing: Drawing) -> Sentence:
    return personal(drawing, described(drawing), 0)


def _which(drawing: Drawing) -> Sentence:
    return which(drawing, drawing.subject())


def _and_it(drawing: Drawing) -> Sentence:
    choices = drawing.choices
    subject, other = drawing.subject(), another(drawing)
    predicate, things = choices.pick(verbs.HANDLING)
    thing = drawing.thing(things, subject)
    main = timed(drawing, Clause(subject, predicate, PAST, objects=((ACCUSATIVE, thing),)))
    pronoun = phrases.THING[thing.agreement]
    second = _done(drawing, other, _other_use(drawing, thing.noun, predicate), (ACCUSATIVE, pronoun))
    return followed(fronted(drawing, main), choices.pick(_ADDITIONS), second)


def _and_her(drawing: Drawing) -> Sentence:
    choices = drawing.choices
    subject = drawing.person(phrases.WE)
    if subject.agreement not in phrases.PERSONAL:
        subject = drawing.name()
    pronoun = phrases.PERSONAL[subject.agreement]
    # "Calls him" is English, "picks up him" is not.
    case, predicates = choices.pick(((ACCUSATIVE, verbs.MEETING[:3]), (DATIVE, verbs.HELPING)))
    second = _done(drawing, another(drawing), choices.pick(predicates), (case, pronoun))
    return followed(state(drawing, subject), choices.pick(_ADDITIONS), second)


USUAL = repeated(
    (_plain, 39),
    (_impersonal, 4),
    (quality, 5),
    (_because, 16),
    (_if, 7),
    (_that, 9),
    (_who, 8),
    (_which, 8),
    (_and_it, 6),
    (_and_her, 4),
)
