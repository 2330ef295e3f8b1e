"""The floor: an allowed action, drawn uniformly."""

from typing import Any

import numpy as np

from ._baseline import Baseline


class Uniform(Baseline):
    """Every allowed action is equally likely."""

    seeded = True

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        return np.where(masks, self._generator.random(masks.shape), -1.0).argmax(1)


AGENT = Uniform
