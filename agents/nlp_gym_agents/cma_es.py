"""CMA-ES (Hansen and Ostermeier 2001) in the subspace of each instance: black-box search at an agent's own budget.

It evaluates points itself, as many as an agent has passes in an episode, a backward one counted as two forward; then it
takes its best point. It learns nothing that helps with the next instance. Needs the package `cma` (the extra `search`).
"""

import warnings
from typing import Any

import numpy as np

from nlp_gym_envs.errors import BadArgument

from ._baseline import Baseline


class CmaEs(Baseline):
    """`width` is the first deviation, in shares of a start's usual distance in one direction."""

    dynamics = ("subspace",)

    def __init__(self, policy: str, env: Any, *, width: float = 0.5, seed: int | None = None, verbose: int = 0) -> None:
        if not width > 0:
            raise BadArgument(f"width must be above 0, got {width!r}.")
        self.width = width
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        here = self.episodes.dynamics
        for row in range(len(masks)):
            if here.taken[row] == 0:
                here.place(row, self._found(here, row))
        return here.still(np.arange(len(masks)))

    def _found(self, here: Any, row: int) -> np.ndarray:
        """The best point (k,) of so many evaluations."""
        try:
            import cma
        except ImportError as error:
            raise BadArgument("CMA-ES needs the package cma: pip install 'nlp-gym-envs[search]'.") from error

        best, least = here.point[row].copy(), float(here.loss[row])
        seed = 1 + int(np.random.SeedSequence([self.seed or 0, int(here.example[row])]).generate_state(1)[0]) % 10**9
        options = {"seed": seed, "verbose": -9, "popsize": min(6, here.evaluations), "verb_log": 0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            strategy = cma.CMAEvolutionStrategy(best, self.width * here.distance / np.sqrt(here.k), options)
            left = here.evaluations
            while left > 0:
                asked = strategy.ask()[:left]
                losses = [here.loss_at(row, point) for point in asked]
                left -= len(asked)
                for point, loss in zip(asked, losses, strict=True):
                    if loss < least:
                        best, least = np.array(point), loss
                if len(asked) == strategy.popsize:
                    strategy.tell(asked, losses)
        return best


AGENT = CmaEs
