"""Do agents learn to change a model? `subspace`, `rates` and `layers`: held-out instances, other data, other models.

    python benchmarks/finetuning.py --jobs 16 --seconds 420
    NLP_GYM_DATA=<folder with sst2, ag_news> python benchmarks/finetuning.py --setting "unlike labels"
    python benchmarks/finetuning.py --setting "unlike texts" --only translation-layers --home
    NLP_GYM_DATA=<folder with trec6, babi_qa> python benchmarks/finetuning.py --setting "unlike short" "unlike stories"
    python benchmarks/finetuning.py --setting hard --only text_classification-rates --set '{"schedule": "cosine"}'
    python benchmarks/finetuning_tables.py

Without `--setting` it is `subspace` that is run; `layers` and `rates` have settings: which instances, and who learns
there. Each finished cell is a row of `results/finetuning.jsonl`, in order of importance: the learner, the same with a
blanked observation and with a constant reward, and the baselines at the same number of passes, which are chosen on
training instances; of `subspace` also an agent that sees nothing but the point, which can only learn a place by heart.
A row holds the rise, the losses and the metric of every test instance, so that differences are paired. What is there
already is not run again; after `--seconds` no cell is begun. How long a step takes is told before the first.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

RESULTS = Path(__file__).parent / "results" / "finetuning.jsonl"
TASKS = ("text_classification", "sentiment", "translation", "question_answering")
ALONE = ("trec6", "babi_qa")  # where a setting is theirs
TESTED = {"sentiment": 128, "text_classification": 128, "trec6": 384}  # test instances
TESTED_TEXTS = 48  # where the judge writes texts
ELSEWHERE: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {  # task -> name -> (task, keywords)
    "sentiment": {
        "a model trained less": ("sentiment", {"updates": 300}),
        "bert": ("sentiment", {"model": "bert", "updates": 300}),
        "SST-2": ("sst2", {}),
        "AG News": ("ag_news", {}),
    },
    "text_classification": {
        "a model trained less": ("text_classification", {"updates": 300}),
        "bert": ("text_classification", {"model": "bert", "updates": 300}),
        "AG News": ("ag_news", {}),
        "SST-2": ("sst2", {}),
    },
    "trec6": {
        "a model trained less": ("trec6", {"updates": 300}),
        "bert": ("trec6", {"model": "bert", "updates": 300}),
        "AG News": ("ag_news", {}),
        "SST-2": ("sst2", {}),
    },
    "translation": {"t5": ("translation", {"model": "t5"})},
    "question_answering": {"t5": ("question_answering", {"model": "t5"})},
}
NEEDS_DATA = ("sst2", "ag_news", "trec6", "babi_qa")
TESTED_ELSEWHERE = 48
CARRIED = ("as is", "adam")  # arms that are judged elsewhere, too
TEXTS = {"probe": 8, "judge": 16}  # keywords of `subspace` where answers are texts
STEPS = 6_144  # of a learner of `subspace`


@dataclass(frozen=True)
class Lesson:
    """What is learned of a dynamics in a setting; the first learner has controls."""

    rate: float  # the usual one, but for Adam, which has its own
    schedule: str  # on top of which a learner works
    learners: tuple[tuple[str, dict[str, Any], int], ...]  # with settings other than those of configs/, and steps


@dataclass(frozen=True)
class Setting:
    """Which instances, and who learns there."""

    told: str
    common: dict[str, Any]  # keywords of every environment
    lessons: dict[str, Lesson]
    tasks: tuple[str, ...]
    tested: int | None = None  # test instances, instead of the usual number


SMALL_NET = {"net_arch": [64, 64], "log_std_init": -1.0}
MANY = {"n_envs": 16, "learning_rate": "lin_0.001", "batch_size": 256, "learning_starts": 600, "gradient_steps": 8}
OF_CONFIGS: dict[str, Any] = {}
UNLIKE = {"start": ["trained", "renamed", "damaged"]}
DAMAGED = {"start": ["damaged"]}
RATED = (
    ("sac", MANY, 30_720),
    ("ppo", {"n_envs": 32, "n_steps": 12, "batch_size": 96, "policy_kwargs": SMALL_NET}, 30_720),
    *((agent, MANY, 30_720) for agent in ("td3", "tqc")),
    ("a2c", OF_CONFIGS, 30_720),
)
LAYERED = tuple((agent, OF_CONFIGS, 24_576) for agent in ("ppo", "dqn", "sarsa", "a2c"))
BOTH = {"rates": Lesson(0.006, "cosine", RATED), "layers": Lesson(0.03, "cosine", LAYERED)}


def low(steps: int, of_layers: int) -> dict[str, Lesson]:
    """Low constant rates, for so many steps."""
    rated = tuple((agent, OF_CONFIGS, steps) for agent in ("sac", "ppo", "td3", "tqc", "a2c"))
    layered = tuple((agent, OF_CONFIGS, of_layers) for agent in ("ppo", "dqn", "sarsa", "a2c"))
    return {"rates": Lesson(0.003, "constant", rated), "layers": Lesson(0.003, "constant", layered)}


SETTINGS = {  # without keywords: in labels, in translation, in questions, in bAbI (but for `answer`) the four first
    "unlike labels": Setting(
        "nothing is wrong, or labels have each other's names, or a group is damaged",
        {**UNLIKE, "batch": 16, "length": 24, "probe": 32, "judge": 32, "updates": 3000},
        BOTH, ("sentiment", "text_classification"), tested=192,
    ),
    "unlike texts": Setting(
        "nothing is wrong, or the most common tokens have each other's names, or a group is damaged",
        {**UNLIKE, "batch": 8, "length": 16, "answer": 16, "probe": 8, "judge": 16, "updates": 1000},
        BOTH, ("translation", "question_answering"), tested=192,
    ),
    "unlike passages": Setting(
        "as unlike texts, and four times as much of a passage is read",
        {**UNLIKE, "batch": 8, "length": 64, "answer": 16, "probe": 8, "judge": 16, "updates": 1000},
        BOTH, ("question_answering",), tested=96,
    ),
    "unlike stories": Setting(
        "the same, with stories that fit in what the model reads",
        {**UNLIKE, "batch": 8, "length": 64, "answer": 8, "probe": 8, "judge": 16, "updates": 1000},
        BOTH, ("babi_qa",), tested=96,
    ),
    "unlike short": Setting(
        "as unlike labels, with models that read little and were trained less",
        {**UNLIKE, "batch": 16, "length": 12, "probe": 32, "judge": 32, "updates": 1000},
        BOTH, ("trec6", "sentiment", "text_classification"),
    ),
    "damaged labels": Setting(
        "a group is damaged in each instance",
        {**DAMAGED, "batch": 8, "length": 32, "probe": 16, "judge": 32, "updates": 1000},
        low(16_384, 16_384), ("sentiment", "text_classification"),
    ),
    "damaged texts": Setting(
        "a group is damaged in each instance, of a model as it ships",
        {**DAMAGED, "batch": 8, "length": 32, "answer": 16, "probe": 8, "judge": 16, "updates": 0},
        low(8_192, 12_288), ("translation", "question_answering"),
    ),
    "hard": Setting(
        "a group of weights is turned most of the way into noise",
        {**DAMAGED, "damage": 10, "batch": 32, "length": 16, "probe": 16, "judge": 32, "updates": 1000},
        {"rates": Lesson(0.03, "constant", (
            ("ppo", {"n_steps": 12, "batch_size": 128, "policy_kwargs": SMALL_NET}, 24_576),))},
        ("text_classification",),
    ),
}  # fmt: skip
EACH = ("rise", "loss", "loss_start", *(f"{m}{end}" for m in ("accuracy", "chrf", "f1") for end in ("", "_start")))
MEASURED = 5  # steps, to tell how long one takes
BLANK = {"observation": {"name": "vector", "blank": True}}
BY_HEART = {"observe": ["point", "budget"]}
LEARNERS = {
    "subspace": ("ppo", "sac", "td3", "tqc", "a2c"),
    "rates": ("sac", "ppo", "td3", "tqc", "a2c"),
    "layers": ("ppo", "dqn", "sarsa", "a2c"),
}
FLAT = {"dqn", "sarsa"}  # who takes one action at a time
BASELINES: tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...] = (  # agent, its settings, keywords, arm
    ("no_op", {}, {}, "as is"),
    ("uniform", {}, {}, "as is"),
    ("best_constant", {}, {}, "as is"),
    ("best_constant", {"schedule": "cosine"}, {}, "as is"),
    ("best_constant", {"knows": True, "instances": 64}, {}, "as is"),
    ("best_constant", {"knows": True, "instances": 64, "schedule": "cosine"}, {}, "as is"),
    ("best_constant", {}, {"optimiser": "adam"}, "adam"),
    ("best_constant", {"schedule": "cosine"}, {"optimiser": "adam"}, "adam"),
    ("oracle", {}, {}, "as is"),
)
BASELINES_OF_SUBSPACE: tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...] = (
    *((agent, {}, {}, "as is") for agent in ("no_op", "uniform", "best_constant", "oracle")),
    *(("descent", {"length": length}, {}, "as is") for length in (0.5, 1.0)),
)


def cells(pair: str, seeds: int, steps: int | None, common: dict[str, Any]) -> list[dict[str, Any]]:
    """What is run for a task and a dynamics with some keywords in common, the most important first."""
    task, dynamics = pair.split("-")
    found: list[dict[str, Any]] = []

    def add(agent: str, arm: str, count: int, **more: Any) -> list[dict[str, Any]]:
        for seed in range(count):
            found.append({"task": task, "dynamics": dynamics, "agent": agent, "arm": arm, "seed": seed, "param": {},
                          "set": {}, "steps": None, "common": common, **more})  # fmt: skip
        return found

    if dynamics != "subspace":
        setting = setting_of(task, common)
        return cells_of(setting.lessons[dynamics], dynamics, add, seeds, steps) if setting else []
    (first, *others), keywords, steps = LEARNERS[dynamics], {} if task in TESTED else TEXTS, steps or STEPS
    add(first, "as is", seeds, set=keywords, steps=steps)
    for agent, param, own, arm in BASELINES_OF_SUBSPACE:
        add(agent, arm, 1, param=param, set={**keywords, **own})
    add(first, "point", seeds, set={**keywords, **BY_HEART}, steps=steps)
    add(first, "blank", seeds, set={**keywords, **BLANK}, steps=steps)
    add(first, "constant reward", 1, set={**keywords, "reward": "constant"}, steps=steps)
    for agent in others:
        add(agent, "as is", seeds, set=keywords, steps=steps)
    return found


def name_of_setting(task: str, common: dict[str, Any]) -> str | None:
    """The name of the setting that keywords are of."""
    return next((n for n, s in SETTINGS.items() if task in s.tasks and s.common.items() <= common.items()), None)


def setting_of(task: str, common: dict[str, Any]) -> Setting | None:
    """The setting that keywords are of."""
    return SETTINGS.get(name_of_setting(task, common) or "")


def cells_of(lesson: Lesson, dynamics: str, add: Any, seeds: int, steps: int | None) -> list[dict[str, Any]]:
    """The cells of a lesson: its learners, the first without what it sees or is paid, and all baselines."""
    mine = {"rate": lesson.rate, "schedule": lesson.schedule}
    plain = {"schedule": "constant"}  # baselines make their own decay
    (first, param, usual), *others = lesson.learners
    add(first, "as is", seeds, set=mine, steps=steps or usual, param=param)
    for agent, chosen, own, arm in BASELINES:
        add(agent, arm, 1, param=chosen, set={**plain, **(own or {"rate": lesson.rate})})
    for agent, settings, count in others:
        flat = {"actions": "flat"} if dynamics == "layers" and agent in FLAT else {}
        add(agent, "as is", seeds, set={**mine, **flat}, steps=steps or count, param=settings)
    add(first, "blank", seeds, set={**mine, **BLANK}, steps=steps or usual, param=param)
    return add(first, "constant reward", 1, set={**mine, "reward": "constant"}, steps=steps or usual, param=param)


def key(cell: dict[str, Any]) -> str:
    """What makes a cell that cell."""
    names = ("task", "dynamics", "agent", "arm", "seed", "param", "set", "steps", "common")
    return json.dumps({name: cell[name] for name in names}, sort_keys=True)


def run(asked: tuple[dict[str, Any], float, bool]) -> dict[str, Any] | None:
    """Train and judge one cell, elsewhere too or not; the row that is published. None where the time is over."""
    cell, deadline, home = asked
    if time.time() > deadline:
        return None
    import torch

    from nlp_gym_agents._agents import AGENTS
    from nlp_gym_agents._runs import circumstances

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="You have specified a mini-batch")
    began, cpu = time.time(), time.process_time()
    try:
        AGENTS.get(cell["agent"])
        agent, facts = trained(cell)
        facts["training_seconds"] = round(time.process_time() - cpu, 1)
        setting = setting_of(cell["task"], cell["common"])
        limit = (setting and setting.tested) or TESTED.get(cell["task"], TESTED_TEXTS)
        keywords = {**cell["set"], **cell["common"]}
        facts |= judged(agent, f"nlp/{cell['task']}-{cell['dynamics']}-v0", keywords, limit)
        facts["elsewhere"] = {
            name: judged(agent, f"nlp/{task}-{cell['dynamics']}-v0", {**keywords, **more}, TESTED_ELSEWHERE)
            for name, (task, more) in ELSEWHERE.get(cell["task"], {}).items()
            if not home and cell["arm"] in CARRIED and (task not in NEEDS_DATA or is_there(task))
        }
    except Exception as error:  # a failed cell is a row, never a missing one
        return {**cell, "error": f"{type(error).__name__}: {error}", **circumstances()}
    seconds = {"cpu_seconds": round(time.process_time() - cpu, 1), "seconds": round(time.time() - began, 1)}
    named = {"setting": name_of_setting(cell["task"], cell["common"])}
    return {**cell, **named, **facts, **seconds, **circumstances()}


def is_there(task: str) -> bool:
    """Whether a data set lies in NLP_GYM_DATA."""
    return (Path(os.environ.get("NLP_GYM_DATA", "/nowhere")) / task).is_dir()


def trained(cell: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The agent after its training, as it is at the end: nothing is chosen on validation."""
    from nlp_gym_agents._agents import make_agent
    from nlp_gym_agents._bridge import make_vec_env
    from nlp_gym_agents._experiment import Experiment
    from nlp_gym_agents._hyperparameters import as_values

    env_id = f"nlp/{cell['task']}-{cell['dynamics']}-v0"
    param = {name: value for name, value in cell["param"].items() if name != "n_envs"}
    asked = Experiment(cell["agent"], env_id, cell["steps"], cell["seed"], env_kwargs={**cell["set"], **cell["common"]},
                       n_envs=cell["param"].get("n_envs"), hyperparameters=param)  # fmt: skip
    learns = cell["steps"] is not None
    if not learns:
        env = make_vec_env(env_id, 1, cell["seed"], asked.env_kwargs)
        agent = make_agent(cell["agent"], env, cell["param"], cell["seed"]).learn()
        chosen = getattr(agent, "action", None)
        return agent, {} if chosen is None else {"chosen": [round(float(x), 3) for x in chosen.reshape(-1)]}
    settled = asked.settled()
    env = make_vec_env(env_id, settled.n_envs or 16, cell["seed"], settled.env_kwargs)
    agent = make_agent(cell["agent"], env, as_values(settled.hyperparameters), cell["seed"])
    curve = Curve()
    agent.learn(settled.steps, callback=curve.callback())
    env.close()
    return agent, {"curve": curve.points(), "hyperparameters": {**settled.hyperparameters, "n_envs": settled.n_envs}}


class Curve:
    """The mean return of training episodes, in twenty parts of the training."""

    def __init__(self) -> None:
        self.ended: list[tuple[int, float]] = []

    def callback(self) -> Any:
        """What SB3 calls at every step."""
        from stable_baselines3.common.callbacks import BaseCallback

        ended = self.ended

        class Watch(BaseCallback):
            def _on_step(self) -> bool:
                ended.extend((self.num_timesteps, i["episode"]["r"]) for i in self.locals["infos"] if "episode" in i)
                return True

        return Watch()

    def points(self) -> list[list[float]]:
        """[steps, mean return] of each part."""
        import numpy as np

        parts = np.array_split(np.array(self.ended or [(0, 0.0)]), min(20, max(1, len(self.ended))))
        return [[int(part[-1, 0]), round(float(part[:, 1].mean()), 3)] for part in parts]


def judged(agent: Any, env_id: str, keywords: dict[str, Any], limit: int) -> dict[str, Any]:
    """An agent on the first test instances: scores with intervals; each instance's rise, losses and metric."""
    from nlp_gym_agents._evaluation import evaluate

    asked = {name: value for name, value in keywords.items() if name != "reward"}
    found = evaluate(agent, env_id, "test", {**asked, "instances": limit}, num_envs=min(64, limit), limit=limit)
    told = {name: [round(x, 4) for x in (s.value, s.low, s.high)] for name, s in found.scores.items()}
    names = [name for name in EACH if name in found.episodes]
    each = {name: [round(float(x), 4) for x in found.episodes[name]] for name in names}
    return {"n": found.n, "scores": told, "each": each}


def warm(asked: tuple[str, dict[str, Any]]) -> str:
    """Make what is kept on disk, so that no two processes do it at once."""
    import gymnasium as gym
    import numpy as np
    import torch

    import nlp_gym_envs  # noqa: F401  registers the ids

    torch.set_num_threads(1)
    env_id, keywords = asked
    env = gym.make(env_id, **keywords)
    env.reset(seed=0)
    here, zeros = env.unwrapped.episodes.dynamics, np.zeros(env.action_space.shape or (), env.action_space.dtype)  # pyright: ignore[reportAttributeAccessIssue]
    began = time.process_time()
    for _ in range(MEASURED):
        here.act(np.zeros(1, np.int64), zeros[None])
    return f"{env_id} {keywords}: {1e3 * (time.process_time() - began) / MEASURED:.0f} ms a step"


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no cell after this time")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="of a learner, instead of its usual number")
    every = [f"{task}-{dynamics}" for dynamics in LEARNERS for task in (*TASKS, *ALONE)]
    parser.add_argument("--only", nargs="+", choices=every, default=every, metavar="TASK-DYNAMICS")
    parser.add_argument("--agents", nargs="+", help="cells of these agents alone")
    parser.add_argument("--arms", nargs="+", help="cells of these arms alone, as: 'as is' point blank")
    parser.add_argument("--home", action="store_true", help="judge on the task itself alone")
    parser.add_argument("--set", default="{}", help="keywords of every environment, as JSON")
    told = "; ".join(f"{name}: {setting.told}" for name, setting in SETTINGS.items())
    parser.add_argument("--setting", nargs="+", choices=tuple(SETTINGS), help=f"of layers and rates. {told}")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    deadline = time.time() + options.seconds
    options.out.parent.mkdir(parents=True, exist_ok=True)
    known = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    done = {key(row) for row in known if "error" not in row}
    wanted = []
    for pair, common in asked_for(options.setting, json.loads(options.set)):
        if pair in options.only:
            wanted += cells(pair, options.seeds, options.steps, common)
    wanted = [c for c in wanted if key(c) not in done and (not options.agents or c["agent"] in options.agents)]
    wanted = [c for c in wanted if not options.arms or c["arm"] in options.arms]
    print(f"{len(wanted)} cells to run", file=sys.stderr)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for name in pool.imap_unordered(warm, to_warm(wanted, options.home)):
            print(name, file=sys.stderr)
        asked = [(cell, deadline, options.home) for cell in wanted]
        for number, row in enumerate(pool.imap_unordered(run, asked, chunksize=1), 1):
            if row is None:
                continue
            with open(options.out, "a") as file:  # this process alone writes: a row is whole or not there
                file.write(json.dumps(row) + "\n")
            result = row.get("error") or f"rise {row['scores']['rise']}, {row['cpu_seconds']} s"
            print(f"{number}/{len(wanted)} {row['task']}-{row['dynamics']} {row['agent']} {row['param']} {row['arm']} "
                  f"{row['seed']}: {result}", file=sys.stderr)  # fmt: skip


def asked_for(settings: list[str] | None, more: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pairs of a task and a dynamics, with the keywords that their environments have in common."""
    for name in settings or ():
        setting = SETTINGS[name]
        for task in setting.tasks:
            yield from ((f"{task}-{dynamics}", {**setting.common, **more}) for dynamics in setting.lessons)
    if not settings:
        yield from ((f"{task}-subspace", more) for task in TASKS)


def to_warm(wanted: list[dict[str, Any]], home: bool) -> list[tuple[str, dict[str, Any]]]:
    """An environment for each task and model that the cells will ask for."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for cell in wanted:
        elsewhere = {} if home else ELSEWHERE.get(cell["task"], {})
        for task, more in ((cell["task"], {}), *elsewhere.values()):
            if task not in NEEDS_DATA or is_there(task):
                sizes = {} if cell["task"] in TESTED or cell["common"] else TEXTS
                asked = (f"nlp/{task}-{cell['dynamics']}-v0", {**sizes, **cell["common"], **more})
                found.setdefault(json.dumps([task, asked[1]], sort_keys=True), asked)
    return list(found.values())


if __name__ == "__main__":
    main()
