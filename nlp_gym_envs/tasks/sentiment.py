"""Sentiment: does the text speak well or ill of what it is about?

A procedural corpus of short reviews (12,000 / 1,500 / 3,000 texts, 8 to 45 words), made by this package, balanced. The
label follows from rules a reader applies without doubt: negation, contrast ("although A, B"), intensity, opinions of
others that do not count. The split "compositional" (3,000 texts) nests them in ways that training never shows.

| | test | compositional |
|---|---|---|
| a constant answer | .50 | .50 |
| bag of words (TF-IDF of words and pairs, logistic regression) | .763 | .490 |
| a small GRU trained on the labels, three seeds | .982 to .990 | .821 to .853 |

`python benchmarks/builtin_difficulty.py` made the numbers.
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
