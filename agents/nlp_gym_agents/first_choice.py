"""Take the first of what is offered: in "choices" the first choice, in "span" the rule's candidate at every stage.

In "choices", whose order is drawn anew for each episode, it is as good as chance. In "span", where candidates come best
first by a hand-written rule, it is that rule: what an agent there must beat.
"""

from typing import Any

import numpy as np

from ._baseline import Baseline


class FirstChoice(Baseline):
    """Always action 0; "no answer" where nothing else is allowed."""

    dynamics = ("choices", "span")

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        return masks.argmax(1)  # action 0 where it is allowed, as it is wherever there is a candidate


AGENT = FirstChoice
