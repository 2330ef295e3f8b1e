"""One file per kind of action; each ends in `DYNAMICS`. Your own is a subclass of `Dynamics`."""

from ._base import Dynamics, box

__all__ = ["Dynamics", "box"]
