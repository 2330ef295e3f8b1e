"""Local files: every form is read alike, and whatever is wrong with one is said with its place."""

import csv
import gzip
import json
import pathlib
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from nlp_gym_envs.answers import Label
from nlp_gym_envs.errors import BadArgument, BadData, NlpGymError, NotAvailable
from nlp_gym_envs.text import corpora, tables
from nlp_gym_envs.text.columns import Table, Wanted, label_indices, label_names


def read(path: Path, asked: dict[str, str] | None = None, known: dict[str, str] | None = None) -> Table:
    """A file's texts and labels."""
    return tables.read(path, Wanted(Label(), tuple((asked or {}).items()), tuple((known or {}).items())))


ROWS = [
    ('a "fine", quiet film', "good"),
    ("two\nlines; one\ttab", "bad"),
    ("naïve 😀 שלום", "good"),
    ("None", "bad"),
    ("NA", "good"),
    ("null", "bad"),
    ("", "good"),
    ("007", "bad"),
    ("a\x00b", "good"),
    ("line\u2028separator\x85and\x0bmore", "bad"),
    ("x" * 200_000, "good"),
]
FLAT = [(text.replace("\n", " ").replace("\t", " "), label) for text, label in ROWS]  # a tsv holds no tabs or line ends


def write(path: Path, rows: list[tuple[Any, Any]], encoding: str = "utf-8") -> Path:
    """Rows in the form that the file's name says."""
    name = path.name.removesuffix(".gz")
    objects = [{"text": text, "label": label} for text, label in rows]
    if name.endswith(".parquet"):
        parquet.write_table(pyarrow.Table.from_pylist(objects), path)
        return path
    if name.endswith(".csv"):
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        content = path.read_bytes()
    elif name.endswith(".tsv"):
        content = "".join(f"{text}\t{label}\n" for text, label in [("text", "label"), *rows]).encode(encoding)
    elif name.endswith(".jsonl"):
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in objects).encode(encoding)
    else:
        content = json.dumps({"data": objects} if "data" in name else objects).encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


NAMES = ["a.csv", "a.csv.gz", "a.tsv", "a.tsv.gz", "a.json", "a.json.gz", "data.json", "a.jsonl", "a.jsonl.gz",
         "a.parquet", "A.CSV"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_format_gives_the_same_texts_and_labels(tmp_path, name):
    rows = FLAT if "tsv" in name else ROWS
    path = write(tmp_path / name.lower(), rows).rename(tmp_path / name)
    table = read(path)
    assert list(zip(table.columns["text"], table.columns["label"], strict=True)) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl"])
def test_marks_at_the_start_of_a_file_are_not_part_of_its_first_column(tmp_path, name, encoding):
    assert read(write(tmp_path / name, FLAT, encoding)).columns["text"] == [text for text, _ in FLAT]


def test_one_object_a_line_may_be_called_json(tmp_path):
    write(tmp_path / "a.jsonl", ROWS).rename(tmp_path / "a.json")
    assert read(tmp_path / "a.json").columns["text"] == [text for text, _ in ROWS]
    (tmp_path / "one.json").write_text('{"text": "a b", "label": "x"}')
    assert read(tmp_path / "one.json").columns["text"] == ["a b"]


def test_half_a_surrogate_pair_becomes_a_replacement_character(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a \\ud800 b \\ud83d\\ude00", "label": 1}\n')
    assert read(tmp_path / "a.jsonl").columns["text"] == ["a \ufffd b 😀"]


def test_a_csv_may_be_cut_by_semicolons_and_hold_blank_lines(tmp_path):
    (tmp_path / "a.csv").write_text("text;label\n\ngood, really;1\n\nbad;0\n")
    table = read(tmp_path / "a.csv")
    assert (table.columns["text"], table.columns["label"]) == (["good, really", "bad"], [1, 0])


def test_numbers_can_be_texts(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": 7, "label": 1}\n{"text": 2.5, "label": 0}\n')
    assert read(tmp_path / "a.jsonl").columns["text"] == ["7", "2.5"]
    (tmp_path / "a.csv").write_text("text,label\n1.50,a\n007,b\n")
    assert read(tmp_path / "a.csv").columns["text"] == ["1.50", "007"]


# ---------------------------------------------------------------- columns and labels


@pytest.mark.parametrize(
    ("columns", "text", "label"),
    [
        ("sentence,label", {}, {}),
        ("Text,Label", {}, {}),
        (" review , category ", {}, {}),
        ("mine,label", {"text": "mine"}, {}),
        ("mine,yours", {"text": "mine"}, {"label": "yours"}),
    ],
)
def test_columns_are_found_by_the_usual_names_or_as_asked(tmp_path, columns, text, label):
    (tmp_path / "a.csv").write_text(f"{columns}\nhello,x\n")
    table = read(tmp_path / "a.csv", text | label)
    assert (table.columns["text"], table.columns["label"]) == (["hello"], ["x"])


def test_what_a_task_knows_of_its_columns_comes_before_the_usual_names(tmp_path):
    (tmp_path / "a.csv").write_text("text,coarse_label,label,fine_label\nhello,1,2,3\n")
    assert read(tmp_path / "a.csv", known={"label": "fine_label"}).columns["label"] == [3]
    assert read(tmp_path / "a.csv", {"label": "coarse_label"}, {"label": "fine_label"}).columns["label"] == [1]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([2, 10, 1], ("1", "2", "10")),
        (["2", "10", "1"], ("1", "2", "10")),
        ([1.0, 0.0, 2.0], ("0", "1", "2")),
        ([True, False], ("0", "1")),
        (["b", "a", " a "], ("a", "b")),
        ([-1, 1], ("-1", "1")),
        (["07", "7"], ("07", "7")),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_label_names_are_the_values_sorted_and_numbers_by_size(tmp_path, values, names, name):
    if name == "a.csv" and set(values) == {"07", "7"}:
        values = [*values, "x"]
        names = (*names, "x")
    table = read(write(tmp_path / name, [("a text", value) for value in values]))
    assert label_names(table.values, 100, "here") == names
    assert [names[i] for i in label_indices(table, names)] == [str(_as_read(value)) for value in values]


def _as_read(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else int(value)


def test_declared_label_names_of_a_parquet_file_are_used(tmp_path):
    features = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pyarrow.table({"text": ["a", "b"], "label": [1, 0]}).replace_schema_metadata(metadata)
    parquet.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.declared == ("neg", "pos")
    assert label_indices(found, ("pos", "neg")).tolist() == [0, 1]  # by name, whatever the order asked for


def test_numbers_are_positions_only_where_names_are_no_numbers(tmp_path):
    table = read(write(tmp_path / "a.jsonl", [("a", 0), ("b", 2)]))
    assert label_indices(table, ("x", "y", "z")).tolist() == [0, 2]
    with pytest.raises(BadData, match="row 2 .* is 2; the labels are: 0, 1, 5"):
        label_indices(table, ("0", "1", "5"))


# ---------------------------------------------------------------- what is wrong with a file


def damaged_parquet() -> bytes:
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({"text": ["a"] * 500, "label": [1] * 500}), sink)
    return sink.getvalue().to_pybytes()[:-40]


GOOD = "text,label\n" + "".join(f"text {i},{i % 2}\n" for i in range(40))
# fmt: off
BAD: dict[str, tuple[str, bytes | str, str]] = {  # what it is: file name, content, what the message must say
    "no bytes": ("a.csv", b"", "is empty"),
    "no bytes in gzip": ("a.csv.gz", gzip.compress(b""), "is empty"),
    "only a header": ("a.csv", "text,label\n", "has no rows"),
    "only blank lines": ("a.csv", "\n\n", "has no header line"),
    "no rows in json": ("a.json", "[]", "has no rows"),
    "no rows in jsonl": ("a.jsonl", "\n\n", "has no rows"),
    "no header": ("a.csv", "a fine film,1\na bad one,0\n", "it has: a fine film, 1.* lacks its header line"),
    "other columns": ("a.csv", "headline,desk\na,b\n", "no column called text, .* it has: headline, desk.*columns="),
    "columns twice": ("a.csv", "text,text,label\na,b,c\n", "2 columns called 'text'"),
    "latin-1": ("a.csv", "text,label\nok,1\nnaïve,1\n".encode("latin-1"), "not UTF-8: .* at byte 18, line 3.*iconv"),
    "latin-1 json": ("a.jsonl", '{"text": "naïve", "label": 1}'.encode("latin-1"), "not UTF-8: .*line 1"),
    "a row too long": ("a.csv", GOOD + "a, b,1\n", 'line 42 of .* has 3 cells .* text with "," in it needs quotes'),
    "every row too long": ("a.csv", "text,label\na,b,1\nc,d,0\n", "line 2 of .* has 3 cells and the header has 2"),
    "a row too short": ("a.csv", GOOD + "alone\n", "line 42 of .* has 1 cells"),
    "a tab too many": ("a.tsv", "text\tlabel\na\tb\t1\n", "line 2 .* take tabs out"),
    "a quote left open": ("a.csv", GOOD + '"never closed,1\nb,0\n', "broken at line 43 or before it"),
    "text behind a quote": ("a.csv", GOOD + '"so "he" said",1\n', "broken at line 42"),
    "a broken json line": ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"', "line 2 .* is no JSON"),
    "a broken json list": ("a.json", '[{"text": "a"}, {]', "is no JSON: .* line 1 column 18"),
    "rows that are lists": ("a.json", '[["a", 1]]', r"row 1 .* is no object .* \['a', 1\]"),
    "lines that are lists": ("a.jsonl", '["a", 1]\n["b", 0]', "row 1 .* is no object"),
    "columns, not rows": ("a.json", '{"text": ["a"], "label": [1]}', "one object with the keys text, label"),
    "a json number": ("a.json", "3", "not a list of rows"),
    "no label": ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}\n{"text": "c"}', "row 2 .* no label. So have"),
    "null label": ("a.jsonl", '{"text": "a", "label": null}', "row 1 .* has no label"),
    "NaN label": ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": NaN}', "row 2 .* has no label"),
    "empty label": ("a.csv", "text,label\na,1\nb,0\nc,\n", "row 3 .* has no label"),
    "null text": ("a.jsonl", '{"text": "a", "label": 1}\n{"text": null, "label": 1}', "row 2 .* has no text"),
    "NaN text": ("a.jsonl", '{"text": NaN, "label": 1}', "row 1 .* has no text"),
    "list text": ("a.jsonl", '{"text": ["a"], "label": 1}', r"text of row 1 .* is no text but \['a'\]"),
    "list label": ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": [1]}', r"label of row 2 .* but \[1\]"),
    "object label": ("a.jsonl", '{"text": "a", "label": {"x": 1}}', "label of row 1 .* one label"),
    "half a parquet": ("a.parquet", damaged_parquet(), "cannot be read as parquet"),
    "no parquet": ("a.parquet", b"text,label\n", "cannot be read as parquet"),
    "half a gzip": ("a.csv.gz", gzip.compress(GOOD.encode())[:-20], "no whole gzip"),
    "no gzip": ("a.csv.gz", b"text,label\n", "no whole gzip"),
    "gzip with a wrong byte": ("a.csv.gz", gzip.compress(GOOD.encode())[:30] + b"\x00" * 40, "no whole gzip"),
    "another format": ("a.xlsx", b"PK", "is no data file .* allowed are .csv, .tsv"),
    "one label only": ("a.csv", "text,label\n" + "".join(f"text {i},x\n" for i in range(40)), "two labels or more"),
    "300 labels": ("a.csv", "text,label\n" + "".join(f"{i},{i % 300}\n" for i in range(900)), "300 different"),
    "a text as label": ("a.csv", "label,text\n" + "".join(f"{'x' * 120},{i}\n" for i in range(9)), "holds texts"),
    "a label a row": ("a.csv", "label,text\n" + "".join(f"text {i},{i}\n" for i in range(40)), "in each of its 40"),
}  # fmt: skip


def open_task(path: Path | str, split: str = "train", **options: Any):
    """The corpus as an environment opens it."""
    from nlp_gym_envs.task import TASKS

    return TASKS.get("text_classification").open("text_classification", split, str(path), **options)


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_and_the_message_says_what_and_where(tmp_path, case):
    name, content, message = BAD[case]
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(NlpGymError, match=message) as caught:
        open_task(tmp_path / name)
    assert isinstance(caught.value, BadData | BadArgument)


def test_the_good_file_that_bad_ones_are_made_from_is_read(tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    assert open_task(tmp_path / "a.csv").answer.names == ("0", "1")


def test_a_file_that_may_not_be_read_is_named_with_the_reason(tmp_path, monkeypatch):
    path = write(tmp_path / "a.csv", ROWS)
    opened = pathlib.Path.open

    def refuse(self: Path, *args: Any, **options: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **options)

    monkeypatch.setattr(pathlib.Path, "open", refuse)
    with pytest.raises(NotAvailable, match="a.csv cannot be read: Permission denied"):
        open_task(path)


@pytest.mark.parametrize(
    "name", ["missing.csv", "missing.csv.gz", "./missing", "no/such/folder/here", "~/no_such.json"]
)
def test_a_missing_path_is_said_to_be_missing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotAvailable, match="there is no file or folder .*looked from"):
        open_task(name)


def test_a_missing_file_is_told_from_its_neighbour(tmp_path):
    write(tmp_path / "reviews.csv", ROWS)
    with pytest.raises(NotAvailable, match="Did you mean 'reviews.csv'"):
        open_task(tmp_path / "review.csv")


def test_links_are_followed_and_broken_ones_named(tmp_path):
    (tmp_path / "real.csv").write_text(GOOD)
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert open_task(tmp_path / "link.csv").answer.names == ("0", "1")
    (tmp_path / "broken").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(NotAvailable, match="is a link to .*gone.csv, which does not exist"):
        open_task(tmp_path / "broken")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"text": "body"}}, "no column 'body' for the text; it has: text, label"),
        ({"columns": {"texts": "text"}}, "columns= names 'texts'; allowed are text, label"),
        ({"columns": "text"}, "columns must be like"),
        ({"labels": [0, 1]}, "labels must be a list of names"),
        ({"labels": ["yes"]}, "two labels or more|is 1; the labels are: yes"),
        ({"split": "holdout"}, "no split 'holdout'; there are: train, validation, test"),
    ],
)
def test_arguments_that_do_not_fit_are_answered_with_what_does(tmp_path, options, message):
    (tmp_path / "a.csv").write_text(GOOD)
    with pytest.raises(NlpGymError, match=message):
        open_task(tmp_path / "a.csv", **options)


@pytest.mark.parametrize("dataset", [3, "", ["a.csv"]])
def test_a_dataset_is_a_name_or_a_path(dataset):
    with pytest.raises(BadArgument, match="dataset must be"):
        corpora.source_of("sst2", corpora.BuiltIn("x"), dataset)
