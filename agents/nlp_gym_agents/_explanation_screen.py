"""What the command line prints of explained episodes."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ._pages import plain
from ._screens import plain_table, print_table

FIRST, LAST = 8, 4  # steps of a long episode that are shown
TELLING = 5  # words that are named
FOLDED = ("does", "instead", "looks at")  # columns that are folded where the terminal is narrow
STRONG = 0.5  # of the largest effect of a word: from there it is bold


def show_explanation(found: Mapping[str, Any], out: Console) -> None:
    """Each episode with its words and steps, and what the policy looks at on the whole."""
    for episode in found["episodes"]:
        _episode(episode, found["split"], out)
    told = _parts(found["parts"], len(found["parts"]))
    out.print(Text.assemble(("What it looks at", "bold"), f"  {told}"), soft_wrap=True)
    out.print(Text(_legend(found), "dim"))


def _legend(found: Mapping[str, Any]) -> str:
    steps = [step for episode in found["episodes"] for step in episode["steps"]]
    lines = [
        "instead: the return if another action were forced there and the policy went on;",
        "looks at: how far the policy moves, from 0 to 1, where that part of what it sees is another moment's;",
    ]
    if any(step["words"] for step in steps):
        lines.append("words: what the probability of the step's action loses without the word.")
    if not found["gives_odds"]:
        lines.append("The policy gives no probabilities: it counts as certain of what it does.")
    return "\n".join(lines)


def _episode(episode: Mapping[str, Any], split: str, out: Console) -> None:
    steps = episode["steps"]
    wanted = " or ".join(map(plain, episode["target"]))
    outcome = f"{_short(episode['answer'])}, wanted {_short(wanted)}, return {episode['return']:+.3f}"
    out.print(Text.assemble((f"Example {episode['example']} of {split}", "bold cyan"), f"  {outcome}"))
    effects = next((step["words"] for step in reversed(steps) if step["words"]), None)
    text = max((step["text"] for step in steps), key=len)
    if effects is None:
        out.print(Padding(Text(_short(text, 400)), (0, 0, 0, 2)))
    else:
        out.print(Padding(_coloured(episode["words"], effects), (0, 0, 0, 2)))
        out.print(Padding(Text(f"words: {_telling(episode['words'], effects)}"), (0, 0, 0, 2)))
    table = plain_table("step", "does", "odds", "paid", "instead", "looks at", right=("step", "odds", "paid"))
    for column in table.columns:
        column.no_wrap = column.header not in FOLDED
    few = len(steps) <= FIRST + LAST + 1
    for at in range(len(steps)) if few else (*range(FIRST), None, *range(len(steps) - LAST, len(steps))):
        if at is None:
            table.add_row("…")
            continue
        step = steps[at]
        odds = "" if step["probability"] is None else f"{step['probability']:.2f}"
        instead = ("\n" if out.is_terminal else "; ").join(
            f"{_short(one['action'], 30)} {one['return']:+.2f}" for one in step["instead"]
        )
        table.add_row(*map(Text, (str(at + 1), _short(step["action"], 44), odds, f"{step['reward']:+.3f}", instead,
                                  _parts(step["parts"], 2))))  # fmt: skip
    print_table(table, out)
    out.print()


def _parts(parts: Mapping[str, float], count: int) -> str:
    """The parts that matter most."""
    best = sorted(parts.items(), key=lambda one: -one[1])[:count]
    return ", ".join(f"{name} {value:.2f}" for name, value in best)


def _coloured(words: Sequence[str], effects: Sequence[float]) -> Text:
    """The text: words that speak for the last action green, those against it red, strong ones bold."""
    most, found = max(map(abs, effects)) or 1.0, Text()
    for word, effect in zip(words, effects, strict=True):
        share = effect / most
        style = ("green" if share > 0 else "red") if abs(share) > STRONG / 2 else ""
        found.append(plain(word), f"bold {style}" if abs(share) > STRONG else style)
        found.append(" ")
    return found


def _telling(words: Sequence[str], effects: Sequence[float]) -> str:
    """The words with the largest effects, with their effects."""
    order = sorted(range(len(words)), key=lambda at: -abs(effects[at]))[:TELLING]
    return ", ".join(f"{plain(words[at])} {effects[at]:+.2f}" for at in sorted(order))


def _short(text: str, most: int = 60) -> str:
    return plain(text, most)
