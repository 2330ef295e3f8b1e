"""The floor of what changes a model: stop at once, and leave it as it is."""

from typing import Any

import numpy as np

from ._baseline import Baseline


class NoOp(Baseline):
    """STOP, always."""

    dynamics = ("nudge",)

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        return np.zeros(len(masks), np.int64)


AGENT = NoOp
