"""How fast batched decoding over a kept cache is: ratios of two sides timed in turn, on one thread, by the CPU clock.

    python benchmarks/decoding.py                                # everything: about an hour of CPU time
    python benchmarks/decoding.py --only cache share --rows 1 16 --out results/decoding.jsonl
    python benchmarks/decoding.py --quick                        # a smoke run, whose numbers mean nothing

The models have random weights: GPT-2 with 4 layers, T5 and Marian with 3 + 3, all 256 wide, a vocabulary of 8,000.
A pass is a prompt of 32 ids and 32 tokens for every row; a step is one token of one row, with its share of the prompt.

* `cache`: against what an environment without a cache does, computing the whole context anew for every token, padded to
  its full length, all logits; and against a wiser one: only as long as the context is, logits of its last token alone.
  Of their 32 tokens every k-th is timed, since each takes as long as the next (or a little less).
* `transformers`: against transformers' own cache, in which all rows must begin and end together.
* `weights`: other numbers than float32, against float32.
* `share`: the CPU time spent outside of the model's forward, where episodes end at random and rows begin anew; after
  every round, the largest difference of any row's logits to those of a full recomputation. Logits are about 1 in size.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: two threads on busy cores are far slower than one

import argparse
import copy
import functools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from throughput import spread, surroundings
from tokenizers import Tokenizer, models
from transformers import DynamicCache, EncoderDecoderCache

from nlp_gym_envs.models.decoding import Decoding
from nlp_gym_envs.models.language_model import LanguageModel
from nlp_gym_envs.models.steering import cache_keyword

SEED, V, PROMPT, NEW = 0, 8_000, 32, 32
GOALS = {  # (what, model, rows) -> what we promise
    **{("cache", "gpt2", rows): goal for rows, goal in ((1, 3), (16, 12), (64, 20), (256, 25))},
    **{("cache", name, rows): goal for name in ("t5", "marian") for rows, goal in ((1, 2.5), (16, 7), (64, 11))},
    **{("share", name, rows): goal for name in ("gpt2", "t5", "marian")
       for rows, goal in ((1, 0.15), (16, 0.1), (64, 0.08))},
}  # fmt: skip
NEAR = 1e-5  # largest difference of logits that we promise


@dataclass
class Settings:
    """What the command line asked for."""

    models: Sequence[str]
    rows: Sequence[int]
    rounds: int
    quick: bool


@dataclass
class Row:
    """One line of the table; steps per CPU second of both sides, one number for each round."""

    what: str
    model: str
    rows: int
    ours: list[float]
    against: str
    other: list[float]
    difference: float | None = None  # of logits, the largest

    @property
    def ratios(self) -> list[float]:
        """Ours over the other; of `share`, the part of the time that is not the other."""
        pairs = zip(self.ours, self.other, strict=True)
        return [1 - ours / other if self.what == "share" else ours / other for ours, other in pairs]

    @property
    def goal(self) -> float | None:
        """At least that ratio; of a share, at most. The wiser recomputation has none."""
        return None if "last" in self.against else GOALS.get((self.what, self.model, self.rows))

    @property
    def met(self) -> bool | None:
        """Whether the median meets the goal, and logits are near where they were compared."""
        median, near = np.median(self.ratios), self.difference is None or self.difference <= NEAR
        if self.goal is None:
            return None
        return bool(near and (median <= self.goal if self.what == "share" else median >= self.goal))


# ---------------------------------------------------------------- models and the work


def language_model(name: str) -> LanguageModel:
    """A model with random weights."""
    torch.manual_seed(SEED)
    ids = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    t5 = {"d_model": 256, "d_kv": 32, "d_ff": 1024, "num_layers": 3, "num_heads": 8}
    marian = {f"{part}_{of}": number for part in ("encoder", "decoder")
              for of, number in (("layers", 3), ("attention_heads", 8), ("ffn_dim", 1024))}  # fmt: skip
    kind, config = {
        "gpt2": ("GPT2LMHeadModel", {"n_positions": PROMPT + NEW, "n_embd": 256, "n_layer": 4, "n_head": 8}),
        "t5": ("T5ForConditionalGeneration", t5 | ids),
        "marian": ("MarianMTModel", marian | ids | {"d_model": 256, "max_position_embeddings": 64}),
    }[name]
    made = getattr(transformers, kind)
    model = made(made.config_class(vocab_size=V, **{"eos_token_id": 1} | config))
    words = Tokenizer(models.WordLevel({f"w{number}": number for number in range(V)}, unk_token="w2"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="w0", eos_token="w1")
    return LanguageModel(model, tokenizer, name, "decoder" if name == "gpt2" else "encoder-decoder")


@dataclass
class Work:
    """The same prompts and tokens for both sides of a ratio."""

    model: LanguageModel
    rows: int

    def __post_init__(self) -> None:
        chance = np.random.default_rng(SEED)
        self.prompts = chance.integers(3, V, (self.rows, PROMPT))
        self.tokens = chance.integers(3, V, (NEW, self.rows))

    def kept(self) -> Callable[[], float]:
        """Our pass; gives its steps per CPU second."""
        decoding = Decoding(self.model, self.rows, PROMPT, NEW, remember=0)
        every, prompts = np.arange(self.rows), self.prompts.tolist()

        def once() -> float:
            start = time.process_time()
            decoding.begin(every, prompts)
            for tokens in self.tokens:
                decoding.push(every, tokens)
            return NEW * self.rows / (time.process_time() - start)

        return once

    def recomputed(self, padded: bool, every: int) -> Callable[[], float]:
        """The same tokens without a cache; of its steps every `every`-th is timed."""
        prompts, tokens = torch.from_numpy(self.prompts), torch.from_numpy(self.tokens.T)
        start = torch.zeros(self.rows, 1, dtype=torch.long)
        steps = range(every // 2, NEW, every)

        def once() -> float:
            begun = time.process_time()
            with torch.inference_mode():
                for step in steps:
                    written = torch.cat([start if self.reads else prompts, tokens[:, : step + 1]], 1)
                    self.context(prompts, written, padded)
            return len(steps) * self.rows / (time.process_time() - begun)

        return once

    @property
    def reads(self) -> bool:
        """Whether the prompt is an encoder's."""
        return self.model.family == "encoder-decoder"

    def context(self, prompts: torch.Tensor, written: torch.Tensor, padded: bool) -> torch.Tensor:
        """Logits of the last token, (rows, V), by one forward without a cache."""
        last = written.shape[1] - 1
        mask = torch.ones_like(written)
        if padded:
            missing = (NEW + 1 if self.reads else PROMPT + NEW) - written.shape[1]
            written, mask = (torch.nn.functional.pad(part, (0, missing)) for part in (written, mask))
        model = self.model.model
        if self.reads:
            given = {"input_ids": prompts, "decoder_input_ids": written, "decoder_attention_mask": mask}
        else:
            given = {"input_ids": written, "attention_mask": mask} | ({} if padded else {"logits_to_keep": 1})
        logits = model(**given, use_cache=False).logits
        return logits[:, last if logits.shape[1] > 1 else 0]

    def together(self) -> Callable[[], float]:
        """The same tokens with transformers' own cache: all rows begin together, and all prompts are of one length."""
        prompts, tokens, model = torch.from_numpy(self.prompts), torch.from_numpy(self.tokens), self.model.model
        keyword = cache_keyword(model)

        def once() -> float:
            start = time.process_time()
            with torch.inference_mode():
                if self.reads:
                    cache: Any = EncoderDecoderCache(DynamicCache(), DynamicCache())
                    given = {"encoder_outputs": model.get_encoder()(input_ids=prompts)}
                    model(**given, decoder_input_ids=torch.zeros_like(prompts[:, :1]), **{keyword: cache})
                    name = "decoder_input_ids"
                else:
                    cache, given, name = DynamicCache(), {}, "input_ids"
                    model(input_ids=prompts, **{keyword: cache}, logits_to_keep=1)
                for step in tokens:
                    model(**given, **{name: step[:, None]}, **{keyword: cache})
            return NEW * self.rows / (time.process_time() - start)

        return once


def in_turn(ours: Callable[[], float], other: Callable[[], float], rounds: int) -> tuple[list[float], list[float]]:
    """Both sides, one of each for every round, after one of each that does not count."""
    found: tuple[list[float], list[float]] = ([], [])
    for side in (ours, other):
        side()
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            found[side].append((ours, other)[side]())
    return found


# ---------------------------------------------------------------- what is measured


def cache(settings: Settings, name: str, rows: int) -> Iterator[Row]:
    """Against recomputation without a cache."""
    work = Work(language_model(name), rows)
    every = NEW if settings.quick else {1: 2, 16: 4, 64: 8}.get(rows, 16)
    for padded, against in ((True, "padded context, all logits"), (False, "context as long as it is, last logits")):
        yield Row("cache", name, rows, *turned(work.kept(), work.recomputed(padded, every), settings, against))


def turned(ours: Any, other: Any, settings: Settings, against: str) -> tuple[list[float], str, list[float]]:
    """The last three fields of a row."""
    mine, its = in_turn(ours, other, settings.rounds)
    return mine, against, its


def together(settings: Settings, name: str, rows: int) -> Iterator[Row]:
    """Against transformers' own cache."""
    work = Work(language_model(name), rows)
    yield Row("transformers", name, rows, *turned(work.kept(), work.together(), settings, "all rows in step"))


def weights(settings: Settings, name: str, rows: int) -> Iterator[Row]:
    """Coarser numbers against float32."""
    plain = language_model(name)
    half = copy.deepcopy(plain.model).to(torch.bfloat16)
    other = Work(plain, rows).kept()
    for label, model, quantize in (("bfloat16", half, None), ("int8", copy.deepcopy(plain.model), "int8")):
        coarse = LanguageModel(model, plain.tokenizer, label, plain.family, quantize)
        ours, against, its = turned(Work(coarse, rows).kept(), other, settings, "float32")
        yield Row(f"weights, {label}", name, rows, ours, against, its)


class Stopwatch:
    """The CPU time spent in some functions of a model."""

    def __init__(self, *modules: Any) -> None:
        self.spent = 0.0
        for module in modules:
            module.forward = self.timed(module.forward)

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, watched."""

        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent += time.process_time() - start

        return functools.wraps(function)(call)


def share(settings: Settings, name: str, rows: int) -> Iterator[Row]:
    """Outside of the model's forward, as episodes end at random; then every row against full recomputation."""
    model = language_model(name)
    watch = Stopwatch(model.model, *([model.model.get_encoder()] if model.family == "encoder-decoder" else []))
    chance, every = np.random.default_rng(SEED), np.arange(rows)
    decoding = Decoding(model, rows, PROMPT, NEW, remember=0)
    prompts, written = [[]] * rows, [[] for _ in every]
    steps, outside, whole, far = (4 if settings.quick else 96), [], [], []

    def begin(chosen: np.ndarray) -> None:
        for row in chosen:
            prompts[row], written[row] = chance.integers(3, V, chance.integers(4, PROMPT + 1)).tolist(), []
        start = time.process_time()
        decoding.begin(chosen, [prompts[row] for row in chosen])
        spent.append(time.process_time() - start)

    spent: list[float] = []
    begin(every)
    for _ in range(settings.rounds):
        spent.clear()
        watch.spent = 0
        for _ in range(steps):
            tokens = chance.integers(3, V, rows)
            start = time.process_time()
            decoding.push(every, tokens)
            spent.append(time.process_time() - start)
            for row, token in enumerate(tokens):
                written[row].append(int(token))
            ended = (decoding.length >= NEW) | (chance.random(rows) < 1 / 24)
            if ended.any():
                begin(every[ended])
        outside.append(rows * steps / watch.spent)
        whole.append(rows * steps / sum(spent))
        far.append(difference(decoding, prompts, written))
    yield Row("share", name, rows, whole, "the forward alone", outside, max(far))


def difference(decoding: Decoding, prompts: list[list[int]], written: list[list[int]]) -> float:
    """The largest difference of logits to those of a full recomputation."""
    found = 0.0
    for row in range(min(decoding.num_rows, 64)):
        work = Work(decoding.language_model, 1)
        start = [0] if work.reads else prompts[row]
        with torch.inference_mode():
            logits = work.context(torch.tensor([prompts[row]]), torch.tensor([start + written[row]]), False)
        found = max(found, float((logits[0] - decoding.logits[row]).abs().max()))
    return found


PARTS: dict[str, Callable[[Settings, str, int], Iterator[Row]]] = {
    "cache": cache,
    "transformers": together,
    "weights": weights,
    "share": share,
}


# ---------------------------------------------------------------- what is told


HEAD = """\
| what | model | rows | ours, steps/s | against | its steps/s | ratio [least .. most] | goal | met | difference |
|---|---|---|---|---|---|---|---|---|---|"""


def line(row: Row) -> str:
    """The row as a line of the markdown table."""
    part = row.what == "share"
    sense = "at most" if part else "at least"
    goal = "" if row.goal is None else f"{sense} {row.goal:{'.0%' if part else 'g'}}"
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    near = "" if row.difference is None else f"{row.difference:.1e}"
    ratio = spread(row.ratios, ".1%" if part else ".3g")
    cells = (row.what, row.model, row.rows, f"{np.median(row.ours):.4g}", row.against, f"{np.median(row.other):.4g}",
             ratio, goal, met, near)  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def record(row: Row, about: dict[str, Any]) -> dict[str, Any]:
    """The row as an entry of a JSONL file."""
    return {
        "what": row.what,
        "model": row.model,
        "rows": row.rows,
        "against": row.against,
        "unit": "tokens of one row per second of CPU time, median",
        "ours": float(np.median(row.ours)),
        "other": float(np.median(row.other)),
        "ratio": {"median": float(np.median(row.ratios)), "min": min(row.ratios), "max": max(row.ratios)},
        "rounds": len(row.ratios),
        "goal": row.goal,
        "met": row.met,
        "difference": row.difference,
        **about,
    }


def main() -> None:
    """Measure, print a markdown table, append to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("gpt2", "t5", "marian")
    parser.add_argument("--models", nargs="+", default=names, choices=names)
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=list(PARTS), help="these parts alone")
    parser.add_argument("--rows", nargs="+", type=int, help="default: 1 16 64, and 256 of GPT-2's cache")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smoke run; its numbers mean nothing")
    parser.add_argument("--out", type=Path, help="append a JSON line for each row of the table to this file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    settings = Settings(asked.models, asked.rows or ((1, 4) if asked.quick else (1, 16, 64)),
                        1 if asked.quick else asked.rounds, asked.quick)  # fmt: skip
    about = surroundings()
    about["versions"] |= {"transformers": transformers.__version__}
    print(f"{about['date']}, commit {about['commit']}, {about['versions']}\n\n{HEAD}", flush=True)
    for part in asked.only:
        for name in settings.models:
            more = [256] if part == "cache" and name == "gpt2" and not (asked.quick or asked.rows) else []
            for rows in [*settings.rows, *more]:
                for row in PARTS[part](settings, name, rows):
                    print(line(row), flush=True)
                    if asked.out is not None:
                        asked.out.parent.mkdir(parents=True, exist_ok=True)
                        with asked.out.open("a", encoding="utf-8") as file:
                            file.write(json.dumps(record(row, about)) + "\n")


if __name__ == "__main__":
    main()
