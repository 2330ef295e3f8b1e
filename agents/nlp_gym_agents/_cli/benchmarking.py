"""`nlp-gym benchmark`, `tune` and `compare`."""

import errno
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from ._common import INTERRUPTED, USER_ERROR, Set, explained, one_thread, say

CELLS_FAILED = 1  # exit code


def benchmark(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="What to run: a YAML file, as configs/smoke.yaml.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The results' folder. [dim]default: runs/<name>[/dim]")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="N", help="Processes (0: this one), or ray. [dim]default: one a core[/dim]")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATTERN", help="Only these cells, as env=nlp/*-label-v0; repeatable."),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run failed and skipped cells again.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but warnings and errors.")] = False,
) -> None:
    """Run a benchmark: every id, agent, seed and arm of a configuration.

    Each finished cell is a row of rows.jsonl; what has a row is not run again,
    so that the same command continues after an interruption. The exit code is 1
    where cells have failed.

    [bold]Examples[/bold]

      nlp-gym benchmark configs/smoke.yaml
      nlp-gym benchmark configs/quick.yaml --workers 2 --only env=nlp/*-read-v0
      nlp-gym benchmark configs/quick.yaml --retry --only agent=ppo
    """
    from .. import _plan
    from .._benchmark import run
    from .._progress import standing, watching
    from .._results import FAILED, SKIPPED
    from .._screens import console

    asked = _plan.load(config)
    folder = out if out is not None else Path("runs") / asked.name
    again = f"nlp-gym benchmark {shlex.join([str(config), '--out', str(folder)])}"
    try:
        with watching(console(error=True)) as shown:
            state, damaged = run(asked, folder, _workers(workers), only or (), retry, None if quiet else shown)
    except KeyboardInterrupt:
        say(f"Interrupted; finished cells are kept. To continue:\n  {again}")
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        say(f"Error: {explained(error)}. Finished cells are kept; make room, then continue:\n  {again}")
        raise typer.Exit(USER_ERROR) from None
    if damaged:
        say(f"Warning: {damaged}")
    if not quiet:
        typer.echo(f"results  {folder}")
        typer.echo(f"         {standing(state)}")
    for status in (FAILED, SKIPPED):
        if count := state.count(status):
            say(f"{count:,} cell{'s' * (count > 1)} {status}, each with its reason in {folder / 'rows.jsonl'}; "
                "--retry runs them again.")  # fmt: skip
    if state.count(FAILED):
        raise typer.Exit(CELLS_FAILED)


def _workers(given: str | None) -> Any:
    from nlp_gym_envs.errors import BadArgument

    if given is None or given == "ray":
        return given
    if not given.isdecimal():
        raise BadArgument(f"--workers must be a number, or ray, got {given!r}.")
    return int(given)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A run's folder, or RESULTS:AGENT.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The same, of what A is compared with.")],
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="What is compared. [dim]default: the task's own metric[/dim]")
    ] = None,
    arm: Annotated[str, typer.Option(metavar="NAME", help="Which arm of the results.")] = "as is",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Compare two runs, or two agents of a benchmark, on the same test examples.

    A paired bootstrap over examples, and over seeds where there are several,
    tells the difference with its 95 % interval, in words.

    [bold]Examples[/bold]

      nlp-gym compare runs/ppo-sst2-label-seed0 runs/sarsa-sst2-label-seed0
      nlp-gym compare runs/quick:ppo runs/quick:supervised --metric f1_macro
    """
    import contextlib
    import json
    import sys

    with contextlib.redirect_stdout(sys.stderr):  # whatever libraries print
        from .. import _comparison

        with one_thread():
            report = _comparison.compare(first, second, metric, arm)
    typer.echo(json.dumps(report, allow_nan=False) if as_json else "\n".join(report["words"]))


def tune(
    agent: Annotated[str, typer.Option(metavar="NAME", help="An agent; `nlp-gym list --agents`.")],
    env: Annotated[str, typer.Option(metavar="ID", help="An id; `nlp-gym list`.")],
    trials: Annotated[int, typer.Option(min=1, metavar="N", help="Until the study has so many.")] = 20,
    storage: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The study: .db or .log. [dim]default: runs/tune-<agent>-<id>.db[/dim]"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the best settings go. [dim]default: beside the study, .yml[/dim]"),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Environment steps of a trial.")] = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Trainings of a trial, whose mean counts.")] = 1,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The first seed.")] = 0,
    set_: Set = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="A hyper-parameter all trials start from; repeatable."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but warnings and errors.")] = False,
) -> None:
    """Search an agent's hyper-parameters with Optuna, by the validation return.

    The study is on disk: the same command continues it, and a larger --trials
    goes on. The best settings are written in RL Zoo's format, for
    `nlp-gym train --config FILE`.

    [bold]Examples[/bold]

      nlp-gym tune --agent ppo --env nlp/sentiment-label-v0 --trials 30
      nlp-gym tune --agent sarsa --env nlp/sst2-read-v0 --seeds 3 --steps 50000
    """
    from .. import _tuning
    from .._experiment import Experiment
    from .._settings import known_id, settings

    name = known_id(env)
    keywords, start = settings(set_), settings(param, "--param")
    asked = Experiment(agent, name, steps=steps, seed=seed, env_kwargs=keywords, hyperparameters=start)
    short = name.rpartition(":")[2].removeprefix("nlp/").rpartition("-v")[0].replace("/", "-")
    study = storage if storage is not None else Path("runs") / f"tune-{agent.replace('.', '_')}-{short}.db"
    written = out if out is not None else study.with_suffix(".yml")
    try:
        with one_thread():
            found = _tuning.tune(asked, study, trials, seeds, told=(lambda line: None) if quiet else say)
    except KeyboardInterrupt:
        say(f"Interrupted; the study is kept in {study}. The same command continues it.")
        raise typer.Exit(INTERRUPTED) from None
    _tuning.write(written, asked, found)
    if not quiet:
        how = ", ".join(f"{count} {state}" for state, count in found.states().items())
        what = "the agent's own settings are as good" if found.trial is None else f"trial {found.trial} is the best"
        typer.echo(f"{how}; {what}: validation return {found.score:.4f} against {found.reference:.4f}")
        typer.echo(f"study     {study}\nsettings  {written}")
