"""ARC-Easy: choose the answer to a question of a school's science examination; most have four choices.

2,251 / 570 / 2,376 questions. Choosing at random scores about .25. Licence CC BY-SA 4.0. The layout of the Hub's copy
is from the data set's card; the copy itself was not tried. `dataset="allenai/ai2_arc:ARC-Challenge"` is the harder
set (1,119 / 299 / 1,172).
"""

from ..answers import Choice
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "allenai/ai2_arc",
        columns={"question": "question", "choices": "choices", "answer": "answerKey"},
        config="ARC-Easy",
        licence="cc-by-sa-4.0",
        citation="Clark et al. 2018, Think you have Solved Question Answering? Try ARC, the AI2 Reasoning Challenge",
    ),
    Choice(),
    ("accuracy",),
    __doc__,
)
