"""Sentiment: does the text speak well or ill of what it is about?

BODY
"""

from ..answers import Label
from ..task import Task
from ..text.builtin import sentiment
from ..text.corpora import BuiltIn

TASK = Task(
    BuiltIn("nlp_gym_envs.text.builtin.sentiment"),
    Label(sentiment.LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
