"""Translation, English to German.

A procedural corpus made by this package from a grammar of both languages at once (20,000 / 1,000 / 2,000 pairs, 4 to
20 words): gender, case and agreement, verb-second and verb-final clauses, separable and modal verbs, idioms whose
word-for-word translation is wrong. Every source has one standard target. The split "compositional" (2,000 pairs)
nests the same words in ways that training never shows. An empty answer scores 0.

Your own pairs, whatever the languages: `dataset="my_pairs.csv"` with the columns source and target, or
`columns={"source": "en", "target": "de"}`, `{"source": "translation.en", "target": "translation.de"}`.
"""

from ..answers import FreeText
from ..task import Task
from ..text.corpora import BuiltIn

TASK = Task(BuiltIn("nlp_gym_envs.text.builtin.translation"), FreeText(), ("chrf", "bleu"), __doc__)
