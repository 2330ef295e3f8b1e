"""A benchmark: a configuration names ids, agents, seeds, steps and arms; each combination is a cell, and a row.

A file of `configs/` reads into `Benchmark`. What stands nearer wins: an agent's own `steps`, `seeds` and `arms` before
its entry's, an entry's before the benchmark's. An entry's `id` may be a pattern, as `nlp/*-label-v0`: it takes every
registered id that it fits and that no entry before it, nor any that spells an id out, has taken.
"""

import fnmatch
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.lookup import did_you_mean

from ._agents import AGENTS
from ._baseline import Baseline
from ._experiment import Experiment
from ._pages import names_of
from ._samples import COUNT
from ._settings import Values, known_id

ARMS = ("as is", "constant reward", "shuffled labels", "zero observation")
SPLITS = ("validation", "test", "train")  # the last for learned agents: what they have learned by heart
LEARNED, BASELINE = "learned", "baseline"

Asked = TypeVar("Asked", "Benchmark", "Entry", "Who")


@dataclass(frozen=True)
class Who:
    """An agent of a benchmark, and what it has of its own."""

    agent: str
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    steps: int | None = None
    seeds: int | list[int] | None = None
    arms: list[str] | None = None
    n_envs: int | None = None


@dataclass(frozen=True)
class Entry:
    """An id, or a pattern of ids, and what it has of its own; tables rank by `metric`, else by the task's first."""

    id: str
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    agents: list[Any] | None = None
    steps: int | None = None
    seeds: int | list[int] | None = None
    arms: list[str] | None = None
    splits: list[str] | None = None
    limit: int | None = None
    eval_every: int | None = None
    metric: str | None = None
    samples: int | None = None


@dataclass(frozen=True)
class Benchmark:
    """What a configuration asks.

    `seeds` is how many, from 0, or which. Without `steps` every agent trains as long as its own file says. `limit` is
    how many examples of a split are judged at most; `eval_every`, the steps between looks at the validation split: with
    0 there are none, and the last model is judged. `samples` is how many test episodes of each cell are told in full.
    """

    name: str
    envs: list[Any]
    agents: list[Any]
    seeds: int | list[int] = 1
    steps: int | None = None
    arms: list[str] = field(default_factory=lambda: ["as is"])
    splits: list[str] = field(default_factory=lambda: list(SPLITS))
    limit: int | None = None
    eval_every: int | None = None
    samples: int = COUNT


@dataclass(frozen=True)
class Cell:
    """One training or baseline, judged: all that decides what comes out."""

    env: str
    agent: str
    arm: str
    seed: int
    steps: int  # 0 of baselines
    env_kwargs: dict[str, Any]  # of the entry; the agent's file may add to them
    agent_env_kwargs: dict[str, Any]  # what it adds
    hyperparameters: dict[str, Any]
    n_envs: int
    eval_every: int
    limit: int | None
    splits: list[str]
    metric: str
    kind: str
    samples: int

    @property
    def id(self) -> str:
        """A short name for what decides the scores: equal cells are the same cell, whatever file they come from."""
        content = json.dumps({name: value for name, value in asdict(self).items() if name != "samples"}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def as_row(self) -> dict[str, Any]:
        """How its row begins."""
        return {"cell": self.id, **asdict(self)}


def load(path: str | Path) -> Benchmark:
    """The benchmark that a YAML file asks for. Raises BadArgument for what it cannot mean."""
    try:
        asked = yaml.load(Path(path).read_text(encoding="utf-8"), Values)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadArgument(f"{path} is no YAML: {' '.join(str(error).split())}.") from error
    benchmark = _read(Benchmark, asked, str(path))
    for name, value in (("envs", benchmark.envs), ("agents", benchmark.agents)):
        if not isinstance(value, list) or not value:
            raise BadArgument(f"{path}: {name} must be a list of at least one, got {value!r}.")
    return benchmark


def _read(kind: type[Asked], asked: Any, where: str) -> Asked:
    """A mapping as a dataclass. Raises BadArgument naming a key that is unknown or missing, or a value's wrong kind."""
    first = fields(kind)[0].name
    if isinstance(asked, str) and kind is not Benchmark:
        asked = {first: asked}  # an id or an agent alone
    if not isinstance(asked, Mapping):
        raise BadArgument(f"{where} must be a mapping with {first!r} in it, got {asked!r}.")
    known = {part.name: part for part in fields(kind)}
    if unknown := [key for key in asked if key not in known]:
        raise BadArgument(f"{where} has an unknown key {unknown[0]!r}{did_you_mean(str(unknown[0]), known)} "
                          f"Allowed are: {', '.join(known)}.")  # fmt: skip
    needed = [name for name, part in known.items() if part.default is MISSING and part.default_factory is MISSING]
    if missing := [name for name in needed if name not in asked]:
        raise BadArgument(f"{where} lacks {missing[0]!r}; it needs: {', '.join(needed)}.")
    for key, value in asked.items():
        _check(f"{where}: {key}", key, value)
    return kind(**asked)


def _check(place: str, key: str, value: Any) -> None:
    """Raises BadArgument for a value of the wrong kind."""

    def refuse(allowed: str) -> None:
        raise BadArgument(f"{place} must be {allowed}, got {value!r}.")

    if key in ("name", "id", "agent", "metric") and not (isinstance(value, str) and value):
        refuse("a text")
    if key in ("steps", "limit", "n_envs") and value is not None and not _whole(value, 1):
        refuse("a whole number of at least 1, or null")
    if key in ("eval_every", "samples") and value is not None and not _whole(value, 0):
        refuse("a whole number of at least 0, or null")
    if key in ("env_kwargs", "hyperparameters") and not isinstance(value, dict):
        refuse("a mapping")
    listed = value if isinstance(value, list) else []
    if key == "seeds" and not _whole(value, 1):
        different = all(_whole(seed, 0) for seed in listed) and len(set(listed)) == len(listed) > 0
        if not different:
            refuse("how many, or a list of different whole numbers from 0")
    if key == "arms" and (not listed or set(map(str, listed)) - set(ARMS)):
        refuse(f"a list of {', '.join(map(repr, ARMS))}")
    if key == "splits" and ("test" not in listed or not all(isinstance(split, str) for split in listed)):
        refuse("a list of splits' names, 'test' among them, which agents are ranked by")


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def cells(benchmark: Benchmark) -> list[Cell]:
    """The cells, in the order of the configuration; what two entries share is one cell."""
    found: dict[str, Cell] = {}
    for env_id, entry in _entries(benchmark):
        every = [_read(Who, one, "an agent") for one in (entry.agents or benchmark.agents)]
        for who in every:
            if entry.agents is not None or _fits(who.agent, env_id):
                for cell in _cells_of(benchmark, entry, env_id, who):
                    found.setdefault(cell.id, cell)
    return list(found.values())


def _entries(benchmark: Benchmark) -> Iterator[tuple[str, Entry]]:
    """Each id with its entry."""
    import nlp_gym_envs

    entries = [_read(Entry, one, "an entry of envs") for one in benchmark.envs]
    taken = {known_id(entry.id) for entry in entries if not _is_pattern(entry.id)}
    for entry in entries:
        if not _is_pattern(entry.id):
            yield known_id(entry.id), entry
            continue
        matching = fnmatch.filter(nlp_gym_envs.environment_ids(), entry.id)
        if not matching:
            raise BadArgument(f"no registered id is like {entry.id!r}; `nlp-gym list` shows all.")
        for env_id in matching:
            if env_id not in taken:
                taken.add(env_id)
                yield env_id, entry


def _is_pattern(text: str) -> bool:
    return any(mark in text for mark in "*?[")


def _fits(agent: str, env_id: str) -> bool:
    """Whether a baseline that is named for all ids is for this one's dynamics; of learned agents nobody knows."""
    kind = AGENTS.get(agent)
    return not getattr(kind, "dynamics", ()) or names_of(env_id.rpartition(":")[2])[1] in kind.dynamics


def _cells_of(benchmark: Benchmark, entry: Entry, env_id: str, who: Who) -> Iterator[Cell]:
    """One id's cells of one agent: a baseline has no arms, and one seed where another would change nothing."""
    kind = AGENTS.get(who.agent)
    learned = not (isinstance(kind, type) and issubclass(kind, Baseline))
    seeds = _nearest(who.seeds, entry.seeds, benchmark.seeds)
    seeds = list(range(seeds)) if isinstance(seeds, int) else seeds
    if not learned and not kind.seeded:
        seeds = seeds[:1]
    asked = Experiment(
        who.agent,
        env_id,
        steps=_nearest(who.steps, entry.steps, benchmark.steps),
        n_envs=who.n_envs,
        env_kwargs=entry.env_kwargs,
        hyperparameters=who.hyperparameters,
        eval_every=_nearest(entry.eval_every, benchmark.eval_every, None),
    ).settled()
    own = {name: value for name, value in asked.env_kwargs.items() if name not in entry.env_kwargs}
    splits = _nearest(entry.splits, benchmark.splits, None)
    shared = {
        "env": env_id,
        "agent": who.agent,
        "steps": asked.steps if learned else 0,
        "env_kwargs": entry.env_kwargs,
        "agent_env_kwargs": own,
        "hyperparameters": asked.hyperparameters,
        "n_envs": asked.n_envs,
        "eval_every": asked.eval_every if learned else 0,
        "limit": _nearest(entry.limit, benchmark.limit, None),
        "splits": splits if learned else [split for split in splits if split != "train"],
        "metric": entry.metric or _metric_of(env_id),
        "kind": LEARNED if learned else BASELINE,
        "samples": _nearest(entry.samples, benchmark.samples),
    }
    for arm in _nearest(who.arms, entry.arms, benchmark.arms) if learned else ARMS[:1]:
        for seed in seeds:
            yield Cell(arm=arm, seed=seed, **shared)


def _nearest(*given: Any) -> Any:
    """The first that is given."""
    return next((value for value in given if value is not None), None)


def _metric_of(env_id: str) -> str:
    """The task's own metric: its first."""
    from nlp_gym_envs.task import TASKS

    return TASKS.get(names_of(env_id.rpartition(":")[2])[0]).metrics[0]


def only(chosen: Sequence[Cell], wanted: Sequence[str]) -> list[Cell]:
    """The cells that fit every `name=pattern`, as `env=nlp/*-label-v0` or `agent=ppo`. Raises BadArgument."""
    allowed = ("env", "agent", "arm", "seed", "kind")
    for pair in wanted:
        name, equals, pattern = pair.partition("=")
        if not equals or name not in allowed:
            raise BadArgument(f"--only takes name=pattern with one of {', '.join(allowed)}, got {pair!r}.")
        chosen = [cell for cell in chosen if fnmatch.fnmatch(str(getattr(cell, name)), pattern)]
    return list(chosen)
