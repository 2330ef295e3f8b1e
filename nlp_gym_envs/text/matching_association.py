"""Which words of a question go with which other words of a passage ("founded" with "open"), learned without answers.

A question was written about one sentence of its passage, nobody says which. So: choose a sentence; each word of the
question is then either one of the sentence's own, or drawn by a word of it from t(question word | sentence word), or
common. Expectation maximisation finds t and the sentences together. The word part is IBM Model 1 (Brown et al. 1993),
used for finding answers since Berger et al. 2000, "Bridging the lexical chasm".
"""

from collections.abc import Callable, Sequence

import numpy as np

from . import cache
from .examples import Examples

ROUNDS = 6
SAME = 0.6  # the share of a question's words that are the sentence's own
COMMON = 0.3  # of the others, the share that no word of the sentence accounts for
PRIOR = 0.5  # counts in favour of a word's overall frequency
ALONE = 2.0  # a question counts once at most, and its words may come in several wordings
LEAST = 0.05  # weaker links are left out
EVENTS = 3_000_000  # pairs of question and sentence words that are learned from; bounds the memory at about 200 MB
STRONG = 5.0  # log of how many times likelier a word makes another, from where on it counts in full
FORMAT = 2  # of the cached array; raise it when the same key would mean other numbers

Words = Sequence[int]
Questions = Sequence[tuple[Words, Sequence[Words]]]  # a question's different stems, and those of each sentence


class Association:
    """How strongly a word of a sentence speaks for a word of a question: 0 not at all, 1 as much as can be.

    `pairs` (L,) sorted int64, question stem x V + sentence stem; `strong` (L,) float32 in (0, 1].
    """

    def __init__(self, table: np.ndarray, size: int) -> None:
        self.pairs, self.strong, self.size = table[0].astype(np.int64), table[1].astype(np.float32), size

    def strength(self, asked: np.ndarray, said: np.ndarray) -> np.ndarray:
        """Of pairs of stem ids, both (E,): (E,) float32; 0 for stems that the training texts lack."""
        if not len(self.pairs):
            return np.zeros(len(asked), np.float32)
        wanted = asked * self.size + said
        at = np.minimum(np.searchsorted(self.pairs, wanted), len(self.pairs) - 1)
        known = (self.pairs[at] == wanted) & (asked < self.size) & (said < self.size)
        return np.where(known, self.strong[at], np.float32(0))


def association(train: Examples, side: str, size: int, questions: Callable[[], Questions]) -> Association:
    """What the training texts teach of `size` stems; kept on disk.

    `questions()` gives the ids of what is asked, and `side` names it: "question", or "choices" in its place.
    """
    key = {"what": "which words go together", "format": FORMAT, "side": side, "texts": train.text_digest}
    return Association(cache.array(key, lambda: learn(questions(), size)), size)


class _Events:
    """Every pair of a question word that a sentence lacks and a word that it has, one below the other."""

    def __init__(self, questions: Questions, size: int) -> None:
        asked: list[int] = []  # (X,) the word of each gap: a question word that a sentence lacks
        sentence_of: list[int] = []  # (X,) its sentence
        lengths: list[int] = []  # (X,) how many words that sentence has
        said: list[Words] = []
        self.example_of: list[int] = []  # (R,) the question of each sentence
        self.own: list[int] = []  # (R,) how many question words it has
        total = 0
        for number, (question, sentences) in enumerate(questions):
            if total > EVENTS:
                break
            for sentence in sentences:
                there, here = set(sentence), len(self.own)
                gaps = [word for word in question if word not in there]
                asked += gaps
                sentence_of += [here] * len(gaps)
                lengths += [len(sentence)] * len(gaps)
                said += [sentence] * len(gaps)
                total += len(gaps) * len(sentence)
                self.example_of.append(number)
                self.own.append(len(question) - len(gaps))
        self.asked, self.sentence_of = np.array(asked, np.int64), np.array(sentence_of, np.int64)
        self.length = np.array(lengths, np.int64)
        self.gap = np.repeat(np.arange(len(asked)), self.length)  # (E,)
        words = np.concatenate([np.asarray(part, np.int64) for part in said] or [np.zeros(0, np.int64)])
        self.kinds, self.pair = np.unique(self.asked[self.gap] * size + words, return_inverse=True)  # (L,), (E,)


def learn(questions: Questions, size: int) -> np.ndarray:
    """(2, L) float64: the pairs worth keeping, and how strong each is."""
    events = _Events(questions, size)
    if not len(events.kinds):
        return np.zeros((2, 0))
    asked, said = np.divmod(events.kinds, size)
    example_of, own = np.array(events.example_of), np.array(events.own)
    frequency = np.bincount(events.asked, minlength=size) + 0.1
    frequency = frequency / frequency.sum()  # (V,)
    likely = frequency[asked]  # (L,) t(question word | sentence word)
    share = (1 - SAME) * (1 - COMMON) / np.maximum(events.length, 1)  # (X,)
    counted = total = np.zeros(len(likely))
    for _ in range(ROUNDS):
        drawn = likely[events.pair]  # (E,)
        chance = share * np.bincount(events.gap, drawn, len(share)) + (1 - SAME) * COMMON * frequency[events.asked]
        fit = np.bincount(events.sentence_of, np.log(chance), len(own)) + own * np.log(SAME)
        best = np.full(example_of[-1] + 1, -np.inf)
        np.maximum.at(best, example_of, fit)
        meant = np.exp(fit - best[example_of])  # (R,) that the question is about this sentence
        meant /= np.bincount(example_of, meant)[example_of]
        counted = np.bincount(events.pair, (share / chance * meant[events.sentence_of])[events.gap] * drawn)
        total = np.bincount(said, counted, size)[said]
        likely = (counted + PRIOR * frequency[asked]) / (total + PRIOR)
    # less one question's share: a pair that one question alone is told by would help that very question only
    likely = np.maximum(counted - ALONE, 0) / (total + PRIOR)
    strength = np.log(np.maximum(likely / frequency[asked], 1e-9)) / STRONG
    kept = strength > LEAST
    return np.stack((events.kinds[kept].astype(np.float64), np.minimum(strength[kept], 1.0)))
