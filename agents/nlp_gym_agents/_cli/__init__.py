"""The command `nlp-gym`: list, show and play environments; train and evaluate agents; report.

A command is a function in one of this folder's files and a line at the end of this one. Heavy libraries are imported
inside the functions that need them, so that help and lists come at once.
"""

import logging
import os
import warnings
from typing import Annotated, Any

import typer

from . import benchmarking, examining, looking, reporting, training
from ._common import Commands, say

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


def _version(wanted: bool) -> None:
    if wanted:
        from nlp_gym_envs import __version__

        typer.echo(f"nlp-gym {__version__}")
        raise typer.Exit()


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
    waiting = logging.getLogger("nlp_gym_envs")
    if not waiting.handlers:
        waiting.addHandler(_Said())
        waiting.setLevel(logging.INFO)


class _Said(logging.Handler):
    """What the package logs, as lines for people."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def _show_warning(message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None) -> None:
    say(f"Warning: {' '.join(str(message).split())}")


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(start)
for name, command in {
    "list": looking.list_command,
    "show": looking.show,
    "play": looking.play,
    "train": training.train,
    "evaluate": training.evaluate,
    "pretrain": training.pretrain,
    "benchmark": benchmarking.benchmark,
    "compare": benchmarking.compare,
    "tune": benchmarking.tune,
    "report": reporting.report,
    "doctor": examining.doctor,
    "explain": examining.explain,
}.items():
    app.command(name)(command)


def main() -> None:
    """The entry point."""
    app(prog_name="nlp-gym")
