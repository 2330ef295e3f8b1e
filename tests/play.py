"""Playing episodes and comparing what came back; as a script, it prints digests for another process.

python tests/play.py FOLDER ID ...
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

import nlp_gym_envs  # noqa: F401  registers the ids


def on(folder: str, env_id: str, **options: Any) -> gym.Env:
    """The id on the data set in `folder`, whatever its own data are."""
    return gym.make(env_id, dataset=folder, **options)


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


def flat(value: Any) -> Iterator[bytes]:
    """Everything in a nested value, with types, in order."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield name.encode()
            yield from flat(value[name])
    elif isinstance(value, tuple | list):
        for part in value:
            yield from flat(part)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    elif isinstance(value, np.ndarray):
        yield from flat(value.tolist())
    else:
        yield repr(value).encode()


def digest(value: Any) -> str:
    """A hash of a nested value."""
    return hashlib.sha256(b"\x1e".join(flat(value))).hexdigest()


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Where two nested values differ, in structure, dtype, shape or value."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{where}.{name} is in one only" for name in sorted(set(ours) ^ set(theirs))]
        return found + [
            d for name in set(ours) & set(theirs) for d in differences(ours[name], theirs[name], f"{where}.{name}")
        ]
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and len(ours) == len(theirs):
        return [
            d for at, pair in enumerate(zip(ours, theirs, strict=True)) for d in differences(*pair, f"{where}[{at}]")
        ]
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
            return [f"{where}: {ours.dtype}{ours.shape} against {theirs.dtype}{theirs.shape}"]
        if ours.dtype == object:
            return differences(tuple(ours.tolist()), tuple(theirs.tolist()), where)
        return [] if np.array_equal(ours, theirs) else [f"{where}: {ours} against {theirs}"]
    return [] if type(ours) is type(theirs) and ours == theirs else [f"{where}: {ours!r} against {theirs!r}"]


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
    print(json.dumps({env_id: digest(list(steps(on(sys.argv[1], env_id), 60))) for env_id in sys.argv[2:]}))
