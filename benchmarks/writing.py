"""Do agents learn to write better than the model inside the environment does? `tokens`, five seeds, test split.

    nlp-gym pretrain --task multi30k_en_de --out models/multi30k --param width=192 ...    # see benchmarks/README.md
    export NLP_GYM_DATA=<folder with multi30k_en_de>
    python benchmarks/writing.py plain length terms formats --model models/multi30k
    python benchmarks/writing.py builtin

`plain` pays the rise of the mean of sentence chrF and BLEU, `length` that of chrF and allows 0.9 of the prompt's
characters, `terms` requires the words of `multi30k_terms.json`, `formats` asks what a model of fewer bits writes. Each
finished cell is a row of `results/writing.jsonl`; its answers are kept in `--answers`, from which `--compare` makes the
paired bootstrap. What is there already is not run again.
"""

import argparse
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

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "writing.jsonl"
MULTI30K, BUILT_IN = "nlp/multi30k_en_de-tokens-v0", "nlp/translation-tokens-v0"
GOALS: dict[str, dict[str, Any]] = {
    "plain": {"metric": {"chrf": 1, "bleu": 1}},
    "length": {"length_limit": 0.9},
    "terms": {"terms": str(HERE / "multi30k_terms.json")},
    "formats": {},
    "builtin": {},
    "builtin length": {"length_limit": 0.9},
    "builtin terms": {"terms": "builtin"},
}
RULES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("greedy", {}),
    ("ngram_blocking", {}),
    ("look_ahead", {}),
    ("beam", {}),
    ("beam", {"n": 2}),
    ("oracle", {}),
    ("uniform", {}),
)
FOR_GOALS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("beam", {"width": 8, "rerank": True}),
    ("beam", {"width": 8, "n": 2, "rerank": True}),
    ("goal_rule", {}),
)
STEPS = {"terms": 150_000}  # else as configs/ has it
ROWS = 64  # of the environment in which an agent is judged
LOOK = 50_000  # steps between looks at the validation split
LEARNERS = ("maskable_ppo", "ppo", "dqn", "sarsa")
PRIOR = {"policy_kwargs": {"candidate_kwargs": {"hidden": 64, "prior": 1}}}  # starts as the model's own distribution
CONSTANT, SHUFFLED = "constant reward", "shuffled answers"
CONTROLS: dict[str, dict[str, Any]] = {
    CONSTANT: {"reward": "constant"},
    "zero observation": {"observation": {"name": "dict", "blank": True}},
}
WITHOUT: dict[str, dict[str, Any]] = {  # a part of what is seen
    "no lexicon": {"lexicon": False},
    "no embeddings": {"embedding": 0, "state": 0},
}
FORMATS: tuple[dict[str, Any], ...] = ({}, {"dtype": "bfloat16"}, {"quantize": "int8"})


def cells(experiment: str, seeds: int, model: str | None) -> list[dict[str, Any]]:
    """What an experiment consists of: agent, id, keywords, arm, seed."""
    env = BUILT_IN if experiment.startswith("builtin") else MULTI30K
    goal = dict(GOALS[experiment])
    if model:
        goal["model"] = model
    found = []

    def add(agent: str, count: int, arm: str = "as is", **more: Any) -> None:
        for seed in range(count):
            found.append({"experiment": experiment, "agent": agent, "env": env, "arm": arm, "seed": seed, "set": goal,
                          "param": {}, **more})  # fmt: skip

    if experiment == "formats":
        for form in FORMATS:
            for agent in ("greedy", "beam"):
                add(agent, 1, set={**goal, **form})
        return found
    for agent, param in (*RULES, *(FOR_GOALS if experiment.split()[-1] in ("length", "terms") else ())):
        add(agent, 1, param=param)
    for param in ({}, PRIOR) if env == MULTI30K else ({},):
        for arm in ("as is", *CONTROLS):
            add("maskable_ppo", seeds, arm, param=param)
    if experiment == "plain":
        for arm in (SHUFFLED, *WITHOUT):
            add("maskable_ppo", seeds, arm)
    if experiment == "builtin":
        for agent in ("ppo", "dqn", "sarsa"):
            add(agent, seeds)
    return found


def run(cell: dict[str, Any]) -> dict[str, Any]:
    """Train and judge one cell; the row that is published, and its answers."""
    import warnings

    import torch

    from nlp_gym_agents._runs import circumstances

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="You have specified a mini-batch")
    began = time.process_time()
    try:
        judged, more = (judge_rule if is_rule(cell["agent"]) else train_and_judge)(cell, _goal(cell["set"]))
    except Exception as error:  # a failed cell is a row, never a missing one
        return {**cell, "error": f"{type(error).__name__}: {error}", **circumstances()}
    scores = {name: [round(x, 5) for x in (s.value, s.low, s.high)] for name, s in judged.scores.items()}
    seconds = round(time.process_time() - began, 1)
    row = {**cell, "n": judged.n, "scores": scores, **more, "cpu_seconds": seconds, **circumstances()}
    return {**row, "answers": judged.answers.tolist(), "returns": judged.episodes["return"].tolist()}


def is_rule(agent: str) -> bool:
    """Whether an agent is a baseline, which has nothing to learn here."""
    from nlp_gym_agents._agents import AGENTS
    from nlp_gym_agents._baseline import Baseline

    return issubclass(AGENTS.get(agent), Baseline)


def judge_rule(cell: dict[str, Any], goal: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A baseline on the test split."""
    from nlp_gym_agents._agents import make_agent
    from nlp_gym_agents._bridge import make_vec_env
    from nlp_gym_agents._evaluation import evaluate

    env = make_vec_env(cell["env"], 1, cell["seed"], goal)
    agent = make_agent(cell["agent"], env, cell["param"], cell["seed"])
    return evaluate(agent, cell["env"], "test", goal, num_envs=ROWS), {}


def train_and_judge(cell: dict[str, Any], goal: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """An agent trained on the train split, chosen on validation, judged on test.

    To a constant reward all checkpoints are alike: of that control the last is judged, not the first.
    """
    from nlp_gym_agents._evaluation import evaluate
    from nlp_gym_agents._experiment import Experiment, train
    from nlp_gym_agents._runs import data_facts
    from nlp_gym_agents._trained import load_run

    with tempfile.TemporaryDirectory() as folder:
        given = {**goal, **CONTROLS.get(cell["arm"], {}), **WITHOUT.get(cell["arm"], {})}
        if cell["arm"] == SHUFFLED:
            given["dataset"] = shuffled(Path(folder) / "data")
        asked = Experiment(cell["agent"], cell["env"], cell["steps"], cell["seed"], env_kwargs=given,
                           hyperparameters=cell["param"], eval_every=LOOK)  # fmt: skip
        record = train(asked, Path(folder) / "run")
        _, experiment, agent = load_run(record.folder)
        if cell["arm"] == CONSTANT:
            agent.set_parameters(str(record.checkpoints()[0] / "agent.zip"), device="cpu")
        judging = {name: value for name, value in experiment.env_kwargs.items() if name not in ("reward", "dataset")}
        judged = evaluate(agent, cell["env"], "test", judging, num_envs=ROWS)
        facts = data_facts(agent.env if hasattr(agent, "env") else agent.get_env())
        curve = [[row["steps"], round(row["return"], 4)] for row in record.rows()]
    return judged, {
        "steps": experiment.steps,
        "curve": curve,
        "hyperparameters": experiment.hyperparameters,
        "data": {"train": facts["train"]},
    }


def shuffled(folder: Path) -> str:
    """Multi30k with the answers of other prompts to train and validate on: what is left to learn is form alone."""
    import numpy as np

    draw = np.random.default_rng(0)  # one shuffle for all seeds: its lexicon is learned once
    folder.mkdir()
    for split in ("train", "validation", "test"):
        examples = _task(MULTI30K, split).examples
        order = draw.permutation(len(examples))
        pairs = zip(examples["text"], [accepted[0] for accepted in examples.target[order]], strict=True)
        lines = [json.dumps({"source": text, "target": answer}) for text, answer in pairs]
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    return str(folder)


def _goal(setting: dict[str, Any]) -> dict[str, Any]:
    if setting.get("terms") != "builtin":
        return dict(setting)
    from nlp_gym_envs.text.builtin.translation import GLOSSARY

    return {**setting, "terms": GLOSSARY}


def key(cell: dict[str, Any]) -> str:
    """What makes a cell that cell; the model counts by its folder's name."""
    setting = {name: Path(value).name if name in ("model", "terms") else value for name, value in cell["set"].items()}
    names = ("experiment", "agent", "env", "arm", "seed", "param")
    return json.dumps({**{name: cell[name] for name in names}, "set": setting}, sort_keys=True)


def paired(rows: list[dict[str, Any]], answers: Path, repetitions: int = 1000) -> list[dict[str, Any]]:
    """The learned agents (mean over seeds), and models of fewer bits, against every other cell of their experiment.

    Intervals: 95 %, by resampling sentences.
    """
    import numpy as np

    found = []
    for experiment in dict.fromkeys(row["experiment"] for row in rows):
        mine = [row for row in rows if row["experiment"] == experiment and "error" not in row]
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in mine:
            groups.setdefault(named(row), []).append(row)
        task = _task(mine[0]["env"])
        counted = {name: _counted(group, task, answers) for name, group in groups.items()}
        size, draw = len(task.examples), np.random.default_rng(0)
        weights = np.stack([np.bincount(draw.integers(size, size=size), minlength=size) for _ in range(repetitions)])
        weights = np.concatenate((np.ones((1, size)), weights))  # the first is the test split itself
        scores = {name: _scores(counts, task, weights) for name, counts in counted.items()}
        for learner, group in groups.items():
            learned = group[0]["agent"] in LEARNERS and group[0]["arm"] == "as is"
            if not learned and not {"dtype", "quantize"} & set(group[0]["set"]):
                continue
            for other in groups:
                row: dict[str, Any] = {"experiment": experiment, "learner": learner, "other": other}
                for measure, values in scores[learner].items():
                    difference = values - scores[other][measure]
                    interval = np.quantile(difference[1:], [0.025, 0.975])
                    row[measure] = [round(float(x), 5) for x in (difference[0], *interval)]
                if other != learner:
                    found.append(row)
    return found


def named(row: dict[str, Any]) -> str:
    """How tables call what differs between the rows of an experiment besides the seed."""
    param = {"prior": 1} if row["param"] == PRIOR else row["param"]
    form = [str(row["set"][name]) for name in ("dtype", "quantize") if name in row["set"]]
    arm = "" if row["arm"] == "as is" else row["arm"]
    told = " ".join([row["agent"], *(f"{name}={value}" for name, value in param.items())])
    return ", ".join(filter(None, (told, *form, arm)))


def _task(env_id: str, split: str = "test") -> Any:
    from nlp_gym_envs.task import TASKS

    name = env_id.split("/")[1].split("-")[0]
    return TASKS.get(name).open(name, split)


def _counted(group: list[dict[str, Any]], task: Any, answers: Path) -> dict[str, Any]:
    """Of each seed's answers what each metric counts: name -> (seeds, N, s)."""
    import numpy as np

    kept = [json.loads((answers / f"{number_of(row)}.json").read_text()) for row in group]
    found = {"return": np.stack([np.array(each["returns"]) for each in kept])[:, :, None]}
    for metric in task.metrics.values():
        texts = [np.array(each["answers"], object) for each in kept]
        found[metric.name] = np.stack([metric.counts(text, task.examples.target) for text in texts])
    return found


def _scores(counts: dict[str, Any], task: Any, weights: Any) -> dict[str, Any]:
    """The mean over seeds of each measure under each weighting of the examples: name -> (R,)."""
    import numpy as np

    found = {}
    for measure, seeds in counts.items():
        if measure == "return":
            found[measure] = np.mean([weights @ seed[:, 0] / weights.sum(1) for seed in seeds], 0)
        else:
            found[measure] = np.mean([task.metrics[measure].score(weights @ seed) for seed in seeds], 0)
    return found


def number_of(row: dict[str, Any]) -> str:
    """A name for a cell's answers."""
    return hashlib.sha256(key(row).encode()).hexdigest()[:16]


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=tuple(GOALS))
    parser.add_argument("--model", help="the model's folder; else the one that ships with the package")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--only", nargs="+", default=(), help="cells whose agent or arm is each of these")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--answers", type=Path, default=Path("runs/writing"))
    parser.add_argument("--compare", action="store_true", help="make the paired differences of what is there")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.answers.mkdir(parents=True, exist_ok=True)
    known = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    if options.compare:
        rows = [row for row in known if row["experiment"] in options.experiments]
        lines = "".join(json.dumps(row) + "\n" for row in paired(rows, options.answers))
        options.out.with_name("writing_paired.jsonl").write_text(lines)
        return
    done = {key(row) for row in known if "error" not in row}
    wanted = [cell for name in options.experiments for cell in cells(name, options.seeds, options.model)]
    wanted = [c for c in wanted if key(c) not in done and {c["agent"], c["arm"]}.issuperset(options.only)]
    for cell in wanted:
        cell["steps"] = options.steps or STEPS.get(cell["experiment"])
    print(f"{len(wanted)} cells to run", file=sys.stderr)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for number, row in enumerate(pool.imap_unordered(run, wanted), 1):
            answers = {name: row.pop(name) for name in ("answers", "returns") if name in row}
            if answers:
                (options.answers / f"{number_of(row)}.json").write_text(json.dumps(answers))
            for name in ("model", "terms"):
                if name in row["set"]:
                    row["set"][name] = Path(row["set"][name]).name
            with open(options.out, "a") as file:  # this process alone writes: a row is whole or not there
                file.write(json.dumps(row) + "\n")
            names = ("chrf", "bleu", "return", "beyond_limit", "terms_met", "terms_required", "tokens")
            told = row.get("error") or ", ".join(f"{n} {row['scores'][n][0]:.4f}" for n in names if n in row["scores"])
            print(f"{number}/{len(wanted)} {row['experiment']} {row['agent']} {row['param']} {row['arm']} "
                  f"{row['seed']}: {told}", file=sys.stderr)  # fmt: skip


if __name__ == "__main__":
    main()
