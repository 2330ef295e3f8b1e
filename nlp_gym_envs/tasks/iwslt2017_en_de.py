"""IWSLT 2017, English to German: subtitles of TED talks.

206,112 / 888 / 8,079 pairs. Licence CC BY-NC-ND 4.0. The layout of the Hub's copy is from the data set's card; the copy
itself was not tried.

Other pairs: `dataset="IWSLT/iwslt2017:iwslt2017-en-fr"` with
`columns={"source": "translation.en", "target": "translation.fr"}`; the card names each pair's configuration so
(iwslt2017-de-en, iwslt2017-en-ar, ...).
"""

from ..answers import FreeText
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "IWSLT/iwslt2017",
        columns={"source": "translation.en", "target": "translation.de"},
        config="iwslt2017-en-de",
        revision="refs/convert/parquet",  # the main branch is a loading script, which `datasets` no longer runs
        licence="cc-by-nc-nd-4.0",
        citation="Cettolo et al. 2017, Overview of the IWSLT 2017 Evaluation Campaign",
    ),
    FreeText(),
    ("chrf", "bleu"),
    __doc__,
)
