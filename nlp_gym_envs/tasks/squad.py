"""SQuAD 1.1: find the answer to a question in a paragraph of Wikipedia. Every question has one.

87,599 / 10,570 questions; the test questions are not public, so the validation rows are our test, and our validation
is a tenth of the train, by whole paragraphs. Test questions have several accepted answers. F1 and exact match as in
SQuAD's own script. Licence CC BY-SA 4.0. The layout of the Hub's copy is from the data set's card; the copy itself was
not tried.
"""

from ..answers import Span
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "rajpurkar/squad",
        columns={"context": "context", "question": "question", "answers": "answers"},
        splits={"test": "validation"},
        licence="cc-by-sa-4.0",
        citation="Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text",
    ),
    Span(),
    ("f1", "exact_match"),
    __doc__,
)
