"""A hand-made policy of `subspace`: down the projected gradient that the agent sees, by a fixed share of a step."""

from typing import Any

import numpy as np

from nlp_gym_envs.errors import BadArgument

from ._baseline import Baseline


class Descent(Baseline):
    """The action is the gradient's direction, turned round, its largest number `length`; none where it is flat."""

    dynamics = ("subspace",)

    def __init__(
        self, policy: str, env: Any, *, length: float = 1.0, seed: int | None = None, verbose: int = 0
    ) -> None:
        if not 0 < length <= 1:
            raise BadArgument(f"length must be above 0 and at most 1, a full step, got {length!r}.")
        self.length = length
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        slope = self.part(observation, "gradient")[:, :-1]
        largest = np.abs(slope).max(1, keepdims=True)
        down = np.divide(-slope, largest, out=np.zeros_like(slope), where=largest > 0)
        return (self.length * down).astype(np.float32)


AGENT = Descent
