"""`nlp-gym doctor`."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from ._common import Set, one_thread


def doctor(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="An id, module:id of your own, or my_package.my_task, a task of yours.")
    ],
    set_: Set = None,
    json_: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write all findings there, too; - for standard output."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="SECTION", help="Only this section, as Data; repeatable.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer episodes; leave out what takes long.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count: exit code 1.")] = False,
) -> None:
    """Say whether an environment is sound, before a week is spent training on it.

    Exit code 0: sound. 1: warnings, with --strict. 2: faults.

    [bold]Examples[/bold]

      nlp-gym doctor nlp/sentiment-label-v0
      nlp-gym doctor nlp/text_classification-label-v0 --set dataset=tickets.csv
      nlp-gym doctor nlp/sst2-label-v0 --only Data --only Leaks
      nlp-gym doctor my_package.my_task --set dynamics=read
      nlp-gym doctor my_package:MyEnv-v0 --strict --json findings.json
    """
    import json

    from .._doctor import examine
    from .._doctor._named import named
    from .._doctor._screen import progress, show_report
    from .._screens import console
    from .._settings import settings

    env_id, options = named(name, settings(set_))
    with one_thread(), contextlib.redirect_stdout(sys.stderr), progress(console(error=True)) as told:
        report = examine(env_id, options, quick, only or (), told)
    written = json.dumps(report.as_json(), indent=1, default=str)
    if json_ == Path("-"):
        typer.echo(written)
    else:
        if json_ is not None:
            json_.write_text(written + "\n", encoding="utf-8")
        show_report(report, console())
    raise typer.Exit(report.exit_code(strict))
