"""What token choice needs of a data set as token ids: prompts, answers, and which tokens of the one speak for which
of the other."""

import functools
from typing import Any

import numpy as np

from ..errors import BadArgument
from ..models.language_model import LanguageModel
from ..task import OpenTask
from ..text.examples import Examples, Shared
from ..text.lexicon import Lexicon, lexicon
from ..text.prefixes import FOLDS, folds

MOST_CLOSED = 256  # tokens of a closed vocabulary


class Prompts(Shared):
    """The prompts of a split as token ids, encoded when they are first needed."""

    def __init__(self, examples: Examples, model: LanguageModel, form: str, longest: int) -> None:
        if "{text}" not in form:
            raise BadArgument(f"prompt must have {{text}} in it, where the example's text goes; got {form!r}.")
        self.texts, self.model, self.form, self.longest = examples["text"], model, form, longest
        self.ids = np.full(len(examples), None, object)

    def of(self, examples: np.ndarray) -> list[list[int]]:
        """The ids of each example's prompt."""
        new = [example for example in examples.tolist() if self.ids[example] is None]
        if new:
            asked = [self.form.replace("{text}", text) for text in self.texts[new]]
            for example, ids in zip(new, self.model.encode(asked, self.longest), strict=True):
                self.ids[example] = ids
        return list(self.ids[examples])


@functools.lru_cache(maxsize=8)
def prompts(examples: Examples, model: LanguageModel, form: str, longest: int) -> Prompts:
    """The prompts of a split for a model, one for all who ask for the same."""
    made = Prompts(examples, model, form, longest)
    made.recipe = (prompts, (examples, model, form, longest))
    return made


@functools.lru_cache(maxsize=4)
def answer_ids(examples: Examples, model: LanguageModel) -> list[list[int]]:
    """The first accepted answer of each example, as a model would write it."""
    texts = [f" {accepted[0]}" if accepted[0] else "" for accepted in examples.target]
    return model.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []


def closed_vocabulary(task: OpenTask, model: LanguageModel) -> np.ndarray:
    """The tokens that the training answers consist of, sorted, then END: (at most 256,) int32. Raises BadArgument."""
    used = sorted({token for answer in answer_ids(task.train, model) for token in answer} - {model.end})
    if len(used) >= MOST_CLOSED:
        raise BadArgument(
            f"the training answers of {task.name} consist of {len(used):,} different tokens; a closed "
            f"vocabulary has at most {MOST_CLOSED - 1}. Take vocabulary='open'."
        )
    return np.array([*used, model.end], np.int32)


class Lexicons(Shared):
    """Of each example the lexicon that it is read with: of a training example, one learned without its own fold.

    Or a rare word of a training prompt would speak for its own answer, and an agent would trust what it never meets
    again.
    """

    def __init__(self, parts: list[Lexicon], part_of: np.ndarray) -> None:
        self.parts, self.part_of = parts, part_of

    def of(self, example: int) -> Lexicon:
        """The lexicon of one example."""
        return self.parts[self.part_of[example]]


@functools.lru_cache(maxsize=4)
def lexicons(examples: Examples, train: Examples, model: LanguageModel, form: str, longest: int) -> Lexicons:
    """The lexicons of a split's prompts, learned from the training pairs; kept on disk."""
    if examples is train:
        part_of = folds(train["text"].tolist())
        parts = [_lexicon(train, model, form, longest, fold, part_of) for fold in range(FOLDS)]
    else:
        part_of = np.zeros(len(examples), np.int64)
        parts = [_lexicon(train, model, form, longest, -1, part_of)]
    made = Lexicons(parts, part_of)
    made.recipe = (lexicons, (examples, train, model, form, longest))
    return made


def _lexicon(train: Examples, model: Any, form: str, longest: int, fold: int, fold_of: np.ndarray) -> Lexicon:
    """What the training pairs teach, those of one fold left out; -1 leaves out none."""
    kept = np.arange(len(train)) if fold < 0 else np.flatnonzero(fold_of != fold)
    if not len(kept):
        return Lexicon(np.zeros((3, 0)), model.vocabulary_size)
    answers = answer_ids(train, model)
    key = {"model": model.digest, "texts": train.digest, "prompt": form, "longest": str(longest)}
    if fold >= 0:
        key["without fold"] = f"{fold} of {FOLDS}"
    asked = prompts(train, model, form, longest).of(kept)
    return lexicon(asked, [answers[i] for i in kept.tolist()], model.vocabulary_size, key)
