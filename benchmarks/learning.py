"""Do off-the-shelf agents learn here? Every agent, five seeds, judged on held-out texts between a floor and a ceiling.

    NLP_GYM_DATA=<folder with sst2, ag_news, trec6> python benchmarks/learning.py label read front recurrent --jobs 2

Each finished cell is a row of `benchmarks/results/learning.jsonl`; what is there already is not run again, and a cell
that fails is a row with its error. `python benchmarks/tables.py` makes the tables and pictures from the rows.
"""

import argparse
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

RESULTS = Path(__file__).parent / "results" / "learning.jsonl"
BASELINES = ("uniform", "majority", "supervised", "oracle")
READERS = ("threshold", "fixed_fraction")
REAL, BUILT_IN = ("sst2", "ag_news", "trec6"), ("sentiment", "text_classification")
CHUNKS = {"sst2": 4, "ag_news": 5, "trec6": 2, "sentiment": 5, "text_classification": 5}
COSTS = (0.0003, 0.003, 0.01)  # prices of a word beside the default .001: the sweep that draws the front
RULE_COSTS = (0.003, 0.005, 0.01, 0.02)  # for the threshold rule, beside agents with memory
WORDS = {"encoder": {"name": "tfidf", "dimensions": 64}}  # the words of the last chunk join the observation


def cells(experiment: str, seeds: int) -> list[dict[str, Any]]:
    """What an experiment consists of: agent, id, keywords, arm, seed."""
    found: list[dict[str, Any]] = []

    def add(agent: str, task: str, dynamics: str, count: int = seeds, arm: str = "as is", **more: Any) -> None:
        for seed in range(count):
            found.append({"experiment": experiment, "agent": agent, "env": f"nlp/{task}-{dynamics}-v0", "arm": arm,
                          "seed": seed, "set": {}, "param": {}, **more})  # fmt: skip

    if experiment == "label":
        for task in (*REAL, *BUILT_IN):
            for agent in BASELINES:
                add(agent, task, "label", seeds if agent == "uniform" else 1)
            for agent in (
                ("ppo", "a2c", "dqn", "sarsa", "reinforce") if task in ("sst2", "ag_news") else ("ppo", "sarsa")
            ):
                add(agent, task, "label")
        for task in ("sst2", "ag_news"):
            for arm in ("constant reward", "shuffled labels"):
                add("ppo", task, "label", arm=arm)
    if experiment == "read":
        for task in (*REAL, *BUILT_IN):
            setting = {"chunk": CHUNKS[task]}
            for agent in (*BASELINES, *READERS):
                add(agent, task, "read", seeds if agent == "uniform" else 1, set=setting)
            add("threshold", task, "read", 1, set=setting, param={"slope": False})
            for agent in ("maskable_ppo", "sarsa", *(("ppo",) if task == "ag_news" else ())):
                add(agent, task, "read", set=setting)
        for arm in ("constant reward", "shuffled labels"):
            add("maskable_ppo", "ag_news", "read", arm=arm, set={"chunk": CHUNKS["ag_news"]})
    if experiment == "front":
        for task, costs in (("ag_news", COSTS), *((task, RULE_COSTS) for task in BUILT_IN)):
            for cost in costs:
                setting = {"chunk": CHUNKS[task], "reading_cost": cost}
                add("threshold", task, "read", 1, set=setting)
                add("threshold", task, "read", 1, set=setting, param={"slope": False})
                for agent in ("maskable_ppo", "sarsa") if task == "ag_news" else ():
                    add(agent, task, "read", set=setting)
        for fraction in (0.1, 0.2, 0.3, 0.4, 0.6, 0.8):
            add("fixed_fraction", "ag_news", "read", 1, set={"chunk": CHUNKS["ag_news"]}, param={"fraction": fraction})
    if experiment == "recurrent":
        for task in BUILT_IN:
            add("recurrent_ppo", task, "read", set={"chunk": CHUNKS[task], **WORDS})
    return found


def run(cell: dict[str, Any]) -> dict[str, Any]:
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
    try:
        with tempfile.TemporaryDirectory() as folder:
            options = {**cell["set"], **arm_options(cell, Path(folder) / "data")}
            asked = Experiment(
                cell["agent"], cell["env"], seed=cell["seed"], env_kwargs=options, hyperparameters=cell["param"]
            )
            record = train(asked, Path(folder) / "run")
            seconds = time.process_time() - began
            rows = record.rows()
            _, experiment, agent = load_run(record.folder)
            true = {**experiment.env_kwargs, **cell["set"]}  # judged on the true labels, by the task's own reward
            for name in ("dataset", "labels", "reward"):
                true.pop(name, None)
            splits = ["test", *(["compositional"] if cell["env"].split("/")[1].split("-")[0] in BUILT_IN else [])]
            judged = {split: evaluate(agent, cell["env"], split, true) for split in splits}
            facts = data_facts(agent.env if hasattr(agent, "env") else agent.get_env())
    except Exception as error:  # a failed cell is a row, never a missing one
        return {**cell, "error": f"{type(error).__name__}: {error}", **circumstances()}
    scores = {
        split: {name: [round(x, 5) for x in (s.value, s.low, s.high)] for name, s in result.scores.items()}
        for split, result in judged.items()
    }
    return {
        **cell,
        "steps": experiment.steps,
        "n": {split: result.n for split, result in judged.items()},
        "scores": scores,
        "curve": [[row["steps"], round(row["return"], 4), round(row["accuracy"], 4)] for row in rows],
        "cpu_seconds": round(seconds, 1),
        "env_kwargs": {k: v for k, v in experiment.env_kwargs.items() if k != "dataset"},
        "hyperparameters": experiment.hyperparameters,
        "data": {"train": facts["train"]},
        **circumstances(),
    }


def arm_options(cell: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a control changes: a reward that tells nothing, or labels that do not belong to their texts."""
    if cell["arm"] == "constant reward":
        return {"reward": "constant"}
    if cell["arm"] == "as is":
        return {}
    import numpy as np

    from nlp_gym_envs.task import TASKS

    task = TASKS.get(cell["env"].split("/")[1].split("-")[0]).open(cell["env"].split("/")[1].split("-")[0])
    folder.mkdir()
    for split in ("train", "validation", "test"):
        examples = task.at(split).examples
        shuffled = np.random.default_rng(cell["seed"]).permutation(examples.target)
        lines = (json.dumps({"text": t, "label": int(y)}) for t, y in zip(examples["text"], shuffled, strict=True))
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    return {"dataset": str(folder), "labels": list(task.answer.names)}


def key(cell: dict[str, Any]) -> str:
    """What makes a cell that cell."""
    names = ("experiment", "agent", "env", "arm", "seed", "set", "param")
    return json.dumps({name: cell[name] for name in names}, sort_keys=True)


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=("label", "read", "front", "recurrent"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="cells whose id contains this")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    known = options.out.read_text().splitlines() if options.out.exists() else []
    done = {key(row) for row in map(json.loads, known) if "error" not in row}
    wanted = [cell for name in options.experiments for cell in cells(name, options.seeds)]
    wanted = [c for c in wanted if key(c) not in done and (not options.only or options.only in c["env"])]
    print(f"{len(wanted)} cells to run", file=sys.stderr)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for number, row in enumerate(pool.imap_unordered(run, wanted), 1):
            with open(options.out, "a") as file:  # this process alone writes: a row is whole or not there
                file.write(json.dumps(row) + "\n")
            score = row.get("scores", {}).get("test", {})
            told = row.get("error") or ", ".join(
                f"{n} {score[n][0]:.4f}" for n in ("accuracy", "return", "words_read") if n in score
            )
            print(
                f"{number}/{len(wanted)} {row['agent']} {row['env']} {row['arm']} {row['seed']} {row['set']}: {told}",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
