"""What an agent sees of the next tokens a model proposes: numbers for each candidate, the same for every model."""

import functools
from typing import Any

import numpy as np

from ..models.language_model import LanguageModel
from ..text.encoding import BOUND
from ..text.examples import Shared

CANDIDATE = (
    "log p / 10",
    "p",
    "log (p / highest p) / 10",
    "is END",
    "goes on with a word",
    "is in the prompt",
    "speaks for a prompt token (lexicon)",
    "speaks for a prompt token that is not yet covered",
    "was written before",
    "ends a pair of tokens that was written before",
    "ends a triple of tokens that was written before",
    "is the last token again",
    "is allowed",
    "characters / 10",
)
LIMIT = ("share of the length limit that is used with it / 2", "is beyond the limit")
TERMS = ("begins a missing term", "goes on with a missing term", "says a missing term's source word in another way")
PROGRESS = (
    "tokens written / longest",
    "tokens written / prompt tokens, / 2",
    "share of the prompt covered",
    "entropy of the candidates",
    "highest p",
    "p of END",
    "share of tokens that were written before",
)


NOTHING = -1  # in place of a token


class Reader:
    """What is known of each row's prompt: which tokens speak for which of its tokens.

    `support` (B, V) is the best lexicon probability of each answer token under the prompt, `origin` (B, V) the
    position of the prompt token that gives it. A step only indexes them; they change when a row begins.
    """

    def __init__(self, num_rows: int, vocabulary_size: int, lexicons: Any) -> None:
        self.lexicons = lexicons
        size = vocabulary_size if lexicons is not None else 1
        self.support = np.zeros((num_rows, size), np.float32)
        self.origin = np.zeros((num_rows, size), np.int16)

    def begin(self, row: int, example: int, prompt: np.ndarray) -> None:
        """A row gets an example and its prompt, (S,)."""
        if self.lexicons is None:
            return
        self.support[row], self.origin[row] = 0, 0
        position, target, probability = self.lexicons.of(example).of(prompt)
        order = np.argsort(probability, kind="stable")  # the likeliest is written last, and stays
        self.support[row, target[order]] = probability[order]
        self.origin[row, target[order]] = position[order]

    def of(self, rows: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Support and origin of tokens (b, k): each (b, k)."""
        if self.lexicons is None:
            return np.zeros(tokens.shape, np.float32), np.zeros(tokens.shape, np.int16)
        return self.support[rows[:, None], tokens], self.origin[rows[:, None], tokens]


def repeats(written: np.ndarray, length: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Of tokens (b, k) after `written` (b, T): was written, ends a pair, ends a triple seen before, is the last again.

    (4, b, k) bool.
    """
    same = written[:, None, :] == tokens[:, :, None]  # (b, k, T)
    last = _at(written, length - 1)
    pairs = same[:, :, 1:] & (written[:, :-1] == last[:, None])[:, None, :]
    before = _at(written, length - 2)
    triples = pairs[:, :, 1:] & (written[:, :-2] == before[:, None])[:, None, :]
    triples &= (length >= 2)[:, None, None]
    again = (last[:, None] == tokens) & (length > 0)[:, None]
    return np.stack((same.any(2), pairs.any(2) & (length > 0)[:, None], triples.any(2), again))


def _at(written: np.ndarray, position: np.ndarray) -> np.ndarray:
    """The token at a position of each row, -2 before the first."""
    return np.where(position >= 0, written[np.arange(len(written)), np.maximum(position, 0)], -2)


def projection(inputs: int, outputs: int) -> np.ndarray:
    """A fixed random matrix (inputs, outputs) with orthonormal columns, times sqrt(inputs): unit variance is kept."""
    drawn = np.random.default_rng(0).standard_normal((inputs, max(inputs, outputs)))
    return (np.linalg.qr(drawn)[0][:, :outputs] * np.sqrt(inputs)).astype(np.float32)


def squeezed(vectors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Vectors (b, d), each brought to unit length, projected: (b, n) float32, about standard normal, clipped."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.clip((vectors / np.maximum(length, 1e-6)) @ matrix, -BOUND, BOUND).astype(np.float32)


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Of distributions (b, k), over its most: (b,) in [0, 1]."""
    shares = probabilities / probabilities.sum(1, keepdims=True)
    nats = -(shares * np.log(np.maximum(shares, 1e-12))).sum(1)
    return np.clip(nats / np.log(max(2, probabilities.shape[1])), 0, 1)


def last_tokens(written: np.ndarray, length: np.ndarray, count: int) -> np.ndarray:
    """The last `count` of what is written (b, T) with lengths (b,): (b, count), NOTHING before the first."""
    places = length[:, None] - count + np.arange(count)
    return np.where(places >= 0, np.take_along_axis(written, np.maximum(places, 0), 1), NOTHING)


@functools.lru_cache(maxsize=4)
def embedded(model: LanguageModel, size: int) -> np.ndarray:
    """Each token's embedding, projected, (V, size)."""
    return squeezed(model.embeddings, projection(model.width, size))


class TokenTable(Shared):
    """What each token of a model writes, (V,) each.

    `characters`: how many it adds (a character of several bytes counts where it begins); `first`: without the blanks
    before it, which a text does not begin with; `inside`: no blank comes first; `joins`: it begins with a letter or
    digit, which makes one word of it and a word before it; `silent`: it writes nothing and is not END.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.characters = np.array([_begun_characters(piece) for piece in model.pieces], np.int64)
        self.first = np.array([_begun_characters(piece.lstrip()) for piece in model.pieces], np.int64)
        self.inside = np.array([bool(piece) and not piece[:1].isspace() for piece in model.pieces])
        self.joins = np.array([_begins_with_letter(piece) for piece in model.pieces])
        self.silent = np.array([not piece for piece in model.pieces])
        self.silent[model.end] = False

    @staticmethod
    @functools.lru_cache(maxsize=4)
    def of(model: LanguageModel) -> "TokenTable":
        """The table of a model, one for all who ask."""
        table = TokenTable(model)
        table.recipe = (TokenTable.of, (model,))
        return table


def _begins_with_letter(piece: bytes) -> bool:
    """Whether a piece begins with a letter, a digit or an underscore; a part of a longer character counts as one."""
    return bool(piece) and (piece[0] >= 0x80 or piece[:1].isalnum() or piece[:1] == b"_")


def _begun_characters(piece: bytes) -> int:
    """How many characters of UTF-8 begin in some bytes."""
    return sum(byte & 0xC0 != 0x80 for byte in piece)
