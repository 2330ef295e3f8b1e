"""Stanford Sentiment Treebank, two classes: is the sentence from a film review positive or negative?

The Hub's copy (GLUE's) has 67,349 training phrases and 872 labelled validation sentences; its test labels are hidden,
so its validation rows are our test, and our validation is a tenth of its train. The sentence-level release has 6,920
/ 872 / 1,821 sentences. A constant answer scores .50. The layout of the Hub's copy is from the data set's card; the
copy itself was not tried.
"""

from ..answers import Label
from ..task import Task
from ..text.corpora import Hub

LABELS = ("negative", "positive")  # in the data set's order: label 0, label 1, ...

TASK = Task(
    Hub(
        "stanfordnlp/sst2",
        columns={"text": "sentence", "label": "label"},
        splits={"test": "validation"},
        licence="unknown",
        citation="Socher et al. 2013, Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank",
    ),
    Label(LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
