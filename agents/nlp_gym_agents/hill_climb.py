"""A random nudge at a time, kept where the probe's utility rises, taken back where not."""

from typing import Any

import numpy as np

from ._search import Search


class HillClimb(Search):
    """The nudges are those of the environment, slots for classes too; taking one back costs no look."""

    def _found(self, board: Any, batch: Any, start: np.ndarray, looks: int) -> np.ndarray:
        rows, size = np.arange(len(start)), np.array([size for _, size in board.steps]) / 100
        best, look = start.copy(), board.look(batch, start)
        most, moved = look.utility, np.array(look.moved)  # a rejected nudge leaves the slots as they were
        for _ in range(looks):
            tried, chosen = best.copy(), self._generator.integers(len(size), size=len(rows))
            tried[rows, moved[rows, chosen]] += size[chosen]
            tried = np.clip(tried, -board.bound / 100, board.bound / 100)
            look = board.look(batch, tried)
            better = look.utility > most
            best[better], most[better], moved[better] = tried[better], look.utility[better], look.moved[better]
        return best


AGENT = HillClimb
