"""Short invented passages, each with a question that a stretch of the passage answers, or nothing in it does.

A passage of three to eight sentences says who gave what to whom, who works, lives or learns where, when a house was
founded or rebuilt, how many, how long, which colour, at what price and why. Beside the fact asked for stand the same of
somebody else, something similar of the same (it opened in one year, and closed in another), who did it the other way
round, and values that are said to be wrong ("not in 1893 but in 1901"). The answering sentence is often worded unlike
the question, the misleading ones like it. In fifteen of a hundred rows the passage lacks the fact, or has it of
somebody else or the other way round: these have no answers. The fact in the middle of a passage belongs to one split.

The compositional split takes two steps or nests what the other splits show singly: "the person who found the clock",
"in the same town as Anna" where Anna's town stands elsewhere, "it was not Anna but Tom who" with a sentence about "he",
corrections and relative clauses inside one another. The splits hold 12,000, 1,000, 2,000 and 2,000 rows, of more than
10^12 passages that the grammar can write.

Answers without reading, over the questions that have one (exact match; tests/test_builtin_questions.py measures them):

| | test | compositional |
| --- | --- | --- |
| the first name or number of the first sentence | .075 | .042 |
| a random capitalised word | .018 | .021 |
| share of sentences that hold the answer | .218 | .243 |
| the sentence with the most words of the question holds the answer | .491 | .436 |
"""

from __future__ import annotations

from nlp_gym_envs.text.builtin._grammar import Choices
from nlp_gym_envs.text.builtin._qa_nested import nested
from nlp_gym_envs.text.builtin._qa_passages import Row, plain
from nlp_gym_envs.text.builtin._qa_splits import Belongs, build_rows

__all__ = ["generate"]

_SEED = 63_407


def _compose(choices: Choices, place: int, compositional: bool, belongs: Belongs) -> tuple[str, Row] | None:
    row = (nested if compositional else plain)(choices, place, belongs)
    return None if row is None else (row.context, row)


def generate(split: str) -> dict[str, list]:
    """The columns of a split: train, validation, test or compositional.

    "context" holds passages, "question" one question for each, "answers" the accepted answers as lists of texts that
    occur in the passage, the fullest first; the list is empty where the passage does not answer the question. Raises
    ValueError for another split.
    """
    rows = build_rows(split, _SEED, _compose)
    return {
        "context": [row.context for row in rows],
        "question": [row.question for row in rows],
        "answers": [row.answers for row in rows],
    }
