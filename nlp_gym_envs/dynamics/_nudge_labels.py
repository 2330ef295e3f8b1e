"""Nudging a classifier: a bias for each class and a temperature, on log-probabilities that were computed once."""

import numpy as np

from ..answers import Label
from ..errors import BadArgument
from ..task import OpenTask
from ..text.logits import logits
from ._instances import Pools, dirichlet, normal, uniform
from ._scoreboard import Look, Scoreboard

TEXTS = 4_000  # examples of a split that batches are drawn from
BIAS, HEAT = 1.2, 1.0  # the hidden shift: deviation of the biases, largest log temperature
MOST_LOSS = 20.0  # the cross-entropy at which the utility's first half is 0
UNDER, OVER = "the most under-predicted class", "the most over-predicted class"

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]  # log-odds (K, b, T), targets one-hot (K, b, T), shares (K, b)


class Labels(Scoreboard):
    """`parameters` (b, K + 1): what is added to the log-odds of each of K classes, and a log temperature."""

    form = Label
    steps = ((UNDER, 100), (UNDER, 30), (OVER, -100), (OVER, -30), ("the log temperature", 50),
             ("the log temperature", 15), ("the log temperature", -15), ("the log temperature", -50))  # fmt: skip
    features = 17

    def __init__(self, task: OpenTask, model: str | None) -> None:
        if model is not None:
            raise BadArgument(f"model={model!r} goes with tasks whose answers are written; leave it out.")
        super().__init__(task)
        self.classes = len(task.answer)
        self.names = (*(f"bias {name}" for name in task.answer.names), "log temperature")
        self.bound = np.array([600] * self.classes + [300])
        known = logits(task.examples, task.train, TEXTS)
        self.logits, self.target = known.table, task.examples.target[known.texts]
        self.pools = Pools(self.target, self.classes, f"the split {task.split!r} of {task.name}")
        common = np.bincount(task.train.target, minlength=self.classes) + 1.0
        self.common = np.log(common / common.sum())  # (K,) the shares that the classifier has learned

    # ---------------------------------------------------------------- instances

    def shift(self, instances: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is hidden: the share of each class (n, K), biases (n, K), the logarithm of a factor (n, 1)."""
        prior = dirichlet(self.task.split, "prior", instances, self.classes)
        heat = HEAT * (2 * uniform(self.task.split, "temperature", instances, 1) - 1)
        return prior, BIAS * normal(self.task.split, "bias", instances, self.classes), heat

    def undone(self, instances: np.ndarray) -> np.ndarray:
        prior, bias, heat = self.shift(instances)
        prior = np.maximum(prior * (self.pools.count["judge"] > 0), 1e-3)
        bias = np.log(prior) - self.common - bias * np.exp(-heat)
        return np.concatenate((bias - bias.mean(1, keepdims=True), heat), axis=1)

    def batch(self, instances: np.ndarray, name: str) -> Batch:
        prior, bias, heat = self.shift(instances)
        texts = self.pools.draw(self.task.split, name, instances, self.sizes[name], prior)
        shifted = self.logits[texts] * np.exp(heat)[:, :, None] + bias[:, None]
        wanted = np.arange(self.classes)[:, None, None] == self.target[texts]
        odds = np.ascontiguousarray(shifted.transpose(2, 0, 1), np.float32)
        return odds, wanted.astype(np.float32), wanted.mean(2).astype(np.float32)

    # ---------------------------------------------------------------- an evaluation

    def scores(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        """Log-odds of each class, (K, b, T), the favourite's 0."""
        cooled = np.exp(-parameters[:, -1:]).astype(np.float32)
        scores = batch[0] * cooled
        scores += parameters[:, :-1].T[:, :, None].astype(np.float32)
        scores -= scores.max(0)
        return scores

    def look(self, batch: Batch, parameters: np.ndarray) -> Look:
        _, wanted, share = batch
        scores = self.scores(batch, parameters)
        odds = np.exp(scores)
        total = odds.sum(0)  # (b, T)
        chosen = scores == 0
        right = (chosen * wanted).mean(2)  # (K, b)
        said = chosen.mean(2, dtype=np.float32)
        loss = (np.log(total) - (scores * wanted).sum(0)).mean(1)
        f1, accuracy = _macro_f1(right, said, share), right.sum(0)
        odds /= total
        meant = odds.mean(2)  # (K, b) mean probability
        # the favourite's score was taken off every class alike, which changes no difference between classes
        warmth = scores - parameters[:, :-1].T[:, :, None].astype(np.float32)
        heat = ((wanted - odds) * warmth).sum(0).mean(1)  # d loss / d log temperature
        sure = (1 / total).mean(1)
        lack = share - meant
        slots = np.stack((lack.argmax(0), lack.argmin(0)))  # (2, b)
        row = np.arange(len(slots[0]))
        bias = parameters[row, slots] / (self.bound[0] / 100)
        per_slot = [lack[slots, row], (share - right)[slots, row], (said - right)[slots, row], meant[slots, row], bias]
        level = [(odds * wanted).sum(0).mean(1), sure, accuracy, sure - accuracy, np.log1p(loss) / 2,
                 heat / (1 + np.abs(heat)), parameters[:, -1] / (self.bound[-1] / 100)]  # fmt: skip
        seen = np.concatenate((*per_slot, np.stack(level))).T
        moved = np.full((len(row), len(self.steps)), self.classes)
        moved[:, :2], moved[:, 2:4] = slots[0][:, None], slots[1][:, None]
        utility = 0.5 * _calm(loss) + 0.5 * f1
        metric = f1 if self.task.metric.name == "f1_macro" else accuracy
        return Look(utility.astype(np.float64), metric, loss, np.clip(seen, -1, 1), moved)

    def utility(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        _, wanted, share = batch
        scores = self.scores(batch, parameters)
        chosen = scores == 0
        right, said = (chosen * wanted).mean(2), chosen.mean(2, dtype=np.float32)
        loss = (np.log(np.exp(scores).sum(0)) - (scores * wanted).sum(0)).mean(1)
        return (0.5 * _calm(loss) + 0.5 * _macro_f1(right, said, share)).astype(np.float64)

    def slope(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        _, wanted, _ = batch
        scores = self.scores(batch, parameters)
        odds = np.exp(scores)
        lack = wanted - odds / odds.sum(0)
        warmth = scores - parameters[:, :-1].T[:, :, None]
        return np.concatenate((lack.mean(2).T, -(lack * warmth).sum(0).mean(1)[:, None]), axis=1)

    def meant(self, batch: Batch, parameters: np.ndarray) -> np.ndarray:
        """The mean probability of each class, (K, b)."""
        odds = np.exp(self.scores(batch, parameters))
        return (odds / odds.sum(0)).mean(2)

    def judged(self, batch: Batch, parameters: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        _, wanted, _ = batch
        scores = self.scores(batch, parameters)
        loss = (np.log(np.exp(scores).sum(0)) - (scores * wanted).sum(0)).mean(1)
        said, right = scores.argmax(0), wanted.argmax(0)
        counts = {
            name: metric.counts(said.ravel(), right.ravel()).reshape(*said.shape, -1)
            for name, metric in self.task.metrics.items()
        }
        return counts, loss, self.utility(batch, parameters)

    def told(self, moved: np.ndarray) -> str:
        names = self.task.answer.names
        return f"most under-predicted: {names[moved[0]]}; most over-predicted: {names[moved[2]]}"


def _macro_f1(right: np.ndarray, said: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(b,) of shares (K, b) of texts: rightly said, said, and wanted to be said; over the classes that occur."""
    both = said + share
    there = both > 0
    return np.divide(2 * right, both, out=np.zeros_like(both), where=there).sum(0) / there.sum(0)


def _calm(loss: np.ndarray) -> np.ndarray:
    """A cross-entropy as a number in [0, 1], 1 for none; it falls with the logarithm, as bad ones differ little."""
    return 1 - np.minimum(np.log1p(loss) / np.log1p(MOST_LOSS), 1)
