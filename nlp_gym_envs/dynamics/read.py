"""Sequential reading: READ the next words, or stop and answer; every word read costs a little.

After Dulac-Arnold et al. 2011, "Text classification: a sequential reading approach", and Liu et al. 2018, "JUMPER".

## Action space
`Discrete(K + 1)`: action c < K answers with label c; action K is READ. READ is masked when nothing is left to read. An
agent that ignores masks and READs then hands the answer to the frozen classifier and pays the cost `invalid`.

## Observation space
What a small frozen classifier (logistic regression on TF-IDF, fitted on prefixes of the training texts; cross-fitted on
the training texts themselves) makes of the words read so far, and where in the text the reader is:

| part | size | range | meaning |
|---|---|---|---|
| `posterior` | K | 0 to 1 | the classifier's probability of each label |
| `change` | K | -1 to 1 | how the last chunk changed it |
| `confidence` | 3 | -1 to 1 | log-odds of the favourite (clipped at 5, over 5), its margin over the second, entropy over log K |
| `progress` | 4 | 0 to 1 | share of the text read, log words read (over the training split's longest), nothing left?, chunks since the favourite changed (over 8, clipped) |
| `chunk` | d | -5 to 5 | only with `encoder`: the vector of the chunk just read, zeros before the first |

## Starting state
An example of the split (see `order`), nothing of it read.

## Rewards
At the answer +1 if it is right and -1 (`wrong`) if not; every READ costs `reading_cost` for each word it reveals;
`invalid` is .05. With `reward="improvement"` the rise of the posterior of the right label is paid on the way instead
(potential-based shaping: it changes no policy's return but by the start's).

## Episode end
Terminated by an answer, at the latest when an agent READs with nothing left. Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `chunk` | 5 | words a READ reveals |
| `reading_cost` | 0.001 | the price of a word: the front of accuracy against words read is drawn by this |
| `wrong` | -1.0 | the reward of a wrong answer |
| `encoder` | none | an encoder by name: its vector of the last chunk joins the observation |

## Version history
v0: first release.
"""  # noqa: E501

import functools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import Label
from ..errors import BadArgument
from ..task import OpenTask, Task
from ..text.encoding import BOUND, Encoded, encode
from ..text.examples import Examples, Shared
from ..text.prefixes import prefixes
from ._base import Dynamics, box, positive

UNANSWERED = -1
PENALTY = 0.05  # of a READ with nothing left
SETTLED = 8  # chunks after which the favourite counts as wholly settled


class Reading(Dynamics):
    """READ, or answer."""

    name = "read"

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        chunk: int = 5,
        reading_cost: float = 0.001,
        wrong: float = -1.0,
        encoder: str | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(task, num_rows)
        self.chunk = positive("chunk", chunk, 1, int)
        self.reading_cost = positive("reading_cost", reading_cost, 0)
        if not isinstance(wrong, int | float) or not -100 <= wrong < 1:
            raise BadArgument(
                f"wrong must be a number of at least -100 and below 1, the reward of a right answer, got {wrong!r}."
            )
        self.pays = (float(wrong), 1.0)
        self.costs = {"reading": self.reading_cost * self.chunk, "invalid": PENALTY}
        self.table = ReadingTable.of(task.examples, task.train, self.chunk)
        self.chunks = chunk_vectors(task.examples, task.train, self.chunk, encoder) if encoder else None
        self.answer = np.full(num_rows, UNANSWERED)  # (B,)
        self.read = np.zeros(num_rows, np.int64)  # (B,) chunks read so far
        classes = len(task.answer)
        self.read_action = classes
        self.parts = {
            "posterior": box(0, 1, classes),
            "change": box(-1, 1, classes),
            "confidence": box(-1, 1, 3),
            "progress": box(0, 1, 4),
        }
        if self.chunks is not None:
            self.parts["chunk"] = box(-BOUND, BOUND, self.chunks.dimensions)
        self.action_space = spaces.Discrete(classes + 1)
        self.action_meanings = (*(f"answer {name}" for name in task.answer.names), "read on")
        self.horizon = int(self.table.chunks.max()) + 1

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return isinstance(task.answer, Label)

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.answer[rows] = UNANSWERED
        self.read[rows] = 0

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        reading = actions == self.read_action
        left = self.read[rows] < self.table.chunks[self.example[rows]]
        before = self._words_read(rows)
        self.read[rows] += reading & left
        handed_over = reading & ~left
        favourite = self.table.favourite[self._position(rows)]
        self.answer[rows] = np.where(reading, np.where(handed_over, favourite, UNANSWERED), actions)
        return {
            "reading": self.reading_cost * (self._words_read(rows) - before),
            "invalid": PENALTY * handed_over,
        }

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.answer[rows] != UNANSWERED

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """Of an answer 0 or 1; before it, the classifier's probability of the right label."""
        answered, examples = self.answer[rows], self.example[rows]
        standing = self.table.posterior[self._position(rows), self.task.examples.target[examples]]
        return np.where(answered == UNANSWERED, standing, self.task.outcome(answered, examples))

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        position = self._position(rows)
        classes = self.read_action
        seen = self.table.observation.take(position, axis=0)  # (B, 2 K + 3 + 4)
        parts = {
            "posterior": seen[:, :classes],
            "change": seen[:, classes : 2 * classes],
            "confidence": seen[:, 2 * classes : 2 * classes + 3],
            "progress": seen[:, 2 * classes + 3 :],
        }
        if self.chunks is not None:
            parts["chunk"] = self.chunks.vectors.take(position, axis=0)
        return parts

    def masks(self, rows: np.ndarray) -> np.ndarray:
        allowed = np.ones((len(rows), self.read_action + 1), bool)
        allowed[:, self.read_action] = self.read[rows] < self.table.chunks[self.example[rows]]
        return allowed

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        return self.task.examples.target[self.example[rows]]  # it need not read

    def texts(self, rows: np.ndarray) -> np.ndarray:
        texts, ends = self.task.examples["text"][self.example[rows]], self.table.ends[self._position(rows)]
        shown = np.empty(len(rows), object)
        shown[:] = [text[:end] for text, end in zip(texts, ends.tolist(), strict=True)]
        return shown

    def shown(self, rows: np.ndarray) -> np.ndarray:
        return self._words_read(rows)

    def answers(self, rows: np.ndarray) -> np.ndarray:
        return self.task.answer.texts[self.answer[rows]]  # the last of them, "", where unanswered

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        read, words = self._words_read(rows), self.table.words[self.example[rows]]
        return {
            self.task.metric.name: self.task.outcome(self.answer[rows], self.example[rows]),  # no answer is no hit
            "words_read": read.astype(np.float64),
            "fraction_read": read / np.maximum(words, 1),
        }

    def _position(self, rows: np.ndarray) -> np.ndarray:
        """Where in the table each row is, (B,)."""
        return self.table.start[self.example[rows]] + self.read[rows]

    def _words_read(self, rows: np.ndarray) -> np.ndarray:
        return np.minimum(self.read[rows] * self.chunk, self.table.words[self.example[rows]])


class ReadingTable(Shared):
    """All that a reader can see, for every prefix of every text, one below the other: a step only indexes it.

    `posterior` (P, K), `favourite` (P,), `observation` (P, 2 K + 7) float32, `ends` (P,) the prefix's length in
    characters; `start`, `chunks`, `words` (N,) as in `text.prefixes`.
    """

    @staticmethod
    @functools.lru_cache(maxsize=16)
    def of(examples: Examples, train: Examples, chunk: int) -> "ReadingTable":
        """The table of a split in chunks of `chunk` words."""
        table = ReadingTable(examples, train, chunk)
        table.recipe = (ReadingTable.of, (examples, train, chunk))
        return table

    def __init__(self, examples: Examples, train: Examples, chunk: int) -> None:
        known = prefixes(examples, train, chunk)
        self.posterior, self.start, self.chunks, self.words = known.posterior, known.start, known.chunks, known.words
        longest = max(1, int(prefixes(train, train, chunk).words.max()))
        text = np.repeat(np.arange(len(examples)), self.chunks + 1)  # (P,) which text each prefix is of
        number = np.arange(len(text)) - self.start[text]  # (P,) chunks read
        words = np.minimum(number * chunk, self.words[text])
        self.favourite = self.posterior.argmax(1)
        self.ends = _ends(examples["text"], chunk)
        change = np.diff(self.posterior, axis=0, prepend=self.posterior[:1])
        change[self.start] = 0
        top_two = np.sort(np.partition(self.posterior, -2, axis=1)[:, -2:], axis=1)  # (P, 2)
        odds = np.log(np.maximum(top_two[:, 1], 1e-6) / np.maximum(1 - top_two[:, 1], 1e-6))
        entropy = -(self.posterior * np.log(np.maximum(self.posterior, 1e-12))).sum(1) / np.log(self.posterior.shape[1])
        self.observation = np.column_stack((
            self.posterior,
            change,
            np.clip(odds, -5, 5) / 5,
            top_two[:, 1] - top_two[:, 0],
            np.clip(entropy, 0, 1),
            words / np.maximum(self.words[text], 1),
            np.minimum(np.log1p(words) / np.log1p(longest), 1),
            number == self.chunks[text],
            np.minimum(_settled(self.favourite, number), SETTLED) / SETTLED,
        )).astype(np.float32)  # fmt: skip


def _settled(favourite: np.ndarray, number: np.ndarray) -> np.ndarray:
    """For how many chunks the favourite has been what it is, (P,)."""
    position = np.arange(len(favourite))
    changed = (np.diff(favourite, prepend=-1) != 0) | (number == 0)
    return position - np.maximum.accumulate(np.where(changed, position, 0))


def _ends(texts: np.ndarray, chunk: int) -> np.ndarray:
    """Where each prefix ends in its text, in characters, (P,)."""
    ends: list[int] = []
    for text in texts:
        ends.append(0)
        words, at = text.split(), 0
        for number, word in enumerate(words, 1):
            at = text.index(word, at) + len(word)
            if number % chunk == 0 or number == len(words):
                ends.append(at)
    return np.array(ends, np.int64)


@functools.lru_cache(maxsize=8)
def _chunks_of(examples: Examples, chunk: int) -> Examples:
    """Every chunk as an example of its own, an empty one before each text's first: one for each prefix."""
    pieces: list[str] = []
    for text in examples["text"]:
        words = text.split()
        pieces.append("")
        pieces.extend(" ".join(words[at : at + chunk]) for at in range(0, len(words), chunk))
    return Examples({"text": pieces}, [0] * len(pieces), examples.labels)


def chunk_vectors(examples: Examples, train: Examples, chunk: int, encoder: str | Mapping[str, Any]) -> Encoded:
    """(P, d): the vector of the last chunk of every prefix, zeros where nothing is read."""
    return _chunk_vectors(examples, train, chunk, json.dumps(encoder, sort_keys=True))


@functools.lru_cache(maxsize=8)
def _chunk_vectors(examples: Examples, train: Examples, chunk: int, encoder: str) -> Encoded:
    vectors = encode(_chunks_of(examples, chunk), _chunks_of(train, chunk), json.loads(encoder)).vectors.copy()
    vectors[prefixes(examples, train, chunk).start] = 0
    encoded = Encoded(vectors)
    encoded.recipe = (chunk_vectors, (examples, train, chunk, json.loads(encoder)))
    return encoded


DYNAMICS = Reading
