"""Nudging what chooses among candidate answers: weights on a few of their features, and a temperature."""

from typing import ClassVar

import numpy as np

from ..task import OpenTask
from ..text.examples import Shared
from ._instances import Pools, dirichlet, normal, uniform
from ._scoreboard import Look, Scoreboard

HEAT = 1.0  # the largest hidden log temperature
NOWHERE = -1e4  # log p of a candidate that is not there
FEATURES = 3  # of a candidate
STEPS = (100, 30, -30, -100), (50, 15, -15, -50)  # of a weight and of the log temperature, in hundredths
# The rows are on the second axis: log p (C, b, T), features 3 x (C, b, T), the metric (C, b, T), which texts they are
# (1, b, T), and of the best candidates the mean features, the share of empty ones, and the metric (5, b).
Batch = tuple[np.ndarray, ...]


class Table(Shared):
    """C candidate answers to each of M texts.

    `texts` (M,) which examples; `answers` (M, C) object; `log_p` (M, C), -inf where there is none; `features`
    (M, C, 3); `group` (M,) from which an instance draws more or less. From the task follow `metric` (M, C), its own,
    `counts` name -> (M, C, s), and `empty` (M, C).
    """

    def __init__(self, task: OpenTask, texts: np.ndarray, answers: np.ndarray, log_p: np.ndarray,
                 features: np.ndarray, group: np.ndarray) -> None:  # fmt: skip
        self.texts, self.answers, self.group = texts, answers, group
        there = np.isfinite(log_p)
        self.log_p = np.where(there, log_p, NOWHERE).astype(np.float32)
        self.features = features.astype(np.float32)
        said, targets = answers.ravel(), task.accepted[np.repeat(texts, answers.shape[1])]
        self.counts = {name: of.counts(said, targets).reshape(*answers.shape, -1) for name, of in task.metrics.items()}
        self.metric = (task.metric.each(said, targets).reshape(answers.shape) * there).astype(np.float32)
        self.empty = (answers == "") & there
        best = np.arange(len(texts)), self.metric.argmax(1)
        self.best = np.vstack((self.features[best].T, self.empty[best], self.metric[best])).astype(np.float32)  # (5, M)
        flat = (self.log_p, *np.moveaxis(self.features, 2, 0), self.metric)
        self.flat = tuple(np.ascontiguousarray(part.T) for part in flat)  # 5 x (C, M), as an evaluation takes them


class Candidates(Scoreboard):
    """`parameters` (b, 4): what is added to log p for each feature, and a log temperature."""

    sizes = {"probe": 64, "judge": 128, "confirmation": 128}
    words: ClassVar[tuple[str, str, str]]  # what the features are
    hidden: ClassVar[tuple[float, float, float]]  # deviation of each feature's hidden weight
    features = 18

    def __init__(self, task: OpenTask, table: Table) -> None:
        super().__init__(task)
        self.table = table
        self.names = (*self.words, "log temperature")
        self.steps = tuple((f"the weight of {word}", size) for word in self.words for size in STEPS[0])
        self.steps += tuple(("the log temperature", size) for size in STEPS[1])
        self.bound = np.array([600] * FEATURES + [300])
        self.groups = int(table.group.max(initial=0)) + 1
        self.pools = Pools(table.group, self.groups, f"the split {task.split!r} of {task.name}")
        self.moved = np.repeat(np.arange(FEATURES + 1), len(STEPS[0]))  # (A - 1,)

    # ---------------------------------------------------------------- instances

    def shift(self, instances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is hidden in log p: a weight on each feature (n, 3), the logarithm of a factor (n, 1)."""
        heat = HEAT * (2 * uniform(self.task.split, "temperature", instances, 1) - 1)
        return normal(self.task.split, "weights", instances, FEATURES) * self.hidden, heat

    def undone(self, instances: np.ndarray) -> np.ndarray:
        weights, heat = self.shift(instances)
        return np.concatenate((-weights * np.exp(-heat), heat), axis=1)

    def batch(self, instances: np.ndarray, name: str) -> Batch:
        prior = dirichlet(self.task.split, "groups", instances, self.groups)
        at = self.pools.draw(self.task.split, name, instances, self.sizes[name], prior)  # (n, T)
        weights, heat = self.shift(instances)
        log_p, *features, metric = (part[:, at] for part in self.table.flat)  # (C, n, T) each
        base = log_p * np.exp(heat).astype(np.float32)
        for feature, weight in zip(features, weights.T.astype(np.float32), strict=True):
            base += feature * weight[:, None]
        return base, *features, metric, at[None], self.table.best[:, at].mean(2)

    # ---------------------------------------------------------------- an evaluation

    def scores(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        """Log-odds of each candidate, (C, b, T), the favourite's 0."""
        given = parameters.astype(np.float32)
        scores = batch[0] * np.exp(-given[:, -1:])
        for at in range(FEATURES):
            scores += batch[1 + at] * given[:, at, None]
        scores -= scores.max(0)
        return scores

    def _expected(self, batch: Batch, parameters: np.ndarray) -> tuple[np.ndarray, ...]:
        """Probabilities (C, b, T), expected metric (b, T), which candidate is chosen (1, b, T), its metric (b, T)."""
        scores, metric = self.scores(batch, parameters), batch[1 + FEATURES]
        odds = np.exp(scores)
        odds /= odds.sum(0)
        chosen = scores.argmax(0)[None]
        return odds, (odds * metric).sum(0), chosen, np.take_along_axis(metric, chosen, 0)[0]

    def look(self, batch: Batch, parameters: np.ndarray) -> Look:
        features, metric, wanted = batch[1 : 1 + FEATURES], batch[1 + FEATURES], batch[-1]
        odds, expected, chosen, got = self._expected(batch, parameters)
        gain = odds * (metric - expected)  # (C, b, T)
        slope = [(gain * feature).sum(0).mean(1) for feature in features]
        slope.append(-(gain * self.warmth(batch, parameters)).sum(0).mean(1))
        excess = [np.take_along_axis(f, chosen, 0)[0].mean(1) - w for f, w in zip(features, wanted, strict=False)]
        rows = np.arange(chosen.shape[1])[:, None]
        empty = self.table.empty[batch[-2][0], chosen[0]].mean(1) if len(rows) else rows[:, 0]
        sure, mean, best = odds.max(0).mean(1), expected.mean(1), got.mean(1)
        level = [mean, best, wanted[-1] - best, sure, sure - best, empty, empty - wanted[-2]]
        steep = 20 * np.stack(slope)
        seen = np.concatenate((steep / (1 + np.abs(steep)), np.tanh(excess), parameters.T / self.bound[:, None] * 100,
                               np.stack(level))).T  # fmt: skip
        utility = 0.5 * (mean.astype(np.float64) + best)
        moved = np.broadcast_to(self.moved, (len(rows), len(self.moved)))
        return Look(utility, best, 1 - mean, np.clip(seen, -1, 1), moved)

    def warmth(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        """What a lower temperature raises, (C, b, T)."""
        return np.maximum(batch[0] * np.exp(-parameters[:, -1:]).astype(np.float32), -100)

    def utility(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        _, expected, _, got = self._expected(batch, parameters)
        return 0.5 * (expected.mean(1).astype(np.float64) + got.mean(1))

    def slope(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        odds, expected, _, _ = self._expected(batch, parameters)
        gain = odds * (batch[1 + FEATURES] - expected)
        slope = [(gain * feature).sum(0).mean(1) for feature in batch[1 : 1 + FEATURES]]
        return np.stack((*slope, -(gain * self.warmth(batch, parameters)).sum(0).mean(1)), axis=1)

    def judged(self, batch: Batch, parameters: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        _, expected, chosen, _ = self._expected(batch, parameters)
        texts = batch[-2][0]
        counts = {name: counted[texts, chosen[0]] for name, counted in self.table.counts.items()}
        return counts, 1 - expected.mean(1), self.utility(batch, parameters)

    def told(self, moved: np.ndarray) -> str:
        return f"{self.table.answers.shape[1]} candidates for each text"
