"""Stanford Sentiment Treebank, five classes, from very negative to very positive.

8,544 / 1,101 / 2,210 sentences of film reviews. Always answering the commonest training label scores .23. The
Hub's copy was not tried from where this was written; its layout is from the data set's card.
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
