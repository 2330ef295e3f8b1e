"""The examples of one split, column by column, as they are indexed by every step."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
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
    """N examples: `columns[name]` is (N,) object, "text" always among them: what a person would read.

    `target` is (N,): indices (of labels, whose names are `labels`, or of choices), or tuples of accepted texts.
    """

    def __init__(
        self,
        columns: Mapping[str, Sequence[Any] | np.ndarray],
        target: Sequence[Any] | np.ndarray,
        labels: tuple[str, ...] = (),
    ) -> None:
        self.columns = {name: as_objects(values) for name, values in columns.items()}
        texts = isinstance(target, np.ndarray) and target.dtype.hasobject
        self.target = np.asarray(target) if texts else np.asarray(target, np.int64)  # (N,)
        self.labels = labels

    @cached_property
    def text_digest(self) -> str:
        """A name for the content of the columns, whatever the labels."""
        return content_digest(list(self.columns.values()))

    @cached_property
    def digest(self) -> str:
        """A name for the whole content, labels and all."""
        sha = hashlib.sha256(self.text_digest.encode())
        texts = self.target.dtype.hasobject
        sha.update(content_digest([self.target]).encode() if texts else self.target.tobytes())
        sha.update(content_digest([self.labels]).encode())
        return sha.hexdigest()

    def __len__(self) -> int:
        return len(self.target)

    def first(self, count: int) -> "Examples":
        """The first `count` of them."""
        columns = {name: values[:count] for name, values in self.columns.items()}
        return Examples(columns, self.target[:count], self.labels)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]


def as_objects(values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """(N,) object array of the values, whatever they are (NumPy would make an array of equally long lists 2-D)."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def content_digest(columns: Sequence[Sequence[str] | np.ndarray]) -> str:
    """SHA-256, in hex, of the columns' texts in order; each goes in with its length: ("ab", "c") is not ("a", "bc")."""
    sha = hashlib.sha256()
    for column in columns:
        sha.update(len(column).to_bytes(8, "little"))
        for start in range(0, len(column), 10_000):  # in blocks: a million rows need no second copy in memory
            block = [str(value) for value in column[start : start + 10_000]]
            sha.update(np.array([len(text) for text in block], np.int64).tobytes())
            sha.update("".join(block).encode("utf-8", "surrogatepass"))
    return sha.hexdigest()
