"""What a dynamics is: what an action does, for many episodes at once; it knows neither Gymnasium's Env nor rewards."""

from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from ..actions import ActionSpace, in_words, mask_width
from ..errors import BadArgument
from ..streams import Streams
from ..task import OpenTask, Task
from ..text.vocabulary import word_ids


class Dynamics:
    """The part that every dynamics shares: which example each row is at, and the parts of an observation.

    Every method takes `rows`, the indices of the episodes it concerns, (B,) int64, and answers for them in order.
    A dynamics never resets a row by itself and never pays a reward; it names its costs.
    """

    name: ClassVar[str]
    reward: ClassVar[str] = "final"  # how the task's metric is paid unless asked otherwise
    pays: tuple[float, float] = (0.0, 1.0)  # what the metric's 0 and 1 are worth
    answers_examples: ClassVar[bool] = True  # an episode is one example's answer; else it is a model being changed
    costs: dict[str, float]  # the most that each cost can be in one step
    parts: dict[str, spaces.Box]  # the observation, part by part
    action_space: ActionSpace
    action_meanings: tuple[Any, ...]  # of MultiDiscrete a tuple for each coordinate, of Box each coordinate's name
    horizon: int  # no episode has more steps
    streams: Streams  # each row's own random numbers, which `Episodes` gives; draw 0 is spent on the example

    def __init__(self, task: OpenTask, num_rows: int) -> None:
        self.task = task
        self.example = np.zeros(num_rows, np.int64)  # (B,) where each row is in the split

    @classmethod
    def accepts(cls, task: Task) -> bool:
        """Whether this kind of action makes sense for a task."""
        raise NotImplementedError(f"{cls.__name__} must say which tasks it accepts")

    @property
    def size(self) -> int:
        """How many things there are to start an episode on: the split's examples."""
        return len(self.task.examples)

    def frozen(self) -> "Dynamics":
        """A copy that later steps do not change: arrays with a row for each episode are copied, all else is shared."""
        moment = object.__new__(type(self))
        moment.__dict__.update(self.__dict__)
        for name in self._row_arrays:
            setattr(moment, name, getattr(self, name).copy())
        return moment

    @cached_property
    def _row_arrays(self) -> tuple[str, ...]:
        rows = len(self.example)
        found = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return tuple(name for name, value in found.items() if value.shape[:1] == (rows,))

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        """Start an episode on each of `examples` in each of `rows`."""
        self.example[rows] = examples

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        """Take the actions; each cost that was incurred, as positive numbers (B,)."""
        raise NotImplementedError

    def over(self, rows: np.ndarray) -> np.ndarray:
        """Whether each episode has ended, (B,) bool."""
        raise NotImplementedError

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """The task's metric of each episode as it stands, (B,) in [0, 1]."""
        raise NotImplementedError

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Fresh arrays, one for each of `parts`, (B, ...)."""
        raise NotImplementedError

    def word_observation(self, **options: Any) -> "WordObservation":
        """What `observation="ids"` shows."""
        return WordObservation(self, **options)

    def masks(self, rows: np.ndarray) -> np.ndarray:
        """Which actions are allowed, (B, A) bool; at least one in every row."""
        return np.ones((len(rows), mask_width(self.action_space)), bool)

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """An action of a policy that knows the target, (B, ...): the ceiling, and never part of an observation."""
        raise NotImplementedError

    def texts(self, rows: np.ndarray) -> np.ndarray:
        """What a person would read at this point, (B,) object of str."""
        raise NotImplementedError

    def shown(self, rows: np.ndarray) -> np.ndarray | None:
        """How many words of each text are visible, (B,); None where all are."""
        return None

    def answers(self, rows: np.ndarray) -> np.ndarray:
        """The answer of each episode as a text, (B,) object of str; "" while there is none."""
        raise NotImplementedError

    def targets(self, rows: np.ndarray) -> np.ndarray:
        """The accepted answers of each episode, (B,) object of tuples of str."""
        return self.task.accepted[self.example[rows]]

    def meaning(self, action: Any, row: int | None = None) -> str:
        """What an action means, in words; what it means in a row, as that stands, where that is another thing."""
        return in_words(self.action_space, self.action_meanings, action)

    def solved(self, rows: np.ndarray) -> np.ndarray | None:
        """Which episodes have reached their aim, (B,) bool; None where that is a perfect score by the task's metric."""
        return None

    def details(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What info tells besides, name -> (B, ...)."""
        return {}

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What is reported of each finished episode, name -> (B,) float."""
        return {self.task.metric.name: self.outcome(rows)}


class WordObservation:
    """`observation="ids"`: the ids of the visible words, zeros behind them."""

    def __init__(self, dynamics: Dynamics, length: int = 64, size: int = 20_000) -> None:
        task = dynamics.task
        length, size = positive("length", length, 1, int), positive("size", size, 2, int)
        self.dynamics, self.table = dynamics, word_ids(task.examples, task.train, length, size)
        vocabulary = word_ids(task.train, task.train, length, size).size
        self.space = spaces.Box(0, vocabulary - 1, (length,), np.int32)

    def observe(self, rows: np.ndarray) -> np.ndarray:
        """(B, length) int32."""
        ids = self.table.ids[self.dynamics.example[rows]]
        shown = self.dynamics.shown(rows)
        return ids if shown is None else np.where(np.arange(ids.shape[1]) < shown[:, None], ids, np.int32(0))


def box(low: float, high: float, size: int) -> spaces.Box:
    """A part of an observation: `size` numbers between two bounds."""
    return spaces.Box(low, high, (size,), np.float32)


def positive(name: str, value: Any, least: float, kind: type = float) -> Any:
    """A keyword's number, at least `least`; BadArgument otherwise."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole or (kind is float and isinstance(value, float))) or not least <= value < float("inf"):
        raise BadArgument(
            f"{name} must be {'a whole number' if kind is int else 'a number'} of at least {least}, got {value!r}."
        )
    return kind(value)
