"""Read until the frozen classifier is confident enough, then give its answer: the rule that learned readers must beat.

The rule stops after at least `least` chunks once the favourite's probability reaches `level + slope x share read`.
Level, slope and least are chosen on the validation split, by the mean return at the environment's own reading cost.
"""

from typing import Any

import numpy as np

from ._baseline import Baseline

LEVELS = np.concatenate((np.linspace(0.3, 0.9, 25), 1 - np.geomspace(0.1, 0.001, 20), [1.01]))  # 1.01: read everything
SLOPES = (-0.6, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2)


class Threshold(Baseline):
    """`slope=True` lets the demanded confidence change along the text; False keeps it level."""

    dynamics = ("read",)
    _fitted = ("level", "tilt", "least")
    level, tilt, least = np.array(0.9), np.array(0.0), np.array(0)

    def __init__(self, policy: str, env: Any, *, slope: bool = True, seed: int | None = None, verbose: int = 0) -> None:
        self.slope = slope
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def _fit(self) -> None:
        from nlp_gym_envs.dynamics.read import ReadingTable

        here = self.episodes.dynamics
        task = here.task.at("validation")
        table = ReadingTable.of(task.examples, task.train, here.chunk)
        best = -np.inf
        for least in (0, 1):
            for tilt in SLOPES if self.slope else (0.0,):
                for level in LEVELS:
                    stops = stopping(table, level, tilt, least)  # (N,) rows of the table
                    right = table.favourite[stops] == task.examples.target
                    words = np.minimum((stops - table.start) * here.chunk, table.words)
                    paid = np.where(right, here.pays[1], here.pays[0]) - here.reading_cost * words
                    if paid.mean() > best:
                        best, self.level, self.tilt, self.least = paid.mean(), level, tilt, least

    def _choose(self, observation: Any, masks: np.ndarray) -> np.ndarray:
        posterior, progress = self.part(observation, "posterior"), self.part(observation, "progress")
        sure = posterior.max(1) >= self.level + self.tilt * progress[:, 0]
        finished = (sure & ((progress[:, 0] > 0) | (self.least == 0))) | (progress[:, 2] == 1)
        return np.where(finished, posterior.argmax(1), self.actions - 1)


def stopping(table: Any, level: float, tilt: float, least: int) -> np.ndarray:
    """Where in a reading table the rule stops in each text, (N,): at the first sure prefix, else the whole text."""
    text = np.repeat(np.arange(len(table.start)), table.chunks + 1)  # (P,)
    position = np.arange(len(text))
    number = position - table.start[text]
    share = table.observation[:, -4]  # of the words, as the agent sees it
    sure = (table.posterior.max(1) >= level + tilt * share) & (number >= np.minimum(least, table.chunks[text]))
    end = table.start + table.chunks
    first = np.where(sure, position, end[text])
    return np.minimum.reduceat(first, table.start)


AGENT = Threshold
