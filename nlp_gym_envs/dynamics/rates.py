"""Learning rates: while a transformers model is fine-tuned, an action sets the rate of each group of its parameters.

What is wrong with the model is hidden (nothing, names are swapped, a group is damaged), and so is whether the answers that it
learns from are right: the best rates are not the same everywhere, and must be inferred from gradients and losses. After Daniel
et al. 2016, "Learning step size controllers for robust neural network training", and Lee et al. 2023, "Surgical fine-tuning
improves adaptation to distribution shifts".

## Action space
`Box(-1, 1, (5,))`: of embeddings, the lower, middle and upper third of the blocks, and the head, the base-10 logarithm of the
rate over `rate`, in units of `decades`; -1 leaves a group as it is. A group that the model has not does nothing. Numbers outside
are moved to the nearest bound; one that is not finite counts as 0 and costs `invalid`, .05.

## Observation space
| part | size | range | meaning |
|---|---|---|---|
| `gradient` | 5 x 3 | -1 to 1 | of each group in the minibatch that comes next: log10 of the gradient's norm x the weights', / 3; its cosine with the running mean of such gradients at unit length; the norm of that mean: how far they agree |
| `batch` | 3 | -1 to 1 | log of the minibatch's loss over the probe's, / 3; the mean probability of the wanted answers, in the minibatch and in the probe |
| `loss` | 3 | -1 to 1 | log of the probe's loss over the start's, and over the step before's, / 3; loss / (1 + loss) |
| `history` | 5 x 3 | -1 to 1 | of each group: the last action; 1 + log10(update / weights) / 3 of its last update; the fall of the log loss then, / 3 |
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
Terminated after `horizon` steps, by a `target` that is reached on the probe and confirmed on twice as many others, or by divergence;
`info["stop"]` says which. Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `model` | `"bert_tiny"` for labels, `"t5_tiny"` for texts | the model that is tuned: one that ships with the package, a Hub name, a local path |
| `optimiser` | `"normalised"` | a step is rate x the weights' norm along each group's gradient; or `"sgd"`, `"momentum"`, `"adam"` |
| `rate`, `decades` | of the optimiser, 1.5 | the rate that 0 stands for: .006, .1, .02, .0002; how far 1 is above it |
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

from ..task import OpenTask
from ._finetuning import ALL, GROUPS, NONE, PARTS, Finetuning


class Rates(Finetuning):
    """Set every group's rate."""

    name = "rates"
    normalised = 0.006

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        model: str | None = None,
        optimiser: str = "normalised",
        rate: float | None = None,
        decades: float = 1.5,
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
        super().__init__(
            task, num_rows, model=model, optimiser=optimiser, rate=rate, decades=decades, schedule=schedule,
            inner=inner, batch=batch, start=start, damage=damage, noise=noise, groups=groups, probe=probe, judge=judge,
            horizon=horizon, target=target, observe=observe, instance=instance, instances=instances,
            updates=updates, length=length, answer=answer, device=device,
        )  # fmt: skip
        self.action_space = spaces.Box(-1, 1, (GROUPS,), np.float32)
        self.action_meanings = tuple(f"rate of {group}" for group in self.tunable.spans)

    def rates_of(self, action: Any) -> np.ndarray:
        return np.where(action > -1, self.rate * 10 ** (self.decades * action), 0.0)

    def still(self, rows: np.ndarray) -> np.ndarray:
        """Actions that change nothing, (B, G)."""
        return np.full((len(rows), GROUPS), -1, np.float32)

    def slower(self, actions: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Actions with these shares of their rates, (B, G)."""
        less = np.log10(np.maximum(share, 1e-6)) / self.decades
        return np.where(actions > -1, np.maximum(actions + less[:, None], -1), -1).astype(np.float32)

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """Only the damaged group, at a good rate; a lower one where most answers are wrong."""
        found = self.still(rows)
        for at, row in enumerate(rows.tolist()):
            if (group := self.repair(row)) != NONE:
                found[at, group] = np.log10(self.careful) / self.decades if self.noisy(row) else 0.0
        return found


DYNAMICS = Rates
