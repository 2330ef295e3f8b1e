"""A span of the passage, narrowed down: first its sentence, then its first word, then its last.

The stages are those of Choi et al. 2017, "Coarse-to-fine question answering for long documents", and of pointer
networks. At every stage the candidates come best first by a simple rule, so that action i means the i-th most promising
of them, whatever the passage; what an agent has to learn is when the rule errs.

## Action space
`Discrete(W + 1)`: action i < W takes candidate i of the stage, action W says that there is no answer.

| stage | candidates, best first by the rule | at most |
|---|---|---|
| sentence | the sentences by how much of the question they have, in the same words or in words that go with them | `sentences` |
| first word | the words of that sentence: those that look like what is asked for and are not the question's | `words` |
| last word | that word and those behind it: where names, numbers and phrases end | `span` |

Only candidates that are there are allowed, and "no answer" only at the first stage, where the training split has
questions without one (or the passage has no word). An agent that takes a masked action gets candidate 0 and pays the
cost `invalid`.

## Observation space
| part | size | range | meaning |
|---|---|---|---|
| `candidates` | (W + 1) x 18 | -1 to 1 | 18 numbers for each action, one action after the other; zeros where it is masked. The first: is it there? |
| `stage` | 3 | 0 to 1 | one-hot |
| `question` | 13 | 0 to 1 | its type (who, where, when, how many, why, how, else), how it begins, its length |
| `sentence` | 14 | -1 to 1 | how the sentence taken matches; zeros before |

Sentences longer than W words are cut into pieces. Of a sentence the numbers tell: share of the question's weight that
it has by association and by the same words, their margins over the best other sentence, neighbouring words in common,
the weightiest question word that it misses, names in common, the best look of a word of it, its place, length,
negation, the overlap of the sentence before, and with `encoder` the cosine of sentence and question. "No answer" has
the numbers of the best sentence, and a last one of 1. Of a word: the
rule's score, its look, is it new, question words before and behind, their distance, capital, digits, function word,
the word before it (alike, "by" or "from", "to", a place word, a negation, an article), its place and weight. Of a last
word: the rule's score, the span's length, what the word and the next one look like, question words and commas inside.

## Starting state
An example of the split (see `order`), nothing taken yet.

## Rewards
At the end the task's metric (token F1) of the span; `invalid` is .05. With `reward="improvement"` the F1 of the best
span that can still be reached is paid as it changes: a step that loses nothing pays 0, one that loses the answer costs
what is lost (potential-based: it changes no policy's return but by the start's). Discount by 1: what can be
reached is not what an agent will find, and for one that looks at a single step it is best to keep every end open.

## Episode end
Terminated by the third choice, or by "no answer". Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `sentences` | 12 | candidates of the first stage |
| `words` | 32 | W: candidates of the second; longer sentences are cut |
| `span` | 8 | words of the longest span |
| `encoder` | none | an encoder by name: its cosine of sentence and question is among the numbers of a sentence |

## Version history
v0: first release.
"""  # noqa: E501

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import Span
from ..errors import BadArgument
from ..task import OpenTask, Task
from ..text.matching_passages import SEEN, Passages
from ..text.matching_pointer import ANSWERS, FEATURES, Pointer, question_features
from ..text.matching_reach import Reach
from ._base import Dynamics, box, positive

SENTENCE, FIRST, LAST, DONE = 0, 1, 2, 3
PENALTY = 0.05  # of a masked action


class SpanPointer(Dynamics):
    """Sentence, first word, last word."""

    name = "span"

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        sentences: int = 12,
        words: int = 32,
        span: int = 8,
        encoder: str | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(task, num_rows)
        most, width = positive("sentences", sentences, 1, int), positive("words", words, 2, int)
        self.longest = positive("span", span, 1, int)
        if max(most, self.longest) > width or width > 255:
            raise BadArgument(f"words must be at least sentences and span and at most 255, got {words!r}.")
        if encoder is not None and not isinstance(encoder, str | Mapping):
            raise BadArgument(f"encoder must be a name, or {{'name': ..., and its keywords}}, got {encoder!r}.")
        self.settings = {"sentences": most, "words": width, "span": self.longest, "encoder": encoder}
        spec = json.dumps(encoder, sort_keys=True)
        self.passages = Passages.of(task.examples, task.train, most, width, spec)
        self.pointer = Pointer(self.passages, width, self.longest)
        self.reach = Reach.of(task.examples, self.passages, self.longest)
        self.asked = question_features(task.examples)  # (N, 13)
        self.no_answer = width
        self.can_refuse = any(not any(accepted) for accepted in task.train.target)
        self.costs = {"invalid": PENALTY}
        self.parts = {"candidates": box(-1, 1, (width + 1) * FEATURES), "stage": box(0, 1, 3),
                      "question": box(0, 1, self.asked.shape[1]), "sentence": box(-1, 1, len(SEEN))}  # fmt: skip
        self.action_space = spaces.Discrete(width + 1)
        self.action_meanings = (*(f"candidate {i + 1}" for i in range(width)), "no answer")
        self.horizon = 3
        self.stage = np.full(num_rows, DONE)  # (B,)
        self.chosen = np.zeros((num_rows, 3), np.int64)  # (B, 3) the sentence, and words of it
        self.refused = np.zeros(num_rows, bool)  # (B,) "no answer" was said
        self.slots = np.zeros((num_rows, width + 1, FEATURES), np.float32)  # (B, W + 1, F) the actions as they are seen
        self.order = np.zeros((num_rows, width), np.int64)  # (B, W) which sentence, first or last word each of them is
        self.there = np.zeros((num_rows, width), bool)  # (B, W)

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return isinstance(task.answer, Span)

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.stage[rows], self.refused[rows], self.chosen[rows] = SENTENCE, False, 0
        self.order[rows] = np.arange(self.no_answer)
        self.slots[rows, :-1], self.there[rows] = self.pointer.sentences(examples)
        likeliest = np.where(self.there[rows], self.slots[rows, :-1, ANSWERS], -np.inf).argmax(1)
        self.slots[rows, -1] = self.slots[rows, likeliest]
        self.slots[rows, -1, 0] = self.slots[rows, -1, -1] = self.masks(rows)[:, -1]
        self.slots[rows, -1] *= self.slots[rows, -1, :1]

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        allowed = self.masks(rows)[np.arange(len(rows)), actions]
        nothing = ~self.there[rows, 0]  # a passage without a word: whatever is done, there is no answer
        refusing = ((actions == self.no_answer) & allowed) | nothing
        taken = np.where(allowed & ~refusing, actions, 0)
        self.chosen[rows, np.minimum(self.stage[rows], LAST)] = self.order[rows, taken]
        self.refused[rows] = refusing
        self.stage[rows] = np.where(refusing, DONE, self.stage[rows] + 1)
        for stage, point in ((FIRST, self.pointer.first_words), (LAST, self.pointer.last_words)):
            there = rows[self.stage[rows] == stage]
            if len(there):
                found = point(self.example[there], self.chosen[there])
                self.slots[there, :-1], self.there[there], self.order[there] = found
                self.slots[there, -1] = 0
        done = rows[self.stage[rows] == DONE]
        self.slots[done], self.there[done] = 0, False
        return {"invalid": PENALTY * ~allowed}

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.stage[rows] == DONE

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """Of an answer its metric; before it, the F1 of the best span that can still be reached."""
        found, done = np.zeros(len(rows)), self.over(rows)
        if done.any():
            ended = rows[done]
            found[done] = self.task.outcome(self.answers(ended), self.example[ended])
        for at in np.flatnonzero(~done):
            found[at] = self.reach.best(*self._where(int(rows[at])))
        return found

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        stage = self.stage[rows]
        taken = self.passages.seen[self.example[rows], self.chosen[rows, SENTENCE]]  # (B, 14)
        known = (stage != SENTENCE) & ~self.refused[rows]
        seen = {
            "candidates": self.slots[rows].reshape(len(rows), -1),
            "stage": (stage[:, None] == np.arange(3)).astype(np.float32),
            "question": self.asked[self.example[rows]],
            "sentence": np.where(known[:, None], taken, np.float32(0)),
        }  # sums of shares may be above 1 by a rounding
        return {name: np.clip(part, self.parts[name].low, self.parts[name].high) for name, part in seen.items()}

    def masks(self, rows: np.ndarray) -> np.ndarray:
        allowed = np.empty((len(rows), self.no_answer + 1), bool)
        allowed[:, :-1] = self.there[rows]
        allowed[:, -1] = (self.can_refuse & (self.stage[rows] == SENTENCE)) | ~self.there[rows, 0]
        return allowed

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        found = np.full(len(rows), self.no_answer)
        for at, row in enumerate(rows.tolist()):
            if self.there[row, 0]:
                best = self.reach.step(*self._where(row))
                found[at] = self.no_answer if best < 0 else np.flatnonzero(self.order[row] == best)[0]
        return found

    def worth(self, rows: np.ndarray) -> np.ndarray:
        """The best F1 that each action leaves within reach, (B, A); 0 for actions that are masked."""
        found = np.zeros((len(rows), self.no_answer + 1))
        for at, row in enumerate(rows.tolist()):
            each, found[at, -1] = self.reach.each(*self._where(row))
            there = self.there[row]
            offset = self.chosen[row, FIRST] if self.stage[row] == LAST else 0
            found[at, :-1][there] = each[self.order[row, there] - offset]
        return np.where(self.masks(rows), found, 0)

    def _where(self, row: int) -> tuple[int, int, np.ndarray, bool]:
        """Where a row stands, as `Reach` asks for it."""
        return int(self.example[row]), int(self.stage[row]), self.chosen[row], self.can_refuse

    def on_train(self, num_rows: int) -> "SpanPointer":
        """The same game on the training split, for what learns from it without an environment."""
        return SpanPointer(self.task.at("train"), num_rows, **self.settings)

    def texts(self, rows: np.ndarray) -> np.ndarray:
        found = self.task.examples["text"][self.example[rows]]  # a fresh array
        for at, row in enumerate(rows):
            if self.stage[row] in (FIRST, LAST):
                found[at] = f"{found[at]}\n{self._shown(row)}"
        return found

    def _shown(self, row: int) -> str:
        """What was taken so far, as a person would read it."""
        example, chosen = int(self.example[row]), self.chosen[row]
        whole = self.passages.text(example, chosen[SENTENCE])
        if self.stage[row] == FIRST:
            return f"in: {whole}"
        return f"in: {whole}\nfrom: {self.passages.text(example, chosen[SENTENCE], chosen[FIRST])}"

    def answers(self, rows: np.ndarray) -> np.ndarray:
        found = np.full(len(rows), "", object)
        for at, row in enumerate(rows):
            if self.stage[row] == DONE and not self.refused[row]:
                found[at] = self.passages.text(int(self.example[row]), *self.chosen[row])
        return found

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        answers, targets = self.answers(rows), self.task.examples.target[self.example[rows]]
        done = self.over(rows)
        found = {name: np.where(done, metric.each(answers, targets), 0.0) for name, metric in self.task.metrics.items()}
        return found | {"no_answer": self.refused[rows].astype(np.float64)}


DYNAMICS = SpanPointer
