"""Question answering: find the answer in a short passage, or say that it has none.

A procedural corpus made by this package (12,000 / 1,000 / 2,000 questions, passages of 3 to 8 sentences) about invented
people, places and things. The passage words the relation otherwise than the question does, other sentences are built
alike, and 15 % of the questions have no answer: only an empty one is right then, so always answering nothing scores
.15. The split "compositional" (2,000) needs two sentences together, nested clauses and negation in ways that training
never shows.
"""

from ..answers import Span
from ..task import Task
from ..text.corpora import BuiltIn

TASK = Task(BuiltIn("nlp_gym_envs.text.builtin.question_answering"), Span(), ("f1", "exact_match"), __doc__)
