"""The constructions that only the compositional split of the English-German corpus has."""

from __future__ import annotations

from nlp_gym_envs.text.builtin import _translation_phrases as phrases
from nlp_gym_envs.text.builtin import _translation_verbs as verbs
from nlp_gym_envs.text.builtin._translation_clauses import Fronted, Sentence
from nlp_gym_envs.text.builtin._translation_drawing import Drawing
from nlp_gym_envs.text.builtin._translation_frames import (
    CONDITION,
    GUESSING,
    PLAN,
    action,
    fronted,
    idiom,
    personal,
    state,
    timed,
)
from nlp_gym_envs.text.builtin._translation_sentences import (
    BECAUSE,
    IF,
    THAT,
    described,
    followed,
    ground,
    mood_of,
    reason,
    repeated,
    same_or_another,
    thinker,
    which,
)


def _opening_reason(drawing: Drawing) -> Sentence:
    subject = drawing.subject()
    opening = action(drawing, subject, 1) if drawing.choices.chance(0.6) else state(drawing, subject)
    return Fronted(ground(drawing), opening, personal(drawing, same_or_another(drawing, opening), 1))


def _opening_condition(drawing: Drawing) -> Sentence:
    subject = drawing.subject()
    opening = action(drawing, phrases.WE if subject is phrases.I else subject, 0, CONDITION)
    return Fronted(IF, opening, action(drawing, same_or_another(drawing, opening), 0, PLAN))


def _because_who(drawing: Drawing) -> Sentence:
    main = action(drawing, drawing.subject(), 0)
    return followed(main, ground(drawing), personal(drawing, described(drawing), 0))


def _guess(drawing: Drawing) -> Sentence:
    return fronted(drawing, action(drawing, drawing.subject(), 2, GUESSING))


def _that_guess(drawing: Drawing) -> Sentence:
    main = thinker(drawing)._replace(predicate=verbs.THINKING[0])
    return followed(main, THAT, action(drawing, same_or_another(drawing, main), 1, GUESSING))


def _because_guess(drawing: Drawing) -> Sentence:
    main = action(drawing, drawing.subject(), 0)
    return followed(main, BECAUSE, action(drawing, same_or_another(drawing, main), 1, GUESSING))


def _that_because(drawing: Drawing) -> Sentence:
    main = thinker(drawing)
    inner = action(drawing, same_or_another(drawing, main), 0, mood_of(main))
    return followed(main, THAT, followed(inner, ground(drawing), reason(drawing, inner)))


def _then_who(drawing: Drawing) -> Sentence:
    main = timed(drawing, action(drawing, described(drawing), 0), 1)
    return main._replace(front=main.time)


def _who_idiom(drawing: Drawing) -> Sentence:
    return personal(drawing, described(drawing, idiom), 0)


def _who_which(drawing: Drawing) -> Sentence:
    return which(drawing, described(drawing))


NESTED = repeated(
    (_opening_reason, 3),
    (_opening_condition, 2),
    (_because_who, 3),
    (_guess, 1),
    (_that_guess, 1),
    (_because_guess, 1),
    (_that_because, 3),
    (_then_who, 2),
    (_who_idiom, 1),
    (_who_which, 2),
)
