"""Write when the model is sure of its next word, else read on: the rule that learned policies are compared with.

After Cho and Esipova 2016, whose criteria also ask the model whether another word would change its mind; here its
probability alone decides.
"""

from typing import Any

import numpy as np

from nlp_gym_envs.errors import BadArgument

from ._baseline import Baseline

READ, WRITE = 0, 1
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)  # 1.01: read everything
JUDGED = 256  # validation examples for each level


class ConfidenceRule(Baseline):
    """WRITE once the probability of the next token reaches `threshold`, and whenever all is read.

    With `threshold=None` it is the one of `LEVELS` with the highest mean return on validation examples, at the
    environment's own price of delay.
    """

    dynamics = ("readwrite",)
    _fitted = ("level",)

    def __init__(
        self, policy: str, env: Any, *, threshold: float | None = None, seed: int | None = None, verbose: int = 0
    ) -> None:
        if threshold is not None and (not isinstance(threshold, int | float) or not 0 <= threshold < float("inf")):
            raise BadArgument(f"threshold must be a number of at least 0, or None, got {threshold!r}.")
        self.threshold = threshold
        self.level = np.array(0.5 if threshold is None else float(threshold))
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _fit(self) -> None:
        if self.threshold is None:
            game = self.episodes.dynamics.on("validation", JUDGED)
            examples = np.arange(min(JUDGED, len(game.task.examples)))
            self.level = np.array(LEVELS[int(np.argmax([returns(game, examples, level).mean() for level in LEVELS]))])

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        return decide(self.episodes.dynamics, np.arange(len(masks)), float(self.level))


def decide(game: Any, rows: np.ndarray, level: float) -> np.ndarray:
    """What the rule does in some rows, (b,)."""
    unread = game.read[rows] < game.source[rows]
    return np.where(unread & (game.next_p[rows] < level), READ, WRITE)


def returns(game: Any, examples: np.ndarray, level: float) -> np.ndarray:
    """What the rule earns on some examples, (b,): the metric at the end less all costs."""
    rows = np.arange(len(examples))
    game.begin(rows, examples)
    paid = np.zeros(len(rows))
    running = rows
    while len(running):
        costs = game.act(running, decide(game, running, level))
        paid[running] -= sum(costs.values())
        running = running[~game.over(running)]
    return paid + game.outcome(rows)


AGENT = ConfidenceRule
