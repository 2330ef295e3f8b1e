"""The likeliest candidate, always: what the frozen model would write by itself."""

import numpy as np

from ._writing import Writer


class Greedy(Writer):
    """Greedy decoding."""

    def scores(self, rows: np.ndarray) -> np.ndarray:
        return self.writing.log_p[rows]


AGENT = Greedy
