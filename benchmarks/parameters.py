"""What a candidate of a model's parameters costs: ratios of two sides timed in turn, on one thread, by the CPU clock.

    python benchmarks/parameters.py                              # everything: about twelve minutes of CPU time
    python benchmarks/parameters.py --only whole head --rows 1 16 --out results/parameters.jsonl
    python benchmarks/parameters.py --quick                      # a smoke run, whose numbers mean nothing

The model is a BERT with random weights and a head of four labels: `small` 2 blocks, 64 wide; `large` 5 blocks, 192 wide
and 3.8 million parameters. A candidate is judged on 64 texts of 32 ids; each row has a candidate of its own.

* `whole`: all parameters change: against the bare forward of the same texts (the floor).
* `adding`: the addition and its undoing alone, how often in the time of that forward.
* `loading`: `whole` against loading each candidate into the module (`load_state_dict`) and a forward.
* `upper`: only the upper third of the blocks and the head change: against the bare forward of the whole model.
* `stack`: all parameters of the two smallest models that ship change, on a probe of 8 texts each: all rows together,
  against one row after the other.
* `head`: only the head changes; losses and gradients of all rows at once, against the bare forward of each.
* `nudge`: steps of `nlp/sentiment-nudge-v0`, all of it (observations, rewards), against the bare forward of each.
* `basis`: a candidate and its projected gradient in a random basis of k directions: against a forward and backward.
* `step`: one of `nlp/text_classification-rates-v0` with the BERT that ships: the part of its time that is not spent on
  the same update of ready tensors (a forward and backward over a minibatch, the update, a forward over the probe).
* `memory`: bytes that a further row holds in `subspace` and `rates` with that BERT, beside those of its weights.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: two threads on busy cores are far slower than one

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
import transformers
from decoding import in_turn
from throughput import meets, spread, surroundings

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_envs.dynamics._bases import Dense
from nlp_gym_envs.models.objectives import Batch, Classifier
from nlp_gym_envs.models.tuning import GROUPS, Tunable

SHAPES = {"small": (2, 64, 2), "large": (5, 192, 6)}  # blocks, width, heads
TEXTS, LENGTH, VOCABULARY, CLASSES = 64, 32, 8_000, 4
KEPT = 8  # candidates that are made beforehand; rows take them in turn
SIZE = 1e-3  # of a candidate's numbers
LEAST = 0.3  # seconds that each side is timed for in a round
WHOLE, UPPER, HEAD = GROUPS, ("upper", "head"), ("head",)


@dataclass
class Row:
    """One line of the table; candidates (or steps) per CPU second of both sides, one number for each round."""

    what: str
    model: str
    rows: int
    ours: list[float]
    against: str
    other: list[float]
    goal: tuple[str, float] | None = None
    share: bool = False  # the ratio is the part of our time that the other side does not take
    ratios: list[float] = field(init=False)

    def __post_init__(self) -> None:
        pairs = list(zip(self.ours, self.other, strict=True))
        self.ratios = [1 - ours / other if self.share else ours / other for ours, other in pairs]

    @property
    def met(self) -> bool | None:
        """Whether the median meets the goal."""
        return meets(self.ratios, self.goal)


class Work:
    """A model, texts, and candidates."""

    def __init__(self, shape: str, groups: Sequence[str], only: str | None = None) -> None:
        layers, width, heads = SHAPES[shape]
        torch.manual_seed(0)
        settings = transformers.BertConfig(
            vocab_size=VOCABULARY, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
            intermediate_size=4 * width, max_position_embeddings=64, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        module = Classifier(transformers.BertModel(settings, add_pooling_layer=False), width, CLASSES).eval()
        self.tunable = Tunable(module, groups, only)
        self.batch = self.texts()
        self.candidates = [SIZE * torch.randn(self.tunable.size) for _ in range(KEPT)]

    def texts(self) -> Batch:
        """Random ones."""
        ids = torch.randint(VOCABULARY, (TEXTS, LENGTH))
        return Batch(ids, torch.ones_like(ids), torch.randint(CLASSES, (TEXTS,)))

    def bare(self, _: int) -> None:
        """A forward and the losses, as whoever has but one candidate would compute them."""
        with torch.no_grad():
            self.tunable.module.losses(self.batch).numpy()  # pyright: ignore[reportCallIssue]

    def rate(self, rows: int) -> Callable[[], float]:
        """Candidates per CPU second, so many at once."""
        deltas = [self.candidates[number % KEPT] for number in range(rows)]
        return rate_of_all(lambda: self.tunable.all_losses([self.batch] * rows, deltas), rows)


def rate(each: Callable[[int], Any], rows: int) -> Callable[[], float]:
    """Calls per CPU second, one call a row."""
    return rate_of_all(lambda: [each(number) for number in range(rows)], rows)


def rate_of_all(all_rows: Callable[[], Any], rows: int) -> Callable[[], float]:
    """Rows per CPU second, one call for all of them; some LEAST seconds of it."""

    def once() -> float:
        start, done = time.process_time(), 0
        while not done or time.process_time() - start < LEAST:
            all_rows()
            done += rows
        return done / (time.process_time() - start)

    return once


@dataclass
class Settings:
    """What the command line asked for."""

    rows: Sequence[int]
    rounds: int
    quick: bool

    def of(self, model: str) -> list[int]:
        """Rows that a model is measured at: each forward of the large one takes a tenth of a second."""
        return [rows for rows in self.rows if model == "small" or rows <= 16]

    def compare(self, what: str, model: str, rows: int, ours: Any, against: str, other: Any, **more: Any) -> Row:
        """Time two sides; no goal holds in a smoke run."""
        found = in_turn(ours, other, self.rounds)
        if self.quick:
            more.pop("goal", None)
        return Row(what, model, rows, found[0], against, found[1], **more)


def whole(settings: Settings) -> Iterator[Row]:
    """All parameters."""
    for model in SHAPES:
        work = Work(model, WHOLE)
        for rows in settings.of(model):
            yield settings.compare("whole", model, rows, work.rate(rows), "the bare forward",
                                   rate(work.bare, rows), goal=("at least", 0.95))  # fmt: skip


def adding(settings: Settings) -> Iterator[Row]:
    """A candidate is added and taken off, and nobody looks: how many times in a forward."""
    for model in SHAPES:
        work = Work(model, WHOLE)

        def add(number: int, work: Work = work) -> None:
            with work.tunable.moved(work.candidates[number % KEPT]):
                pass

        yield settings.compare("adding", model, 1, rate(add, 16), "the bare forward", rate(work.bare, 2),
                               goal=("at least", 20.0))  # fmt: skip


def loading(settings: Settings) -> Iterator[Row]:
    """All parameters, beside loading them."""
    for model in SHAPES:
        work = Work(model, WHOLE)
        at_rest = {name: value.clone() for name, value in work.tunable.module.state_dict().items()}
        states = [{name: value + SIZE for name, value in at_rest.items()} for _ in range(KEPT)]

        def load(number: int, work: Work = work, states: Any = states) -> None:
            work.tunable.module.load_state_dict(states[number % KEPT])
            work.bare(number)

        for rows in settings.of(model):
            yield settings.compare("loading", model, rows, work.rate(rows), "load_state_dict and a forward",
                                   rate(load, rows))  # fmt: skip


def upper(settings: Settings) -> Iterator[Row]:
    """What lies above activations that are kept."""
    for model in SHAPES:
        work = Work(model, UPPER)
        touched = sum(end - begin for begin, end in work.tunable.bounds)
        blocks = sum(p.numel() for name, p in work.tunable.module.named_parameters() if ".layer." in name)
        for rows in settings.of(model):
            yield settings.compare("upper", f"{model}, {blocks / touched:.1f} x fewer parameters", rows,
                                   work.rate(rows), "the bare forward", rate(work.bare, rows))  # fmt: skip


def stack(settings: Settings) -> Iterator[Row]:
    """All rows of a small model at once: forward and backward, and forward alone."""
    for task, model in (("sentiment", "bert_tiny"), ("translation", "t5_tiny")):
        for rows in settings.rows:
            env = gym.make_vec(f"nlp/{task}-rates-v0", num_envs=rows, model=model, updates=0, probe=8, judge=8)
            env.reset(seed=0)
            here: Any = env.unwrapped.episodes.dynamics  # pyright: ignore[reportAttributeAccessIssue]
            tunable, batches, deltas = here.tunable, [one.batch for one in here.instance], list(here.delta)
            repeats = 1 if settings.quick else max(1, 64 // rows)

            def rated(run: Any, rows: int = rows, repeats: int = repeats) -> float:
                start = time.process_time()
                for _ in range(repeats):
                    run()
                return rows * repeats / (time.process_time() - start)

            sides = {
                "forward and backward": (tunable.all_losses_and_gradients, tunable.losses_and_gradient),
                "forward": (tunable.all_losses, tunable.losses),
            }
            for name, (together, alone) in sides.items():

                def ours(together: Any = together, given: Any = (batches, deltas), rated: Any = rated) -> float:
                    return rated(lambda: together(*given))

                def one_by_one(alone: Any = alone, given: Any = (batches, deltas), rated: Any = rated) -> float:
                    return rated(lambda: [alone(*pair) for pair in zip(*given, strict=True)])

                yield settings.compare(f"stack, {name}", model, rows, ours, "one row after the other", one_by_one)


def head(settings: Settings) -> Iterator[Row]:
    """All rows' heads at once."""
    for model in SHAPES:
        work = Work(model, HEAD)
        for rows in settings.rows:
            batches = [work.texts() for _ in range(rows)]
            deltas = [work.candidates[row % KEPT] for row in range(rows)]
            for batch in batches:
                work.tunable.features(batch)
            repeats = 2 if settings.quick else 50

            def ours(rows: int = rows, batches: Any = batches, deltas: Any = deltas, repeats: int = repeats) -> float:
                start = time.process_time()
                for _ in range(repeats):
                    work.tunable.heads(batches, deltas)  # noqa: B023  timed before the next model
                return rows * repeats / (time.process_time() - start)

            goal = ("at least", 1000.0) if (model, rows) == ("large", 64) else None
            yield settings.compare("head", model, rows, ours, "the bare forward", rate(work.bare, 2), goal=goal)


def nudge(settings: Settings) -> Iterator[Row]:
    """Whole steps of an environment on logits that are kept."""
    work = Work("large", WHOLE)
    for rows in settings.rows:
        env = gym.make_vec("nlp/sentiment-nudge-v0", num_envs=rows)
        env.reset(seed=0)
        actions = np.random.default_rng(0).integers(1, env.single_action_space.n, (64, rows))  # pyright: ignore[reportAttributeAccessIssue]
        repeats = 4 if settings.quick else 64

        def steps(env: Any = env, actions: Any = actions, rows: int = rows, repeats: int = repeats) -> float:
            start = time.process_time()
            for number in range(repeats):
                env.step(actions[number % 64])
            return rows * repeats / (time.process_time() - start)

        goal = ("at least", 1000.0) if rows == 64 else None
        yield settings.compare("nudge", "large", rows, steps, "the bare forward", rate(work.bare, 2), goal=goal)


def basis(settings: Settings) -> Iterator[Row]:
    """Directions are read from a table: what k of them cost beside the passes themselves."""
    for model in SHAPES:
        work = Work(model, WHOLE)

        def passes(_: int, work: Work = work) -> None:
            work.tunable.gradient.zero_()
            with torch.enable_grad():
                work.tunable.module.losses(work.batch).mean().backward()  # pyright: ignore[reportCallIssue]

        for k in (8,) if settings.quick else (8, 32, 128):
            dense = Dense(work.tunable, k)
            generator = np.random.default_rng(0)
            offsets, point = dense.draw(generator), SIZE * generator.standard_normal(k)

            def ours(_: int, work: Work = work, dense: Dense = dense, offsets: Any = offsets, at: Any = point) -> None:
                _, gradient = work.tunable.losses_and_gradient(work.batch, dense.delta(offsets, at))
                dense.project(offsets, gradient)

            yield settings.compare(f"basis, k = {k}", model, 1, rate(ours, 4), "a forward and backward",
                                   rate(passes, 4))  # fmt: skip


def step(settings: Settings) -> Iterator[Row]:
    """A step of fine-tuning in an environment, beside the same update of tensors that are ready."""
    asked = {"model": "bert", "updates": 0, "horizon": 1_000, "optimiser": "sgd", "probe": 32, "batch": 32}
    env = gym.make_vec("nlp/text_classification-rates-v0", num_envs=1, **asked)
    env.reset(seed=0)
    dynamics: Any = env.unwrapped.episodes.dynamics  # pyright: ignore[reportAttributeAccessIssue]
    tunable, made = dynamics.tunable, dynamics.instance[0]
    ready = [dynamics.minibatch(made, number) for number in range(KEPT)]
    actions, tiny = np.zeros((1, 5), np.float32) - 0.9, 1e-6

    def ours(_: int) -> None:
        env.step(actions)

    def floor(number: int) -> None:
        with torch.enable_grad():
            tunable.gradient.zero_()
            tunable.module.losses(ready[number % KEPT]).mean().backward()
        with torch.no_grad():
            tunable.flat.sub_(tunable.gradient, alpha=tiny)
            tunable.module.losses(made.batch).numpy()
            tunable.flat.add_(tunable.gradient, alpha=tiny)

    steps = 4 if settings.quick else 40
    yield settings.compare("step", "bert", 1, rate(ours, steps), "the same update of ready tensors",
                           rate(floor, steps), goal=("at most", 0.10), share=True)  # fmt: skip
    tunable.flat.copy_(tunable.base)


def held(seen: set[int], thing: Any) -> int:
    """Bytes of the arrays and tensors that something holds and that are not in `seen` yet."""
    if isinstance(thing, np.ndarray):
        owner, size = id(thing), thing.nbytes
    elif isinstance(thing, torch.Tensor):
        owner, size = thing.untyped_storage().data_ptr(), thing.untyped_storage().nbytes()
    else:
        parts = (
            list(thing.values()) if isinstance(thing, dict) else list(thing) if isinstance(thing, list | tuple) else []
        )
        parts = parts or (list(vars(thing).values()) if hasattr(thing, "batch") or isinstance(thing, Batch) else [])
        return sum(held(seen, part) for part in parts)
    if owner in seen:
        return 0
    seen.add(owner)
    return size


def memory(settings: Settings) -> Iterator[dict[str, Any]]:
    """What ten more rows hold after a few steps, a tenth of it."""
    for name in ("subspace", "rates"):
        sizes = []
        for rows in (1, 11):
            env = gym.make_vec(f"nlp/text_classification-{name}-v0", num_envs=rows, model="bert", updates=0)
            env.reset(seed=0)
            env.action_space.seed(0)
            for _ in range(3):
                env.step(env.action_space.sample())
            dynamics: Any = env.unwrapped.episodes.dynamics  # pyright: ignore[reportAttributeAccessIssue]
            mine = {key: value for key, value in vars(dynamics).items() if key not in ("data", "tunable", "basis",
                    "starts", "training", "task", "model", "tokenizer")}  # fmt: skip
            sizes.append(held({dynamics.tunable.base.untyped_storage().data_ptr()}, mine))
        weights = 4 * dynamics.tunable.size
        each = (sizes[1] - sizes[0]) / 10
        yield {"what": "memory", "model": f"bert, {name}", "bytes_a_row": round(each), "bytes_of_weights": weights,
               "ratio": each / weights}  # fmt: skip


PARTS: dict[str, Callable[[Settings], Iterator[Any]]] = {
    "whole": whole, "adding": adding, "loading": loading, "upper": upper, "stack": stack, "head": head,
    "nudge": nudge, "basis": basis, "step": step, "memory": memory,
}  # fmt: skip
HEADING = """\
| what | model | rows | ours, a second | against | its, a second | ratio [least .. most] | goal | met |
|---|---|---|---|---|---|---|---|---|"""


def line(row: Any) -> str:
    """The row as a line of the markdown table."""
    if isinstance(row, dict):
        told = f"{row['bytes_a_row'] / 1e6:.2f} MB a row, the weights that may change are"
        told += f" {row['bytes_of_weights'] / 1e6:.2f} MB"
        return f"| memory | {row['model']} | | | {told} | | {row['ratio']:.2f} | | |"
    goal = "" if row.goal is None else f"{row.goal[0]} {row.goal[1]:{'.0%' if row.share else 'g'}}"
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    cells = (row.what, row.model, row.rows, f"{np.median(row.ours):.4g}", row.against, f"{np.median(row.other):.4g}",
             spread(row.ratios, ".1%" if row.share else ".3g"), goal, met)  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def record(row: Any, about: dict[str, Any]) -> dict[str, Any]:
    """The row as an entry of a JSONL file."""
    if isinstance(row, dict):
        return {**row, **about}
    ratio = {"median": float(np.median(row.ratios)), "min": min(row.ratios), "max": max(row.ratios)}
    return {"what": row.what, "model": row.model, "rows": row.rows, "against": row.against,
            "unit": "candidates or steps per second of CPU time, median", "ours": float(np.median(row.ours)),
            "other": float(np.median(row.other)), "ratio": ratio, "rounds": len(row.ratios), "goal": row.goal,
            "met": row.met, **about}  # fmt: skip


def main() -> None:
    """Measure, print a markdown table, append to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=list(PARTS), help="these parts alone")
    parser.add_argument("--rows", nargs="+", type=int, help="default: 1 16 64 256")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smoke run; its numbers mean nothing")
    parser.add_argument("--out", type=Path, help="append a JSON line for each row of the table to this file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    settings = Settings(asked.rows or ((1, 4) if asked.quick else (1, 16, 64, 256)),
                        1 if asked.quick else asked.rounds, asked.quick)  # fmt: skip
    about = surroundings()
    about["versions"] |= {"transformers": transformers.__version__}
    print(f"{about['date']}, commit {about['commit']}, {about['versions']}\n\n{HEADING}", flush=True)
    for part in asked.only:
        for row in PARTS[part](settings):
            print(line(row), flush=True)
            if asked.out is not None:
                asked.out.parent.mkdir(parents=True, exist_ok=True)
                with asked.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record(row, about)) + "\n")


if __name__ == "__main__":
    main()
