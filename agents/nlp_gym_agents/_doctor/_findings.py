"""What the doctor says: findings, each of one thing that was looked at, and the checks that make them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

OK, NOTE, WARNING, FAULT = "ok", "note", "warning", "fault"
MARKS = (OK, NOTE, WARNING, FAULT)  # a note tells something that is neither right nor wrong


@dataclass(frozen=True)
class Finding:
    """`about` is what was looked at, `told` what was seen, with its number, `todo` what to do where it is wrong."""

    mark: str
    about: str
    told: str
    todo: str = ""
    values: dict[str, Any] = field(default_factory=dict)  # the numbers, for machines


Findings = Iterator[Finding]


def ok(about: str, told: str, /, **values: Any) -> Finding:
    """Nothing is wrong with it."""
    return Finding(OK, about, told, "", values)


def note(about: str, told: str, todo: str = "", /, **values: Any) -> Finding:
    """Good to know, or could not be judged."""
    return Finding(NOTE, about, told, todo, values)


def warning(about: str, told: str, todo: str, /, **values: Any) -> Finding:
    """It may be meant, and may spoil an experiment."""
    return Finding(WARNING, about, told, todo, values)


def fault(about: str, told: str, todo: str, /, **values: Any) -> Finding:
    """What is trained or measured here would be wrong."""
    return Finding(FAULT, about, told, todo, values)


@dataclass(frozen=True)
class Check:
    """One function that looks at a subject; `slow` ones are left out when time is short."""

    section: str
    look: Callable[[Any], Findings]
    slow: bool = False

    @property
    def name(self) -> str:
        """As it is written in the code, for machines and for messages."""
        return self.look.__name__


CHECKS: list[Check] = []  # in the order of their files and of the functions in them, which is the screen's


def check(section: str, slow: bool = False) -> Callable[[Callable[[Any], Findings]], Callable[[Any], Findings]]:
    """Have a function's findings in a section of the screen: all that a new check needs."""

    def added(look: Callable[[Any], Findings]) -> Callable[[Any], Findings]:
        CHECKS.append(Check(section, look, slow))
        return look

    return added
