"""Is one agent better than another? A paired bootstrap over the test examples that both were judged on, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.task import METRICS, TASKS

from . import _statistics as statistics
from ._evaluation import evaluate
from ._pages import names_of
from ._results import OK, Results
from ._runs import Run
from ._screens import AS_COUNTED, number
from ._settings import known_id
from ._trained import load_run

Setting = tuple[str, str]  # an id, and its keywords as text


@dataclass
class Judged:
    """One run's test examples: `numbers` is name -> (N,), or `counts/<metric>` -> (N, s)."""

    metric: str
    seed: int
    data: str | None  # the training data's hash
    numbers: Mapping[str, np.ndarray]

    def counts(self, metric: str) -> np.ndarray:
        """What each example adds to a score, (N, s); of a plain number, itself and 1."""
        if (known := self.numbers.get(f"counts/{metric}")) is not None:
            return known
        if metric not in self.numbers:
            names = sorted(name for name in self.numbers if "/" not in name)
            raise BadArgument(f"--metric {metric!r} was not measured here; there are: {', '.join(names)}.")
        values = self.numbers[metric]
        return np.stack([values, np.ones_like(values)], 1)


@dataclass
class Side:
    """What is compared: the agent's name, and its runs in each setting."""

    name: str
    settings: dict[Setting, list[Judged]]


def compare(first: str, second: str, metric: str | None = None, arm: str = "as is") -> dict[str, Any]:
    """Compare two runs, or two agents of results: plain values, `words` a list of sentences.

    Each of the two is a run's folder, or `FOLDER:AGENT` with a folder of results. Raises BadArgument where there is
    nothing to compare, or the two were judged on different data.
    """
    mine, theirs = sides = (_side(first, arm), _side(second, arm))
    shared = [setting for setting in mine.settings if setting in theirs.settings]
    if not shared:
        known = ["; ".join(" ".join(setting) for setting in side.settings) for side in sides]
        raise BadArgument(f"{first} and {second} share no id: the first has {known[0]}, the second {known[1]}.")
    names = (mine.name, theirs.name) if mine.name != theirs.name else (first, second)
    rows = [_row(setting, mine.settings[setting], theirs.settings[setting], metric) for setting in shared]
    report = {"first": names[0], "second": names[1], "arm": arm, "level": statistics.LEVEL, "rows": rows}
    report["overall"] = _overall(rows) if len(rows) > 1 else None
    for row in rows:
        row["words"] = in_words(*names, row)
    report["words"] = [row["words"] for row in rows]
    if report["overall"]:
        report["words"].append(_overall_in_words(*names, report["overall"]))
    if all(max(row["seeds"]) == 1 for row in rows):
        report["words"].append("With one seed each, nothing is said of other seeds.")
    return report


# ---------------------------------------------------------------- what is compared


def _side(given: str, arm: str) -> Side:
    """A run's folder, or a folder of results and an agent."""
    if Run(given).exists and not Results(given).path.exists():
        return _of_run(given)
    folder, colon, agent = given.rpartition(":")
    if not colon or not Path(folder).is_dir():
        if Results(given).path.exists():
            agents = dict.fromkeys(row["agent"] for row in Results(given).rows() if row["status"] == OK)
            raise BadArgument(f"say which agent of {given}: {', '.join(f'{given}:{name}' for name in agents)}.")
        raise BadArgument(f"{given} is neither a run's folder nor FOLDER:AGENT with a folder of results.")
    results = Results(folder)
    settings: dict[Setting, list[Judged]] = {}
    rows = [row for row in results.rows() if row["status"] == OK and row["arm"] == arm]
    for row in rows:
        if row["agent"] == agent:
            setting = (row["env"], _as_text(row["env_kwargs"]))
            numbers = results.episodes(row["cell"])
            judged = Judged(row["metric"], row["seed"], row["data"]["train"]["sha256"], numbers)
            settings.setdefault(setting, []).append(judged)
    if not settings:
        agents = ", ".join(dict.fromkeys(row["agent"] for row in rows)) or "none"
        raise BadArgument(f"{folder} has no finished cell of {agent!r}, {arm}; it has: {agents}.")
    return Side(agent, settings)


def _of_run(folder: str) -> Side:
    """A run's best model, judged on the test split now."""
    run, experiment, agent = load_run(folder)
    found = evaluate(agent, experiment.env, "test", experiment.env_kwargs, intervals=False)
    numbers = {**found.episodes, **{f"counts/{name}": counts for name, counts in found.counts.items()}}
    data = run.facts().get("data", {}).get("train", {}).get("sha256")
    judged = Judged(_metric(experiment.env), experiment.seed or 0, data, numbers)
    ours = {name: value for name, value in experiment.env_kwargs.items() if name not in ("observation", "reward")}
    return Side(experiment.agent, {(experiment.env, _as_text(ours)): [judged]})


def _as_text(keywords: Mapping[str, Any]) -> str:
    """Keywords that tell one environment from another, on a line."""
    return ", ".join(f"{name}={value!r}" for name, value in sorted(keywords.items()))


def _task(env_id: str) -> Any:
    return TASKS.get(names_of(known_id(env_id).rpartition(":")[2])[0])


def _metric(env_id: str) -> str:
    return _task(env_id).metrics[0]


# ---------------------------------------------------------------- the comparison


def _row(setting: Setting, mine: list[Judged], theirs: list[Judged], metric: str | None) -> dict[str, Any]:
    """Two agents in one setting."""
    env_id, keywords = setting
    where = f"{env_id} {keywords}".strip()
    metric = metric or mine[0].metric
    if len({judged.data for judged in (*mine, *theirs)} - {None}) > 1:
        raise BadArgument(f"the two were trained on different data of {where}: they are not paired.")
    counts = [np.stack(list(_same_length(side, metric, where))) for side in (mine, theirs)]
    if counts[0].shape[1:] != counts[1].shape[1:]:
        sizes = " and ".join(f"{array.shape[1]:,}" for array in counts)
        raise BadArgument(f"the two were judged on {sizes} examples of {where}: they are not paired.")
    score = METRICS.get(metric)(_task(env_id).answer).score if _is_corpus(mine[0], metric) else _mean
    difference, above = statistics.paired(counts[0].astype(float), counts[1].astype(float), score)
    scores = [[float(score(run.sum(0))) for run in side.astype(float)] for side in counts]
    return {
        "env": env_id,
        "env_kwargs": keywords,
        "metric": metric,
        "n": int(counts[0].shape[1]),
        "seeds": [len(mine), len(theirs)],
        "scores": scores,
        "difference": list(difference),
        "above": above,
    }


def _same_length(side: list[Judged], metric: str, where: str) -> Iterator[np.ndarray]:
    """Each run's counts. Raises BadData where runs of one agent were judged on different numbers of examples."""
    every = [judged.counts(metric) for judged in side]
    if len({len(counts) for counts in every}) > 1:
        raise BadData(f"the seeds of one agent were judged on different numbers of examples of {where}.")
    return iter(every)


def _is_corpus(judged: Judged, metric: str) -> bool:
    return f"counts/{metric}" in judged.numbers


def _mean(counts: np.ndarray) -> np.ndarray:
    return counts[..., 0] / counts[..., 1]


def _overall(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Over all settings: how likely a run of the first is above one of the second."""
    runs = [min(len(row["scores"][side]) for row in rows) for side in (0, 1)]
    mine, theirs = (np.array([row["scores"][s][: runs[s]] for row in rows]).T for s in (0, 1))
    found = statistics.interval(statistics.improvement, mine, theirs)
    return {"settings": len(rows), "seeds": runs, "improvement": list(found)}


# ---------------------------------------------------------------- in words


def in_words(first: str, second: str, row: Mapping[str, Any]) -> str:
    """One comparison as a sentence or two."""
    metric, (value, low, high) = row["metric"], row["difference"]
    where = f"{row['env']} {row['env_kwargs']}".strip()
    scores = " against ".join(number(metric, float(np.mean(side))) for side in row["scores"])
    scale = "" if metric in AS_COUNTED else " x 100"
    numbers = (
        f"{metric}{scale} {scores}, a difference of {_signed(metric, value)} "
        f"[{_signed(metric, low)}, {_signed(metric, high)}] ({statistics.LEVEL:.0%} interval, paired bootstrap over "
        f"{row['n']:,} test examples and {_seeds(row['seeds'])})"
    )
    if low > 0 or high < 0:
        verdict = f"{first} is {'above' if low > 0 else 'below'} {second} on {where}"
    else:
        verdict = f"{first} and {second} cannot be told apart on {where}"
    return f"{verdict}: {numbers}."


def _overall_in_words(first: str, second: str, overall: Mapping[str, Any]) -> str:
    value, low, high = overall["improvement"]
    around = f" [{low:.0%}, {high:.0%}]" if min(overall["seeds"]) > 1 else ""
    return (
        f"Over {overall['settings']} settings, a run of {first} is above a run of {second} with a probability of "
        f"{value:.0%}{around}, ties counting half ({_seeds(overall['seeds'])})."
    )


def _signed(metric: str, value: float) -> str:
    return f"{'-' if value < 0 else '+'}{number(metric, abs(value))}"


def _seeds(seeds: list[int]) -> str:
    mine, theirs = seeds
    return f"{mine} seed{'s' * (mine > 1)} each" if mine == theirs else f"{mine} against {theirs} seeds"
