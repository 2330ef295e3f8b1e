"""The examples of one split, column by column, as they are indexed by every step."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


class Shared:
    """Something large that no step changes: a deep copy is the thing itself, a pickle is the recipe that made it."""

    recipe: tuple[Callable[..., Any], tuple[Any, ...]] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Shared":
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.recipe if self.recipe is not None else super().__reduce_ex__(protocol)


class Examples(Shared):
    """N examples: `columns[name]` is (N,) of str, `target` is (N,) label indices, `digest` names the content."""

    def __init__(self, columns: Mapping[str, Sequence[str]], target: Sequence[int], labels: tuple[str, ...]) -> None:
        self.columns = {name: as_objects(values) for name, values in columns.items()}
        self.target = np.asarray(target, dtype=np.int64)  # (N,)
        self.labels = labels
        self.digest = content_digest([*self.columns.values(), self.target.tolist(), labels])

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]


def as_objects(values: Sequence[Any]) -> np.ndarray:
    """(N,) object array of the values, whatever they are (NumPy would make an array of equally long lists 2-D)."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def content_digest(columns: Sequence[Sequence[Any]]) -> str:
    """SHA-256, in hex, of the columns' values in order; every value is closed off, so that ("ab", "c") is not ("a", "bc")."""
    sha = hashlib.sha256()
    for column in columns:
        for start in range(0, len(column), 10_000):  # in blocks: a million rows need no second copy in memory
            sha.update("\x1f".join(map(str, column[start : start + 10_000])).encode("utf-8", "surrogatepass"))
            sha.update(b"\x1e")
        sha.update(b"\x1d")
    return sha.hexdigest()
