"""AG's News topic classification: which of four desks a news item belongs to, from its title and description.

120,000 training and 7,600 test items; the data set has no validation split, so a tenth of its train is ours. A
constant answer scores .25. The source offers the data for research and other non-commercial activity. The layout of
the Hub's copy is from the data set's card; the copy itself was not tried.
"""

from ..answers import Label
from ..task import Task
from ..text.corpora import Hub

LABELS = ("World", "Sports", "Business", "Sci/Tech")  # in the data set's order: label 0, label 1, ...

TASK = Task(
    Hub(
        "fancyzhx/ag_news",
        columns={"text": "text", "label": "label"},
        licence="unknown (source: research and non-commercial use)",
        citation="Zhang, Zhao, LeCun 2015, Character-level Convolutional Networks for Text Classification",
    ),
    Label(LABELS),
    ("accuracy", "f1_macro", "precision_macro", "recall_macro", "f1_micro"),
    __doc__,
)
