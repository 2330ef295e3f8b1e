"""A task: examples, the form of an answer, and the metrics that judge it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .answers import Form, Label
from .errors import BadArgument
from .lookup import Shelf
from .metrics._base import Metric
from .text import corpora
from .text.examples import Examples

TASKS = Shelf("nlp_gym_envs.tasks", "TASK", "task")
METRICS = Shelf("nlp_gym_envs.metrics", "METRIC", "metric")


@dataclass(frozen=True)
class Task:
    """What is asked, whatever an action is.

    `metrics` are names; the first is the task's own: what rewards pay and tables rank by. `description` says on the
    docs page what is asked, of whom the data are, under which licence. A task holds no data: `open` loads it.
    """

    source: corpora.Source
    answer: Form
    metrics: tuple[str, ...]
    description: str | None = None  # None where Python drops docstrings

    def open(
        self,
        name: str,
        split: str = "train",
        dataset: str | None = None,
        columns: Mapping[str, str] | None = None,
        labels: Sequence[str] | None = None,
    ) -> "OpenTask":
        """The task with its data: `split` to act on, and "train" for whatever must be fitted.

        `dataset` replaces the task's own data (then label names are found in it unless `labels` gives them).
        Raises BadArgument, BadData or NotAvailable.
        """
        source = corpora.source_of(name, self.source, dataset)
        form = self._form(name, dataset, labels)
        train = corpora.load(source, columns or {}, form, "train")
        if isinstance(form, Label):
            if len(train.labels) < 2:
                raise BadArgument(f"{name} needs two labels or more to choose from; the data have {train.labels}.")
            form = replace(form, names=train.labels)
        examples = train if split == "train" else corpora.load(source, columns or {}, form, split)
        metrics = {metric: METRICS.get(metric)(form) for metric in self.metrics}
        return OpenTask(name, split, form, metrics, examples, train, source)

    def _form(self, name: str, dataset: str | None, labels: Sequence[str] | None) -> Form:
        """The form of answer, with the label names where they are known before the data are read."""
        if not isinstance(self.answer, Label):
            if labels is not None:
                raise BadArgument(f"labels={labels!r} goes with tasks whose answers are labels; {name} has none.")
            return self.answer
        if isinstance(labels, str) or not all(isinstance(label, str) for label in labels or ()):
            raise BadArgument(f"labels must be a list of names in order, as ['no', 'yes'], got {labels!r}.")
        return replace(self.answer, names=tuple(labels) if labels else () if dataset else self.answer.names)


@dataclass(frozen=True)
class OpenTask:
    """A task with its data: what a dynamics works on."""

    name: str
    split: str
    answer: Any  # its form, see `answers`
    metrics: dict[str, Metric]
    examples: Examples  # the split's, which episodes are drawn from
    train: Examples  # the training split's: all that may be fitted, and the only source of the spaces
    source: Any

    @cached_property
    def metric(self) -> Metric:
        """The task's own metric, which rewards pay."""
        return next(iter(self.metrics.values()))

    def at(self, split: str) -> "OpenTask":
        """The same task and data on another split."""
        assert self.train.recipe is not None
        source, columns, _, _ = self.train.recipe[1]
        examples = self.train if split == "train" else corpora.load(source, columns, self.answer, split)
        return replace(self, split=split, examples=examples)

    @cached_property
    def accepted(self) -> np.ndarray:
        """The accepted answers of each example, (N,) object of tuples of str."""
        return self.answer.accepted_of(self.examples)

    def outcome(self, answers: np.ndarray, examples: np.ndarray) -> np.ndarray:
        """The task's metric of each answer to each example on its own, (B,) in [0, 1]."""
        return self.metric.each(answers, self.examples.target[examples])
