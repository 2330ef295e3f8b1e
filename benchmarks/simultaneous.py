"""Can an agent learn when to read and when to write? `readwrite` on Multi30k, against the wait-k line, five seeds.

    nlp-gym pretrain --task multi30k_en_de --out models/multi30k --param width=192 ...    # see benchmarks/README.md
    NLP_GYM_DATA=<folder with multi30k_en_de> python benchmarks/simultaneous.py all --model models/multi30k
    python benchmarks/simultaneous.py all --model models/multi30k --report

The model is first tuned on prefixes, once, into `--tuned`: a prefix of the source, at random, and the share of the
target that goes with it. All agents play with the tuned model, wait-k too. Each finished cell is a row of
`results/simultaneous.jsonl`; what each sentence got is kept in `--answers`, from which `--report` makes the paired
differences to the wait-k line at the same average lagging (`results/simultaneous_paired.jsonl`) and the picture. What
is there already is not run again.
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
RESULTS = HERE / "results" / "simultaneous.jsonl"
TASK = "multi30k_en_de"
ENV = f"nlp/{TASK}-readwrite-v0"
LINE = (1, 2, 3, 4, 5, 7, 9, 100)  # wait-k; the last reads everything
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
PRICES = (0.2, 0.3, 0.45, 0.6)  # of delay
PAID = {"metric": "mean"}  # chrF and BLEU
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
            add("wait_k", 0.3, 1, k=k)
        for threshold in THRESHOLDS:
            add("confidence_rule", 0.3, 1, threshold=threshold)
        add("uniform", 0.3, 1)
    if experiment == "ppo":
        for price in PRICES:
            add("ppo", price, seeds)
    if experiment == "others":
        for agent in ("dqn", "sarsa", "recurrent_ppo"):
            add(agent, 0.3, seeds)
        for arm in ("length known",):
            add("ppo", 0.3, seeds, arm)
    if experiment == "controls":
        for arm in ("constant reward", "zero observation"):
            add("ppo", 0.3, seeds, arm)
    return found


ARMS: dict[str, dict[str, Any]] = {
    "as is": {},
    "length known": {"length_known": True},
    "constant reward": {"reward": "constant"},
    "zero observation": {"observation": {"name": "vector", "blank": True}},
}


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
                print(f"tuning {update + 1}/{updates}: loss {np.mean(losses[-50:]):.3f}, {seconds:.0f} s", file=sys.stderr)
    facts = {"from": model.name, "updates": updates, "rate": rate, "tokens": tokens, "seed": seed,
             "seconds": round(time.perf_counter() - began, 1), "training_loss": round(float(np.mean(losses[-50:])), 4)}
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
