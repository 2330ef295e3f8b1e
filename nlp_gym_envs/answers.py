"""Forms of an answer: which columns of a data set hold it, how an answer is stored, and what a text means as one.

Every form has `fields` (the columns that it reads), `optional` (those that may be absent) and `key` (the columns whose
text decides which split a row falls to), and three moves:

- `read(columns, place)`: a data set's clean columns become the examples' columns, "text" among them, and the targets;
- `accepted_of(examples)`: the accepted answers of each example, as texts;
- `parse_all(texts, examples)`: answers as metrics take them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import BadData

USUAL = {  # each field's usual column names, in the order in which they are tried
    "text": ("text", "sentence", "content", "review", "document", "question"),
    "label": ("label", "labels", "target", "class", "category", "coarse_label"),
    "source": ("source", "src", "input", "prompt", "question", "text", "sentence", "document"),
    "target": ("target", "tgt", "references", "reference", "output", "answers", "answer", "completion", "summary"),
    "context": ("context", "passage", "paragraph", "facts", "fact", "support", "story", "document"),
    "question": ("question", "question_stem", "query"),
    "answers": ("answers", "answer", "target"),
    "choices": ("choices", "options", "endings"),
    "answer": ("answer", "answerKey", "answer_key", "label", "target", "correct"),
}
KINDS = {  # how each field is read, where it is not one text a row
    "label": "label",
    "context": "passage",
    "target": "texts",
    "answers": "texts",
    "choices": "choices",
    "answer": "answer",
}
TRUTH = ("false", "true")  # what a data set's booleans become; of two choices, the first and the second
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Place = Callable[[int], str]  # where a row stands, for a message


@dataclass(frozen=True)
class Label:
    """One of a fixed set of names; stored as its index. `names` may be empty until the data set tells them."""

    names: tuple[str, ...] = ()
    texts: np.ndarray = field(
        init=False, repr=False, compare=False
    )  # (K + 1,) object: the answers as texts, [-1] is ""
    accepted: np.ndarray = field(init=False, repr=False, compare=False)  # (K,) object: (name,), what info["target"] has

    fields = ("text", "label")
    optional = ()
    key = ("text",)

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise BadData(f"label names must differ, got {self.names}.")
        object.__setattr__(self, "texts", _objects((*self.names, "")))
        object.__setattr__(self, "accepted", _objects([(name,) for name in self.names]))

    def __len__(self) -> int:
        return len(self.names)

    def parse(self, text: str) -> int:
        """The index of the label called `text`, or -1: no label, which is right for no target."""
        return self.names.index(text) if text in self.names else -1

    def accepted_of(self, examples: Any) -> np.ndarray:
        """(N,) object of tuples: the label's name."""
        return self.accepted[examples.target]

    def parse_all(self, texts: np.ndarray, examples: Any) -> np.ndarray:
        """(N,) int64: the index of each label, -1 where a text is none."""
        position = {name: index for index, name in enumerate(self.names)}
        return np.array([position.get(text, -1) for text in texts], np.int64)


@dataclass(frozen=True)
class FreeText:
    """Any text, judged against one or more references; stored as it is.

    `inputs` are the fields that make up the prompt, joined by a space. `tokenize` is how BLEU cuts texts into words:
    one of sacreBLEU's tokenizers ("13a"; "none" where words are already separated by spaces; "char", "zh", "ja-mecab").
    """

    inputs: tuple[str, ...] = ("source",)
    tokenize: str = "13a"

    optional = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*self.inputs, "target")

    @property
    def key(self) -> tuple[str, ...]:
        """What decides which split a row falls to."""
        return self.inputs

    def read(self, columns: Mapping[str, list[Any]], place: Place) -> tuple[dict[str, list[str]], np.ndarray]:
        """The prompt as "text", and the references of each example, (N,) object of tuples."""
        for row, references in enumerate(columns["target"]):
            if not references:
                raise BadData(f"{place(row)} has no target, where each needs one text or a list of them.")
        inputs = {name: columns[name] for name in self.inputs}
        prompt = [" ".join(parts) for parts in zip(*inputs.values(), strict=True)]
        return {"text": prompt, **inputs}, _objects(columns["target"])

    def accepted_of(self, examples: Any) -> np.ndarray:
        """(N,) object of tuples: the references."""
        return examples.target

    def parse_all(self, texts: np.ndarray, examples: Any) -> np.ndarray:
        """(N,) object: the texts themselves."""
        return texts


@dataclass(frozen=True)
class Span:
    """A stretch of the context that answers a question, or "" where the context does not; stored as a text."""

    fields = ("context", "question", "answers")
    optional = ()
    key = ("context",)  # all questions on one passage are in one split
    tokenize = "13a"

    def read(self, columns: Mapping[str, list[Any]], place: Place) -> tuple[dict[str, list[str]], np.ndarray]:
        """The context and the question; the accepted answers, (N,) object of tuples, ("",) where there is none."""
        context, question = columns["context"], columns["question"]
        text = [f"{asked}\n{read}" for asked, read in zip(question, context, strict=True)]
        accepted = _objects([answers or ("",) for answers in columns["answers"]])
        return {"text": text, "context": context, "question": question}, accepted

    def accepted_of(self, examples: Any) -> np.ndarray:
        """(N,) object of tuples: the accepted answers."""
        return examples.target

    def parse_all(self, texts: np.ndarray, examples: Any) -> np.ndarray:
        """(N,) object: the texts themselves."""
        return texts


@dataclass(frozen=True)
class Choice:
    """One of the choices that come with each question; stored as its index among them.

    `choices` are the same for every question where a data set has no column for them, as ("no", "yes").
    """

    choices: tuple[str, ...] = ()

    key = ("question",)

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that are read."""
        return ("context", "question", "answer") if self.choices else ("context", "question", "choices", "answer")

    @property
    def optional(self) -> tuple[str, ...]:
        """The columns that may be absent."""
        return ("context",)

    def read(self, columns: Mapping[str, list[Any]], place: Place) -> tuple[dict[str, list[Any]], np.ndarray]:
        """Question, context ("" without one) and choices, (N,) of tuples; the right one's index, (N,) int64.

        The choices of a question differ: one that a data set gives twice is taken once (CommonsenseQA has such rows).
        """
        question, rows = columns["question"], range(len(columns["question"]))
        context = columns.get("context") or [""] * len(question)
        offered = columns.get("choices") or [(self.choices, ())] * len(question)
        answers = columns["answer"]
        choices, letters = [given for given, _ in offered], [own for _, own in offered]
        if all(_is_position(answers[i], choices[i], letters[i]) for i in rows):
            right = np.array(answers, np.int64)
        else:
            right = np.array([_chosen(answers[i], choices[i], letters[i], place, i) for i in rows], np.int64)
        for i in [i for i in rows if len(set(choices[i])) < len(choices[i])]:  # what is given twice is one choice
            told, choices[i] = choices[i][right[i]], tuple(dict.fromkeys(choices[i]))
            right[i] = choices[i].index(told)
        text = [f"{asked}\n{read}" if read else asked for asked, read in zip(question, context, strict=True)]
        return {"text": text, "question": question, "context": context, "choices": choices}, right

    def accepted_of(self, examples: Any) -> np.ndarray:
        """(N,) object of tuples: the right choice's text."""
        return _objects([(choices[i],) for choices, i in zip(examples["choices"], examples.target, strict=True)])

    def parse_all(self, texts: np.ndarray, examples: Any) -> np.ndarray:
        """(N,) int64: the place of each text among its question's choices, -1 where it is none of them."""
        found = zip(texts, examples["choices"], strict=True)
        return np.array([choices.index(text) if text in choices else -1 for text, choices in found], np.int64)


Form = Label | FreeText | Span | Choice


def _is_position(value: Any, choices: tuple[str, ...], letters: tuple[str, ...]) -> bool:
    """Whether an answer can be a choice's number from 0; it is one where every answer can be."""
    return isinstance(value, int) and 0 <= value < len(choices) and str(value) not in letters


def _chosen(value: Any, choices: tuple[str, ...], letters: tuple[str, ...], place: Place, row: int) -> int:
    """The index that an answer means: a choice's own letter, its text, its number from 0, or false and true of two."""
    text = str(value)
    names = letters or tuple(LETTERS[: len(choices)])
    if text in names:
        return names.index(text)
    texts = tuple(choice.strip() for choice in choices)  # as answers are
    if text in texts:
        return texts.index(text)
    if text.isdecimal() and int(text) < len(choices):
        return int(text)
    if text.lower() in TRUTH:
        lower = tuple(choice.lower() for choice in texts)
        known = lower if text.lower() in lower else TRUTH if len(choices) == 2 else ()
        if known:
            return known.index(text.lower())
    raise BadData(
        f"the answer of {place(row)} is {value!r}; its choices are {', '.join(map(repr, choices))}. "
        f"An answer is the number of a choice from 0, its letter ({', '.join(names)}), or its text."
    )


def _objects(values: Sequence[Any]) -> np.ndarray:
    """(N,) object array of the values, whatever they are."""
    array = np.empty(len(values), object)
    array[:] = values
    return array
