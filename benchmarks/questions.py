"""Do off-the-shelf agents learn to answer questions? Choices and spans, five seeds, between a floor and a ceiling.

    NLP_GYM_DATA=<folder with commonsense_qa, squad> python benchmarks/questions.py choices span --jobs 2

The sentence encoder of the real choices is sentence-transformers/all-MiniLM-L6-v2; `--encoder` names a local copy of
it. Each finished cell is a row of `benchmarks/results/questions.jsonl`; what is there already is not run again, and a
cell that fails is a row with its error. What each question got is kept in `--answers`, from which `--compare` makes
paired differences.
"""

import argparse
import functools
import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
sys.path.insert(0, str(Path(__file__).parent))

from learning import key  # noqa: E402  its folder is named above

RESULTS = Path(__file__).parent / "results" / "questions.jsonl"
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
BASELINES = ("uniform", "first_choice", "sliding_window", "bandit", "oracle")
CHOICES = {  # task -> what the environment is made with, and who learns there
    "commonsense_qa": (
        ({"encoder": ENCODER, "ahead": True}, ("ppo", "maskable_ppo", "dqn", "sarsa")),
        ({"encoder": ENCODER}, ("ppo",)),
    ),
    "multiple_choice": (({"ahead": True}, ("ppo", "maskable_ppo", "dqn", "sarsa")), ({}, ("ppo",))),
}
SPANS = ("squad", "question_answering")
POINTERS = ("maskable_ppo", "ppo", "dqn", "sarsa")
COMPOSITIONAL = ("multiple_choice", "question_answering")  # tasks with a split of that name
ARMS = ("constant reward", "shuffled answers")


def cells(experiment: str, seeds: int) -> list[dict[str, Any]]:
    """What an experiment consists of: agent, id, keywords, arm, seed."""
    found: list[dict[str, Any]] = []

    def add(agent: str, task: str, arm: str = "as is", **setting: Any) -> None:
        for seed in range(seeds if agent == "uniform" or agent not in BASELINES else 1):
            found.append({"experiment": experiment, "agent": agent, "env": f"nlp/{task}-{experiment}-v0", "arm": arm,
                          "seed": seed, "set": setting, "param": {}})  # fmt: skip

    if experiment == "choices":
        for task, settings in CHOICES.items():
            for setting, learners in settings:
                for agent in (*(BASELINES if len(learners) > 1 else ()), *learners):
                    add(agent, task, **setting)
            for arm in ARMS:
                add("ppo", task, arm, **settings[0][0])
    if experiment == "span":
        for task in SPANS:
            for agent in (*BASELINES, *POINTERS):
                add(agent, task)
        for arm in ARMS:
            add("maskable_ppo", "question_answering", arm)
    return found


def run(cell: dict[str, Any], encoder: str = ENCODER) -> dict[str, Any]:
    """Train and judge one cell; the row that is published."""
    import warnings

    import torch

    from nlp_gym_agents._evaluation import evaluate
    from nlp_gym_agents._experiment import Experiment, train
    from nlp_gym_agents._runs import circumstances, data_facts
    from nlp_gym_agents._trained import load_run

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="You have specified a mini-batch")
    began = time.process_time()
    setting = cell["set"] | ({"encoder": encoder} if "encoder" in cell["set"] else {})
    try:
        with tempfile.TemporaryDirectory() as folder:
            options = {**setting, **arm_options(cell, Path(folder) / "data")}
            asked = Experiment(cell["agent"], cell["env"], cell["steps"], cell["seed"], None, options, cell["param"])
            record = train(asked, Path(folder) / "run")
            seconds = time.process_time() - began
            rows = record.rows()
            _, experiment, agent = load_run(record.folder)
            true = {name: v for name, v in experiment.env_kwargs.items() if name not in ("dataset", "reward")}
            splits = ["test", *(["compositional"] if task_of(cell) in COMPOSITIONAL else [])]
            judged = {split: evaluate(agent, cell["env"], split, true) for split in splits}  # on the true answers
            facts = data_facts(agent.env if hasattr(agent, "env") else agent.get_env())
    except Exception as error:  # a failed cell is a row, never a missing one
        return {**cell, "error": f"{type(error).__name__}: {error}", **circumstances()}
    scores = {
        split: {name: [round(x, 5) for x in (s.value, s.low, s.high)] for name, s in result.scores.items()}
        for split, result in judged.items()
    }
    metric = "accuracy" if "accuracy" in scores["test"] else "f1"
    return {
        **cell,
        "steps": experiment.steps,
        "n": {split: result.n for split, result in judged.items()},
        "scores": scores,
        "curve": [[row["steps"], round(row["return"], 4), round(row[metric], 4)] for row in rows],
        "cpu_seconds": round(seconds, 1),
        "env_kwargs": {name: value for name, value in experiment.env_kwargs.items() if name != "dataset"} | cell["set"],
        "hyperparameters": experiment.hyperparameters,
        "data": {"train": facts["train"]},
        **circumstances(),
        "got": judged["test"].episodes[metric].round(6).tolist(),
    }


def task_of(cell: dict[str, Any]) -> str:
    """The name of the task in a cell's id."""
    return cell["env"].split("/")[1].split("-")[0]


def arm_options(cell: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a control changes: a reward that tells nothing, or answers that do not belong to their questions."""
    if cell["arm"] == "constant reward":
        return {"reward": "constant"}
    if cell["arm"] == "as is":
        return {}
    import numpy as np

    from nlp_gym_envs.task import TASKS

    task = TASKS.get(task_of(cell)).open(task_of(cell))
    draw = np.random.default_rng(cell["seed"])
    folder.mkdir()
    for split in ("train", "validation", "test"):
        examples = task.at(split).examples
        lines = []
        for question, context, row in zip(examples["question"], examples["context"], range(len(examples)), strict=True):
            made = {"question": question, "context": context}
            if cell["experiment"] == "choices":  # any of the choices
                choices = examples["choices"][row]
                made |= {"choices": choices, "answer": int(draw.integers(len(choices)))}
            else:  # any word of the passage
                made |= {"answers": [str(draw.choice(context.split()))]}
            lines.append(json.dumps(made))
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    return {"dataset": str(folder)}


def number_of(row: dict[str, Any]) -> str:
    """A name for what is kept of a cell."""
    return hashlib.sha256(key(row).encode()).hexdigest()[:16]


def paired(rows: list[dict[str, Any]], answers: Path, repetitions: int = 1000) -> list[dict[str, Any]]:
    """The learners (mean over seeds) less every other agent of their id, where what each question got was kept.

    Intervals: 95 %, by resampling questions, and seeds.
    """
    import numpy as np

    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        if (path := answers / f"{number_of(row)}.json").exists():
            place = (row["env"], json.dumps(row["set"]), row["agent"], row["arm"])
            groups.setdefault(place, []).append(json.loads(path.read_text()))
    chance = np.random.default_rng(0)

    def resampled(group: list[Any], chosen: Any) -> Any:
        seeds = chance.integers(len(group), size=(repetitions, len(group)))
        return np.array(
            [np.mean([group[seed] for seed in row], 0)[at].mean() for row, at in zip(seeds, chosen, strict=True)]
        )

    found = []
    for (env, setting, agent, arm), mine in groups.items():
        chosen = chance.integers(len(mine[0]), size=(repetitions, len(mine[0])))
        if agent in BASELINES or arm != "as is":
            continue
        for (its_env, its_setting, other, its_arm), its in groups.items():
            if (its_env, its_setting) == (env, setting) and (other, its_arm) != (agent, arm):
                interval = np.quantile(resampled(mine, chosen) - resampled(its, chosen), [0.025, 0.975])
                difference = [round(float(x), 5) for x in (np.mean(mine) - np.mean(its), *interval)]
                names = {"env": env, "set": json.loads(setting), "learner": agent, "other": other, "arm": its_arm}
                found.append({**names, "seeds": len(mine), "difference": difference})
    return found


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=("choices", "span"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=(), help="cells whose id, agent and arm contain all these")
    parser.add_argument("--encoder", default=ENCODER, help="where the sentence encoder is")
    parser.add_argument("--steps", type=int, help="of training, for all learners")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--answers", type=Path, default=Path("runs/questions"))
    parser.add_argument("--compare", action="store_true", help="make the paired differences of what is there")
    options = parser.parse_args()
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    known = [row for row in map(json.loads, lines) if "error" not in row]
    if options.compare:
        differences = "".join(json.dumps(row) + "\n" for row in paired(known, options.answers))
        options.out.with_name(f"{options.out.stem}_paired.jsonl").write_text(differences)
        return
    done = {key(row) for row in known}
    wanted = [cell for name in options.experiments for cell in cells(name, options.seeds)]
    wanted = [c for c in wanted if key(c) not in done]
    wanted = [c for c in wanted if all(part in f"{c['env']} {c['agent']} {c['arm']}" for part in options.only)]
    wanted = [{**cell, "steps": options.steps} for cell in wanted]
    print(f"{len(wanted)} cells to run", file=sys.stderr)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.answers.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for number, row in enumerate(pool.imap_unordered(functools.partial(run, encoder=options.encoder), wanted), 1):
            if (got := row.pop("got", None)) is not None:
                (options.answers / f"{number_of(row)}.json").write_text(json.dumps(got))
            with open(options.out, "a") as file:  # this process alone writes: a row is whole or not there
                file.write(json.dumps(row) + "\n")
            score = row.get("scores", {}).get("test", {})
            told = row.get("error") or ", ".join(
                f"{n} {score[n][0]:.4f}" for n in ("accuracy", "f1", "exact_match", "return") if n in score
            )
            print(
                f"{number}/{len(wanted)} {row['agent']} {row['env']} {row['arm']} {row['seed']}: {told}",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
