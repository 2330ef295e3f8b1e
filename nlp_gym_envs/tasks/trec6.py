"""TREC question classification, six coarse classes: what kind of thing does the question ask for?

5,452 training and 500 test questions; the data set has no validation split, so a tenth of its train is ours. Always
answering the commonest training label scores .19. The layout of the Hub's copy is from the data set's card; the copy
itself was not tried.
"""

from ..answers import Label
from ..task import Task
from ..text.corpora import Hub

LABELS = ("ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM")  # in the data set's order: label 0, label 1, ...

TASK = Task(
    Hub(
        "CogComp/trec",
        columns={"text": "text", "label": "coarse_label"},
        revision="refs/convert/parquet",  # the main branch is a loading script, which `datasets` no longer runs
        licence="unknown",
        citation="Li and Roth 2002, Learning Question Classifiers; Hovy et al. 2001",
    ),
    Label(LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
