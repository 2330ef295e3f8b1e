"""An episode as a person sees it: plain text, a coloured terminal view, or a picture."""

import contextlib
import functools
import importlib.util
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .actions import is_none

WIDTH = 80  # characters of a line of text
SIZE = (640, 360)  # pixels of a picture, width and height
INK, PAPER, QUIET, GOOD, BAD = (32, 33, 36), (255, 255, 255), (112, 117, 122), (0, 114, 178), (213, 94, 0)  # Okabe-Ito


@dataclass(frozen=True)
class Scene:
    """What can be seen of one episode at one moment."""

    title: str
    text: str
    action: str | None  # the last one
    paid: float  # the return so far
    answer: str | None  # None while the episode goes on
    target: str | None
    right: bool
    answers: bool = True  # whether it is an answer that can be right or wrong; else a model was changed, towards an aim


def scene(episodes: Any, row: int, action: Any, paid: float) -> Scene:
    """The scene of one row."""
    dynamics, rows = episodes.dynamics, np.array([row])
    over = bool(dynamics.over(rows)[0])
    return Scene(
        title=f"{dynamics.task.name} · {dynamics.name} · {dynamics.task.split} {int(dynamics.example[row])}",
        text=str(dynamics.texts(rows)[0]) or "(nothing read yet)",
        action=None if is_none(action) else dynamics.meaning(action),
        paid=float(paid),
        answer=str(dynamics.answers(rows)[0]) if over else None,
        target=" | ".join(dynamics.targets(rows)[0]) if over else None,
        right=over and _right(dynamics, rows),
        answers=dynamics.answers_examples,
    )


def _right(dynamics: Any, rows: np.ndarray) -> bool:
    aim = dynamics.solved(rows)
    return bool(dynamics.metrics(rows)[dynamics.task.metric.name][0] >= 1.0 if aim is None else aim[0])


def _outcome(shown: Scene) -> str:
    if shown.answer is None:
        return f"return {shown.paid:+.3f}"
    if not shown.answers:
        return f"{shown.answer}; the aim: {shown.target}; return {shown.paid:+.3f}"
    verdict = "right" if shown.right else f"wrong: it is {shown.target}"
    return f"answer {shown.answer} ({verdict}), return {shown.paid:+.3f}"


def text(shown: Scene) -> str:
    """The scene as plain text of at most 80 columns."""
    parts = [shown.title, f"  {shown.text}", *([] if shown.action is None else [f"> {shown.action}"]), _outcome(shown)]
    return "\n".join(line for part in parts for line in textwrap.wrap(part, WIDTH, subsequent_indent="  "))


def show(shown: Scene) -> None:
    """Print the scene on the terminal, with colours where it has them."""
    from rich.console import Console
    from rich.markup import escape
    from rich.panel import Panel

    colour = "green" if shown.right else "red" if shown.answer is not None and shown.answers else "cyan"
    action = "" if shown.action is None else f"\n[bold]> {escape(shown.action)}[/bold]"
    body = f"{escape(shown.text)}{action}\n[{colour}]{escape(_outcome(shown))}[/{colour}]"
    Console(width=None).print(Panel(body, title=escape(shown.title), title_align="left", border_style=colour))


BEYOND_ASCII = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "Helvetica.ttc")  # Pillow looks for them


@functools.lru_cache(maxsize=8)
def _font(size: int, ascii_only: bool = True) -> Any:
    """Pillow's own font; it lacks most letters beyond ASCII, for which the machine's fonts are tried."""
    from PIL import ImageFont

    for name in () if ascii_only else _wider_fonts():
        with contextlib.suppress(OSError):  # not on this machine
            return ImageFont.truetype(name, size)
    return ImageFont.load_default(size=size)


def _wider_fonts() -> tuple[str, ...]:
    """Names of fonts, and the file of the one that matplotlib brings, where it is installed."""
    found = importlib.util.find_spec("matplotlib")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" if found and found.origin else Path()
    return (*BEYOND_ASCII, str(folder / BEYOND_ASCII[0]))


def picture(shown: Scene) -> np.ndarray:
    """The scene as a picture, (360, 640, 3) uint8."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    outcome = _outcome(shown)
    action = "" if shown.action is None else textwrap.shorten(f"> {shown.action}", 60, placeholder=" …")
    ascii_only = (shown.text + outcome + action).replace("…", "").isascii()  # it has that one
    draw.text((24, 18), shown.title, QUIET, _font(15))
    lines = textwrap.wrap(shown.text, 62 if ascii_only else 54)
    kept = lines if len(lines) <= 10 else ["…", *lines[-9:]]  # the end of a long text is what was read last
    draw.multiline_text((24, 52), "\n".join(kept), INK, _font(18, ascii_only), spacing=6)
    draw.text((24, SIZE[1] - 76), action, INK, _font(18, ascii_only))
    colour = GOOD if shown.right else BAD if shown.answer is not None and shown.answers else QUIET
    draw.rectangle((0, SIZE[1] - 42, SIZE[0], SIZE[1]), colour)
    if draw.textlength(outcome, _font(18, ascii_only)) <= SIZE[0] - 48:
        draw.text((24, SIZE[1] - 34), outcome, PAPER, _font(18, ascii_only))
    else:  # two smaller lines; what does not fit even there is cut
        small = textwrap.wrap(outcome, 88 if ascii_only else 76, max_lines=2, placeholder=" …")
        draw.multiline_text((24, SIZE[1] - 38), "\n".join(small), PAPER, _font(13, ascii_only), spacing=3)
    return np.array(image)
