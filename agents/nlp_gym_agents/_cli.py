"""The command `nlp-gym`: list, show and play environments; train and evaluate agents.

Heavy libraries are imported inside the commands that need them, so that help and lists come at once.
"""

import contextlib
import errno
import os
import shlex
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from ._experiment import Experiment

USER_ERROR, INTERRUPTED = 2, 130  # exit codes
NOT_OF_INTEREST = (  # beginnings of warnings that say nothing a user could act on
    r"You are trying to run",  # SB3: small networks are faster on the CPU; make_agent puts them there
    r"As shared layers in the mlp_extractor",
)
SILENCE = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


class Commands(TyperGroup):
    """Turns the errors that a user can cause into a line on standard error, and Ctrl-C into its exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("Interrupted.")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            message = explained(error)
            if message is None:
                raise
            say(f"Error: {message}")
            raise typer.Exit(USER_ERROR) from None


def explained(error: Exception) -> str | None:
    """What to tell the user of an error, on one line; None where it is a bug of ours, whose traceback is wanted."""
    from nlp_gym_envs.errors import NlpGymError

    if isinstance(error, NlpGymError) or type(error).__module__ == "gymnasium.error":
        return " ".join(str(error).split())
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        about = f" {error.filename}" if error.filename else ""
        return f"{error.strerror or error}:{about}" if about else str(error.strerror or error)
    return None


def say(line: str) -> None:
    """A line for people, on standard error."""
    typer.echo(line, err=True)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

EnvId = Annotated[str, typer.Argument(metavar="ID", help="An id, as nlp/sentiment-label-v0; `nlp-gym list` shows all.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A keyword of the environment, its value as YAML; repeatable."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from nlp_gym_envs import __version__

        typer.echo(f"nlp-gym {__version__}")
        raise typer.Exit()


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Reinforcement learning on language tasks: look at environments, play them, train and judge agents.

    [bold]Examples[/bold]

      nlp-gym show nlp/sentiment-read-v0
      nlp-gym train --agent ppo --env nlp/sentiment-label-v0
      nlp-gym evaluate runs/ppo-sentiment-label-seed0
    """
    for name, value in SILENCE.items():
        os.environ.setdefault(name, value)
    for beginning in NOT_OF_INTEREST:
        warnings.filterwarnings("ignore", beginning)
    warnings.showwarning = _show_warning


def _show_warning(message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None) -> None:
    say(f"Warning: {' '.join(str(message).split())}")


# ---------------------------------------------------------------- looking


@app.command("list")
def list_command(
    word: Annotated[str | None, typer.Argument(metavar="[WORD]", help="Only what has this word in it.")] = None,
    agents: Annotated[bool, typer.Option("--agents", help="List the agents instead.")] = False,
) -> None:
    """List the environments, or with --agents the agents.

    [bold]Examples[/bold]

      nlp-gym list
      nlp-gym list read
      nlp-gym list --agents
    """
    from . import _screens

    rows: list[Any] = [
        row for row in (_agents() if agents else _ids()) if (word or "").lower() in " ".join(map(str, row)).lower()
    ]
    if not rows:
        say(f"Error: no {'agent' if agents else 'id'} has {word!r} in it; `nlp-gym list` without a word shows all.")
        raise typer.Exit(USER_ERROR)
    (_screens.list_agents if agents else _screens.list_ids)(rows, _screens.console())


def _size(answer: Any) -> str:
    """What an answer is, in a word: how many labels, or the form."""
    from nlp_gym_envs.answers import Label

    return str(len(answer) or "?") if isinstance(answer, Label) else type(answer).__name__.lower()


def _ids() -> Iterator[tuple[str, ...]]:
    """Id, task, dynamics, number of labels, where the data are, what is asked."""
    import nlp_gym_envs
    from nlp_gym_envs.task import TASKS

    from ._pages import names_of, summary

    for env_id in nlp_gym_envs.environment_ids():
        name, dynamics = names_of(env_id)
        task = TASKS.get(name)
        origin = {"BuiltIn": "built in", "Hub": "Hub", "Files": "files", "Elsewhere": "files"}.get(
            type(task.source).__name__, "own"
        )
        yield env_id, name, dynamics, _size(task.answer), origin, summary(task.description)


def _agents() -> Iterator[tuple[str, str]]:
    """Name and sentence, read from the files: importing them would take seconds."""
    import ast

    from ._pages import summary

    for file in sorted(Path(__file__).parent.glob("[!_]*.py")):
        yield file.stem, summary(ast.get_docstring(ast.parse(file.read_text())))


@app.command()
def show(env_id: EnvId, set_: Set = None) -> None:
    """Show an environment: spaces, actions, its documentation, three episodes.

    [bold]Examples[/bold]

      nlp-gym show nlp/sentiment-read-v0
      nlp-gym show nlp/sentiment-label-v0 --set dataset=my_reviews.csv
    """
    import gymnasium as gym

    from nlp_gym_envs.errors import NotAvailable

    from ._pages import examples, page
    from ._screens import console, show_page
    from ._settings import known_id, settings

    name, keywords = known_id(env_id), settings(set_)
    try:
        env: Any = gym.make(name, disable_env_checker=True, **keywords)
    except NotAvailable:
        if "dataset" not in keywords:  # its documentation is here all the same; the error follows
            show_page(page(name), None, (), console())
        raise
    show_page(page(name, env), env, examples(env), console())
    env.close()


@app.command()
def play(
    env_id: EnvId,
    split: Annotated[str, typer.Option(metavar="NAME", help="Whose examples.")] = "validation",
    episodes: Annotated[int, typer.Option(min=1, metavar="N", help="How many.")] = 10,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Repeats a game; another game each time without it.")
    ] = None,
    set_: Set = None,
) -> None:
    """Play an environment yourself: choose actions by number or name; ? lists them, q quits.

    [bold]Examples[/bold]

      nlp-gym play nlp/sentiment-read-v0
      printf '0\\n1\\n' | nlp-gym play nlp/sentiment-label-v0 --episodes 2
    """
    import gymnasium as gym

    from ._screens import Play, console
    from ._settings import known_id, settings

    keywords = {"split": split, "order": "random", **settings(set_)}
    env = gym.make(known_id(env_id), disable_env_checker=True, **keywords)
    Play(env, console(), _line).go(episodes, seed)
    env.close()


def _line() -> str | None:
    """A line of standard input, None at its end; shown again where nobody has typed it."""
    try:
        line = input()
    except EOFError:
        return None
    if not sys.stdin.isatty():
        typer.echo(line)
    return line


# ---------------------------------------------------------------- training


@app.command()
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
            min=1, metavar="N", help="Steps between looks at the validation split. [dim]default: a twentieth[/dim]"
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
    from ._settings import settings

    given: dict[str, Any] = {"steps": steps, "seed": seed, "n_envs": n_envs, "eval_every": eval_every}
    given |= {"env_kwargs": settings(set_), "hyperparameters": settings(param, "--param")}
    given["config_file"] = None if config is None else str(config)
    with _one_thread():
        experiment, folder = _asked(agent, env, out, resume, given)
        _train(experiment, folder, resume, tensorboard, quiet)
        if not no_table:
            _table(folder, quiet)
    for name, path in (("run", folder), ("curve", folder / "curve.png")):
        if path.exists() and not quiet:
            typer.echo(f"{name:<5}  {path}")


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Small networks are faster on one thread, unless OMP_NUM_THREADS says otherwise."""
    import torch

    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _asked(
    agent: str | None, env: str | None, out: Path | None, resume: bool, given: dict[str, Any]
) -> "tuple[Experiment, Path]":
    """The experiment and its folder; a run that is continued names its own agent and env."""
    from nlp_gym_envs.errors import BadArgument

    from ._experiment import Experiment
    from ._runs import Run
    from ._settings import known_id

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
    from . import _experiment, _screens
    from ._runs import Run

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

    from ._experiment import compare
    from ._runs import Run
    from ._screens import console, score_table

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


@app.command()
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
    from ._pretraining import make

    make(tuple(task or ()), shape, shipped, _settings_of(param), out, threads, quiet, device)


def _settings_of(param: list[str] | None) -> dict[str, Any]:
    from ._settings import settings

    return settings(param, "--param")


@app.command()
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
        from ._experiment import judge
        from ._runs import Run
        from ._screens import console, one_table

        with _one_thread():
            report = {"run": str(run), "agent": Run(run).config()["agent"], **judge(run, split).as_json()}
    if as_json:
        typer.echo(json.dumps(report, allow_nan=False))
    else:
        one_table(report, console())


def main() -> None:
    """The entry point."""
    app(prog_name="nlp-gym")


if __name__ == "__main__":
    main()
