"""Playing episodes and comparing what came back; as a script, it prints digests for another process.

python tests/play.py ID=FOLDER ...
"""

import functools
import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

import nlp_gym_envs
from nlp_gym_agents._doctor._compare import digest
from nlp_gym_envs.episodes import DYNAMICS
from nlp_gym_envs.task import TASKS, Task
from nlp_gym_envs.text.corpora import BuiltIn

NEAR = 1e-4  # a row of a forward of many differs from the same row alone by the rounding of floats


def task_of(env_id: str) -> Task:
    """The task behind an id."""
    return TASKS.get(gym.spec(env_id).kwargs["task"])


def form_of(env_id: str) -> str:
    """Its form of answer, "Label" or "FreeText"."""
    return type(task_of(env_id).answer).__name__


def keywords_of(env_id: str) -> dict[str, Any]:
    """The dynamics' own keywords with their defaults."""
    parameters = inspect.signature(DYNAMICS.get(gym.spec(env_id).kwargs["dynamics"])).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def changes_model(env_id: str) -> bool:
    """Whether an action changes a model, so that an episode is an instance and no example."""
    return not DYNAMICS.get(gym.spec(env_id).kwargs["dynamics"]).answers_examples


def has_model(env_id: str) -> bool:
    """Whether a language model computes every step."""
    return "model" in keywords_of(env_id)


def shows_what_was_read(env_id: str) -> bool:
    """Whether an agent reads the text on the way, so that `info["text"]` begins with a part of it."""
    return form_of(env_id) == "Label" or "delay_cost" in keywords_of(env_id)


def near(env_id: str) -> float:
    """By how much numbers may differ between a row alone and the same row among others."""
    return NEAR if has_model(env_id) else 0.0


def short(env_id: str) -> dict[str, Any]:
    """Keywords that make episodes short and steps cheap where a step takes a forward of a model."""
    if changes_model(env_id):
        cheap = {"probe": 4, "judge": 6, "length": 6, "answer": 3, "updates": 0, "horizon": 3, "looks": 4, "batch": 3}
        return {name: value for name, value in cheap.items() if name in keywords_of(env_id)}
    return {"longest": 6} if has_model(env_id) else {}


@functools.cache
def representatives() -> frozenset[str]:
    """Of each dynamics with each form of answer the first id whose data are built in, and the first of the others.

    Where an action changes a model all are tested on the same small data: one that names labels, one that writes; of
    `nudge`, which has mechanics of its own for each form, one of each.
    """
    kinds: dict[Any, str] = {}
    for env_id in nlp_gym_envs.environment_ids():
        dynamics, form = gym.spec(env_id).kwargs["dynamics"], form_of(env_id)
        alike: Any = isinstance(task_of(env_id).source, BuiltIn)
        if changes_model(env_id):
            form, alike = (form if dynamics == "nudge" else str(form == "Label")), None
        kinds.setdefault((dynamics, form, alike), env_id)
    return frozenset(kinds.values())


@functools.cache
def echoes() -> frozenset[str]:
    """The representatives like another one on built-in data: of the same kind, or of the same dynamics (`tokens`)."""
    alike: dict[str, list[tuple[bool, str]]] = {}
    for env_id in representatives():
        if not changes_model(env_id):
            kept = isinstance(task_of(env_id).source, BuiltIn), env_id
            alike.setdefault(gym.spec(env_id).kwargs["dynamics"], []).append(kept)
    whole = {max(some)[1] for some in alike.values() if max(some)[0]}  # on built-in data; of several the last
    return frozenset(env_id for some in alike.values() if max(some)[0] for _, env_id in some) - whole


def on(folder: str, env_id: str, **options: Any) -> gym.Env:
    """The id on the data set in `folder`, whatever its own data are."""
    return gym.make(env_id, dataset=folder, **{**short(env_id), **options})


def actions_in(space: Any, seed: int = 0) -> Iterator[Any]:
    """Random actions of one row, for ever."""
    draw = np.random.default_rng(seed)
    while True:
        if isinstance(space, spaces.Discrete):
            yield int(draw.integers(space.n))
        elif isinstance(space, spaces.MultiDiscrete):
            yield draw.integers(space.nvec)
        else:
            yield draw.uniform(space.low, space.high).astype(space.dtype)


def steps(env: gym.Env, count: int, seed: int | None = 0, action_seed: int = 0) -> Iterator[tuple[Any, ...]]:
    """What `count` steps give, resets among them; actions are drawn from all, masked ones too. No seed: go on."""
    actions = actions_in(env.action_space, action_seed)
    if seed is not None:
        yield env.reset(seed=seed)
    for _ in range(count):
        came = env.step(next(actions))
        yield came
        if came[2] or came[3]:
            yield env.reset()


def spoil(value: Any) -> None:
    """Overwrite every array in a nested value."""
    if isinstance(value, np.ndarray):
        value[...] = None if value.dtype == object else 77
    elif isinstance(value, dict):
        for name in list(value):
            spoil(value[name])
            value[name] = "spoilt"
    elif isinstance(value, tuple):
        for part in value:
            spoil(part)


def told(env: gym.Env) -> str:
    """The digest of some steps; fewer where one takes a forward of a model, and fewer yet where it changes it."""
    env_id = env.spec.id if env.spec else ""
    return digest(list(steps(env, 8 if changes_model(env_id) else 20 if has_model(env_id) else 60)))


if __name__ == "__main__":
    asked = dict(argument.rsplit("=", 1) for argument in sys.argv[1:])
    print(json.dumps({env_id: told(on(folder, env_id)) for env_id, folder in asked.items()}))
