"""`nlp-gym report`."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A benchmark's folder, or a file of its rows (.jsonl).")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page. [dim]default: report.html beside the rows[/dim]")
    ] = None,
) -> None:
    """Turn results into one HTML page: tables, plots, controls, sample episodes.

    The page needs nothing but itself: no network, no other file. Failed cells
    and lines that could not be read are listed on it.

    [bold]Examples[/bold]

      nlp-gym report results/quick
      nlp-gym report benchmarks/results/learning.jsonl --out learning.html
    """
    from .._report import write

    typer.echo(write(results, out))
