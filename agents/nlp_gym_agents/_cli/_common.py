"""What the commands share: options, exit codes, how errors are told."""

import contextlib
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

USER_ERROR, INTERRUPTED = 2, 130  # exit codes

EnvId = Annotated[str, typer.Argument(metavar="ID", help="An id, as nlp/sentiment-label-v0; `nlp-gym list` shows all.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A keyword of the environment, its value as YAML; repeatable."),
]


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


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Small networks are faster on one thread, unless OMP_NUM_THREADS says otherwise."""
    import torch

    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
