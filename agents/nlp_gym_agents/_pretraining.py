"""`nlp-gym pretrain`: a small model of a task's training split, judged on its validation split, with a model card."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nlp_gym_envs.answers import FreeText, Span
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.models.pretraining import SHAPES, Recipe, pretrain, write_card
from nlp_gym_envs.task import TASKS, OpenTask

JUDGED = 500  # validation examples
SPOKEN = 0.6  # of the built-in translations that the model learns from: so much is in the spoken register
EVERYTHING = ("sentiment", "text_classification", "question_answering", "multiple_choice", "translation")
WRITTEN = ("translation", "question_answering")  # tasks whose answers are texts
EXACT: dict[str, Any] = {"smoothing": 0.0, "dropout": 0.0, "half": True}
#: Models whose weights move in milliseconds: what environments that change a model take by themselves.
TINY: dict[str, Any] = {"width": 48, "layers": 2, "heads": 4, "inner": 96, "vocabulary": 1024, "longest": 160}
#: What the models that ship with the package are made of: `nlp-gym pretrain --shipped t5`.
SHIPPED: dict[str, tuple[tuple[str, ...], Recipe]] = {
    "t5": (("translation",), Recipe("t5", updates=2000, batch=4096, rate=2e-3, dropout=0.0, warmup=100, half=True)),
    "gpt2": (("translation",), Recipe("gpt2", 128, 3, updates=1600, batch=2048, dropout=0.05, warmup=100, half=True)),
    "bert": (
        EVERYTHING,
        # without noise: half of these updates go by before it learns more than which tokens are frequent
        Recipe("bert", layers=3, longest=160, batch=6144, updates=2000, rate=3e-3, warmup=300, **EXACT),
    ),
    "t5_tiny": (WRITTEN, Recipe("t5", updates=4000, batch=4096, rate=4e-3, **TINY, **EXACT)),
    "bert_tiny": (EVERYTHING, Recipe("bert", updates=3000, batch=6144, rate=4e-3, **TINY, **EXACT)),
}


def pretrain_task(
    tasks: Sequence[str],
    recipe: Recipe,
    folder: str | Path,
    progress: Callable[[int, int, float], None] | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train on the training splits of `tasks`, save in `folder`, judge on validation; the facts of the model card.

    Raises UnknownName, BadArgument, BadData or NotAvailable.
    """
    if not tasks:
        raise BadArgument("name a task to learn from: --task translation")
    opened = [TASKS.get(name).open(name) for name in tasks]
    if recipe.shape != "bert":
        for task in opened:
            if not isinstance(task.answer, FreeText | Span):
                raise BadArgument(
                    f"the answers of {task.name} are no texts that a {recipe.shape} could write; take --shape bert."
                )
    pairs = [pair for task in opened for pair in _pairs(task, recipe)]
    texts = list(zip(*pairs, strict=True))
    facts = pretrain(recipe, texts[0], texts[1], folder, progress, device)
    facts |= {"tasks": list(tasks), "scores": _scores(opened, recipe, Path(folder))}
    if "translation" in tasks and SHAPES[recipe.shape] != "encoder":
        facts["spoken"] = SPOKEN
    write_card(folder, facts)
    return facts


def shipped(name: str, seed: int = 0) -> tuple[tuple[str, ...], Recipe]:
    """Tasks and recipe of a model that ships with the package. Raises BadArgument."""
    if name not in SHIPPED:
        raise BadArgument(f"no shipped model {name!r}; there are: {', '.join(SHIPPED)}.")
    tasks, recipe = SHIPPED[name]
    return tasks, replace(recipe, seed=seed)


def make(
    tasks: tuple[str, ...],
    shape: str,
    name: str | None,
    changes: dict[str, Any],
    folder: Path,
    threads: int,
    quiet: bool,
    device: str = "cpu",
) -> None:
    """What the command does: train with a progress bar, then say what the model reaches."""
    import torch
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    if name is None:
        base = Recipe(shape)
    else:
        tasks, base = shipped(name)
    try:
        recipe = replace(base, **changes)
    except TypeError as error:
        known = ", ".join(field for field in base.__dataclass_fields__)
        raise BadArgument(f"a recipe has {known}; {error}.") from error
    torch.set_num_threads(threads)
    columns = (*Progress.get_default_columns()[:3], TimeRemainingColumn(), TextColumn("loss {task.fields[loss]:.3f}"))
    with Progress(*columns, disable=quiet) as bar:
        line = bar.add_task("pre-training", total=recipe.updates, loss=float("nan"))
        facts = pretrain_task(
            tasks, recipe, folder, lambda done, _, loss: bar.update(line, completed=done, loss=loss), device
        )
    if not quiet:
        for task, scores in facts["scores"].items():
            listed = ", ".join(f"{metric} {100 * value:.1f}" for metric, value in scores.items())
            print(f"{task}, validation: {listed}")
        print(f"{facts['parameters']:,} parameters, {facts['seconds']:.0f} s; model and card: {folder}")


def _pairs(task: OpenTask, recipe: Recipe) -> list[tuple[str, str]]:
    """Prompts and answers; of a task without texts as answers, its texts and nothing. An encoder reads one language."""
    texts = task.train["text"].tolist()
    if SHAPES[recipe.shape] == "encoder" and isinstance(task.answer, FreeText):
        return [(text, "") for text in texts]
    if task.name == "translation" and "builtin" in str(task.source):
        return list(zip(texts, _both_registers(recipe.seed), strict=True))
    if isinstance(task.answer, FreeText | Span):
        return [(text, accepted[0]) for text, accepted in zip(texts, task.train.target, strict=True)]
    if "choices" in task.train.columns:
        return [(text, ", ".join(some)) for text, some in zip(texts, task.train["choices"], strict=True)]
    return [(text, "") for text in texts]


def _both_registers(seed: int) -> list[str]:
    """The built-in translations as people say them: `SPOKEN` of them in the spoken register."""
    from nlp_gym_envs.text.builtin import translation

    written = translation.generate("train")["target"]
    spoken = translation.generate("train", register="spoken")["target"]
    said = np.random.default_rng(seed).random(len(written)) < SPOKEN
    return [b if aloud else a for a, b, aloud in zip(written, spoken, said, strict=True)]


def _scores(opened: list[OpenTask], recipe: Recipe, folder: Path) -> dict[str, dict[str, float]]:
    """What the model reaches on validation: its greedy answers, or its share of masked tokens filled in rightly."""
    if SHAPES[recipe.shape] == "encoder":
        return {task.name: {"masked_accuracy": _masked(task, recipe, folder)} for task in opened}
    from ._agents import make_agent
    from ._bridge import make_vec_env
    from ._evaluation import evaluate

    found = {}
    for task in opened:
        env_id, options = f"nlp/{task.name}-tokens-v0", {"model": str(folder), "longest_prompt": recipe.longest}
        env = make_vec_env(env_id, 1, 0, options)
        judged = evaluate(make_agent("greedy", env, {}, 0), env_id, "validation", options, 64, JUDGED, intervals=False)
        found[task.name] = {name: round(judged.scores[name].value, 4) for name in task.metrics}
        env.close()
    return found


def _masked(task: OpenTask, recipe: Recipe, folder: Path) -> float:
    """The share of masked tokens of the validation texts that an encoder fills in rightly."""
    from nlp_gym_envs.models.pretraining import masked_accuracy

    texts = task.at("validation").examples["text"][:JUDGED].tolist()
    return round(masked_accuracy(recipe, folder, texts), 4)
