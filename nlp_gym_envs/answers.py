"""Forms of an answer: how an answer is stored, how it reads, and what a text means as one."""

from dataclasses import dataclass, field

import numpy as np

from .errors import BadData


@dataclass(frozen=True)
class Label:
    """One of a fixed set of names; stored as its index. `names` may be empty until the data set tells them."""

    names: tuple[str, ...] = ()
    texts: np.ndarray = field(
        init=False, repr=False, compare=False
    )  # (K + 1,) object: the answers as texts, [-1] is ""
    accepted: np.ndarray = field(init=False, repr=False, compare=False)  # (K,) object: (name,), what info["target"] has

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise BadData(f"label names must differ, got {self.names}.")
        texts, accepted = np.empty(len(self.names) + 1, object), np.empty(len(self.names), object)
        texts[:] = (*self.names, "")
        accepted[:] = [(name,) for name in self.names]
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "accepted", accepted)

    def __len__(self) -> int:
        return len(self.names)

    def parse(self, text: str) -> int:
        """The index of the label called `text`, or -1: no label, which is right for no target."""
        return self.names.index(text) if text in self.names else -1
