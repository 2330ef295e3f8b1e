"""Where examples come from: built in, a local file or folder, or the Hugging Face Hub; always as texts and indices."""

import functools
import importlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadArgument, NotAvailable
from . import columns as tables
from . import hub, splits
from .columns import Table
from .examples import Examples
from .tables import format_of

SPLITS = ("train", "validation", "test")
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?(:[\w.-]+)?")  # owner/name, or owner/name:configuration


@dataclass(frozen=True)
class BuiltIn:
    """A procedural corpus of this package: a module with `LABELS` and `generate(split)`."""

    module: str

    def table(self, split: str, columns: Mapping[str, str]) -> Table:
        """The split's texts and labels, and the label names."""
        corpus = importlib.import_module(self.module)
        if columns:
            raise BadArgument(f"columns={dict(columns)!r} goes with dataset=; the built-in corpus has its own.")
        try:
            texts, labels = corpus.generate(split)
        except ValueError as error:
            raise BadArgument(str(error)) from error
        return tables.table(texts, labels, f"{self.module}, {split}", tuple(corpus.LABELS))


@dataclass(frozen=True)
class Hub:
    """A data set of the Hugging Face Hub: its name, which columns hold what, and what is known about it.

    `columns` maps our names ("text", "label") to the data set's; `splits` maps ours to the data set's where they
    differ. A split "validation" that a data set lacks is a tenth of its train split, drawn by each text's own hash.
    """

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    config: str | None = None
    splits: Mapping[str, str] = field(default_factory=dict)
    revision: str | None = None
    licence: str = "unknown"
    citation: str = ""

    def __hash__(self) -> int:
        return hash((self.name, self.config, self.revision))

    def table(self, split: str, columns: Mapping[str, str]) -> Table:
        """The split's texts and labels, and the label names that the data set declares, if any."""
        try:
            return hub.from_hub(self.name, self.config, self.revision, split, self.splits, columns, self.columns)
        except NotAvailable as error:
            raise NotAvailable(f"{error} {_nearby()}") from error


@dataclass(frozen=True)
class Files:
    """A local csv, tsv, json, jsonl or parquet file, or a folder with one such file a split."""

    path: str
    hints: Mapping[str, str] = field(default_factory=dict)  # columns that a named task's data may have

    def __hash__(self) -> int:
        return hash(self.path)

    def table(self, split: str, columns: Mapping[str, str]) -> Table:
        """The split's texts and labels, and the label names that a parquet file declares, if any."""
        return splits.from_files(Path(self.path), split, columns, self.hints)


Source = BuiltIn | Hub | Files


def source_of(task_name: str, pinned: Source, dataset: str | os.PathLike[str] | None) -> Source:
    """What to read: the data set asked for; else the task's folder in `NLP_GYM_DATA`; else what the task pins.

    The column names that a task knows of its own data are tried on a data set asked for too.
    """
    hints = pinned.columns if isinstance(pinned, Hub) else {}
    if dataset is not None:
        return _asked(dataset, hints)
    if isinstance(pinned, Hub) and (folder := os.environ.get("NLP_GYM_DATA")):
        own = Path(folder).expanduser() / task_name
        if own.is_dir():
            return Files(str(own.resolve()), hints)
    return pinned


def _asked(dataset: str | os.PathLike[str], hints: Mapping[str, str]) -> Source:
    if not isinstance(dataset, str | os.PathLike) or not os.fspath(dataset):
        raise BadArgument(
            f"dataset must be a Hub name, or the path of a local file or folder, got {dataset!r}. Rows in memory can "
            "be written to a csv or jsonl file first."
        )
    name = str(os.fspath(dataset))
    path = Path(name).expanduser()
    if (
        isinstance(dataset, os.PathLike)
        or path.exists()
        or path.is_symlink()
        or format_of(path)
        or name.startswith((".", "/", "~"))
        or not HUB_NAME.fullmatch(name)
    ):
        return Files(str(path), hints)
    name, _, config = name.partition(":")
    return Hub(name, hints, config or None)


def load(source: Source, columns: Mapping[str, str], labels: Sequence[str], split: str) -> Examples:
    """The examples of a split; read once in a process, and again only if a local file has changed.

    `columns` maps "text" and "label" to the data set's column names where they differ from the usual ones; `labels`
    are the label names in order, or empty to take the data set's own (declared in it, else its values, sorted).
    Raises BadData, BadArgument or NotAvailable.
    """
    if not isinstance(columns, Mapping) or not all(isinstance(name, str) for name in columns.values()):
        raise BadArgument(f"columns must be like {{'text': 'my_text', 'label': 'my_label'}}, got {columns!r}.")
    if isinstance(labels, str) or not all(isinstance(name, str) for name in labels):
        raise BadArgument(f"labels must be a list of names, as ['no', 'yes'], got {labels!r}.")
    try:
        stamp = splits.stamp(Path(source.path)) if isinstance(source, Files) else ()
    except OSError as error:
        raise NotAvailable(f"{error.filename} cannot be read: {error.strerror or error}.") from error
    return _load(source, tuple(sorted(columns.items())), tuple(labels), split, stamp)


@functools.lru_cache(maxsize=32)
def _load(
    source: Source, columns: tuple[tuple[str, str], ...], labels: tuple[str, ...], split: str, stamp: tuple[Any, ...]
) -> Examples:
    table = source.table(split, dict(columns))
    names = labels or table.declared
    if not names:  # found: the values of the train split, so that every split has the same
        whole = table if split == "train" else source.table("train", dict(columns))
        names = tables.label_names(whole.values, sum(rows for _, rows in whole.files), whole.where)
    elif not labels and len(names) > tables.MOST_LABELS:
        tables.label_names(names, len(table.texts), table.where)  # raises: too many, unless asked for
    examples = Examples({"text": table.texts}, tables.label_indices(table, names), names)
    examples.recipe = (load, (source, dict(columns), labels, split))
    return examples


def forget() -> None:
    """Let go of all data that this process has read, to free their memory or to read them again."""
    for cached in (_load, splits._read, splits._shares, hub._table, hub._splits):
        cached.cache_clear()


def _nearby() -> str:
    """What else could be done when a data set of the Hub cannot be had."""
    folder = os.environ.get("NLP_GYM_DATA")
    seen = f"NLP_GYM_DATA={folder} has no folder for it." if folder else "NLP_GYM_DATA is not set."
    return (
        f"{seen} Either download it where there is a network (the Hub's cache is then used), or give a local file or "
        "folder with dataset=..., or put <folder>/<task>/train.csv and test.csv under a folder named by NLP_GYM_DATA."
    )
