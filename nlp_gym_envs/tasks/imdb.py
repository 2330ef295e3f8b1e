"""IMDB film reviews: is the whole review positive or negative?

25,000 training and 25,000 test reviews of some 230 words; the data set has no validation split, so a tenth of its
train is ours. A constant answer scores .50. The layout of the Hub's copy is from the data set's card; the copy itself
was not tried.
"""

from ..answers import Label
from ..task import Task
from ..text.corpora import Hub

LABELS = ("neg", "pos")  # in the data set's order: label 0, label 1, ...

TASK = Task(
    Hub(
        "stanfordnlp/imdb",
        columns={"text": "text", "label": "label"},
        licence="unknown",
        citation="Maas et al. 2011, Learning Word Vectors for Sentiment Analysis",
    ),
    Label(LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
