"""Parameter update in a subspace: the action moves a transformers model's weights along k directions of their space.

Of every instance the weights were moved off along those directions; the way back is hidden, the loss and its gradient
along them are seen. After Li et al. 2018, "Measuring the intrinsic dimension of objective landscapes", and Andrychowicz et
al. 2016, "Learning to learn by gradient descent by gradient descent".

## Action space
`Box(-1, 1, (k,))`: coordinate i moves the weights by `step` x action along direction i, from where they are. Numbers outside
are moved to the nearest bound; one that is not finite counts as 0 and costs `invalid`, .05.

## Observation space
| part | size | range | meaning |
|---|---|---|---|
| `gradient` | k + 1 | -1 to 1 | the gradient of the probe's loss along the directions, at unit length; log of its length, / 10 |
| `loss` | 3 | -1 to 1 | log of the loss over the start's, and over the step before's, / 3; loss / (1 + loss) |
| `history` | k | -1 to 1 | the last action |
| `budget` | 1 | 0 to 1 | share of the steps left |
| `point` | k | -1 to 1 | only if asked for: how far it has gone from where it began, over twice the usual distance of a start. An agent that sees no more than this learns one place by heart |

The same for every model and data set. `observe` chooses the parts.

## Starting state
An instance of the split: a probe and a judge of other examples, k random directions, a starting point off the trained
model, at a distance at which the loss has risen by about `damage` (found once on the training split), times .7 to 1.3.
The directions, examples and starts of validation and test are never those of training.

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
| `model` | `"bert_tiny"` for labels, `"t5_tiny"` for texts | the model that is moved: one that ships with the package, a Hub name, a local path |
| `k`, `step` | 8, 0.5 | directions; how far a full action goes, in shares of a start's usual distance in one direction |
| `basis` | `"random"` | or `"lora"`: rank one in every matrix; `"head"`, `"layernorm"`: random in these parameters alone |
| `groups` | `("upper", "head")` | what may change: of embeddings, lower, middle, upper (thirds of the blocks), head |
| `damage` | 0.5 | how far off a start is: the rise of the loss in nats |
| `probe`, `judge` | 16, 32 | examples that the reward, and that the metrics at the end look at |
| `horizon` | 8 | steps |
| `target` | none | a score of the task's metric at which an episode is won |
| `observe` | `("gradient", "loss", "history", "budget")` | the parts of the observation |
| `instance`, `instances` | `"varied"`, none | `"fixed"`: one instance for ever, which is black-box optimisation; how many there are (10^6, 64, 256) |
| `updates` | 1000 for labels, 0 for texts | updates of the whole model on the training split beforehand, kept on disk |
| `length`, `answer` | 32, 24 | tokens read of a text, and of an answer |
| `device` | `"cpu"` | where the model is |

## Version history
v0: first release.
"""  # noqa: E501

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import Label
from ..errors import BadArgument
from ..task import OpenTask
from ._base import box, positive
from ._tuned import Tuned
from ._update import WORST, Instance, Update, data_of

BASES = ("random", "lora", "head", "layernorm")
PARTS = ("gradient", "loss", "history", "budget", "point")
NEAR, FAR = 0.7, 1.3  # starts, in shares of the usual distance
TRIES = 8  # instances on which that distance is found
MOST, HALVINGS = 1000.0, 6  # how far is looked for it, and how finely


class Subspace(Update):
    """Move along directions."""

    name = "subspace"
    per_look = (1, 1)

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        model: str | None = None,
        k: int = 8,
        step: float = 0.5,
        basis: str = "random",
        groups: Sequence[str] = ("upper", "head"),
        damage: float = 0.5,
        probe: int = 16,
        judge: int = 32,
        horizon: int = 8,
        target: float | None = None,
        observe: Sequence[str] = ("gradient", "loss", "history", "budget"),
        instance: str = "varied",
        instances: int | None = None,
        updates: int | None = None,
        length: int = 32,
        answer: int = 24,
        device: str = "cpu",
    ) -> None:
        self.k = positive("k", k, 1, int)
        if basis not in BASES:
            raise BadArgument(f"basis must be one of {', '.join(BASES)}, got {basis!r}.")
        if not observe or any(part not in PARTS for part in observe):
            raise BadArgument(f"observe must be some of {', '.join(PARTS)}, got {observe!r}.")
        chosen = ("head",) if basis == "head" else tuple(groups)
        only = {"layernorm": r"norm|ln_", "head": r"^head\." if isinstance(task.answer, Label) else None}.get(basis)
        data = data_of(task, model, chosen, only, updates, length, answer, device)
        super().__init__(task, num_rows, data, probe, judge, horizon, target, instance, instances)
        self.basis, self.distance = _basis_and_distance(data, basis == "lora", self.k, positive("damage", damage, 0))
        self.step = positive("step", step, 0) * self.distance / np.sqrt(self.k)
        self.observed = tuple(part for part in PARTS if part in observe)
        sizes = {"gradient": self.k + 1, "loss": 3, "history": self.k, "budget": 1, "point": self.k}
        self.parts = {name: box(0 if name == "budget" else -1, 1, sizes[name]) for name in self.observed}
        self.action_space = spaces.Box(-1, 1, (self.k,), np.float32)
        self.action_meanings = tuple(f"direction {i + 1}" for i in range(self.k))
        self.point = np.zeros((num_rows, self.k))  # (B, k)
        self.began = np.zeros((num_rows, self.k))  # (B, k) the point at the start; hidden: it is the way back
        self.slope = np.zeros((num_rows, self.k))  # (B, k) the gradient along the directions
        self.last = np.zeros((num_rows, self.k))  # (B, k) the last action

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        self.last[rows] = 0
        super().begin(rows, examples)
        self.began[rows] = self.point[rows] = [self.instance[row].hidden["point"] for row in rows.tolist()]

    def _prepare(self, made: Instance) -> None:
        offsets = self.basis.draw(made.generator)
        point = start_of(made.generator, self.k, self.distance)
        made.hidden = {"offsets": offsets, "point": point}
        made.start = self.basis.delta(offsets, point)

    def _move(self, rows: np.ndarray, actions: np.ndarray) -> np.ndarray:
        self.last[rows] = actions
        self.point[rows] += self.step * actions
        moving = rows[actions.any(1)]
        offsets = [self.instance[row].hidden["offsets"] for row in moving]
        for row, delta in zip(moving.tolist(), self.basis.deltas(offsets, self.point[moving]), strict=True):
            self.delta[row] = delta
        return np.zeros(len(rows), bool)

    def _look(self, rows: np.ndarray) -> None:
        if not len(rows):
            return
        made = [self.instance[row] for row in rows]
        losses, slope = self._judged(made, [self.delta[row] for row in rows])
        self.slope[rows] = np.nan_to_num(slope, nan=0.0, posinf=0.0, neginf=0.0)
        self._seen(rows, losses)

    def _judged(self, made: list[Instance], deltas: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Each probe's losses, (B, n), and the gradient along the directions, (B, k).

        All at once where nothing but a head may change.
        """
        offsets = [one.hidden["offsets"] for one in made]
        if self.tunable.head_only:
            losses, gradients = self.tunable.heads([one.batch for one in made], deltas)
            return losses, self.basis.projects(offsets, gradients)
        losses, gradients = self.tunable.all_losses_and_gradients([one.batch for one in made], deltas)
        slopes = [self.basis.project(own, gradient) for own, gradient in zip(offsets, gradients, strict=True)]
        return losses, np.stack(slopes)

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        seen = {name: getattr(self, f"_see_{name}")(rows) for name in self.observed}
        return {name: part.astype(np.float32) for name, part in seen.items()}

    def _see_gradient(self, rows: np.ndarray) -> np.ndarray:
        slope = self.slope[rows] * self.step  # the change of the loss that a full action promises
        length = np.linalg.norm(slope, axis=1, keepdims=True)
        unit = np.divide(slope, length, out=np.zeros_like(slope), where=length > 0)
        return np.column_stack((np.clip(unit, -1, 1), np.clip(np.log(length + 1e-9) / 10, -1, 1)))

    def _see_loss(self, rows: np.ndarray) -> np.ndarray:
        return self.losses_seen(rows)

    def _see_history(self, rows: np.ndarray) -> np.ndarray:
        return self.last[rows]

    def _see_budget(self, rows: np.ndarray) -> np.ndarray:
        return self.left(rows)

    def _see_point(self, rows: np.ndarray) -> np.ndarray:
        return np.clip((self.point[rows] - self.began[rows]) / (2 * self.distance + 1e-9), -1, 1)

    # ---------------------------------------------------------------- for searches, which are judged beside agents

    @property
    def evaluations(self) -> int:
        """Points that cost what an agent's episode costs, when a backward pass costs two forward ones."""
        return 3 * self.horizon

    def loss_at(self, row: int, point: np.ndarray) -> float:
        """The probe's loss at a point (k,) of a row's subspace, `WORST` at most: one forward pass."""
        made = self.instance[row]
        losses = self.tunable.losses(made.batch, self.basis.delta(made.hidden["offsets"], np.asarray(point)))
        self.note(row, 1)
        mean = float(losses.mean())
        return mean if mean <= WORST else WORST

    def place(self, row: int, point: np.ndarray) -> None:
        """Take a row to a point (k,) at once."""
        self.point[row] = point
        self.delta[row] = self.basis.delta(self.instance[row].hidden["offsets"], self.point[row])
        self._look(np.array([row]))

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """Straight back to the trained model."""
        away = -self.point[rows] / (self.step + 1e-12)
        return (away / np.maximum(1, np.abs(away).max(1, keepdims=True))).astype(np.float32)


def start_of(generator: np.random.Generator, k: int, distance: float) -> np.ndarray:
    """A point in a random direction, about so far away, (k,)."""
    direction = generator.standard_normal(k)
    return direction / np.linalg.norm(direction) * distance * generator.uniform(NEAR, FAR)


def _basis_and_distance(data: Tuned, low_rank: bool, k: int, damage: float) -> tuple[Any, float]:
    """The basis, and the distance at which the loss on training examples has risen by `damage` in the median."""
    from ._bases import Dense, LowRank

    known, key = data.tunable.known, (low_rank, k, damage, data.length, data.answer)
    if key not in known:
        basis = (LowRank if low_rank else Dense)(data.tunable, k)
        asked = {"low_rank": low_rank, "k": k, "damage": damage}
        found = data.found("how far a start is off", asked, lambda: _distance(data.of_training(), basis, damage))
        known[key] = basis, float(found)
    return known[key]


def _distance(data: Tuned, basis: Any, damage: float) -> float:
    generator, train = np.random.default_rng(0), len(data.task.examples)
    sites = [(data.batch(generator.integers(train, size=min(32, train))), basis.draw(generator),
              start_of(generator, basis.k, 1.0)) for _ in range(TRIES)]  # fmt: skip
    trained = np.array([data.tunable.losses(batch).mean() for batch, _, _ in sites])

    def rise(distance: float) -> float:
        moved = [data.tunable.losses(batch, basis.delta(o, distance * z)).mean() for batch, o, z in sites]
        return float(np.median(np.nan_to_num(np.array(moved), nan=np.inf) - trained))

    low, high = 0.0, 1.0
    while rise(high) < damage and high < MOST:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rise(middle) < damage else (low, middle)
    return high


DYNAMICS = Subspace
