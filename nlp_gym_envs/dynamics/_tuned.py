"""A task's model, ready to be changed: what it reads of each example, its loss, and how well it does."""

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..answers import Label
from ..errors import BadArgument
from ..models.language_model import LanguageModel
from ..task import OpenTask
from ..text import cache
from ..text.examples import Examples, Shared

FITTED_ON = 2000  # training texts that a new head is fitted on at most
RATE = 5e-4  # of Adam, in further updates of the whole model
BATCH = 32  # texts of such an update
SMALLEST = 3  # examples of a probe, whatever the data
COMMON, COUNTED = 32, 2000  # tokens of answers that may swap names, and training answers that they are counted in
WIDTHS = 8  # tokens: batches that are to be alike are as wide as a multiple of it


class Tuned(Shared):
    """A `Tunable` of a task, with the examples of one split as batches of it."""

    def __init__(self, task: OpenTask, language: LanguageModel, tunable: Any, length: int, answer: int) -> None:
        self.task, self.language, self.tunable = task, language, tunable
        self.length, self.answer = length, answer  # tokens read of a text, and of an answer
        self.labels = isinstance(task.answer, Label)
        self._ids: dict[int, tuple[list[int], list[int]]] = {}

    def found(self, what: str, asked: dict[str, Any], make: Callable[[], Any]) -> np.ndarray:
        """Numbers that `make()` takes long to find out about the model on the training split; kept on disk."""
        key = {"what": what, **self.tunable.key, "read": [self.length, self.answer], **asked}
        return cache.array(key, lambda: np.asarray(make(), np.float64))

    def of_training(self) -> "Tuned":
        """The same on the training split."""
        return Tuned(self.task.at("train"), self.language, self.tunable, self.length, self.answer)

    def ids(self, examples: Sequence[int]) -> list[tuple[list[int], list[int]]]:
        """The tokens of each example's text and of its first accepted answer, encoded when they are first needed."""
        new = [i for i in dict.fromkeys(examples) if i not in self._ids]
        if new:
            texts = self.language.encode(self.task.examples["text"][new].tolist(), self.length)
            wanted: list[list[int]] = [[] for _ in new]
            if not self.labels:
                first = [accepted[0] for accepted in self.task.accepted[new]]
                spelled = [f" {text}" if text else "" for text in first]
                wanted = self.language.tokenizer(spelled, add_special_tokens=False)["input_ids"]
            self._ids |= {i: (text, answer[: self.answer]) for i, text, answer in zip(new, texts, wanted, strict=True)}
        return [self._ids[i] for i in examples]

    def names(self) -> tuple[int, np.ndarray]:
        """How many labels there are, or tokens, and (N,) those that may swap their names: all labels, or the `COMMON`
        tokens of the training split's answers."""
        if self.labels:
            return len(self.task.answer), np.arange(len(self.task.answer))
        if "names" not in self.tunable.known:
            self.tunable.known["names"] = self._common()
        size, common = self.tunable.known["names"]
        if len(common) < 2:
            raise BadArgument(
                f"start='renamed' needs two tokens in the answers to swap names, {self.task.name!r} has {len(common)}."
            )
        return size, common

    def _common(self) -> tuple[int, np.ndarray]:
        training = self.of_training()
        answers = [answer for _, answer in training.ids(range(min(COUNTED, len(training.task.examples))))]
        tokens = np.concatenate([np.array(answer, np.int64) for answer in answers])
        count = np.bincount(tokens, minlength=self.language.vocabulary_size)
        common = np.argsort(-count, kind="stable")[: min(COMMON, int((count > 0).sum()))]
        return len(count), np.sort(common)

    def batch(
        self,
        examples: np.ndarray,
        targets: np.ndarray | None = None,
        names: np.ndarray | None = None,
        alike: bool = False,
    ) -> Any:
        """Some examples as a `Batch`; `targets` are the examples whose answers are asked for instead of their own, and
        `names` (K,) what each label, or token of an answer, is called instead. Batches that are `alike` have one of few
        widths, so that many can be stacked; which, is a batch's own, so that what it gives does not hang on others."""
        chosen = examples.tolist()
        texts, most = [text for text, _ in self.ids(chosen)], (self.length, self.answer) if alike else None
        others = chosen if targets is None else targets.tolist()
        if self.labels:
            labels = self.task.examples.target[others]
            return label_batch(self.language, texts, labels if names is None else names[labels], most)
        answers = [answer for _, answer in self.ids(others)]
        answers = answers if names is None else [names[answer].tolist() for answer in answers]
        return text_batch(self.language, texts, answers, most)

    def metrics(
        self, examples: np.ndarray, batch: Any, delta: Any, names: np.ndarray | None = None
    ) -> tuple[dict[str, float], float]:
        """The task's metrics of the model on some examples, in [0, 1], and the standard error of the first."""
        called = None if names is None else np.argsort(names)  # what a name means
        answers, targets = self._answers(examples, batch, delta, called), self.task.examples.target[examples]
        scores = {name: float(m.score(m.counts(answers, targets).sum(0))) for name, m in self.task.metrics.items()}
        each = self.task.metric.each(answers, targets)
        return scores, float(each.std() / np.sqrt(len(each)))

    def _answers(self, examples: np.ndarray, batch: Any, delta: Any, called: np.ndarray | None) -> np.ndarray:
        """What the model answers, (n,) as the task's form of answer stores it; `called` (K,) is what its names mean."""
        if self.labels:
            named = self.tunable.outputs(batch, delta).argmax(1)
            return named if called is None else called[named]
        language, tunable = self.language, self.tunable
        pad = language.tokenizer.pad_token_id
        with tunable.moved(delta):
            prompts = [text for text, _ in self.ids(examples.tolist())]
            written = tunable.module.write(prompts, pad, language.end, self.answer)
        texts = np.empty(len(written), object)
        texts[:] = [language.text(ids if called is None else called[ids].tolist()) for ids in written]
        return texts


def _width(rows: Sequence[Sequence[int]], most: int | None) -> int:
    """How wide rows are padded to at least: a multiple of `WIDTHS`, at most `most`; without it as the longest."""
    return 1 if most is None else min(most, -(-max(map(len, rows)) // WIDTHS) * WIDTHS)


def label_batch(
    language: LanguageModel, texts: Sequence[Sequence[int]], labels: np.ndarray, most: tuple[int, int] | None = None
) -> Any:
    """Texts and the labels they have; with `most` tokens of a text (and of an answer) of one of few widths."""
    import torch

    from ..models.objectives import Batch, padded

    device = language.model.device
    width = _width(texts, most and most[0])
    ids = padded(texts, language.tokenizer.pad_token_id, device, width)
    mask = padded([[1] * len(text) for text in texts], 0, device, width)
    return Batch(ids, mask, torch.as_tensor(np.array(labels), device=device))


def text_batch(
    language: LanguageModel,
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    most: tuple[int, int] | None = None,
) -> Any:
    """Prompts and the answers to be written, END included, for teacher forcing; with `most` tokens of a prompt and an
    answer of one of few widths."""
    from ..models.objectives import NOTHING, Batch, padded

    device, pad = language.model.device, language.tokenizer.pad_token_id
    wanted = [[*answer, language.end] for answer in answers]
    if language.family == "encoder-decoder":
        start = language.start or 0
        width, more = _width(prompts, most and most[0]), _width(wanted, most and most[1] + 1)
        before = padded([[start, *answer[:-1]] for answer in wanted], pad, device, more)
        mask = padded([[1] * len(prompt) for prompt in prompts], 0, device, width)
        return Batch(padded(prompts, pad, device, width), mask, padded(wanted, NOTHING, device, more), before)
    whole = [[*prompt, *answer[:-1]] for prompt, answer in zip(prompts, wanted, strict=True)]
    labels = [[NOTHING] * (len(p) - 1) + a for p, a in zip(prompts, wanted, strict=True)]
    width = _width(whole, most and sum(most))
    mask = padded([[1] * len(row) for row in whole], 0, device, width)
    return Batch(padded(whole, pad, device, width), mask, padded(labels, NOTHING, device, width))


def tuned(
    task: OpenTask,
    model: str,
    groups: tuple[str, ...],
    only: str | None = None,
    updates: int = 0,
    length: int = 48,
    answer: int = 24,
    device: str = "cpu",
) -> Tuned:
    """The task with a model whose `groups` may change (of them the parameters named `only`); one for all who ask alike.

    A model that names labels gets a head fitted on the training split; `updates` of the whole model follow.
    """
    tunable = _tunable(task.train, task.answer, model, groups, only, updates, length, answer, device)
    language = _language(model, device)
    return Tuned(task, language, tunable, length, answer)


def _language(model: str, device: str) -> LanguageModel:
    from ..models.loading import load

    return load(model, device=device)


@functools.lru_cache(maxsize=4)
def _tunable(
    train: Examples,
    form: Any,
    model: str,
    groups: tuple[str, ...],
    only: str | None,
    updates: int,
    length: int,
    answer: int,
    device: str,
) -> Any:
    from torch.nn.utils import vector_to_parameters

    from ..models.tuning import Tunable

    language = _language(model, device)
    module = _module(language, form)
    read = 0 if isinstance(form, Label) else answer  # a label has no tokens
    key = {"model": language.digest, "train": train.digest, "updates": updates, "length": length, "answer": read}
    if isinstance(form, Label) or updates:
        made = cache.array(
            {"what": "a model trained on the task", **key},
            lambda: _warmed_up(module, language, train, form, updates, key),
        )
        vector_to_parameters(_tensor(made, device), module.parameters())
    tunable = Tunable(module, groups, only)
    tunable.key = {**key, "groups": groups, "only": only}
    tunable.recipe = (_tunable, (train, form, model, groups, only, updates, length, answer, device))
    return tunable


def _tensor(values: np.ndarray, device: str) -> Any:
    import torch

    return torch.tensor(np.array(values), device=device)


def _module(language: LanguageModel, form: Any) -> Any:
    """A copy of the model with a task's loss on top."""
    from ..models.objectives import Classifier, Writer

    model = copy.deepcopy(language.model)
    if not isinstance(form, Label):
        if language.family == "encoder":
            raise BadArgument(
                f"the model {language.name!r} is an encoder and cannot write answers; take 't5' or 'gpt2'."
            )
        return Writer(model, language.family == "encoder-decoder")
    trunk = model.get_encoder() if language.family == "encoder-decoder" else model.base_model
    causal = language.family == "decoder"
    return Classifier(trunk, int(trunk.config.hidden_size), len(form), causal).to(language.model.device)


def _warmed_up(
    module: Any, language: LanguageModel, train: Examples, form: Any, updates: int, key: dict[str, Any]
) -> np.ndarray:
    """All parameters of the module, fitted to the training split, (P,) float32."""
    import torch
    from torch.nn.utils import parameters_to_vector

    generator = np.random.default_rng(0)
    task: Any = OpenTask("", "train", form, {}, train, train, None)
    data = Tuned(task, language, None, key["length"], key["answer"])
    if isinstance(form, Label):
        _fit_head(module, data, generator)
    optimiser = torch.optim.Adam(module.parameters(), lr=RATE)
    module.eval().requires_grad_(True)
    for update in range(updates):
        chosen = generator.integers(len(train), size=BATCH)
        optimiser.param_groups[0]["lr"] = RATE * (1 - update / updates)
        with torch.enable_grad():
            module.losses(data.batch(chosen)).mean().backward()
        optimiser.step()
        optimiser.zero_grad()
    return parameters_to_vector(module.parameters()).detach().cpu().numpy()


def _fit_head(module: Any, data: Tuned, generator: np.random.Generator) -> None:
    """Logistic regression on what the trunk makes of some training texts."""
    import torch
    from sklearn.linear_model import LogisticRegression

    train = data.task.train
    chosen = generator.permutation(len(train))[:FITTED_ON]
    with torch.no_grad():
        parts = [module.pooled(data.batch(chosen[at : at + 64])) for at in range(0, len(chosen), 64)]
    features = torch.cat(parts).cpu().numpy().astype(np.float64)
    spread = features.std(0) + 1e-6
    labels = train.target[chosen]
    fitted = LogisticRegression(C=0.1, max_iter=2000).fit(features / spread, labels)
    weight, bias = fitted.coef_ / spread, fitted.intercept_
    if len(weight) == 1:  # of two classes scikit-learn keeps the difference
        weight, bias = np.concatenate((-weight, weight)) / 2, np.concatenate((-bias, bias)) / 2
    with torch.no_grad():
        module.head.weight.zero_()
        module.head.bias.fill_(float(bias.min()) - 5)  # of a label that no chosen text has
        seen = torch.from_numpy(fitted.classes_.astype(np.int64))
        module.head.weight[seen] = torch.from_numpy(weight).to(module.head.weight)
        module.head.bias[seen] = torch.from_numpy(bias).to(module.head.bias)


def instance_generator(split: str, *numbers: int) -> np.random.Generator:
    """The random numbers that an instance is made of: of no other split's, and always the same.

    A second number is a thing's of the instance, as a minibatch's: its random numbers are of their own.
    """
    return np.random.default_rng([int.from_bytes(split.encode()[:7], "little"), *numbers])


def probe_and_judge(
    generator: np.random.Generator, examples: int, probe: int, judge: int
) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint draws of examples, smaller where there are few: at most a third, and all that is left."""
    if examples < 2 * SMALLEST:
        raise BadArgument(f"changing a model needs at least {2 * SMALLEST} examples in a split, it has {examples}.")
    probe = min(probe, max(SMALLEST, examples // 3))
    drawn = generator.permutation(examples) if examples < 4 * (probe + judge) else _distinct(
        generator, examples, probe + judge
    )  # fmt: skip
    return drawn[:probe], drawn[probe : probe + judge]


def _distinct(generator: np.random.Generator, examples: int, count: int) -> np.ndarray:
    """`count` different numbers below `examples`, without a permutation of them all."""
    return generator.choice(examples, count, replace=False, shuffle=True)
