"""Emotions of English Twitter messages: six of them.

16,000 / 2,000 / 2,000 messages. Always answering joy scores about .35. For educational and research use. The layout
of the Hub's copy is from the data set's card; the copy itself was not tried.
"""

from ..answers import Label
from ..task import Task
from ..text.corpora import Hub

LABELS = ("sadness", "joy", "love", "anger", "fear", "surprise")  # in the data set's order: label 0, label 1, ...

TASK = Task(
    Hub(
        "dair-ai/emotion",
        columns={"text": "text", "label": "label"},
        config="split",
        licence="other (educational and research use)",
        citation="Saravia et al. 2018, CARER: Contextualized Affect Representations for Emotion Recognition",
    ),
    Label(LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
