"""Sample episodes as strips: what was read, done and paid, step by step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._groups import Line, Place
from ._words import metric_name, number

LEARNERS, EPISODES = 3, 4  # that are shown of an id, and of each of them
EXACT = ("accuracy", "exact_match")  # metrics of which an answer has all or nothing
MOST = 60  # steps of an episode that are shown
LONG = 600  # letters of a text that are shown at once
NUMBERS = 8  # of an action that is a vector


@dataclass(frozen=True)
class Step:
    """One step of an episode, ready to be shown; `numbers` are a vector's, as shares of its largest."""

    text: str
    action: str
    numbers: tuple[tuple[float, str], ...]
    probability: float | None
    reward: float | None
    paid: str
    parts: str


@dataclass(frozen=True)
class Episode:
    """One episode, ready to be shown."""

    example: str
    text: str
    steps: tuple[Step, ...]
    left_out: int
    answer: str
    target: str
    right: bool | None
    paid: str
    metrics: str


@dataclass(frozen=True)
class Sample:
    """An agent's episodes at a place."""

    label: str
    series: str
    arm: str
    seed: int
    episodes: tuple[Episode, ...]


def samples(place: Place, found: Mapping[str, Any], suspicious: Sequence[Line] = ()) -> list[Sample]:
    """Episodes of the best learners, of the best rule and the best trivial policy, and of controls that are suspicious.

    Each is of the line's first seed that has some; what else was written stays in the results' folder.
    """
    scored = [(score.value, line) for line in place.lines if line.learned and (score := line.score(place.metric))]
    learners = [line for _, line in sorted(scored, key=lambda one: -one[0])]
    lines = [*learners[:LEARNERS], place.rule, place.trivial, *suspicious]
    return [sample for line in lines if line is not None and (sample := _sample(line, found)) is not None]


def _sample(line: Line, found: Mapping[str, Any]) -> Sample | None:
    for row in line.rows:
        raw = found.get(row.cell)
        episodes = tuple(_episodes(raw["episodes"])) if raw else ()
        if episodes:
            return Sample(line.label, line.series, line.arm, row.seed, episodes[:EPISODES])
    return None


def _episodes(raw: Sequence[Any]) -> Iterator[Episode]:
    for one in raw:
        if not isinstance(one, Mapping):
            continue
        steps = [step for step in _list(one.get("steps")) if isinstance(step, Mapping)]
        answer, targets = _text(one.get("answer")), [_text(target) for target in _list(one.get("target"))]
        paid = one.get("return")
        metrics = one["metrics"] if isinstance(one.get("metrics"), Mapping) else {}
        yield Episode(
            example=_text(one.get("example")),
            text=_cut(_text(one.get("text")), LONG),
            steps=tuple(_steps(steps[:MOST])),
            left_out=max(0, len(steps) - MOST),
            answer=_cut(answer, LONG),
            target=_cut(" | ".join(targets), LONG),
            right=_right(answer, targets, metrics),
            paid=number(float(paid), 2) if isinstance(paid, int | float) else "–",
            metrics=", ".join(f"{metric_name(name)} {_short(value)}" for name, value in metrics.items()),
        )


def _right(answer: str, targets: Sequence[str], metrics: Mapping[str, Any]) -> bool | None:
    """Whether an answer is right, where that is a question of yes or no; a translation is better or worse."""
    for name in EXACT:
        if isinstance(metrics.get(name), int | float):
            return metrics[name] >= 1
    return True if answer and answer in targets else None


def _steps(raw: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Steps, each with the text that came new with it."""
    before = ""
    for step in raw:
        text = _text(step.get("text"))
        new = text[len(before) :].strip() if before and text.startswith(before) else text
        before = text or before
        action, meaning = step.get("action"), _text(step.get("meaning"))
        vector = isinstance(action, list | tuple)
        reward, probability = step.get("reward"), step.get("probability")
        parts = step.get("components") or {}
        yield Step(
            text=_cut(new, 160),
            action=meaning or ("" if vector else _text(action)),
            numbers=_vector(action) if vector and action else (),
            probability=min(1.0, max(0.0, float(probability))) if isinstance(probability, int | float) else None,
            reward=float(reward) if isinstance(reward, int | float) else None,
            paid=_paid(reward) if isinstance(reward, int | float) else "",
            parts=", ".join(f"{name} {_short(value)}" for name, value in parts.items())
            if isinstance(parts, Mapping)
            else "",
        )


def _vector(action: Sequence[Any]) -> tuple[tuple[float, str], ...]:
    """The first numbers of a vector, each as a share of the largest, and in digits."""
    values = [float(value) for value in action[:NUMBERS] if isinstance(value, int | float)]
    largest = max((abs(value) for value in values), default=0.0) or 1.0
    return tuple((value / largest, number(value, 2)) for value in values)


def _paid(reward: float) -> str:
    """A reward with its sign, and digits enough to see it."""
    if not reward:
        return "0"
    text = number(reward, 2 if abs(reward) >= 0.1 else 3 if abs(reward) >= 0.001 else 5)
    return text if reward < 0 else f"+{text}"


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else _text(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
