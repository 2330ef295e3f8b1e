"""The plain rules for the goals of a `tokens` environment: cut at the length limit, append the missing terms."""

from typing import Any

import numpy as np

from ._writing import Writer


class GoalRule(Writer):
    """N-gram blocking; END where the best candidate would go beyond the limit; missing terms before END.

    Terms are written where END is the best candidate, or where there is just room for them.
    """

    def __init__(self, policy: str, env: Any, *, n: int = 2, seed: int | None = None, verbose: int = 0) -> None:
        self.n = n
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        here = self.writing
        scores = np.where(here.allowed[rows], self.unrepeated(rows, self.n), -1e6)
        is_end = here.candidates[rows] == here.model.end
        seen, names = here.seen[rows], here.feature_names
        if here.terms is not None:
            goes_on = seen[:, :, names.index("goes on with a missing term")] > 0
            begins = seen[:, :, names.index("begins a missing term")] > 0
            joins = here.terms.fresh[rows].any(1)[:, None] & here.terms.table.joins[here.candidates[rows]]
            scores = scores - 5e2 * joins  # a term that was just written stays a word of its own
            ending = is_end[np.arange(len(rows)), scores.argmax(1)][:, None]
            needed = ((here.terms.tokens[rows] >= 0).sum(2) * ~here.terms.met[rows]).sum(1)
            hurry = (here.longest - here.length[rows] <= needed)[:, None]
            scores = np.where(goes_on, 2e3, np.where(begins & (ending | hurry), 1e3, scores))
        if here.limit is not None:
            best = scores.argmax(1)
            beyond = seen[np.arange(len(rows)), best, names.index("is beyond the limit")] > 0
            scores = np.where(beyond[:, None] & is_end, 1e4, scores)
        return scores


AGENT = GoalRule
