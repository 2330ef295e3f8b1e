"""Layers: an action says which group of a transformers model's parameters is trained next, at which rate, or STOP.

What is wrong with the model is hidden (nothing, names are swapped, a group is damaged), and so is whether the answers that it
learns from are right: what to train, and when to stop, must be inferred from gradients and losses. After Lee et al. 2023,
"Surgical fine-tuning improves adaptation to distribution shifts", and Pan et al. 2024, "LISA: layerwise importance sampling for
memory-efficient large language model fine-tuning".

## Action space
`MultiDiscrete([6, levels])`: a group (embeddings; the lower, middle and upper third of the blocks; the head) or STOP, and a
rate: `levels` of them, in equal ratios, within `decades` of `rate` on either side. With `actions="flat"` it is
`Discrete(5 x levels + 1)`: group after group, its rates from the lowest; the last action is STOP. Groups that the model has not
are masked; to choose one changes nothing.

## Observation space
| part | size | range | meaning |
|---|---|---|---|
| `gradient` | 5 x 3 | -1 to 1 | of each group in the minibatch that comes next: log10 of the gradient's norm x the weights', / 3; its cosine with the running mean of such gradients at unit length; the norm of that mean: how far they agree |
| `batch` | 3 | -1 to 1 | log of the minibatch's loss over the probe's, / 3; the mean probability of the wanted answers, in the minibatch and in the probe |
| `loss` | 3 | -1 to 1 | log of the probe's loss over the start's, and over the step before's, / 3; loss / (1 + loss) |
| `history` | 5 x 3 | -1 to 1 | of each group: the last action's rate, -1 where it was left alone; 1 + log10(update / weights) / 3 of its last update; the fall of the log loss then, / 3 |
| `budget` | 1 | 0 to 1 | share of the steps left |

The same for every model and data set; 0 for a group that is not there. `observe` chooses the parts.

## Starting state
An instance of the split: a probe and a judge of other examples, a starting point, and the share of wrong answers in the
minibatches, one of `noise`. `start` names the starting points to draw from: `damaged`, one group's weights are turned towards
noise of their size, by .7 to 1.3 times the angle at which the loss rises by `damage`; `trained`, nothing is wrong; `fresh`, the
head is new; `renamed`, labels, or the 32 most common tokens of answers, have each other's names, in probe, judge and minibatches
alike. Minibatches come from the training split, without the probe and the judge; the answers of these are always right.

## Rewards
The fall of the probe's loss: 3 x the fall of log(loss + .05), exactly 0 where an action changes nothing. A loss that is not
finite or above 20 ends the episode and costs `divergence`, 1, besides the fall to the worst. `episode_metrics` are the task's
metrics on the judge, their standard error, the start's, losses, passes.

## Episode end
Terminated by STOP, after `horizon` steps, by a `target` that is reached on the probe and confirmed on twice as many others, or by
divergence; `info["stop"]` says which. Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `model` | `"bert_tiny"` for labels, `"t5_tiny"` for texts | the model that is tuned: one that ships with the package, a Hub name, a local path |
| `actions` | `"multi"` | or `"flat"`, for agents that take `Discrete` alone |
| `levels` | 4 | how many rates there are |
| `optimiser` | `"normalised"` | a step is rate x the weights' norm along each group's gradient; or `"sgd"`, `"momentum"`, `"adam"` |
| `rate`, `decades` | of the optimiser, 1 | the middle of the rates: .03, .1, .02, .0002; how far the highest is above it |
| `schedule` | `"cosine"` | rates fall to nothing over the horizon by themselves, as half a cosine, and an action sets them before that; with `"constant"` they stay |
| `inner`, `batch` | 1, 16 for labels, 8 for texts | updates in a step; texts of a minibatch |
| `start`, `damage` | `("trained", "renamed", "damaged")` as far as `groups` allow, 0.5 for labels, 1 for texts | starting points to draw from; how far the loss has risen there, in nats |
| `noise` | `(0.0, 0.8)` | shares of answers that are other examples', of which each instance has one |
| `groups` | all five | what may change |
| `probe`, `judge` | 32, 32 for labels, 8, 16 for texts | examples that the reward, and that the metrics at the end look at |
| `horizon` | 12 | steps |
| `target` | none | a score of the task's metric at which an episode is won |
| `observe` | all five | the parts of the observation |
| `instance`, `instances` | `"varied"`, none | `"fixed"`: one instance for ever, which is black-box optimisation; how many there are (10^6, 64, 256) |
| `updates` | 3000 for labels, 1000 for texts | updates of the whole model on the training split beforehand, kept on disk |
| `length`, `answer` | 24 for labels, 64 for questions about a passage, 16 for other texts; 16 | tokens read of a text, and of an answer |
| `device` | `"cpu"` | where the model is |

## Version history
v0: first release.
"""  # noqa: E501

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from ..errors import BadArgument
from ..task import OpenTask
from ._base import positive
from ._finetuning import ALL, GROUPS, NONE, PARTS, Finetuning

STOP = GROUPS  # instead of a group


class Layers(Finetuning):
    """Train one group at a time."""

    name = "layers"
    normalised = 0.03

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        model: str | None = None,
        actions: str = "multi",
        levels: int = 4,
        optimiser: str = "normalised",
        rate: float | None = None,
        decades: float = 1.0,
        schedule: str = "cosine",
        inner: int = 1,
        batch: int | None = None,
        start: Sequence[str] | str | None = None,
        damage: float | None = None,
        noise: Sequence[float] | float = (0.0, 0.8),
        groups: Sequence[str] = ALL,
        probe: int | None = None,
        judge: int | None = None,
        horizon: int = 12,
        target: float | None = None,
        observe: Sequence[str] = PARTS,
        instance: str = "varied",
        instances: int | None = None,
        updates: int | None = None,
        length: int | None = None,
        answer: int = 16,
        device: str = "cpu",
    ) -> None:
        if actions not in ("multi", "flat"):
            raise BadArgument(f"actions must be 'multi' or 'flat', got {actions!r}.")
        self.flat, self.choices = actions == "flat", positive("levels", levels, 1, int)
        super().__init__(
            task, num_rows, model=model, optimiser=optimiser, rate=rate, decades=decades, schedule=schedule,
            inner=inner, batch=batch, start=start, damage=damage, noise=noise, groups=groups, probe=probe, judge=judge,
            horizon=horizon, target=target, observe=observe, instance=instance, instances=instances,
            updates=updates, length=length, answer=answer, device=device,
        )  # fmt: skip
        spread = np.linspace(-self.decades, self.decades, self.choices) if self.choices > 1 else np.zeros(1)
        self.levels = self.rate * 10**spread  # (levels,) rates, the lowest first
        names = tuple(self.tunable.spans)
        if self.flat:
            self.action_space = spaces.Discrete(GROUPS * self.choices + 1)
            self.action_meanings = (*(f"{name} at {rate:.2g}" for name in names for rate in self.levels), "STOP")
        else:
            self.action_space = spaces.MultiDiscrete([GROUPS + 1, self.choices])
            self.action_meanings = ((*names, "STOP"), tuple(f"at {rate:.2g}" for rate in self.levels))

    def rates_of(self, action: Any) -> np.ndarray | None:
        group, level = divmod(int(action), self.choices) if self.flat else map(int, action)
        if group == STOP:
            return None
        found = np.zeros(GROUPS)
        found[group] = self.levels[level]
        return found

    def masks(self, rows: np.ndarray) -> np.ndarray:
        groups = np.repeat(self.there, self.choices) if self.flat else self.there
        rates = [] if self.flat else np.ones(self.choices, bool)
        return np.tile(np.concatenate((groups, [True], rates)).astype(bool), (len(rows), 1))

    def meaning(self, action: Any, row: int | None = None) -> str:
        return super().meaning(action, row) if self.flat or int(action[0]) != STOP else "STOP"  # at whatever rate

    def action_of(self, group: int, level: int) -> np.ndarray:
        """What takes a group (or STOP) at a level, as an action."""
        if self.flat:
            return np.array(GROUPS * self.choices if group == STOP else group * self.choices + level)
        return np.array([group, level])

    def still(self, rows: np.ndarray) -> np.ndarray:
        """Actions that change nothing, (B, ...): STOP."""
        return np.array([self.action_of(STOP, 0) for _ in rows])

    def nearest(self, rate: float) -> int:
        """The level nearest to a rate."""
        return int(np.abs(np.log(self.levels / rate)).argmin())

    def slower(self, actions: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Actions with about these shares of their rates, (B, ...)."""
        groups, levels = np.divmod(actions, self.choices) if self.flat else actions.T
        lower = [self.nearest(self.levels[level] * max(less, 1e-6)) for level, less in zip(levels, share, strict=True)]
        return np.array([self.action_of(*pair) for pair in zip(groups.tolist(), lower, strict=True)])

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """The damaged group at a good rate, a lower one where most answers are wrong; STOP where none is damaged."""
        found = self.still(rows)
        for at, row in enumerate(rows.tolist()):
            if (group := self.repair(row)) != NONE:
                found[at] = self.action_of(group, self.nearest(self.rate * (self.careful if self.noisy(row) else 1.0)))
        return found


DYNAMICS = Layers
