"""The commonest label of the training split, at once and always."""

from typing import Any

import numpy as np

from ._baseline import Baseline


class Majority(Baseline):
    """Looks at nothing: what a constant answer scores. In a reading environment it reads nothing."""

    dynamics = ("label", "read")
    _fitted = ("label",)
    label = np.array(0)

    def _fit(self) -> None:
        train = self.episodes.dynamics.task.train
        self.label = np.bincount(train.target, minlength=len(train.labels)).argmax()

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        return np.full(len(masks), int(self.label))


AGENT = Majority
