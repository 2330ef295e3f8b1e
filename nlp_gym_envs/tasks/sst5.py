"""Stanford Sentiment Treebank, five classes, from very negative to very positive.

8,544 / 1,101 / 2,210 sentences of film reviews. Always answering the commonest training label scores .23. The layout
of the Hub's copy is from the data set's card; the copy itself was not tried.
"""

from ..answers import Label
from ..task import Task
from ..text.corpora import Hub

LABELS = (
    "very negative",
    "negative",
    "neutral",
    "positive",
    "very positive",
)  # in the data set's order: label 0, label 1, ...

TASK = Task(
    Hub(
        "SetFit/sst5",
        columns={"text": "text", "label": "label"},
        licence="unknown",
        citation="Socher et al. 2013, Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank",
    ),
    Label(LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
