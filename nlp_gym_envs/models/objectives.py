"""A transformers model with a loss on top, text by text: naming labels, or writing answers.

Imported only where a model is changed: it needs torch at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn import functional

NOTHING = -100  # a label where nothing is learned


@dataclass
class Batch:
    """n texts as tensors, padded; `stored` holds what parts of a model that never change have made of them."""

    ids: torch.Tensor  # (n, T) int64
    mask: torch.Tensor  # (n, T) int64: 1 where there is a token
    labels: torch.Tensor  # (n,) a label, or (n, U) the token that comes next, NOTHING where none is asked for
    before: torch.Tensor | None = None  # (n, U) what an encoder-decoder's decoder reads
    bias: torch.Tensor | None = None  # (n, 1, 1 or T, T) what is added to attention's scores; None: as the mask says
    stored: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def attended(self) -> torch.Tensor:
        """What a model is told to attend to."""
        return self.mask if self.bias is None else self.bias


def attention_bias(mask: torch.Tensor, causal: bool, dtype: torch.dtype) -> torch.Tensor:
    """(..., 1, 1 or T, T): 0 where a token of `mask` (..., T) may be attended to, the least number elsewhere."""
    seen = mask.bool()[..., None, None, :]
    if causal:
        width = mask.shape[-1]
        seen = seen & torch.ones(width, width, dtype=torch.bool, device=mask.device).tril()
    return torch.zeros((), dtype=dtype, device=mask.device).masked_fill(~seen, torch.finfo(dtype).min)


def padded(rows: Sequence[Sequence[int]], value: int, device: Any = "cpu", width: int = 1) -> torch.Tensor:
    """(n, longest, or `width` where that is more) int64."""
    width = max(width, *map(len, rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows], device=device)


class Classifier(torch.nn.Module):
    """Names labels: a linear head on the mean of a trunk's last hidden states; `causal` where it reads forwards."""

    def __init__(self, trunk: Any, width: int, classes: int, causal: bool = False) -> None:
        super().__init__()
        self.trunk, self.head, self.causal = trunk, torch.nn.Linear(width, classes), causal
        self.output = "head.weight"  # the parameter that makes scores of the last states

    def pooled(self, batch: Batch) -> torch.Tensor:
        """(n, d): the mean of the last hidden states of each text."""
        states = self.trunk(input_ids=batch.ids, attention_mask=batch.attended).last_hidden_state
        weights = batch.mask[:, :, None].to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1).clamp(min=1)

    def logits(self, batch: Batch) -> torch.Tensor:
        """(n, K)."""
        return self.head(self.pooled(batch))

    def losses(self, batch: Batch) -> torch.Tensor:
        """The cross-entropy of each text's label, (n,)."""
        return functional.cross_entropy(self.logits(batch), batch.labels, reduction="none")


class Writer(torch.nn.Module):
    """Writes answers: teacher forcing, the mean cross-entropy of an answer's tokens."""

    def __init__(self, model: Any, encodes: bool) -> None:
        super().__init__()
        self.model, self.encodes = model, encodes
        last = model.get_output_embeddings().weight  # tied to the input's, it has that name
        self.output = next(name for name, parameter in self.named_parameters() if parameter is last)

    @property
    def causal(self) -> bool:
        """Whether the prompt is read left to right."""
        return not self.encodes

    def logits(self, batch: Batch) -> torch.Tensor:
        """(n, U, V)."""
        more = {"decoder_input_ids": batch.before} if self.encodes else {}
        return self.model(input_ids=batch.ids, attention_mask=batch.attended, use_cache=False, **more).logits

    def losses(self, batch: Batch) -> torch.Tensor:
        """The mean cross-entropy of each answer's tokens, (n,)."""
        asked = batch.labels != NOTHING
        logits, wanted = self.logits(batch).flatten(0, 1), batch.labels.flatten()
        each = functional.cross_entropy(logits, wanted, reduction="none").view(batch.labels.shape)
        return each.sum(1) / asked.sum(1).clamp(min=1)

    def write(self, prompts: Sequence[Sequence[int]], pad: int, end: int, longest: int) -> list[list[int]]:
        """The greedy answer to each prompt, ids without END."""
        made, width = [], max(map(len, prompts))
        left = not self.encodes  # a decoder goes on from where its prompt ends: padding comes first
        blanks = [width - len(prompt) for prompt in prompts]
        rows = [_beside(list(prompt), [pad] * n, left) for prompt, n in zip(prompts, blanks, strict=True)]
        real = [_beside([1] * len(prompt), [0] * n, left) for prompt, n in zip(prompts, blanks, strict=True)]
        device = next(self.parameters()).device
        with torch.no_grad():
            found = self.model.generate(
                input_ids=torch.tensor(rows, device=device), attention_mask=torch.tensor(real, device=device),
                do_sample=False, num_beams=1, max_new_tokens=longest, pad_token_id=pad, eos_token_id=end,
            )  # fmt: skip
        for row in found[:, 1 if self.encodes else width :].tolist():
            made.append(row[: row.index(end)] if end in row else [token for token in row if token != pad])
        return made


def _beside(row: list[int], blanks: list[int], left: bool) -> list[int]:
    return blanks + row if left else row + blanks


def as_numpy(tensor: torch.Tensor) -> np.ndarray:
    """Float64, on the host."""
    return tensor.detach().to("cpu", torch.float64).numpy()
