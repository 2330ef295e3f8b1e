"""Can an agent calibrate models that it has never seen? `nudge` on held-out instances, and zero-shot on other data.

    NLP_GYM_DATA=<folder with ag_news, trec6, sst2> python benchmarks/nudging.py transfer
    python benchmarks/nudging.py builtin
    python benchmarks/nudging_tables.py

`transfer`: trained on the training instances of AG News, judged on the 400 of its test split and, as it is, on those of
TREC-6 (six classes) and SST-2 (two). `builtin`: the four built-in tasks, each judged on its own test instances. Each
finished cell is a row of `results/nudging.jsonl`, with the rise of every instance; what is there is not run again.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

RESULTS = Path(__file__).parent / "results" / "nudging.jsonl"
TRAINED, ELSEWHERE = "ag_news", ("trec6", "sst2")
BUILTIN = ("sentiment", "text_classification", "translation", "question_answering")
LEARNERS = ("ppo", "sarsa", "dqn", "a2c")
RULES = ("no_op", "uniform", "best_constant", "random_search", "hill_climb", "prior_correction",
         "gradient_calibration", "oracle")  # fmt: skip
ARMS: dict[str, dict[str, Any]] = {
    "as is": {},
    "zero observation": {"observation": {"name": "vector", "blank": True}},
    "constant reward": {"reward": "constant"},
}


def cells(experiment: str, seeds: int) -> list[dict[str, Any]]:
    """What an experiment consists of."""
    found: list[dict[str, Any]] = []

    def add(task: str, agent: str, on: tuple[str, ...], count: int, arm: str = "as is") -> None:
        for seed in range(count):
            found.append({"experiment": experiment, "task": task, "agent": agent, "arm": arm, "seed": seed, "on": on})

    if experiment == "transfer":
        for rule in RULES:
            add(TRAINED, rule, (TRAINED, *ELSEWHERE), 1)
        for agent in LEARNERS:
            add(TRAINED, agent, (TRAINED, *ELSEWHERE), seeds)
        for arm in ("zero observation", "constant reward"):
            add(TRAINED, "ppo", (TRAINED, *ELSEWHERE), seeds, arm)
    if experiment == "builtin":
        for task in BUILTIN:
            for rule in RULES:
                if rule != "prior_correction" or task in BUILTIN[:2]:
                    add(task, rule, (task,), 1)
            for agent in LEARNERS:
                add(task, agent, (task,), seeds)
            for arm in ("zero observation", "constant reward"):
                add(task, "ppo", (task,), seeds, arm)
    return found


def run(cell: dict[str, Any], steps: int | None) -> list[dict[str, Any]]:
    """Train one cell and judge it on the test instances of each data set: a row for each."""
    import torch

    from nlp_gym_agents._agents import make_agent
    from nlp_gym_agents._bridge import make_vec_env
    from nlp_gym_agents._evaluation import evaluate
    from nlp_gym_agents._hyperparameters import as_values, hyperparameters
    from nlp_gym_agents._runs import circumstances

    torch.set_num_threads(1)
    began, arm = time.process_time(), ARMS[cell["arm"]]
    settings = hyperparameters(cell["agent"], f"nlp/{cell['task']}-nudge-v0")
    wanted, rows = int(settings.pop("n_timesteps", 0)), settings.pop("n_envs", 1)
    wanted = min(wanted, steps) if steps else wanted
    env = make_vec_env(f"nlp/{cell['task']}-nudge-v0", rows, cell["seed"], arm)
    agent = make_agent(cell["agent"], env, as_values(settings), cell["seed"]).learn(wanted)
    trained, found = round(time.process_time() - began, 1), []
    judging = {name: value for name, value in arm.items() if name != "reward"}
    for task in cell["on"]:
        judged = evaluate(agent, f"nlp/{task}-nudge-v0", "test", judging, num_envs=200)
        scores = {name: [round(x, 5) for x in (s.value, s.low, s.high)] for name, s in judged.scores.items()}
        each = judged.episodes["rise"].round(4).tolist()  # of every instance, for paired differences
        told = {name: value for name, value in cell.items() if name != "on"}
        found.append({**told, "judged_on": task, "n": judged.n, "steps": wanted, "scores": scores, "rises": each,
                      "train_cpu_seconds": trained, **circumstances()})  # fmt: skip
    return found


def key(row: dict[str, Any]) -> str:
    """What makes a row that row."""
    return json.dumps([row[name] for name in ("experiment", "task", "agent", "arm", "seed")])


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=("transfer", "builtin"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="at most so many of training, instead of what configs/ says")
    parser.add_argument("--only", nargs="*", default=(), help="agents, arms or tasks; all that is named must fit")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    known = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    done = {key(row) for row in known}
    wanted = [cell for name in options.experiments for cell in cells(name, options.seeds)]
    wanted = [c for c in wanted if key(c) not in done and set(options.only) <= {c["agent"], c["arm"], c["task"]}]
    print(f"{len(wanted)} cells to run", file=sys.stderr)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for number, cell in enumerate(wanted, 1):
        rows = run(cell, options.steps)
        with open(options.out, "a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        told = ", ".join(f"{row['judged_on']} {row['scores']['rise'][0]:.4f}" for row in rows)
        print(f"{number}/{len(wanted)} {cell['agent']} {cell['arm']} {cell['seed']}: {told}", file=sys.stderr)


if __name__ == "__main__":
    main()
