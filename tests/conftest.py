"""Every test runs offline, with a cache of its own, on stand-ins for the named data sets.

Built-in corpora are real; the contract tests write an eighth as many texts of them.
"""

import csv
import functools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SIZES = {"train": 3, "validation": 2, "test": 1}  # texts of each label
LEAST = {"train": 48, "validation": 24, "test": 18}  # texts in all, where there are few labels
WORDS = (
    "the old miller walks along a quiet river and counts seven grey boats before rain falls on every "
    "garden while two clerks read letters near an open window about bread maps snow clocks and lamps"
).split()
SMALL_LABELS = 3
SYLLABLES = ("ba", "co", "di", "fu", "ge", "ha", "jo", "ku", "le", "mi", "no", "pu", "ra", "si", "to", "vu")

FIRST_PROCESS = "PYTEST_XDIST_WORKER" not in os.environ  # xdist's workers inherit what it sets
if FIRST_PROCESS:
    os.environ["NLP_GYM_TEST_FOLDER"] = tempfile.mkdtemp(prefix="nlp_gym_tests_")
FOLDER = Path(os.environ["NLP_GYM_TEST_FOLDER"])
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    OMP_NUM_THREADS="1",
    NLP_GYM_CACHE=str(FOLDER / "cache"),
    NLP_GYM_DATA=str(FOLDER / "data"),
)


def stand_in(labels: int, split: str) -> list[tuple[str, int]]:
    """Short invented texts and their labels: a label shows in one word, and in one text of eight that word misleads."""
    chance = random.Random(f"{labels} {split}")
    count = max(LEAST[split], SIZES[split] * labels)
    rows = []
    for number in range(count):
        label = number % labels if chance.random() < 0.8 else 0  # label 0 is the commonest
        told = label if chance.random() < 7 / 8 else chance.randrange(labels)
        words = chance.choices(WORDS, k=chance.randint(3, 14))
        words.insert(chance.randint(0, len(words)), SYLLABLES[told % 16] + SYLLABLES[told // 16] + "ne")
        rows.append((" ".join([*words, split, str(number)]), label))
    return rows


def write_csv(path: Path, columns: tuple[str, str], rows: list[tuple[str, Any]]) -> None:
    """A file that `dataset=` can name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def pairs(split: str) -> list[tuple[str, str]]:
    """Sentences of 3 to 8 words and their word-for-word translations into an invented language."""
    chance = random.Random(f"pairs {split}")
    words = [chance.choices(WORDS[:30], k=chance.randint(3, 8)) for _ in range(LEAST[split])]
    return [(" ".join(sentence), " ".join(map(translated, sentence))) for sentence in words]


def translated(word: str) -> str:
    """The invented word for one of `WORDS`."""
    place = WORDS.index(word)
    return SYLLABLES[place % 16] + SYLLABLES[place // 16] + "ko"


def passages(split: str, unanswerable: bool = False) -> list[tuple[str, str, str]]:
    """Contexts of 2 to 4 sentences, a question about one of them, and its answer: a word of the context, or ""."""
    chance = random.Random(f"passages {split}")
    rows = []
    for number in range(LEAST[split]):
        names = chance.sample(SYLLABLES, chance.randint(2, 4))
        things = chance.sample(WORDS, len(names))
        told = [f"{name.title()}{split} saw {thing}." for name, thing in zip(names, things, strict=True)]
        absent = unanswerable and number % 4 == 3
        asked = "Nobody" if absent else f"{names[number % len(names)].title()}{split}"
        rows.append((" ".join(told), f"What did {asked} see?", "" if absent else things[number % len(names)]))
    return rows


def questions(split: str, choices: int) -> list[tuple[str, list[str], int]]:
    """A question, its choices, and the right one's index: it shares a word with the question in 3 of 4 cases."""
    chance = random.Random(f"questions {split} {choices}")
    rows = []
    for number in range(LEAST[split]):
        words = chance.sample(SYLLABLES, choices)
        offered = [f"{word} {chance.choice(WORDS)}" for word in words]
        right = chance.randrange(choices)
        shared = words[right] if number % 4 else words[right - 1]
        rows.append((f"Which has {shared} in {split} {number}?", offered, right))
    return rows


def stand_in_rows(name: str, task: Any, split: str) -> list[dict[str, Any]]:
    """Rows of a named task whose answers are no labels, field by field, as the data set holds them."""
    fields = task.answer.fields
    if "choices" in fields:
        letters = "1234" if name == "arc_easy" else "ABCDEFGH"
        rows = questions(split, {"qasc": 8, "commonsense_qa": 5}.get(name, 4))
        facts = {"fact1": "One fact.", "fact2": "Another.", "combinedfact": "Both."} if name == "qasc" else {}
        return [
            {"question": asked, "choices": {"text": offered, "label": list(letters[: len(offered)])},
             "answer": letters[right], **facts}
            for asked, offered, right in rows
        ]  # fmt: skip
    told = passages(split, name == "squad_v2")
    if "answers" in fields:
        starts = [[context.index(answer)] if answer else [] for context, _, answer in told]
        return [
            {"context": context, "question": asked,
             "answers": {"text": [answer] if answer else [], "answer_start": start}}
            for (context, asked, answer), start in zip(told, starts, strict=True)
        ]  # fmt: skip
    if "answer" in fields:
        asked = [f"Did {about.split()[2]} see {answer if n % 3 else 'nothing'}?"
                 for n, (_, about, answer) in enumerate(told)]  # fmt: skip
        return [{"context": told[n][0], "question": text, "answer": n % 3 > 0} for n, text in enumerate(asked)]
    if "context" in fields:
        return [{"context": context, "question": asked, "target": answer} for context, asked, answer in told]
    return [{"source": source, "target": target} for source, target in pairs(split)]


def laid_out(rows: list[dict[str, Any]], columns: Any) -> list[dict[str, Any]]:
    """The rows under the data set's own names; one with a dot leads into a column of named values."""
    found: list[dict[str, Any]] = []
    for row in rows:
        made: dict[str, Any] = {}
        for field, value in row.items():
            *path, last = columns.get(field, field).split(".")
            inner = made
            for step in path:
                inner = inner.setdefault(step, {})
            inner[last] = value
        found.append(made)
    return found


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows in the format that the file's name says: csv, jsonl, json or parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([list(rows[0]), *(row.values() for row in rows)])
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def small_data(folder: Path, task: Any, shift: int = 0, only: int | None = None, shifted: str = "validation") -> str:
    """A small data set for any task of the same form; in the split `shifted` all answers (or only one) are others."""
    labelled = "label" in task.answer.fields
    for split in SIZES:
        if labelled:
            rows = [{"text": text, "label": label} for text, label in stand_in(SMALL_LABELS, split)]
        else:
            rows = stand_in_rows("squad_v2" if "answers" in task.answer.fields else "", task, split)
        if split == shifted and shift:
            rows = [with_another_answer(row) if only in (None, number) else row for number, row in enumerate(rows)]
        write_rows(folder / (f"{split}.csv" if labelled else f"{split}.jsonl"), rows)
    return str(folder)


def with_another_answer(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `small_data` whose answer is wrong, and all else the same."""
    if "label" in row:
        return {**row, "label": (row["label"] + 1) % SMALL_LABELS}
    if "choices" in row:
        letters = row["choices"]["label"]
        return {**row, "answer": letters[(letters.index(row["answer"]) + 1) % len(letters)]}
    if "answer" in row:
        return {**row, "answer": not row["answer"]}
    if "answers" in row:
        return {**row, "answers": {"text": [row["context"].split()[0]], "answer_start": [0]}}
    return {**row, "target": " ".join([*reversed(row["target"].split()), "dufuko"])}


def _write_stand_ins() -> None:
    from nlp_gym_envs.answers import Label
    from nlp_gym_envs.task import TASKS
    from nlp_gym_envs.text.corpora import BuiltIn

    tasks = {name: TASKS.get(name) for name in TASKS.names()}
    labelled = {name: task for name, task in tasks.items() if isinstance(task.answer, Label)}
    for place, (name, task) in enumerate(labelled.items()):
        if isinstance(task.source, BuiltIn):
            continue
        columns = (task.source.columns["text"], task.source.columns["label"])
        for split in SIZES:
            rows = stand_in(len(task.answer), split)
            path = FOLDER / "data" / name / split
            if place % 2:  # label numbers in a table, label names in JSON lines
                write_csv(path.with_suffix(".csv"), columns, rows)
            else:
                named = [(text, task.answer.names[label]) for text, label in rows]
                write_rows(path.with_suffix(".jsonl"), [dict(zip(columns, row, strict=True)) for row in named])
    for place, (name, task) in enumerate(tasks.items()):
        if name in labelled or isinstance(task.source, BuiltIn):
            continue
        for split in SIZES:
            rows = laid_out(stand_in_rows(name, task, split), task.source.columns)
            flat = not any(isinstance(value, dict | list) for value in rows[0].values())
            suffix = (".csv" if flat else ".parquet", ".jsonl")[place % 2]
            write_rows(FOLDER / "data" / name / f"{split}{suffix}", rows)


if FIRST_PROCESS:
    _write_stand_ins()

import torch  # noqa: E402  after the number of threads is set

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A small data set for each id; tasks that read the same columns share one."""
    from play import task_of

    import nlp_gym_envs

    folders: dict[Any, str] = {}
    tasks = {env_id: task_of(env_id) for env_id in nlp_gym_envs.environment_ids()}
    for task in tasks.values():
        if task.answer.fields not in folders:
            folders[task.answer.fields] = small_data(tmp_path_factory.mktemp("small"), task)
    return {env_id: folders[task.answer.fields] for env_id, task in tasks.items()}


@pytest.fixture
def small(env_id: str, small_sets: dict[str, str]) -> str:
    """A small data set for the id."""
    return small_sets[env_id]


@pytest.fixture(scope="session")
def digest_elsewhere(small_sets: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The digest of an id's steps in another process, with other string hashes and an empty cache."""
    from play import changes_model, representatives

    here, cache = Path(__file__).parent, tmp_path_factory.mktemp("cache")
    (FOLDER / "cache" / "compiled").mkdir(parents=True, exist_ok=True)
    (cache / "compiled").symlink_to(FOLDER / "cache" / "compiled")  # machine code is no result
    path = [str(here.parent), str(here.parent / "agents"), os.getenv("PYTHONPATH")]
    environment = os.environ | {"PYTHONHASHSEED": "4711", "NLP_GYM_CACHE": str(cache),
                                "PYTHONPATH": os.pathsep.join(filter(None, path))}  # fmt: skip

    def kind(env_id: str) -> tuple[bool, bool]:
        return changes_model(env_id), env_id in representatives()

    @functools.cache
    def digests(wanted: tuple[bool, bool]) -> dict[str, str]:
        """One process for each contract's ids that take every test, and one for those that are slow."""
        asked = [f"{env_id}={folder}" for env_id, folder in small_sets.items() if kind(env_id) == wanted]
        done = subprocess.run([sys.executable, str(here / "play.py"), *asked], env=environment, check=True,
                              capture_output=True, text=True)  # fmt: skip
        return json.loads(done.stdout)

    return lambda env_id: digests(kind(env_id))[env_id]


@pytest.fixture(scope="module")
def short_corpora() -> Iterator[None]:
    """Built-in corpora of an eighth of their length, written and prepared in an eighth of the time."""
    from nlp_gym_envs.text import corpora
    from nlp_gym_envs.text.builtin import _grammar, _qa_splits, translation

    with pytest.MonkeyPatch.context() as patch:
        for sizes in (_grammar.SIZES, _qa_splits.SIZES, translation.SIZES):
            for split, size in list(sizes.items()):
                patch.setitem(sizes, split, size // 8)
        patch.setattr(corpora, "_code_beside", lambda _: "an eighth")  # they are not what is kept of the whole ones
        corpora._load.cache_clear()
        yield
    corpora._load.cache_clear()


def pytest_configure(config: pytest.Config) -> None:
    """Markers of our own."""
    config.addinivalue_line("markers", "everywhere: a test of the contract that every id takes in every run")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An id that is like another one takes the tests marked `everywhere`, with their first parameters; more is slow.

    Those whose kind is built in, too, take all tests with their first parameters.
    """
    files = ("test_contract.py", "test_contract_updates.py")
    contract = [item for item in items if item.path.name in files and hasattr(item, "callspec")]
    if not contract:
        return
    from play import echoes, representatives

    whole, half, taken = representatives() - echoes(), echoes(), set()
    for item in contract:
        call: Any = getattr(item, "callspec")  # noqa: B009  pytest adds it to items with parameters
        if "env_id" not in call.params:
            continue
        test: Any = getattr(item, "originalname")  # noqa: B009
        env_id = call.params["env_id"]
        first = (test, env_id) not in taken
        taken.add((test, env_id))
        if env_id not in whole and not (first and (env_id in half or item.get_closest_marker("everywhere"))):
            item.add_marker(pytest.mark.slow)


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    if FIRST_PROCESS:
        shutil.rmtree(FOLDER, ignore_errors=True)
