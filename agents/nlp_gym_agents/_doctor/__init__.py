"""The doctor: measures an environment, says what is wrong with it, and what to do.

One file for each kind of check, one function for each check: decorated with `check("Section")`, it takes a `Subject`
and yields findings. `examine` runs them all.
"""

from ._findings import FAULT, NOTE, OK, WARNING, Finding
from ._runner import Examined, Report, examine, sections
from ._subject import Subject

__all__ = ["FAULT", "NOTE", "OK", "WARNING", "Examined", "Finding", "Report", "Subject", "examine", "sections"]
