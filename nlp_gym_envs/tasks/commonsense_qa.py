"""CommonsenseQA: choose the answer to a question of common sense, one of five.

9,741 / 1,221 questions (the random split); the 1,140 test answers are not public, so the validation rows are our test,
and our validation is a tenth of the train. Choosing at random scores .20. A choice that a question gives twice, as 24
test questions do, is taken once: such a question has four. Licence MIT. The layout of the Hub's copy is from the data
set's card; the copy itself was not tried.
"""

from ..answers import Choice
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "tau/commonsense_qa",
        columns={"question": "question", "choices": "choices", "answer": "answerKey"},
        splits={"test": "validation"},
        licence="mit",
        citation="Talmor et al. 2019, CommonsenseQA: A Question Answering Challenge Targeting Commonsense Knowledge",
    ),
    Choice(),
    ("accuracy",),
    __doc__,
)
