"""Which rows of a local file or folder, or of the Hub's splits, are "train", "validation" and "test"."""

import difflib
import functools
import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadArgument, BadData, NotAvailable
from .columns import Table, Wanted, joined
from .tables import SUFFIXES, format_of, read

ALIASES = {"training": "train", "valid": "validation", "val": "validation", "dev": "validation", "testing": "test"}
KNOWN = ("train", "validation", "test")
SHARD = re.compile(r"(?P<split>.+?)(?P<number>[-_.]\d+([-_]of[-_]\d+)?)?")  # train-00000-of-00002, train_1, train
THREE = {"train": 0.0, "validation": 0.8, "test": 0.9}  # where each part of a single file starts, as shares of all
TWO = {"train": 0.0, "validation": 0.9}  # the parts of a train split without a validation split beside it


def stamp(path: Path) -> tuple[Any, ...]:
    """What changes when a local file or a file of the folder does: names, sizes, times."""
    known = [(file, file.stat()) for file in _files_below(path)]
    return tuple((str(file), status.st_size, status.st_mtime_ns) for file, status in known)


def from_files(path: Path, split: str, wanted: Wanted) -> Table:
    """A split of a local file or folder, read once as long as no file changes. Raises BadData or NotAvailable."""
    if not path.exists():
        raise NotAvailable(_missing(path))
    files = _split_files(path)

    def whole(name: str) -> Table:
        return _read(files[name], tuple(map(stamp, files[name])), wanted)

    return divide(whole(""), split, THREE) if "" in files else pick_split(files, split, whole)


@functools.lru_cache(maxsize=8)
def _read(files: tuple[Path, ...], stamps: tuple[Any, ...], wanted: Wanted) -> Table:
    return joined([read(file, wanted) for file in files])


def pick_split(available: Collection[str], split: str, whole: Callable[[str], Table]) -> Table:
    """`whole(name)` of the right name: the split itself, or its share of train where there is no validation."""
    if "train" in available and "validation" not in available and split in TWO:
        return divide(whole("train"), split, TWO)
    if split not in available:
        raise BadArgument(
            f"no split {split!r}; there are: {', '.join(sorted(available))}."
            + ("" if "train" in available else " A file given by itself as dataset= is divided into the three splits.")
        )
    return whole(split)


def divide(table: Table, split: str, starts: Mapping[str, float]) -> Table:
    """The rows whose text's own hash falls to `split`: the same text is never in two splits, whatever the order."""
    if split not in starts:
        raise BadArgument(f"no split {split!r}; there are: {', '.join(starts)}.")
    owner = np.searchsorted(list(starts.values()), shares(table), side="right") - 1  # (N,)
    rows = np.flatnonzero(owner == list(starts).index(split))
    if not len(rows):
        raise BadData(
            f"no row of {table.where} falls to {split!r}: it has only {len(table)}, which are dealt out by "
            "each text's own hash. Give more rows, or a folder with train.csv, validation.csv and test.csv."
        )
    return table.part(rows, f"{table.where}, {split} part")


@functools.lru_cache(maxsize=4)
def _shares(texts: "_ByIdentity") -> np.ndarray:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts.values)
    return np.fromiter((int.from_bytes(digest[:4], "big") for digest in digests), np.float64, len(texts.values)) / 2**32


class _ByIdentity:
    """A list as a key: the same list, not an equal one."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __hash__(self) -> int:
        return id(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.values is other.values


def shares(table: Table) -> np.ndarray:
    """Each text's own number in [0, 1), (N,): the start of its SHA-256."""
    return _shares(_ByIdentity(table.keys))


# ---------------------------------------------------------------- files of a folder


def _files_below(path: Path) -> list[Path]:
    """The file itself, or the data files of a folder and of its subfolders (data/, or one for each split), sorted."""
    if not path.is_dir():
        return [path] if path.is_file() else []
    folders = [path, *(f for f in sorted(path.iterdir()) if f.is_dir() and not f.name.startswith((".", "_")))]
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    return [f for f in files if f.is_file() and format_of(f) and not f.name.startswith((".", "_"))]


def _split_files(path: Path) -> dict[str, tuple[Path, ...]]:
    """The files of each split; what is not yet divided into splits is the split ""."""
    if path.is_file():
        return {"": (path,)}
    found: dict[str, list[tuple[Path, bool]]] = {}
    for file in _files_below(path):
        folder = ALIASES.get(file.parent.name.lower(), file.parent.name.lower())
        if file.parent != path and folder in KNOWN:  # train/anything.csv
            found.setdefault(folder, []).append((file, True))
        else:
            match = SHARD.fullmatch(_stem(file))
            name, number = (match["split"], match["number"]) if match else (_stem(file), None)
            found.setdefault(ALIASES.get(name, name), []).append((file, number is not None))
    if not found:
        raise BadData(f"the folder {path} holds no {', '.join(SUFFIXES)} file; it needs one a split, as train.csv.")
    for name, files in found.items():
        formats = {format_of(file) for file, _ in files}
        if len(files) > 1 and (len(formats) > 1 or not all(numbered for _, numbered in files)):
            raise BadData(
                f"the folder {path} has {len(files)} files for the split {name!r}: "
                f"{', '.join(file.name for file, _ in files)}. Keep one; parts of a split have one format and numbers, "
                "as train-0.csv and train-1.csv."
            )
    splits = {name: tuple(file for file, _ in files) for name, files in found.items()}
    return splits if set(splits) & set(KNOWN) else _undivided(path, splits)


def _undivided(path: Path, splits: dict[str, tuple[Path, ...]]) -> dict[str, tuple[Path, ...]]:
    """A folder in which no file is called after a split: one data set in one file, or in numbered ones."""
    if len(splits) > 1:
        names = ", ".join(file.name for files in splits.values() for file in files[:1])
        raise BadData(f"no file of the folder {path} is called after a split, as train.csv; there are: {names}.")
    return {"": next(iter(splits.values()))}


def _stem(file: Path) -> str:
    name = file.name.lower().removesuffix(".gz")
    return name.removesuffix(format_of(file) or "")


def _missing(path: Path) -> str:
    """What to say of a path at which there is nothing."""
    if path.is_symlink():
        return f"{path} is a link to {path.readlink()}, which does not exist."
    beside = [f.name for f in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"there is no file or folder {path} (looked from {Path.cwd()}).{hint}"
