"""`nlp-gym list`, `show` and `play`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ._common import USER_ERROR, EnvId, Set, say


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
    from .. import _screens

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

    return str(len(answer) or "?") if isinstance(answer, Label) else type(answer).__name__.lower().removeprefix("free")


def _ids() -> Iterator[tuple[str, ...]]:
    """Id, task, dynamics, number of labels, where the data are, what is asked."""
    import nlp_gym_envs
    from nlp_gym_envs.task import TASKS

    from .._pages import names_of, summary

    for env_id in nlp_gym_envs.environment_ids():
        name, dynamics = names_of(env_id)
        task = TASKS.get(name)
        origin = {"BuiltIn": "package", "Hub": "Hub", "Files": "files", "Elsewhere": "files"}.get(
            type(task.source).__name__, "own"
        )
        yield env_id, name, dynamics, _size(task.answer), origin, summary(task.description)


def _agents() -> Iterator[tuple[str, str]]:
    """Name and sentence, read from the files: importing them would take seconds."""
    import ast

    from .._pages import summary

    for file in sorted(Path(__file__).parents[1].glob("[!_]*.py")):
        yield file.stem, summary(ast.get_docstring(ast.parse(file.read_text())))


def show(env_id: EnvId, set_: Set = None) -> None:
    """Show an environment: spaces, actions, its documentation, three episodes.

    [bold]Examples[/bold]

      nlp-gym show nlp/sentiment-read-v0
      nlp-gym show nlp/sentiment-label-v0 --set dataset=my_reviews.csv
    """
    import gymnasium as gym

    from nlp_gym_envs.errors import NotAvailable

    from .._pages import examples, page
    from .._screens import console, show_page
    from .._settings import known_id, settings

    name, keywords = known_id(env_id), settings(set_)
    try:
        env: Any = gym.make(name, disable_env_checker=True, **keywords)
    except NotAvailable:
        if "dataset" not in keywords:  # its documentation is here all the same; the error follows
            show_page(page(name), None, (), console())
        raise
    show_page(page(name, env), env, examples(env), console())
    env.close()


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

    from .._screens import Play, console
    from .._settings import known_id, settings

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
