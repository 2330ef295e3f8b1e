"""Multiple choice, one choice at a time: take the one that is shown, or go on to the next. There is no way back.

After the question-answering environment of Ramamurthy et al. 2020, "NLPGym". The choices come in an order that is
shuffled for each episode, so that no place among them tells anything.

## Action space
`Discrete(2)`: 0 ANSWER takes the choice shown, 1 CONTINUE shows the next. On the last choice CONTINUE is masked. An
agent that ignores masks and continues there takes that choice and pays the cost `invalid`.

## Observation space
F numbers tell how a choice matches: 10 from words (the share of its weight in the question; in the context; there or
by words that go with it; the best window of the context, Richardson et al. 2013; the best link of question and choice
by a sentence of the context, by the same words, by words that go with them, and the latter by a clause and by two
clauses that share words; whether that clause negates; its length), 4 from how likely a clause is to be asked about with
this question and this choice (IBM Model 1: its chance among the choices, the log of it, what the clauses that fit the
question make of it, and how the one that fits best has its words), and with `encoder` 3 cosines (with question,
context, both). Which words go together is learned from the training texts, for the 4 with their right answers: those
of a training question from the other half of the split. All are standardised by the training split and clipped.

| part | size | range | meaning |
|---|---|---|---|
| `choice` | F | -5 to 5 | how the choice shown matches |
| `best` | F | -5 to 5 | the greatest of each number among the choices passed by; 0 before there are any |
| `margin` | F | -10 to 10 | `choice` less `best`; 0 before there are any |
| `ahead` | F | -10 to 10 | only with `ahead`: `choice` less the greatest among all the others, also those to come |
| `progress` | 4 | 0 to 1 | share of the choices passed by, 1 / choices left with this one, is it the first?, the last? |
| `vectors` | 3 d | -5 to 5 | only with `encoder` and `vectors`: d components of the question's and of the choice's vector, their products |

## Starting state
An example of the split (see `order`), its choices shuffled by the row's own stream, the first of them shown.

## Rewards
At the answer 1 if it is right, 0 if not. Every CONTINUE costs `looking_cost`; `invalid` is .05. With
`reward="improvement"` the chance of a right answer by drawing blindly from the choices left is paid as it changes:
passing by the right choice costs it, passing by a wrong one raises it (potential-based: it changes no policy's return
but by the start's 1 / choices).

## Episode end
Terminated by an answer, at the latest when an agent continues on the last choice. Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `encoder` | none | an encoder by name, as `"sentence-transformers/all-MiniLM-L6-v2"`: its cosines (and vectors) join the observation |
| `vectors` | 0 | how many components of the encoder's vectors an agent sees |
| `ahead` | False | whether it also sees how the choice shown compares with those to come |
| `looking_cost` | 0.0 | the price of a CONTINUE |

## Version history
v0: first release.
"""  # noqa: E501

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import Choice
from ..errors import BadArgument
from ..streams import GOLDEN, mix
from ..task import OpenTask, Task
from ..text.encoding import BOUND
from ..text.examples import Examples
from ..text.matching_choices import ChoiceTable
from ._base import Dynamics, box, positive

ANSWER, CONTINUE = 0, 1
UNANSWERED = -1
PENALTY = 0.05  # of a CONTINUE on the last choice
SHUFFLE = 1  # the draw of a row's stream that its order of choices comes from


class ChoiceByChoice(Dynamics):
    """ANSWER, or CONTINUE."""

    name = "choices"

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        encoder: str | Mapping[str, Any] | None = None,
        vectors: int = 0,
        ahead: bool = False,
        looking_cost: float = 0.0,
    ) -> None:
        super().__init__(task, num_rows)
        dimensions = positive("vectors", vectors, 0, int)
        if dimensions and encoder is None:
            raise BadArgument(f"vectors={vectors!r} goes with an encoder; name one, or leave vectors at 0.")
        if not isinstance(ahead, bool):
            raise BadArgument(f"ahead must be True or False, got {ahead!r}.")
        self.ahead, self.looking_cost = ahead, positive("looking_cost", looking_cost, 0)
        self.costs = {"looking": self.looking_cost, "invalid": PENALTY}
        spec = json.dumps(encoder, sort_keys=True) if isinstance(encoder, str | Mapping | None) else ""
        if not spec:
            raise BadArgument(f"encoder must be a name, or {{'name': ..., and its keywords}}, got {encoder!r}.")
        self.spec, self.dimensions = spec, dimensions
        self.table = self.table_of(task.examples)
        self.horizon = int(self.table.count.max())
        self.order = np.zeros((num_rows, self.horizon), np.int64)  # (B, K) the choices in the order of the episode
        self.at = np.zeros(num_rows, np.int64)  # (B,) which of them is shown
        self.answer = np.full(num_rows, UNANSWERED)  # (B,) as the examples number the choices
        features = len(self.table.names)
        self.parts = {"choice": box(-BOUND, BOUND, features), "best": box(-BOUND, BOUND, features),
                      "margin": box(-2 * BOUND, 2 * BOUND, features)}  # fmt: skip
        if ahead:
            self.parts["ahead"] = box(-2 * BOUND, 2 * BOUND, features)
        self.parts["progress"] = box(0, 1, 4)
        if self.table.vectors is not None:
            self.parts["vectors"] = box(-BOUND, BOUND, self.table.vectors.shape[1])
        self.action_space = spaces.Discrete(2)
        self.action_meanings = ("answer with this choice", "continue to the next")

    def table_of(self, examples: Examples) -> ChoiceTable:
        """How the choices of a split match."""
        return ChoiceTable.of(examples, self.task.train, self.spec, self.dimensions)

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return isinstance(task.answer, Choice)

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.at[rows] = 0
        self.answer[rows] = UNANSWERED
        step = np.arange(1, self.horizon + 1, dtype=np.uint64) * GOLDEN
        keys = mix(self.streams.bits(rows, SHUFFLE)[:, None] + step)  # (B, K) SplitMix64's next numbers
        keys[np.arange(self.horizon) >= self.table.count[examples][:, None]] = np.uint64(2**64 - 1)  # no choices: last
        self.order[rows] = np.argsort(keys, axis=1, kind="stable")

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        continuing, last = np.equal(actions, CONTINUE), np.equal(self._left(rows), 1)
        shown = self._shown(rows)
        self.answer[rows] = np.where(continuing & ~last, UNANSWERED, shown)
        self.at[rows] += continuing & ~last
        return {"looking": self.looking_cost * (continuing & ~last), "invalid": PENALTY * (continuing & last)}

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.answer[rows] != UNANSWERED

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """Of an answer 0 or 1; before it, the chance of drawing the right choice from those left."""
        answered, examples = self.answer[rows], self.example[rows]
        standing = np.where(self._passed(rows), 0, 1 / self._left(rows))
        return np.where(answered == UNANSWERED, standing, self.task.outcome(answered, examples))

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        at, count = self.at[rows], self.table.count[self.example[rows]]
        first = self.table.start[self.example[rows]]
        here = np.arange(self.horizon)
        there = here < count[:, None]  # (B, K)
        matches = self.table.matches[first[:, None] + np.where(there, self.order[rows], 0)]  # (B, K, F)
        shown = matches[np.arange(len(rows)), at]
        passed = _greatest(matches, here < at[:, None])
        left = count - at
        parts = {"choice": shown, "best": passed, "margin": np.where(at[:, None] > 0, shown - passed, np.float32(0))}
        if self.ahead:
            parts["ahead"] = shown - _greatest(matches, there & (here != at[:, None]))
        parts["progress"] = np.column_stack((at / count, 1 / left, at == 0, left == 1)).astype(np.float32)
        if self.table.vectors is not None:
            parts["vectors"] = self.table.vectors[first + self._shown(rows)]
        return parts

    def masks(self, rows: np.ndarray) -> np.ndarray:
        allowed = np.ones((len(rows), 2), bool)
        allowed[:, CONTINUE] = self._left(rows) > 1
        return allowed

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        right = self._shown(rows) == self.task.examples.target[self.example[rows]]
        return np.where(right | (self._left(rows) == 1), ANSWER, CONTINUE)

    def texts(self, rows: np.ndarray) -> np.ndarray:
        examples, shown = self.example[rows], self._shown(rows)
        found = np.empty(len(rows), object)
        found[:] = [
            f"{text}\nchoice {at + 1} of {len(choices)}: {choices[choice]}"
            for text, choices, at, choice in zip(
                self.task.examples["text"][examples], self.task.examples["choices"][examples],
                self.at[rows].tolist(), shown.tolist(), strict=True,
            )
        ]  # fmt: skip
        return found

    def answers(self, rows: np.ndarray) -> np.ndarray:
        given = zip(self.task.examples["choices"][self.example[rows]], self.answer[rows].tolist(), strict=True)
        found = np.empty(len(rows), object)
        found[:] = ["" if answer == UNANSWERED else choices[answer] for choices, answer in given]
        return found

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {
            self.task.metric.name: self.task.outcome(self.answer[rows], self.example[rows]),  # no answer is no hit
            "choices_seen": self.at[rows] + 1.0,
        }

    def _shown(self, rows: np.ndarray) -> np.ndarray:
        """The choice shown in each row, as the examples number them, (B,)."""
        return self.order[rows, self.at[rows]]

    def _left(self, rows: np.ndarray) -> np.ndarray:
        """How many choices are left in each row, with the one shown, (B,)."""
        return self.table.count[self.example[rows]] - self.at[rows]

    def _passed(self, rows: np.ndarray) -> np.ndarray:
        """Whether the right choice was passed by, (B,) bool."""
        right = self.order[rows] == self.task.examples.target[self.example[rows]][:, None]
        return right.argmax(1) < self.at[rows]


def _greatest(matches: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The greatest of each number over some choices, (B, K, F) and (B, K) to (B, F); 0 over none."""
    greatest = np.where(where[..., None], matches, np.float32(-np.inf)).max(1)
    return np.where(where.any(1, keepdims=True), greatest, np.float32(0))


DYNAMICS = ChoiceByChoice
