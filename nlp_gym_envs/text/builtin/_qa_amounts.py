"""What else the passages can say: which colour, at what price, how many, how large and on which day."""

from __future__ import annotations

from nlp_gym_envs.text.builtin._qa_relations import Group, Relation

COLOURS = Group(
    {"thing": "painted", "colour": "colour"},
    (
        Relation(
            ("{thing} is painted [{colour}]", "{thing} has a coat [of {colour}]", "{thing} shines today [in {colour}]"),
            {
                "colour": ("What colour is {thing}?", "In which colour is {thing} painted?"),
                "thing": ("What is painted {colour}?", "What shines today in {colour}?"),
            },
        ),
        Relation(
            ("{thing} used to be [{colour}]", "{thing} was once painted [{colour}]"),
            {
                "colour": ("What colour did {thing} use to be?", "In which colour was {thing} once painted?"),
                "thing": ("What used to be {colour}?", "What was once painted {colour}?"),
            },
        ),
        Relation(
            ("{thing} will be painted [{colour}] next week", "{thing} will soon change its colour [to {colour}]"),
            {
                "colour": ("What colour will {thing} be soon?", "In which colour will {thing} be painted?"),
                "thing": ("What will be painted {colour}?", "What will soon be {colour}?"),
            },
        ),
    ),
)
PRICES = Group(
    {"object": "object", "price": "price"},
    (
        Relation(
            ("{object} costs [{price}]", "{object} is for sale [at {price}]"),
            {
                "price": ("What is the price of {object}?", "How much does {object} cost?"),
                "object": ("What costs {price}?", "What is for sale at {price}?"),
            },
        ),
        Relation(
            ("{object} once cost [{price}]", "{object} used to be sold [for {price}]"),
            {
                "price": ("What was the former price of {object}?", "How much did {object} once cost?"),
                "object": ("What once cost {price}?", "What used to be sold for {price}?"),
            },
        ),
        Relation(
            ("{object} was repaired [for {price}]", "{object} needed a repair [worth {price}]"),
            {
                "price": ("How much did the repair of {object} cost?", "For what price was {object} repaired?"),
                "object": ("What was repaired for {price}?", "What needed a repair worth {price}?"),
            },
        ),
    ),
)
COUNTS = Group(
    {"place": "place", "number": "number", "things": "things"},
    (
        Relation(
            ("{place} owns [{number}] {things}", "{place} has a collection of [{number}] {things}"),
            {"number": ("How many {things} does {place} own?", "How many {things} are in the collection of {place}?")},
        ),
        Relation(
            ("{place} lost [{number}] {things} in a fire", "{place} saw [{number}] {things} burn to ashes"),
            {"number": ("How many {things} did {place} lose?", "How many {things} of {place} burned?")},
        ),
        Relation(
            ("{place} bought [{number}] {things} last year", "{place} ordered [{number}] new {things}"),
            {"number": ("How many {things} did {place} buy?", "How many new {things} did {place} get?")},
        ),
        Relation(
            ("{place} lent out [{number}] {things}", "{place} sent [{number}] {things} to other houses on loan"),
            {"number": ("How many {things} did {place} lend out?", "How many {things} of {place} are on loan?")},
        ),
    ),
)
SIZES = Group(
    {"structure": "structure", "metres": "metres"},
    (
        Relation(
            ("{structure} is [{metres}] long", "{structure} has a length [of {metres}]"),
            {
                "metres": ("How long is {structure}?", "What is the length of {structure}?"),
                "structure": ("What is {metres} long?", "What has a length of {metres}?"),
            },
        ),
        Relation(
            ("{structure} is [{metres}] wide", "{structure} has a width [of {metres}]"),
            {
                "metres": ("How wide is {structure}?", "What is the width of {structure}?"),
                "structure": ("What is {metres} wide?", "What has a width of {metres}?"),
            },
        ),
        Relation(
            ("{structure} is [{metres}] high", "{structure} reaches a height [of {metres}]"),
            {
                "metres": ("How high is {structure}?", "What is the height of {structure}?"),
                "structure": ("What is {metres} high?", "What reaches a height of {metres}?"),
            },
        ),
    ),
)
DAYS = Group(
    {"event": "event", "day": "day"},
    (
        Relation(
            ("{event} takes place [on {day}]", "{event} is held [on {day}]"),
            {
                "day": ("When does {event} take place?", "On which day is {event} held?"),
                "event": ("What takes place on {day}?", "What is held on {day}?"),
            },
        ),
        Relation(
            ("{event} was announced [on {day}]", "{event} was first advertised [on {day}]"),
            {
                "day": ("When was {event} announced?", "On which day was {event} first advertised?"),
                "event": ("What was announced on {day}?", "What was first advertised on {day}?"),
            },
        ),
        Relation(
            ("{event} was rehearsed [on {day}]", "{event} was practised [on {day}]"),
            {
                "day": ("When was {event} rehearsed?", "On which day did people practise {event}?"),
                "event": ("What was rehearsed on {day}?", "What did people practise on {day}?"),
            },
        ),
    ),
)
