"""Several copies of a small model, each with weights of its own, as one: batches of one shape pass through together.

A small model's pass is mostly the calling of its layers; a stack of copies calls each layer once. Attention is written
out and told what to add to its scores, so that nothing in a pass hangs on what the numbers are; of each copy comes out
the same bit for bit, whatever the others are. Imported only where a model is changed.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.func import vmap

from .objectives import Batch, as_numpy, attention_bias

LARGEST = 400_000  # parameters of a model that is worth stacking: larger ones keep the cores busy by themselves
TOGETHER = 16  # copies at most
CLOSE = 1e-3  # what a copy may differ from the model by, as a share, or the model cannot be stacked
ATTENTION = "_attn_implementation"
Judged = tuple[list[np.ndarray], list[torch.Tensor]]


class Stack:
    """Copies of a `Tunable`'s model."""

    def __init__(self, tunable: Any) -> None:
        self.tunable = tunable
        names: dict[int, str] = {id(p): name for name, p in tunable.module.named_parameters()}
        homes: dict[str, list[Any]] = {name: [] for name in tunable.names}  # a tied one has several
        for module in tunable.module.modules():
            for own, parameter in vars(module)["_parameters"].items():
                if parameter is not None and names[id(parameter)] in homes:
                    homes[names[id(parameter)]].append((module, own))
        self.homes = list(homes.values())

    def judge(self, batches: Sequence[Batch], deltas: Sequence[torch.Tensor], backward: bool) -> Judged:
        """The losses (n,) of each of B batches, with its delta added, and with `backward` their means' gradients (D,).

        The batches must have one shape.
        """
        losses: list[np.ndarray] = []
        gradients: list[torch.Tensor] = []
        for begin in range(0, len(batches), TOGETHER):
            some = slice(begin, begin + TOGETHER)
            found, slopes = self._judge(batches[some], deltas[some], backward)
            losses.extend(as_numpy(found))
            gradients.extend(slopes)
        return losses, gradients

    def _judge(self, batches: Sequence[Batch], deltas: Sequence[torch.Tensor], backward: bool) -> tuple[Any, Any]:
        tunable = self.tunable
        weights = tunable.base + torch.stack(list(deltas))  # (B, D)
        pieces = zip(tunable.bounds, tunable.shapes, strict=True)
        leaves = [weights[:, begin:end].view(-1, *shape).requires_grad_(backward) for (begin, end), shape in pieces]
        read = {name: torch.stack([getattr(batch, name) for batch in batches]) for name in ("ids", "mask", "labels")}
        if batches[0].before is not None:
            read["before"] = torch.stack([batch.before for batch in batches])  # pyright: ignore[reportArgumentType, reportCallIssue]
        read["bias"] = attention_bias(read["mask"], tunable.module.causal, weights.dtype)
        kept, shape = _stacked([tunable.kept(batch) for batch in batches])

        def one(leaves: list[torch.Tensor], read: dict[str, torch.Tensor], kept: list[torch.Tensor]) -> torch.Tensor:
            with self._with(leaves), tunable.giving(_rebuilt(shape, iter(kept))):
                return tunable.module.losses(Batch(**read))  # pyright: ignore[reportArgumentType]

        with tunable.lock, torch.set_grad_enabled(backward):
            losses = vmap(one)(leaves, read, kept)
            if not backward:
                return losses, []
            found = torch.autograd.grad(losses.mean(1).sum(), leaves, allow_unused=True)
        flat = [(torch.zeros_like(leaf) if g is None else g).reshape(len(batches), -1)
                for g, leaf in zip(found, leaves, strict=True)]  # fmt: skip
        return losses, torch.cat(flat, 1).unbind()

    @contextlib.contextmanager
    def _with(self, leaves: Sequence[torch.Tensor]) -> Iterator[None]:
        """Other tensors in the place of the parameters that may change, in the context."""
        before = [[vars(module)["_parameters"][own] for module, own in homes] for homes in self.homes]
        try:
            for homes, leaf in zip(self.homes, leaves, strict=True):
                for module, own in homes:
                    vars(module)["_parameters"][own] = leaf
            yield
        finally:
            for homes, parameters in zip(self.homes, before, strict=True):
                for (module, own), parameter in zip(homes, parameters, strict=True):
                    vars(module)["_parameters"][own] = parameter


def stack_of(tunable: Any, batch: Batch) -> Stack | None:
    """A stack of a model's copies; None where it is large, or does not come through a trial with a batch as it is."""
    if tunable.head_only or tunable.size > LARGEST:
        return None
    made, still = Stack(tunable), torch.zeros_like(tunable.base)
    mask = batch.mask.clone()
    mask[0, mask.shape[1] // 2 :] = 0  # at least one text is shorter than the others
    batch = replace(batch, mask=mask, stored={})
    losses, gradient = tunable.losses_and_gradient(batch, still)
    with _writing_out_attention(tunable.module) as keep:
        try:
            found, slopes = made.judge([replace(batch, stored={})] * 2, [still] * 2, True)
        except Exception:  # whatever a model does that a stack cannot do, it goes on by itself
            return None
        losses_alike = np.allclose(found[1], losses, rtol=CLOSE, atol=CLOSE)
        if not (losses_alike and torch.allclose(slopes[1], gradient, atol=CLOSE * float(gradient.abs().max()))):
            return None
        keep()
    return made


@contextlib.contextmanager
def _writing_out_attention(module: torch.nn.Module) -> Iterator[Any]:
    """Attention that is written out, in the context; behind it too once what it gives was called."""
    configs = {id(c): c for part in module.modules() if hasattr(c := getattr(part, "config", None), ATTENTION)}
    before, kept = {key: getattr(config, ATTENTION) for key, config in configs.items()}, []
    for config in configs.values():
        setattr(config, ATTENTION, "eager")
    try:
        yield lambda: kept.append(True)
    finally:
        if not kept:
            for key, config in configs.items():
                setattr(config, ATTENTION, before[key])


def _stacked(parts: Sequence[Any]) -> tuple[list[torch.Tensor], Any]:
    """Of things of one shape, made of lists, tuples and tensors, the tensors with a first axis over them all; and one
    thing in which `...` stands for each tensor."""
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return [torch.stack(list(parts))], ...
    if not isinstance(first, list | tuple):
        return [], first
    found = [_stacked(own) for own in zip(*parts, strict=True)]
    return [tensor for tensors, _ in found for tensor in tensors], type(first)([shape for _, shape in found])


def _rebuilt(shape: Any, tensors: Iterator[torch.Tensor]) -> Any:
    """A thing again, with one of `tensors` for each `...` in its shape."""
    if shape is ...:
        return next(tensors)
    return type(shape)([_rebuilt(part, tensors) for part in shape]) if isinstance(shape, list | tuple) else shape
