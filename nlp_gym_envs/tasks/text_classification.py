"""Topic classification: which desk does a news text belong to?

BODY
"""

from ..answers import Label
from ..task import Task
from ..text.builtin import topics
from ..text.corpora import BuiltIn

TASK = Task(
    BuiltIn("nlp_gym_envs.text.builtin.topics"),
    Label(topics.LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
