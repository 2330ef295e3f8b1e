"""Data sets of one's own, named ones and the Hub's: which rows are in which split, and how often they are read."""

import copy
import csv
import json
import os
import pickle
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import datasets
import gymnasium as gym
import numpy as np
import pyarrow
import pytest
from conftest import laid_out, stand_in_rows, write_rows
from pyarrow import parquet

import nlp_gym_envs
from nlp_gym_envs.answers import Label
from nlp_gym_envs.errors import BadArgument, BadData, NotAvailable
from nlp_gym_envs.task import TASKS, OpenTask
from nlp_gym_envs.text import corpora, encoding, splits
from nlp_gym_envs.text.corpora import SPLITS, Elsewhere, Files, Hub

NAMED = ("sst2", "sst5", "ag_news", "trec6", "trec50", "imdb", "rotten_tomatoes", "emotion")
OTHERS = {  # the named tasks without labels, and the splits that their data sets' cards tell of
    "multi30k_en_de": SPLITS,
    "wmt14_de_en": SPLITS,
    "iwslt2017_en_de": SPLITS,
    "squad": ("train", "validation"),
    "squad_v2": ("train", "validation"),
    "xquad": ("validation",),
    "babi_qa": SPLITS,
    "boolq": ("train", "validation"),
    "commonsense_qa": SPLITS,
    "qasc": SPLITS,
    "arc_easy": SPLITS,
    "openbookqa": SPLITS,
}
HIDDEN = ("commonsense_qa", "qasc")  # their test answers are ""
ROOT = str(Path(nlp_gym_envs.__file__).parents[1])


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No data of another test, no cache of another test, no network."""
    monkeypatch.setenv("NLP_GYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NLP_GYM_DATA", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    corpora.forget()
    yield
    corpora.forget()


def rows(count: int, labels: int = 2, start: int = 0) -> list[tuple[str, Any]]:
    return [(f"text number {i}", i % labels) for i in range(start, start + count)]


def write_csv(path: Path, data: list[tuple[str, Any]], header: tuple[str, str] = ("text", "label")) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *data])
    return path


def opened(
    dataset: Path | str | None, split: str = "train", task: str = "text_classification", **more: Any
) -> OpenTask:
    return TASKS.get(task).open(task, split, None if dataset is None else str(dataset), **more)


def pairs(dataset: Path | str | None, split: str, **more: Any) -> list[tuple[str, str]]:
    """Text and label name of every example."""
    found = opened(dataset, split, **more)
    return [
        (text, found.answer.names[n]) for text, n in zip(found.examples["text"], found.examples.target, strict=True)
    ]


# ---------------------------------------------------------------- splits


def test_one_file_is_dealt_out_by_each_texts_own_hash(tmp_path):
    data = rows(3000) + [(text, 1 - label) for text, label in rows(600)] + rows(300)  # repeats, some with another label
    path = write_csv(tmp_path / "a.csv", data)
    parts = {split: pairs(path, split) for split in SPLITS}
    assert sorted(pair for part in parts.values() for pair in part) == sorted((t, str(n)) for t, n in data)
    texts = {split: {text for text, _ in part} for split, part in parts.items()}
    assert not texts["train"] & texts["validation"] and not texts["test"] & (texts["train"] | texts["validation"])
    assert [len(texts[split]) / 3000 for split in SPLITS] == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    turned = write_csv(tmp_path / "b.csv", data[::-1])
    assert all({text for text, _ in pairs(turned, split)} == texts[split] for split in SPLITS)


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_a_folder_has_a_file_for_each_split_by_any_usual_name(tmp_path, name):
    for number, split in enumerate(("train", name, "test")):
        write_csv(tmp_path / f"{split}.csv", rows(20, start=100 * number))
    found = [[text for text, _ in pairs(tmp_path, split)] for split in SPLITS]
    assert found == [[text for text, _ in rows(20, start=start)] for start in (0, 100, 200)]


def test_a_folder_without_validation_gives_a_tenth_of_train(tmp_path):
    write_csv(tmp_path / "train.csv", rows(2000))
    write_csv(tmp_path / "test.csv", rows(50, start=5000))
    train, validation, test = ({text for text, _ in pairs(tmp_path, split)} for split in SPLITS)
    assert train | validation == {text for text, _ in rows(2000)} and not train & validation
    assert len(validation) / 2000 == pytest.approx(0.1, abs=0.02)
    assert test == {text for text, _ in rows(50, start=5000)}


@pytest.mark.parametrize(
    "names",
    [
        ("train-00000-of-00002.csv", "train-00001-of-00002.csv", "test.csv"),
        ("train_0.csv", "train_1.csv", "test_0.csv"),
        ("train/first.csv", "train/second.csv", "test/only.csv"),
        ("data/train-0.csv", "data/train-1.csv", "data/test.csv"),
        ("train-0.csv", "train-1.csv.gz", "test.csv"),
    ],
)
def test_a_split_may_be_in_several_files(tmp_path, names):
    import gzip

    for number, name in enumerate(names):
        path = write_csv(tmp_path / name, rows(200, start=200 * number))
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
    train = pairs(tmp_path, "train") + pairs(tmp_path, "validation")
    assert sorted(train) == sorted((text, str(label)) for text, label in rows(400))
    assert {text for text, _ in pairs(tmp_path, "test")} == {text for text, _ in rows(200, start=400)}


def test_a_folder_with_one_file_is_that_file(tmp_path):
    path = write_csv(tmp_path / "folder.csv" / "reviews.csv", rows(300))
    assert all(pairs(path.parent, split) == pairs(path, split) for split in SPLITS)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("train.csv", "train.jsonl"), "2 files for the split 'train': train.csv, train.jsonl. Keep one"),
        (("train-0.csv", "train-1.jsonl"), "2 files for the split 'train'"),
        (("train.csv", "valid.csv", "dev.csv"), "2 files for the split 'validation'"),
        (("a.csv", "b.csv"), "called after a split, as train.csv; there are: a.csv, b.csv"),
        (("notes.txt",), "holds no .csv"),
        (("test.csv",), "no split 'train'; there are: test"),
    ],
)
def test_a_folder_that_cannot_be_understood_is_refused(tmp_path, files, message):
    for name in files:
        if name.endswith(".jsonl"):
            (tmp_path / name).write_text("".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in rows(9)))
        else:
            write_csv(tmp_path / name, rows(9))
    with pytest.raises((BadData, BadArgument), match=message):
        opened(tmp_path)


def test_other_splits_go_by_their_files_names(tmp_path):
    for name in ("train", "validation", "test", "test_old", "hard"):
        write_csv(tmp_path / f"{name}.csv", [(f"{name} {text}", label) for text, label in rows(9)])
    assert all(text.startswith(f"{name} text") for name in ("test", "test_old") for text, _ in pairs(tmp_path, name))
    assert len(pairs(tmp_path, "hard")) == 9
    with pytest.raises(BadArgument, match="no split 'easy'; there are: hard, test, test_old, train, validation"):
        opened(tmp_path, "easy")


def test_a_file_too_small_for_a_split_says_so(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("one text", 0), ("one text", 1)])
    found = []
    for split in SPLITS:
        try:
            found.append(len(opened(path, split).examples))
        except BadData as error:
            assert "has only 2" in str(error) and "Give more rows" in str(error)
    assert found in ([], [2])


# ---------------------------------------------------------------- labels


def test_labels_are_found_in_the_whole_file_and_not_only_in_its_training_part(tmp_path):
    path = write_csv(tmp_path / "a.csv", rows(200, 2) + [(f"rare {i}", 7 + i) for i in range(20)])
    names = {split: opened(path, split).answer.names for split in SPLITS}
    assert set(names.values()) == {("0", "1", *map(str, range(7, 27)))}


def test_a_test_label_that_train_lacks_is_named_with_its_row(tmp_path):
    write_csv(tmp_path / "train.csv", [("a", "x"), ("b", "y")] * 20)
    write_csv(tmp_path / "test-0.csv", [("c", "x")] * 3)
    write_csv(tmp_path / "test-1.csv", [("c", "x"), ("d", "z")])
    with pytest.raises(BadData, match=r"label of row 2 of .*test-1.csv is 'z'; the labels are: x, y.*labels=\["):
        opened(tmp_path, "test")
    assert pairs(tmp_path, "test", labels=["x", "y", "z"])[-1] == ("d", "z")


def test_the_row_of_a_strange_label_is_the_files_row(tmp_path):
    data = [*rows(500), ("strange", 9), *rows(100, start=500)]
    path = write_csv(tmp_path / "a.csv", data)
    messages = []
    for split in SPLITS:
        try:
            opened(path, split, labels=["no", "yes"])
        except BadData as error:
            messages.append(str(error))
    assert messages and all("the label of row 501 of" in message and "is 9" in message for message in messages)


def test_label_names_given_stand_for_numbers_and_for_themselves(tmp_path):
    path = write_csv(tmp_path / "a.csv", rows(400, 3))
    assert {name for _, name in pairs(path, "train", labels=["low", "middle", "high"])} == {"low", "middle", "high"}
    assert dict(pairs(path, "train", labels=["2", "1", "0"])) == dict(pairs(path, "train"))


@pytest.mark.parametrize("count", [2, 7, 256, 300])
def test_an_environment_has_an_action_for_each_label(tmp_path, count):
    path = write_csv(
        tmp_path / "my.csv", [(f"t{i % count} text {i}", f"label {i % count:03d}") for i in range(count * 4)]
    )
    names = [f"label {i:03d}" for i in range(count)] if count > 256 else None  # so many only if they are asked for
    env = gym.make("nlp/text_classification-label-v0", dataset=str(path), labels=names)
    assert isinstance(env.action_space, gym.spaces.Discrete) and env.action_space.n == count
    env.reset(seed=1)
    assert env.step(env.unwrapped.oracle_action())[1] == 1.0  # type: ignore[attr-defined]
    if names:
        with pytest.raises(BadData, match="300 different values"):
            gym.make("nlp/text_classification-label-v0", dataset=str(path))


ODD = ["😀 🎉", "שלום עולם", "", "a", "x" * 100_000, "a\x00b", "\ufeff", "!!!", "  spaced   out  ", "日本語の文です"]


@pytest.mark.parametrize("dynamics", ["label", "read"])
@pytest.mark.parametrize("encoder", ["tfidf", "hashing"])
def test_odd_texts_can_be_played(tmp_path, dynamics, encoder):
    path = tmp_path / "a.jsonl"
    lines = [{"text": f"{text}{i}" if text else "", "label": i % 3} for i in range(9) for text in ODD]
    lines.append({"text": "half \ud800 pair", "label": 0})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    env: Any = gym.make(
        f"nlp/text_classification-{dynamics}-v0", dataset=str(path), encoder=encoder, order="sequential"
    )
    for _ in range(len(env.unwrapped.task.examples)):
        seen, _ = env.reset()
        assert env.observation_space.contains(seen)
        assert env.step(env.unwrapped.oracle_action())[2]


# ---------------------------------------------------------------- named tasks


def test_every_named_task_reads_its_folder_in_nlp_gym_data_first(tmp_path, monkeypatch):
    monkeypatch.setenv("NLP_GYM_DATA", str(tmp_path))
    monkeypatch.setattr(datasets, "load_dataset", None)  # not to be called
    for name in NAMED:
        labels = TASKS.get(name).answer.names
        for number, split in enumerate(SPLITS):
            data = [(f"{split} {i}", labels[i % len(labels)] if number else i % len(labels)) for i in range(100)]
            write_csv(tmp_path / name / f"{split}.csv", data)
        for split in SPLITS:
            assert pairs(None, split, task=name) == [(f"{split} {i}", labels[i % len(labels)]) for i in range(100)]


def layouts() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The splits and columns that the data sets' cards tell of; sst2's test labels are hidden."""

    def made(split: str, labels: int, count: int, text: str = "text", label: str = "label") -> list[dict[str, Any]]:
        return [{text: f"{split} text {i}", label: i % labels} for i in range(count)]

    sst2 = {split: made(split, 2, 60, "sentence") for split in ("train", "validation")}
    sst2["test"] = [{"sentence": f"hidden {i}", "label": -1} for i in range(9)]
    trec = {s: [{"text": f"{s} text {i}", "coarse_label": i % 6, "fine_label": i % 50} for i in range(300)]
            for s in ("train", "test")}  # fmt: skip
    imdb = {split: made(split, 2, 200) for split in ("train", "test")}
    imdb["unsupervised"] = [{"text": "x", "label": -1}]
    return {
        "stanfordnlp/sst2": sst2,
        "SetFit/sst5": {split: made(split, 5, 60) for split in SPLITS},
        "fancyzhx/ag_news": {split: made(split, 4, 200) for split in ("train", "test")},
        "CogComp/trec": trec,
        "stanfordnlp/imdb": imdb,
        "cornell-movie-review-data/rotten_tomatoes": {split: made(split, 2, 60) for split in SPLITS},
        "dair-ai/emotion": {split: made(split, 6, 60) for split in SPLITS},
    } | {TASKS.get(name).source.name: layout(name) for name in OTHERS}  # fmt: skip


def layout(name: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a named task without labels, as its data set's card tells of them."""
    task = TASKS.get(name)
    made = {split: laid_out(stand_in_rows(name, task, split), task.source.columns) for split in SPLITS}
    found = {split: made[split] for split in OTHERS[name]}
    if len(found) == 1:  # enough of them to be dealt out
        return {split: [row for rows in made.values() for row in rows] for split in found}
    if name in HIDDEN:
        found["test"] = [row | {"answerKey": ""} for row in found["test"]]
    return found


def examples_of(name: str, split: str, dataset: Path | str | None = None, **more: Any) -> list[tuple[Any, ...]]:
    """Every example: the texts that it shows, and its accepted answers."""
    found = opened(dataset, split, name, **more)
    return list(zip(*found.examples.columns.values(), found.accepted, strict=True))


@pytest.fixture
def hub(monkeypatch) -> list[tuple[Any, ...]]:
    """A stand-in for the Hub: the documented layouts, and a note of what was asked for."""
    asked: list[tuple[Any, ...]] = []

    def load_dataset(name: str, config: str | None = None, revision: str | None = None) -> datasets.DatasetDict:
        asked.append((name, config, revision))
        found = layouts()[name]
        return datasets.DatasetDict({split: datasets.Dataset.from_list(data) for split, data in found.items()})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


@pytest.mark.parametrize("name", NAMED)
def test_the_hubs_splits_become_ours(hub, name):
    source = TASKS.get(name).source
    assert isinstance(source, Hub)
    layout, labels = layouts()[source.name], TASKS.get(name).answer.names
    text, label = source.columns["text"], source.columns["label"]
    whole = {
        split: [(row[text], labels[row[label]]) for row in data if row[label] >= 0] for split, data in layout.items()
    }
    train, validation, test = (pairs(None, split, task=name) for split in SPLITS)
    assert test == whole["validation" if name == "sst2" else "test"]
    if "validation" in whole and name != "sst2":
        assert (train, validation) == (whole["train"], whole["validation"])
    else:
        assert sorted(train + validation) == sorted(whole["train"])
        assert 0 < len(validation) < len(train) / 3 and not {t for t, _ in train} & {t for t, _ in validation}
    assert hub == [(source.name, source.config, source.revision)]  # once for the three splits


@pytest.mark.parametrize("name", OTHERS)
def test_the_hubs_splits_become_ours_without_labels_too(hub, tmp_path, name):
    task, theirs = TASKS.get(name), layout(name)
    assert isinstance(task.source, Hub)
    found = {split: examples_of(name, split) for split in SPLITS}
    asked = list(hub)
    whole = {}
    for split, data in theirs.items():
        if not (name in HIDDEN and split == "test"):
            for part in SPLITS:
                write_rows(tmp_path / split / f"{part}.jsonl", data)
            whole[split] = examples_of(name, "test", tmp_path / split)
    assert asked == [(task.source.name, task.source.config, task.source.revision)]  # once for the three splits
    if name == "xquad":
        assert sorted(found["train"] + found["validation"] + found["test"]) == sorted(whole["validation"])
        assert examples_of(name, "all") == whole["validation"]
    elif "test" in whole:
        assert {split: sorted(rows) for split, rows in found.items()} == {s: sorted(rows) for s, rows in whole.items()}
    else:
        assert sorted(found["test"]) == sorted(whole["validation"])
        assert sorted(found["train"] + found["validation"]) == sorted(whole["train"])
        assert 0 < len(found["validation"]) < len(found["train"])


@pytest.mark.parametrize("name", [*OTHERS, "tanaka_en_ja"])
def test_every_other_named_task_reads_its_folder_in_nlp_gym_data_first(tmp_path, monkeypatch, name):
    monkeypatch.setenv("NLP_GYM_DATA", str(tmp_path))
    monkeypatch.setattr(datasets, "load_dataset", None)  # not to be called
    task = TASKS.get(name)
    for split in SPLITS:
        write_rows(tmp_path / name / f"{split}.jsonl", laid_out(stand_in_rows(name, task, split), task.source.columns))
    for split, count in zip(SPLITS, (48, 24, 18), strict=True):
        found = examples_of(name, split)
        assert len(found) == count and len(set(found)) > count / 2
        assert all(accepted for *_, accepted in found)


def test_what_is_on_no_hub_says_where_it_is(monkeypatch):
    monkeypatch.setattr(datasets, "load_dataset", None)  # not to be called
    assert isinstance(TASKS.get("tanaka_en_ja").source, Elsewhere)
    with pytest.raises(
        NotAvailable, match=r"is on no Hub; take it from https://.*NLP_GYM_DATA is not set. Either give"
    ):
        opened(None, task="tanaka_en_ja")


def test_a_task_of_ours_knows_the_other_configurations_of_its_data_set(hub, monkeypatch):
    examples_of("xquad", "test", "google/xquad:xquad.de")
    examples_of("iwslt2017_en_de", "test", "IWSLT/iwslt2017:iwslt2017-de-en",
                columns={"source": "translation.de", "target": "translation.en"})  # fmt: skip
    assert hub == [("google/xquad", "xquad.de", None), ("IWSLT/iwslt2017", "iwslt2017-de-en", "refs/convert/parquet")]


def test_a_pair_of_languages_can_be_turned_round_by_keyword(tmp_path):
    rows = [{"en": f"word {i}", "de": f"Wort {i}"} for i in range(60)]
    write_rows(tmp_path / "columns.csv", rows)
    write_rows(tmp_path / "nested.jsonl", [{"translation": row} for row in rows])
    write_rows(tmp_path / "nested.parquet", [{"translation": row} for row in rows])
    for path, prefix in (("columns.csv", ""), ("nested.jsonl", "translation."), ("nested.parquet", "translation.")):
        for source, target in (("en", "de"), ("de", "en")):
            columns = {"source": prefix + source, "target": prefix + target}
            for name in ("multi30k_en_de", "wmt14_de_en", "iwslt2017_en_de", "translation"):
                found = [row for split in SPLITS for row in examples_of(name, split, tmp_path / path, columns=columns)]
                assert sorted(found) == sorted((r[source], r[source], (r[target],)) for r in rows)


def test_no_revision_is_made_up():
    revisions = {name: TASKS.get(name).source.revision for name in (*NAMED, *OTHERS)}
    assert set(revisions.values()) <= {None, "refs/convert/parquet"}  # the Hub's own branch of converted files


@pytest.mark.parametrize(("task", "text", "label"), [("sst2", "sentence", "label"), ("trec6", "text", "coarse_label"),
                                                     ("trec50", "text", "fine_label")])  # fmt: skip
def test_a_named_task_knows_its_columns_in_a_local_copy_too(tmp_path, task, text, label):
    names = TASKS.get(task).answer.names
    columns = {"idx": list(range(400)), text: [f"text {i}" for i in range(400)]}
    for column in ("coarse_label", "fine_label", "label"):
        if column == label or label != "label":
            columns[column] = [i % len(names) if column == label else 0 for i in range(400)]
    feature = {label: {"names": list(names), "_type": "ClassLabel"}}
    metadata = {b"huggingface": json.dumps({"info": {"features": feature}}).encode()}
    parquet.write_table(pyarrow.table(columns).replace_schema_metadata(metadata), tmp_path / "copy.parquet")
    assert opened(tmp_path / "copy.parquet", task=task).answer.names == names
    found = [pair for split in SPLITS for pair in pairs(tmp_path / "copy.parquet", split, task=task)]
    assert sorted(found) == sorted((f"text {i}", names[i % len(names)]) for i in range(400))


def test_a_hub_data_set_can_be_asked_for_with_its_configuration(hub):
    assert len(pairs("dair-ai/emotion:split", "test")) == 60
    assert hub == [("dair-ai/emotion", "split", None)]


def test_hidden_labels_are_called_so(hub):
    source = Hub("stanfordnlp/sst2", {"text": "sentence"})
    with pytest.raises(BadData, match="-1 everywhere means that this split's labels are kept secret"):
        corpora.load(source, {}, Label(("negative", "positive")), "test")


REAL = os.environ.get("NLP_GYM_TEST_DATA", "")


REAL_SETS = (
    "sst2",
    "sst5",
    "ag_news",
    "trec6",
    "trec50",
    "multi30k_en_de",
    "tanaka_en_ja",
    "squad",
    "commonsense_qa",
    "babi_qa",
)
HUB_LAYOUTS = {  # a folder of files laid out as on the Hub: the task that reads them, and how
    "sst2": ("sst2", {}),
    "ag_news": ("ag_news", {}),
    "trec": ("trec50", {}),
    "squad": ("squad_v2", {}),
    "commonsense_qa": ("commonsense_qa", {}),
    "multi30k_columns": ("multi30k_en_de", {}),
    "multi30k_wmt_style": ("wmt14_de_en", {}),
}
real = pytest.mark.skipif(not REAL, reason="NLP_GYM_TEST_DATA names no folder of real data sets")


@real
@pytest.mark.parametrize("name", REAL_SETS)
def test_real_data_sets_have_the_rows_their_manifest_tells(monkeypatch, name):
    monkeypatch.setenv("NLP_GYM_DATA", REAL)
    manifest = json.loads((Path(REAL) / "manifest.json").read_text())
    for split, facts in manifest[name]["files"].items():
        task = opened(None, split, task=name)
        assert len(task.examples) == facts["rows"]
        assert all(all(accepted) for accepted in task.accepted)
        best = task.answer.parse_all(np.array([accepted[0] for accepted in task.accepted], object), task.examples)
        assert task.metric.score(task.metric.counts(best, task.examples.target).sum(0)) == pytest.approx(1)


@real
def test_real_rows_read_as_they_stand_in_their_files(monkeypatch):
    monkeypatch.setenv("NLP_GYM_DATA", REAL)
    for name in ("multi30k_en_de", "tanaka_en_ja", "squad", "commonsense_qa", "babi_qa"):
        lines = (Path(REAL) / name / "test.jsonl").read_text(encoding="utf-8").splitlines()
        for row, *shown, accepted in zip(map(json.loads, lines), *columns_of(name), strict=True):
            if "choices" in row:
                assert shown == [row["question"], "", tuple(dict.fromkeys(row["choices"]))]
                assert accepted == (row["choices"][row["answer"]],)
            elif "answers" in row:
                assert shown == [row["context"], row["question"]]
                assert accepted == tuple(dict.fromkeys(row["answers"]["text"]))
                assert all(answer in row["context"] for answer in accepted)
            elif "source" in row:
                assert (shown, accepted) == ([row["source"]], (row["target"],))
            else:
                assert (shown, accepted) == ([row["context"], row["question"]], (row["answer"],))


def columns_of(name: str) -> list[Any]:
    """The columns of a task's test split but the first, its text, and the accepted answers."""
    task = opened(None, "test", task=name)
    return [*list(task.examples.columns.values())[1:], task.accepted]


@real
@pytest.mark.parametrize("folder", HUB_LAYOUTS)
def test_real_rows_in_the_hubs_layout_are_read_without_a_word(folder):
    name, options = HUB_LAYOUTS[folder]
    facts = json.loads((Path(REAL) / "manifest.json").read_text())["hub_layout"]["sets"][folder]
    found = [row for split in SPLITS for row in examples_of(name, split, Path(REAL) / facts["file"], **options)]
    assert len(found) == facts["rows"] and all(all(accepted) for *_, accepted in found)


# ---------------------------------------------------------------- no network


@pytest.mark.parametrize(("offline", "seconds"), [("0", 8), ("1", 2)])
def test_without_a_network_there_is_an_answer_at_once(tmp_path, offline, seconds):
    program = """if True:
        import time, nlp_gym_envs, gymnasium, datasets, huggingface_hub  # what importing takes is not measured
        for options in ({"id": "nlp/sst2-label-v0"},
                        {"id": "nlp/sentiment-label-v0", "encoder": "some/model", "dataset": "a.csv"},
                        {"id": "nlp/sentiment-label-v0", "dataset": "some/data"}):
            start = time.perf_counter()
            try: gymnasium.make(**options)
            except nlp_gym_envs.NotAvailable as error: print(time.perf_counter() - start, error)
    """
    environment = {k: v for k, v in os.environ.items() if not k.upper().endswith("_PROXY")} | {
        "PYTHONPATH": ROOT, "HF_HUB_OFFLINE": offline, "HF_DATASETS_OFFLINE": offline, "HF_HOME": str(tmp_path),
        "HF_ENDPOINT": "http://127.0.0.1:9", "NLP_GYM_CACHE": str(tmp_path / "cache")}  # fmt: skip
    environment.pop("NLP_GYM_DATA", None)
    write_csv(tmp_path / "a.csv", rows(100))
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True,
                          text=True, check=True)  # fmt: skip
    told = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert [float(took) < seconds for took, _ in told] == [True] * 3
    why = "HF_HUB_OFFLINE is set" if offline == "1" else "http://127.0.0.1:9.* cannot be reached"
    for (_, message), wanted in zip(told, ("stanfordnlp/sst2", "some/model", "some/data"), strict=True):
        assert re.search(f"{wanted}.*no local.*Hub's cache on this machine.*{why}", message)
        assert "give a local" in message


def test_an_address_that_swallows_everything_is_given_up_in_seconds(monkeypatch):
    from nlp_gym_envs.text import hub

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def swallow(*_: Any, **__: Any) -> None:
        time.sleep(2)
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", swallow)
    start = time.perf_counter()
    assert not hub.within_reach(0.2)
    assert time.perf_counter() - start < 1.5


def test_a_hub_that_says_no_is_quoted(monkeypatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("Config name is missing")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    monkeypatch.setattr("nlp_gym_envs.text.hub.within_reach", lambda: True)
    with pytest.raises(NotAvailable, match="the Hub says: ValueError: Config name is missing"):
        opened("nyu-mll/glue")


# ---------------------------------------------------------------- read once


def test_a_file_is_read_and_encoded_once_for_all_splits_and_environments(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "a.csv", rows(1000))
    calls = {"read": 0, "encode": 0, "fit": 0}

    def counted(owner: Any, name: str, what: str) -> None:
        method = getattr(owner, name)

        def call(*args: Any, **options: Any) -> Any:
            calls[what] += 1
            return method(*args, **options)

        monkeypatch.setattr(owner, name, call)

    tfidf = encoding.ENCODERS.get("tfidf")
    counted(splits, "read", "read")
    counted(tfidf, "encode", "encode")
    counted(tfidf, "fit", "fit")
    kept = [gym.make("nlp/text_classification-label-v0", dataset=str(path), split=split)
            for split in ("train", "validation", *["train"] * 16)]  # fmt: skip
    assert calls == {"read": 1, "encode": 2, "fit": 1}
    first: Any = kept[0].unwrapped
    assert all(env.unwrapped.task.train is first.task.train for env in kept)  # type: ignore[attr-defined]


def test_a_file_that_has_changed_is_read_again(tmp_path):
    path = write_csv(tmp_path / "a.csv", rows(100))
    before = sum(len(pairs(path, split)) for split in SPLITS)
    write_csv(path, rows(150))
    assert (before, sum(len(pairs(path, split)) for split in SPLITS)) == (100, 150)


def test_a_pickled_or_copied_environment_does_not_carry_the_corpus(tmp_path):
    sizes = {}
    for count in (100, 10_000):
        path = write_csv(tmp_path / f"{count:06d}.csv", rows(count))
        env: Any = gym.make("nlp/text_classification-label-v0", dataset=str(path)).unwrapped
        written = pickle.dumps(env)
        sizes[count] = len(written)
        again = pickle.loads(written)
        assert again.task.train is env.task.train and copy.deepcopy(env).task.train is env.task.train
        np.testing.assert_array_equal(again.reset(seed=5)[0], env.reset(seed=5)[0])
    assert abs(sizes[10_000] - sizes[100]) < 200


MILLION = """if True:
    import resource, time, nlp_gym_envs, gymnasium
    start = time.perf_counter()
    envs = [gymnasium.make("nlp/text_classification-label-v0", dataset=PATH, encoder=ENCODER, split=split)
            for split in ("train", "validation", *["train"] * 16)]
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_million_rows_fit_in_minutes_and_in_a_few_gigabytes(tmp_path):
    path = write_csv(
        tmp_path / "a.csv", [(f"w{i % 997} w{i % 1009} w{i} topic{i % 4}", i % 4) for i in range(1_000_000)]
    )
    for encoder in ("tfidf", "hashing"):
        program = MILLION.replace("PATH", repr(str(path))).replace("ENCODER", repr(encoder))
        environment = {**os.environ, "PYTHONPATH": ROOT, "NLP_GYM_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        seconds, gibibytes = map(float, done.stdout.split())
        assert seconds < 500 and gibibytes < 6


def test_files_are_told_apart_from_hub_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner").mkdir()
    names = ("owner/name", "name", "owner/name:part", "x.csv", "x.jsonl.gz", "./x", "a/b/c", "owner", "x y")
    kinds = {name: type(corpora.source_of("sst2", corpora.BuiltIn("x"), name)) for name in names}
    hub = {"owner/name", "name", "owner/name:part"}
    assert {name for name, kind in kinds.items() if kind is Hub} == hub
    assert {name for name, kind in kinds.items() if kind is Files} == set(kinds) - {
        "owner/name",
        "name",
        "owner/name:part",
    }
