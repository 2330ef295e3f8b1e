"""A replay buffer of Stable-Baselines3 as arrays, and back."""

from pathlib import Path
from typing import Any

import numpy as np


def buffer_arrays(buffer: Any) -> dict[str, np.ndarray]:
    """The filled part of an SB3 replay buffer, array by array."""
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays = {name: array[:filled] for name, array in arrays_of(buffer).items()}
    return {**arrays, "pos": np.array(buffer.pos), "full": np.array(buffer.full)}


def arrays_of(buffer: Any) -> dict[str, np.ndarray]:
    """A buffer's arrays by name; those of a dict of observations are named `observations/<part>`."""
    arrays = {}
    for name, value in vars(buffer).items():
        parts = {f"{name}/{part}": array for part, array in value.items()} if isinstance(value, dict) else {name: value}
        arrays |= {key: array for key, array in parts.items() if isinstance(array, np.ndarray)}
    return arrays


def fill_buffer(buffer: Any, path: Path) -> None:
    """Put back what `buffer_arrays` gave."""
    with np.load(path, allow_pickle=False) as arrays:
        for name, array in arrays_of(buffer).items():
            array[: len(arrays[name])] = arrays[name]
        buffer.pos, buffer.full = int(arrays["pos"]), bool(arrays["full"])
