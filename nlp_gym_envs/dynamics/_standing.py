"""The score of answers that are still being written: one of the task's metrics, or a weighted mean of several."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import BadArgument
from ..task import OpenTask

Texts = Callable[[np.ndarray], np.ndarray]  # rows (b,) -> their answers (b,) object
Followed = Callable[[np.ndarray, np.ndarray], np.ndarray]  # rows (b,), tokens (b, k) -> answers with each (b, k) object


class Standing:
    """`parts` are (metric, weight, what keeps it without rescoring or None); weights add up to 1."""

    def __init__(self, task: OpenTask, asked: Any, pieces: Any, num_rows: int, longest: int) -> None:
        from ..metrics._growing import Growing
        from ..metrics.bleu import BLEU
        from ..metrics.chrf import CHRF
        from ..text.cache import folder

        self.task = task
        self.parts = []
        for metric, weight in _weights(task, asked):
            growing = None
            if isinstance(metric, BLEU | CHRF):
                growing = Growing(metric, task.accepted, pieces, num_rows, longest, cache=folder() / "compiled")
            self.parts.append((metric, weight, growing))

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        """Empty answers to `examples` in `rows`, (b,) both."""
        for _, _, growing in self.parts:
            if growing is not None:
                growing.begin(rows, examples)

    def push(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """One token more in each row."""
        for _, _, growing in self.parts:
            if growing is not None:
                growing.push(rows, tokens)

    def scores(self, rows: np.ndarray, examples: np.ndarray, texts: Texts) -> np.ndarray:
        """The score of each answer as it stands, (b,) in [0, 1]."""
        found = np.zeros(len(rows))
        for metric, weight, growing in self.parts:
            each = metric.each(texts(rows), self.task.accepted[examples]) if growing is None else growing.scores(rows)
            found += weight * each
        return found

    def would(self, rows: np.ndarray, examples: np.ndarray, tokens: np.ndarray, followed: Followed) -> np.ndarray:
        """The scores if each of `tokens` (b, k) were written, (b, k)."""
        found = np.zeros(tokens.shape)
        for metric, weight, growing in self.parts:
            if growing is None:
                columns, targets = followed(rows, tokens).T, self.task.accepted[examples]
                found += weight * np.stack([metric.each(column, targets) for column in columns], 1)
            else:
                found += weight * growing.would(rows, tokens)
        return found


def _weights(task: OpenTask, asked: Any) -> list[tuple[Any, float]]:
    """Metrics and weights that add up to 1: the task's own, one by name, or {"chrf": 1, "bleu": 1}."""
    if asked is None:
        return [(task.metric, 1.0)]
    wanted = {asked: 1.0} if isinstance(asked, str) else asked
    known = ", ".join(task.metrics)
    if not isinstance(wanted, Mapping) or not wanted:
        raise BadArgument(
            f"metric must be one of {known}, or weights of them as {{'chrf': 1, 'bleu': 1}}, got {asked!r}."
        )
    for name, weight in wanted.items():
        if name not in task.metrics:
            raise BadArgument(f"metric must be one of the task's, {known}, got {name!r}.")
        if not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            raise BadArgument(f"the weight of the metric {name!r} must be a positive number, got {weight!r}.")
    total = sum(wanted.values())
    return [(task.metrics[name], weight / total) for name, weight in wanted.items()]
