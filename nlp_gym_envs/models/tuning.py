"""A model whose chosen parameters lie in one flat vector: candidates are added to it and taken off again, bit for bit.

Any number of episodes share one such model and hold only what they add to it. Imported only where a model is changed.
"""

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..errors import BadArgument
from ..text.examples import Shared
from .objectives import Batch, as_numpy

GROUPS = ("embeddings", "lower", "middle", "upper", "head")  # from the input to the output; the same for every model
BLOCK = re.compile(r"(?:^|\.)(?:layer|layers|h|block|blocks)\.(\d+)\.")
EMBEDDING = re.compile(r"embed|\bwte\b|\bwpe\b|\bshared\b")
HEAD = ("head.weight", "head.bias")  # of a Classifier
UNUSED = re.compile(r"(?:^|\.)pooler\.")  # a BERT's, which no loss here reads, and which is often not even stored
ATTENTION = re.compile(r"attn|attention|\bln_1\b", re.IGNORECASE)


class Tunable(Shared):
    """`module` has `losses(batch)`; what of it may change lies in `flat`, group after group, and is `base` at rest.

    `spans[group]` is where a group lies in the vector. Blocks of the model below everything that may change are
    computed once for each batch; so is all that a head reads where nothing but the head may change.
    """

    def __init__(self, module: torch.nn.Module, groups: Sequence[str] = GROUPS, only: str | None = None) -> None:
        self.module = module.eval().requires_grad_(False)
        group_of = groups_of(module)
        used = [(name, p) for name, p in module.named_parameters() if not UNUSED.search(name)]
        chosen = [(name, p) for name, p in used if group_of[name] in groups]
        chosen = [(name, p) for name, p in chosen if only is None or re.search(only, name, re.IGNORECASE)]
        if not chosen:
            raise BadArgument(
                f"the model has no parameters in {', '.join(groups)}{f' named {only!r}' if only else ''}."
            )
        chosen.sort(key=lambda pair: GROUPS.index(group_of[pair[0]]))
        self.names = [name for name, _ in chosen]
        self.shapes = [tuple(p.shape) for _, p in chosen]
        ends = np.cumsum([p.numel() for _, p in chosen]).tolist()
        self.bounds = list(zip([0, *ends[:-1]], ends, strict=True))
        self.size = ends[-1]
        device = chosen[0][1].device
        self.flat, self.gradient = torch.zeros(self.size, device=device), torch.zeros(self.size, device=device)
        for (_, parameter), (start, end) in zip(chosen, self.bounds, strict=True):
            place = self.flat[start:end].view(parameter.shape)
            place.copy_(parameter.data)
            parameter.data = place
            parameter.grad = self.gradient[start:end].view(parameter.shape)
            parameter.requires_grad_(True)
        self.base = self.flat.clone()
        self.output = group_of[module.output]  # pyright: ignore[reportArgumentType]  the group of its last layer
        self.spans = {group: _span(group, self.names, group_of, self.bounds) for group in GROUPS}
        self.lock = threading.RLock()  # held while the weights are not at rest
        self.at_rest, self.visiting = True, False
        self.head_only = tuple(self.names) == HEAD
        self.skipped = _blocks_below(module, self.names)
        self.known: dict[Any, Any] = {}  # what has been found out about it, by those who ask for it again
        self.key: dict[str, Any] = {}  # what it was made from: names it on disk

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, lock=threading.RLock())

    @contextlib.contextmanager
    def moved(self, delta: torch.Tensor | None) -> Iterator[None]:
        """The weights with `delta` (D,) added, in the context; behind it they are what they were, whatever came."""
        with self.visited():
            if delta is not None:
                self.at_rest = False
                torch.add(self.base, delta, out=self.flat)
            elif not self.at_rest:
                self._rest()
            yield

    @contextlib.contextmanager
    def visited(self) -> Iterator[None]:
        """One candidate after the other takes the weights, in the context; behind it they are what they were."""
        with self.lock:
            inner, self.visiting = self.visiting, True
            try:
                yield
            finally:
                self.visiting = inner
                if not inner and not self.at_rest:
                    self._rest()

    def _rest(self) -> None:
        self.flat.copy_(self.base)
        self.at_rest = True

    def losses(self, batch: Batch, delta: torch.Tensor | None = None) -> np.ndarray:
        """Each text's loss with `delta` added, (n,) float64: one forward."""
        with self.moved(delta), torch.no_grad(), self._skipping(batch):
            return as_numpy(self.module.losses(batch))  # pyright: ignore[reportCallIssue]

    def outputs(self, batch: Batch, delta: torch.Tensor | None = None) -> np.ndarray:
        """The model's logits with `delta` added: one forward."""
        with self.moved(delta), torch.no_grad(), self._skipping(batch):
            return as_numpy(self.module.logits(batch))  # pyright: ignore[reportCallIssue]

    def losses_and_gradient(self, batch: Batch, delta: torch.Tensor | None = None) -> tuple[np.ndarray, torch.Tensor]:
        """Each text's loss, (n,), and the gradient of their mean, (D,), valid until the next call: a pass each way."""
        with self.moved(delta), self._skipping(batch), torch.enable_grad():
            self.gradient.zero_()
            losses = self.module.losses(batch)  # pyright: ignore[reportCallIssue]
            losses.mean().backward()
            return as_numpy(losses), self.gradient

    def all_losses(self, batches: Sequence[Batch], deltas: Sequence[torch.Tensor]) -> np.ndarray:
        """`losses` of B batches of n texts, each with a delta of its own, (B, n)."""
        return np.stack(self._judge_all(batches, deltas, False)[0])

    def all_losses_and_gradients(
        self, batches: Sequence[Batch], deltas: Sequence[torch.Tensor]
    ) -> tuple[np.ndarray, list[torch.Tensor]]:
        """`losses_and_gradient` of B batches of n texts, each with a delta of its own: (B, n), and B times (D,).

        Of a small model copies are stacked (models/stacking.py), and batches of one shape judged together.
        """
        losses, gradients = self._judge_all(batches, deltas, True)
        return np.stack(losses), gradients

    def _judge_all(self, batches: Sequence[Batch], deltas: Sequence[torch.Tensor], backward: bool) -> Any:
        losses: list[Any] = [None] * len(batches)
        gradients: list[Any] = [None] * len(batches)
        for places in _alike(batches):
            own = [batches[i] for i in places], [deltas[i] for i in places]
            stack = self._stack(own[0][0])
            found, slopes = stack.judge(*own, backward) if stack else self._one_by_one(*own, backward)
            for place, loss in zip(places, found, strict=True):
                losses[place] = loss
            for place, slope in zip(places, slopes, strict=False):
                gradients[place] = slope
        return losses, gradients

    def _one_by_one(self, batches: Sequence[Batch], deltas: Sequence[torch.Tensor], backward: bool) -> Any:
        losses, gradients = [], []
        with self.visited():
            for batch, delta in zip(batches, deltas, strict=True):
                if backward:
                    found, gradient = self.losses_and_gradient(batch, delta)
                    gradients.append(gradient.clone())
                else:
                    found = self.losses(batch, delta)
                losses.append(found)
        return losses, gradients

    def _stack(self, batch: Batch) -> Any:
        """What judges several batches together; None where nothing can."""
        from .stacking import stack_of

        if "stack" not in self.known:
            self.known["stack"] = stack_of(self, batch)
        return self.known["stack"]

    def features(self, batch: Batch) -> torch.Tensor:
        """What the head reads of a batch, (n, d), computed once."""
        if "features" not in batch.stored:
            with torch.no_grad():
                batch.stored["features"] = self.module.pooled(batch)  # pyright: ignore[reportCallIssue]
        return batch.stored["features"]

    def heads(self, batches: Sequence[Batch], deltas: Sequence[torch.Tensor]) -> tuple[np.ndarray, torch.Tensor]:
        """What `losses_and_gradient` gives for B batches of n texts, each with a delta of its own: (B, n) and (B, D).

        All at once, by the formula of the cross-entropy's gradient. Only where nothing but the head may change.
        """
        features = torch.stack([self.features(batch) for batch in batches])  # (B, n, d)
        labels = torch.stack([batch.labels for batch in batches])  # (B, n)
        weights = self.base + torch.stack(list(deltas))
        classes = self.shapes[1][0]
        weight, bias = weights[:, :-classes].view(len(batches), *self.shapes[0]), weights[:, -classes:]
        logs = functional.log_softmax(features @ weight.mT + bias[:, None], 2)  # (B, n, K)
        losses = -logs.gather(2, labels[:, :, None])[:, :, 0]
        wrong = (logs.exp() - functional.one_hot(labels, classes)) / features.shape[1]
        return as_numpy(losses), torch.cat(((wrong.mT @ features).flatten(1), wrong.sum(1)), 1)

    @contextlib.contextmanager
    def _skipping(self, batch: Batch) -> Iterator[None]:
        """Blocks that never change give what they gave for this batch before."""
        if self.head_only:
            features = self.features(batch)
            self.module.pooled = lambda _: features  # pyright: ignore[reportArgumentType]
            try:
                yield
            finally:
                del self.module.pooled  # the class's own comes back
            return
        with self.giving(self.kept(batch)):
            yield

    def kept(self, batch: Batch) -> list[Any]:
        """What the blocks that never change give for a batch, stack by stack, computed once."""
        if self.skipped and 0 not in batch.stored:
            self._store(batch)
        return [batch.stored[number] for number in range(len(self.skipped))]

    @contextlib.contextmanager
    def giving(self, kept: Sequence[Any]) -> Iterator[None]:
        """Blocks that never change give what they gave before, in the context."""
        try:
            for (_, blocks), given in zip(self.skipped, kept, strict=True):
                for block in blocks:
                    block.forward = lambda *_, given=given, **__: given
            yield
        finally:
            for _, blocks in self.skipped:
                for block in blocks:
                    vars(block).pop("forward", None)  # the class's own comes back

    def _store(self, batch: Batch) -> None:
        def keep(number: int) -> Any:
            return lambda module, given, output: batch.stored.__setitem__(number, _detached(output))

        hooks = [last.register_forward_hook(keep(number)) for number, (last, _) in enumerate(self.skipped)]
        try:
            with torch.no_grad():
                self.module.losses(batch)  # pyright: ignore[reportCallIssue]
        finally:
            for hook in hooks:
                hook.remove()

    def scales(self) -> torch.Tensor:
        """(D,): the root mean square of the tensor that each parameter belongs to."""
        found = torch.empty_like(self.base)
        for start, end in self.bounds:
            found[start:end] = self.base[start:end].square().mean().sqrt().clamp(min=1e-3)
        return found

    def norms(self, vector: torch.Tensor) -> np.ndarray:
        """The Euclidean norm of each group's part of a vector (D,), (5,); 0 for a group that is not there."""
        return np.array([float(vector[a:b].norm()) if b > a else 0.0 for a, b in self.spans.values()])


def _alike(batches: Sequence[Batch]) -> list[list[int]]:
    """The places of batches that have one shape."""
    found: dict[Any, list[int]] = {}
    for place, batch in enumerate(batches):
        found.setdefault((batch.ids.shape, batch.labels.shape), []).append(place)
    return list(found.values())


def _detached(output: Any) -> Any:
    if isinstance(output, tuple):
        return tuple(_detached(part) for part in output)
    return output.detach() if isinstance(output, torch.Tensor) else output


def _span(group: str, names: list[str], group_of: dict[str, str], bounds: list[tuple[int, int]]) -> tuple[int, int]:
    """Where a group lies in the vector, whose parameters are sorted by group."""
    mine = [bound for name, bound in zip(names, bounds, strict=True) if group_of[name] == group]
    return (mine[0][0], mine[-1][1]) if mine else (0, 0)


def groups_of(module: torch.nn.Module) -> dict[str, str]:
    """The group of each parameter, by name: embeddings, a third of the blocks' halves each, and what follows them.

    A block's halves are its attention and its feed-forward part. A decoder's blocks come after its encoder's. An output
    layer that is tied to the embeddings belongs to them.
    """
    names = [name for name, _ in module.named_parameters()]
    units = {name: _unit(name) for name in names}
    order = {unit: place for place, unit in enumerate(sorted({unit for unit in units.values() if unit is not None}))}
    found = {}
    for name in names:
        unit = units[name]
        if unit is not None:
            found[name] = GROUPS[1 + min(2, 3 * order[unit] // max(1, len(order)))]
        else:
            found[name] = "embeddings" if EMBEDDING.search(name) else "head"
    return found


def _unit(name: str) -> tuple[bool, int, bool] | None:
    """Which half of which block a parameter is in: (of a decoder behind an encoder?, block, feed-forward?)."""
    block = BLOCK.search(name)
    if block is None:
        return None
    within = name[block.end() :]
    first = ATTENTION.search(within) is not None or re.match(r"layer\.0\.", within) is not None
    return ("decoder." in name[: block.start()], int(block[1]), not first)


def _blocks_below(module: torch.nn.Module, names: Sequence[str]) -> list[tuple[torch.nn.Module, list[torch.nn.Module]]]:
    """Of each stack its blocks below every parameter in `names`: the last of them, and all of them."""
    if any(BLOCK.search(name) is None and EMBEDDING.search(name) for name in names):
        return []
    stacks: dict[str, list[tuple[int, str]]] = {}
    for name, _ in module.named_modules():
        found = BLOCK.search(f"{name}.")
        if found and found.end() == len(name) + 1:
            stacks.setdefault(name[: found.start()], []).append((int(found[1]), name))
    below, changed = [], False
    for stack in sorted(stacks, key=lambda stack: "decoder" in stack):  # a decoder reads what its encoder gives
        blocks = []
        for _, name in sorted(stacks[stack]):
            changed = changed or any(other.startswith(f"{name}.") for other in names)
            if not changed:
                blocks.append(module.get_submodule(name))
        if blocks:
            below.append((blocks[-1], blocks))
    return below
