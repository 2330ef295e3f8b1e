"""Passages of the compositional split: references to resolve first, and constructions inside one another."""

from __future__ import annotations

from collections.abc import Sequence

from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._qa_constructions import correction
from nlp_gym_envs.text.builtin._qa_names import pronoun
from nlp_gym_envs.text.builtin._qa_passages import REMARKS, Row, answer_row, plainly, shuffle
from nlp_gym_envs.text.builtin._qa_questions import SHARING, Question, ask, decoy, same_as
from nlp_gym_envs.text.builtin._qa_relations import Group, Relation
from nlp_gym_envs.text.builtin._qa_splits import Belongs
from nlp_gym_envs.text.builtin._qa_wording import (
    SOMEONE,
    Fact,
    can_use_pronoun,
    phrase_slots,
    pick_statement,
    predicate,
    relative,
    slots_of,
    subject_slot,
)
from nlp_gym_envs.text.builtin._qa_world import GROUPS, Scene

Chain = tuple[Group, Relation, str, str]  # group, relation, question, and the slot that it gives


class Nested:
    """A scene whose facts are told in prepared sentences, but for those that are told plainly."""

    def __init__(self, choices: Choices, answerable: bool) -> None:
        self.scene = Scene(choices)
        self.choices = choices
        self.answerable = answerable
        self.units: list[list[str]] = []
        self._plain: list[Fact] = []

    def tell(self, fact: Fact | None) -> None:
        """Makes the fact, if there is one, a part of the passage that is told plainly."""
        if fact:
            self._plain.append(self.scene.add(fact))

    def lures(self, fact: Fact, given: Sequence[str]) -> None:
        """Tells the same of somebody else, and something else of the same."""
        self.tell(self.scene.same_relation(fact, given))
        self.tell(self.scene.sibling(fact, given))

    def told(self, fact: Fact, subject: str) -> str:
        """A fact without its subject, which stands in the given slot."""
        return predicate(pick_statement(self.choices, fact, "", 0, [subject]), fact)

    def companion(self, kind: str, name: str, group: Group) -> Fact | None:
        """Another fact about a name, told by the caller, and the same of somebody else, told plainly."""
        fact = self.scene.about(kind, name, group)
        if fact is None:
            return None
        self.scene.add(fact)
        if self.choices.chance(0.7):
            self.tell(self.scene.same_relation(fact, []))
        return fact

    def row(self, question: Question, text: str | None = None) -> Row | None:
        """The finished row."""
        for _ in range(self.choices.between(4, 6) - len(self.scene.facts)):
            self.tell(self.scene.filler())
        self.units += [[sentence] for sentence in plainly(self.scene, self._plain, question, None)]
        if self.choices.chance(0.2):
            self.units.append([self.choices.pick(REMARKS)])
        sentences = [sentence for unit in shuffle(self.choices, self.units) for sentence in unit]
        return answer_row(self.scene, sentences, question, text or question.text, self.answerable)

    def ask(self, fact: Fact, asked: str | None = None) -> Row | None:
        """The row that asks about the fact; where it shall have no answer, about something else of the same."""
        if self.answerable:
            return self.row(ask(self.choices, fact, asked))
        unstated = [relation for relation in fact.group.relations if not self.scene.states(relation)]
        if not unstated:
            return None
        return self.row(ask(self.choices, fact._replace(relation=self.choices.pick(unstated)), asked))


def _new_key(nested: Nested, belongs: Belongs, group: Group, relation: Relation) -> Fact | None:
    fact = nested.scene.fact(group, relation, {})
    return fact if belongs(fact.name) else None


def _chains() -> list[Chain]:
    """The questions in which a name can be replaced by a description."""
    return [
        (group, relation, text, slot)
        for group in GROUPS
        for relation in group.relations
        for texts in relation.questions.values()
        for text in texts
        for slot in slots_of(text)
        if group.slots[slot] in SOMEONE and f"{{{slot}}}'s" not in text
    ]


_CHAINS = _chains()


def _two_hops(nested: Nested, belongs: Belongs) -> Row | None:
    """A question about whoever another sentence describes."""
    scene = nested.scene
    group, relation, template, slot = nested.choices.pick(_CHAINS)
    key = _new_key(nested, belongs, group, relation)
    if key is None:
        return None
    asked = next(asked for asked, texts in relation.questions.items() if template in texts)
    question = Question(key, asked, template)
    nested.tell(key)
    kind, name = group.slots[slot], key.slots[slot]
    link = scene.about(kind, name, group)
    if link is None:
        return None
    other = scene.same_relation(key, [])
    nested.tell(other)
    link_slot = next(link_slot for link_slot, value in link.slots.items() if value == name)
    nested.tell(scene.fact(link.group, link.relation, {link_slot: other.slots[slot]}))
    if nested.answerable:
        nested.tell(link)
        nested.tell(scene.sibling(key, [slot]))
    else:
        nested.tell(scene.sibling(link, [link_slot]))
    description = f"{SOMEONE[kind]} {nested.told(link, link_slot)}"
    text = template.format_map({**key.slots, slot: description})
    if not nested.answerable:  # a description that fits nobody in the passage names nobody
        question = question._replace(fact=key._replace(slots={**key.slots, slot: "nobody"}))
    return nested.row(question, text)


def _same_as(nested: Nested, belongs: Belongs) -> Row | None:
    """A value that is only said to be the same as somebody else's."""
    scene, choices = nested.scene, nested.choices
    group = choices.pick(SHARING)
    subject, asked = group.slots
    key = _new_key(nested, belongs, group, choices.pick(group.relations))
    if key is None:
        return None
    scene.add(key)
    model = scene.fact(group, key.relation, {asked: key.slots[asked]})
    nested.tell(model)
    nested.lures(key, [subject])
    same = key._replace(slots={**key.slots, asked: same_as(group, model.slots[subject])})
    told = nested.told(same, subject)
    kind, name = group.slots[subject], key.slots[subject]
    about = nested.companion(kind, name, group) if choices.chance(0.6) else None
    opening = relative(kind, name, nested.told(about, _slot(about, name))) if about else name
    nested.units.append([f"{opening} {told}"])
    return nested.ask(key, asked)


def _slot(fact: Fact, name: str) -> str:
    return next(slot for slot, value in fact.slots.items() if value == name)


def _not_but(nested: Nested, belongs: Belongs) -> Row | None:
    """It was not A but B who ...; he or she ..."""
    scene, choices = nested.scene, nested.choices
    group = choices.pick([group for group in GROUPS if "person" in group.slots.values()])
    key = _new_key(nested, belongs, group, choices.pick(group.relations))
    if key is None:
        return None
    scene.add(key)
    template = choices.pick(key.relation.statements)
    slot = subject_slot(template)
    if group.slots[slot] != "person":
        return None
    name, other = key.slots[slot], scene.draw("person")
    about = scene.about("person", name, group)
    if about is None or pronoun("person", name) == pronoun("person", other):
        return None
    scene.add(about)
    about_slot = _slot(about, name)
    if not can_use_pronoun("person", name, [key, about]):
        return None
    nested.tell(scene.fact(about.group, about.relation, {about_slot: other}))
    nested.tell(scene.same_relation(key, [slot]))
    first = f"it was not {other} but {name} who {predicate(template, key)}"
    nested.units.append([first, f"{pronoun('person', name)} {nested.told(about, about_slot)}"])
    return nested.ask(*((about, None) if choices.chance(0.6) else (key, slot if choices.chance(0.6) else None)))


def _correction(nested: Nested, belongs: Belongs) -> Row | None:
    """What is commonly said of somebody, described in passing, and what is so."""
    scene, choices = nested.scene, nested.choices
    group = choices.pick(GROUPS)
    key = _new_key(nested, belongs, group, choices.pick(group.relations))
    if key is None:
        return None
    scene.add(key)
    template = choices.pick(key.relation.statements)
    subject = subject_slot(template)
    slots = phrase_slots(template)
    if not slots or group.slots[subject] not in SOMEONE:
        return None
    slot = choices.pick(slots)
    kind, name = group.slots[subject], key.slots[subject]
    wrong = (slot, decoy(scene, key, slot))
    about = nested.companion(kind, name, group)
    if about is None:
        return None
    opening = relative(kind, name, nested.told(about, _slot(about, name)))
    nested.units.append([correction(scene, template, key, wrong, opening, [about])])
    given = [given for given in key.slots if given != slot]
    nested.lures(key, given[:1])
    if slot in key.relation.questions and choices.chance(0.7):
        return nested.ask(key, slot)
    return nested.ask(choices.pick([key, about]))


def _two_relatives(nested: Nested, belongs: Belongs) -> Row | None:
    """A sentence with a relative clause on the name it opens with and on the one it ends with."""
    scene, choices = nested.scene, nested.choices
    group = choices.pick(GROUPS)
    key = _new_key(nested, belongs, group, choices.pick(group.relations))
    if key is None:
        return None
    scene.add(key)
    template = choices.pick(key.relation.statements)
    first, last = subject_slot(template), slots_of(template)[-1]
    if not template.endswith("}]") or not {group.slots[first], group.slots[last]} <= set(SOMEONE):
        return None
    opening = nested.companion(group.slots[first], key.slots[first], group)
    ending = nested.companion(group.slots[last], key.slots[last], group)
    if opening is None or ending is None:
        return None
    start = relative(group.slots[first], key.slots[first], nested.told(opening, _slot(opening, key.slots[first])))
    end_told = nested.told(ending, _slot(ending, key.slots[last]))
    end = relative(group.slots[last], "", end_told).rstrip(",")
    nested.units.append([f"{start} {predicate(template, key)}{end}"])
    nested.tell(scene.same_relation(key, [first]))
    return nested.ask(choices.pick([key, opening, ending, ending]))


_CONSTRUCTIONS = (*[_two_hops] * 6, *[_same_as] * 4, *[_not_but] * 3, *[_correction] * 4, *[_two_relatives] * 3)


def nested(choices: Choices, place: int, belongs: Belongs) -> Row | None:
    """A row of the compositional split; three of twenty questions of every construction have no answer."""
    turn, construction = divmod(place, len(_CONSTRUCTIONS))
    return _CONSTRUCTIONS[construction](Nested(choices, turn % 20 >= 3), belongs)
