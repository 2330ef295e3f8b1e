"""The best match of a window of words: the baseline of Richardson et al. 2013, "MCTest", which learns nothing.

In "choices" it looks at all choices at once, as no other agent there can, and takes the one whose words are found
together with the question's in a window of the context (of the question, where there is no context). In "span" it sees
what every agent sees: it takes the sentence with the most question words in it, in that the new word with the most of
them around it, and as many words as a training answer has on the average.
"""

from typing import Any

import numpy as np

from ._baseline import Baseline

OVERLAP, NEW, BEFORE, BEHIND, LENGTH = 2, 3, 4, 5, 2  # which of a candidate's numbers, see the page of "span"


class SlidingWindow(Baseline):
    """`words`, of a training answer, is all that is fitted, and only for "span"."""

    dynamics = ("choices", "span")
    _fitted = ("words",)
    words = np.array(1.0)

    def _fit(self) -> None:
        dynamics = self.episodes.dynamics
        if dynamics.name == "span":
            answers = [text for accepted in dynamics.task.train.target for text in accepted[:1] if text]
            self.words = np.array(np.mean([len(text.split()) for text in answers] or [1.0]))

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        dynamics = self.episodes.dynamics
        if dynamics.name == "choices":
            return take_best(dynamics, dynamics.table.matches[:, dynamics.table.names.index("window")], len(masks))
        return self._span(observation, masks)

    def _span(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        dynamics = self.episodes.dynamics
        slots = self.part(observation, "candidates").reshape(*masks.shape, -1)[:, :-1]
        stage = self.part(observation, "stage").argmax(1)[:, None]
        around = slots[..., BEFORE] + slots[..., BEHIND] + slots[..., NEW]
        wrong_length = np.abs(slots[..., LENGTH] * dynamics.longest - float(self.words))
        worth = np.choose(stage, (slots[..., OVERLAP], around, -wrong_length))
        best = np.where(masks[:, :-1] & (slots[..., 0] > 0), worth, -np.inf).argmax(1)
        return np.where(slots[:, 0, 0] > 0, best, dynamics.no_answer)


def take_best(dynamics: Any, worth: np.ndarray, rows: int) -> np.ndarray:
    """ANSWER where the choice shown is worth most of its question's, `worth` (P,) of all choices; else CONTINUE."""
    every = np.arange(rows)
    examples, column = dynamics.example[:rows], np.arange(dynamics.horizon)
    order = dynamics.order[:rows]
    there = column < dynamics.table.count[examples][:, None]
    offered = np.where(there, worth[dynamics.table.start[examples][:, None] + np.where(there, order, 0)], -np.inf)
    best = offered.argmax(1)  # of equals the first that is shown
    at = dynamics.at[:rows]
    return np.where((at >= best) | (dynamics.table.count[examples] - at == 1), 0, 1)[every]


AGENT = SlidingWindow
