"""A dict whose rest is made when somebody looks: most infos are never read, and making them outlasted the step."""

from collections.abc import Callable, Mapping
from typing import Any

_MISSING = object()


class Lazy(dict):
    """What was put in is there at once, `rest()` when anything else is asked for. To others an ordinary dict."""

    __slots__ = ()

    def rest(self) -> Mapping[str, Any] | None:
        """What was not made yet, once; None afterwards."""
        return None

    def complete(self) -> "Lazy":
        """Make the rest; what was put in by hand stays."""
        if (rest := self.rest()) is not None:
            for name, value in rest.items():
                dict.setdefault(self, name, value)
        return self

    def __missing__(self, name: str) -> Any:
        found = dict.get(self.complete(), name, _MISSING)
        if found is _MISSING:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, or the default."""
        found = dict.get(self, name, _MISSING)
        return dict.get(self.complete(), name, default) if found is _MISSING else found

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or dict.__contains__(self.complete(), name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (dict, (dict(self.items()),))


def _completed(method: str) -> Any:
    plain = getattr(dict, method)

    def call(self: Lazy, *args: Any, **kwargs: Any) -> Any:
        return plain(self.complete(), *args, **kwargs)

    return call


for _method in ("__delitem__", "__iter__", "__reversed__", "__len__", "__repr__", "__eq__", "__ne__",
                "__or__", "__ror__", "__ior__", "keys", "values", "items", "copy", "pop", "popitem", "setdefault",
                "update", "clear"):  # fmt: skip
    setattr(Lazy, _method, _completed(_method))


class Made(Lazy):
    """A lazy dict whose rest a function makes."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self.make: Callable[[], Mapping[str, Any]] | None = make

    def rest(self) -> Mapping[str, Any] | None:
        """What the function gives, once; None afterwards."""
        make, self.make = self.make, None
        return None if make is None else make()
