"""What is examined: an id with its keywords, how to make faces of it, and what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv

from nlp_gym_envs.answers import Label
from nlp_gym_envs.envs import NLPEnv, NLPVectorEnv
from nlp_gym_envs.task import TASKS, OpenTask, Task
from nlp_gym_envs.text.examples import Examples

from ._play import Played, Policy, drawn, play, uniform

EPISODES, OF_MODELS, OF_UPDATES = (
    256,
    24,
    8,
)  # played by each policy; fewer where a model computes every step, or learns
QUICK, LEAST = 4, 4  # times fewer when time is short; but so many
NEAR = 1e-4  # a row of a forward of many differs from the same row alone by the rounding of floats
COMMON = ("render_mode", "split", "dataset", "columns", "labels", "reward", "observation", "order", "task", "dynamics")


class Subject:
    """Anything that Gymnasium can make; `ours` are faces of this suite, which can be asked for more.

    What several checks need (a single face, episodes under the uniform policy and under the oracle) is made once.
    """

    def __init__(self, env_id: str, options: Mapping[str, Any] | None = None, quick: bool = False) -> None:
        self.env_id, self.options, self.quick = env_id, dict(options or {}), quick
        self.env: Any = self.single()
        self.face: Any = self.env.unwrapped
        self.ours = isinstance(self.face, NLPEnv)
        self.space = self.env.action_space

    # ---------------------------------------------------------------- faces

    def single(self, **more: Any) -> Any:
        """A single face."""
        return gym.make(self.env_id, disable_env_checker=True, **{**self.options, **more})

    def vector(self, rows: int, **more: Any) -> Any:
        """So many rows with auto-reset in the next step: the environment's own vector face, or Gymnasium's."""
        if gym.spec(self.env_id).vector_entry_point is None:
            return SyncVectorEnv([lambda: self.single(**more) for _ in range(rows)])
        return gym.make_vec(self.env_id, num_envs=rows, **{**self.options, **more})

    def on(self, split: str, rows: int) -> Any:
        """A vector face on a split's first examples, each once; ours only."""
        return self.vector(rows, split=split, order="sequential")

    def changed(self, change: "Change", rows: int, split: str) -> Any:
        """A vector face of ours whose data were changed before anything was made of them."""
        keywords = {**gym.spec(self.env_id).kwargs, **self.options, "split": split, "order": "sequential"}
        task = TASKS.get(keywords["task"])
        keywords["task"] = Altered(task.source, task.answer, task.metrics, task.description, keywords["task"], change)
        return NLPVectorEnv(rows, **keywords)

    # ---------------------------------------------------------------- what it is

    @property
    def moves(self) -> Any:
        """The dynamics of a face of ours."""
        return self.face.episodes.dynamics

    @property
    def task(self) -> OpenTask:
        """The task of a face of ours, with its data."""
        return self.face.task

    @property
    def labelled(self) -> bool:
        """Whether an answer is one of a few names."""
        return self.ours and isinstance(self.task.answer, Label)

    @property
    def answers(self) -> bool:
        """Whether an episode is one example's answer; otherwise it is a model that is being changed."""
        return self.ours and self.moves.answers_examples

    @property
    def has_model(self) -> bool:
        """Whether a language model computes the steps."""
        return self.ours and hasattr(self.moves, "model")

    @property
    def near(self) -> float:
        """By how much numbers may differ between a row alone and the same row among others."""
        return NEAR if self.has_model else 0.0

    @property
    def masked(self) -> bool:
        """Whether it tells which actions are allowed, by a method."""
        return hasattr(self.face, "action_masks")

    @property
    def discrete(self) -> bool:
        """Whether actions are the numbers of a few choices."""
        return isinstance(self.space, spaces.Discrete)

    @property
    def fixed_instance(self) -> bool:
        """Whether every episode is meant to be about the same thing."""
        return self.ours and getattr(self.moves, "instance", None) == "fixed"

    @property
    def meanings(self) -> tuple[str, ...]:
        """What each action means; numbers where the environment does not say."""
        known = getattr(self.face, "action_meanings", None)
        return tuple(known) if known else tuple(f"action {number}" for number in self.actions)

    @property
    def actions(self) -> range:
        """The numbers of a discrete space's actions."""
        start = int(self.space.start)
        return range(start, start + int(self.space.n))

    def action(self, draw: np.random.Generator) -> Any:
        """Any action for a single face."""
        return drawn(self.space, 1, None, draw)[0]

    @property
    def reward_range(self) -> tuple[float, float] | None:
        """The declared bounds of one step's reward, if any."""
        known = getattr(self.face, "reward_range", None)
        return None if known is None else (float(known[0]), float(known[1]))

    # ---------------------------------------------------------------- episodes that several checks look at

    @property
    def episodes(self) -> int:
        """How many episodes a policy plays."""
        whole = EPISODES if not self.has_model else OF_MODELS if self.answers else OF_UPDATES
        return max(LEAST, whole // QUICK) if self.quick else whole

    def played(self, policy: Policy, rows: int | None = None, seed: int = 0, **more: Any) -> Played:
        """One episode of `policy` in each of so many rows, seeded alike for every policy."""
        envs = self.vector(rows or self.episodes, **more)
        try:
            return play(envs, policy, seed)
        finally:
            envs.close()

    @cached_property
    def uniform(self) -> Played:
        """Every allowed action equally likely."""
        return self.played(uniform)

    @cached_property
    def oracle(self) -> Played | None:
        """A policy that knows the answers, where the environment has one; on the same episodes as `uniform`."""
        ask = "oracle_actions" if self.ours else "oracle_action"
        if not hasattr(NLPVectorEnv if self.ours else self.face, ask):
            return None
        try:
            return self.played(lambda envs, *_: _asked(envs, ask))
        except NotImplementedError:
            return None


def _asked(envs: Any, name: str) -> np.ndarray:
    return getattr(envs, name)() if isinstance(envs, NLPVectorEnv) else np.array(envs.call(name))


# ---------------------------------------------------------------- the same task on other data

Change = Any  # a function of an OpenTask that gives another


@dataclass(frozen=True)
class Altered(Task):
    """A task whose data are changed as they are opened."""

    called: str = ""
    change: Change = None

    def open(self, name: str, *args: Any, **keywords: Any) -> OpenTask:
        """The task under its own name, changed."""
        return self.change(super().open(self.called, *args, **keywords))


def with_other_answers(examples: Examples, only: int | None = None) -> Examples:
    """The same texts, and other answers to all of them, or only to one."""
    target = examples.target.copy()
    where = np.arange(len(target)) if only is None else np.array([only])
    if examples.labels:
        target[where] = (target[where] + 1) % len(examples.labels)
    elif not target.dtype.hasobject:  # which of its choices is right
        counts = np.array([len(choices) for choices in examples["choices"][where]])
        target[where] = (target[where] + 1) % counts
    else:
        for at in where:
            target[at] = (other_text(examples, int(at)),)
    return Examples(examples.columns, target, examples.labels)


def other_text(examples: Examples, at: int) -> str:
    """A text that is no accepted answer to an example: another word of its passage, or the answer backwards."""
    accepted = set(examples.target[at])
    passage = examples.columns.get("context")
    if passage is not None:
        return next((word for word in str(passage[at]).split() if word not in accepted), "")
    words = str(next(iter(examples.target[at]), "")).split()
    return " ".join([*reversed(words), "otherwise"])


def swapped(task: OpenTask) -> OpenTask:
    """Other answers in the split that is acted on; the training split stays as it is."""
    return replace(task, examples=with_other_answers(task.examples))


def swapped_in_training(only: int) -> Change:
    """Another answer to one training example, for whatever is fitted, too."""

    def change(task: OpenTask) -> OpenTask:
        train = with_other_answers(task.train, only)
        return replace(task, train=train, examples=train if task.examples is task.train else task.examples)

    return change
