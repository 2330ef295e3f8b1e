"""Reading tables of texts and labels, and saying clearly what is wrong with one."""

import csv
import functools
import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from ..errors import BadArgument, BadData, NotAvailable

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")
ALIASES = {"valid": "validation", "val": "validation", "dev": "validation"}
USUAL = {  # the column names people use, in the order in which they are tried
    "text": ("text", "sentence", "content", "review", "document", "question"),
    "label": ("label", "labels", "target", "class", "category", "coarse_label"),
}
MOST_LABELS = 256  # more different values than this are no set of labels
HELD_OUT = 0.1  # the share of a data set that becomes "validation" (and, of a single file, "test")


@dataclass(frozen=True)
class Table:
    """Columns "text" and "label" of one split, and where they came from, for messages."""

    columns: Mapping[str, Sequence[Any]]
    where: str


# ---------------------------------------------------------------- local files


def stamp(path: Path) -> tuple[Any, ...]:
    """What changes when a local file or a file of the folder does: names, sizes, times."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return tuple((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file())


def from_files(path: Path, split: str, columns: Mapping[str, str], hints: Mapping[str, str]) -> tuple[Table, tuple]:
    """A split of a local file or folder, and the label names that it declares."""
    if not path.exists():
        raise NotAvailable(f"no file or folder at {path} (looked from {Path.cwd()}).")
    return _read_splits(_split_files(path), split, columns, hints)


def _split_files(path: Path) -> dict[str, list[Path]]:
    """The files of each split; a single file is the split ""."""
    if path.is_file():
        return {"": [path]}
    found: dict[str, list[Path]] = {}
    for file in sorted(path.iterdir()):
        name = file.name.lower()
        if file.is_file() and any(name.endswith(s) or name.endswith(f"{s}.gz") for s in SUFFIXES):
            stem = name.split(".")[0].split("-0")[0]  # train-00000-of-00002.parquet is a part of train
            found.setdefault(ALIASES.get(stem, stem), []).append(file)
    if not found:
        raise BadData(f"the folder {path} holds no {', '.join(SUFFIXES)} file; it needs one a split, as train.csv.")
    return found


def _read_splits(
    files: Mapping[str, list[Path]], split: str, columns: Mapping[str, str], hints: Mapping[str, str]
) -> tuple[Table, tuple]:
    def read(name: str) -> tuple[Table, tuple]:
        parts = [_read(file, columns, hints) for file in files[name]]
        merged = {c: [v for table, _ in parts for v in table.columns[c]] for c in ("text", "label")}
        return Table(merged, ", ".join(str(f) for f in files[name])), parts[0][1]

    if "" in files:  # one file for everything
        table, declared = read("")
        return _where(table, split, {"train": 0.0, "validation": 1 - 2 * HELD_OUT, "test": 1 - HELD_OUT}), declared
    return pick_split(set(files), split, read)


def pick_split(available: set[str], split: str, read: Any) -> tuple[Table, tuple]:
    """`read(name)` of the right name: the split itself, or its share of train where there is no validation."""
    if "train" in available and "validation" not in available and split in ("train", "validation"):
        table, declared = read("train")
        return _where(table, split, {"train": 0.0, "validation": 1 - HELD_OUT}), declared
    if split not in available:
        raise BadArgument(f"no split {split!r}; there are: {', '.join(sorted(available))}.")
    return read(split)


def _where(table: Table, split: str, starts: Mapping[str, float]) -> Table:
    """The rows whose text's own hash falls to `split`: the same text is never in two splits, whatever the order."""
    if split not in starts:
        raise BadArgument(f"no split {split!r}; there are: {', '.join(starts)}.")
    names = list(starts)
    keep = []
    for i, text in enumerate(table.columns["text"]):
        digest = hashlib.sha256(str(text).encode("utf-8", "surrogatepass")).digest()
        share = int.from_bytes(digest[:4], "big") / 2**32
        if [n for n in names if starts[n] <= share][-1] == split:
            keep.append(i)
    return Table({name: [v[i] for i in keep] for name, v in table.columns.items()}, f"{table.where}, {split} part")


def _read(path: Path, columns: Mapping[str, str], hints: Mapping[str, str]) -> tuple[Table, tuple]:
    """The two columns of one file."""
    name = path.name.lower().removesuffix(".gz")
    suffix = next((s for s in SUFFIXES if name.endswith(s)), None)
    if suffix is None:
        raise BadData(f"{path} is no data file that can be read; allowed are {', '.join(SUFFIXES)} (and .gz of them).")
    if path.stat().st_size == 0:
        raise BadData(f"{path} is empty.")
    try:
        if suffix == ".parquet":
            return _read_parquet(path, columns, hints)
        if suffix in (".csv", ".tsv"):
            return _read_csv(path, "\t" if suffix == ".tsv" else ",", columns, hints), ()
        return _read_json(path, columns, hints), ()
    except UnicodeDecodeError as error:
        raise BadData(
            f"{path} is not UTF-8: {error.reason} at byte {error.start}. Convert it first, as with "
            f"iconv -f latin1 -t utf-8 {path.name} > utf8-{path.name}."
        ) from error


def _read_csv(path: Path, separator: str, columns: Mapping[str, str], hints: Mapping[str, str]) -> Table:
    import pandas

    try:
        frame = pandas.read_csv(
            path,
            sep=separator,
            encoding="utf-8-sig",
            keep_default_na=False,  # "None" and "NA" are texts
            quoting=csv.QUOTE_NONE
            if separator == "\t"
            else csv.QUOTE_MINIMAL,  # tsv knows no quotes: SST's `` and " are text
        )
    except pandas.errors.EmptyDataError as error:
        raise BadData(f"{path} has no header line.") from error
    except (pandas.errors.ParserError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        raise BadData(f"{path} cannot be read as {path.suffix[1:]}: {str(error).strip()}") from error
    chosen = choose_columns(list(map(str, frame.columns)), columns, hints, str(path))
    return Table({ours: frame[theirs].tolist() for ours, theirs in chosen.items()}, str(path))


def _read_json(path: Path, columns: Mapping[str, str], hints: Mapping[str, str]) -> Table:
    rows = list(_json_rows(path))
    if not rows:
        raise BadData(f"{path} has no rows.")
    known: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise BadData(f"row {number} of {path} is no object with named columns but {str(row)[:60]!r}.")
        known.update(dict.fromkeys(row))
    chosen = choose_columns(list(known), columns, hints, str(path))
    return Table({ours: [row.get(theirs) for row in rows] for ours, theirs in chosen.items()}, str(path))


def _json_rows(path: Path) -> Iterator[Any]:
    """The rows of a JSON list, of a {"data": list}, or of one JSON value a line."""
    import gzip

    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        content = file.read()
    first = content.lstrip()[:1]
    try:
        whole = json.loads(content) if first == "[" or path.name.lower().removesuffix(".gz").endswith(".json") else None
    except json.JSONDecodeError as error:
        if first == "[":
            raise BadData(f"{path} is no JSON: {error}.") from error
        whole = None  # a .json file with one object a line
    if isinstance(whole, list):
        yield from whole
    elif isinstance(whole, dict) and isinstance(whole.get("data"), list):
        yield from whole["data"]
    else:
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as error:
                    raise BadData(
                        f"line {number} of {path} is no JSON: {error.msg} at column {error.colno}."
                    ) from error


def _read_parquet(path: Path, columns: Mapping[str, str], hints: Mapping[str, str]) -> tuple[Table, tuple]:
    import pyarrow
    from pyarrow import parquet

    try:
        schema = parquet.read_schema(path)
        chosen = choose_columns(schema.names, columns, hints, str(path))
        table = parquet.read_table(path, columns=list(dict.fromkeys(chosen.values())))
    except pyarrow.ArrowInvalid as error:
        raise BadData(f"{path} cannot be read as parquet: {error}") from error
    features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    declared = tuple(features.get(chosen["label"], {}).get("names", ()))
    return Table({ours: table.column(theirs).to_pylist() for ours, theirs in chosen.items()}, str(path)), declared


# ---------------------------------------------------------------- the Hub


def from_hub(
    name: str,
    config: str | None,
    revision: str | None,
    split: str,
    splits: Mapping[str, str],
    columns: Mapping[str, str],
) -> tuple[Table, tuple]:
    """A split of a data set on the Hub (or in its cache), and the label names that it declares."""
    data = _hub_splits(name, config, revision)
    ours = {theirs: theirs for theirs in data if theirs not in splits.values()} | dict(splits)

    def read(wanted: str) -> tuple[Table, tuple]:
        rows, where = data[ours[wanted]], f"{name} ({ours[wanted]})"
        chosen = choose_columns(rows.column_names, columns, {}, where)
        declared = tuple(getattr(rows.features[chosen["label"]], "names", None) or ())
        return Table({o: list(rows[t]) for o, t in chosen.items()}, where), declared

    return pick_split(set(ours), split, read)


@functools.lru_cache(maxsize=2)
def _hub_splits(name: str, config: str | None, revision: str | None) -> Any:
    import datasets

    online = hub_within_reach()
    try:
        return datasets.load_dataset(
            name, config, revision=revision, download_config=datasets.DownloadConfig(local_files_only=not online)
        )
    except Exception as error:  # datasets raises a dozen kinds, among them bare OSError and ValueError
        reason = "and the Hub cannot be reached" if not online else f"and the Hub says: {type(error).__name__}: {error}"
        raise NotAvailable(
            f"no data set {name!r}: it is no local file or folder, it is not in the Hub's cache on this machine, {reason}."
        ) from error


def hub_within_reach(seconds: float = 3.0) -> bool:
    """Whether a Hugging Face Hub answers: asked once, quickly, since its own client retries for half a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True  # only the proxy knows
    url = urlparse(constants.ENDPOINT)
    try:
        with socket.create_connection((url.hostname or "", url.port or 443), timeout=seconds):
            return True
    except OSError:
        return False


# ---------------------------------------------------------------- columns and labels


def choose_columns(
    available: Sequence[str], asked: Mapping[str, str], hints: Mapping[str, str], where: str
) -> dict[str, str]:
    """Which column is the text and which the label: those asked for, else those the task knows of, else the usual names."""
    if wrong := set(asked) - set(USUAL):
        raise BadArgument(f"columns= names {', '.join(map(repr, sorted(wrong)))}; allowed are {', '.join(USUAL)}.")
    chosen = {}
    for ours, usual in USUAL.items():
        wanted = (asked[ours],) if ours in asked else (*((hints[ours],) if ours in hints else ()), *usual)
        found = next((name for name in wanted if name in available), None)
        if found is None:
            tried = f"{wanted[0]!r}" if ours in asked else f"one of {', '.join(wanted)}"
            raise BadData(
                f"{where} has no column {tried} for the {ours}; it has: {', '.join(available)}. "
                f"Say which it is with columns={{'{ours}': '...'}}."
            )
        chosen[ours] = found
    return chosen


def texts_of(table: Table) -> list[str]:
    """The texts, as they are; numbers become text, a missing one is an error."""
    texts = table.columns["text"]
    if not len(texts):
        raise BadData(f"{table.where} has no rows.")
    for number, text in enumerate(texts, 1):
        if text is None:
            raise BadData(f"row {number} of {table.where} has no text.")
    if not isinstance(texts[0], str) and isinstance(texts[0], list | dict):
        raise BadData(f"the text column of {table.where} holds {type(texts[0]).__name__} values, not texts.")
    return [text if type(text) is str else str(text) for text in texts]


def plain(value: Any) -> Any:
    """A label value as it reads: whole floats (a CSV column with gaps) and booleans are integers."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return value.strip() if isinstance(value, str) else value


def label_names(table: Table) -> tuple[str, ...]:
    """The label names of a data set that declares none: its different values, sorted."""
    values = {plain(value) for value in table.columns["label"]} - {None, ""}
    if len(values) > MOST_LABELS:
        raise BadData(
            f"the label column of {table.where} has {len(values):,} different values; at most {MOST_LABELS} are a set of "
            "labels. Is it another column? Say so with columns={'label': '...'}."
        )
    numbers = all(isinstance(value, int | float) for value in values)
    return tuple(str(value) for value in sorted(values, key=None if numbers else str))


def label_indices(table: Table, names: Sequence[str], declared: Sequence[str] = ()) -> list[int]:
    """Each row's label as an index into `names`: by name, or by number where the data set counts from 0.

    `declared` are the data set's own names for its numbers. Raises BadData naming the values that are no label.
    """
    position = {name: index for index, name in enumerate(names)}
    known: dict[Any, int] = {}

    def index_of(value: Any) -> int:
        value = plain(value)
        if isinstance(value, int) and 0 <= value < len(declared) and declared[value] in position:
            return position[declared[value]]
        if str(value) in position:
            return position[str(value)]
        if str(value).isdecimal() and int(value) < len(names):
            return int(value)
        return -1

    indices = []
    for value in table.columns["label"]:
        try:
            index = known.get(value)
        except TypeError:
            raise BadData(
                f"the label column of {table.where} holds {type(value).__name__} values, not labels."
            ) from None
        if index is None:
            index = known[value] = index_of(value)
        indices.append(index)
    if strange := [value for value, index in known.items() if index < 0]:
        row = next(n for n, value in enumerate(table.columns["label"], 1) if value == strange[0] or value is strange[0])
        what = "is empty" if strange[0] in (None, "") else f"is {strange[0]!r}"
        raise BadData(
            f"the label of row {row} of {table.where} {what}; the labels are: {', '.join(names[:20])}"
            f"{', ...' if len(names) > 20 else ''}. {len(strange)} such value{'s' if len(strange) > 1 else ''} in all. "
            "Name the labels with labels=[...], in order, or repair the rows."
        )
    return indices
