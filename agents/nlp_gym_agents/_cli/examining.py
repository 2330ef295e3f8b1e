"""`nlp-gym doctor` and `explain`."""

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


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    split: Annotated[str, typer.Option(metavar="NAME", help="Whose examples.")] = "test",
    episodes: Annotated[int, typer.Option(min=1, metavar="N", help="How many, drawn at random.")] = 3,
    alternatives: Annotated[int, typer.Option(min=0, metavar="N", help="Other actions that are tried at a step.")] = 2,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the draw.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Explain a run's decisions by experiments: other actions, other observations, words left out.

    At each step of some episodes another action is forced, and the policy goes on; each part of what it sees is
    replaced by another moment's; and, where the answer is a label, each word is left out of the text.

    [bold]Examples[/bold]

      nlp-gym explain runs/ppo-sentiment-read-seed0
      nlp-gym explain runs/ppo-sentiment-read-seed0 --split compositional --episodes 20 --json
    """
    import json

    with contextlib.redirect_stdout(sys.stderr), one_thread():
        from .._explanation import explain as explained
        from .._explanation_screen import show_explanation
        from .._screens import console
        from .._trained import load_run

        out = console(error=True)
        with contextlib.nullcontext() if as_json or not out.is_terminal else out.status("trying what else there is"):
            _, experiment, agent = load_run(run)
            found = explained(agent, experiment.env, split, experiment.env_kwargs, episodes, alternatives, seed)
    if as_json:
        typer.echo(json.dumps({"run": str(run), "agent": experiment.agent, **found}, allow_nan=False))
    else:
        show_explanation(found, console())
