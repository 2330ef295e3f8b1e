"""SQuAD 2.0: find the answer to a question in a paragraph of Wikipedia, or say that there is none.

130,319 / 11,873 questions; the test questions are not public, so the validation rows are our test, and our validation
is a tenth of the train, by whole paragraphs. Where the paragraph has no answer, only an empty one is right; so it is
for 5,945 of the test questions (Rajpurkar, Jia, Liang 2018), and always answering nothing scores .50. Licence CC BY-SA
4.0. The layout of the Hub's copy is from the data set's card; the copy itself was not tried.
"""

from ..answers import Span
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "rajpurkar/squad_v2",
        columns={"context": "context", "question": "question", "answers": "answers"},
        splits={"test": "validation"},
        licence="cc-by-sa-4.0",
        citation="Rajpurkar, Jia, Liang 2018, Know What You Don't Know: Unanswerable Questions for SQuAD",
    ),
    Span(),
    ("f1", "exact_match"),
    __doc__,
)
