"""The floor: an allowed action, drawn uniformly."""

from typing import Any

import numpy as np
from gymnasium import spaces

from ._baseline import Baseline


class Uniform(Baseline):
    """Every allowed action is equally likely; of several coordinates each on its own."""

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        space, drawn = self.episodes.dynamics.action_space, self._generator.random(masks.shape)
        if isinstance(space, spaces.Box):
            return (space.low + (space.high - space.low) * drawn).astype(space.dtype)
        drawn = np.where(masks, drawn, -1.0)
        if isinstance(space, spaces.Discrete):
            return drawn.argmax(1)
        parts = np.split(drawn, np.cumsum(space.nvec)[:-1], axis=1)
        return np.column_stack([part.argmax(1) for part in parts])


AGENT = Uniform
