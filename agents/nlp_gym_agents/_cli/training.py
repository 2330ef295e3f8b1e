"""`nlp-gym train`, `evaluate` and `pretrain`."""

import contextlib
import errno
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._common import INTERRUPTED, USER_ERROR, Set, explained, one_thread, say

if TYPE_CHECKING:
    from .._experiment import Experiment


def train(
    agent: Annotated[
        str | None, typer.Option(metavar="NAME", help="An agent or baseline; `nlp-gym list --agents`.")
    ] = None,
    env: Annotated[str | None, typer.Option(metavar="ID", help="An id; `nlp-gym list`.")] = None,
    set_: Set = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="KEY=VALUE", help="A hyper-parameter of the agent; repeatable."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Environment steps, over all rows.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Of agent and environment. [dim]default: 0[/dim]")
    ] = None,
    n_envs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Rows of the environment.")] = None,
    eval_every: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Steps between looks at the validation split; 0: none, the last model is kept. "
            "[dim]default: a twentieth[/dim]",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Hyper-parameters in RL Zoo's format, not our own.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The run's folder. [dim]default: a new one in runs/[/dim]"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the folder.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard's logs, too.")] = False,
    no_table: Annotated[bool, typer.Option("--no-table", help="Do not judge on the test split.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but warnings and errors.")] = False,
) -> None:
    """Train an agent, then judge it on the test split beside the baselines.

    What is not given comes from the agent's file in configs/. The best model on
    the validation split is kept. Ctrl-C leaves a checkpoint for --resume.

    [bold]Examples[/bold]

      nlp-gym train --agent ppo --env nlp/sentiment-label-v0
      nlp-gym train --agent dqn --env nlp/sentiment-read-v0 --param batch_size=64
      nlp-gym train --agent ppo --env nlp/sentiment-label-v0 --steps 20000 \\
        --set dataset=my.csv --set 'columns={text: review, label: stars}'
      nlp-gym train --agent supervised --env nlp/sentiment-label-v0
      nlp-gym train --resume --out runs/ppo-sentiment-label-seed0 --steps 200000
    """
    from .._settings import settings

    given: dict[str, Any] = {"steps": steps, "seed": seed, "n_envs": n_envs, "eval_every": eval_every}
    given |= {"env_kwargs": settings(set_), "hyperparameters": settings(param, "--param")}
    given["config_file"] = None if config is None else str(config)
    with one_thread():
        experiment, folder = _asked(agent, env, out, resume, given)
        _train(experiment, folder, resume, tensorboard, quiet)
        if not no_table:
            _table(folder, quiet)
    for name, path in (("run", folder), ("curve", folder / "curve.png")):
        if path.exists() and not quiet:
            typer.echo(f"{name:<5}  {path}")


def _asked(
    agent: str | None, env: str | None, out: Path | None, resume: bool, given: dict[str, Any]
) -> "tuple[Experiment, Path]":
    """The experiment and its folder; a run that is continued names its own agent and env."""
    from nlp_gym_envs.errors import BadArgument

    from .._experiment import Experiment
    from .._runs import Run
    from .._settings import known_id

    if resume and out is not None and Run(out).exists:
        known = Run(out).config()
        agent, env = agent or known["agent"], env or known["env"]
    if not agent or not env:
        missing = "--agent" if not agent else "--env"
        hint = f" There is no run to continue in {out}." if resume and out is not None else ""
        raise BadArgument(f"{missing} is missing, as in nlp-gym train --agent ppo --env nlp/sentiment-label-v0.{hint}")
    experiment = Experiment(agent, known_id(str(env)), **given)
    return experiment, out if out is not None else _folder(experiment, resume)


def _folder(experiment: "Experiment", resume: bool) -> Path:
    """The run's folder by its usual name: with --resume the latest of that name, else a new one."""
    short = experiment.env.rpartition(":")[2].removeprefix("nlp/").rpartition("-v")[0].replace("/", "-")
    base = Path("runs") / f"{experiment.agent.replace('.', '_')}-{short}-seed{experiment.seed or 0}"
    number, latest, free = 2, base, base
    while free.exists():
        latest, free = free, base.with_name(f"{base.name}-{number}")
        number += 1
    return latest if resume else free


def _train(experiment: "Experiment", folder: Path, resume: bool, tensorboard: bool, quiet: bool) -> None:
    """Train with a progress bar; say how to continue where it does not come to its end."""
    from .. import _experiment, _screens
    from .._runs import Run

    run, out = Run(folder), _screens.console(error=True)
    again = f"nlp-gym train --resume --out {shlex.quote(str(folder))}"
    if resume and not quiet:
        say(_standing(run, experiment.steps))
    command = shlex.join(["nlp-gym", *sys.argv[1:]])
    try:
        with contextlib.nullcontext() if quiet else _screens.progress(out) as progress:
            _experiment.train(experiment, folder, resume, progress, command, tensorboard)
    except KeyboardInterrupt:
        if run.exists:
            say(f"Interrupted; {run.steps_done():,} steps are kept. To continue:\n  {again}")
        else:
            say("Interrupted.")
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not run.exists:
            raise
        say(f"Error: {explained(error)}. {run.steps_done():,} steps are kept; make room, then continue:\n  {again}")
        raise typer.Exit(USER_ERROR) from None


def _standing(run: Any, steps: int | None) -> str:
    """What --resume finds in a folder."""
    if not run.exists:
        return f"There is no run in {run.folder} yet: starting one."
    wanted = steps or run.config().get("steps") or 0
    if run.finished(wanted):
        return f"The run in {run.folder} is finished, {run.facts()['steps']:,} steps; a larger --steps trains on."
    return f"Continuing {run.folder} after {run.steps_done():,} of {wanted:,} steps."


def _table(folder: Path, quiet: bool) -> None:
    """Print the agent's scores beside the baselines', as written in the run's folder or else found now."""
    import json

    from .._runs import Run
    from .._screens import console, score_table
    from .._trained import compare

    run, out = Run(folder), console()
    report = None
    with contextlib.suppress(OSError, ValueError):
        report = json.loads((folder / "table.json").read_text())
    if not isinstance(report, dict) or report.get("steps") != run.facts().get("steps"):
        try:
            with contextlib.nullcontext() if quiet else console(error=True).status("judging on the test split"):
                report = compare(folder)
        except KeyboardInterrupt:
            say(f"Interrupted; the training is finished. The table:\n  nlp-gym train --resume --out {folder}")
            raise typer.Exit(INTERRUPTED) from None
        run.write("table.json", json.dumps(report, indent=1) + "\n")
    if not quiet:
        score_table(report, out)


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    split: Annotated[str, typer.Option(metavar="NAME", help="Whose examples; each is taken once.")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Judge a run's best model on every example of a split, with 95 % bootstrap intervals.

    [bold]Examples[/bold]

      nlp-gym evaluate runs/ppo-sentiment-label-seed0
      nlp-gym evaluate runs/ppo-sentiment-label-seed0 --split compositional --json
    """
    import json

    with contextlib.redirect_stdout(sys.stderr):  # whatever libraries print
        from .._runs import Run
        from .._screens import console, one_table
        from .._trained import judge

        with one_thread():
            report = {"run": str(run), "agent": Run(run).config()["agent"], **judge(run, split).as_json()}
    if as_json:
        typer.echo(json.dumps(report, allow_nan=False))
    else:
        one_table(report, console())


def pretrain(
    task: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Whose training split to learn from; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the model goes.")] = None,
    shape: Annotated[str, typer.Option(metavar="NAME", help="t5, gpt2 or bert.")] = "t5",
    shipped: Annotated[
        str | None, typer.Option(metavar="NAME", help="Make a model that ships with the package again: its recipe.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="KEY=VALUE", help="A number of the recipe; repeatable.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="Of the processor.")] = 1,
    device: Annotated[str, typer.Option(metavar="NAME", help="Where to train: cpu, or cuda.")] = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but warnings and errors.")] = False,
) -> None:
    """Train a small language model from nothing, for environments with a model inside.

    The folder is an ordinary transformers checkpoint: give it to an environment
    as model=FOLDER. Its README.md tells the recipe and validation scores.

    [bold]Examples[/bold]

      nlp-gym pretrain --task multi30k_en_de --out models/multi30k
      nlp-gym pretrain --task translation --shape gpt2 --param updates=2000 --out models/gpt2
      nlp-gym pretrain --shipped t5 --out models/t5
    """
    from nlp_gym_envs.errors import BadArgument

    if out is None or (task is None) == (shipped is None):
        raise BadArgument("give --out FOLDER, and either --task NAME or --shipped NAME.")
    from .._pretraining import make
    from .._settings import settings

    make(tuple(task or ()), shape, shipped, settings(param, "--param"), out, threads, quiet, device)
