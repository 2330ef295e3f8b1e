"""Multiple choice: choose the answer to a question from the facts that are given, one of four or five.

A procedural corpus made by this package (12,000 / 1,000 / 2,000 questions) over an invented small world; the answer
follows from one fact or from two together, and wrong choices share words with question and facts. The split
"compositional" (2,000) combines the facts in ways that training never shows. Choosing at random scores .225: half of
the questions have four choices.
"""

from ..answers import Choice
from ..task import Task
from ..text.corpora import BuiltIn

TASK = Task(BuiltIn("nlp_gym_envs.text.builtin.multiple_choice"), Choice(), ("accuracy",), __doc__)
