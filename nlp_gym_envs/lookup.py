"""Finding things by name: every file of a folder is a thing with that file's name; your own has a dotted name."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from .errors import UnknownName


class Shelf:
    """The named things of one folder, read from it by looking; `register` adds one that has no file there."""

    def __init__(self, package: str, attribute: str, noun: str) -> None:
        self.package, self.attribute, self.noun = package, attribute, noun
        self.registered: dict[str, Any] = {}

    def names(self) -> tuple[str, ...]:
        """The names that can be asked for, sorted; files that start with an underscore are not things."""
        folder = importlib.import_module(self.package).__path__
        files = {module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_")}
        return tuple(sorted(files | set(self.registered)))

    def register(self, name: str, thing: Any) -> None:
        """Make `thing` available under `name` in this process."""
        self.registered[name] = thing

    def get(self, name: str) -> Any:
        """The thing called `name`, or at the dotted name `package.module` or `package.module.attribute`.

        Raises UnknownName, with the nearest names, when there is none.
        """
        if name in self.registered:
            return self.registered[name]
        if name in self.names():
            return getattr(importlib.import_module(f"{self.package}.{name}"), self.attribute)
        if "." in name:
            return from_dotted(name, self.attribute, self.noun)
        raise self.unknown(name)

    def unknown(self, name: str) -> UnknownName:
        """What to raise for a name that nothing here has."""
        known = self.names()
        return UnknownName(
            f"no {self.noun} {name!r}{did_you_mean(name, known)} There are: {', '.join(known)}. "
            f"Your own goes by its dotted name, as in 'my_package.my_{self.noun.replace(' ', '_')}'."
        )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """How a message goes on after a wrong name: with the nearest right one, or with a full stop."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."


def from_dotted(name: str, attribute: str, noun: str) -> Any:
    """Your own: `attribute` of the module called `name`, or any attribute of a module. Raises UnknownName."""
    parent, _, last = name.rpartition(".")
    for module_name, wanted in ((name, attribute), (parent, last)):
        if not all(map(str.isidentifier, module_name.split("."))):
            continue
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            # a module that exists and fails to import something else is the user's bug: let it show
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            continue
        found = getattr(module, wanted, None)
        if found is not None and not isinstance(found, ModuleType):
            return found
    raise UnknownName(
        f"no {noun} at {name!r}: there is no module of that name with an attribute {attribute}, "
        f"nor a module {parent!r} with an attribute {last!r}. Is its folder on PYTHONPATH?"
    )
