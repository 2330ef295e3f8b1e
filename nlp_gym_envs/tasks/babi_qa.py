"""bAbI: answer a question about a short story, in a word or a short list of them.

The twenty tasks of English bAbI together (where is Mary, who gave what to whom, how many, yes or no); stories are made
by rules, in simple sentences. The original is under CC BY 3.0. The layout of the Hub's copy, a flat one with a row for
each question, is from public code that reads it; the copy itself was not tried.
"""

from ..answers import FreeText
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "Muennighoff/babi",
        columns={"context": "passage", "question": "question", "target": "answer"},
        licence="cc-by-3.0 (the original)",
        citation="Weston et al. 2015, Towards AI-Complete Question Answering: A Set of Prerequisite Toy Tasks",
    ),
    FreeText(inputs=("context", "question")),
    ("exact_match", "f1"),
    __doc__,
)
