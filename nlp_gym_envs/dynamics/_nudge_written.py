"""Candidates that a frozen language model writes: greedily, by chance, cut short, driven on, empty, and copied."""

import functools
from typing import Any

import numpy as np

from ..answers import FreeText
from ..errors import BadArgument
from ..models.language_model import LanguageModel
from ..task import OpenTask
from ..text import cache
from ..text.examples import Examples, content_digest
from ._nudge_candidates import Candidates, Table
from ._prompts import prompts

TEXTS = 300  # examples of a split that batches are drawn from
SAMPLES = (0.4, 0.6, 0.8, 1.0)  # the temperatures of what is written by chance
GREEDY, HALF, MOST, ON, EMPTY, COPY = range(len(SAMPLES), len(SAMPLES) + 6)
COUNT = len(SAMPLES) + 6
LONGEST = 48  # tokens of an answer, END among them
LONGEST_PROMPT = 128
WRITTEN = (*range(len(SAMPLES)), ON, COPY)  # what is written token by token; the others follow from ON
TOGETHER = 25  # texts that are written side by side
FORMAT = 2  # of the cached arrays; raise it when the same key would mean other numbers
SCALE = (
    6,
    12,
    24,
)  # what a weight of 1 makes of words / the prompt's words, of repeated pairs, of copied words, in log p
GROUPS = 3  # short, middling and long texts


class Written(Candidates):
    """What the model wrote; worth more or less by its length, its repetitions and the words of the prompt in it."""

    form = FreeText
    words = ("length", "repetition", "copying")
    hidden = (1.5, 1.5, 1.5)

    def __init__(self, task: OpenTask, model: str | None) -> None:
        from ..models.loading import load

        loaded = load(model or "t5")
        if loaded.family == "encoder":
            raise BadArgument(f"the model {model!r} is an encoder and cannot write; take a decoder or encoder-decoder.")
        super().__init__(task, table(task, loaded))
        self.model = loaded


@functools.lru_cache(maxsize=8)
def _answers(examples: Examples, model: LanguageModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which examples (M,), the candidate answers (M, C) object, their log p and length in tokens (M, C, 2)."""
    chosen = np.arange(len(examples))[:: -(-len(examples) // TEXTS)]
    key = {
        "what": "answers that a model writes",
        "format": FORMAT,
        "model": model.digest,
        "prompts": examples.text_digest,
    }
    key |= {"samples": SAMPLES, "texts": TEXTS, "longest": LONGEST}
    ids = cache.array(key, lambda: _write(examples, chosen, model))  # (M, C, LONGEST + 1)
    log_p, tokens = ids[..., -1], ids[..., :-1].astype(np.int64)
    count = (tokens >= 0).sum(2)
    texts = np.empty(tokens.shape[:2], object)
    for at in np.ndindex(*texts.shape):
        texts[at] = model.text([token for token in tokens[at][: count[at]].tolist() if token != model.end])
    texts[:, COPY] = examples["text"][chosen]
    return chosen, texts, np.stack((log_p, count), axis=2)


def table(task: OpenTask, model: LanguageModel) -> Table:
    """The candidates of a split."""
    chosen, texts, known = _answers(task.examples, model)
    said = [[answer.split() for answer in row] for row in texts]
    asked = [set(text.split()) for text in task.examples["text"][chosen]]
    source = np.array([max(1, len(text.split())) for text in task.examples["text"][chosen]])
    features = np.zeros((*texts.shape, 3))
    features[..., 0] = SCALE[0] * np.minimum([[len(words) for words in row] for row in said] / source[:, None], 3)
    features[..., 1] = [[SCALE[1] * _repeated(words) for words in row] for row in said]
    features[..., 2] = [[SCALE[2] * _shared(words, of) for words in row] for row, of in zip(said, asked, strict=True)]
    group = np.argsort(np.argsort(source, kind="stable"), kind="stable") * GROUPS // len(source)
    return Table(task, chosen, texts, known[..., 0], features, group)


def _repeated(words: list[str]) -> float:
    """The share of word pairs that came before."""
    pairs = list(zip(words, words[1:], strict=False))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0


def _shared(words: list[str], asked: set[str]) -> float:
    """The share of words that are the prompt's."""
    return sum(word in asked for word in words) / len(words) if words else 0.0


# -------------------------------------------------------------------- writing


def _write(examples: Examples, chosen: np.ndarray, model: LanguageModel) -> np.ndarray:
    """(M, C, LONGEST + 1) float32: the tokens of each candidate, END included, -1 behind them; last its log p."""
    asked = prompts(examples, model, "{text}", LONGEST_PROMPT)
    found = np.full((len(chosen), COUNT, LONGEST + 1), -1, np.float32)
    for at in range(0, len(chosen), TOGETHER):
        part = asked.of(chosen[at : at + TOGETHER])
        digest = content_digest([[str(ids) for ids in part]])
        found[at : at + len(part)] = _written(part, model, np.random.default_rng(int(digest[:8], 16)))
    return found


def _written(asked: list[list[int]], model: LanguageModel, chance: np.random.Generator) -> np.ndarray:
    """(m, C, LONGEST + 1) of the prompts of m texts.

    What is greedy, cut short or empty goes the way of what is driven on, as far as it goes: it is not written again.
    """
    from torch import log_softmax

    from ..models.decoding import Decoding

    rows = len(asked) * len(WRITTEN)
    kind, text = np.tile(WRITTEN, len(asked)), np.repeat(np.arange(len(asked)), len(WRITTEN))
    size = np.array([len(prompt) for prompt in asked])  # (m,) tokens of the prompt
    copied = [[token for token in prompt if token != model.end][: LONGEST - 1] for prompt in asked]
    heat = np.array([*SAMPLES, *[0.0] * (COUNT - len(SAMPLES))])[kind]
    stop = np.where(kind == COPY, np.array([len(ids) for ids in copied])[text], LONGEST)
    least = np.where(kind == ON, np.minimum(size * 3 // 2 + 4, LONGEST - 1)[text], 0)
    decoding = Decoding(model, rows, LONGEST_PROMPT, LONGEST)
    decoding.begin(np.arange(rows), [asked[t] for t in text])
    tokens, log_p = np.full((rows, LONGEST), -1), np.zeros((rows, LONGEST))
    end_p, ends = np.zeros((rows, LONGEST)), np.zeros((rows, LONGEST), bool)  # of END in each step; whether it is best
    going = np.arange(rows)
    for step in range(LONGEST):
        known = log_softmax(decoding.logits[going], -1).float().cpu().numpy()  # (b, V)
        next_token = _chosen(known, heat[going], model.end, step < least[going], chance)
        forced = np.array([copied[t][step] if k == COPY and step < len(copied[t]) else -1
                           for k, t in zip(kind[going], text[going], strict=True)])  # fmt: skip
        next_token = np.where(forced >= 0, forced, next_token)
        next_token = np.where((step >= stop[going]) | (step == LONGEST - 1), model.end, next_token)
        tokens[going, step] = next_token
        log_p[going, step] = known[np.arange(len(going)), next_token]
        end_p[going, step], ends[going, step] = known[:, model.end], known.argmax(1) == model.end
        left = next_token != model.end
        going = going[left]
        if not len(going):
            break
        decoding.push(going, next_token[left])
    found = np.full((len(asked), COUNT, LONGEST + 1), -1, np.float32)
    found[text, kind, :-1], found[text, kind, -1] = tokens, log_p.sum(1)
    for at, row in enumerate(np.flatnonzero(kind == ON).tolist()):
        own = int(np.flatnonzero(ends[row] | (tokens[row] == model.end))[0])  # where it would have ended by itself
        cuts = {GREEDY: LONGEST, HALF: size[at] // 2, MOST: size[at] * 3 // 4, EMPTY: 0}
        for cut, length in cuts.items():
            length = min(int(length), own, LONGEST - 1)
            found[at, cut, :length], found[at, cut, length] = tokens[row, :length], model.end
            found[at, cut, -1] = log_p[row, :length].sum() + end_p[row, length]
    return found


def _chosen(known: np.ndarray, heat: np.ndarray, end: int, driven: np.ndarray, chance: Any) -> np.ndarray:
    """The likeliest token of each row, or one by chance where `heat` is above 0; never END where `driven`."""
    drawn = np.flatnonzero(heat > 0)
    scores = known.copy()
    waits = np.maximum(chance.standard_exponential((len(drawn), known.shape[1]), np.float32), 1e-30)
    scores[drawn] -= heat[drawn, None].astype(np.float32) * np.log(waits)  # Gumbel's noise: a draw from the softmax
    scores[driven, end] = -np.inf
    return scores.argmax(1)
