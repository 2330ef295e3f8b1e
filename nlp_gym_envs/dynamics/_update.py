"""What all dynamics share whose actions change a model: instances, losses, stops, counts, what is told of an episode.

An episode is an instance: some examples to be judged by, a starting point, whatever else is hidden. It is made from its
number and its split alone. The model at rest is the same for all rows; a row holds what is added to it.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..answers import Choice, Label
from ..errors import BadArgument, NlpGymError
from ..task import OpenTask, Task
from ._base import Dynamics, box, positive
from ._tuned import Tuned, instance_generator, probe_and_judge, tuned

SMALL, WORST = 0.05, 20.0  # losses: where a rise begins to count less, and beyond which a model has diverged
SCALE = 3.0  # what a fall of the loss by the factor e is worth
INSTANCES = {"train": 1_000_000, "validation": 64, "test": 256}
STOPS = ("", "stop", "target", "horizon", "diverged")
GOING, STOPPED, REACHED, ENDED, DIVERGED = range(len(STOPS))
CONFIRMED = 2  # times as many examples as the probe has, to confirm a target on
INVALID, DIVERGENCE = 0.05, 1.0  # costs of a number that is not finite, and of a model that has diverged


def utility(loss: np.ndarray) -> np.ndarray:
    """A loss as a number in [0, 1] that rises as it falls: logarithmic, so that every halving counts about the same."""
    return np.clip(1 - np.log1p(np.minimum(loss, WORST) / SMALL) / np.log1p(WORST / SMALL), 0.0, 1.0)


@dataclass
class Instance:
    """What an episode is about. `start` (D,) is where the model is moved first, `hidden` what no agent is told."""

    number: int
    probe: np.ndarray  # (n,) examples that the reward looks at
    judge: np.ndarray  # (m,) other examples, which the metrics at the end are of
    confirm: np.ndarray  # (c,) yet others, with which `confirmation` begins
    generator: np.random.Generator
    batch: Any = None  # the probe as a batch
    start: Any = None
    hidden: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> Any:
        """(K,) what each label, or token, is called in this instance; None where they have their own names."""
        return self.hidden.get("names")


class Update(Dynamics):
    """The part that `subspace`, `layers` and `rates` share; a subclass draws the rest of an instance, and moves.

    A subclass sets `parts`, `action_space`, `action_meanings`, and writes `_prepare`, `_move`, `observe`, `oracle`.
    """

    answers_examples = False
    reward = "improvement"
    pays = (0.0, SCALE * float(np.log1p(WORST / SMALL)))
    per_look: ClassVar[tuple[int, int]] = (1, 0)  # passes forward and backward that judging a candidate takes

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        data: Tuned,
        probe: int,
        judge: int,
        horizon: int,
        target: float | None,
        instance: str,
        instances: int | None,
    ) -> None:
        super().__init__(task, num_rows)
        self.data, self.tunable, self.model = data, data.tunable, data.language
        self.tokenizer = self.model.tokenizer
        self.probe, self.judge = positive("probe", probe, 1, int), positive("judge", judge, 1, int)
        self.horizon = positive("horizon", horizon, 1, int)
        if target is not None and not 0 < positive("target", target, 0) <= 1:
            raise BadArgument(f"target must be a score above 0, at most 1, or None, got {target!r}.")
        self.target = target
        if instance not in ("varied", "fixed"):
            raise BadArgument(f"instance must be 'varied' or 'fixed', got {instance!r}.")
        self.fixed = instance == "fixed"
        self.instances = positive("instances", INSTANCES[task.split if task.split in INSTANCES else "test"]
                                  if instances is None else instances, 1, int)  # fmt: skip
        self.costs = {"invalid": INVALID, "divergence": DIVERGENCE}
        self.instance: list[Any] = [None] * num_rows  # of Instance
        self.delta: list[Any] = [None] * num_rows  # of (D,): never changed in place
        self.loss, self.loss_at_start = np.zeros(num_rows), np.ones(num_rows)  # (B,) mean over the probe
        self.loss_before = np.ones(num_rows)  # (B,) of the step before
        self.taken = np.zeros(num_rows, np.int64)  # (B,) steps
        self.stop = np.full(num_rows, GOING)  # (B,) an index of STOPS
        self.forward_passes = np.zeros(num_rows, np.int64)  # (B,) over one batch each
        self.backward_passes = np.zeros(num_rows, np.int64)
        self.spent = {"forward_passes": 0, "backward_passes": 0}  # since it was made, all rows together

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return not isinstance(task.answer, Choice)

    @property
    def size(self) -> int:
        return 1 if self.fixed else self.instances

    def frozen(self) -> "Dynamics":
        moment = super().frozen()
        for name, value in vars(self).items():
            if isinstance(value, list) and len(value) == len(self.example):
                setattr(moment, name, list(value))
        return moment

    # ---------------------------------------------------------------- an episode

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.taken[rows], self.stop[rows] = 0, GOING
        self.forward_passes[rows] = self.backward_passes[rows] = 0
        for row, number in zip(rows.tolist(), examples.tolist(), strict=True):
            self.instance[row] = made = self.drawn(number)
            self.delta[row] = made.start
        self._look(rows)
        self.loss_at_start[rows] = self.loss_before[rows] = self.loss[rows]

    def drawn(self, number: int) -> Instance:
        """The instance of a number in this split."""
        generator = instance_generator(self.task.split, number)
        drawn, confirm = probe_and_judge(generator, len(self.task.examples), self.probe + self.judge, self.judge)
        cut = max(1, len(drawn) * self.probe // (self.probe + self.judge))
        made = Instance(number, drawn[:cut], drawn[cut:], confirm, generator)
        self._prepare(made)
        made.batch = self.data.batch(made.probe, names=made.names, alike=True)
        return made

    def _prepare(self, made: Instance) -> None:
        """Draw the rest of an instance: its starting point and what is hidden."""
        raise NotImplementedError

    def _move(self, rows: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Take actions: give `delta[row]` another value; whether the agent has stopped, (B,)."""
        raise NotImplementedError

    def _look(self, rows: np.ndarray) -> None:
        """Judge the model as it is moved now by the probe: its loss, and what a subclass sees besides."""
        if len(rows):
            batches = [self.instance[row].batch for row in rows]
            self._seen(rows, self.tunable.all_losses(batches, [self.delta[row] for row in rows]))

    def _seen(self, rows: np.ndarray, losses: np.ndarray) -> None:
        """Note the losses (B, n) of the probes."""
        mean = losses.mean(1)
        diverged = ~(mean <= WORST)  # NaN, too
        self.loss[rows] = np.where(diverged, WORST, mean)
        self.stop[rows[diverged]] = DIVERGED
        self.note(rows, *self.per_look)

    def note(self, rows: Any, forward: int, backward: int = 0) -> None:
        """Note passes over one batch each, of one row or several."""
        self.forward_passes[rows] += forward
        self.backward_passes[rows] += backward
        self.spent["forward_passes"] += forward * np.size(rows)
        self.spent["backward_passes"] += backward * np.size(rows)

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        finite = np.isfinite(actions).reshape(len(rows), -1).all(1)
        if not finite.all():
            actions = np.nan_to_num(actions, nan=0.0, posinf=0.0, neginf=0.0)
        self.loss_before[rows] = self.loss[rows]
        self.taken[rows] += 1
        before = [self.delta[row] for row in rows]
        stopped = self._move(rows, actions)
        self.stop[rows[stopped]] = STOPPED
        moved = [self.delta[row] is not delta for row, delta in zip(rows, before, strict=True)]
        self._look(rows[~stopped & moved])
        for row in rows[self.stop[rows] == GOING].tolist():
            self._maybe_stop(row)
        return {
            "invalid": np.where(finite, 0.0, INVALID),
            "divergence": np.where(self.stop[rows] == DIVERGED, DIVERGENCE, 0.0),
        }

    def _maybe_stop(self, row: int) -> None:
        made = self.instance[row]
        if self.target is not None and self._score(row, made.probe) >= self.target:
            if self._score(row, self.confirmation(made)) >= self.target:
                self.stop[row] = REACHED
                return
        if self.taken[row] >= self.horizon:
            self.stop[row] = ENDED

    def confirmation(self, made: Instance) -> np.ndarray:
        """(c,) examples on which a target that the probe has is confirmed: other ones, twice as many if there are."""
        more = CONFIRMED * len(made.probe) - len(made.confirm)
        if more <= 0:
            return made.confirm
        used = np.concatenate((made.probe, made.judge, made.confirm))
        others = np.setdiff1d(np.arange(len(self.task.examples)), used)
        drawn = instance_generator(self.task.split, made.number, 0).permutation(others)[:more]
        return np.concatenate((made.confirm, drawn))

    def _score(self, row: int, examples: np.ndarray) -> float:
        self.note(row, 1)
        names = self.instance[row].names
        scores, _ = self.data.metrics(examples, self.data.batch(examples, names=names), self.delta[row], names)
        return scores[self.task.metric.name]

    def still(self, rows: np.ndarray) -> np.ndarray:
        """Actions that change nothing, (B, ...)."""
        return np.zeros((len(rows), *(self.action_space.shape or ())), self.action_space.dtype)

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.stop[rows] != GOING

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """The `utility` of the probe's loss."""
        return utility(self.loss[rows])

    def solved(self, rows: np.ndarray) -> np.ndarray:
        return self.stop[rows] == REACHED

    # ---------------------------------------------------------------- what is seen and told

    def losses_seen(self, rows: np.ndarray) -> np.ndarray:
        """(B, 3): the loss beside the start's and the step before's, as logarithms; and by itself, in [0, 1]."""
        loss = self.loss[rows] + SMALL
        beside = (self.loss_at_start[rows] + SMALL, self.loss_before[rows] + SMALL)
        logs = [np.clip(np.log(loss / other), -3, 3) / 3 for other in beside]
        return np.column_stack((*logs, loss / (1 + loss))).astype(np.float32)

    def left(self, rows: np.ndarray) -> np.ndarray:
        """(B, 1): the share of the steps that are left."""
        return (1 - self.taken[rows] / self.horizon).astype(np.float32)[:, None]

    def word_observation(self, **options: Any) -> Any:
        raise BadArgument(
            f"observation='ids' shows the words of a text; {self.name} changes a model, and shows numbers: "
            "take 'vector' or 'dict'."
        )

    def texts(self, rows: np.ndarray) -> np.ndarray:
        told = np.empty(len(rows), object)
        told[:] = [
            f"{self.model.name} on {len(self.instance[row].probe)} examples of {self.task.name}, "
            f"{self.taken[row]} of {self.horizon} steps: loss {self.loss[row]:.3f}, at the start "
            f"{self.loss_at_start[row]:.3f}"
            for row in rows.tolist()
        ]
        return told

    def answers(self, rows: np.ndarray) -> np.ndarray:
        told = np.empty(len(rows), object)
        told[:] = [
            f"loss {self.loss_at_start[row]:.3f} to {self.loss[row]:.3f} in {self.taken[row]} steps"
            for row in rows.tolist()
        ]
        return told

    def targets(self, rows: np.ndarray) -> np.ndarray:
        aim = "a lower loss" if self.target is None else f"{self.task.metric.name} of at least {self.target:g}"
        told = np.empty(len(rows), object)
        told[:] = [(aim,)] * len(rows)
        return told

    def details(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Why an episode ended ("" before), the probe's loss, and the passes so far, over one batch each."""
        return {
            "stop": np.array(STOPS, object)[self.stop[rows]],
            "loss": self.loss[rows],
            "forward_passes": self.forward_passes[rows],
            "backward_passes": self.backward_passes[rows],
        }

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The task's metrics on the judge's examples, which no action was chosen by; the start's; losses, counts."""
        found: dict[str, list[float]] = {}
        own = self.task.metric.name
        for row in rows.tolist():
            made, told = self.instance[row], {}
            batch = self.data.batch(made.judge, names=made.names)
            scores, error = self.data.metrics(made.judge, batch, self._sound(row), made.names)
            at_start, _ = self.data.metrics(made.judge, batch, made.start, made.names)
            now = float(self.tunable.losses(batch, self._sound(row)).mean())
            start = float(self.tunable.losses(batch, made.start).mean())
            told |= {**scores, f"{own}_standard_error": error, f"{own}_start": at_start[own]}
            told |= {"loss": min(now, WORST), "loss_start": min(start, WORST)}
            told["rise"] = float(self.pays[1] * (utility(np.array(now)) - utility(np.array(start))))
            told |= {"steps": float(self.taken[row]), "forward_passes": float(self.forward_passes[row])}
            told["backward_passes"] = float(self.backward_passes[row])
            for name, value in told.items():
                found.setdefault(name, []).append(value)
        return {name: np.array(values) for name, values in found.items()}

    def _sound(self, row: int) -> Any:
        """What is added to the model; of one that has diverged, its start: that is what one would keep."""
        return self.instance[row].start if self.stop[row] == DIVERGED else self.delta[row]

    def export(self, row: int, path: str | Path) -> Path:
        """Save row's model as `save_pretrained` does, its head beside it, and `update.json` with what it was and is.

        `transformers` loads the folder. Raises NlpGymError where no episode has begun.
        """
        if self.instance[row] is None:
            raise NlpGymError(f"no episode has started in row {row}; call reset() first.")
        from safetensors.torch import save_file

        folder = Path(path).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        facts = {name: float(values[0]) for name, values in self.metrics(np.array([row])).items()}
        module = self.tunable.module
        with self.tunable.moved(self._sound(row)):
            if isinstance(self.task.answer, Label):
                module.trunk.save_pretrained(folder)
                save_file({name: p.detach().clone() for name, p in module.head.state_dict().items()},
                          folder / "head.safetensors")  # fmt: skip
            else:
                module.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        told = {"task": self.task.name, "instance": int(self.example[row]), "split": self.task.split, "metrics": facts}
        if (names := self.instance[row].names) is not None:
            told["names"] = {int(at): int(names[at]) for at in np.flatnonzero(names != np.arange(len(names)))}
        (folder / "update.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        return folder


def data_of(
    task: OpenTask,
    model: str | None,
    groups: tuple[str, ...] | list[str] | str,
    only: str | None,
    updates: int | None,
    length: int,
    answer: int,
    device: str,
) -> Tuned:
    """What the keywords of these dynamics mean: the task's model, ready to be changed. Raises BadArgument."""
    from ..models.tuning import GROUPS

    chosen = (groups,) if isinstance(groups, str) else tuple(groups)
    if not chosen or any(group not in GROUPS for group in chosen):
        raise BadArgument(f"groups must be some of {', '.join(GROUPS)}, got {groups!r}.")
    labels = isinstance(task.answer, Label)
    if updates is None:
        updates = 1000 if labels else 0
    return tuned(
        task,
        model or ("bert_tiny" if labels else "t5_tiny"),
        chosen,
        only,
        int(positive("updates", updates, 0, int)),
        positive("length", length, 1, int),
        positive("answer", answer, 1, int),
        device,
    )


__all__ = ["Instance", "Update", "box", "data_of", "utility"]
