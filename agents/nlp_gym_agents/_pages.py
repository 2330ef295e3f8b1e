"""The documentation of an id, composed from the docstrings of its task and its dynamics, with its real spaces."""

import inspect
import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nlp_gym_envs.episodes import DYNAMICS, assemble
from nlp_gym_envs.task import TASKS

SECTIONS = (
    "Description",
    "Action Space",
    "Observation Space",
    "Starting State",
    "Rewards",
    "Episode End",
    "Arguments",
    "Version History",
)
EFFECTS = {  # of the arguments that every id takes
    "split": '`"train"`, `"validation"`, `"test"`, or another that the data have',
    "dataset": "other data: a Hub name, or a local csv, tsv, json, jsonl or parquet file or a folder of them",
    "columns": 'which columns hold what, where their names are unusual: `{"text": "review", "label": "stars"}`',
    "labels": "the labels in their order, for other data; found in the training split otherwise",
    "reward": '`"final"`, `"improvement"`, weights of terms and costs `{"final": 1, "reading": 2}`, or a dotted name; '
    "none: the dynamics' own",
    "observation": '`"vector"`, `"dict"` (its parts by name) or `"ids"` (the ids of the visible words)',
    "order": '`"random"`, or `"sequential"` (every example exactly once); none: random on the training split only',
    "render_mode": '`"ansi"`, `"human"`, `"rgb_array"` or none',
}
MANY = 12  # actions, beyond which only some are listed


@dataclass(frozen=True)
class Page:
    """An id's page: `facts` are pairs of what is printed of it, `sections` have Markdown in the order of SECTIONS."""

    env_id: str
    sections: dict[str, str]
    facts: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        """The page as one text for a site."""
        facts = ["| | |", "|---|---|", *(f"| {name} | `{value}` |" for name, value in self.facts.items())]
        parts = [f"# {self.env_id}", *(["\n".join(facts)] if self.facts else [])]
        return "\n\n".join([*parts, *(f"## {name}\n\n{text}" for name, text in self.sections.items())]) + "\n"


@dataclass(frozen=True)
class Example:
    """An episode played sensibly: its text, what was done, what came of it."""

    text: str
    actions: tuple[str, ...]
    target: str
    paid: float
    right: bool


def names_of(env_id: str) -> tuple[str, str]:
    """The task and the dynamics of a registered id."""
    import gymnasium as gym

    keywords = gym.spec(env_id).kwargs
    return keywords["task"], keywords["dynamics"]


def page(env_id: str, env: Any = None) -> Page:
    """The page of a registered id; with `env`, one made of it, also its facts."""
    task_name, dynamics_name = names_of(env_id)
    task, kind = TASKS.get(task_name), DYNAMICS.get(dynamics_name)
    about = _sections(inspect.getdoc(inspect.getmodule(kind)) or "")
    about["Description"] = f"{inspect.cleandoc(task.description or '')}\n\n{about['']}".strip()
    about["Arguments"] = _with_common(about.get("Arguments", ""))
    sections = {name: about[name] for name in SECTIONS if name in about}  # a dynamics of your own may lack some
    return Page(env_id, sections, facts(env) if env is not None else {})


def _sections(docstring: str) -> dict[str, str]:
    """The parts of a dynamics' docstring by heading; "" is what comes before the first."""
    parts = re.split(r"^## +(.+?)\s*$", docstring, flags=re.MULTILINE)
    known = {name.lower(): name for name in SECTIONS}
    found = {"": parts[0].strip()}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        found[known.get(heading.lower(), heading)] = text.strip()
    return found


def _with_common(arguments: str) -> str:
    """The dynamics' table of arguments, and below it that of the arguments of every id."""
    defaults = {name: p.default for name, p in inspect.signature(assemble).parameters.items()} | {"render_mode": None}
    rows = []
    for name, effect in EFFECTS.items():
        default = "none" if defaults[name] is None else f'`"{defaults[name]}"`'
        rows.append(f"| `{name}` | {default} | {effect} |")
    own = f"{arguments}\n\n" if arguments else ""
    return "\n".join([f"{own}Of every id:\n", "| name | default | effect |", "|---|---|---|", *rows])


def facts(env: Any) -> dict[str, str]:
    """What can be printed of an environment: spaces, actions, bounds, data."""
    inner = env.unwrapped
    low, high = inner.reward_range
    examples = len(inner.task.examples)
    return {
        "actions": str(env.action_space),
        "observations": _space(env.observation_space),
        "reward": f"{low:g} to {high:g} a step",
        "horizon": f"{inner.horizon} step{'s' if inner.horizon != 1 else ''} at most",
        "data": f"{examples:,} examples in {inner.task.split!r}, {_answers(inner.task)}",
    }


def _answers(task: Any) -> str:
    """What an answer is, in a few words."""
    labels, form = task.examples.labels, type(task.answer).__name__
    return f"{len(labels)} labels" if labels else {"FreeText": "free text", "Choice": "choices"}.get(form, "spans")


def _space(space: Any) -> str:
    """A space in a line; the bounds of a long Box as their extremes."""
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        return f"Box({space.low.min():g}, {space.high.max():g}, {space.shape}, {space.dtype})"
    if isinstance(space, spaces.Dict):
        return ", ".join(f"{name}: {_space(part)}" for name, part in space.items())
    return str(space)


def meanings(env: Any) -> list[str]:
    """What each action means, one line each, shortened in the middle where there are many."""
    lines = [f"{number}  {meaning}" for number, meaning in enumerate(env.unwrapped.action_meanings)]
    if len(lines) <= MANY:
        return lines
    return [*lines[: MANY - 4], f"…  {len(lines) - MANY + 1} more", *lines[-3:]]


def examples(env: Any, count: int = 3, seed: int = 0) -> list[Example]:
    """Episodes played as `sensible` does, on the first examples that the seed gives."""
    return [_example(env, seed if number == 0 else None) for number in range(count)]


def _example(env: Any, seed: int | None) -> Example:
    _, info = env.reset(seed=seed)
    actions: list[str] = []
    paid, over = 0.0, False
    seen = ""
    while not over:
        action = sensible(env.unwrapped)
        seen = max(seen, info["text"], key=len)
        _, reward, terminated, truncated, info = env.step(action)
        paid, over = paid + reward, terminated or truncated
        actions.append(env.unwrapped.action_meanings[action])
    text = max(seen, info["text"], key=len)
    return Example(text, tuple(actions), " | ".join(info["target"]), paid, bool(info["is_success"]))


def sensible(env: Any) -> int:
    """What somebody would do who knows the game: the oracle's action, but a reader reads until it is fairly sure."""
    dynamics, row = env.episodes.dynamics, np.zeros(1, np.int64)
    if dynamics.name == "read" and env.action_masks()[-1]:
        posterior = dynamics.observe(row)["posterior"][0]
        return int(posterior.argmax()) if posterior.max() >= 0.9 else len(posterior)  # the last action is READ
    return env.oracle_action() if dynamics.name != "read" else int(dynamics.observe(row)["posterior"][0].argmax())


def plain(text: str, most: int | None = None) -> str:
    """A text of somebody's data as it can be printed: one paragraph, nothing that a terminal would obey."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(line.split())
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"


def summary(docstring: str | None) -> str:
    """The first sentence or paragraph of a docstring, on one line."""
    first = textwrap.dedent(docstring or "").strip().split("\n\n")[0]
    return " ".join(first.split())
