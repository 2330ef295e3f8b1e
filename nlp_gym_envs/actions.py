"""What the three kinds of action space have in common: checking what was given, masks, and saying it in words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from .errors import BadArgument

ActionSpace = spaces.Discrete | spaces.MultiDiscrete | spaces.Box


def mask_width(space: ActionSpace) -> int:
    """How many entries a row's mask has: one for each choice, as sb3-contrib reads them; of a Box one a coordinate."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    return int(space.nvec.sum()) if isinstance(space, spaces.MultiDiscrete) else int(space.shape[0])


def none_yet(space: ActionSpace, rows: int) -> np.ndarray:
    """What stands for the last action of rows that have taken none, (B,) int64 or (B, k)."""
    if isinstance(space, spaces.Discrete):
        return np.full(rows, -1)
    return np.full((rows, *space.shape), -1 if isinstance(space, spaces.MultiDiscrete) else np.nan)


def is_none(action: Any) -> bool:
    """Whether this entry of `none_yet` was never overwritten."""
    first = np.ravel(action)[0]
    return bool(np.isnan(first) or (np.issubdtype(np.asarray(first).dtype, np.integer) and first < 0))


def checked(actions: np.ndarray, space: ActionSpace, rows: int) -> np.ndarray:
    """The actions of `rows` rows as (rows,) int64, (rows, k) int64, or (rows, k) float64 within a Box's bounds.

    Of a Box every number is taken: what lies outside is moved to the nearest bound, and what is not finite stays so,
    for the dynamics to treat as its page says. Raises BadArgument for a wrong shape, or a value that is no action.
    """
    shape = (rows, *(space.shape or ()))
    if actions.shape != shape:
        raise BadArgument(
            f"expected {rows} action{'s' * (rows > 1)}, an array of shape {shape}, got shape {actions.shape}."
        )
    if isinstance(space, spaces.Box):
        if actions.dtype.kind not in "fiu":
            raise BadArgument(f"actions must be numbers, got {actions.dtype}: {actions[:4]}.")
        return np.clip(actions.astype(np.float64), space.low, space.high)
    count = space.n if isinstance(space, spaces.Discrete) else space.nvec
    highest = int(np.max(count)) - 1
    if actions.dtype.kind not in "iu":
        raise BadArgument(f"actions must be whole numbers from 0 to {highest}, got {actions.dtype}: {actions[:4]}.")
    wrong = (actions < 0) | (actions >= count)
    if wrong.any():
        raise BadArgument(f"no action {actions[wrong][0]}; actions are whole numbers from 0 to {_highest(count)}.")
    return actions.astype(np.int64, copy=False)


def _highest(count: Any) -> Any:
    return (count - 1).tolist() if np.ndim(count) else int(count) - 1


def in_words(space: ActionSpace, meanings: Sequence[Any], action: Any) -> str:
    """What an action means: of several coordinates, all choices, or the numbers by the coordinates' names."""
    if isinstance(space, spaces.Discrete):
        return str(meanings[int(action)])
    if isinstance(space, spaces.MultiDiscrete):
        return ", ".join(of[int(choice)] for of, choice in zip(meanings, action, strict=True))
    return ", ".join(f"{name} {value:+.2f}" for name, value in zip(meanings, action, strict=True))
