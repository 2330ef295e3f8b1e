"""Rotten Tomatoes: is the sentence from a film review positive or negative?

8,530 / 1,066 / 1,066 sentences. A constant answer scores .50. The layout of the Hub's copy is from the data set's
card; the copy itself was not tried.
"""

from ..answers import Label
from ..task import Task
from ..text.corpora import Hub

LABELS = ("neg", "pos")  # in the data set's order: label 0, label 1, ...

TASK = Task(
    Hub(
        "cornell-movie-review-data/rotten_tomatoes",
        columns={"text": "text", "label": "label"},
        licence="unknown",
        citation="Pang and Lee 2005, Seeing Stars: Exploiting Class Relationships for Sentiment Categorization",
    ),
    Label(LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
