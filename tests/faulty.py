"""Environments, each with one fault planted in it, for the doctor to find; and sound twins."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

import nlp_gym_envs
from nlp_gym_envs.answers import Label
from nlp_gym_envs.dynamics._base import box
from nlp_gym_envs.dynamics.label import LabelChoice
from nlp_gym_envs.metrics.accuracy import Accuracy
from nlp_gym_envs.text.corpora import BuiltIn

TASK = nlp_gym_envs.Task(BuiltIn("nlp_gym_envs.text.builtin.sentiment"), Label(), ("accuracy",), "A sound task.")


class Lenient(Accuracy):
    """An empty answer is as good as a right one."""

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.where(np.asarray(answers) < 0, 1.0, super().each(answers, targets))


LENIENT = nlp_gym_envs.Task(TASK.source, TASK.answer, ("faulty.Lenient",), "It pays for nothing.")


# ---------------------------------------------------------------- dynamics


class Paid(LabelChoice):
    """A wrong answer is worth 1, a right one 0."""

    pays = (1.0, 0.0)


class UpsideDown(LabelChoice):
    """The metric of what was done is turned over."""

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        return 1.0 - super().outcome(rows)


class WithANumber(LabelChoice):
    """One number more in the observation."""

    def __init__(self, task: Any, num_rows: int, **options: Any) -> None:
        super().__init__(task, num_rows, **options)
        self.parts["more"] = box(-1, 1, 1)

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {**super().observe(rows), "more": self.more(rows).astype(np.float32)[:, None]}

    def more(self, rows: np.ndarray) -> np.ndarray:
        """It, (B,)."""
        return np.zeros(len(rows))


class Leaking(WithANumber):
    """The number is the right label."""

    def more(self, rows: np.ndarray) -> np.ndarray:
        return self.task.examples.target[self.example[rows]] / len(self.task.answer)


class SeesItsOwn(WithANumber):
    """The number is fitted on the training labels, the example's own among them, and looked up by the text."""

    def more(self, rows: np.ndarray) -> np.ndarray:
        known = dict(zip(self.task.train["text"], self.task.train.target / len(self.task.answer), strict=True))
        return np.array([known.get(text, -1.0) for text in self.task.examples["text"][self.example[rows]]])


class NotANumber(WithANumber):
    """The number is the logarithm of nothing for one example in four."""

    def more(self, rows: np.ndarray) -> np.ndarray:
        return np.where(self.example[rows] % 4, 0.0, np.nan)


class Beyond(WithANumber):
    """The number lies outside of its box."""

    def more(self, rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), 3.0)


class SeedIgnored(LabelChoice):
    """Examples come from a generator that nobody seeds."""

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, np.random.default_rng().integers(len(self.task.examples), size=len(rows)))


class OneBeginning(LabelChoice):
    """Whatever the seed is, it begins with the first example."""

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, np.zeros_like(examples))


class Remembers(WithANumber):
    """The number tells whether the row has answered before, in any episode."""

    def __init__(self, task: Any, num_rows: int, **options: Any) -> None:
        super().__init__(task, num_rows, **options)
        self.acted = np.zeros(num_rows)

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        self.acted[rows] = 1.0
        return super().act(rows, actions)

    def more(self, rows: np.ndarray) -> np.ndarray:
        return self.acted[rows]


class SilencePays(LabelChoice):
    """One action more, which answers nothing and is paid as a right answer."""

    def __init__(self, task: Any, num_rows: int, **options: Any) -> None:
        super().__init__(task, num_rows, **options)
        self.silence = len(task.answer)
        self.action_space = spaces.Discrete(self.silence + 1)
        self.action_meanings = (*self.action_meanings, "say nothing")

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        return np.where(self.answer[rows] == self.silence, 1.0, super().outcome(rows))


class AllForbidden(LabelChoice):
    """The mask forbids every action for one example in four."""

    def masks(self, rows: np.ndarray) -> np.ndarray:
        return np.repeat((self.example[rows] % 4 > 0)[:, None], int(self.action_space.n), axis=1)


class RowsTalk(LabelChoice):
    """All rows that act together give the answer of the boldest."""

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        return super().act(rows, np.full_like(actions, actions.max()))


class DearerThanDeclared(LabelChoice):
    """Every answer costs fifty times what is declared."""

    def __init__(self, task: Any, num_rows: int, **options: Any) -> None:
        super().__init__(task, num_rows, **options)
        self.costs = {"fee": 0.01}

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        return {**super().act(rows, actions), "fee": np.full(len(rows), 0.5)}


class ForbiddenPays(LabelChoice):
    """Label 0 is forbidden, and right whenever it is taken all the same."""

    def masks(self, rows: np.ndarray) -> np.ndarray:
        return np.arange(int(self.action_space.n)) > np.zeros((len(rows), 1))

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        return np.where(self.answer[rows] == 0, 1.0, super().outcome(rows))


class Raises(LabelChoice):
    """A step fails for one example in four."""

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        if (self.example[rows] % 4 == 0).any():
            raise ZeroDivisionError("no words")
        return super().act(rows, actions)


# ---------------------------------------------------------------- environments that know nothing of this suite


class Plain(gym.Env):
    """Which of two words was said? Four numbers, three steps; `fault` names what is wrong."""

    counted = 0  # shared by all of the class: the fault "shared"

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.observation_space = spaces.Box(-5, 5, (4,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.reward_range = (0.0, 1.0)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        draw = np.random.default_rng() if self.fault == "seed" else self.np_random
        self.word, self.step_, self.right = int(draw.integers(2)), 0, 0
        self.noise = draw.normal(size=4).clip(-4, 4)
        self.said = f"{'yes' if draw.random() < 0.6 else 'no'} {int(draw.integers(100))}"  # tells next to nothing
        return self._seen(), {"text": self.said}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if self.fault == "shared":
            Plain.counted += int(action)
        self.step_ += 1
        right = int(int(action) == self.word)
        self.right += right
        over = self.step_ == 3
        paid = float(right if self.fault != "sign" else 1 - right)
        info: dict[str, Any] = {"text": self.said}
        if over:
            info |= {"episode_metrics": {"accuracy": self.right / 3}, "answer": str(self.right),
                     "target": (str(self.word),), "is_success": self.right == 3}  # fmt: skip
        return self._seen(), paid * (7 if self.fault == "range" else 1), over, False, info

    def _seen(self) -> np.ndarray:
        seen = self.noise.copy()
        seen[0] += (2 * self.word - 1) * 0.7  # the task: it can be told apart, roughly
        if self.fault == "leak":
            seen[3] = self.word
        if self.fault == "shared":
            seen[3] = np.sin(Plain.counted)
        return seen.astype(np.float32)


gym.register("faulty/Plain-v0", entry_point="faulty:Plain")
