"""How the question corpora fill their splits."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TypeVar

from nlp_gym_envs.text.builtin._grammar import Choices, check_split

SIZES = {"train": 12_000, "validation": 1_000, "test": 2_000, "compositional": 2_000}

# What a row asks about has one home split, chosen by a checksum: no other split asks the same of the same.
_HOME_COUNT = 20
_HOMES = {"train": range(0, 11), "validation": range(11, 13), "test": range(13, 16), "compositional": range(16, 20)}
_SPLIT_SEEDS = {"train": 1, "validation": 2, "test": 3, "compositional": 4}

Row = TypeVar("Row")
Belongs = Callable[[str], bool]
Compose = Callable[[Choices, int, bool, Belongs], tuple[str, Row] | None]


def build_rows(split: str, seed: int, compose: Compose[Row]) -> list[Row]:
    """The rows of one split, in mixed order. Raises ValueError for a split that does not exist.

    `compose(choices, place, nested, belongs)` writes the row of one place, with a text that no other row may have; or
    None, to be asked again. It draws first what the row asks about, and gives up where `belongs` refuses that.
    """
    check_split(split)
    choices = Choices(seed * 10 + _SPLIT_SEEDS[split])
    homes = _HOMES[split]
    nested = split == "compositional"

    def belongs(subject: str) -> bool:
        return zlib.crc32(subject.encode("ascii")) % _HOME_COUNT in homes

    rows: list[Row] = []
    known: set[str] = set()
    while len(rows) < SIZES[split]:
        # The place alone says what kind of row is wanted, so rejected rows cannot unbalance the kinds.
        composed = compose(choices, len(rows), nested, belongs)
        if composed is None or composed[0] in known:
            continue
        known.add(composed[0])
        rows.append(composed[1])
    return [rows[place] for place in choices.shuffled(len(rows))]
