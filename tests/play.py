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
    """Keywords that make episodes short where a step takes a forward of a model."""
    return {"longest": 6} if has_model(env_id) else {}


@functools.cache
def representatives() -> frozenset[str]:
    """Of each dynamics with each form of answer the first id whose data are built in, and the first of the others."""
    kinds: dict[Any, str] = {}
    for env_id in nlp_gym_envs.environment_ids():
        built_in = isinstance(task_of(env_id).source, BuiltIn)
        kinds.setdefault((gym.spec(env_id).kwargs["dynamics"], form_of(env_id), built_in), env_id)
    return frozenset(kinds.values())


def on(folder: str, env_id: str, **options: Any) -> gym.Env:
    """The id on the data set in `folder`, whatever its own data are."""
    return gym.make(env_id, dataset=folder, **{**short(env_id), **options})


def steps(env: gym.Env, count: int, seed: int | None = 0, action_seed: int = 0) -> Iterator[tuple[Any, ...]]:
    """What `count` steps give, resets among them; actions are drawn from all, masked ones too. No seed: go on."""
    draw = np.random.default_rng(action_seed)
    if seed is not None:
        yield env.reset(seed=seed)
    for _ in range(count):
        came = env.step(int(draw.integers(env.action_space.n)))
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


if __name__ == "__main__":
    asked = dict(argument.rsplit("=", 1) for argument in sys.argv[1:])
    print(json.dumps({env_id: digest(list(steps(on(folder, env_id), 60))) for env_id, folder in asked.items()}))
