"""Forms of an answer: whatever the layout, the examples are the same; what is wrong is said with its place."""

import copy
import gzip
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import write_rows
from hypothesis import given
from hypothesis import strategies as st

from nlp_gym_envs.answers import Choice, FreeText, Span
from nlp_gym_envs.errors import BadArgument, BadData, NlpGymError
from nlp_gym_envs.task import TASKS, OpenTask, Task
from nlp_gym_envs.text import corpora
from nlp_gym_envs.text.corpora import SPLITS, Files
from nlp_gym_envs.text.examples import Examples

COUNT = 60  # rows: each of the three splits gets some
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No data of another test."""
    monkeypatch.delenv("NLP_GYM_DATA", raising=False)
    corpora.forget()
    yield
    corpora.forget()


def opened(task: str | Task, path: Path | str, split: str = "train", **more: Any) -> OpenTask:
    """A task on a file of one's own."""
    made = TASKS.get(task) if isinstance(task, str) else task
    return made.open("mine", split, str(path), **more)


def shown(task: str | Task, path: Path, **more: Any) -> list[list[tuple[Any, ...]]]:
    """Of every split: what each example shows, and its accepted answers."""
    found = []
    for split in SPLITS:
        part = opened(task, path, split, **more)
        columns = part.examples.columns
        found.append(list(zip(*(columns[name] for name in sorted(columns)), part.accepted, strict=True)))
    return found


# ---------------------------------------------------------------- one content, many layouts

NUMBERS = range(COUNT)
PAIRS = [(f"source {i}, text", f"target {i}", f"another {i}") for i in NUMBERS]
SPANS = [(f"Here stands word{i % 7} in passage {i // 3}.", f"What stands in {i}?", f"word{i % 7}") for i in NUMBERS]
CHOICES = [(f"Which is {i}?", [f"choice {i} {c}" for c in "wxyz"], i % 4) for i in NUMBERS]
YES = [(f"Is it {i}?", f"Passage {i}.", i % 3 > 0) for i in NUMBERS]
ABCD = {"choices": "a,b,c,d"}


def pairs(source: str = "source", target: str = "target") -> Rows:
    return [{source: first, target: second} for first, second, _ in PAIRS]


def spans(column: Any, **names: str) -> Rows:
    """Rows of SPANS; `column` makes the answers of one row."""
    keys = [names.get(name, name) for name in ("context", "question", "answers")]
    return [dict(zip(keys, (context, asked, column(answer)), strict=True)) for context, asked, answer in SPANS]


def choices(offered: Any, answer: Any, name: str = "answer") -> Rows:
    return [{"question": asked, "choices": offered(texts), name: answer(right)} for asked, texts, right in CHOICES]


def apart(answer: Any) -> Rows:
    """A column for each choice."""
    return [
        {"question": asked, **dict(zip("abcd", texts, strict=True)), "answer": answer(texts, right)}
        for asked, texts, right in CHOICES
    ]


def yes(answer: Any) -> Rows:
    return [{"question": asked, "passage": read, "answer": answer(right)} for asked, read, right in YES]


def struct(letters: str) -> Any:
    return lambda texts: {"text": texts, "label": list(letters)}


TEXT, MANY, SPAN, CHOICE, BOOLQ = "multi30k_en_de", "translation", "question_answering", "qasc", "boolq"
# fmt: off
LAYOUTS: dict[str, tuple[str, list[tuple[str, Rows, dict[str, str]]]]] = {  # task; file, rows, columns=
    "one reference": (TEXT, [
        ("a.csv", pairs(), {}),
        ("a.csv", pairs("en", "de"), {}),
        ("a.jsonl", pairs("mine", "yours"), {"source": "mine", "target": "yours"}),
        ("a.json", [row | {"target": [row["target"]]} for row in pairs()], {}),
        ("a.jsonl", [row | {"target": [row["target"]] * 2} for row in pairs()], {}),
        ("a.parquet", [row | {"target": [row["target"]]} for row in pairs()], {}),
        *((name, [{"translation": row} for row in pairs("en", "de")],
           {"source": "translation.en", "target": "translation.de"}) for name in ("a.json", "a.jsonl", "a.parquet")),
    ]),
    "two references": (MANY, [
        ("a.jsonl", [{"source": s, "target": [one, two]} for s, one, two in PAIRS], {}),
        ("a.parquet", [{"source": s, "references": [one, two]} for s, one, two in PAIRS], {}),
        *((name, [{"source": s, "one": one, "two": two} for s, one, two in PAIRS], {"target": "one, two"})
          for name in ("a.csv", "a.jsonl", "a.parquet")),
        ("a.jsonl", [{"source": s, "t": {"one": one, "two": two}} for s, one, two in PAIRS],
         {"target": "t.one,t.two"}),
    ]),
    "span": (SPAN, [
        ("a.csv", spans(str), {}),
        ("a.csv", spans(str, context="paragraph", answers="answer"), {}),
        *((name, spans(lambda text: [text]), {}) for name in ("a.json", "a.jsonl", "a.parquet")),
        *((name, spans(lambda text: {"text": [text, text], "answer_start": [12, 12]}), {})
          for name in ("a.jsonl", "a.parquet")),
        *((name, spans(lambda text: [{"text": text, "answer_start": 12}]), {}) for name in ("a.jsonl", "a.parquet")),
        ("a.parquet", [{"row": row} for row in spans(str)],
         {"context": "row.context", "question": "row.question", "answers": "row.answers"}),
    ]),
    "choice": (CHOICE, [
        ("a.csv", apart(lambda texts, right: right), ABCD),
        ("a.csv", apart(lambda texts, right: "ABCD"[right]), ABCD),
        ("a.csv", apart(lambda texts, right: texts[right]), ABCD),
        ("a.csv", apart(lambda texts, right: f" {texts[right]} "), ABCD),
        *((name, choices(list, int), {}) for name in ("a.json", "a.jsonl", "a.parquet")),
        *((name, choices(list, str), {}) for name in ("a.json", "a.parquet")),
        *((name, choices(list, "ABCD".__getitem__), {}) for name in ("a.jsonl", "a.parquet")),
        *((name, choices(struct("ABCD"), "ABCD".__getitem__, "answerKey"), {}) for name in ("a.jsonl", "a.parquet")),
        *((name, choices(struct("1234"), "1234".__getitem__, "answerKey"), {}) for name in ("a.jsonl", "a.parquet")),
        *((name, choices(struct("1234"), lambda right: right + 1), {}) for name in ("a.jsonl", "a.parquet")),
        ("a.jsonl", choices(lambda texts: [{"label": c, "text": t} for c, t in zip("ABCD", texts, strict=True)],
                            "ABCD".__getitem__), {}),
        ("a.jsonl", choices(lambda texts: [*texts, texts[0], texts[2]], int), {}),  # twice is once
        ("a.jsonl", choices(lambda texts: [texts[3], *texts], lambda right: right + 1), {}),
    ]),
    "boolean": (BOOLQ, [
        *((name, yes(bool), {}) for name in ("a.csv", "a.json", "a.jsonl", "a.parquet")),
        *((name, yes(int), {}) for name in ("a.csv", "a.json", "a.jsonl", "a.parquet")),
        *((name, yes(lambda right: str(right).lower()), {}) for name in ("a.csv", "a.json", "a.jsonl", "a.parquet")),
        *((name, yes(str), {}) for name in ("a.csv", "a.jsonl", "a.parquet")),
        *((name, yes(("no", "yes").__getitem__), {}) for name in ("a.csv", "a.jsonl", "a.parquet")),
        ("a.jsonl", yes(float), {}),
    ]),
}  # fmt: skip
# fmt: on
EXPECTED = {
    "one reference": [(first, first, (second,)) for first, second, _ in PAIRS],
    "two references": [(first, first, (second, third)) for first, second, third in PAIRS],
    "span": [(read, asked, f"{asked}\n{read}", (answer,)) for read, asked, answer in SPANS],
    "choice": [(tuple(texts), "", asked, asked, (texts[right],)) for asked, texts, right in CHOICES],
    "boolean": [
        (("no", "yes"), read, asked, f"{asked}\n{read}", (("no", "yes")[right],)) for asked, read, right in YES
    ],
}
EACH = [(content, number) for content, (_, layouts) in LAYOUTS.items() for number in range(len(layouts))]


@pytest.mark.parametrize(("content", "number"), EACH)
def test_every_layout_gives_the_same_examples(tmp_path, content, number):
    task, layouts = LAYOUTS[content]
    name, rows, columns = layouts[number]
    path = write_rows(tmp_path / name, rows)
    found = shown(task, path, columns=columns)
    if content != "choice" or len(rows[0].get("choices", "")) not in (5, 6):
        assert sorted(row for part in found for row in part) == sorted(EXPECTED[content])
    else:  # the order of the choices is that in which they are first given
        every = sorted(row for part in found for row in part)
        assert [(sorted(row[0]), *row[1:]) for row in every] == [
            (sorted(r[0]), *r[1:]) for r in sorted(EXPECTED[content])
        ]
    first = layouts[0]
    assert [{row[-2] for row in part} for part in found] == [
        {row[-2] for row in part}
        for part in shown(task, write_rows(tmp_path / f"first-{first[0]}", first[1]), columns=first[2])
    ]  # the same row is in the same split


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl"])
def test_packed_files_too(tmp_path, suffix):
    path = write_rows(tmp_path / f"a.{suffix}", pairs())
    (tmp_path / f"a.{suffix}.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert shown(TEXT, tmp_path / f"a.{suffix}.gz") == shown(TEXT, path)


def test_a_boolean_names_a_choice_that_is_called_so(tmp_path):
    rows = [{"question": f"q{i}", "a": "True", "b": "False", "answer": i % 2 == 0} for i in NUMBERS]
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        found = shown(CHOICE, write_rows(tmp_path / name, rows), columns={"choices": "a,b"})
        told = {asked: accepted for part in found for *_, asked, _, accepted in part}
        assert told == {f"q{i}": (str(i % 2 == 0),) for i in NUMBERS}


def test_numbers_are_positions_only_where_all_can_be(tmp_path):
    texts = [{"question": f"q{i}", "choices": ["1", "2", "3", "40"], "answer": (1, 40)[i % 2]} for i in NUMBERS]
    found = shown(CHOICE, write_rows(tmp_path / "a.jsonl", texts))
    assert {accepted for part in found for *_, accepted in part} == {("1",), ("40",)}
    positions = [row | {"answer": (1, 3)[i % 2]} for i, row in enumerate(texts)]
    found = shown(CHOICE, write_rows(tmp_path / "b.jsonl", positions))
    assert {accepted for part in found for *_, accepted in part} == {("2",), ("40",)}


@given(st.lists(st.text("abcdefgh ", min_size=1), min_size=2, max_size=8, unique_by=str.strip), st.data())
def test_a_letter_a_number_and_a_text_mean_the_same_choice(texts, data):
    right = data.draw(st.integers(0, len(texts) - 1))
    form, place = Choice(), str
    for answer in ("ABCDEFGH"[right], right, str(right), texts[right].strip()):
        columns = {"question": ["q"], "choices": [(tuple(texts), ())], "answer": [answer]}
        shown, index = form.read(columns, place)
        assert index.tolist() == [right]
        examples = Examples(shown, index)
        assert form.accepted_of(examples)[0] == (texts[right],)
        assert form.parse_all(np.array([texts[right]], object), examples).tolist() == [right]
        assert form.parse_all(np.array(["no such choice"], object), examples).tolist() == [-1]


@pytest.mark.parametrize("content", LAYOUTS)
def test_the_accepted_answer_is_right_and_another_is_not(tmp_path, content):
    task, layouts = LAYOUTS[content]
    found = opened(task, write_rows(tmp_path / layouts[0][0], layouts[0][1]), columns=layouts[0][2])
    for place in range(len(found.accepted[0])):
        best = np.array([accepted[place] for accepted in found.accepted], object)
        np.testing.assert_allclose(found.outcome(found.answer.parse_all(best, found.examples), np.arange(len(best))), 1)
    wrong = np.array(["~"] * len(found.examples), object)
    assert not found.outcome(found.answer.parse_all(wrong, found.examples), np.arange(len(wrong))).any()


# ---------------------------------------------------------------- context, prompts, unanswerable questions


def test_a_context_is_optional_where_it_is_and_asked_for_must_be_there(tmp_path):
    rows = [row | {"fact1": "One.", "fact2": "Two.", "support": "Some."} for row in choices(list, int)]
    for name in ("a.jsonl", "a.parquet"):
        path = write_rows(tmp_path / name, rows)
        seen = {columns: opened(CHOICE, path, columns={"context": columns}).examples for columns in
                ("fact1", "fact1,fact2")}  # fmt: skip
        assert set(seen["fact1"]["context"]) == {"One."} and set(seen["fact1,fact2"]["context"]) == {"One. Two."}
        assert seen["fact1"]["text"][0] == f"{seen['fact1']['question'][0]}\nOne."
        assert set(opened(CHOICE, path).examples["context"]) == {"Some."}  # a usual name
        with pytest.raises(BadData, match="no column 'fact3' for the context; it has: question, choices"):
            opened(CHOICE, path, columns={"context": "fact3"})
    assert set(opened(CHOICE, write_rows(tmp_path / "b.jsonl", choices(list, int))).examples["context"]) == {""}


def test_a_passage_may_be_a_list_of_sentences(tmp_path):
    for name in ("a.jsonl", "a.parquet"):
        rows = [row | {"context": row["context"].split(" ")} for row in spans(str)]
        assert shown(SPAN, write_rows(tmp_path / name, rows)) == shown(SPAN, write_rows(tmp_path / "b.csv", spans(str)))


def test_the_inputs_make_up_the_prompt_and_decide_the_split_together(tmp_path):
    rows = [{"passage": f"p{i % 3}", "question": f"q{i}", "answer": f"a{i}"} for i in range(400)]
    path = write_rows(tmp_path / "a.csv", rows)
    parts = [opened("babi_qa", path, split).examples for split in SPLITS]
    assert {str(text) for part in parts for text in part["text"]} == {f"p{i % 3} q{i}" for i in range(400)}
    assert all(len(set(part["context"])) == 3 for part in parts)  # one story's questions may be in several splits
    assert set(parts[0].columns) == {"text", "context", "question"}


@pytest.mark.parametrize(
    ("name", "empty"),
    [("a.csv", ""), ("a.jsonl", []), ("a.jsonl", ""), ("a.parquet", []), ("a.jsonl", {"text": [], "answer_start": []}),
     ("a.parquet", {"text": [], "answer_start": []})],
)  # fmt: skip
def test_a_question_without_an_answer_wants_an_empty_one(tmp_path, name, empty):
    kind = type(empty)
    full = {str: "word", list: ["word"], dict: {"text": ["word"], "answer_start": [0]}}[kind]
    rows = [{"context": f"word {i}", "question": "q", "answers": full if i % 2 else empty} for i in NUMBERS]
    task = opened(SPAN, write_rows(tmp_path / name, rows))
    told = [accepted == ("",) for accepted in task.accepted]
    assert 0 < sum(told) < len(told)
    assert all(
        (int(text.split()[1]) % 2 == 0) == none for text, none in zip(task.examples["context"], told, strict=True)
    )
    nothing = task.answer.parse_all(np.array([""] * len(told), object), task.examples)
    assert task.outcome(nothing, np.arange(len(told))).tolist() == [float(none) for none in told]


def test_all_questions_on_one_passage_are_in_one_split(tmp_path):
    rows = [{"context": f"passage {i % 90}", "question": f"q{i}", "answers": ["passage"]} for i in range(900)]
    for name in ("a.csv", "a.jsonl"):
        made = rows if name != "a.csv" else [row | {"answers": "passage"} for row in rows]
        parts = [opened(SPAN, write_rows(tmp_path / name, made), split).examples for split in SPLITS]
        assert sum(map(len, parts)) == 900 and all(len(part) for part in parts)
        read = [set(part["context"]) for part in parts]
        assert not read[0] & read[1] and not read[2] & (read[0] | read[1])
    folder = tmp_path / "folder"
    write_rows(folder / "train.jsonl", rows)
    train, validation = (set(opened(SPAN, folder, split).examples["context"]) for split in ("train", "validation"))
    assert train and validation and not train & validation


# ---------------------------------------------------------------- what is wrong


def line(**row: Any) -> str:
    return json.dumps(row) + "\n"


LIST = ["x", "y"]
# fmt: off
BAD: dict[str, tuple[str, str, str, str]] = {  # what it is: task, file name, content, what the message must say
    "no source": ("translation", "a.csv", "en,de\na,b\n", "called source, src, .* for the source; it has: en"),
    "no target": ("translation", "a.csv", "source,de\na,b\n", r"target; it has: source, de.*columns=\{'target'"),
    "no context": ("babi_qa", "a.csv", "question,answer\na,b\n", "called passage, context, .* for the context"),
    "no answers": ("question_answering", "a.jsonl", line(context="a", question="b"), "no column .* for the answers"),
    "no choices": ("multiple_choice", "a.csv", "question,answer\na,b\n", "no column .* for the choices"),
    "no question": ("multiple_choice", "a.jsonl", line(choices=LIST, answer=0), "no column .* for the question"),
    "no references": ("translation", "a.jsonl", line(source="a", target=[]), "row 1 of .* has no target, where each"),
    "no target here": ("translation", "a.jsonl", line(source="a", target="b") + line(source="b", target=None),
                       "row 2 of .* has no target. An empty list may stand there"),
    "none among references": ("translation", "a.jsonl", line(source="a", target=["b", None]),
                              "row 2 of the target in row 1 of .* has no target"),
    "a number of lists": ("translation", "a.jsonl", line(source="a", target=[["b"]]), r"is no text but \['b'\]"),
    "no source here": ("translation", "a.jsonl", line(source=None, target="b"), "row 1 of .* has no source"),
    "null answers": ("question_answering", "a.jsonl", line(context="a", question="b", answers=None), "has no answers"),
    "answers of no kind": ("question_answering", "a.jsonl", line(context="a", question="b", answers={"x": 1}),
                           "row 1 .* has no answers"),
    "wrong path": ("wmt14_de_en", "a.jsonl", line(translation={"en": "a", "fr": "b"}),
                   "row 1 of .* has no 'de' in 'translation.de'; there is: en, fr"),
    "path through a text": ("wmt14_de_en", "a.jsonl", line(translation="a"), "no 'de' in .*; there is: 'a'"),
    "one choice": ("qasc", "a.jsonl", line(question="a", choices=["x"], answer=0), r"are \['x'\]; they must be a list"),
    "choices as text": ("qasc", "a.jsonl", line(question="a", choices="x, y", answer=0), "must be a list of texts"),
    "choices all the same": ("qasc", "a.jsonl", line(question="a", choices=["x", "x"], answer=0), "all the same, 'x'"),
    "an empty choice": ("qasc", "a.jsonl", line(question="a", choices=["x", None], answer=0), "has no choice"),
    "too few letters": ("qasc", "a.jsonl", line(question="a", choices={"text": LIST, "label": ["A"]}, answer="A"),
                        "has 2 choices with the letters A; each choice has one"),
    "a letter twice": ("qasc", "a.jsonl", line(question="a", choices={"text": LIST, "label": ["A", "A"]}, answer="A"),
                       "with the letters A, A"),
    "another answer": ("qasc", "a.jsonl", line(question="a", choices=LIST, answer="z"),
                       r"answer of row 1 of .* is 'z'; its choices are 'x', 'y'. An answer is the number .*\(A, B\)"),
    "a number too high": ("qasc", "a.jsonl", line(question="a", choices=LIST, answer=2), "is 2; its choices are"),
    "a negative number": ("qasc", "a.jsonl", line(question="a", choices=LIST, answer=-1), "is -1; its choices are"),
    "a letter too far": ("qasc", "a.jsonl", line(question="a", choices=LIST, answer="C"), "is 'C'; its choices are"),
    "an own letter missed": ("qasc", "a.jsonl",
                             line(question="a", choices={"text": LIST, "label": ["1", "2"]}, answer="3"), r"\(1, 2\)"),
    "a hidden answer": ("qasc", "a.jsonl", line(question="a", choices=LIST, answer=""), "row 1 of .* has no answer"),
    "true of three": ("qasc", "a.jsonl", line(question="a", choices=[*LIST, "z"], answer=True), "is 'true'; its"),
    "maybe": ("boolq", "a.csv", "question,passage,answer\na,b,maybe\n", "is 'maybe'; its choices are 'no', 'yes'"),
    "a list as answer": ("qasc", "a.jsonl", line(question="a", choices=LIST, answer=[0]), "no answer but .0.. Each"),
    "a context of numbers": ("babi_qa", "a.jsonl", line(context=[1], question="a", answer="b"), r"no text but \[1\]"),
}  # fmt: skip
# fmt: on


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_are_refused_and_the_message_says_what_and_where(tmp_path, case):
    task, name, content, message = BAD[case]
    for split in SPLITS:
        (tmp_path / name.replace("a.", f"{split}.")).write_text(content, encoding="utf-8")
    with pytest.raises(BadData, match=message) as caught:
        opened(task, tmp_path)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("translation", {"columns": {"text": "source"}}, "columns= names 'text'; allowed are source, target"),
        ("babi_qa", {"columns": {"answers": "x"}}, "allowed are context, question, target"),
        ("squad", {"columns": {"target": "x"}}, "allowed are context, question, answers"),
        ("qasc", {"columns": {"label": "x"}}, "allowed are context, question, choices, answer"),
        ("boolq", {"columns": {"choices": "x"}}, "allowed are context, question, answer"),
        ("translation", {"columns": {"source": "a.b"}}, "no column 'a.b' for the source"),
        ("translation", {"columns": {"target": "target,nothing"}}, "no column 'target,nothing' for the target"),
        ("translation", {"labels": ["a", "b"]}, "labels=.* goes with tasks whose answers are labels; mine has none"),
        ("translation", {"split": "holdout"}, "no split 'holdout'; there are: train, validation, test"),
    ],
)
def test_arguments_that_do_not_fit_are_answered_with_what_does(tmp_path, task, options, message):
    path = write_rows(tmp_path / "a.csv", pairs())
    with pytest.raises(NlpGymError, match=message):
        opened(task, path, **options)


def test_the_place_is_the_files_own_row_in_whatever_split_it_falls(tmp_path):
    rows = choices(list, int)
    rows[40]["answer"] = 9
    path = write_rows(tmp_path / "a.jsonl", rows)
    messages = []
    for split in SPLITS:
        try:
            opened(CHOICE, path, split)
        except BadData as error:
            messages.append(str(error))
    assert messages and all("the answer of row 41 of" in message for message in messages)


# ---------------------------------------------------------------- digests, copies


def digests(task: str, path: Path, **more: Any) -> tuple[str, str]:
    corpora.forget()
    examples = opened(task, path, **more).examples
    return examples.text_digest, examples.digest


@pytest.mark.parametrize(
    ("task", "field", "value", "seen"),
    [
        ("translation", "target", ["other"], False),
        ("translation", "target", ["target 0", "more"], False),
        ("translation", "source", "other", True),
        ("question_answering", "answers", ["other"], False),
        ("question_answering", "answers", [], False),
        ("question_answering", "question", "other?", True),
        ("qasc", "answer", 1, False),
        ("qasc", "choices", ["choice 0 w", "other", "choice 0 y", "choice 0 z"], True),
    ],
)
def test_a_digest_tells_texts_from_answers(tmp_path, task, field, value, seen):
    rows = {"translation": [row | {"target": [row["target"]]} for row in pairs()],
            "question_answering": spans(lambda text: [text]), "qasc": choices(list, int)}[task]  # fmt: skip
    folder, other = tmp_path / "one", tmp_path / "two"
    for split in SPLITS:
        write_rows(folder / f"{split}.jsonl", rows)
        write_rows(other / f"{split}.jsonl", [rows[0] | {field: value}, *rows[1:]])
    before, after = digests(task, folder), digests(task, other)
    assert before == digests(task, folder)
    assert (before[0] != after[0]) == seen and before[1] != after[1]


@pytest.mark.parametrize("content", LAYOUTS)
def test_examples_are_shared_by_copies_and_read_again_by_pickles(tmp_path, content):
    task, layouts = LAYOUTS[content]
    found = opened(task, write_rows(tmp_path / layouts[0][0], layouts[0][1]), columns=layouts[0][2])
    assert copy.deepcopy(found.examples) is found.examples
    written = pickle.dumps(found.examples)
    assert len(written) < 1000 and pickle.loads(written) is found.examples
    corpora.forget()
    again = pickle.loads(written)
    assert again is not found.examples and again.digest == found.examples.digest
    assert (
        found.at("test").examples.digest
        == opened(task, tmp_path / layouts[0][0], "test", columns=layouts[0][2]).examples.digest
    )


@pytest.mark.parametrize(
    "form", [FreeText(), FreeText(("context", "question"), "char"), Span(), Choice(), Choice(("no", "yes"))]
)
def test_forms_are_values(form):
    assert copy.deepcopy(form) == form == pickle.loads(pickle.dumps(form))
    assert hash(copy.deepcopy(form)) == hash(form)
    assert set(form.key) <= set(form.fields) and set(form.optional) <= set(form.fields)


def test_a_task_of_ones_own_takes_any_form(tmp_path):
    for name, form, rows in (
        ("text", FreeText(), pairs()),
        ("span", Span(), spans(str)),
        ("choice", Choice(("no", "yes")), yes(bool)),
    ):
        path = write_rows(tmp_path / name / "train.csv", rows)
        write_rows(tmp_path / name / "test.csv", rows)
        task = Task(Files(str(path.parent)), form, ("accuracy",) if name == "choice" else ("f1",))
        assert len(task.open("mine", "test").examples) == COUNT
        with pytest.raises(BadArgument, match="labels="):
            task.open("mine", labels=["a", "b"])
