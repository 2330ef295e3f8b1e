"""WMT 2014 news translation, German to English.

4,508,785 / 3,000 / 3,003 pairs; the training pairs are from the European Parliament, news commentary and the web. All
of them are read into memory. Licence unknown. The layout of the Hub's copy is from the data set's card; the copy itself
was not tried.

Other pairs: `columns={"source": "translation.en", "target": "translation.de"}` translates the other way;
`dataset="wmt/wmt14:fr-en"` with `columns={"source": "translation.fr", "target": "translation.en"}` is another pair (the
card has cs-en, de-en, fr-en, hi-en, ru-en).
"""

from ..answers import FreeText
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "wmt/wmt14",
        columns={"source": "translation.de", "target": "translation.en"},
        config="de-en",
        licence="unknown",
        citation="Bojar et al. 2014, Findings of the 2014 Workshop on Statistical Machine Translation",
    ),
    FreeText(),
    ("chrf", "bleu"),
    __doc__,
)
