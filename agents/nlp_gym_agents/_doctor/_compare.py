"""Whether two nested values are the same: what episodes give, bit for bit or but for the rounding of floats."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np


def digest(value: Any) -> str:
    """A hash of a nested value."""
    return hashlib.sha256(b"\x1e".join(_flat(value))).hexdigest()


def _flat(value: Any) -> Iterator[bytes]:
    """Everything in a nested value, with types, in order."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield name.encode()
            yield from _flat(value[name])
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _flat(part)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    elif isinstance(value, np.ndarray):
        yield from _flat(value.tolist())
    else:
        yield repr(value).encode()


def differences(ours: Any, theirs: Any, near: float = 0.0, where: str = "") -> list[str]:
    """Where two nested values differ, in structure, dtype, shape or value; floats by more than `near`."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{where}.{name} is in one only" for name in sorted(set(ours) ^ set(theirs))]
        both = sorted(set(ours) & set(theirs))
        return found + [d for name in both for d in differences(ours[name], theirs[name], near, f"{where}.{name}")]
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for at, (mine, other) in pairs for d in differences(mine, other, near, f"{where}[{at}]")]
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
            return [f"{where}: {ours.dtype}{ours.shape} against {theirs.dtype}{theirs.shape}"]
        if ours.dtype == object:
            return differences(tuple(ours.tolist()), tuple(theirs.tolist()), near, where)
        return [] if _equal(ours, theirs, near) else [f"{where}: {ours} against {theirs}"]
    if type(ours) is float and type(theirs) is float:
        return [] if _equal(np.array(ours), np.array(theirs), near) else [f"{where}: {ours!r} against {theirs!r}"]
    return [] if type(ours) is type(theirs) and ours == theirs else [f"{where}: {ours!r} against {theirs!r}"]


def _equal(ours: np.ndarray, theirs: np.ndarray, near: float) -> bool:
    if near and ours.dtype.kind == "f":
        return bool(np.allclose(ours, theirs, rtol=0, atol=near))
    return np.array_equal(ours, theirs)
