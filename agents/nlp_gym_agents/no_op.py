"""The model as it was: an action that changes nothing, again and again."""

from typing import Any

import numpy as np

from ._baseline import Baseline


class NoOp(Baseline):
    """STOP where there is one, else what leaves every weight as it is."""

    dynamics = ("nudge", "subspace", "layers", "rates")

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        here, rows = self.episodes.dynamics, np.arange(len(masks))
        return here.still(rows) if hasattr(here, "still") else np.zeros(len(rows), np.int64)  # of `nudge` 0 is STOP


AGENT = NoOp
