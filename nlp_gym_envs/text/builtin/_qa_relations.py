"""What the passages can say: relations in groups whose members are easily mistaken for one another.

A statement opens with the slot of its subject; square brackets hold the phrases that can be contrasted ("not in 1893
but in 1901"). A question stands under the slot that it asks for, and names one or more of the others. Every question
of a relation can be answered by every statement of it, and by no statement of another relation.
"""

from __future__ import annotations

from typing import NamedTuple


class Relation(NamedTuple):
    """The wordings of one relation."""

    statements: tuple[str, ...]
    questions: dict[str, tuple[str, ...]]


class Group(NamedTuple):
    """Relations over the same slots; no two facts of one relation share the value of a `fresh` slot."""

    slots: dict[str, str]  # slot: kind of its values
    relations: tuple[Relation, ...]
    fresh: frozenset[str] = frozenset()


EXCHANGES = Group(
    {"giver": "person", "object": "object", "receiver": "person"},
    (
        Relation(
            (
                "{giver} gave [{object}] [to {receiver}]",
                "{giver} made a present of [{object}] [to {receiver}]",
                "{receiver} received [{object}] as a present [from {giver}]",
                "{receiver} was given [{object}] [by {giver}]",
                "{object} was a gift [from {giver}] [to {receiver}]",
            ),
            {
                "giver": (
                    "Who gave {receiver} {object}?",
                    "Whose gift to {receiver} was {object}?",
                    "From whom did {receiver} get {object} as a present?",
                ),
                "receiver": (
                    "To whom did {giver} give {object}?",
                    "Who got {object} as a present from {giver}?",
                    "Who was given {object}?",
                ),
                "object": (
                    "What did {giver} give to {receiver}?",
                    "What was {giver}'s gift to {receiver}?",
                    "What present did {receiver} get from {giver}?",
                ),
            },
        ),
        Relation(
            (
                "{giver} lent [{object}] [to {receiver}]",
                "{giver} let {receiver} use [{object}] for a week",
                "{receiver} borrowed [{object}] [from {giver}]",
                "{object} was on loan [from {giver}] [to {receiver}]",
            ),
            {
                "giver": ("Who lent {receiver} {object}?", "From whom did {receiver} borrow {object}?"),
                "receiver": ("To whom did {giver} lend {object}?", "Who borrowed {object}?"),
                "object": ("What did {receiver} borrow from {giver}?", "What did {giver} lend to {receiver}?"),
            },
        ),
        Relation(
            (
                "{giver} sold [{object}] [to {receiver}]",
                "{receiver} bought [{object}] [from {giver}]",
                "{receiver} paid {giver} in cash for [{object}]",
                "{object} was sold [by {giver}] [to {receiver}]",
            ),
            {
                "giver": ("Who sold {object} to {receiver}?", "From whom did {receiver} buy {object}?"),
                "receiver": ("Who bought {object} from {giver}?", "To whom did {giver} sell {object}?"),
                "object": ("What did {giver} sell to {receiver}?", "What did {receiver} buy from {giver}?"),
            },
        ),
    ),
    frozenset({"object"}),
)
LESSONS = Group(
    {"teacher": "person", "skill": "skill", "learner": "person"},
    (
        Relation(
            (
                "{teacher} taught [{skill}] [to {learner}]",
                "{teacher} gave {learner} lessons [in {skill}]",
                "{learner} learned [{skill}] [from {teacher}]",
                "{learner} took lessons [in {skill}] [from {teacher}]",
            ),
            {
                "teacher": (
                    "Who taught {learner} {skill}?",
                    "From whom did {learner} learn {skill}?",
                    "Who was {learner}'s teacher in {skill}?",
                ),
                "learner": ("Who was {teacher}'s pupil in {skill}?", "Who took lessons in {skill} from {teacher}?"),
                "skill": ("What did {teacher} teach {learner}?", "What did {learner} learn from {teacher}?"),
            },
        ),
        Relation(
            (
                "{teacher} tested {learner} [in {skill}]",
                "{teacher} gave {learner} an exam [in {skill}]",
                "{learner} took an exam [in {skill}] [before {teacher}]",
            ),
            {
                "teacher": ("Who tested {learner} in {skill}?", "Who was {learner}'s examiner in {skill}?"),
                "learner": ("Who was tested in {skill} by {teacher}?", "Whom did {teacher} examine in {skill}?"),
                "skill": (
                    "Which subject did {teacher} test {learner} in?",
                    "What was {learner}'s exam before {teacher} about?",
                ),
            },
        ),
    ),
)
DATES = Group(
    {"place": "place", "year": "year"},
    (
        Relation(
            (
                "{place} opened [in {year}]",
                "{place} was founded [in {year}]",
                "{place} welcomed its first guests [in {year}]",
                "{place} has existed [since {year}]",
            ),
            {
                "year": (
                    "When did {place} open?",
                    "In which year was {place} founded?",
                    "Since when has {place} existed?",
                ),
                "place": ("What opened in {year}?", "Which house was founded in {year}?"),
            },
        ),
        Relation(
            (
                "{place} moved to a larger building [in {year}]",
                "{place} changed its address [in {year}]",
                "{place} found a new home [in {year}]",
            ),
            {
                "year": ("When did {place} move?", "In which year did {place} get a new address?"),
                "place": ("What moved in {year}?", "Which house found a new home in {year}?"),
            },
        ),
        Relation(
            (
                "{place} was rebuilt [in {year}]",
                "{place} was restored from top to bottom [in {year}]",
                "{place} was renewed by builders [in {year}]",
            ),
            {
                "year": ("When was {place} rebuilt?", "In which year did builders restore {place}?"),
                "place": ("What was rebuilt in {year}?", "Which house did builders restore in {year}?"),
            },
        ),
        Relation(
            (
                "{place} closed for good [in {year}]",
                "{place} was given up [in {year}]",
                "{place} shut its doors for ever [in {year}]",
            ),
            {
                "year": ("When did {place} close for good?", "In which year did {place} come to its end?"),
                "place": ("What closed for good in {year}?", "Which house came to its end in {year}?"),
            },
        ),
    ),
)
ROLES = Group(
    {"person": "person", "place": "place"},
    (
        Relation(
            ("{person} founded [{place}]", "{person} set up [{place}]", "{place} was started [by {person}]"),
            {
                "person": ("Who founded {place}?", "Who was the founder of {place}?"),
                "place": ("What did {person} found?", "Which house was started by {person}?"),
            },
        ),
        Relation(
            ("{person} runs [{place}]", "{person} is in charge [of {place}]", "{place} is led [by {person}]"),
            {
                "person": ("Who runs {place}?", "Who is the head of {place}?", "Who is in charge of {place}?"),
                "place": ("What does {person} run?", "Which house has {person} as its head?"),
            },
        ),
        Relation(
            (
                "{person} designed [{place}]",
                "{person} drew the plans [of {place}]",
                "{place} was planned on paper [by {person}]",
            ),
            {
                "person": ("Who designed {place}?", "Who was the architect of {place}?"),
                "place": ("What did {person} design?", "Which house did {person} plan as an architect?"),
            },
        ),
        Relation(
            (
                "{person} cleans [{place}]",
                "{person} sweeps the floors [of {place}]",
                "{place} is kept tidy [by {person}]",
            ),
            {
                "person": ("Who cleans {place}?", "Who keeps {place} tidy?"),
                "place": ("What does {person} clean?", "Which house does {person} keep tidy?"),
            },
        ),
    ),
)
WORKPLACES = Group(
    {"person": "person", "place": "place"},
    (
        Relation(
            (
                "{person} works [at {place}]",
                "{person} has a post [at {place}]",
                "{person} is employed [by {place}]",
                "{place} pays a monthly wage [to {person}]",
            ),
            {
                "place": ("Where does {person} work?", "Which house employs {person}?"),
                "person": ("Who works at {place}?", "Who is employed by {place}?"),
            },
        ),
        Relation(
            (
                "{person} used to work [at {place}]",
                "{person} once had a post [at {place}]",
                "{person} has given up a post [at {place}]",
            ),
            {
                "place": ("Where did {person} work in the past?", "Which house was {person}'s former employer?"),
                "person": ("Who used to work at {place}?", "Who is a former employee of {place}?"),
            },
        ),
        Relation(
            (
                "{person} was trained [at {place}]",
                "{person} learned the trade [at {place}]",
                "{person} was an apprentice [at {place}]",
            ),
            {
                "place": ("Where was {person} trained?", "Where did {person} learn the trade?"),
                "person": ("Who was trained at {place}?", "Who learned the trade at {place}?"),
            },
        ),
    ),
)
JOBS = Group(
    {"person": "person", "job": "job"},
    (
        Relation(
            ("{person} is [{job}]", "{person} works [as {job}]", "{person} earns a living [as {job}]"),
            {
                "job": (
                    "What is {person}'s job?",
                    "What does {person} do for a living?",
                    "As what does {person} work?",
                ),
                "person": ("Who is {job}?", "Who works as {job}?"),
            },
        ),
        Relation(
            ("{person} used to be [{job}]", "{person} once worked [as {job}]", "{person} was [{job}] in the past"),
            {
                "job": ("What did {person} use to be?", "What was {person}'s former job?"),
                "person": ("Who used to be {job}?", "Who once worked as {job}?"),
            },
        ),
        Relation(
            (
                "{person} wants to become [{job}]",
                "{person} dreams of being [{job}]",
                "{person} hopes to find work [as {job}]",
            ),
            {
                "job": ("What does {person} want to become?", "What is {person}'s dream job?"),
                "person": ("Who wants to become {job}?", "Who would like to be {job}?"),
            },
        ),
    ),
)
