"""Label choice: read the text, name its label. One step, so a contextual bandit.

## Action space
`Discrete(K)`: action c answers with label c, in the order of the training split's labels. Nothing is ever masked.

## Observation space
| part | size | range | meaning |
|---|---|---|---|
| `text` | d | -5 to 5 | the text's vector by `encoder`, each number standardised by the training split, clipped |

## Starting state
An example of the split: drawn uniformly by the row's own stream, or the next one with `order="sequential"`.

## Rewards
The task's metric of the answer: 1 for the right label, 0 for a wrong one. Range [0, 1].

## Episode end
Terminated by the first action. Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `encoder` | `"tfidf"` | what a text looks like: `"tfidf"` (projected to 512 numbers), `"hashing"`, a transformers encoder by Hub name or path, your own by dotted name, or `{"name": ..., keywords}` |

## Version history
v0: first release.
"""  # noqa: E501

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import Label
from ..task import OpenTask, Task
from ..text.encoding import BOUND, encode
from ._base import Dynamics, box

UNANSWERED = -1


class LabelChoice(Dynamics):
    """One action, one answer."""

    name = "label"
    horizon = 1

    def __init__(self, task: OpenTask, num_rows: int, encoder: str | Mapping[str, Any] = "tfidf") -> None:
        super().__init__(task, num_rows)
        self.encoder = encoder
        self.encoded = encode(task.examples, task.train, encoder)  # (N, d)
        self.answer = np.full(num_rows, UNANSWERED)  # (B,)
        self.costs = {}
        self.parts = {"text": box(-BOUND, BOUND, self.encoded.dimensions)}
        self.action_space = spaces.Discrete(len(task.answer))
        self.action_meanings = tuple(f"answer {name}" for name in task.answer.names)

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return isinstance(task.answer, Label)

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.answer[rows] = UNANSWERED

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        self.answer[rows] = actions
        return {}

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.answer[rows] != UNANSWERED

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        return self.task.outcome(self.answer[rows], self.example[rows])

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"text": self.encoded.vectors.take(self.example[rows], axis=0)}

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        return self.task.examples.target[self.example[rows]]

    def texts(self, rows: np.ndarray) -> np.ndarray:
        return self.task.examples["text"][self.example[rows]]

    def answers(self, rows: np.ndarray) -> np.ndarray:
        return self.task.answer.texts[self.answer[rows]]  # the last of them, "", where unanswered


DYNAMICS = LabelChoice
