"""OpenBookQA: choose how a sentence of elementary science goes on, or the answer to a question of it, one of four.

4,957 / 500 / 500 questions. Choosing at random scores .25. Licence unknown. The layout of the Hub's copy is from the
data set's card; the copy itself was not tried.

The fact of the open book that a question was made of is not shown. `dataset="allenai/openbookqa:additional"` with
`columns={"context": "fact1"}` shows it.
"""

from ..answers import Choice
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "allenai/openbookqa",
        columns={"question": "question_stem", "choices": "choices", "answer": "answerKey"},
        config="main",
        licence="unknown",
        citation="Mihaylov et al. 2018, Can a Suit of Armor Conduct Electricity? A New Dataset for Open Book QA",
    ),
    Choice(),
    ("accuracy",),
    __doc__,
)
