"""Where examples come from: built in, a local file or folder, or the Hugging Face Hub; always as texts and indices."""

import functools
import hashlib
import importlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..answers import Form, Label
from ..errors import BadArgument, NotAvailable
from . import cache, hub, splits
from . import columns as tables
from .columns import Names, Table, Wanted
from .examples import Examples
from .tables import format_of

SPLITS = ("train", "validation", "test")
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?(:[\w.-]+)?")  # owner/name, or owner/name:configuration


@dataclass(frozen=True)
class BuiltIn:
    """A procedural corpus of this package: a module with `generate(split)`, and `LABELS` where answers are labels."""

    module: str

    def table(self, split: str, wanted: Wanted) -> Table:
        """The split's columns: (texts, labels), or a dict of columns by our names."""
        corpus = importlib.import_module(self.module)
        if wanted.asked:
            raise BadArgument(f"columns={dict(wanted.asked)!r} goes with dataset=; the built-in corpus has its own.")
        key = {"what": "a built-in corpus", "module": self.module, "split": split, "code": _code_beside(corpus)}
        try:
            written = cache.array(key, lambda: _as_bytes(_columns(corpus.generate(split))))
        except ValueError as error:
            raise BadArgument(str(error)) from error
        columns = json.loads(written.tobytes())
        return tables.table(columns, wanted.form, f"{self.module}, {split}", tuple(getattr(corpus, "LABELS", ())))


def _columns(made: Any) -> dict[str, Any]:
    """What a corpus has written, by our names of columns."""
    return made if isinstance(made, dict) else dict(zip(("text", "label"), made, strict=True))


def _as_bytes(columns: dict[str, Any]) -> np.ndarray:
    """Columns of texts, lists and whole numbers as JSON, (n,) uint8."""
    return np.frombuffer(json.dumps(columns).encode(), np.uint8).copy()


@functools.cache
def _code_beside(corpus: ModuleType) -> str:
    """SHA-256, in hex, of the modules in a corpus's folder: another grammar writes other texts."""
    sha = hashlib.sha256()
    for file in sorted(Path(str(corpus.__file__)).parent.glob("*.py")):
        sha.update(file.read_bytes())
    return sha.hexdigest()


@dataclass(frozen=True)
class Hub:
    """A data set of the Hugging Face Hub: its name, which columns hold what, and what is known about it.

    `columns` maps our names (as "text", "label") to the data set's; `splits` maps ours to the data set's where they
    differ. A split "validation" that a data set lacks is a tenth of its train split, drawn by each text's own hash.
    What `splits` maps "" to is not divided yet: it is dealt out as a single file is, and "all" is the whole of it.
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

    def table(self, split: str, wanted: Wanted) -> Table:
        """The split's columns, and the label names that the data set declares, if any."""
        wanted = replace(wanted, known=_names(self.columns))
        undivided = "" in self.splits
        ours = {"all": self.splits[""]} if undivided else self.splits
        try:
            whole = hub.from_hub(self.name, self.config, self.revision, "all" if undivided else split, ours, wanted)
        except NotAvailable as error:
            raise NotAvailable(f"{error} {_nearby()}") from error
        return splits.divide(whole, split, splits.THREE) if undivided and split != "all" else whole


class Elsewhere(Hub):
    """A data set that is on no Hub, as far as is known: `name` is the address it can be had from."""

    def table(self, split: str, wanted: Wanted) -> Table:
        """Raises NotAvailable: its files are found by `source_of`, which then gives `Files`."""
        raise NotAvailable(f"this data set is on no Hub; take it from {self.name}. {_nearby(hub_has_it=False)}")


@dataclass(frozen=True)
class Files:
    """A local csv, tsv, json, jsonl or parquet file, or a folder with one such file a split."""

    path: str
    hints: Mapping[str, str] = field(default_factory=dict)  # columns that a named task's data may have

    def __hash__(self) -> int:
        return hash(self.path)

    def table(self, split: str, wanted: Wanted) -> Table:
        """The split's columns, and the label names that a parquet file declares, if any."""
        return splits.from_files(Path(self.path), split, replace(wanted, known=_names(self.hints)))


Source = BuiltIn | Hub | Files


def source_of(task_name: str, pinned: Source, dataset: str | os.PathLike[str] | None) -> Source:
    """What to read: the data set asked for; else the task's folder in `NLP_GYM_DATA`; else what the task pins.

    The column names that a task knows of its own data are tried on a data set asked for too; another configuration of
    its own data set ("owner/name:configuration") has the same splits and revision.
    """
    hints = pinned.columns if isinstance(pinned, Hub) else {}
    if dataset is not None:
        asked = _asked(dataset, hints)
        if isinstance(asked, Hub) and isinstance(pinned, Hub) and asked.name == pinned.name:
            return replace(pinned, config=asked.config or pinned.config)
        return asked
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


def load(source: Source, columns: Mapping[str, str], form: Form, split: str) -> Examples:
    """The examples of a split; read once in a process, and again only if a local file has changed.

    `columns` maps our names of columns to the data set's where they differ from the usual ones. Of a `Label` without
    names the data set's own are taken (declared in it, else its values, sorted).
    Raises BadData, BadArgument or NotAvailable.
    """
    if not isinstance(columns, Mapping) or not all(isinstance(name, str) for name in columns.values()):
        raise BadArgument(f"columns must be like {{'text': 'my_text', 'label': 'my_label'}}, got {columns!r}.")
    try:
        stamp = splits.stamp(Path(source.path)) if isinstance(source, Files) else ()
    except OSError as error:
        raise NotAvailable(f"{error.filename} cannot be read: {error.strerror or error}.") from error
    return _load(source, _names(columns), form, split, stamp)


@functools.lru_cache(maxsize=32)
def _load(source: Source, columns: Names, form: Form, split: str, stamp: tuple[Any, ...]) -> Examples:
    wanted = Wanted(Label() if isinstance(form, Label) else form, columns)  # one reading, whatever labels are called
    table = source.table(split, wanted)
    if isinstance(form, Label):
        names = _label_names(source, wanted, form, split, table)
        examples = Examples({"text": table.columns["text"]}, tables.label_indices(table, names), names)
    else:
        examples = Examples(*form.read(table.columns, table.place))
    examples.recipe = (load, (source, dict(columns), form, split))
    return examples


def _label_names(source: Source, wanted: Wanted, form: Label, split: str, table: Table) -> tuple[str, ...]:
    """The names asked for; else those that the data set declares; else the values of its train split."""
    names = form.names or table.declared
    if not names:  # of the train split, so that every split has the same
        whole = table if split == "train" else source.table("train", wanted)
        return tables.label_names(whole.values, sum(rows for _, rows in whole.files), whole.where)
    if not form.names and len(names) > tables.MOST_LABELS:
        tables.label_names(names, len(table), table.where)  # raises: too many, unless asked for
    return names


def _names(columns: Mapping[str, str]) -> Names:
    return tuple(sorted(columns.items()))


def forget() -> None:
    """Let go of all data that this process has read, to free their memory or to read them again."""
    for cached in (_load, splits._read, splits._shares, hub._table, hub._splits):
        cached.cache_clear()


def _nearby(hub_has_it: bool = True) -> str:
    """What else could be done when a data set of the Hub cannot be had."""
    folder = os.environ.get("NLP_GYM_DATA")
    seen = f"NLP_GYM_DATA={folder} has no folder for it." if folder else "NLP_GYM_DATA is not set."
    download = "download it where there is a network (the Hub's cache is then used), or " if hub_has_it else ""
    return (
        f"{seen} Either {download}give a local file or "
        "folder with dataset=..., or put <folder>/<task>/train.csv and test.csv under a folder named by NLP_GYM_DATA."
    )
