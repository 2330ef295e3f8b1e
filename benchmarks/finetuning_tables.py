"""The tables of `results/finetuning.md`, from the rows that `finetuning.py` wrote.

python benchmarks/finetuning_tables.py
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import finetuning
import numpy as np

FOLDER = Path(__file__).parent / "results"
REPETITIONS = 2000  # of the bootstrap
NEAR = 0.02  # nats: a model that is warmed up on another machine differs a little
LEARNERS = ("ppo", "a2c", "sac", "td3", "tqc", "dqn", "sarsa")
KNOWING = "best_constant knows=True instances=64"  # told what is hidden
AGAINST = ("best_constant", "best_constant schedule=cosine", KNOWING, f"{KNOWING} schedule=cosine",
           "best_constant adam",
           "best_constant schedule=cosine adam", "no_op", "uniform", "descent length=0.5", "descent length=1.0",
           "blank", "point", "constant reward")  # fmt: skip
CONTROLS = ("blank", "point", "constant reward")  # what the same agent sees instead
TOLD = {  # what baselines are called in tables
    "best_constant": "best constant",
    "best_constant schedule=cosine": "best decay",
    KNOWING: "best constant, told",
    f"{KNOWING} schedule=cosine": "best decay, told",
    "best_constant adam": "Adam, best constant",
    "best_constant schedule=cosine adam": "Adam, best decay",
    "no_op": "doing nothing",
    "descent length=0.5": "descent, half steps",
    "descent length=1.0": "descent, full steps",
    "blank": "blanked",
    "point": "point alone",
    "constant reward": "constant reward",
}
LENGTH = re.compile(r" of [\d,]+ steps$")
INTRODUCTION = """# Changing a model: subspace, rates and layers

Made by `python benchmarks/finetuning_tables.py` from `finetuning.jsonl`, whose rows are made by
`NLP_GYM_DATA=<folder> python benchmarks/finetuning.py`, with the `--setting` that a heading names. What is wrong in an
instance is hidden, and so is whether the answers in its minibatches are right; in `subspace` the weights were moved off
along directions that are each instance's own. The rise is 3 x the fall of log(loss + .05) on examples that no
action is chosen by. Learned agents are judged as they are at the end of their training, and work on top of a cosine
schedule where instances are unlike. Intervals are 95 %, over seeds and instances both (bootstrap); differences are
paired, instance by instance, on those that both were judged on.

Baselines choose on training instances; all take the same number of steps, but for those that may stop. *best constant*
is `best_constant`: the action that is best when it is taken in every step. *best decay* is the same on a cosine
schedule; *told*: one action for each thing that is hidden, chosen by one who is told it. Where it says *Adam* that is
the optimiser, at its best rates of a grid. *descent* goes down the gradient that is shown. Controls are trained as the
agent is: *blanked* sees zeros, *point alone* nothing but how far it has gone along each direction, so that it can only
learn a place by heart; *constant reward* is paid the same for everything.

| setting | what is wrong | keywords |
|---|---|---|
"""


def load(path: Path = FOLDER / "finetuning.jsonl") -> list[dict[str, Any]]:
    """The rows without an error."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [row for row in rows if "error" not in row]


def name_of(row: dict[str, Any], steps: int | None = None) -> str:
    """What a row's agent is called in a table, with its training where that is not the usual one."""
    written = [f"{name}={value}" for name, value in row["param"].items() if row["agent"] not in LEARNERS]
    written += [f"of {row['steps']:,} steps"] if row["steps"] != steps and row["steps"] else []
    return " ".join((row["agent"], *written, *([] if row["arm"] == "as is" else [row["arm"]])))


def called(name: str) -> str:
    """What a table calls an agent: a baseline by what it does, a control beside whose it is."""
    learner, _, control = name.partition(" ")
    if learner in LEARNERS:
        return f"{learner}, {TOLD[control]}" if control in TOLD else name
    return TOLD.get(name, name)


def resampled(rises: np.ndarray, seed: int = 0) -> np.ndarray:
    """Means of rises (S, N) with seeds and instances drawn again, (R + 1,); the first is the mean itself."""
    draw = np.random.default_rng(seed)
    seeds, instances = rises.shape
    means = [rises.mean()]
    order = draw.integers(instances, size=(REPETITIONS, instances))  # the same for all agents: pairs stay pairs
    for chosen in order:
        means.append(rises[draw.integers(seeds, size=seeds)][:, chosen].mean())
    return np.array(means)


def less(mine: np.ndarray, its: np.ndarray) -> np.ndarray:
    """Means of what one has (S, N) less what another has on the same instances, as `resampled`."""
    both = min(mine.shape[1], its.shape[1])  # the first instances are the same
    return resampled(mine[:, :both] - its[:, :both].mean(0))


def alike(starts: Sequence[float], where: str) -> None:
    """Raise ValueError where rows that are to be compared did not start from the same instances."""
    if max(starts) - min(starts) > NEAR:
        raise ValueError(
            f"{where}: mean losses at the start are {min(starts):.3f} to {max(starts):.3f}; run all again."
        )


def written(means: np.ndarray, digits: int = 3) -> str:
    """A mean with its interval."""
    low, high = np.quantile(means[1:], [0.025, 0.975])
    return f"{means[0]:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def table(rows: list[dict[str, Any]], where: str | None = None) -> list[str]:
    """Each agent's rise, losses and metric on one pair's test instances, or elsewhere."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    most = {row["agent"]: row["steps"] for row in sorted(rows, key=lambda row: row["steps"] or 0)}
    for row in rows:
        found = row if where is None else row.get("elsewhere", {}).get(where)
        if found:
            groups[name_of(row, most[row["agent"]])].append({**found, "seconds": row["cpu_seconds"]})
    if not groups:
        return []
    metric = next(iter(next(iter(groups.values()))[0]["scores"]))
    metric = next((m for m in ("accuracy", "chrf", "f1") if m in next(iter(groups.values()))[0]["scores"]), metric)
    lines = [f"| agent | seeds | n | rise | loss, start to end | {metric} | passes forward, backward |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    rises = {name: np.array([row["each"]["rise"] for row in group]) for name, group in groups.items()}
    for name in sorted(groups, key=lambda name: -rises[name].mean()):
        scores = [row["scores"] for row in groups[name]]
        mean = {m: float(np.mean([s[m][0] for s in scores if m in s] or [np.nan]))
                for m in ("loss_start", "loss", metric, "forward_passes", "backward_passes")}  # fmt: skip
        lines.append(
            f"| {called(name)} | {len(scores)} | {rises[name].shape[1]} | {written(resampled(rises[name]))} | "
            f"{mean['loss_start']:.3f} to {mean['loss']:.3f} | {mean[metric]:.3f} | "
            f"{mean['forward_passes']:.0f}, {mean['backward_passes']:.0f} |"
        )
    starts = {name: np.array([row["each"]["loss_start"] for row in group]) for name, group in groups.items()}
    return [*lines, *differences(rises, starts)]


def differences(rises: dict[str, np.ndarray], starts: dict[str, np.ndarray]) -> list[str]:
    """Each learner's rise less that of what it should beat; `starts`, (S, N) too, are the losses at the start."""
    found: dict[str, dict[str, str]] = {}
    for learner in (name for name in rises if LENGTH.sub("", name) in LEARNERS):
        for rival in AGAINST:
            other = f"{learner} {rival}" if rival in CONTROLS else rival
            if other in rises:
                both = min(rises[learner].shape[1], rises[other].shape[1])  # the first instances are the same
                alike([starts[name][:, :both].mean() for name in (learner, other)], f"{learner} beside {other}")
                found.setdefault(learner, {})[rival] = written(less(rises[learner], rises[other]))
    rivals = [rival for rival in AGAINST if any(rival in gaps for gaps in found.values())]
    heads = [f"less itself, {called(r)}" if r in CONTROLS else f"less {called(r)}" for r in rivals]
    lines = [f"| {learner} | {' | '.join(gaps.get(r, '') for r in rivals)} |" for learner, gaps in found.items()]
    return ["", f"| rise of | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|", *lines] if lines else []


def title_of(row: dict[str, Any]) -> str:
    """The task, the dynamics, the setting, and what keywords were changed."""
    named = finetuning.name_of_setting(row["task"], row["common"])
    usual = finetuning.SETTINGS[named].common if named else {}
    changed = [f"`{name}={value}`" for name, value in row["common"].items() if value != usual.get(name)]
    return ", ".join((row["task"], row["dynamics"], *([named] if named else []), *changed))


def settings() -> list[str]:
    """What the names of settings mean, as rows of a table."""
    found = []
    for name, setting in finetuning.SETTINGS.items():
        keywords = [f"`{keyword}={value}`" for keyword, value in setting.common.items()]
        rates = [f"`rate={lesson.rate}` in {dynamics}" for dynamics, lesson in setting.lessons.items()]
        found.append(f"| {name} | {setting.told} | {', '.join((*keywords, *rates))} |")
    return found


def main() -> None:
    """Write the page."""
    rows, lines = load(), [INTRODUCTION.rstrip("\n"), *settings(), ""]
    notes = FOLDER / "FINETUNING_NOTES.md"
    lines += [notes.read_text()] if notes.exists() else []
    for title in sorted(dict.fromkeys(title_of(row) for row in rows), key=place):
        mine = [row for row in rows if title_of(row) == title]
        lines += [f"## {title}", "", *table(mine), ""]
        for where in dict.fromkeys(name for row in mine for name in row.get("elsewhere", {})):
            lines += [f"### {title}: the same agents on {where}, without retraining", "",
                      *table(mine, where), ""]  # fmt: skip
    (FOLDER / "finetuning.md").write_text("\n".join(lines))


def place(title: str) -> tuple[int, int, str]:
    """Where a heading stands on the page."""
    _, dynamics, *setting = title.split(", ")
    names = list(finetuning.SETTINGS)
    return (
        list(finetuning.LEARNERS).index(dynamics),
        names.index(setting[0]) if setting[:1] and setting[0] in names else len(names),
        title,
    )


if __name__ == "__main__":
    main()
