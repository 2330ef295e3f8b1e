"""XQuAD, English: 240 paragraphs of SQuAD 1.1's validation rows with their 1,190 questions.

The data set is one undivided part, made to test models that were trained on SQuAD. Here its paragraphs are dealt out,
about eight tenths to train, one to validation, one to test; `split="all"` has every question, to test what was trained
elsewhere. Every question has one answer. Licence CC BY-SA 4.0. The layout of the Hub's copy is from the data set's
card; the copy itself was not tried.

Other languages: `dataset="google/xquad:xquad.de"`; the card has ar, de, el, en, es, hi, ro, ru, th, tr, vi, zh. F1 and
exact match drop English articles and split at spaces, as SQuAD's own script does.
"""

from ..answers import Span
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "google/xquad",
        columns={"context": "context", "question": "question", "answers": "answers"},
        config="xquad.en",
        splits={"": "validation"},
        licence="cc-by-sa-4.0",
        citation="Artetxe, Ruder, Yogatama 2020, On the Cross-lingual Transferability of Monolingual Representations",
    ),
    Span(),
    ("f1", "exact_match"),
    __doc__,
)
