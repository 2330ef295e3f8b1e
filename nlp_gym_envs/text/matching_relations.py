"""Which sentence of a passage tells what a question asks: a classifier of a question beside a clause.

A clause is described by every pair of a word of the question with a word of the clause, or with two neighbours in it.
Names and numbers stand for no more than whether they are the question's, so that what is learned holds of others, too.
Logistic regression on hashed pairs (Weinberger et al. 2009, "Feature hashing for large scale multitask learning"), from
the training questions and the clauses that hold their answers; a training question is told by what the other half
teaches. A clause's pronoun is lent the last name before it.
"""

import functools
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from . import cache
from .examples import Examples
from .matching import WORD, stem
from .matching_reading import statements
from .matching_words import FLAG, looks
from .prefixes import folds

FORMAT = 1  # of the cached arrays; raise it when the same key would mean other numbers
BUCKETS = 1 << 18
WEIGHT = 0.3  # of a pair: with C below, how much is learned of pairs that are seen once
C = 3.0
PAIRS = 12_000_000  # that are learned from at most; bounds the memory at about 200 MB
BLOCK = 1_000  # questions at a time
NOTHING = -10.0  # the value of a sentence without a word
OWN, OTHER = 1, 2  # what stands for a name that is the question's, and for any other
BESIDE, COUNTED, LACKING = 3, 5, 7  # make neighbours, counts and lacking words different from words
PRONOUNS = frozenset("he she it they".split())
MIX, MIX_TOO, SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(46)  # odd; 64 - 18 bits

Clause = list[str]
Block = tuple[Any, np.ndarray, list[Clause]]


def answering(examples: Examples, train: Examples, passages: Any, taught: Any, key: dict[str, Any]) -> np.ndarray:
    """(N, S) float32: log odds that each candidate sentence of `passages` answers its question.

    `passages` are the `Passages` of `examples`, `taught` those of `train`; `key` names on disk what is learned of them.
    """
    learned = Sentences(train, taught)
    asked = learned if passages is taught else Sentences(examples, passages)
    part_of = folds(train["text"].tolist(), 2)
    found = np.full(passages.candidates.shape, NOTHING, np.float32)

    @functools.cache
    def half(part: int) -> list[Block]:
        return list(learned.blocks(np.flatnonzero(part_of == part)))

    def tell(blocks: Iterable[Block], part: int, teaching: Callable[[], Iterable[Block]]) -> None:
        named = {"what": "what tells sentences that answer", "format": FORMAT, "part": part, **key}
        weights = cache.array(named, lambda: learned.weights(teaching()))
        for pairs, owner, _ in blocks:
            np.maximum.at(found, tuple(owner.T), pairs @ weights[1:] + weights[0])

    if asked is learned:  # each half by the other
        tell(half(0), 0, lambda: half(1))
        tell(half(1), 1, lambda: half(0))
    else:
        tell(asked.blocks(np.arange(len(examples))), -1, lambda: learned.blocks(np.arange(len(train))))
    return found


class Sentences:
    """The clauses of each question's candidate sentences."""

    def __init__(self, examples: Examples, passages: Any) -> None:
        self.examples, self.passages = examples, passages
        self.questions: list[str] = examples["question"].tolist()

    def clauses(self, number: int) -> Iterator[tuple[int, Clause]]:
        """Of a question's passage, as it is read: which candidate a clause is of, and its words."""
        pieces = self.passages.candidates[number]
        subject: list[str] = []
        for rank in sorted(np.flatnonzero(pieces >= 0).tolist(), key=lambda rank: pieces[rank]):
            text = self.passages.text(number, rank)
            for words in statements(text):
                yield rank, lent(words, subject)
            subject = first_name(WORD.findall(text)) or subject

    def blocks(self, numbers: np.ndarray) -> Iterator[Block]:
        """The clauses of some questions, `BLOCK` questions at a time: their pairs (R, BUCKETS) sparse, (R, 2) the
        question and candidate of each, and their words."""
        for at in range(0, len(numbers), BLOCK):
            beside, owner, every = Pairs(), [], []
            for number in numbers[at : at + BLOCK].tolist():
                found = list(self.clauses(number))
                beside.add(self.questions[number], [words for _, words in found])
                owner += [(number, rank) for rank, _ in found]
                every += [words for _, words in found]
            if owner:
                yield beside.table(), np.array(owner, np.int64), every

    def right(self, owner: np.ndarray, clauses: list[Clause]) -> np.ndarray:
        """(R,) whether each clause holds an accepted answer; of several candidates that do the best match."""
        wanted = {
            n: [spelled(answer) for answer in self.examples.target[n] if answer] for n in set(owner[:, 0].tolist())
        }
        holds = [any(answer in spelled(words) for answer in wanted[number])
                 for number, words in zip(owner[:, 0].tolist(), clauses, strict=True)]  # fmt: skip
        best: dict[int, int] = {}
        for (number, rank), held in zip(owner.tolist(), holds, strict=True):
            if held:
                best[number] = min(rank, best.get(number, rank))
        return np.array(holds) & [best.get(number) == rank for number, rank in owner.tolist()]

    def weights(self, blocks: Iterable[Block]) -> np.ndarray:
        """(1 + BUCKETS,) float32, the bias first: what tells clauses that answer, learned of such blocks."""
        from scipy.sparse import vstack
        from sklearn.linear_model import LogisticRegression

        tables, right, size = [], [], 0
        for pairs, owner, clauses in blocks:
            tables.append(pairs)
            right.append(self.right(owner, clauses))
            size += pairs.nnz
            if size > PAIRS:
                break
        labels = np.concatenate(right) if right else np.zeros(0, bool)
        if len(np.unique(labels)) < 2:
            return np.zeros(1 + BUCKETS, np.float32)
        model = LogisticRegression(C=C, max_iter=200).fit(vstack(tables, "csr"), labels)
        return np.append(model.intercept_, model.coef_).astype(np.float32)


class Pairs:
    """Questions beside clauses: of each clause (R,) the codes of the question's words, and of its own."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.said: list[list[int]] = []
        self.alone: list[list[int]] = []  # what is no pair: the question's words that it lacks, names it has and lacks

    def add(self, question: str, clauses: list[Clause]) -> None:
        """A question beside each of some clauses."""
        words = WORD.findall(question)
        names = {word.lower() for at, word in enumerate(words) if is_name(word) and (at or word[0].isdigit())}
        kept = {word.lower(): code(word) for word in words if word.lower() not in names}
        codes = list(kept.values())
        for clause in clauses:
            lower = [word.lower() for word in clause]
            there = set(lower)
            own = [OWN if word in names else OTHER if is_name(written) else code(written)
                   for word, written in zip(lower, clause, strict=True)]  # fmt: skip
            beside = {31 * a + 131 * b + BESIDE for a, b in zip(own, own[1:], strict=False)}
            self.asked.append(codes)
            self.said.append([*dict.fromkeys(one for one in own if one > OTHER), *sorted(beside)])
            alone = [one * LACKING for word, one in kept.items() if word not in there]
            alone += [COUNTED + 10 * min(len(names - there), 3), COUNTED + 100 * min(len(names & there), 3)]
            self.alone.append(alone)

    def table(self) -> Any:
        """(R, BUCKETS) sparse: `WEIGHT` for each pair of a code of the question and one of the clause, and the rest."""
        from scipy.sparse import csr_matrix

        (asked, of_asked, first), (said, of_said, second) = _flat(self.asked), _flat(self.said)
        alone, of_alone, _ = _flat(self.alone)
        sizes = of_asked * of_said
        row = np.repeat(np.arange(len(sizes)), sizes)  # (E,) which clause each pair is of
        within = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        left, right = first[row] + within // of_said[row], second[row] + within % of_said[row]
        mixed = np.concatenate(((asked[left] * MIX) ^ (said[right] * MIX_TOO), alone * MIX_TOO))
        bucket = ((mixed ^ (mixed >> np.uint64(29))) * MIX >> SHIFT).astype(np.int64)
        rows = np.concatenate((row, np.repeat(np.arange(len(sizes)), of_alone)))
        return csr_matrix((np.full(len(rows), WEIGHT, np.float32), (rows, bucket)), (len(sizes), BUCKETS))


def _flat(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lists one behind the other, how long each is, and where it begins."""
    sizes = np.array([len(some) for some in lists], np.int64)
    return np.array([one for some in lists for one in some], np.uint64), sizes, np.cumsum(sizes) - sizes


@functools.lru_cache(maxsize=2**17)
def code(word: str) -> int:
    """A number above OTHER for a word's stem, the same in every process, below 2^32."""
    return max(OTHER + 1, zlib.crc32(stem(word).encode()))


def is_name(word: str) -> bool:
    """Whether a word looks like a name or a number."""
    return word[0].isdigit() or word[0].isupper()


def first_name(words: Clause) -> Clause:
    """The first words of a sentence that are capitalised in a row; a function word does not count as one."""
    found: list[str] = []
    for word in words:
        if word[0].isupper() and not looks(word)[FLAG["function"]]:
            found.append(word)
        elif found:
            break
    return found


def lent(words: Clause, subject: Clause) -> Clause:
    """The words with `subject` instead of the first pronoun."""
    at = next((at for at, word in enumerate(words) if word.lower() in PRONOUNS), None)
    return words if at is None or not subject else [*words[:at], *subject, *words[at + 1 :]]


def spelled(text: str | Clause) -> str:
    """A text's words in lower case, with blanks around each."""
    words = WORD.findall(text) if isinstance(text, str) else text
    return f" {' '.join(words).lower()} "
