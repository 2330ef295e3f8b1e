"""How well a clause of a context accounts for a question with its answer ("slices through timber", "cuts wood").

Learned from the questions, contexts and right answers of the training split: which clause decides a question, nobody
says; expectation maximisation finds it together with t(word | word of the clause), the chance that a clause's word is
said again as another. A word may stand for itself; how far it does is learned too. IBM Model 1 (Brown et al. 1993).
"""

import re
from collections.abc import Sequence

import numpy as np

from .examples import Examples
from .matching import WORD, Ids, Weights
from .matching_words import sentences
from .prefixes import folds

READ = ("chance", "log_chance", "by_clause", "in_clause")  # of a choice; see `_features`
LEAST = -12.0  # of a log chance
BLOCK = 1_000  # questions at a time
_CUT = re.compile(r"[,;:()–—]+\s|\b(?:and|but|while|whereas|although|though)\b")
_OPENS = frozenset("a an the every any each this that whatever everything anything".split())
_TAKES_UP = frozenset("which who that".split())
ROUNDS = 8
COMMON = 0.1  # the share of the words that no word of the clause accounts for
SELF = 0.3  # counts in favour of a word standing for itself; its chance to where nothing is known of it
PRIOR = 1.0  # counts in favour of a word's overall frequency
RARE = 1e-4  # the frequency of a word that the training texts lack
ALONE = 1.0  # counts that a pair of words loses: what one question alone tells is no rule
EVENTS = 3_000_000  # pairs of words that are learned from; bounds the memory at about 200 MB

Words = Sequence[int]


def statements(text: str) -> list[list[str]]:
    """The words of each clause; one without a subject of its own ("..., which hides eggs and eats fish") is lent the
    last before it in its sentence: an article and the word behind."""
    found = []
    for start, stop in sentences(text):
        subject: list[str] = []
        for clause in _CUT.split(text[start:stop]):
            words = WORD.findall(clause)
            opening = next((at for at, word in enumerate(words[:2]) if word.lower() in _OPENS - _TAKES_UP), None)
            if opening is not None:
                subject = words[opening : opening + 2]
            elif words:
                words = subject + words[words[0].lower() in _TAKES_UP :]
            if words:
                found.append(words)
    return found


class Pages:
    """The ids of each question's stems, of its choices' own, and of the clauses of its context."""

    def __init__(self, examples: Examples, known: Weights) -> None:
        ids = Ids(known)

        def of(text: str) -> list[int]:
            return list(dict.fromkeys(ids(WORD.findall(text))))

        self.asked = [of(question) for question in examples["question"]]
        self.choices: list[list[list[int]]] = []
        for asked, choices in zip(self.asked, examples["choices"], strict=True):
            every = [of(choice) for choice in choices]
            self.choices.append([[word for word in choice if word not in asked] or choice for choice in every])
        self.clauses = [[list(dict.fromkeys(ids(words))) for words in statements(context)] if context else []
                        for context in examples["context"]]  # fmt: skip


def readings(examples: Examples, train: Examples, known: Weights) -> np.ndarray:
    """(P, 4) float32, see READ: of all choices; of a training question by what the other half teaches."""
    taught = Pages(train, known)
    pages = taught if examples is train else Pages(examples, known)
    part_of = folds(train["text"].tolist(), 2)
    found: list[np.ndarray] = [np.zeros((0, len(READ)), np.float32)] * len(examples)
    for part in (0, 1) if examples is train else (-1,):
        learned = np.flatnonzero(part_of != part)
        reading = Reading(
            [taught.asked[n] + taught.choices[n][train.target[n]] for n in learned.tolist()],
            [taught.clauses[n] for n in learned.tolist()],
            len(known),
        )
        mine = np.flatnonzero(part_of == part) if part >= 0 else np.arange(len(examples))
        for at in range(0, len(mine), BLOCK):
            block = mine[at : at + BLOCK].tolist()
            for number, rows in zip(block, _features(reading, pages, block), strict=True):
                found[number] = rows
    return np.concatenate(found) if found else np.zeros((0, len(READ)), np.float32)


def _features(reading: "Reading", pages: Pages, numbers: Sequence[int]) -> list[np.ndarray]:
    """Of each question (K, 4): the chance of each choice, its log, what the clauses that fit the question make of it,
    and how well the clause that fits best has its words."""
    texts, clauses = [], []
    for number in numbers:
        for clause in pages.clauses[number]:
            texts += [pages.asked[number], *pages.choices[number]]
            clauses += [clause] * (1 + len(pages.choices[number]))
    fits, at, found = reading.fit(texts, clauses), 0, []
    for number in numbers:
        count, size = len(pages.clauses[number]), [len(choice) for choice in pages.choices[number]]
        if not count:
            found.append(np.zeros((len(size), len(READ)), np.float32))
            continue
        fit = fits[at : at + count * (1 + len(size))].reshape(count, -1)  # (C, 1 + K)
        at += fit.size
        question, each = fit[:, 0], fit[:, 1:]
        whole = np.logaddexp.reduce(question[:, None] + each, axis=0)  # (K,)
        log_chance = whole - np.logaddexp.reduce(whole)
        decides = np.exp(question - np.logaddexp.reduce(question))  # (C,)
        within = each / np.maximum(size, 1)  # longer ones are no likelier
        sharp = np.exp(each - np.logaddexp.reduce(each, axis=1)[:, None])
        found.append(np.column_stack((
            np.exp(log_chance), np.maximum(log_chance, LEAST), decides @ sharp, within[question.argmax()],
        )).astype(np.float32))  # fmt: skip
    return found


class Gaps:
    """Every word of some texts against every word of a clause for each: R texts, G words in all, E pairs."""

    def __init__(self, texts: Sequence[Words], clauses: Sequence[Words]) -> None:
        sizes = np.array([len(text) for text in texts], np.int64)
        self.rows = len(sizes)
        self.row = np.repeat(np.arange(len(sizes)), sizes)  # (G,) which text each word is of
        self.word = _joined(texts)  # (G,)
        self.width = np.repeat(np.array([len(clause) for clause in clauses], np.int64), sizes)  # (G,)
        self.gap = np.repeat(np.arange(len(self.word)), self.width)  # (E,) which word of a text each pair is of
        self.said = _joined([clause for clause, size in zip(clauses, sizes.tolist(), strict=True)
                             for _ in range(size)])  # fmt: skip  # (E,) the word of the clause

    def chance(self, likely: np.ndarray, frequency: np.ndarray) -> np.ndarray:
        """(G,) of each word, by the chance (E,) that each pair gives it and how frequent it is (G,)."""
        drawn = np.bincount(self.gap, likely, len(self.word)) / np.maximum(self.width, 1)
        return (1 - COMMON) * drawn + COMMON * frequency

    def total(self, values: np.ndarray) -> np.ndarray:
        """(R,) the sum of each text's values (G,)."""
        return np.bincount(self.row, values, self.rows)


class Reading:
    """`pairs` (L,) sorted int64, word x V + word of a clause; `likely` (L,) its chance; `frequency` (V + 1,)."""

    def __init__(self, texts: Sequence[Words], clauses: Sequence[Sequence[Words]], size: int) -> None:
        """Learn of `size` words from texts, a question and its answer each, and the clauses of their contexts."""
        self.size = size
        texts, clauses = _enough(texts, clauses)
        one = [text for text, some in zip(texts, clauses, strict=True) for _ in some]
        gaps = Gaps(one, [clause for some in clauses for clause in some])
        group = np.repeat(np.arange(len(texts)), [len(some) for some in clauses])  # (R,) whose clause each is
        counted = np.bincount(np.minimum(_joined(texts), size), minlength=size + 1).astype(np.float64)
        counted[size] = 0
        self.frequency = np.maximum(counted / max(counted.sum(), 1), RARE)
        known, said = np.minimum(gaps.word, size), np.minimum(gaps.said, size)
        self.pairs, pair = np.unique(known[gaps.gap] * (size + 1) + said, return_inverse=True)
        asked, heard = np.divmod(self.pairs, size + 1)
        alike, common = asked == heard, self.frequency[asked]
        self.likely = np.where(alike, 0.5, 1.5 * common)
        frequent = self.frequency[known]
        for number in range(ROUNDS if len(pair) else 0):
            drawn = self.likely[pair]
            chance = gaps.chance(drawn, frequent)
            meant = softmax(gaps.total(np.log(chance / frequent)), group, len(texts))  # (R,) the clause that decides
            share = (meant[gaps.row] * (1 - COMMON) / np.maximum(gaps.width, 1) / chance)[gaps.gap] * drawn
            counts = np.bincount(pair, share, len(self.pairs)) + SELF * alike
            total = np.bincount(heard, counts, size + 1)[heard]
            if number == ROUNDS - 1:
                counts = np.maximum(counts - ALONE, SELF * alike)
            self.likely = (counts + PRIOR * common) / (total + PRIOR)

    def fit(self, texts: Sequence[Words], clauses: Sequence[Words]) -> np.ndarray:
        """(R,) how many times likelier each text is beside its clause than anywhere, as a log."""
        gaps = Gaps(texts, clauses)
        asked, said = gaps.word[gaps.gap], gaps.said
        likely = np.where(asked == said, SELF, 0.0)
        if len(self.pairs):
            wanted = np.minimum(asked, self.size) * (self.size + 1) + np.minimum(said, self.size)
            at = np.minimum(np.searchsorted(self.pairs, wanted), len(self.pairs) - 1)
            found = (self.pairs[at] == wanted) & (asked < self.size) & (said < self.size)
            likely = np.where(found, self.likely[at], likely)
        frequency = self.frequency[np.minimum(gaps.word, self.size)]
        return gaps.total(np.log(gaps.chance(likely, frequency) / frequency))


def _enough(texts: Sequence[Words], clauses: Sequence[Sequence[Words]]) -> tuple[list[Words], list[Sequence[Words]]]:
    """The first texts that have clauses, as many as EVENTS allows."""
    pairs, kept = 0, []
    for number, (text, some) in enumerate(zip(texts, clauses, strict=True)):
        pairs += len(text) * sum(map(len, some))
        if pairs > EVENTS:
            break
        if some:
            kept.append(number)
    return [texts[number] for number in kept], [clauses[number] for number in kept]


def softmax(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """The values as chances that add up to 1 in each group, (R,)."""
    highest = np.full(groups, -np.inf)
    np.maximum.at(highest, group, values)
    chance = np.exp(values - highest[group])
    return chance / np.bincount(group, chance, groups)[group]


def _joined(parts: Sequence[Words]) -> np.ndarray:
    return np.fromiter((word for part in parts for word in part), np.int64)
