"""What the searches have in common: they look for an instance's parameters themselves, and then stop."""

from typing import Any

import numpy as np

from ._baseline import Baseline


class Search(Baseline):
    """Subclasses write `_found`. A search looks at the probe as often as an agent may, and is not bound to nudges."""

    dynamics = ("nudge",)

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        here = self.episodes.dynamics
        rows = np.arange(len(masks))
        fresh = rows[here.looks[rows] == 0]
        if len(fresh):
            start = np.zeros((len(fresh), len(here.board.names)))
            here.place(fresh, self._found(here.board, here.probe.of(fresh), start, here.horizon), here.horizon)
        return np.zeros(len(masks), np.int64)  # STOP

    def _found(self, board: Any, batch: Any, start: np.ndarray, looks: int) -> np.ndarray:
        """Parameters (b, P), after at most `looks` evaluations of the probe batch; it begins at `start`."""
        raise NotImplementedError
