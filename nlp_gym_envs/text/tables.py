"""Reading the columns of one local file: csv, tsv, json, jsonl or parquet, and gzipped text files."""

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadData, NotAvailable
from .columns import Table, Wanted, choose_columns, plain_names, short, table, take_column

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how such a file starts; spreadsheets write them
WHOLE = re.compile(r"-?(0|[1-9]\d*)(\.0+)?")  # "07" is a code, not a number


def format_of(path: Path) -> str | None:
    """Which of `SUFFIXES` a file's name has, with or without .gz behind it; None if none."""
    name = path.name.lower().removesuffix(".gz")
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)


def read(path: Path, wanted: Wanted) -> Table:
    """The columns of one file that are wanted. Raises BadData or NotAvailable."""
    readers: dict[str, Callable[[Path, bytes, Wanted], Table]] = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".json": _read_json,
        ".jsonl": _read_json,
        ".parquet": _read_parquet,
    }
    suffix = format_of(path)
    if suffix is None:
        raise BadData(f"{path} is no data file that can be read; allowed are {', '.join(SUFFIXES)} (and .gz of them).")
    content = _content(path)
    if not content:
        raise BadData(f"{path} is empty.")
    try:
        return readers[suffix](path, content, wanted)
    except UnicodeDecodeError:
        raise BadData(_not_unicode(path, content)) from None


def _content(path: Path) -> bytes:
    """All of the file, unpacked."""
    try:
        with path.open("rb") as file:
            packed = file.read()
    except OSError as error:
        raise NotAvailable(f"{path} cannot be read: {error.strerror or error}.") from error
    if not path.name.lower().endswith(".gz"):
        return packed
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise BadData(f"{path} is no whole gzip file: {error}. Copy or download it again.") from error


def _encoding(content: bytes) -> str:
    return "utf-16" if content.startswith(UTF_16) else "utf-8-sig"


def _not_unicode(path: Path, content: bytes) -> str:
    """What to say of bytes that cannot be decoded, with the place."""
    try:
        content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return (
            f"{path} is not UTF-8: {error.reason} at byte {error.start}, line {line}. Convert it first, as with "
            f"iconv -f latin1 -t utf-8 {path.name} > utf8-{path.name}"
        )
    return f"{path} is not UTF-8."


# ---------------------------------------------------------------- csv and tsv


def _read_csv(path: Path, content: bytes, wanted: Wanted) -> Table:
    lines = io.TextIOWrapper(io.BytesIO(content), _encoding(content), newline="")
    first = lines.readline()
    lines.seek(0)
    rows = _csv_rows(lines, path, _dialect(path, first))
    header = [name.strip() for name in next(rows, [])]
    if not header:
        raise BadData(f"{path} has no header line, as {','.join(wanted.form.fields)}.")
    try:
        chosen = choose_columns(header, wanted, str(path))
    except BadData as error:
        usual = ",".join(wanted.form.fields)
        raise BadData(f"{error} If that is a row of data, the file lacks its header line, as {usual}.") from None
    needed = list(dict.fromkeys(name for names in chosen.values() for name in plain_names(names, header)))
    cells: dict[str, list[str]] = {name: [] for name in needed}
    places = [(cells[name], header.index(name)) for name in needed]
    for row in rows:
        for column, at in places:
            column.append(row[at])
    columns: dict[str, Sequence[Any]] = {
        ours: take_column(cells.__getitem__, header, name, str(path)) for ours, name in chosen.items()
    }
    columns |= {ours: _typed(list(columns[ours])) for ours in ("label", "answer") if ours in columns}
    return table(columns, wanted.form, str(path))


def _dialect(path: Path, header: str) -> dict[str, Any]:
    """How cells are told apart: a tsv knows no quotes (in SST `` and " are text); a csv may use ; (spreadsheets do)."""
    if format_of(path) == ".tsv":
        return {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    return {"delimiter": next((mark for mark in ",;\t" if mark in header), ","), "strict": True}


def _csv_rows(lines: Iterable[str], path: Path, dialect: dict[str, Any]) -> Iterator[list[str]]:
    """The rows that are not blank, all of one length. Raises BadData naming the line."""
    limit = csv.field_size_limit(sys.maxsize)  # the module's own is 131,072 characters; given back below
    reader, width = csv.reader(lines, **dialect), 0
    try:
        for row in reader:
            if not row:
                continue
            width = width or len(row)
            if len(row) != width:
                mark = dialect["delimiter"]
                advice = "take tabs out of the texts" if mark == "\t" else f'a text with "{mark}" in it needs quotes'
                raise BadData(
                    f"line {reader.line_num} of {path} has {len(row)} cells and the header has {width}; {advice}."
                )
            yield row
    except csv.Error as error:
        raise BadData(
            f"{path} is broken at line {reader.line_num} or before it: {error}. A quote inside a quoted text is "
            'written twice, as in "she said ""no""".'
        ) from error
    finally:
        csv.field_size_limit(limit)


def _typed(labels: list[str]) -> list[Any]:
    """A csv knows only text: whole numbers and true/false are read as such where the whole column is like that."""
    values = {value: value.strip() for value in set(labels)}
    if all(WHOLE.fullmatch(value) for value in values.values()):
        known: dict[str, Any] = {raw: int(value.split(".")[0]) for raw, value in values.items()}
    elif all(value.lower() in ("true", "false") for value in values.values()):
        known = {raw: value.lower() == "true" for raw, value in values.items()}
    else:
        known = values
    return [known[value] for value in labels]


# ---------------------------------------------------------------- json and jsonl


def _read_json(path: Path, content: bytes, wanted: Wanted) -> Table:
    known: dict[str, list[Any]] = {}
    count = 0
    for number, row in enumerate(_json_rows(path, content), 1):
        if not isinstance(row, dict):
            raise BadData(f"row {number} of {path} is no object with named columns but {short(repr(row))}.")
        for name, value in row.items():
            if name not in known:
                known[name] = [None] * count
            known[name].append(value)
        count = number
        for values in known.values():
            if len(values) < count:
                values.append(None)
    if not count:
        raise BadData(f"{path} has no rows.")
    return _table(known.__getitem__, list(known), wanted, str(path))


def _table(
    column: Callable[[str], Sequence[Any]],
    available: Sequence[str],
    wanted: Wanted,
    where: str,
    declared: Callable[[str], tuple[str, ...]] = lambda name: (),
) -> Table:
    """The columns that are wanted of those that there are."""
    chosen = choose_columns(available, wanted, where)
    columns = {ours: take_column(column, available, name, where) for ours, name in chosen.items()}
    return table(columns, wanted.form, where, declared(chosen["label"]) if "label" in chosen else ())


def _json_rows(path: Path, content: bytes) -> Iterator[Any]:
    """The rows of a JSON list, of a {"data": list}, or of one JSON value a line."""
    encoding = _encoding(content)
    start = content[:1000].decode(encoding, "ignore").lstrip()[:1]
    by_line = format_of(path) == ".jsonl"
    if start == "[" or not by_line:
        try:
            whole = json.loads(content.decode(encoding))
        except json.JSONDecodeError as error:
            if start == "[" and not by_line:
                raise BadData(f"{path} is no JSON: {error.msg} at line {error.lineno} column {error.colno}.") from error
        else:
            yield from _rows_of(whole, path)
            return
    # newline=None splits at line ends only; str.splitlines would split texts at U+2028 and the like
    for number, line in enumerate(io.TextIOWrapper(io.BytesIO(content), encoding), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise BadData(f"line {number} of {path} is no JSON: {error.msg} at column {error.colno}.") from error


def _rows_of(whole: Any, path: Path) -> list[Any]:
    """The rows in a file that is one JSON value."""
    if isinstance(whole, list):
        return whole
    if isinstance(whole, dict):
        if isinstance(whole.get("data"), list):
            return whole["data"]
        if not any(isinstance(value, list | dict) for value in whole.values()):
            return [whole]  # one object a line, of which there is one
        raise BadData(
            f"{path} is one object with the keys {', '.join(map(short, whole))}; it must be a list of rows, "
            '{"data": [rows]}, or one row, as {"text": ..., "label": ...}, a line.'
        )
    raise BadData(f"{path} holds {short(repr(whole))}, not a list of rows.")


# ---------------------------------------------------------------- parquet


def _read_parquet(path: Path, content: bytes, wanted: Wanted) -> Table:
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(content))
        schema = file.schema_arrow
        chosen = choose_columns(schema.names, wanted, str(path))
        needed = (name for names in chosen.values() for name in plain_names(names, schema.names))
        found = file.read(columns=list(dict.fromkeys(needed)))
    except (pyarrow.ArrowException, OSError) as error:
        raise BadData(f"{path} cannot be read as parquet: {error} Copy or download it again.") from error

    def declared(name: str) -> tuple[str, ...]:
        return _declared(schema.metadata or {}, name)

    return _table(lambda name: found.column(name).to_pylist(), schema.names, wanted, str(path), declared)


def _declared(metadata: Mapping[bytes, bytes], column: str) -> tuple[str, ...]:
    """The names of a `ClassLabel` column, which the `datasets` library leaves in a file's metadata."""
    features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    feature = features.get(column, {})
    return tuple(feature.get("names") or ()) if isinstance(feature, dict) else ()
