"""The columns of a data set that a task reads: choosing them, and saying clearly what is wrong in them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..answers import KINDS, TRUTH, USUAL, Form
from ..errors import BadArgument, BadData

MOST_LABELS = 256  # more different values than this are no set of labels, unless they are named one by one
LONGEST_LABEL = 100  # characters; a longer one is a text
FEW_ROWS = 20  # in so few rows, every row may have a label of its own
NUMBER = re.compile(r"-?\d+(\.\d+)?")

Names = tuple[tuple[str, str], ...]  # our name of a column -> the data set's, hashable


@dataclass(frozen=True)
class Wanted:
    """What to read of a data set: the fields of a form of answer, as which columns, asked for or known to the task."""

    form: Form
    asked: Names = ()
    known: Names = ()


@dataclass(frozen=True)
class Table:
    """Columns by our names for them, row by row, and what messages and label names need to know of their origin."""

    columns: dict[str, list[Any]]  # clean: texts are str, labels plain values (see `plain`), references tuples of str
    form: Form
    where: str
    declared: tuple[str, ...] = ()  # the label names that the data set itself gives, in order
    values: frozenset[Any] = frozenset()  # every label in the whole that this may be a part of
    files: tuple[tuple[str, int], ...] = ()  # the files that make up that whole, and how many rows each has
    rows: np.ndarray | None = field(default=None, compare=False)  # (N,) each row's place in the whole; None: all rows

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def keys(self) -> list[str]:
        """The texts that decide which split a row falls to; of one column, it is that column itself."""
        first = self.columns[self.form.key[0]]
        if len(self.form.key) == 1:
            return first
        return ["\n".join(parts) for parts in zip(*(self.columns[name] for name in self.form.key), strict=True)]

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
        columns = {name: [values[i] for i in chosen] for name, values in self.columns.items()}
        return Table(columns, self.form, where, self.declared, self.values, self.files, rows)


def table(columns: Mapping[str, Sequence[Any]], form: Form, where: str, declared: tuple[str, ...] = ()) -> Table:
    """A file's or a Hub split's columns, by our names. Raises BadData where a row lacks what it must have."""
    if not len(next(iter(columns.values()))):
        raise BadData(f"{where} has no rows.")
    clean = {name: _clean(KINDS.get(name, "text"), values, where, name) for name, values in columns.items()}
    rows = len(next(iter(clean.values())))
    return Table(clean, form, where, declared, frozenset(clean.get("label", ())), ((where, rows),))


def joined(tables: Sequence[Table]) -> Table:
    """Several files of one split, one below the other."""
    if len(tables) == 1:
        return tables[0]
    first, last = tables[0], tables[-1]
    if any(t.declared != first.declared for t in tables):
        raise BadData(f"the files from {first.where} to {last.where} declare different label names.")
    if any(set(t.columns) != set(first.columns) for t in tables):
        raise BadData(f"the files from {first.where} to {last.where} do not all have the same columns.")
    return Table(
        {name: [value for t in tables for value in t.columns[name]] for name in first.columns},
        first.form,
        f"the {len(tables)} files from {first.where} to {last.where}",
        first.declared,
        frozenset().union(*(t.values for t in tables)),
        tuple(file for t in tables for file in t.files),
    )


# ---------------------------------------------------------------- columns


def choose_columns(available: Sequence[str], wanted: Wanted, where: str) -> dict[str, str]:
    """Which column is which field: as asked, else as the task knows them, else the usual names.

    A name may lead into a column of named values, as "translation.de"; several columns, separated by commas, make one
    list ("choice_a,choice_b"), of which a context is joined by spaces. Optional fields that are not there are left out.
    """
    asked, known, fields = dict(wanted.asked), dict(wanted.known), wanted.form.fields
    if wrong := set(asked) - set(fields):
        raise BadArgument(f"columns= names {', '.join(map(repr, sorted(wrong)))}; allowed are {', '.join(fields)}.")
    any_case = {name.lower(): name for name in reversed(available)}
    chosen: dict[str, str] = {}
    for ours in fields:
        names = (asked[ours],) if ours in asked else (*((known[ours],) if ours in known else ()), *USUAL[ours])
        free = [name for name in names if name not in chosen.values()]  # one column is one field
        found = next((name for name in free if has_column(available, name)), None)
        if found is None and ours not in asked:
            spelt = (any_case[name.lower()] for name in free if name.lower() in any_case)
            found = next((name for name in spelt if name not in chosen.values()), None)
        if found is None:
            if ours in wanted.form.optional and ours not in asked:
                continue
            tried = repr(names[0]) if ours in asked else f"called {', '.join(dict.fromkeys(names))}"
            raise BadData(
                f"{where} has no column {tried} for the {ours}; it has: {', '.join(map(short, available))}. "
                f"Say which it is with columns={{'{ours}': '...'}}."
            )
        if list(available).count(found) > 1:
            raise BadData(f"{where} has {list(available).count(found)} columns called {found!r}; rename one.")
        chosen[ours] = found
    return chosen


def has_column(available: Sequence[str], name: str) -> bool:
    """Whether a name is a column, leads into one, or is several of them with commas in between."""
    if name in available:
        return True
    if "," in name:
        return all(has_column(available, part.strip()) for part in name.split(","))
    return "." in name and name.split(".")[0] in available


def plain_names(name: str, available: Sequence[str]) -> list[str]:
    """The columns themselves that a chosen name needs."""
    if name in available:
        return [name]
    parts = [part.strip() for part in name.split(",")]
    return [part if part in available else part.split(".")[0] for part in parts]


def take_column(column: Callable[[str], Sequence[Any]], available: Sequence[str], name: str, where: str) -> list[Any]:
    """The values that a chosen name stands for; `column(name)` gives a whole column. Raises BadData."""
    if name in available:
        return list(column(name))
    if "," in name:
        parts = [take_column(column, available, part.strip(), where) for part in name.split(",")]
        return [list(row) for row in zip(*parts, strict=True)]
    first, *path = name.split(".")
    values: list[Any] = list(column(first))
    for step in path:
        for row, value in enumerate(values):
            if not isinstance(value, Mapping) or step not in value:
                has = ", ".join(map(str, value)) if isinstance(value, Mapping) else short(repr(value))
                raise BadData(f"row {row + 1} of {where} has no {step!r} in {name!r}; there is: {has}.")
        values = [value[step] for value in values]
    return values


def short(value: Any) -> str:
    """A value as it may stand in a message."""
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# ---------------------------------------------------------------- values


def _clean(kind: str, values: Sequence[Any], where: str, name: str) -> list[Any]:
    """A column's values as the rest of the package takes them."""
    if kind == "label":
        return _plain_labels(values, where, name)
    if kind == "answer":  # a boolean is no number here: of the choices "true" and "false", True is the first
        return _plain_labels([TRUTH[value] if isinstance(value, bool) else value for value in values], where, name)
    if kind == "passage":
        joined = [" ".join(value) if _is_texts(value) else value for value in values]
        return _clean_texts(joined, where, name)
    if kind == "texts":
        return [_clean_list(value, number, where, name) for number, value in enumerate(values, 1)]
    if kind == "choices":
        return [_clean_choices(value, number, where) for number, value in enumerate(values, 1)]
    return _clean_texts(values, where, name)


def _is_texts(value: Any) -> bool:
    """Whether a value is a list of texts, as a passage's sentences or facts."""
    return isinstance(value, list | tuple | np.ndarray) and all(isinstance(part, str) for part in value)


def _clean_list(value: Any, number: int, where: str, name: str) -> tuple[str, ...]:
    """One or more texts: a text, a list of them, or SQuAD's {"text": list}; the same one once, in order."""
    if isinstance(value, Mapping):
        value = value.get("text")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if value is None or value != value:
        raise BadData(f"row {number} of {where} has no {name}. An empty list may stand there, nothing may not.")
    texts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(text, Mapping) for text in texts):
        texts = [text.get("text") if isinstance(text, Mapping) else text for text in texts]
    return tuple(dict.fromkeys(_clean_texts(texts, f"the {name} in row {number} of {where}", name)))


def _clean_choices(value: Any, number: int, where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The choices of a question, and their letters where the data set gives them ({"text": list, "label": list})."""
    letters: Any = None
    if isinstance(value, Mapping):
        value, letters = value.get("text"), value.get("label")
    elif isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
        value, letters = [one.get("text") for one in value], [one.get("label") for one in value]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise BadData(f"the choices of row {number} of {where} are {short(repr(value))}; they must be a list of texts.")
    texts = tuple(_clean_texts(value, f"the choices in row {number} of {where}", "choice"))
    if len(set(texts)) < 2:
        raise BadData(f"the choices of row {number} of {where} are all the same, {short(repr(texts[0]))}.")
    named = tuple(str(letter) for letter in (() if letters is None else letters) if letter is not None)
    if len(named) not in (0, len(texts)) or len(set(named)) < len(named):
        raise BadData(
            f"row {number} of {where} has {len(texts)} choices with the letters {short(', '.join(named))}; each choice "
            "has one letter of its own, or none has any."
        )
    return texts, named


def _clean_texts(texts: Sequence[Any], where: str, name: str = "text") -> list[str]:
    """The texts as they are; numbers become text, and half a surrogate pair, which no file can hold, becomes U+FFFD."""
    clean = []
    for number, text in enumerate(texts, 1):
        if type(text) is not str:
            if text is None or text != text:
                raise BadData(f"row {number} of {where} has no {name}. An empty text may stand there, nothing may not.")
            if not isinstance(text, str | int | float):
                raise BadData(f"the {name} of row {number} of {where} is no text but {short(repr(text))}.")
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


def _plain_labels(labels: Sequence[Any], where: str, name: str = "label") -> list[Any]:
    """Every label as its plain value; equal ones are one object, however many rows there are."""
    try:
        known = {value: plain(value) for value in set(labels)}
    except TypeError:
        row, value = next((n, v) for n, v in enumerate(labels, 1) if isinstance(v, list | dict | set | np.ndarray))
        raise BadData(
            f"the {name} of row {row} of {where} is no {name} but {short(repr(value))}. Each text has one {name}, "
            "a name or a number."
        ) from None
    absent = [value for value, read in known.items() if read is None or read == "" or read != read]
    if absent:
        empty = [n for n, value in enumerate(labels, 1) if value in absent]  # `in` finds NaN, by identity
        more = f" So have {len(empty) - 1:,} other rows." if len(empty) > 1 else ""
        raise BadData(
            f"row {empty[0]} of {where} has no {name}.{more} Give it one, or take the row out; is the {name} in "
            f"another column, say so with columns={{'{name}': '...'}}."
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

    labels = table.columns["label"]
    known = {value: index_of(value) for value in set(labels)}
    if strange := {value for value, index in known.items() if index < 0}:
        row = next(n for n, value in enumerate(labels) if value in strange)
        hidden = set(known) == {-1}
        raise BadData(
            f"the label of {table.place(row)} is {short(repr(labels[row]))}; the labels are: "
            f"{', '.join(names[:20])}{', ...' if len(names) > 20 else ''}. {len(strange):,} such "
            f"value{'s' if len(strange) > 1 else ''} in all. "
            + (
                "-1 everywhere means that this split's labels are kept secret: take another split."
                if hidden
                else "Name every label with labels=[...], in order (a number counts from 0), or repair the rows."
            )
        )
    return np.fromiter((known[value] for value in labels), np.int64, len(labels))
