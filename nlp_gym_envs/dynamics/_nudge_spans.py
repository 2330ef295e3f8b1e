"""Candidates that a small frozen reader finds in a passage: the spans it holds likeliest, and no answer."""

from typing import Any

import numpy as np

from ..answers import Span
from ..errors import BadArgument
from ..task import OpenTask
from ..text import cache
from ..text.examples import Examples
from ..text.matching_passages import Passages
from ..text.matching_pointer import FEATURES as SEEN
from ..text.matching_pointer import Pointer
from ._nudge_candidates import Candidates, Table

TEXTS = 2_000  # questions of a split that batches are drawn from
LEARNED = 2_000  # training questions that the reader has learned from
SENTENCES, FIRST, LAST = 3, 4, 2  # of the first so many candidates of each stage every way is a span
COUNT = SENTENCES * FIRST * LAST + 1  # and no answer, the last
WORDS, LONGEST = 32, 8  # of a sentence and of a span, as `span` has them
SCALE = (4, 4, 4)  # what a weight of 1 is worth in log p: to no answer, to `LONGEST` words, to the passage's end
UPDATES, RATE, DECAY = 200, 0.05, 1e-4  # of the reader's learning, by Adam
FORMAT = 1  # of the cached arrays; raise it when the same key would mean other numbers


class Spans(Candidates):
    """What a reader found; worth more or less by having no answer, by its length, and by its place."""

    form = Span
    words = ("no answer", "length", "lateness")
    hidden = (1.5, 1.0, 1.0)

    def __init__(self, task: OpenTask, model: str | None) -> None:
        if model is not None:
            raise BadArgument(f"model={model!r} goes with tasks whose answers are written; leave it out.")
        super().__init__(task, table(task))


def table(task: OpenTask) -> Table:
    """The candidates of a split. Of the training split, those of questions that the reader has not learned from."""
    train, examples = task.train, task.examples
    learned = np.arange(len(train))[::2][:LEARNED]
    asked = np.arange(len(examples))
    if examples is train and len(train) > 1:
        asked = np.setdiff1d(asked, learned)
    asked = asked[:: -(-len(asked) // TEXTS)]
    found = _Found(examples, train, asked)
    key = {"what": "a reader of spans", "format": FORMAT, "train": train.digest, "learned": len(learned)}
    targets = task.answer.accepted_of(train)[learned]
    weights = cache.array(key, lambda: _learn(_Found(train, train, learned), targets, task.metric))
    scores = np.where(found.there, found.seen @ weights, -np.inf)
    scores -= scores.max(1, keepdims=True)
    log_p = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    features = np.zeros((*log_p.shape, 3))
    features[:, -1, 0] = SCALE[0]
    features[..., 1] = SCALE[1] * found.length / LONGEST
    features[..., 2] = SCALE[2] * found.place
    unanswerable = np.array([not any(accepted) for accepted in task.accepted[asked]])
    group = unanswerable.astype(np.int64) if unanswerable.any() else np.zeros(len(asked), np.int64)
    return Table(task, asked, found.answers, log_p, features, group)


class _Found:
    """The candidates of some questions.

    `answers` (M, C) object, `there` (M, C) bool, `length` in words and `place` in the passage (M, C), and what the
    reader sees, `seen` (M, C, f) float32.
    """

    def __init__(self, examples: Examples, train: Examples, asked: np.ndarray) -> None:
        passages = Passages.of(examples, train, 12, WORDS)
        pointer = Pointer(passages, WORDS, LONGEST)
        size = (len(asked), COUNT)
        self.answers, self.there = np.full(size, "", object), np.zeros(size, bool)
        self.length, self.place = np.zeros(size), np.zeros(size)
        self.seen = np.zeros((*size, 4 * SEEN), np.float32)
        sentence_seen, sentence_there = pointer.sentences(asked)
        for s in range(SENTENCES):
            rank = np.full(len(asked), s)
            has = sentence_there[:, s] if s < sentence_there.shape[1] else np.zeros(len(asked), bool)
            rows = np.flatnonzero(has)
            if not len(rows):
                continue
            first_seen, first_there, first = pointer.first_words(asked[rows], rank[rows, None])
            for f in range(FIRST):
                inner = np.flatnonzero(first_there[:, f])
                at = np.column_stack((rank[rows[inner]], first[inner, f]))
                if not len(inner):
                    continue
                last_seen, last_there, last = pointer.last_words(asked[rows[inner]], at)
                for e in range(LAST):
                    column = (s * FIRST + f) * LAST + e
                    ok = np.flatnonzero(last_there[:, e])
                    row = rows[inner[ok]]
                    self.there[row, column] = True
                    self.length[row, column] = last[ok, e] - at[ok, 1] + 1
                    self.place[row, column] = passages.words.place[passages.candidates[asked[row], s]]
                    self.seen[row, column, : 3 * SEEN] = np.concatenate(
                        (sentence_seen[row, s], first_seen[inner[ok], f], last_seen[ok, e]), axis=1
                    )
                    self.answers[row, column] = [
                        passages.text(int(asked[r]), s, int(a), int(b))
                        for r, a, b in zip(row, at[ok, 1], last[ok, e], strict=True)
                    ]
        self.there[:, -1] = True
        self.seen[:, -1, 3 * SEEN :] = sentence_seen[:, 0]
        self.seen[:, -1, -1] = 1


def _learn(found: _Found, targets: np.ndarray, metric: Any) -> np.ndarray:
    """The reader's weights (f,): a softmax over candidates that learns to prefer those that score best."""
    score = metric.each(found.answers.ravel(), np.repeat(targets, COUNT)).reshape(found.there.shape) * found.there
    best = score.max(1, keepdims=True)
    wanted = (score == best) & (best > 0) & found.there
    wanted = (wanted / np.maximum(wanted.sum(1, keepdims=True), 1)).astype(np.float32)
    known = wanted.any(1)  # of the others no candidate is right
    seen, there, wanted = found.seen[known], found.there[known], wanted[known]
    weights, mean, square = np.zeros((3, seen.shape[2]), np.float32)
    for update in range(1, UPDATES + 1):
        scores = np.where(there, seen @ weights, -np.inf)
        odds = np.exp(scores - scores.max(1, keepdims=True))
        lack = wanted - odds / odds.sum(1, keepdims=True)
        slope = np.tensordot(lack, seen, 2) / max(1, len(seen)) - DECAY * weights
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        step = mean / (1 - 0.9**update) / (np.sqrt(square / (1 - 0.99**update)) + 1e-8)
        weights = weights + RATE * (1 - update / (UPDATES + 1)) * step
    return weights
