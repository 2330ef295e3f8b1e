"""A linear contextual bandit: it predicts the reward of each candidate from its numbers and takes the best.

It is the bandit with nothing left to explore: ridge regression on the rewards of all candidates of all training
examples, not only of those that were tried. In "choices" it sees all choices of a question at once, with how each
compares with the others, where an agent sees one after the other; it predicts whether a choice is right. In "span" it
sees what every agent sees, and predicts at each stage the F1 that a candidate leaves within reach; it knows nothing of
what it will make of that later, which is what a bandit is.
"""

from typing import Any

import numpy as np

from ._baseline import Baseline
from .sliding_window import take_best

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0)  # of the ridge
MOST = 4000  # training examples of "span" that are learned from; of more, every n-th


class Bandit(Baseline):
    """`weights`: in "choices" (1 + d,), in "span" (3, d); a tenth of the training split chooses the ridge."""

    dynamics = ("choices", "span")
    _fitted = ("weights",)
    weights = np.zeros(0)

    def _fit(self) -> None:
        dynamics = self.episodes.dynamics
        if dynamics.name == "choices":
            table = dynamics.table_of(dynamics.task.train)
            right = np.zeros(len(table.matches))
            right[table.start + dynamics.task.train.target] = 1
            group = np.repeat(np.arange(len(table.count)), table.count)
            self.weights = ridge(choice_features(table), right, group)
        else:
            self.weights = np.stack([ridge(*lesson) for lesson in span_lessons(dynamics)])

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        dynamics = self.episodes.dynamics
        if dynamics.name == "choices":
            return take_best(dynamics, choice_features(dynamics.table) @ self.weights, len(masks))
        slots = self.part(observation, "candidates").reshape(*masks.shape, -1)
        asked, stage = self.part(observation, "question"), self.part(observation, "stage").argmax(1)
        worth = np.zeros(masks.shape)
        features = slot_features(slots, asked)
        for number in range(3):
            worth[stage == number] = features[stage == number] @ self.weights[number]
        return np.where(masks, worth, -np.inf).argmax(1)


def ridge(features: np.ndarray, rewards: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Weights (d,) that predict rewards (n,) from features (n, d); `group` (n,) says which rows are of one question."""
    held_out = group % 10 == 9
    best, chosen = -np.inf, STRENGTHS[0]
    for strength in STRENGTHS:
        weights = _solve(features[~held_out], rewards[~held_out], strength)
        score = _taken(features[held_out] @ weights, rewards[held_out], group[held_out])
        if score > best:
            best, chosen = score, strength
    return _solve(features, rewards, chosen)


def _solve(features: np.ndarray, rewards: np.ndarray, strength: float) -> np.ndarray:
    features = features.astype(np.float64)
    return np.linalg.solve(features.T @ features + strength * np.eye(features.shape[1]), features.T @ rewards)


def _taken(worth: np.ndarray, rewards: np.ndarray, group: np.ndarray) -> float:
    """The mean reward of the candidate that seems best in each group; -inf of none."""
    order = np.lexsort((-worth, group))
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    return float(rewards[order][first].mean()) if len(first) else -np.inf


# ---------------------------------------------------------------- what it sees


def choice_features(table: Any) -> np.ndarray:
    """(P, 1 + 2 F + 3 d): a constant, how each choice matches, how it compares with the best other, its vectors."""
    offered = np.full((len(table.count), int(table.count.max()), table.matches.shape[1]), -np.inf, np.float32)
    row = np.repeat(np.arange(len(table.count)), table.count)
    column = np.arange(len(row)) - table.start[row]
    offered[row, column] = table.matches
    ordered = np.sort(offered, axis=1)
    best, second = ordered[:, -1], ordered[:, max(-2, -ordered.shape[1])]
    others = np.where(table.matches >= best[row], second[row], best[row])
    compared = np.where(np.isfinite(others), table.matches - others, 0)
    parts = [np.ones((len(row), 1)), table.matches, compared]
    if table.vectors is not None:
        parts.append(table.vectors)
    return np.column_stack(parts).astype(np.float32)


def slot_features(slots: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(B, A, d): the numbers of each action, alone and times each number of the question; "no answer" has its own."""
    crossed = slots[..., None] * asked[:, None, None, :]  # (B, A, F, Q)
    own = np.concatenate((slots, crossed.reshape(*slots.shape[:2], -1)), axis=2)
    refusing = np.zeros((slots.shape[1], 1), np.float32)
    refusing[-1] = 1
    return np.concatenate((own * (1 - refusing), own * refusing), axis=2)


def span_lessons(dynamics: Any) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of each stage the features of all candidates (n, d), the F1 that each leaves within reach, and whose they are.

    The later stages are those of the oracle's choices before.
    """
    train = dynamics.task.train
    examples = np.arange(len(train))[:: max(1, -(-len(train) // MOST))]
    game = dynamics.on_train(len(examples))
    rows = np.arange(len(examples))
    game.begin(rows, examples)
    lessons = []
    for _ in range(3):
        running = rows[~game.over(rows) & game.there[:, 0]]
        seen = game.observe(running)
        slots = seen["candidates"].reshape(len(running), dynamics.no_answer + 1, -1)
        features = slot_features(slots, seen["question"])
        masks = game.masks(running)
        lessons.append((features[masks], game.worth(running)[masks], np.repeat(running, masks.sum(1))))
        game.act(running, game.oracle(running))
    return lessons


AGENT = Bandit
