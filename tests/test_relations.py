"""Which sentence answers: what is learned of questions beside clauses holds of other names, and of nothing else."""

import numpy as np
import pytest

from nlp_gym_envs.text.examples import Examples
from nlp_gym_envs.text.matching_passages import Passages
from nlp_gym_envs.text.matching_relations import Pairs, code, first_name, lent

NAMES = ("Anna", "Boris", "Clara", "Dario", "Elena", "Felix", "Greta", "Henri", "Irina", "Jonas", "Karla", "Louis")
TOLD = {  # what is asked, and two ways in which it is told
    "Who lent a boat to {b}?": ("{a} let {b} have a boat for a week", "{b} got a boat from {a} for a while"),
    "Who was taught by {b}?": ("{b} gave {a} lessons", "{a} had {b} as a teacher"),
    "Who lives next to {b}?": ("{a} is a neighbour of {b}", "the house of {a} stands beside that of {b}"),
}


def examples(count: int, seed: int) -> Examples:
    """Each passage tells of all three in some order; asked for one."""
    draw = np.random.default_rng(seed)
    columns: dict[str, list[str]] = {"text": [], "question": [], "context": []}
    targets = []
    for number in range(count):
        names, facts = draw.permutation(NAMES).tolist(), []
        kinds = draw.permutation(len(TOLD)).tolist()
        for place, kind in enumerate(kinds):
            a, ways = names[1 + place], list(TOLD.values())[kind]
            facts.append((kind, a, ways[int(draw.integers(2))].format(a=a, b=names[0])))
        kind, answer, _ = facts[int(draw.integers(len(facts)))]
        question = list(TOLD)[kind].format(b=names[0])
        context = " ".join(f"{text[0].upper()}{text[1:]}." for _, _, text in facts)
        columns["text"].append(f"{number} {question} {context}")
        columns["question"].append(question)
        columns["context"].append(context)
        targets.append((answer,))
    found = np.empty(count, object)
    found[:] = targets
    return Examples(columns, found)


@pytest.fixture
def learned(tmp_path, monkeypatch) -> tuple[Examples, Examples]:
    monkeypatch.setenv("NLP_GYM_CACHE", str(tmp_path))
    return examples(300, 0), examples(100, 1)


def share_found(split: Examples, passages: Passages) -> float:
    """Of how many questions the likeliest sentence holds the answer."""
    likeliest = np.where(passages.candidates >= 0, passages.answers[..., 0], -2).argmax(1)
    return float(np.mean([split.target[n][0] in passages.text(n, int(k)) for n, k in enumerate(likeliest)]))


def test_what_is_learned_holds_of_questions_that_were_not_seen(learned) -> None:
    train, test = learned
    assert share_found(test, Passages.of(test, train, 6, 32)) > 0.95
    assert share_found(train, Passages.of(train, train, 6, 32)) > 0.95  # each by what the other half teaches
    by_words = np.mean([test.target[n][0] in Passages.of(test, train, 6, 32).text(n, 0) for n in range(len(test))])
    assert by_words < 0.8  # which the order by words in common does not tell


def test_numbers_are_in_range_and_zero_where_there_is_no_candidate(learned) -> None:
    train, test = learned
    passages = Passages.of(test, train, 6, 32)
    assert passages.answers.shape == (100, 6, 2) and np.abs(passages.answers).max() < 1
    assert not passages.answers[passages.candidates < 0].any()


def test_training_questions_without_answers_teach_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NLP_GYM_CACHE", str(tmp_path))
    train = examples(20, 0)
    train.target[:] = [("",)] * 20
    assert not Passages.of(train, train, 6, 32).answers[..., 0].any()


def row(question: str, clause: str) -> np.ndarray:
    pairs = Pairs()
    pairs.add(question, [clause.split()])
    return pairs.table().toarray()[0]


def test_names_stand_for_whether_they_are_the_questions() -> None:
    one = row("Where does Anna Bell work ?", "Anna Bell has a post at Kelby 7")
    assert np.array_equal(one, row("Where does Otto Sand work ?", "Otto Sand has a post at Rosendale 12"))
    assert not np.array_equal(one, row("Where does Anna Bell work ?", "Otto Sand has a post at Kelby 7"))
    assert not np.array_equal(one, row("Where does Anna Bell work ?", "Anna Bell had a seat at Kelby 7"))


def test_a_pronoun_is_lent_the_last_name() -> None:
    assert first_name("As it was Lake Victoria near Bonn".split()) == ["Lake", "Victoria"]
    assert lent("It opened in 1736".split(), ["Poplar", "Library"]) == "Poplar Library opened in 1736".split()
    assert lent("In May she left".split(), []) == "In May she left".split()


def test_codes_are_the_same_in_every_process() -> None:
    assert code("opened") == code("opens") == 2_758_837_156
