"""Where examples come from: built in, a local file or folder, or the Hugging Face Hub; always as columns and label indices."""

import functools
import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadArgument, NotAvailable
from . import tables
from .examples import Examples

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class BuiltIn:
    """A procedural corpus of this package: a module with `LABELS` and `generate(split)`."""

    module: str

    def table(self, split: str, columns: Mapping[str, str]) -> tuple[tables.Table, tuple[str, ...]]:
        """The split's columns "text" and "label", and the label names."""
        corpus = importlib.import_module(self.module)
        try:
            texts, labels = corpus.generate(split)
        except ValueError as error:
            raise BadArgument(str(error)) from error
        return tables.Table({"text": texts, "label": labels}, f"{self.module}, {split}"), corpus.LABELS


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

    def table(self, split: str, columns: Mapping[str, str]) -> tuple[tables.Table, tuple[str, ...]]:
        """The split's columns and the label names that the data set declares, if any."""
        return tables.from_hub(self.name, self.config, self.revision, split, self.splits, {**self.columns, **columns})


@dataclass(frozen=True)
class Files:
    """A local csv, tsv, json, jsonl or parquet file, or a folder with one such file a split."""

    path: str
    hints: Mapping[str, str] = field(default_factory=dict)  # columns that a named task's data may have

    def __hash__(self) -> int:
        return hash(self.path)

    def table(self, split: str, columns: Mapping[str, str]) -> tuple[tables.Table, tuple[str, ...]]:
        """The split's columns and the label names that a parquet file declares, if any."""
        return tables.from_files(Path(self.path), split, columns, self.hints)


Source = BuiltIn | Hub | Files


def source_of(task_name: str, pinned: Source, dataset: str | None) -> Source:
    """What to read: the data set asked for; else the task's folder in `NLP_GYM_DATA`; else what the task pins."""
    if dataset is not None:
        path = Path(dataset).expanduser()
        if path.exists() or path.suffix.lower() in tables.SUFFIXES or dataset.startswith((".", "/", "~")):
            return Files(str(path))
        return Hub(dataset)
    if isinstance(pinned, Hub) and (folder := os.environ.get("NLP_GYM_DATA")):
        if (Path(folder).expanduser() / task_name).is_dir():
            return Files(str(Path(folder).expanduser().resolve() / task_name), pinned.columns)
    return pinned


def load(source: Source, columns: Mapping[str, str], labels: Sequence[str], split: str) -> Examples:
    """The examples of a split; read once in a process, and again only if a local file has changed.

    `columns` maps "text" and "label" to the data set's column names where they differ from the usual ones; `labels`
    are the label names in order, or empty to take the data set's own (declared in it, else its values, sorted).
    Raises BadData, BadArgument or NotAvailable.
    """
    stamp = tables.stamp(Path(source.path)) if isinstance(source, Files) else ()
    return _load(source, tuple(sorted(columns.items())), tuple(labels), split, stamp)


@functools.lru_cache(maxsize=32)
def _load(
    source: Source, columns: tuple[tuple[str, str], ...], labels: tuple[str, ...], split: str, stamp: tuple[Any, ...]
) -> Examples:
    try:
        table, declared = source.table(split, dict(columns))
    except NotAvailable as error:
        raise NotAvailable(f"{error} {_nearby(source)}") from error
    names = labels or declared
    if not names:  # found: the values of the train split, so that every split has the same
        train = table if split == "train" else source.table("train", dict(columns))[0]
        names = tables.label_names(train)
    texts = tables.texts_of(table)
    examples = Examples({"text": texts}, tables.label_indices(table, names, declared), names)
    examples.recipe = (load, (source, dict(columns), labels, split))
    return examples


def _nearby(source: Source) -> str:
    """What else could be done when a source cannot be had."""
    folder = os.environ.get("NLP_GYM_DATA")
    seen = f"NLP_GYM_DATA={folder} has no folder for it." if folder else "NLP_GYM_DATA is not set."
    return (
        f"{seen} Either download it where there is a network (the Hub's cache is then used), or give a local file or "
        "folder with dataset=..., or put <folder>/<task>/train.csv and test.csv under a folder named by NLP_GYM_DATA."
    )
