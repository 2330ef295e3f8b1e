"""Can an agent learn when to read and when to write? `readwrite` on Multi30k, against the wait-k line, five seeds.

    nlp-gym pretrain --task multi30k_en_de --out models/multi30k --param width=192 ...    # see benchmarks/README.md
    NLP_GYM_DATA=<folder with multi30k_en_de> python benchmarks/simultaneous.py all --model models/multi30k
    python benchmarks/simultaneous.py all --model models/multi30k --report

The model is first tuned on prefixes, once, into `--tuned`: a prefix of the source, at random, and the share of the
target that goes with it. All agents play with the tuned model, wait-k too. Each finished cell is a row of
`results/simultaneous.jsonl`; what each sentence got is kept in `--answers`, from which `--report` makes the paired
differences to the wait-k line at the same average lagging (`results/simultaneous_paired.jsonl`) and the picture. What
is there already is not run again. With `--tuned` a folder that holds a model already, nothing is tuned.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "simultaneous.jsonl"
TASK = "multi30k_en_de"
ENV = f"nlp/{TASK}-readwrite-v0"
LINE = (1, 2, 3, 4, 5, 7, 9, 100)  # wait-k; the last reads everything
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
PRICES, PRICE = (0.1, 0.15, 0.2, 0.3), 0.2  # of delay: of the front, and of everything beside it
PAID = {"metric": {"chrf": 1, "bleu": 1}}
UPDATES = 200  # of the tuning on prefixes
DELAYS = ("average_lagging", "length_adaptive_average_lagging")
ROWS = 128  # of the environment in which an agent is judged
EXPERIMENTS = ("line", "ppo", "others", "controls")


def cells(experiment: str, seeds: int) -> list[dict[str, Any]]:
    """What an experiment consists of: agent, price of delay, arm, hyper-parameters, seed."""
    found: list[dict[str, Any]] = []

    def add(agent: str, price: float, count: int, arm: str = "as is", **param: Any) -> None:
        for seed in range(count):
            found.append({"experiment": experiment, "agent": agent, "price": price, "arm": arm, "param": param,
                          "seed": seed})  # fmt: skip

    if experiment == "line":
        for k in LINE:
            add("wait_k", PRICE, 1, k=k)
        for threshold in THRESHOLDS:
            add("confidence_rule", PRICE, 1, threshold=threshold)
        add("uniform", PRICE, 1)
    if experiment == "ppo":
        for price in PRICES:
            add("ppo", price, seeds)
    if experiment == "others":
        for agent in ("dqn", "sarsa", "recurrent_ppo"):
            add(agent, PRICE, seeds)
        add("ppo", PRICE, seeds, "length known")
    if experiment == "controls":
        for arm in ("constant reward", "zero observation"):
            add("ppo", PRICE, seeds, arm)
    return found


ARMS: dict[str, dict[str, Any]] = {
    "as is": {},
    "length known": {"length_known": True},
    "constant reward": {"reward": "constant"},
    "zero observation": {"observation": {"name": "vector", "blank": True}},
}
LOOKS = {  # Okabe and Ito's colours, which colour-blind readers can tell apart
    "wait_k": ("o-", "#222222"), "confidence_rule": ("s--", "#999999"), "ppo": (".", "#0072B2"),
    "dqn": ("^", "#D55E00"), "sarsa": ("v", "#009E73"), "recurrent_ppo": ("x", "#CC79A7"),
}  # fmt: skip


# -------------------------------------------------------------------- the model


def tune(model: Path, folder: Path, updates: int, rate: float = 5e-4, tokens: int = 1024, seed: int = 0) -> None:
    """Fine-tune a model on prefixes and save it: half of the examples whole, half cut at a random word.

    Of a source cut after w of its n words the target is cut after the same share of its words, rounded down, at least
    one; END is learned at the end of whole targets only.
    """
    import numpy as np
    import torch

    from nlp_gym_envs.models.loading import load
    from nlp_gym_envs.models.pretraining import save
    from nlp_gym_envs.task import TASKS

    train = TASKS.get(TASK).open(TASK).train
    loaded = load(str(model))
    network, tokenizer = loaded.model.train().requires_grad_(True), loaded.tokenizer
    draw, began, losses = np.random.default_rng(seed), time.perf_counter(), []
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for update in range(updates):
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1.0, (update + 1) / 20) * (1 - update / updates)
            inputs, labels = _batch(train, tokenizer, draw, tokens)
            logits = network(**inputs, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), label_smoothing=0.1)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.item())
            if (update + 1) % 50 == 0:
                seconds = time.perf_counter() - began
                print(
                    f"tuning {update + 1}/{updates}: loss {np.mean(losses[-50:]):.3f}, {seconds:.0f} s", file=sys.stderr
                )
    facts = {
        "from": model.name,
        "updates": updates,
        "rate": rate,
        "tokens": tokens,
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 1),
        "training_loss": round(float(np.mean(losses[-50:])), 4),
    }
    save(network.eval(), tokenizer, folder, {"prefixes": facts})


def _batch(train: Any, tokenizer: Any, draw: Any, tokens: int) -> tuple[dict[str, Any], Any]:
    """Sources and targets of similar length, about `tokens` of both: the model's inputs, and labels (-100: no loss)."""
    import numpy as np
    import torch

    pool = draw.integers(len(train), size=512)
    cut = draw.random(len(pool)) < 0.5
    pairs = []
    for example, partly in zip(pool.tolist(), cut.tolist(), strict=True):
        source, target = train["text"][example].split(), train.target[example][0].split()
        read, written = len(source), len(target)
        if partly and read > 1:
            read = int(draw.integers(1, read))
            written = max(1, written * read // len(source))
        pairs.append((" ".join(source[:read]), " ".join(target[:written]), read == len(source)))
    sources = tokenizer([source for source, _, _ in pairs])["input_ids"]
    targets = tokenizer([f" {target}" for _, target, _ in pairs], add_special_tokens=False)["input_ids"]
    targets = [ids + [tokenizer.eos_token_id] * whole for ids, (_, _, whole) in zip(targets, pairs, strict=True)]
    sizes = np.array([len(a) + len(b) for a, b in zip(sources, targets, strict=True)])
    order = np.argsort(sizes, kind="stable")
    first = int(draw.integers(len(order)))
    chosen = order[first : first + max(4, tokens // int(sizes[order[first]]))]

    def padded(rows: list[list[int]], value: int) -> Any:
        width = max(map(len, rows))
        return torch.tensor([row + [value] * (width - len(row)) for row in rows])

    pad = tokenizer.pad_token_id
    source = padded([sources[i] for i in chosen], pad)
    before = padded([[pad, *targets[i][:-1]] for i in chosen], pad)
    inputs = {"input_ids": source, "attention_mask": (source != pad).long(), "decoder_input_ids": before}
    return inputs, padded([targets[i] for i in chosen], -100)


# -------------------------------------------------------------------- playing


def run(asked: tuple[dict[str, Any], str]) -> dict[str, Any]:
    """Train and judge one cell with the model in a folder; the row that is published, and what each sentence got."""
    import warnings

    import torch

    from nlp_gym_agents._runs import circumstances

    cell, model = asked
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="You have specified a mini-batch")
    began = time.process_time()
    options = {**PAID, "model": model, "delay_cost": cell["price"]}
    rule = cell["agent"] in ("wait_k", "confidence_rule", "uniform")
    try:
        judged, more = (judge_rule if rule else train_and_judge)(cell, options)
    except Exception as error:  # a failed cell is a row, never a missing one
        return {**cell, "error": f"{type(error).__name__}: {error}", **circumstances()}
    scores = {name: [round(x, 5) for x in (s.value, s.low, s.high)] for name, s in judged.scores.items()}
    seconds = round(time.process_time() - began, 1)
    row = {**cell, "env": ENV, "n": judged.n, "scores": scores, **more, "cpu_seconds": seconds, **circumstances()}
    kept = {name: judged.episodes[name].round(6).tolist() for name in DELAYS}
    return {**row, "kept": {"answers": judged.answers.tolist(), **kept}}


def judge_rule(cell: dict[str, Any], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A baseline on the test split."""
    from nlp_gym_agents._agents import make_agent
    from nlp_gym_agents._bridge import make_vec_env
    from nlp_gym_agents._evaluation import evaluate

    agent = make_agent(cell["agent"], make_vec_env(ENV, 1, cell["seed"], options), cell["param"], cell["seed"])
    return evaluate(agent, ENV, "test", options, num_envs=ROWS), {}


def train_and_judge(cell: dict[str, Any], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """An agent trained on the train split, the better of two checkpoints on validation, judged on test."""
    from nlp_gym_agents._evaluation import evaluate
    from nlp_gym_agents._experiment import Experiment, train
    from nlp_gym_agents._hyperparameters import hyperparameters
    from nlp_gym_agents._runs import data_facts
    from nlp_gym_agents._trained import load_run

    steps = cell["steps"] or int(hyperparameters(cell["agent"], ENV)["n_timesteps"])
    playing = {**options, **ARMS[cell["arm"]]}
    with tempfile.TemporaryDirectory() as folder:
        every = max(1, steps // 2)
        asked = Experiment(cell["agent"], ENV, steps, cell["seed"], None, playing, cell["param"], eval_every=every)
        record = train(asked, Path(folder) / "run")
        _, experiment, agent = load_run(record.folder, 1)
        judging = {name: value for name, value in experiment.env_kwargs.items() if name != "reward"}
        judged = evaluate(agent, ENV, "test", judging, num_envs=ROWS)
        facts = data_facts(agent.env if hasattr(agent, "env") else agent.get_env())
        curve = [[row["steps"], round(row["return"], 4)] for row in record.rows()]
    told = {"steps": steps, "curve": curve, "hyperparameters": experiment.hyperparameters}
    return judged, {**told, "data": {"train": facts["train"]}}


def key(cell: dict[str, Any]) -> str:
    """What makes a cell that cell; the model counts by its weights."""
    names = ("experiment", "agent", "price", "arm", "param", "seed", "model")
    return json.dumps({name: cell[name] for name in names}, sort_keys=True)


def number_of(cell: dict[str, Any]) -> str:
    """A name for what is kept of a cell."""
    return hashlib.sha256(key(cell).encode()).hexdigest()[:16]


# -------------------------------------------------------------------- the report


def paired(rows: list[dict[str, Any]], answers: Path, repetitions: int = 1000) -> list[dict[str, Any]]:
    """Each learner (mean over seeds) less the wait-k line at the learner's own delay, for both ways to tell a delay.

    The line is linear between neighbouring k. Intervals: 95 %, by resampling sentences, of learner and line alike, and
    seeds.
    """
    import numpy as np

    from nlp_gym_envs.task import TASKS

    task = TASKS.get(TASK).open(TASK, "test")
    size, chance = len(task.examples), np.random.default_rng(0)
    weights = np.stack([np.bincount(chance.integers(size, size=size), minlength=size) for _ in range(repetitions)])
    weights = np.concatenate((np.ones((1, size)), weights))  # (R, N), the first is the test split itself
    line = [_measured(row, task, answers, weights) for row in rows if row["agent"] == "wait_k"]
    found = []
    for group in groups([row for row in rows if row["agent"] != "wait_k"]).values():
        seeds = [_measured(row, task, answers, weights) for row in group]
        drawn = chance.integers(len(seeds), size=(repetitions + 1, len(seeds)))
        drawn[0] = np.arange(len(seeds))
        for delay in DELAYS:
            out: dict[str, Any] = {name: group[0][name] for name in ("experiment", "agent", "price", "arm", "param")}
            out |= {"seeds": len(seeds), "at": delay, delay: round(float(np.mean([s[delay][0] for s in seeds])), 3)}
            for name in task.metrics:
                beyond = np.stack([_beyond(each, line, delay, name) for each in seeds])  # (seeds, R)
                mean = np.take_along_axis(beyond.T, drawn, 1).mean(1)
                out[name] = [round(float(x), 5) for x in (mean[0], *np.quantile(mean[1:], [0.025, 0.975]))]
                out[f"{name}_seeds"] = [round(float(x), 5) for x in beyond[:, 0]]
            found.append(out)
    return found


def _measured(row: dict[str, Any], task: Any, answers: Path, weights: Any) -> dict[str, Any]:
    """Each metric and each delay of a cell under each weighting of the sentences, (R,)."""
    import numpy as np

    kept = json.loads((answers / f"{number_of(row)}.json").read_text())
    texts = np.array(kept["answers"], object)
    found = {name: m.score(weights @ m.counts(texts, task.examples.target)) for name, m in task.metrics.items()}
    return found | {delay: weights @ np.array(kept[delay]) / weights.sum(1) for delay in DELAYS}


def _beyond(mine: dict[str, Any], line: list[dict[str, Any]], delay: str, metric: str) -> Any:
    """A metric less the line's at the same delay, (R,); beyond the line's ends it goes on level."""
    import numpy as np

    pace, there = (np.stack([each[name] for each in line], 1) for name in (delay, metric))  # (R, K)
    order = pace.argsort(1)
    pace, there = np.take_along_axis(pace, order, 1), np.take_along_axis(there, order, 1)
    level = [np.interp(x, xs, ys) for x, xs, ys in zip(mine[delay], pace, there, strict=True)]
    return mine[metric] - np.array(level)


def groups(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Rows that differ in nothing but the seed."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["agent"], row["price"], row["arm"], str(row["param"])), []).append(row)
    return found


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Quality against delay: the rules as lines, every seed of a learner as a point."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8.6), layout="constrained")
    figure.suptitle(ENV)
    for line, delay in zip(figure.subplots(2, 2), DELAYS, strict=True):
        for axes, measure, name in zip(line, ("bleu", "chrf"), ("BLEU", "chrF"), strict=True):
            for agent, (style, colour) in LOOKS.items():
                mine = [row["scores"] for row in rows if row["agent"] == agent and row["arm"] == "as is"]
                mine.sort(key=lambda scores: scores[delay][0])
                if mine:
                    bars = [[100 * abs(s[measure][0] - s[measure][i]) for s in mine] for i in (1, 2)]
                    xs, ys = ([scale * s[of][0] for s in mine] for of, scale in ((delay, 1), (measure, 100)))
                    axes.errorbar(xs, ys, yerr=bars if agent == "wait_k" else None, fmt=style, color=colour,
                                  label=agent, markersize=6, capsize=2, lw=1)  # fmt: skip
            axes.set(xlabel=f"{delay.replace('_', ' ')}, source words", ylabel=f"test {name}")
            axes.grid(alpha=0.3)
        line[1].legend(frameon=False)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=(*EXPERIMENTS, "all"))
    parser.add_argument("--model", type=Path, required=True, help="the folder of a model of whole sentences")
    parser.add_argument("--tuned", type=Path, default=Path("runs/simultaneous/model"), help="where the tuned one goes")
    parser.add_argument("--updates", type=int, default=UPDATES, help="of the tuning")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--only", help="cells whose agent or arm is this")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--answers", type=Path, default=Path("runs/simultaneous/answers"))
    parser.add_argument("--report", action="store_true", help="make differences and picture of what is there")
    options = parser.parse_args()
    names = EXPERIMENTS if "all" in options.experiments else options.experiments
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.answers.mkdir(parents=True, exist_ok=True)
    known = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    if not (options.tuned / "config.json").exists():
        tune(options.model, options.tuned, options.updates)
    model = hashlib.sha256((options.tuned / "model.safetensors").read_bytes()).hexdigest()[:16]
    known = [row for row in known if row["model"] == model]
    if options.report:
        rows = list({key(row): row for row in known if "error" not in row}.values())
        lines = "".join(json.dumps(row) + "\n" for row in paired(rows, options.answers))
        options.out.with_name(f"{options.out.stem}_paired.jsonl").write_text(lines)
        draw(rows, options.out.with_suffix(".png"))
        return
    done = {key(row) for row in known if "error" not in row}
    wanted = [{**cell, "model": model} for name in names for cell in cells(name, options.seeds)]
    wanted = [c for c in wanted if key(c) not in done and options.only in (None, c["agent"], c["arm"])]
    wanted = [{**cell, "steps": options.steps} for cell in wanted]
    print(f"{len(wanted)} cells to run", file=sys.stderr)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=spawn) as pool:  # ends with an error if a worker is killed
        asked = [pool.submit(run, (cell, str(options.tuned))) for cell in wanted]
        for number, future in enumerate(as_completed(asked), 1):
            row = future.result()
            if kept := row.pop("kept", None):
                (options.answers / f"{number_of(row)}.json").write_text(json.dumps(kept))
            with open(options.out, "a") as file:  # this process alone writes: a row is whole or not there
                file.write(json.dumps(row) + "\n")
            names = ("bleu", "chrf", "average_lagging", "average_proportion", "return")
            told = row.get("error") or ", ".join(f"{name} {row['scores'][name][0]:.4f}" for name in names)
            about = f"{row['agent']} {row['price']} {row['param']} {row['arm']} {row['seed']}"
            print(f"{number}/{len(wanted)} {about}: {told}", file=sys.stderr)


if __name__ == "__main__":
    main()
