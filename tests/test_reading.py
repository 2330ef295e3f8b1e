"""Reading learned from answers: other words for the same, and nothing of a question's own answer."""

import numpy as np
import pytest

from nlp_gym_envs.text.examples import Examples
from nlp_gym_envs.text.matching import weights
from nlp_gym_envs.text.matching_reading import READ, readings, statements

NAMES = tuple(f"{start}{end}" for start in "bdfgklmnprst" for end in ("omo", "ulu", "iri", "ana"))
SAME = {"cuts": "slices", "lifts": "raises", "cleans": "scrubs", "marks": "labels"}
THINGS = {"rope": "cord", "wood": "timber", "wool": "fleece", "stone": "rock"}


def lessons(count: int, seed: int) -> Examples:
    """Two things told, one asked about in other words; the other has the question's own."""
    draw = np.random.default_rng(seed)
    rows: dict[str, list] = {"text": [], "question": [], "context": [], "choices": []}
    answers = []
    for _ in range(count):
        right, wrong, other = draw.choice(NAMES, 3, replace=False)
        verb, another = draw.choice(list(SAME), 2, replace=False)
        thing = draw.choice(list(THINGS))
        facts = [f"A {right} {verb} {thing}", f"a {wrong} {another} {THINGS[thing]}"]
        context = ", and ".join(facts if draw.random() < 0.5 else facts[::-1]).capitalize() + "."
        question = f"Which tool {SAME[verb]} {THINGS[thing]}?"
        choices = [f"a {name}" for name in draw.permutation([right, wrong, other])]
        rows["text"].append(f"{question}\n{context}")
        rows["question"].append(question)
        rows["context"].append(context)
        rows["choices"].append(choices)
        answers.append(choices.index(f"a {right}"))
    return Examples(rows, np.array(answers))


def read(examples: Examples, train: Examples) -> np.ndarray:
    """The readings, question by question."""
    return readings(examples, train, weights(train, ("question", "context"))).reshape(len(examples), 3, len(READ))


def test_other_words_for_the_same_are_learned_from_answers() -> None:
    train, fresh = lessons(300, 0), lessons(200, 1)
    chance = read(fresh, train)[..., READ.index("chance")]
    assert np.allclose(chance.sum(1), 1, atol=1e-5)
    assert (chance.argmax(1) == fresh.target).mean() > 0.9


def test_a_training_question_is_read_without_its_own_answer() -> None:
    train = lessons(100, 0)
    changed = train.target.copy()
    changed[0] = (changed[0] + 1) % 3
    before, after = read(train, train), read(other := Examples(train.columns, changed), other)
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])


def test_without_a_context_there_is_nothing_to_read() -> None:
    train = lessons(20, 0)
    bare = Examples({**train.columns, "context": np.full(20, "", object)}, train.target)
    assert not read(bare, bare).any()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A blibbo cuts rope and dries wool.", ["A blibbo cuts rope", "A blibbo dries wool"]),
        ("Unlike a pemmer, which hides eggs, a vock digs.", ["Unlike a pemmer", "a pemmer hides eggs", "a vock digs"]),
        ("It rains. Anna left.", ["It rains", "Anna left"]),
    ],
)  # fmt: skip
def test_a_clause_without_a_subject_is_lent_one(text: str, found: list[str]) -> None:
    assert [" ".join(words) for words in statements(text)] == found
