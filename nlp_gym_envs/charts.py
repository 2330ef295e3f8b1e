"""An episode that changes a model, as a picture: the loss beside Adam's, and how far each group was moved when."""

from typing import Any

import numpy as np

from .pictures import GOOD, INK, PAPER, QUIET, SIZE, _font

ADAM = (230, 159, 0)  # Okabe-Ito's orange
LEFT, RIGHT = 96, 620  # pixels
LOSSES, GROUPS = (66, 168), (204, 330)  # top and bottom of the two parts
SHORTEST = 1e-5  # a step, in shares of the weights, that no longer shows


def chart(title: str, path: Any, adam: Any, start: float, groups: tuple[str, ...], horizon: int) -> np.ndarray:
    """(360, 640, 3) uint8. `path` has (loss, how far each group was moved (G,)) of each step, `adam` losses or None."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((16, 12), title, INK, _font(15))
    losses = [start, *(loss for loss, _ in path)]
    _losses(draw, losses, None if adam is None else [start, *adam], horizon)
    _groups(draw, np.array([moved for _, moved in path]).reshape(-1, len(groups)), groups, horizon)
    return np.array(image)


def _across(step: float, horizon: int) -> float:
    return LEFT + (RIGHT - LEFT) * step / max(1, horizon)


def _losses(draw: Any, losses: list[float], adam: list[float] | None, horizon: int) -> None:
    """The probe's loss after each step, on a logarithmic scale."""
    top, bottom = LOSSES
    seen = np.log(np.maximum([*losses, *(adam or [])], 1e-3))
    low, high = float(seen.min()) - 0.05, float(seen.max()) + 0.05

    def points(values: list[float]) -> list[tuple[float, float]]:
        heights = [bottom - (bottom - top) * (np.log(max(v, 1e-3)) - low) / (high - low) for v in values]
        return [(_across(step, horizon), height) for step, height in enumerate(heights)]

    draw.line([(LEFT, top), (LEFT, bottom), (RIGHT, bottom)], QUIET)
    for value, height in ((np.exp(high), top), (np.exp(low), bottom)):
        draw.text((16, height - 8), f"{value:.2f}", QUIET, _font(12))
    draw.text((16, (top + bottom) / 2 - 8), "loss", INK, _font(13))
    draw.text((LEFT, 42), f"this episode: {losses[0]:.3f} to {losses[-1]:.3f}", GOOD, _font(13))
    if adam is not None:
        draw.line(points(adam), ADAM, 2)
        draw.text((LEFT + 260, 42), f"Adam, same minibatches: to {adam[-1]:.3f}", ADAM, _font(13))
    if len(losses) > 1:
        draw.line(points(losses), GOOD, 3)
    for x, y in points(losses):
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), GOOD)


def _groups(draw: Any, moved: np.ndarray, groups: tuple[str, ...], horizon: int) -> None:
    """A row for each group, a bar for each step: its height is the logarithm of how far it went."""
    top, bottom = GROUPS
    tall = (bottom - top) / len(groups)
    draw.text((LEFT, top - 20), "how far each step moved each group, in shares of its weights", INK, _font(13))
    most = max(float(moved.max(initial=0.0)), 10 * SHORTEST)
    for group, name in enumerate(groups):
        base = top + tall * (group + 1)
        draw.text((16, base - tall + 4), name, INK, _font(12))
        draw.line([(LEFT, base), (RIGHT, base)], (218, 220, 224))
        for step, far in enumerate(moved[:, group].tolist()):
            if far > SHORTEST:
                height = (tall - 4) * np.log(far / SHORTEST) / np.log(most / SHORTEST)
                draw.rectangle((_across(step, horizon) + 3, base - height, _across(step + 1, horizon) - 3, base), GOOD)
    draw.text((LEFT, bottom + 6), f"{len(moved)} of {horizon} steps; the longest {most:.2g}", QUIET, _font(12))
