"""Multi30k, English to German: short descriptions of pictures.

29,000 / 1,014 / 1,000 pairs (test: the 2016 pictures of Flickr). On the test pairs, copying the source scores chrF
.163 and BLEU .005, an empty answer 0. The owners give the pictures to researchers and educators for non-commercial use;
of the texts no licence is stated. The layout of the Hub's copy is from the data set's card; the copy itself was not
tried.

Other pairs: `columns={"source": "de", "target": "en"}` translates the other way; `dataset=` reads another data set.
Where it keeps both texts in one column, a dot leads into it: `columns={"source": "translation.en", ...}`.
"""

from ..answers import FreeText
from ..task import Task
from ..text.corpora import Hub

TASK = Task(
    Hub(
        "bentrevett/multi30k",
        columns={"source": "en", "target": "de"},
        licence="unknown (pictures: non-commercial research and education)",
        citation="Elliott, Frank, Sima'an, Specia 2016, Multi30K: Multilingual English-German Image Descriptions",
    ),
    FreeText(),
    ("chrf", "bleu"),
    __doc__,
)
