"""What `layers` and `rates` share: steps of fine-tuning on fresh minibatches, and what their gradients look like.

Each row has its own weights, optimiser and minibatches; of the shared model it holds what it adds to it. The gradient
that an agent is shown is the one that its action applies: a step costs one pass forward and backward over a minibatch,
and one forward over the probe.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..answers import Label
from ..errors import BadArgument
from ..task import OpenTask
from ._base import box, positive
from ._starts import STARTS, Starts
from ._tuned import SMALLEST, instance_generator
from ._update import GOING, SMALL, WORST, Instance, Update, data_of

RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 2e-4}  # good ones; of normalised steps each dynamics has its own
OPTIMISERS = ("normalised", *RATES)
SCHEDULES = ("constant", "cosine")
KEEPS = 0.8  # what a step leaves of the running mean of gradients' directions
MOMENTUM, SQUARES, TINY = 0.9, 0.99, 1e-8  # of momentum and Adam
PARTS = ("gradient", "batch", "loss", "history", "budget")
ALL = ("embeddings", "lower", "middle", "upper", "head")  # as in models.tuning, which needs torch to be imported
GROUPS = len(ALL)
NONE = -1  # no group


@dataclass(frozen=True)
class Sizes:
    """Keywords for which None stands for what is usual: where answers are labels, texts, or found in a passage."""

    batch: int
    probe: int
    judge: int
    length: int
    updates: int
    damage: float


LABELS = Sizes(batch=16, probe=32, judge=32, length=24, updates=3000, damage=0.5)
TEXTS = Sizes(batch=8, probe=8, judge=16, length=16, updates=1000, damage=1.0)  # a step of theirs costs more
PASSAGES = replace(TEXTS, length=64)  # a question about what is not read cannot be answered


def sizes_of(answer: Any) -> Sizes:
    """The usual sizes for a form of answer."""
    if isinstance(answer, Label):
        return LABELS
    return PASSAGES if "context" in answer.fields else TEXTS


class Finetuning(Update):
    """A subclass sets the actions, and writes `rates_of`: the rate of each group that an action asks for."""

    normalised: ClassVar[float]  # the usual rate of normalised steps
    num_secrets = 2 * (GROUPS + 1) * len(STARTS)
    careful = 0.2  # the share of a good rate that the oracle takes where most answers are wrong

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        *,
        model: str | None,
        optimiser: str,
        rate: float | None,
        decades: float,
        schedule: str,
        inner: int,
        batch: int | None,
        start: Sequence[str] | str | None,
        damage: float | None,
        noise: Sequence[float] | float,
        groups: Sequence[str],
        probe: int | None,
        judge: int | None,
        horizon: int,
        target: float | None,
        observe: Sequence[str],
        instance: str,
        instances: int | None,
        updates: int | None,
        length: int | None,
        answer: int,
        device: str,
    ) -> None:
        if optimiser not in OPTIMISERS:
            raise BadArgument(f"optimiser must be one of {', '.join(OPTIMISERS)}, got {optimiser!r}.")
        if schedule not in SCHEDULES:
            raise BadArgument(f"schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}.")
        if not observe or any(part not in PARTS for part in observe):
            raise BadArgument(f"observe must be some of {', '.join(PARTS)}, got {observe!r}.")
        asked = {"batch": batch, "probe": probe, "judge": judge, "length": length, "updates": updates, "damage": damage}
        given = {name: value for name, value in asked.items() if value is not None}
        sizes = replace(sizes_of(task.answer), **given)
        data = data_of(task, model, tuple(groups), None, sizes.updates, sizes.length, answer, device)
        super().__init__(task, num_rows, data, sizes.probe, sizes.judge, horizon, target, instance, instances)
        self.optimiser, self.schedule, self.decades = optimiser, schedule, positive("decades", decades, 0)
        self.rate = {"normalised": self.normalised, **RATES}[optimiser] if rate is None else positive("rate", rate, 0)
        self.inner = positive("inner", inner, 1, int)
        self.batch = positive("batch", sizes.batch, 1, int)
        self.noise = _shares(noise)
        kinds = (start,) if isinstance(start, str) else start if start is None else tuple(start)
        self.starts = Starts(data, kinds, positive("damage", sizes.damage, 0))
        self.training = data if task.split == "train" else data.of_training()
        self.there = np.array([end > begin for begin, end in self.tunable.spans.values()])  # (G,) groups of this model
        self.observed = tuple(part for part in PARTS if part in observe)
        wide = {"gradient": 3 * GROUPS, "batch": 3, "loss": 3, "history": 3 * GROUPS, "budget": 1}
        self.parts = {name: box(0 if name == "budget" else -1, 1, wide[name]) for name in self.observed}
        self.gradient: list[Any] = [None] * num_rows  # of (D,): of the minibatch that comes next
        self.mean: list[Any] = [None] * num_rows  # of (D,): the running mean of gradients, each group's at unit length
        self.moments: list[Any] = [None] * num_rows  # of tuples of (D,): what the optimiser keeps
        self.path: list[Any] = [()] * num_rows  # of tuples: the loss after each step, and how far each group was moved
        self.minibatches = np.zeros(num_rows, np.int64)  # (B,) seen so far
        self.weights = np.ones((num_rows, GROUPS))  # (B, G) norms at the start
        self.slope = np.zeros((num_rows, GROUPS))  # (B, G) norms of the gradient
        self.cosine = np.zeros((num_rows, GROUPS))  # (B, G) of the gradient with the running mean
        self.agreement = np.zeros((num_rows, GROUPS))  # (B, G) length of the running mean, 1 where all agree
        self.batch_loss, self.batch_sure = np.ones(num_rows), np.zeros(num_rows)  # (B,) of the minibatch
        self.sure = np.zeros(num_rows)  # (B,) the probe's
        self.used = np.zeros((num_rows, GROUPS))  # (B, G) the rate of the last action, 0 where a group was left alone
        self.moved = np.zeros((num_rows, GROUPS))  # (B, G) how far a group's last step went, beside its norm
        self.gain = np.zeros((num_rows, GROUPS))  # (B, G) the fall of the log loss when a group was last moved

    # ---------------------------------------------------------------- an episode

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        for values in (self.minibatches, self.slope, self.cosine, self.agreement, self.used, self.moved, self.gain):
            values[rows] = 0
        super().begin(rows, examples)
        for row in rows.tolist():
            self.mean[row], self.moments[row], self.path[row] = None, None, ()
            self.weights[row] = self.tunable.norms(self.tunable.base + self.delta[row])
        self._study(rows)

    def _prepare(self, made: Instance) -> None:
        made.start, made.hidden = self.starts.draw(made.generator)
        made.hidden["noise"] = float(made.generator.choice(self.noise))
        made.hidden["pool"] = None  # of the training examples that may be learned from; None: all
        if self.training is self.data:
            everything = np.arange(len(self.task.examples))
            left = np.setdiff1d(everything, np.concatenate((made.probe, made.judge)))
            made.hidden["pool"] = left if len(left) >= SMALLEST else np.setdiff1d(everything, made.probe)

    def minibatch(self, made: Instance, number: int) -> Any:
        """The minibatch of this number of an instance, a share of its answers taken from other examples."""
        generator = instance_generator(self.task.split, made.number, 1 + number)
        pool, size = made.hidden["pool"], len(self.training.task.examples)
        chosen = generator.integers(size if pool is None else len(pool), size=self.batch)
        chosen = chosen if pool is None else pool[chosen]
        others = generator.integers(size, size=self.batch)
        wrong = generator.random(self.batch) < made.hidden["noise"]
        return self.training.batch(chosen, np.where(wrong, others, chosen), made.names, alike=True)

    def rates_of(self, action: Any) -> np.ndarray | None:
        """The rate of each group, (G,); None for STOP."""
        raise NotImplementedError

    def _move(self, rows: np.ndarray, actions: np.ndarray) -> np.ndarray:
        rates = [self.rates_of(action) for action in actions]
        stopped = np.array([one is None for one in rates], bool)
        for row, one in zip(rows.tolist(), rates, strict=True):
            if one is not None:
                self.used[row] = np.where(self.there, one, 0.0)
        going = rows[~stopped]
        moving = going[self.used[going].any(1)]
        for number in range(self.inner):
            if number:
                self._study(moving)
            for row in moving.tolist():
                self._step(row)
        self._study(going[self.taken[going] < self.horizon])
        return stopped

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        costs = super().act(rows, actions)
        fall = np.log((self.loss_before[rows] + SMALL) / (self.loss[rows] + SMALL))
        self.gain[rows] = np.where(self.used[rows] > 0, fall[:, None], self.gain[rows])
        for row in rows.tolist():
            self.path[row] = (*self.path[row], (self.loss[row], self.moved[row] * (self.used[row] > 0)))
        return costs

    # ---------------------------------------------------------------- a step, and what is seen of the next

    def _study(self, rows: np.ndarray) -> None:
        """Take each row's next minibatch's gradient, and compare it with those before."""
        if not len(rows):
            return
        batches = [self.minibatch(self.instance[row], int(self.minibatches[row])) for row in rows]
        every = self.tunable.all_losses_and_gradients(batches, [self.delta[row] for row in rows])
        self.minibatches[rows] += 1
        self.note(rows, 1, 1)
        for row, losses, gradient in zip(rows.tolist(), *every, strict=True):
            self._compare(row, losses, gradient)

    def _compare(self, row: int, losses: np.ndarray, gradient: Any) -> None:
        """Note a minibatch's losses and gradient, and how far it agrees with those before."""
        self.gradient[row] = gradient
        self.batch_loss[row], self.batch_sure[row] = _finite(losses.mean(), 1e3), _finite(np.exp(-losses).mean(), 0)
        self.slope[row] = np.nan_to_num(self.tunable.norms(gradient), nan=0.0, posinf=0.0)
        before, now = self.mean[row], self._units(gradient, self.slope[row])
        if before is not None:
            length = self.tunable.norms(before)
            along = np.array([float(before[a:b] @ now[a:b]) for a, b in self.tunable.spans.values()])
            self.cosine[row] = np.nan_to_num(along / np.maximum(length, TINY))
            now = before.lerp(now, 1 - KEEPS)
        self.mean[row] = now
        self.agreement[row] = np.nan_to_num(self.tunable.norms(now))

    def _units(self, gradient: Any, lengths: np.ndarray) -> Any:
        """A gradient with each group's part at unit length."""
        found = gradient.nan_to_num(0.0, 0.0, 0.0)
        for (begin, end), length in zip(self.tunable.spans.values(), lengths.tolist(), strict=True):
            found[begin:end] /= max(length, TINY)
        return found

    def scheduled(self, row: int) -> float:
        """The share of a rate that the schedule leaves of it in the step that is being taken, above 0, at most 1."""
        if self.schedule == "constant":
            return 1.0
        return float(1 + np.cos(np.pi * (self.taken[row] - 1) / self.horizon)) / 2

    def _step(self, row: int) -> None:
        """Apply the gradient that is at hand, at the rates of the last action, as the schedule has it."""
        direction, self.moments[row] = self.direction(row, self.gradient[row], self.moments[row])
        moved, rates = self.delta[row].clone(), self.used[row] * self.scheduled(row)
        for group, (begin, end) in enumerate(self.tunable.spans.values()):
            if rate := float(rates[group]):
                part = direction[begin:end]
                moved[begin:end].sub_(part, alpha=rate)
                far = rate * float(part.norm()) / max(self.weights[row, group], TINY)
                self.moved[row, group] = _finite(far, 1e3)
        self.delta[row] = moved

    def direction(self, row: int, gradient: Any, moments: Any) -> tuple[Any, Any]:
        """Where a rate of 1 would lead, (D,), and what the optimiser keeps."""
        if self.optimiser == "normalised":
            found = self._units(gradient, self.slope[row])
            for (begin, end), weight in zip(self.tunable.spans.values(), self.weights[row].tolist(), strict=True):
                found[begin:end] *= weight
            return found, None
        if self.optimiser == "sgd":
            return gradient, None
        if self.optimiser == "momentum":
            kept = gradient if moments is None else moments[0] * MOMENTUM + gradient
            return kept, (kept,)
        return adam_step(gradient, moments)

    def _seen(self, rows: np.ndarray, losses: np.ndarray) -> None:
        super()._seen(rows, losses)
        self.sure[rows] = np.nan_to_num(np.exp(-losses).mean(1), nan=0.0, posinf=0.0)

    # ---------------------------------------------------------------- what is seen and told

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        seen = {name: getattr(self, f"_see_{name}")(rows) for name in self.observed}
        return {name: part.astype(np.float32) for name, part in seen.items()}

    def _see_gradient(self, rows: np.ndarray) -> np.ndarray:
        promise = np.log10(self.slope[rows] * self.weights[rows] + 1e-6) / 3  # nats for a step as long as the weights
        seen = np.stack((promise, self.cosine[rows], self.agreement[rows]), 2) * self.there[:, None]
        return np.clip(seen, -1, 1).reshape(len(rows), -1)

    def _see_batch(self, rows: np.ndarray) -> np.ndarray:
        beside = np.log((self.batch_loss[rows] + SMALL) / (self.loss[rows] + SMALL)) / 3
        return np.clip(np.column_stack((beside, self.batch_sure[rows], self.sure[rows])), -1, 1)

    def _see_loss(self, rows: np.ndarray) -> np.ndarray:
        return self.losses_seen(rows)

    def _see_history(self, rows: np.ndarray) -> np.ndarray:
        used, moved = self.used[rows], self.moved[rows]
        wide = max(self.decades, TINY)
        rate = np.where(used > 0, np.log10(np.maximum(used, TINY) / self.rate) / wide, -1.0)
        went = np.where(moved > 0, 1 + np.log10(np.maximum(moved, TINY)) / 3, 0.0)
        seen = np.stack((rate * self.there, went, self.gain[rows] / 3), 2)
        return np.clip(seen, -1, 1).reshape(len(rows), -1)

    def _see_budget(self, rows: np.ndarray) -> np.ndarray:
        return self.left(rows)

    def picture(self, row: int) -> np.ndarray:
        """The episode's losses beside Adam's, and how far each step moved each group, (360, 640, 3) uint8."""
        from ..charts import chart

        adam = self._adam(row) if self.stop[row] != GOING else None
        split, number = self.task.split, int(self.example[row])
        title = f"{self.task.name} · {self.name} · {split} {number}: {self.kind(row)}"
        return chart(title, self.path[row], adam, self.loss_at_start[row], ALL, self.horizon)

    def _adam(self, row: int) -> list[float]:
        """The probe's loss after each step of Adam at its usual rate, from the same start on the same minibatches."""
        made, moments, losses = self.instance[row], None, []
        moved = made.start
        for step in range(len(self.path[row])):
            for number in range(step * self.inner, (step + 1) * self.inner):
                _, gradient = self.tunable.losses_and_gradient(self.minibatch(made, number), moved)
                direction, moments = adam_step(gradient, moments)
                moved = moved - RATES["adam"] * direction
            losses.append(min(_finite(self.tunable.losses(made.batch, moved).mean(), WORST), WORST))
        return losses

    def repair(self, row: int) -> int:
        """The group that is damaged, or new; NONE where none is."""
        return self.instance[row].hidden["group"]

    def noisy(self, row: int) -> bool:
        """Whether most answers of the minibatches are other examples'."""
        return self.instance[row].hidden["noise"] >= 0.5

    def secrets(self, rows: np.ndarray) -> np.ndarray:
        """What is hidden, as a number: the kind of start, its group (the last: none), whether most answers mislead."""

        def number(row: int) -> int:
            kind, group = STARTS.index(self.instance[row].hidden["start"]), self.repair(row) % (GROUPS + 1)
            return 2 * ((GROUPS + 1) * kind + group) + self.noisy(row)

        return np.array([number(row) for row in rows.tolist()], np.int64)

    def kind(self, row: int) -> str:
        """What is hidden in an instance, in words."""
        hidden = self.instance[row].hidden
        group = "" if hidden["group"] == NONE else f" {ALL[hidden['group']]}"
        return f"{hidden['start']}{group}, {hidden['noise']:.0%} of the answers wrong"


def adam_step(gradient: Any, moments: Any) -> tuple[Any, Any]:
    """Adam's direction (D,), and its moments with the number of steps; `moments` is None in the first."""
    first, second, steps = (gradient * 0, gradient * 0, 0) if moments is None else moments
    first, second, steps = first.lerp(gradient, 1 - MOMENTUM), second.lerp(gradient.square(), 1 - SQUARES), steps + 1
    root = (second / (1 - SQUARES**steps)).sqrt_().add_(TINY)
    return (first / (1 - MOMENTUM**steps)).div_(root), (first, second, steps)


def _finite(value: Any, otherwise: float) -> float:
    return float(value) if np.isfinite(value) else float(otherwise)


def _shares(noise: Sequence[float] | float) -> tuple[float, ...]:
    given = (noise,) if isinstance(noise, int | float) else tuple(noise)
    if not given or not all(isinstance(share, int | float) and 0 <= share <= 1 for share in given):
        raise BadArgument(f"noise must be shares from 0 to 1, one of which each instance has, got {noise!r}.")
    return tuple(float(share) for share in given)


__all__ = ["ALL", "GROUPS", "NONE", "OPTIMISERS", "PARTS", "RATES", "STARTS", "Finetuning"]
