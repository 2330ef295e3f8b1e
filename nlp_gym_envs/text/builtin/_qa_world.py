"""The facts of one passage: what is asked about, what could be mistaken for it, and what else there is to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nlp_gym_envs.text.builtin import _qa_amounts as amounts
from nlp_gym_envs.text.builtin import _qa_names as names
from nlp_gym_envs.text.builtin import _qa_relations as relations
from nlp_gym_envs.text.builtin import _qa_scenes as scenes
from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._qa_relations import Group, Relation
from nlp_gym_envs.text.builtin._qa_wording import Fact, subject_slot

GROUPS = (
    relations.EXCHANGES,
    relations.LESSONS,
    relations.DATES,
    relations.ROLES,
    relations.WORKPLACES,
    relations.JOBS,
    scenes.HOMES,
    scenes.TRIPS,
    scenes.SEARCHES,
    scenes.CONTESTS,
    scenes.SITES,
    scenes.REASONS,
    amounts.COLOURS,
    amounts.PRICES,
    amounts.COUNTS,
    amounts.SIZES,
    amounts.DAYS,
)
# Groups that would half answer each other's questions: whoever runs a house could be said to work there.
_CLASHES = (
    (relations.ROLES, relations.WORKPLACES),
    (relations.ROLES, relations.JOBS),
    (scenes.HOMES, scenes.TRIPS),
    (amounts.COUNTS, relations.EXCHANGES),
)
_REUSED = ("person", "place", "town")
_AGE = 22  # years between the founding, the move, the rebuilding and the end of a house


def can_share(first: Group, second: Group) -> bool:
    """True where facts of both groups can stand in one passage."""
    # Groups are compared by identity: as tuples, they would be compared word by word.
    return not any((first is a and second is b) or (first is b and second is a) for a, b in _CLASHES)


def subjects_of(fact: Fact) -> list[str]:
    """The slots with which statements of the fact open, without causes: those have no pronoun."""
    opening = dict.fromkeys(subject_slot(text) for text in fact.relation.statements)
    return [slot for slot in opening if fact.group.slots[slot] != "cause"]


class Scene:
    """The facts of one passage, and the names in it; no two things are called alike."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.facts: list[Fact] = []
        self._first_names_only = choices.chance(0.4)
        self._used: set[str] = set()
        self._surnames: list[str] = []
        self._founded: dict[str, int] = {}

    def draw(self, kind: str) -> str:
        """A value that the passage has not had."""
        while True:
            value = self._person() if kind == "person" else names.DRAW[kind](self.choices)
            key = value.split(" ")[0] if kind == "person" else value.split(" ", 1)[1] if kind == "spot" else value
            if key not in self._used:
                self._used.add(key)
                if kind == "person":
                    self._surnames += value.split(" ")[1:]
                return value

    def _person(self) -> str:
        name = names.first_name(self.choices)
        if self._first_names_only:
            return name
        related = self._surnames and self.choices.chance(0.25)
        return f"{name} {self.choices.pick(self._surnames if related else names.SURNAMES)}"

    def fact(self, group: Group, relation: Relation, known: Mapping[str, str]) -> Fact:
        """A fact with the known values and fresh ones."""
        slots = {slot: known[slot] if slot in known else self.draw(kind) for slot, kind in group.slots.items()}
        if group is relations.DATES and "year" not in known:
            slots["year"] = self._date(slots["place"], group.relations.index(relation))
        return Fact(group, relation, slots)

    def _date(self, place: str, rank: int) -> str:
        # The events of one house have an order; those of different houses have none.
        if place not in self._founded:
            self._founded[place] = self.choices.between(1700, 1930)
        while True:
            year = str(self._founded[place] + rank * _AGE + self.choices.below(_AGE - 2))
            if year not in self._used:
                self._used.add(year)
                return year

    def add(self, fact: Fact) -> Fact:
        """Makes the fact one of the passage."""
        self.facts.append(fact)
        return fact

    def answers(self, relation: Relation, asked: str, given: Mapping[str, str]) -> set[str]:
        """All values that answer a question."""
        return {fact.slots[asked] for fact in self.facts if fact.relation is relation and fact.has(given)}

    def states(self, relation: Relation) -> bool:
        """True where the passage has a fact of the relation."""
        return any(fact.relation is relation for fact in self.facts)

    def same_relation(self, fact: Fact, given: Iterable[str]) -> Fact:
        """The same of somebody else: a fact that shares at most one of the given values."""
        options = [slot for slot in given if slot not in fact.group.fresh]
        known = {}
        if len(list(given)) > 1 and options and self.choices.chance(0.7):
            slot = self.choices.pick(options)
            known = {slot: fact.slots[slot]}
        return self.fact(fact.group, fact.relation, known)

    def sibling(self, fact: Fact, given: Iterable[str]) -> Fact | None:
        """Something else of the same: a fact of another relation that shares most of the given values."""
        options = [relation for relation in fact.group.relations if not self.states(relation)]
        options = [relation for relation in options if relation is not fact.relation]
        if not options:
            return None
        slots = list(given)
        kept = [slot for slot in slots if self.choices.chance(0.75)] or slots[:1]
        return self.fact(fact.group, self.choices.pick(options), {slot: fact.slots[slot] for slot in kept})

    def reversed(self, fact: Fact) -> Fact | None:
        """The same the other way round, with a fresh object or skill; None where only one person takes part."""
        people = [slot for slot, kind in fact.group.slots.items() if kind == "person"]
        if len(people) < 2:
            return None
        first, second = people
        return self.fact(fact.group, fact.relation, {first: fact.slots[second], second: fact.slots[first]})

    def about(self, kind: str, name: str, other_than: Group) -> Fact | None:
        """A fact of a relation not yet stated that can be told with the name as its subject."""
        options = []
        for group in GROUPS:
            if group is other_than or kind not in group.slots.values() or not self._fits(group):
                continue
            slot = next(slot for slot, other in group.slots.items() if other == kind)
            for relation in group.relations:
                if any(subject_slot(text) == slot for text in relation.statements) and not self.states(relation):
                    options.append((group, relation, slot))
        if not options:
            return None
        group, relation, slot = self.choices.pick(options)
        return self.fact(group, relation, {slot: name})

    def filler(self) -> Fact:
        """A fact of a relation not yet stated, often about names that the passage has."""
        while True:
            group = self.choices.pick(GROUPS)
            relation = self.choices.pick(group.relations)
            if not self.states(relation) and self._fits(group) and not any(fact.group is group for fact in self.facts):
                break
        known: dict[str, str] = {}
        for slot, kind in group.slots.items():
            seen = [name for name in self.named(kind) if name not in known.values()] if kind in _REUSED else []
            if seen and self.choices.chance(0.6):
                known[slot] = self.choices.pick(seen)
        return self.fact(group, relation, known)

    def named(self, kind: str) -> list[str]:
        """The names of one kind in the facts so far, in order."""
        found = (fact.slots[slot] for fact in self.facts for slot, other in fact.group.slots.items() if other == kind)
        return list(dict.fromkeys(name for name in found if not name.startswith("the same ")))

    def _fits(self, group: Group) -> bool:
        return all(can_share(group, fact.group) for fact in self.facts)
