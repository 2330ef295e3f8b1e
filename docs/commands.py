"""The commands of `nlp-gym` as a table, from the program itself."""

import inspect

from typer.main import get_command

from nlp_gym_agents._cli import app


def table() -> str:
    """A row for each command: its name, and the first paragraph of its help."""
    rows = ["| command | does |", "|---|---|"]
    for name, command in get_command(app).commands.items():  # pyright: ignore[reportAttributeAccessIssue]
        first = inspect.cleandoc(command.help or "").split("\n\n")[0]
        rows.append(f"| `nlp-gym {name}` | {' '.join(first.split())} |")
    return "\n".join(rows)
