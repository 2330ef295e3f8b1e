"""Rows put together: seeds into lines, lines into places, and what stands between which floor and which ceiling."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ._rows import AS_IS, Interval, Row

TRIVIAL = ("uniform", "majority", "first_choice", "no_op", "best_constant")  # policies that need no reading
UNREWARDED = "constant reward"  # the arm in which nothing can be learned from reward
CEILINGS = ("supervised", "oracle")  # the first that was run is 1 on the normalised scale
HELD_OUT = ("test", "validation")  # the first that a row has is the one that is reported
WIDTH = 1.96  # standard errors on either side of a 95 % interval


@dataclass(frozen=True)
class Score:
    """A mean over seeds with half of its 95 % interval over both seeds and examples."""

    value: float
    half: float

    @property
    def low(self) -> float:
        """Where its interval begins."""
        return self.value - self.half

    @property
    def high(self) -> float:
        """Where its interval ends."""
        return self.value + self.half

    def less(self, other: "Score") -> "Score":
        """The difference to another, taken as independent: wider than a paired one, never narrower."""
        return Score(self.value - other.value, math.hypot(self.half, other.half))


@dataclass(frozen=True, eq=False)
class Line:
    """An agent on an id in one setting and arm, all its seeds.

    `label` tells variants of an agent apart; `series` does not where they differ by one number, as a share read.
    """

    env: str
    setting: str
    agent: str
    label: str
    series: str
    rows: tuple[Row, ...]

    @property
    def arm(self) -> str:
        """As is, or the control."""
        return self.rows[0].arm

    @property
    def learned(self) -> bool:
        """Whether it was trained; baselines are not."""
        return self.rows[0].learned

    @property
    def metric(self) -> str:
        """The task's own."""
        return self.rows[0].metric

    @property
    def held_out(self) -> str:
        """The split that is reported."""
        splits = self.rows[0].scores
        return next((split for split in HELD_OUT if split in splits), next(iter(splits)))

    def score(self, name: str | None = None, split: str | None = None) -> Score | None:
        """A metric of a split, the task's own of the held-out one unless named; None where no row has it."""
        return pooled(self.values(name or self.metric, split))

    def values(self, name: str, split: str | None = None) -> list[Interval]:
        """A metric of each seed that has it, on the held-out split unless another is named."""
        split = split or self.held_out
        return [row.scores[split][name] for row in self.rows if name in row.scores.get(split, ())]

    def mean(self, cost: str) -> float | None:
        """What a run of it cost, on average, where that was counted."""
        values = [row.costs[cost] for row in self.rows if cost in row.costs]
        return sum(values) / len(values) if values else None

    @property
    def steps(self) -> int:
        """The environment steps that it was given."""
        return max(row.steps for row in self.rows)


def pooled(values: Sequence[Interval]) -> Score | None:
    """Seeds' values and intervals as one: their mean, its variance from the examples and from the seeds."""
    if not values:
        return None
    n = len(values)
    mean = sum(value for value, _, _ in values) / n
    examples = sum(((high - low) / (2 * WIDTH)) ** 2 for _, low, high in values) / n  # all seeds share the examples
    seeds = sum((value - mean) ** 2 for value, _, _ in values) / (n - 1) / n if n > 1 else 0.0
    return Score(mean, WIDTH * math.sqrt(examples + seeds))


@dataclass(frozen=True, eq=False)
class Place:
    """An id in one setting: everything that can be compared directly.

    `lines` are the agents as they are, `controls` their arms; the rest finds the ones that matter among them.
    """

    env: str
    setting: str
    lines: tuple[Line, ...]
    controls: tuple[Line, ...]
    main: bool

    @property
    def name(self) -> str:
        """The id without what all ids share."""
        return self.env.removeprefix("nlp/").removesuffix("-v0")

    @property
    def shown(self) -> bool:
        """Whether it is judged and has a section; other settings of an id are in the fronts and the table of all."""
        return self.main or (self.trivial is not None and self.best is not None)

    @property
    def key(self) -> str:
        """What links call its section, or that of its id where it has none."""
        name = self.name if self.main or not self.shown else f"{self.name} {self.setting}"
        return "id-" + "".join(letter if letter.isalnum() or letter == "_" else "-" for letter in name)

    @property
    def metric(self) -> str:
        """The task's own."""
        return self.lines[0].metric if self.lines else self.controls[0].metric

    def _best(self, lines: Iterable[Line]) -> Line | None:
        scored = [(score.value, line) for line in lines if (score := line.score(self.metric)) is not None]
        return max(scored, key=lambda pair: pair[0])[1] if scored else None

    def named(self, agent: str) -> Line | None:
        """The line of an agent."""
        return next((line for line in self.lines if line.agent == agent and line.score(self.metric)), None)

    @cached_property
    def floor(self) -> Line | None:
        """Uniform: 0 on the normalised scale."""
        return self.named("uniform")

    @cached_property
    def trivial(self) -> Line | None:
        """The best of the policies that need no reading."""
        return self._best(line for line in self.lines if line.agent in TRIVIAL)

    @cached_property
    def bar(self) -> Line | None:
        """What a learner must be above: the best trivial policy, or an agent that was trained by a constant reward."""
        unrewarded = [line for line in self.controls if line.arm == UNREWARDED]
        return self._best([self.trivial, *unrewarded]) if self.trivial else None

    @cached_property
    def ceiling(self) -> Line | None:
        """1 on the normalised scale."""
        found = (self.named(agent) for agent in CEILINGS)
        return next((line for line in found if line is not None), None)

    @cached_property
    def best(self) -> Line | None:
        """The best agent that learned by reward."""
        return self._best(line for line in self.lines if line.learned)

    @cached_property
    def rule(self) -> Line | None:
        """The best baseline that is neither trivial nor a ceiling."""
        return self._best(line for line in self.lines if not line.learned and line.agent not in (*TRIVIAL, *CEILINGS))

    def normalised(self, value: float) -> float | None:
        """A score between uniform, 0, and the ceiling, 1; None where one of them is missing or they are not apart."""
        if self.floor is None or self.ceiling is None:
            return None
        floor, ceiling = self.floor.score(self.metric), self.ceiling.score(self.metric)
        if floor is None or ceiling is None or ceiling.value - floor.value < 1e-9:
            return None
        return (value - floor.value) / (ceiling.value - floor.value)


def places(rows: Sequence[Row]) -> list[Place]:
    """Every id in every setting in which it was run, those with most rows first among the settings of an id."""
    by_env: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_env[row.env].append(row)
    found = []
    for env, members in by_env.items():
        settings = _settings(members)
        sizes = Counter(settings)
        order = sorted(
            sizes, key=lambda name: -len({row.agent for row, at in zip(members, settings, strict=True) if at == name})
        )
        for number, setting in enumerate(order):
            here = [row for row, at in zip(members, settings, strict=True) if at == setting]
            lines = _lines(env, setting, here)
            controls = tuple(line for line in lines if line.arm != AS_IS)
            found.append(Place(env, setting, tuple(line for line in lines if line.arm == AS_IS), controls, number == 0))
    return found


def _settings(rows: Sequence[Row]) -> list[str]:
    """Each row's setting in words: the keywords of the environment by which rows of an id differ.

    A control changes keywords of its own; it belongs to the rows as they are with which it shares most.
    """
    plain = [row.setting for row in rows if row.arm == AS_IS] or [row.setting for row in rows]
    varying = _varying(plain)
    known = [setting for setting in plain if setting]
    labels = []
    for row in rows:
        setting = row.setting
        if row.arm != AS_IS and setting not in plain and known:
            setting = max(known, key=lambda one: _shared(one, row.setting))
        labels.append(_words(setting, varying))
    return labels


def _shared(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """How much two settings agree: what both say alike, less what only the first says."""
    alike = sum(name in other and other[name] == value for name, value in one.items())
    return 2 * alike - len(one)


def _varying(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys that are not the same in all."""
    names = dict.fromkeys(name for setting in settings for name in setting)
    return [name for name in names if len({_text(setting.get(name)) for setting in settings}) > 1]


def _text(value: Any) -> str:
    """A value in one spelling."""
    return json.dumps(value, sort_keys=True, default=str)


def _words(setting: Mapping[str, Any], names: Iterable[str], agent: str = "") -> str:
    """The named keys of a setting, as one reads them; a key that the agent's own name tells needs no name."""
    told = []
    for name in names:
        value, plain = setting.get(name), name.replace("_", " ")
        if name not in setting:
            continue
        if isinstance(value, bool):
            told.append(f"{'with' if value else 'without'} {plain}")
        else:
            told.append(_value(value) if name in agent else f"{plain} {_value(value)}")
    return ", ".join(told)


def _value(value: Any) -> str:
    """A value of a setting, short."""
    if isinstance(value, Mapping):
        return " ".join(_value(part) for part in value.values())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _lines(env: str, setting: str, rows: Sequence[Row]) -> list[Line]:
    """Rows of one place by agent, variant and arm."""
    variants: dict[str, list[str]] = {}
    for agent in dict.fromkeys(row.agent for row in rows):
        variants[agent] = _varying([_made_with(row) for row in rows if row.agent == agent and row.arm == AS_IS])
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    swept = {agent: len(names) == 1 and _numeric(rows, agent, names[0]) for agent, names in variants.items()}
    for row in rows:
        told = _words(_made_with(row), variants[row.agent], row.agent) if row.arm == AS_IS else ""
        found[f"{row.agent} {told}".strip(), row.arm].append(row)
    return [
        Line(
            env,
            setting,
            members[0].agent,
            label,
            members[0].agent if swept[members[0].agent] else label,
            tuple(members),
        )
        for (label, _), members in found.items()
    ]


def _made_with(row: Row) -> dict[str, Any]:
    """By what variants of an agent are told apart: hyper-parameters, and how long it learned."""
    return {**row.parameters, **({"steps": row.steps} if row.learned else {})}


def _numeric(rows: Sequence[Row], agent: str, name: str) -> bool:
    """Whether a hyper-parameter is a number wherever it is given."""
    values = [_made_with(row)[name] for row in rows if row.agent == agent and name in _made_with(row)]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
