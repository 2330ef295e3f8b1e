"""QASC: choose the answer to a question of school science that takes two facts together, one of eight.

8,134 / 926 questions; the 920 test answers are not public, so the validation rows are our test, and our validation is a
tenth of the train. Choosing at random scores .125. Licence CC BY 4.0. The layout of the Hub's copy is from the data
set's card; the copy itself was not tried.

The two facts that a question was made of are not shown: the published task is to find them in a corpus, and their
combination (`combinedfact`) states the answer. `columns={"context": "fact1,fact2"}` shows both, as NLPGym did, and
`{"context": "fact1"}` the first only.
"""

from ..answers import Choice
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "allenai/qasc",
        columns={"question": "question", "choices": "choices", "answer": "answerKey"},
        splits={"test": "validation"},
        licence="cc-by-4.0",
        citation="Khot et al. 2020, QASC: A Dataset for Question Answering via Sentence Composition",
    ),
    Choice(),
    ("accuracy",),
    __doc__,
)
