"""Runs every check on a subject, whatever happens in it, and sums up in words."""

import importlib
import time
import traceback
import warnings
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.lookup import did_you_mean

from ._findings import CHECKS, FAULT, MARKS, WARNING, Check, Finding, fault, note
from ._subject import Subject

FILES = ("contract", "rewards", "answers", "masks", "seeds", "data", "leaks", "speed", "agents")  # the screen's order
HERE = Path(__file__).parent
SOUND, WARNED, FAULTY = 0, 1, 2  # exit codes


@dataclass(frozen=True)
class Examined:
    """A finding, which check it is of and in which section it belongs."""

    section: str
    check: str
    finding: Finding


@dataclass
class Report:
    """Everything that was found, in order."""

    env_id: str
    options: dict[str, Any]
    found: list[Examined] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # of each check

    def marked(self, mark: str) -> list[Examined]:
        """The findings with a mark."""
        return [each for each in self.found if each.finding.mark == mark]

    def exit_code(self, strict: bool = False) -> int:
        """0 sound, 1 warnings and they count, 2 faults."""
        if self.marked(FAULT):
            return FAULTY
        return WARNED if strict and self.marked(WARNING) else SOUND

    @property
    def verdict(self) -> str:
        """Everything in two sentences."""
        faults, warned = self.marked(FAULT), self.marked(WARNING)
        if faults:
            about = ", ".join(dict.fromkeys(each.finding.about for each in faults))
            more = f" {len(warned)} warning{'s' * (len(warned) > 1)} besides." if warned else ""
            return (
                f"Not sound: {len(faults)} fault{'s' * (len(faults) > 1)} ({about}). Mend them before you train.{more}"
            )
        if warned:
            about = ", ".join(dict.fromkeys(each.finding.about for each in warned))
            return f"Sound, with {len(warned)} warning{'s' * (len(warned) > 1)} to know of: {about}."
        return f"Sound: {len(self.marked('ok'))} things are as they should be, and none is wrong."

    def as_json(self) -> dict[str, Any]:
        """One object for machines."""
        return {
            "env": self.env_id,
            "options": self.options,
            "verdict": self.verdict,
            "exit_code": self.exit_code(),
            "counts": {mark: len(self.marked(mark)) for mark in MARKS},
            "findings": [{"section": e.section, "check": e.check, **asdict(e.finding)} for e in self.found],
            "seconds": {name: round(spent, 3) for name, spent in self.seconds.items()},
        }


def sections() -> tuple[str, ...]:
    """The sections of the screen, in order."""
    for file in FILES:
        importlib.import_module(f"{__package__}.{file}")
    return tuple(dict.fromkeys(each.section for each in CHECKS))


def examine(
    env_id: str,
    options: dict[str, Any] | None = None,
    quick: bool = False,
    only: Collection[str] = (),
    progress: Callable[[str], Any] = lambda section: None,
) -> Report:
    """Look at everything, or at the sections named `only`; `progress` is told each section as it begins.

    Raises BadArgument for a section that there is not, and what making the environment raises: there is nothing to
    look at then.
    """
    known = sections()
    if wrong := [section for section in only if section not in known]:
        raise BadArgument(f"no section {wrong[0]!r}{did_you_mean(wrong[0], known)} There are: {', '.join(known)}.")
    subject = Subject(env_id, options, quick)
    report = Report(env_id, dict(options or {}))
    for each in CHECKS:
        if each.slow and quick or only and each.section not in only:
            continue
        progress(each.section)
        started = time.perf_counter()
        report.found += [Examined(each.section, each.name, finding) for finding in _looked(each, subject)]
        report.seconds[each.name] = time.perf_counter() - started
    return report


def _looked(each: Check, subject: Subject) -> list[Finding]:
    """A check's findings; what an environment raises or warns of in it is a finding, too."""
    found: list[Finding] = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found += each.look(subject)
        except Exception as error:  # the environment is anybody's code: whatever it raises is what was found
            where = _where(error)
            found.append(
                fault(
                    each.name.replace("_", " "),
                    f"{type(error).__name__}: {' '.join(str(error).split())}",
                    f"Raised at {where}; a step of an environment may not fail.",
                )
            )
    own = [" ".join(str(w.message).split()) for w in told if issubclass(w.category, RuntimeWarning | UserWarning)]
    if own:
        found.append(note(each.name.replace("_", " "), f"{len(own)} warnings from the code, as: {own[0][:200]}"))
    return found


def _where(error: Exception) -> str:
    """File and line of the innermost frame that is not the doctor's own."""
    frames = traceback.extract_tb(error.__traceback__)
    outside = [frame for frame in frames if Path(frame.filename).parent != HERE] or frames
    return f"{Path(outside[-1].filename).name}:{outside[-1].lineno}"
