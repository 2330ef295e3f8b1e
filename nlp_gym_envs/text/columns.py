"""The two columns of a data set, its texts and its labels: choosing them, and saying clearly what is wrong in them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import BadArgument, BadData

USUAL = {  # the column names people use, in the order in which they are tried
    "text": ("text", "sentence", "content", "review", "document", "question"),
    "label": ("label", "labels", "target", "class", "category", "coarse_label"),
}
MOST_LABELS = 256  # more different values than this are no set of labels, unless they are named one by one
LONGEST_LABEL = 100  # characters; a longer one is a text
FEW_ROWS = 20  # in so few rows, every row may have a label of its own
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Table:
    """Texts and labels, row by row, and what messages and label names need to know of where they came from."""

    texts: list[str]
    labels: list[Any]  # plain values, see `plain`
    where: str
    declared: tuple[str, ...] = ()  # the label names that the data set itself gives, in order
    values: frozenset[Any] = frozenset()  # every label in the whole that this may be a part of
    files: tuple[tuple[str, int], ...] = ()  # the files that make up that whole, and how many rows each has
    rows: np.ndarray | None = field(default=None, compare=False)  # (N,) each row's place in the whole; None: all rows

    def place(self, index: int) -> str:
        """Which row of which file a row is, for a message."""
        row = index if self.rows is None else int(self.rows[index])
        for name, count in self.files:
            if row < count:
                return f"row {row + 1} of {name}"
            row -= count
        return f"row {row + 1} of {self.where}"

    def part(self, rows: np.ndarray, where: str) -> "Table":
        """Some of the rows."""
        chosen = rows.tolist()
        texts = [self.texts[i] for i in chosen]
        return Table(texts, [self.labels[i] for i in chosen], where, self.declared, self.values, self.files, rows)


def table(texts: Sequence[Any], labels: Sequence[Any], where: str, declared: tuple[str, ...] = ()) -> Table:
    """A file's or a Hub split's two columns. Raises BadData where a row has no text or no label."""
    if not len(texts):
        raise BadData(f"{where} has no rows.")
    clean, values = _clean_texts(texts, where), _plain_labels(labels, where)
    return Table(clean, values, where, declared, frozenset(values), ((where, len(clean)),))


def joined(tables: Sequence[Table]) -> Table:
    """Several files of one split, one below the other."""
    if len(tables) == 1:
        return tables[0]
    first, last = tables[0], tables[-1]
    if any(t.declared != first.declared for t in tables):
        raise BadData(f"the files from {first.where} to {last.where} declare different label names.")
    return Table(
        [text for t in tables for text in t.texts],
        [label for t in tables for label in t.labels],
        f"the {len(tables)} files from {first.where} to {last.where}",
        first.declared,
        frozenset().union(*(t.values for t in tables)),
        tuple(file for t in tables for file in t.files),
    )


# ---------------------------------------------------------------- columns


def choose_columns(
    available: Sequence[str], asked: Mapping[str, str], hints: Mapping[str, str], where: str
) -> dict[str, str]:
    """Which column is the text and which the label: as asked, else as the task knows them, else the usual names."""
    if wrong := set(asked) - set(USUAL):
        raise BadArgument(f"columns= names {', '.join(map(repr, sorted(wrong)))}; allowed are {', '.join(USUAL)}.")
    any_case = {name.lower(): name for name in reversed(available)}
    chosen = {}
    for ours, usual in USUAL.items():
        wanted = (asked[ours],) if ours in asked else (*((hints[ours],) if ours in hints else ()), *usual)
        found = next((name for name in wanted if name in available), None)
        if found is None and ours not in asked:
            found = next((any_case[name] for name in usual if name in any_case), None)
        if found is None:
            tried = repr(wanted[0]) if ours in asked else f"called {', '.join(dict.fromkeys(wanted))}"
            raise BadData(
                f"{where} has no column {tried} for the {ours}; it has: {', '.join(map(short, available))}. "
                f"Say which it is with columns={{'{ours}': '...'}}."
            )
        if list(available).count(found) > 1:
            raise BadData(f"{where} has {list(available).count(found)} columns called {found!r}; rename one.")
        chosen[ours] = found
    return chosen


def short(value: Any) -> str:
    """A value as it may stand in a message."""
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# ---------------------------------------------------------------- texts


def _clean_texts(texts: Sequence[Any], where: str) -> list[str]:
    """The texts as they are; numbers become text, and half a surrogate pair, which no file can hold, becomes U+FFFD."""
    clean = []
    for number, text in enumerate(texts, 1):
        if type(text) is not str:
            if text is None or text != text:
                raise BadData(f"row {number} of {where} has no text. An empty text may stand there, nothing may not.")
            if not isinstance(text, str | int | float):
                raise BadData(f"the text of row {number} of {where} is no text but {short(repr(text))}.")
            text = str(text)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        clean.append(text)
    return clean


# ---------------------------------------------------------------- labels


def plain(value: Any) -> Any:
    """A label value as it reads: whole floats (a column with gaps) and booleans are integers, text has no margins."""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return value.strip() if isinstance(value, str) else value


def _plain_labels(labels: Sequence[Any], where: str) -> list[Any]:
    """Every label as its plain value; equal ones are one object, however many rows there are."""
    try:
        known = {value: plain(value) for value in set(labels)}
    except TypeError:
        row, value = next((n, v) for n, v in enumerate(labels, 1) if isinstance(v, list | dict | set | np.ndarray))
        raise BadData(
            f"the label of row {row} of {where} is no label but {short(repr(value))}. Each text has one label, "
            "a name or a number."
        ) from None
    absent = [value for value, read in known.items() if read is None or read == "" or read != read]
    if absent:
        empty = [n for n, value in enumerate(labels, 1) if value in absent]  # `in` finds NaN, by identity
        more = f" So have {len(empty) - 1:,} other rows." if len(empty) > 1 else ""
        raise BadData(
            f"row {empty[0]} of {where} has no label.{more} Give it one, or take the row out; is the label in another "
            "column, say so with columns={'label': '...'}."
        )
    return [known[value] for value in labels]


def label_names(values: Iterable[Any], rows: int, where: str) -> tuple[str, ...]:
    """The label names of a data set that declares none: its different values, sorted; numbers by size."""
    names = {str(value) for value in values}
    if long := max((name for name in names if len(name) > LONGEST_LABEL), key=len, default=""):
        reason = f"holds texts such as {short(long)!r}"
    elif len(names) > MOST_LABELS:
        reason = f"has {len(names):,} different values; at most {MOST_LABELS} are a set of labels"
    elif len(names) == rows > FEW_ROWS:
        reason = f"has another value in each of its {rows} rows"
    else:
        if all(NUMBER.fullmatch(name) for name in names):
            return tuple(sorted(names, key=lambda name: (float(name), name)))
        return tuple(sorted(names))
    raise BadData(
        f"the label column of {where} {reason}. Is it another column? Say so with columns={{'label': '...'}}; "
        "if these are labels, name them all with labels=[...]."
    )


def label_indices(table: Table, names: Sequence[str]) -> np.ndarray:
    """Each row's label as an index into `names`, (N,) int64: by name, or by number where the data set counts from 0.

    Raises BadData naming the first row whose value is no label.
    """
    position = {name: index for index, name in enumerate(names)}
    counts = not any(NUMBER.fullmatch(name) for name in names)  # else "2" is a name, never the third label

    def index_of(value: Any) -> int:
        if isinstance(value, int) and 0 <= value < len(table.declared) and table.declared[value] in position:
            return position[table.declared[value]]
        if str(value) in position:
            return position[str(value)]
        if counts and str(value).isdecimal() and int(value) < len(names):
            return int(value)
        return -1

    known = {value: index_of(value) for value in set(table.labels)}
    if strange := {value for value, index in known.items() if index < 0}:
        row = next(n for n, value in enumerate(table.labels) if value in strange)
        hidden = set(known) == {-1}
        raise BadData(
            f"the label of {table.place(row)} is {short(repr(table.labels[row]))}; the labels are: "
            f"{', '.join(names[:20])}{', ...' if len(names) > 20 else ''}. {len(strange):,} such "
            f"value{'s' if len(strange) > 1 else ''} in all. "
            + (
                "-1 everywhere means that this split's labels are kept secret: take another split."
                if hidden
                else "Name every label with labels=[...], in order (a number counts from 0), or repair the rows."
            )
        )
    return np.fromiter((known[value] for value in table.labels), np.int64, len(table.labels))
