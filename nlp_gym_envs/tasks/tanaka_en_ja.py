"""Short English sentences to Japanese: small_parallel_enja, a selection of the Tanaka corpus.

50,000 / 500 / 500 pairs of 4 to 16 words, English in lower case. Copying the source scores 0 on the test pairs. Both
sides are already cut into words by spaces, so BLEU takes the words as they are: `tokenize="none"`. The licence is not
stated where the data come from.

No copy on the Hub is known. Put its pairs into <NLP_GYM_DATA>/tanaka_en_ja, one file a split (train, validation, test)
with the columns source and target, or name such a folder with `dataset=`.
"""

from ..answers import FreeText
from ..task import Task
from ..text.corpora import Elsewhere

TASK = Task(
    Elsewhere(
        "https://github.com/odashi/small_parallel_enja",
        columns={"source": "source", "target": "target"},
        licence="unknown",
        citation="Tanaka 2001, Compilation of a multilingual parallel corpus",
    ),
    FreeText(tokenize="none"),
    ("chrf", "bleu"),
    __doc__,
)
