"""A dynamics and a reward, many episodes at once: the game itself, which resets nothing and knows no Gymnasium face."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from .dynamics._base import Dynamics
from .errors import BadArgument
from .lookup import Shelf, did_you_mean
from .rewards import Reward, Step, Term
from .streams import Streams
from .task import TASKS, Task

DYNAMICS = Shelf("nlp_gym_envs.dynamics", "DYNAMICS", "dynamics")
ORDERS = ("random", "sequential")
OBSERVATIONS = ("vector", "dict", "ids")

Columns = dict[str, Any]  # info of some rows: a name -> (B, ...), or again such a dict


class Episodes:
    """`num_rows` episodes side by side; every method takes `rows`, the indices of those it concerns, (B,) int64."""

    def __init__(
        self,
        dynamics: Dynamics,
        reward: Reward,
        num_rows: int,
        order: str = "random",
        observation: str | Mapping[str, Any] = "vector",
    ) -> None:
        self.dynamics, self.reward, self.num_rows, self.order = dynamics, reward, num_rows, order
        self.streams = dynamics.streams = Streams(num_rows)
        self.standing = np.zeros(num_rows)  # (B,) the metric as it stood, kept only for terms that ask
        self.success = np.zeros(num_rows, bool)  # (B,) episodes that the last action ended with a perfect answer
        self.epoch = np.zeros(num_rows, np.int64)  # (B,) how often the examples had all been given out before
        self.next_example = 0  # sequential order: the next to be given out
        standing = getattr(dynamics, "standing", None)  # of writers, who may be paid for another metric
        self.pays_own_metric = standing is None or [m for m, *_ in standing.parts] == [dynamics.task.metric]
        spec: dict[str, Any] = {"name": observation} if isinstance(observation, str) else dict(observation)
        self.form = spec.pop("name", None)
        if self.form not in OBSERVATIONS:
            raise BadArgument(f"observation must be one of {', '.join(OBSERVATIONS)}, got {self.form!r}.")
        allowed = ("length", "size") if self.form == "ids" else ("blank",)
        if wrong := [keyword for keyword in spec if keyword not in allowed]:
            raise BadArgument(
                f"observation {self.form!r} takes {' and '.join(allowed) or 'no keywords'}, not {', '.join(wrong)}."
            )
        self.blank = self.form != "ids" and bool(spec.pop("blank", False))  # zeros: the control that sees nothing
        self.words = dynamics.word_observation(**spec) if self.form == "ids" else None
        self.observation_space = self._observation_space()

    @property
    def size(self) -> int:
        """How many examples, or instances, there are to start on."""
        return self.dynamics.size

    def _observation_space(self) -> spaces.Space:
        if self.words is not None:
            return self.words.space
        parts = self.dynamics.parts
        if self.form == "dict":
            return spaces.Dict({**parts})
        low = np.concatenate([part.low for part in parts.values()])
        return spaces.Box(low, np.concatenate([part.high for part in parts.values()]), dtype=np.float32)

    def frozen(self) -> "Episodes":
        """These episodes as they stand at this moment, to tell of later; what no step changes is shared."""
        moment = object.__new__(type(self))
        moment.__dict__.update(self.__dict__)
        moment.dynamics, moment.epoch = self.dynamics.frozen(), self.epoch.copy()
        return moment

    def restart(self) -> None:
        """Give the examples out from the first again (sequential order)."""
        self.next_example = 0

    def begin(self, rows: np.ndarray) -> None:
        """Start a new episode in each of `rows`."""
        self.streams.begin(rows)
        if self.order == "random":
            examples = self.streams.below(rows, self.size)
        else:
            given = self.next_example + np.arange(len(rows))
            self.next_example += len(rows)
            examples = given % self.size
            self.epoch[rows] = given // self.size
        self.dynamics.begin(rows, examples)
        if self.reward.needs_standing:
            self.standing[rows] = self.dynamics.outcome(rows)

    def act(self, rows: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Take an action in each of `rows`: rewards (B,), whether each episode is over (B,), rewards' components."""
        costs = self.dynamics.act(rows, actions)
        step = Step(self.dynamics, rows, actions, costs, self.standing[rows])
        rewards, components = self.reward(step)
        if self.reward.needs_standing:
            self.standing[rows] = step.after
        if len(rows) == self.num_rows:
            self.success = self._perfect(step)
        else:
            self.success = np.zeros(self.num_rows, bool)
            self.success[rows] = self._perfect(step)
        return rewards, step.over, components

    def _perfect(self, step: Step) -> np.ndarray:
        """Which episodes have just ended with a perfect answer by the task's own metric, whatever is paid, (B,)."""
        if (aim := self.dynamics.solved(step.rows)) is not None:
            return step.over & aim
        if self.pays_own_metric:
            return step.final >= 1.0
        perfect, ended = step.over.copy(), step.rows[step.over]
        if len(ended):
            perfect[step.over] = self.dynamics.metrics(ended)[self.dynamics.task.metric.name] >= 1.0
        return perfect

    def observe(self, rows: np.ndarray) -> Any:
        """What the agent sees, in the form that was asked for: an array (B, ...), or a dict of such arrays."""
        if self.words is not None:
            return self.words.observe(rows)
        parts = self.dynamics.observe(rows)
        if self.blank:
            parts = {name: np.zeros_like(part) for name, part in parts.items()}
        if self.form == "dict":
            return {
                name: np.array(parts[name]) for name in sorted(parts)
            }  # in the space's order; parts may share arrays
        return next(iter(parts.values())) if len(parts) == 1 else np.concatenate(list(parts.values()), axis=1)

    # ---------------------------------------------------------------- info, column by column

    def info_at_start(self, rows: np.ndarray) -> Columns:
        """What info tells when an episode starts."""
        return {
            "text": self.dynamics.texts(rows),
            "example": self.dynamics.example[rows],
            "epoch": self.epoch[rows],
            "action_mask": self.dynamics.masks(rows),
            **self.dynamics.details(rows),
        }

    def info_of_step(self, rows: np.ndarray, components: dict[str, np.ndarray]) -> Columns:
        """What info tells after an action."""
        return {**self.info_at_start(rows), "reward_components": components}

    def info_at_end(self, rows: np.ndarray) -> Columns:
        """What info tells besides when an episode has ended."""
        metrics, aim = self.dynamics.metrics(rows), self.dynamics.solved(rows)
        return {
            "episode_metrics": metrics,
            "answer": self.dynamics.answers(rows),
            "target": self.dynamics.targets(rows),
            "is_success": metrics[self.dynamics.task.metric.name] >= 1.0 if aim is None else aim,
        }


def assemble(
    num_rows: int,
    task: str | Task,
    dynamics: str | type[Dynamics],
    split: str = "train",
    dataset: str | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Sequence[str] | None = None,
    reward: str | Term | Mapping[str, float] | None = None,
    observation: str | Mapping[str, Any] = "vector",
    order: str | None = None,
    **options: Any,
) -> Episodes:
    """Put a task, a dynamics and a reward together, by name or as objects; `options` are the dynamics' own keywords.

    `order` is "random" (drawn by each row's own stream) or "sequential" (every example exactly once, then again); by
    default random on the train split and sequential elsewhere.
    """
    name = task if isinstance(task, str) else "your_task"
    made = TASKS.get(task) if isinstance(task, str) else task
    kind = DYNAMICS.get(dynamics) if isinstance(dynamics, str) else dynamics
    if not kind.accepts(made):
        raise BadArgument(
            f"the dynamics {kind.name!r} does not fit the task {name!r}, whose answers are {made.answer}."
        )
    order = order if order is not None else "random" if split == "train" else "sequential"
    if order not in ORDERS:
        raise BadArgument(f"order must be one of {', '.join(ORDERS)}, got {order!r}.")
    parameters = inspect.signature(kind).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        if wrong := [option for option in options if option not in parameters]:
            own = [p for p in parameters if p not in ("task", "num_rows")]
            known = own + [p for p in inspect.signature(assemble).parameters if p not in ("num_rows", "options")]
            raise BadArgument(
                f"no keyword {wrong[0]!r}{did_you_mean(wrong[0], known)} {kind.name} takes: {', '.join(known)}."
            )
    opened = made.open(name, split, dataset, columns, labels)
    moves = kind(opened, num_rows, **options)
    return Episodes(moves, Reward(reward, moves), num_rows, order, observation)
