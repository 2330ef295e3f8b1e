"""Small models of the three families, trained from nothing on pairs of texts: ordinary transformers checkpoints.

A T5 learns to write the answer to a prompt, a GPT-2 to go on from a prompt to its answer, a BERT to fill masked words
of both. The tokenizer is a byte-level BPE of the same texts, so that any text can be written in it. Same texts, recipe
and seed give the same weights on the same machine with the same number of threads (on a processor: an accelerator adds
up in no fixed order).
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadArgument
from ..text.examples import content_digest
from .files import without_bars

SHAPES = {"t5": "encoder-decoder", "gpt2": "decoder", "bert": "encoder"}
PAD, END, UNKNOWN, MASK, ANSWER, START = "<pad>", "</s>", "<unk>", "<mask>", "<answer>", "<s>"
SMALL = 0.05  # T5's own start has embeddings of 1, for an optimiser whose steps are relative to a weight's size
MASKED = 0.15  # of a text's tokens where a model is judged, as BERT has it

Progress = Callable[[int, int, float], None]  # updates done, all updates, the loss on the last batches


@dataclass(frozen=True)
class Recipe:
    """All that makes a model besides the texts. `layers` of each half of a T5; `batch` in tokens, padding included."""

    shape: str = "t5"
    width: int = 128
    layers: int = 2
    heads: int = 4
    inner: int = 512
    vocabulary: int = 2048
    longest: int = 96
    updates: int = 3000
    batch: int = 2048
    rate: float = 2e-3
    warmup: int = 200
    smoothing: float = 0.1
    dropout: float = 0.1
    masked: float = 0.4  # of a BERT's tokens while it learns: more of them to learn from than where it is judged
    half: bool = False  # save the weights in float16: half the size
    seed: int = 0

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise BadArgument(f"shape must be one of {', '.join(SHAPES)}, got {self.shape!r}.")
        if self.width % self.heads:
            raise BadArgument(f"width must be a multiple of heads, got {self.width} and {self.heads}.")


def pretrain(
    recipe: Recipe,
    prompts: Sequence[str],
    answers: Sequence[str],
    folder: str | Path,
    progress: Progress | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train a model on N prompts and their answers and save it in `folder`, which `models.loading.load` takes.

    Returns what a model card tells: parameters, seconds, the last losses, hashes of the texts. The folder is written
    when all is done. Raises BadArgument where there is nothing to learn from, or no such device.
    """
    import torch

    from .loading import check_device

    if not len(prompts) or len(prompts) != len(answers):
        raise BadArgument(f"pre-training needs as many answers as prompts, got {len(prompts)} and {len(answers)}.")
    check_device(device)
    started = time.perf_counter()
    tokenizer = make_tokenizer(recipe, [*prompts, *answers])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = make_model(recipe, tokenizer).to(device)
        losses = _train(recipe, model, tokenizer, prompts, answers, progress)
    facts = {
        "recipe": asdict(recipe),
        "parameters": sum(p.numel() for p in model.parameters()),
        "examples": len(prompts),
        "data_sha256": content_digest([list(prompts), list(answers)]),
        "seconds": round(time.perf_counter() - started, 1),
        "threads": torch.get_num_threads(),
        "device": device,
        "training_loss": round(float(np.mean(losses[-100:])), 4),
    }
    save((model.half() if recipe.half else model).cpu(), tokenizer, folder, facts)
    return facts


def make_tokenizer(recipe: Recipe, texts: Sequence[str]) -> Any:
    """A byte-level BPE of the texts with the special tokens that the shape needs."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = [PAD, END, UNKNOWN, MASK, ANSWER, START]
    core = tokenizers.Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    form = {"t5": f"$A {END}", "gpt2": f"{START} $A {ANSWER}", "bert": f"{START} $A {END}"}[recipe.shape]
    marks = [(mark, core.token_to_id(mark)) for mark in (START, END, ANSWER) if mark in form]
    core.post_processor = processors.TemplateProcessing(single=form, special_tokens=marks)
    names = {"pad_token": PAD, "eos_token": END, "unk_token": UNKNOWN, "mask_token": MASK}
    names |= {"sep_token": END, "cls_token": START} if recipe.shape == "bert" else {}
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=512, **names)


def make_model(recipe: Recipe, tokenizer: Any) -> Any:
    """A model of the recipe's shape with fresh weights."""
    import transformers

    marks = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    if recipe.shape == "t5":
        config = transformers.T5Config(
            vocab_size=len(tokenizer), d_model=recipe.width, d_kv=recipe.width // recipe.heads, d_ff=recipe.inner,
            num_layers=recipe.layers, num_decoder_layers=recipe.layers, num_heads=recipe.heads,
            dropout_rate=recipe.dropout, feed_forward_proj="relu",
            relative_attention_num_buckets=32, relative_attention_max_distance=128,
            **{"tie_word_embeddings": False},  # the outputs are not scaled down; the weights are tied all the same
            **marks,
        )  # fmt: skip
        config.decoder_start_token_id = tokenizer.pad_token_id
        model = transformers.T5ForConditionalGeneration(config)
        model.shared.weight.data *= SMALL
        return model
    if recipe.shape == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=len(tokenizer), n_embd=recipe.width, n_layer=recipe.layers, n_head=recipe.heads,
            n_inner=recipe.inner, n_positions=512, resid_pdrop=recipe.dropout, embd_pdrop=recipe.dropout,
            attn_pdrop=recipe.dropout, bos_token_id=tokenizer.convert_tokens_to_ids(START), **marks,
        )  # fmt: skip
        return transformers.GPT2LMHeadModel(config)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=recipe.width, num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads, intermediate_size=recipe.inner, max_position_embeddings=512,
        hidden_dropout_prob=recipe.dropout, attention_probs_dropout_prob=recipe.dropout, **marks,
    )  # fmt: skip
    return transformers.BertForMaskedLM(config)


def _train(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    answers: Sequence[str],
    progress: Progress | None,
) -> list[float]:
    """Adam with a linear warm-up and a cosine to nothing; the loss of every batch."""
    import torch

    data = _Data(recipe, tokenizer, prompts, answers)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.01)
    losses: list[float] = []
    model.train()
    batches = data.batches()
    for update in range(recipe.updates):
        share = min((update + 1) / recipe.warmup, 1.0) if update < recipe.warmup else _cosine(recipe, update)
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * share
        inputs, labels = next(batches)
        inputs = {name: part.to(model.device) if torch.is_tensor(part) else part for name, part in inputs.items()}
        labels = labels.to(model.device)
        asked = labels != -100
        logits = _logits(model, inputs, asked)
        loss = torch.nn.functional.cross_entropy(logits, labels[asked], label_smoothing=recipe.smoothing)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if progress:
            progress(update + 1, recipe.updates, float(np.mean(losses[-50:])))
    model.eval()
    return losses


def _logits(model: Any, inputs: dict[str, Any], asked: Any) -> Any:
    """The logits of the positions asked for alone, (P, V): the others' would take much of the time of a small model."""
    if model.base_model is model:  # a T5: all that its decoder writes is asked for
        return model(**inputs).logits[asked]
    states = model.base_model(**inputs).last_hidden_state[asked]
    return model.cls(states) if hasattr(model, "cls") else model.lm_head(states)


def _cosine(recipe: Recipe, update: int) -> float:
    done = (update - recipe.warmup) / max(1, recipe.updates - recipe.warmup)
    return 0.5 * (1 + math.cos(math.pi * done))


class _Data:
    """Batches of texts of similar length, of about `recipe.batch` tokens, drawn by the recipe's seed."""

    def __init__(self, recipe: Recipe, tokenizer: Any, prompts: Sequence[str], answers: Sequence[str]) -> None:
        self.recipe, self.generator = recipe, np.random.default_rng(recipe.seed)
        self.pad, self.end = tokenizer.pad_token_id, tokenizer.eos_token_id
        self.mask, self.size = tokenizer.mask_token_id, len(tokenizer)
        longest = recipe.longest

        def ids(texts: Sequence[str], special: bool) -> list[list[int]]:
            return tokenizer(list(texts), add_special_tokens=special, truncation=True, max_length=longest)["input_ids"]

        if recipe.shape == "bert":
            joined = [f"{prompt} {answer}".strip() for prompt, answer in zip(prompts, answers, strict=True)]
            self.prompts, self.answers = ids(joined, True), [[] for _ in joined]
        else:
            self.prompts = ids(prompts, True)
            self.answers = [[*tokens, self.end] for tokens in ids(answers, False)]
        self.lengths = np.array([(len(p), len(a)) for p, a in zip(self.prompts, self.answers, strict=True)])

    def batches(self) -> Iterator[tuple[dict[str, Any], Any]]:
        """Without end: the model's inputs and the labels, -100 where nothing is learned."""
        while True:
            for rows in self._epoch():
                yield getattr(self, f"_{self.recipe.shape}")(rows)

    def _epoch(self) -> list[np.ndarray]:
        noise = self.generator.random((len(self.lengths), 2)) * 2  # so that neighbours differ from epoch to epoch
        order = np.lexsort((self.lengths + noise).T)
        batches, start, widest = [], 0, 0
        for at, row in enumerate(order):
            widest = max(widest, int(self.lengths[row].sum()))
            if (at + 1 - start) * widest >= self.recipe.batch or at + 1 == len(order):
                batches.append(order[start : at + 1])
                start, widest = at + 1, 0
        self.generator.shuffle(batches)
        return batches

    def _padded(self, rows: Sequence[list[int]], value: int) -> Any:
        import torch

        width = max(map(len, rows))
        return torch.tensor([row + [value] * (width - len(row)) for row in rows])

    def _t5(self, rows: np.ndarray) -> tuple[dict[str, Any], Any]:
        source = self._padded([self.prompts[i] for i in rows], self.pad)
        labels = self._padded([self.answers[i] for i in rows], -100)
        before = self._padded([[self.pad, *self.answers[i][:-1]] for i in rows], self.pad)
        inputs = {"input_ids": source, "attention_mask": (source != self.pad).long(), "decoder_input_ids": before}
        return {**inputs, "use_cache": False}, labels

    def _gpt2(self, rows: np.ndarray) -> tuple[dict[str, Any], Any]:
        whole = self._padded([self.prompts[i] + self.answers[i] for i in rows], self.pad)
        labels = whole.roll(-1, 1)
        for n, i in enumerate(rows):
            labels[n, len(self.prompts[i]) + len(self.answers[i]) - 1 :] = -100
        mask = (whole != self.pad).long()
        return {"input_ids": whole, "attention_mask": mask, "use_cache": False}, labels

    def _bert(self, rows: np.ndarray) -> tuple[dict[str, Any], Any]:
        """Of the masked tokens four of five become the mask, one of ten another token, one of ten stays."""
        import torch

        whole = self._padded([self.prompts[i] for i in rows], self.pad)
        chance = torch.from_numpy(self.generator.random((2, *whole.shape)))
        inner = (whole != self.pad) & (torch.arange(whole.shape[1]) > 0)
        chosen = inner & (chance[0] < self.recipe.masked)
        labels = torch.where(chosen, whole, -100)
        other = torch.from_numpy(self.generator.integers(6, self.size, whole.shape))
        seen = torch.where(chosen & (chance[1] < 0.8), self.mask, whole)
        seen = torch.where(chosen & (chance[1] >= 0.9), other, seen)
        return {"input_ids": seen, "attention_mask": (whole != self.pad).long()}, labels


def masked_accuracy(recipe: Recipe, folder: str | Path, texts: Sequence[str]) -> float:
    """The share of masked tokens of some texts, in [0, 1], that a saved BERT fills in rightly."""
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForMaskedLM.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype="float32")
    data = _Data(replace(recipe, masked=MASKED), tokenizer, texts, [""] * len(texts))
    right = asked = 0
    with torch.inference_mode():
        for rows in data._epoch():
            inputs, labels = data._bert(rows)
            chosen = labels != -100
            right += int((model.eval()(**inputs).logits.argmax(-1) == labels)[chosen].sum())
            asked += int(chosen.sum())
    return right / max(1, asked)


def write_card(folder: str | Path, facts: dict[str, Any]) -> None:
    """Write README.md, the model card, and the facts beside the weights."""
    recipe, target = facts["recipe"], Path(folder).expanduser()
    scores = "\n".join(
        f"| {task} | {name} | {value:.4f} |" for task, found in facts["scores"].items() for name, value in found.items()
    )
    spoken = f", {facts['spoken']:.0%} of the translations in the spoken register" if "spoken" in facts else ""
    size = sum(file.stat().st_size for file in target.iterdir() if file.suffix in (".safetensors", ".json")) / 1e6
    tasks, threads = ", ".join(facts["tasks"]), facts["threads"]
    where = f"{threads} thread{'s' if threads > 1 else ''}" if facts["device"] == "cpu" else facts["device"]
    card = f"""# {recipe["shape"]}, {facts["parameters"] / 1e6:.2f} million parameters, {size:.1f} MB

Trained from nothing by `nlp-gym pretrain` on the training splits of {tasks}{spoken}.
An ordinary transformers checkpoint with its own byte-level BPE tokenizer.

| fact | |
|---|---|
| examples | {facts["examples"]:,}, SHA-256 {facts["data_sha256"]} |
| time | {facts["seconds"]:.0f} seconds on {where} |
| last training loss | {facts["training_loss"]}, with label smoothing {recipe["smoothing"]} |

| task | validation | score |
|---|---|---|
{scores}

Recipe: {", ".join(f"{name} {value}" for name, value in recipe.items())}. Made by this package from its own texts;
its licence is the package's.
"""
    (target / "README.md").write_text(card, encoding="utf-8")
    (target / "pretraining.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def save(model: Any, tokenizer: Any, folder: str | Path, facts: dict[str, Any]) -> None:
    """Write an ordinary checkpoint, and `pretraining.json` with the facts; into place when it is whole."""
    import shutil
    import tempfile

    target = Path(folder).expanduser()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        with without_bars():
            model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        (part / "pretraining.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        part.chmod(0o755)
        for file in part.iterdir():
            file.chmod(0o644)  # safetensors writes for its owner alone
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
