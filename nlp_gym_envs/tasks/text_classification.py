"""Topic classification: which desk does a news text belong to?

A procedural corpus of news-like texts (12,000 / 1,500 / 3,000, 10 to 45 words), made by this package, balanced over
"world", "sports", "business", "science". The topic is that of the main event; digressions, metaphors and corrections
borrow the other topics' words. The split "compositional" (3,000 texts) nests them in ways that training never shows.

| | test | compositional |
|---|---|---|
| a constant answer | .25 | .25 |
| bag of words (TF-IDF of words and pairs, logistic regression) | .766 | .478 |
| a small GRU trained on the labels, three seeds | 1.000 | .924 to .929 |

`python benchmarks/builtin_difficulty.py` made the numbers.
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
