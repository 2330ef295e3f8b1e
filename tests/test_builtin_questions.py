"""Properties that the built-in question answering and multiple choice corpora promise."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from nlp_gym_envs.text.builtin import multiple_choice, question_answering
from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._qa_kinds import KINDS, NAMES
from nlp_gym_envs.text.builtin._qa_wording import slots_of, subject_slot
from nlp_gym_envs.text.builtin._qa_world import GROUPS

SIZES = {"train": 12_000, "validation": 1_000, "test": 2_000, "compositional": 2_000}
MODULES: dict[str, ModuleType] = {"question_answering": question_answering, "multiple_choice": multiple_choice}
COLUMNS = {
    "question_answering": ["context", "question", "answers"],
    "multiple_choice": ["question", "choices", "answer", "context"],
}
# A change of wording is a change of the task: change these digests only together with the published numbers.
DIGESTS = {
    ("question_answering", "train"): "99ed41e270870db40be0fff88b62ee9ee6452ede4a09c72e5cdfdcb9405b1604",
    ("question_answering", "validation"): "8fa1207cb23526a996b20da95cbe129f88cd7bc1fafab70cd331757a1276168e",
    ("question_answering", "test"): "38487a2d3bec9d4b28dec8940be025df389358cd0b6d085dc9112300e6f9fc99",
    ("question_answering", "compositional"): "61b389f0f927b4f36d87ef12eb1de7dd54864a01928a27f93a520c3f276808cc",
    ("multiple_choice", "train"): "19ad0bd3fd0c993def6f2ec330c0a8bbe7e63df83e3b8433c2b0427838251311",
    ("multiple_choice", "validation"): "29d7f1b63aadce6c78cfd3e729dd0bd8152524cb494d513affd60677d6d2d9b2",
    ("multiple_choice", "test"): "9ba777fc96833dbfb58d6d35cf7b011a46408a82a497b056dcf9c9b4936f85be",
    ("multiple_choice", "compositional"): "1becb83ebf095db19ef6246f7ecf852494e96b79d3296fb18758bb26b110e415",
}
MISPRINT = re.compile(r"  | [,.;:?]|[,.;:?]{2}|[{}_\[\]]|\b[Aa] (?!uni|one|use)[aeiou]|\b[Aa]n [^aeiou]|\b(\w+) \1\b")
SENTENCE_END = re.compile(r"(?<=\.) ")
WORD = re.compile(r"[a-z0-9]+")
NAME_OR_NUMBER = re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)*|\d[\d,]*")
NO_NAMES = set("A An As By Everything He It Many Nobody Not People She Some The This Visitors".split())
ATTRIBUTES = [a for kind in KINDS for a in (*kind.attributes, kind.places, kind.causes, kind.effects)]
every_corpus = pytest.mark.parametrize("corpus", MODULES)
every_split = pytest.mark.parametrize("split", SIZES)
evaluated = pytest.mark.parametrize("split", ["test", "compositional"])


@cache
def generated(corpus: str, split: str) -> dict[str, list]:
    return MODULES[corpus].generate(split)


def digest(columns: dict[str, list]) -> str:
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()


def words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


def sentences(text: str) -> list[str]:
    return SENTENCE_END.split(text)


def share_of_best(scores: Sequence[float], right: Sequence[bool]) -> float:
    """How often the best-scored option is right, where ties are broken at random."""
    best = [is_right for score, is_right in zip(scores, right, strict=True) if score == max(scores)]
    return sum(best) / len(best)


# ---------------------------------------------------------------- both corpora


@every_corpus
@every_split
def test_columns_sizes_and_pinned_wording(corpus: str, split: str) -> None:
    columns = generated(corpus, split)
    assert list(columns) == COLUMNS[corpus]
    assert {len(column) for column in columns.values()} == {SIZES[split]}
    assert digest(columns) == DIGESTS[corpus, split]


@every_corpus
def test_no_text_occurs_twice(corpus: str) -> None:
    rows = [
        (context if corpus == "question_answering" else f"{context} {question}").lower()
        for split in SIZES
        for context, question in zip(*(generated(corpus, split)[name] for name in ("context", "question")), strict=True)
    ]
    assert len(set(rows)) == len(rows) == sum(SIZES.values())


@every_corpus
@every_split
def test_texts_read_as_prose(corpus: str, split: str) -> None:
    columns = generated(corpus, split)
    for text in (*columns["context"][:3_000], *columns["question"][:3_000]):
        assert text.isascii() and text[0].isupper() and not MISPRINT.search(text), text
        assert all(sentence[0].isupper() and sentence[-1] in ".?" for sentence in re.split(r"(?<=[.?]) ", text)), text
    assert all(context.endswith(".") for context in columns["context"])


@every_corpus
def test_a_fresh_process_writes_the_same_texts(corpus: str) -> None:
    program = (
        "import hashlib, importlib, json\n"
        f"module = importlib.import_module('nlp_gym_envs.text.builtin.{corpus}')\n"
        "print(hashlib.sha256(json.dumps(module.generate('validation')).encode()).hexdigest())\n"
    )
    environment = {"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == digest(generated(corpus, "validation"))


@every_corpus
def test_unknown_split_is_refused_by_name(corpus: str) -> None:
    with pytest.raises(ValueError, match="'dev'.*'train', 'validation', 'test', 'compositional'"):
        MODULES[corpus].generate("dev")


@every_corpus
@evaluated
def test_training_shows_the_words_of_the_other_splits(corpus: str, split: str) -> None:
    def vocabulary(name: str) -> set[str]:
        columns = generated(corpus, name)
        found = words(" ".join(columns["context"] + columns["question"]))
        found |= {word for choices in columns.get("choices", []) for choice in choices for word in words(choice)}
        return {word for word in found if not word.isdigit()}

    assert vocabulary(split) <= vocabulary("train")


@pytest.mark.parametrize("corpus, compositional", [(c, nested) for c in MODULES for nested in (False, True)])
def test_five_thousand_texts_in_a_row_are_different(corpus: str, compositional: bool) -> None:
    # With only 10^6 texts to draw from, at least one repetition would be all but certain (1 - exp(-12)).
    choices = Choices(7)
    composed = (MODULES[corpus]._compose(choices, place, compositional, lambda name: True) for place in range(8_000))
    texts = [row[0] for row in composed if row][:5_000]
    assert len(set(texts)) == len(texts) == 5_000


# ---------------------------------------------------------------- question answering


@every_split
def test_passages_have_three_to_eight_sentences(split: str) -> None:
    lengths = Counter(len(sentences(context)) for context in generated("question_answering", split)["context"])
    assert min(lengths) == 3 and max(lengths) == 8 or split == "compositional" and set(lengths) <= set(range(3, 9))
    assert max(lengths.values()) < 0.4 * SIZES[split]


@every_split
def test_answers_are_short_and_verbatim_in_the_passage(split: str) -> None:
    columns = generated("question_answering", split)
    for context, answers in zip(columns["context"], columns["answers"], strict=True):
        assert len(set(answers)) == len(answers)
        for answer in answers:
            assert re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", context), (answer, context)
            assert 1 <= len(answer.split()) <= 5
    assert sum(not answers for answers in columns["answers"]) == 0.15 * SIZES[split]


def test_every_question_can_be_answered_by_every_statement() -> None:
    for group in GROUPS:
        for relation in group.relations:
            for statement in relation.statements:
                assert set(slots_of(statement)) == set(group.slots), statement
                assert statement.startswith(f"{{{subject_slot(statement)}}} "), statement
            for asked, questions in relation.questions.items():
                for question in questions:
                    assert set(slots_of(question)) <= set(group.slots) - {asked}, question
                    assert slots_of(question) and question.endswith("?"), question


def test_no_two_relations_share_a_wording() -> None:
    texts = [
        text
        for group in GROUPS
        for relation in group.relations
        for text in (*relation.statements, *(q for questions in relation.questions.values() for q in questions))
    ]
    assert len(set(texts)) == len(texts)


def bare(text: str) -> str:
    return " ".join(word for word in re.sub(r"[^\w\s]", "", text.lower()).split() if word not in ("a", "an", "the"))


def trivial_readers(split: str) -> dict[str, float]:
    """Exact match of two answers without reading, and where the sentence with the most words of the question leads."""
    columns = generated("question_answering", split)
    results = {"first": [], "capitalised": [], "overlap": [], "any": [], "opening": []}
    for context, question, answers in zip(*columns.values(), strict=True):
        if not answers:
            continue
        parts = sentences(context)
        accepted = {bare(answer) for answer in answers}
        names = [name for name in NAME_OR_NUMBER.findall(parts[0]) if name not in NO_NAMES]
        results["first"].append(bool(names) and bare(names[0]) in accepted)
        capitalised = re.findall(r"\b[A-Z][a-z]+", context)
        results["capitalised"].append(sum(bare(word) in accepted for word in capitalised) / len(capitalised))
        holds = [any(answer in part for answer in answers) for part in parts]
        results["overlap"].append(share_of_best([len(words(part) & words(question)) for part in parts], holds))
        results["any"].append(sum(holds) / len(holds))
        results["opening"].append(holds[0] - 1 / len(holds))
    return {name: float(np.mean(values)) for name, values in results.items()}


@evaluated
def test_reading_is_needed_for_the_answer(split: str) -> None:
    measured = trivial_readers(split)
    documented = question_answering.__doc__ or ""
    for name in ("first", "capitalised", "overlap", "any"):
        assert f"{measured[name]:.3f}"[1:] in documented, (name, measured)
    assert measured["first"] < 0.15 and measured["capitalised"] < 0.1
    assert measured["any"] + 0.15 < measured["overlap"] < 0.65
    assert abs(measured["opening"]) < 0.05


# ---------------------------------------------------------------- multiple choice


@every_split
def test_choices_are_different_and_answers_balanced(split: str) -> None:
    columns = generated("multiple_choice", split)
    places: Counter[tuple[int, int]] = Counter()
    for choices, answer in zip(columns["choices"], columns["answer"], strict=True):
        assert len(choices) in (4, 5) and len(set(choices)) == len(choices)
        assert type(answer) is int and 0 <= answer < len(choices)
        places[len(choices), answer] += 1
    for count in (4, 5):
        assert {places[count, answer] for answer in range(count)} == {SIZES[split] // 2 // count}


@every_split
def test_one_to_three_facts(split: str) -> None:
    counts = Counter(len(sentences(context)) for context in generated("multiple_choice", split)["context"])
    assert set(counts) == ({3} if split == "compositional" else {1, 2, 3})


def test_a_wording_means_the_same_everywhere() -> None:
    meaning: dict[str, str] = {}
    for attribute in ATTRIBUTES:
        wordings = [wording for value in attribute.values for wording in value]
        assert len(set(wordings)) == len(wordings) == 2 * len(attribute.values) >= 10
        for value in attribute.values:
            assert all(meaning.setdefault(wording, value[0]) == value[0] for wording in value), value
    assert all(len(kind.causes.values) == len(kind.effects.values) for kind in KINDS)
    assert len(set(NAMES)) == len(NAMES) > 200


NAME = "|".join(NAMES)
RELATED = re.compile(rf"({NAME}) (?:is a kind of|is one sort of|belongs to the family of the) ({NAME})")
BESIDE = re.compile(
    rf"({NAME}) (?:is always found next to|never leaves the side of|is nowhere but where) a ({NAME})(?: is)?"
)
Known = tuple[dict[str, set[str]], dict[str, str], set[tuple[str, str]]]
LAW = re.compile(r"(?:Whatever|Everything that|Anything that) ")


@cache
def wordings() -> tuple[dict[str, str], re.Pattern[str]]:
    """What every predicate means, as its first wording, and an expression that finds predicates in a text."""
    meaning = {
        f"{verb} {wording}".strip(): f"{attribute.verbs[0]} {value[0]}".strip()
        for attribute in ATTRIBUTES
        for verb in attribute.verbs
        for value in attribute.values
        for wording in value
    }
    longest_first = sorted(meaning, key=len, reverse=True)
    return meaning, re.compile("|".join(map(re.escape, longest_first)))


def found(text: str) -> list[str]:
    meaning, pattern = wordings()
    return [meaning[wording] for wording in pattern.findall(text)]


def known(context: str, follow: bool) -> Known:
    """What is true of each thing, the laws, and the pairs of related names; with what follows, if so asked."""
    true: dict[str, set[str]] = {}
    laws: dict[str, str] = {}
    pairs: set[tuple[str, str]] = set()
    beside: set[tuple[str, str]] = set()
    for sentence in sentences(context):
        if LAW.match(sentence):
            cause, effect = found(sentence)
            laws[cause] = effect
        elif related := RELATED.search(sentence):
            pairs.add((related[1], related[2]))
        elif next_to := BESIDE.search(sentence):
            beside.add((next_to[1], next_to[2]))
        else:
            parts = re.split(rf"\b({NAME})\b", sentence)
            for name, told in zip(parts[1::2], parts[2::2], strict=True):
                true.setdefault(name, set()).update(found(told))
    if follow:
        for name, other in pairs | beside:
            true.setdefault(name, set()).update(true.get(other, set()))
        for facts in true.values():
            facts |= {laws[fact] for fact in facts if fact in laws}
    return true, laws, pairs | beside


def follows(question: str, choices: Sequence[str], facts: Known) -> list[bool]:
    """Which choices answer the question by what is known."""
    true, laws, pairs = facts
    name = re.search(rf"\b({NAME})\b", question)
    things = [choice.removeprefix("a ") for choice in choices]
    if name is None:
        (asked,) = found(question)
        if things[0] in NAMES:
            return [asked in true.get(thing, ()) for thing in things]
        return [wordings()[0][choice] == laws.get(asked) for choice in choices]
    if things[0] in NAMES:
        return [(name[1], thing) in pairs for thing in things]
    template = question.replace(name[1], "{name}")
    return [not true.get(name[1], set()).isdisjoint(meant(template, choice)) for choice in choices]


def meant(template: str, choice: str) -> set[str]:
    """The predicates that a choice can stand for; different kinds of things may share a question."""
    return {
        f"{attribute.verbs[0]} {value[0]}".strip()
        for attribute in ATTRIBUTES
        if attribute.question == template
        for value in attribute.values
        if choice in value
    }


@every_split
def test_exactly_one_choice_follows_from_the_facts(split: str) -> None:
    columns = generated("multiple_choice", split)
    chained = split == "compositional"
    for question, choices, answer, context in zip(*(column[:1_000] for column in columns.values()), strict=True):
        right = [place == answer for place in range(len(choices))]
        assert follows(question, choices, known(context, True)) == right, (context, question, choices)
        assert any(follows(question, choices, known(context, False))) != chained, (context, question)


def trivial_choosers(split: str) -> dict[str, float]:
    """Accuracy of answers without reading; ties are broken at random."""
    columns = generated("multiple_choice", split)
    results = {"chance": [], "longest": [], "question": [], "facts": [], "sentence": []}
    for question, choices, answer, context in zip(*columns.values(), strict=True):
        right = [place == answer for place in range(len(choices))]
        bags = [words(choice) - {"a"} for choice in choices]
        nearest = max(sentences(context), key=lambda part: len(words(part) & words(question)))
        results["chance"].append(1 / len(choices))
        results["longest"].append(share_of_best([len(choice) for choice in choices], right))
        for name, text in (("question", question), ("facts", context), ("sentence", nearest)):
            results[name].append(share_of_best([len(bag & words(text)) for bag in bags], right))
    return {name: float(np.mean(values)) for name, values in results.items()}


@evaluated
def test_reading_is_needed_for_the_choice(split: str) -> None:
    measured = trivial_choosers(split)
    documented = multiple_choice.__doc__ or ""
    for name, value in measured.items():
        assert f"{value:.3f}"[1:] in documented, (name, measured)
    assert max(measured[name] for name in ("chance", "longest", "question")) < 0.3
    assert measured["facts"] < 0.45 and measured["sentence"] < 0.45


def test_the_first_thing_named_is_not_the_answer() -> None:
    columns = generated("multiple_choice", "test")
    named = [
        [context.lower().find(choice.split()[-1]) for choice in choices]
        for choices, context in zip(columns["choices"], columns["context"], strict=True)
    ]
    hits = [
        places[answer] == min(place for place in places if place >= 0)
        for places, answer in zip(named, columns["answer"], strict=True)
        if max(places) >= 0
    ]
    assert np.mean(hits) < 0.45
