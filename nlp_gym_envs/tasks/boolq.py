"""BoolQ: answer a question that people asked a search engine with yes or no, from a passage of Wikipedia.

9,427 / 3,270 questions; the test answers are not public, so the validation rows are our test, and our validation is a
tenth of the train. Always answering yes scores about .62 (Clark et al. 2019). Licence CC BY-SA 3.0. The layout of the
Hub's copy is from the data set's card; the copy itself was not tried.
"""

from ..answers import Choice
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "google/boolq",
        columns={"context": "passage", "question": "question", "answer": "answer"},
        splits={"test": "validation"},
        licence="cc-by-sa-3.0",
        citation="Clark et al. 2019, BoolQ: Exploring the Surprising Difficulty of Natural Yes/No Questions",
    ),
    Choice(("no", "yes")),  # false, true
    ("accuracy",),
    __doc__,
)
