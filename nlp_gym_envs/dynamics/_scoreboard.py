"""What a nudge works on: cached scores of a model, a few parameters that change them, and a batch that judges them."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..task import OpenTask
from ._instances import spread


class Look(NamedTuple):
    """What one evaluation of b rows' batches shows."""

    utility: np.ndarray  # (b,) float64 in [0, 1]: what is paid when it rises
    metric: np.ndarray  # (b,) the task's own
    loss: np.ndarray  # (b,)
    seen: np.ndarray  # (b, F) in [-1, 1]
    moved: np.ndarray  # (b, A - 1) which parameter each nudge would move


class Scoreboard:
    """`parameters` are (b, P); everything of an instance follows from its number and the split.

    A batch is a tuple of arrays with the rows on the second axis; what they hold is the board's own affair. Which
    parameter a nudge moves may depend on what was seen (as "the most under-predicted class" does).
    """

    form: ClassVar[type]  # of answer
    sizes: ClassVar[dict[str, int]] = {"probe": 64, "judge": 256, "confirmation": 256}
    steps: tuple[tuple[str, int], ...]  # what each nudge moves, in words, and by how many hundredths
    features: ClassVar[int]
    names: tuple[str, ...]  # of the parameters
    bound: np.ndarray  # (P,) how far each may go, in hundredths

    def __init__(self, task: OpenTask) -> None:
        self.task = task

    def batch(self, instances: np.ndarray, name: str) -> Any:
        """The probe, judge or confirmation batch of each of n instances."""
        raise NotImplementedError

    def undone(self, instances: np.ndarray) -> np.ndarray:
        """The parameters that undo what is hidden, (n, P)."""
        raise NotImplementedError

    def look(self, batch: Any, parameters: np.ndarray) -> Look:
        """An evaluation."""
        raise NotImplementedError

    def utility(self, batch: Any, parameters: np.ndarray) -> np.ndarray:
        """(b,) in [0, 1], and nothing else."""
        raise NotImplementedError

    def slope(self, batch: Any, parameters: np.ndarray) -> np.ndarray:
        """(b, P): where the parameters should go, by the gradient of the loss."""
        raise NotImplementedError

    def judged(self, batch: Any, parameters: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """What each answer adds to each metric of the task, name -> (b, T, s); loss (b,), utility (b,)."""
        raise NotImplementedError

    def ascended(self, batch: Any, start: np.ndarray, updates: int, rate: float) -> np.ndarray:
        """Parameters (b, P) that a batch finds better than `start`: gradient steps, each coordinate at its own scale.

        Of the `updates` + 1 points that were looked at, the best by utility.
        """
        limit = self.bound / 100
        now, best, most = start.copy(), start.copy(), self.utility(batch, start)
        square = np.zeros_like(start)
        for update in range(updates):
            slope = self.slope(batch, now)
            square = 0.8 * square + 0.2 * slope**2
            scaled = slope / (np.sqrt(square / (1 - 0.8 ** (update + 1))) + 1e-4)
            now = np.clip(now + rate * (1 - update / updates) * scaled, -limit, limit)
            found = self.utility(batch, now)
            better = found > most
            best[better], most[better] = now[better], found[better]
        return best

    def told(self, moved: np.ndarray) -> str:
        """What a person would want to know besides, of one row, whose nudges move the parameters `moved` (A - 1,)."""
        raise NotImplementedError

    def report(self, batch: Any, parameters: np.ndarray) -> dict[str, np.ndarray]:
        """Every metric of the task on a batch, with its standard error, loss and utility: name -> (b,)."""
        counts, loss, utility = self.judged(batch, parameters)
        found = {"loss": loss.astype(np.float64), "utility": utility}
        for name, metric in self.task.metrics.items():
            found[name] = metric.score(counts[name].sum(1))
            found[f"{name}_standard_error"] = spread(counts[name], metric)
        return found
