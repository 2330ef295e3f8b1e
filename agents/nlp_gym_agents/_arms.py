"""The arms of a benchmark: the task as it is, and three controls in which nothing can be learned about it.

A control keeps all but one thing: "constant reward" pays every answer alike, "shuffled labels" deals the answers of the
training and validation examples out anew, "zero observation" shows nothing. All are judged on the true data by the
task's own reward; what is above a trivial policy there has not come from the texts.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nlp_gym_envs.answers import Choice, Label
from nlp_gym_envs.task import TASKS, OpenTask

from ._pages import names_of
from ._plan import Cell

SHUFFLED = ("train", "validation")  # the splits that training sees


def environment_of(cell: Cell, folder: Path) -> dict[str, Any]:
    """The environment's keywords while the cell's agent learns; `folder` is where shuffled data may go."""
    options = {**cell.env_kwargs, **cell.agent_env_kwargs}
    if cell.arm == "constant reward":
        return {**options, "reward": "constant"}
    if cell.arm == "zero observation":
        return {**options, "observation": _blank(options.get("observation", "vector"))}
    if cell.arm == "shuffled labels":
        return {**options, **shuffled(cell.env, options, folder, cell.seed)}
    return options


def judged_in(cell: Cell) -> dict[str, Any]:
    """The environment's keywords in which the cell is judged: true data and reward, what is seen as in training."""
    options = {**cell.env_kwargs, **cell.agent_env_kwargs}
    if cell.arm == "zero observation":
        options["observation"] = _blank(options.get("observation", "vector"))
    return options


def _blank(observation: str | Mapping[str, Any]) -> dict[str, Any]:
    """The same form of observation, all zeros."""
    given = {"name": observation} if isinstance(observation, str) else dict(observation)
    return {**given, "blank": True}


def shuffled(env_id: str, options: Mapping[str, Any], folder: Path, seed: int) -> dict[str, Any]:
    """Keywords for the same task on a copy of its data in which the answers belong to other texts."""
    name, _ = names_of(env_id.rpartition(":")[2])
    known = {key: options[key] for key in ("dataset", "columns", "labels") if key in options}
    task = TASKS.get(name).open(name, **known)
    generator = np.random.default_rng(seed)
    folder.mkdir()
    for split in (*SHUFFLED, "test"):
        rows = _rows(task.at(split), generator if split in SHUFFLED else None)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    names = {"labels": list(task.answer.names)} if isinstance(task.answer, Label) else {}
    return {"dataset": str(folder), "columns": {field: field for field in task.answer.fields}, **names}


def _rows(task: OpenTask, generator: np.random.Generator | None) -> list[dict[str, Any]]:
    """The examples as a file holds them, under our own names, their answers dealt out anew where there is a generator.

    Choices have no answers in common: there each question's right choice is drawn anew.
    """
    examples, form = task.examples, task.answer
    asked = [name for name in form.fields if name in examples.columns]
    target = list(examples.target)
    if generator is not None and isinstance(form, Choice):
        target = [generator.integers(len(offered)) for offered in examples["choices"]]
    elif generator is not None:
        target = [target[place] for place in generator.permutation(len(target))]
    (answer,) = [name for name in form.fields if name in ("label", "target", "answers", "answer")]
    told: list[Any] = [list(one) if isinstance(one, tuple) else int(one) for one in target]
    if answer == "answers":
        told = [[text for text in one if text] for one in told]  # no answer is an empty list
    columns = [examples[name] for name in asked]
    return [
        {**dict(zip(asked, row, strict=True)), answer: right}
        for row, right in zip(zip(*columns, strict=True), told, strict=True)
    ]
