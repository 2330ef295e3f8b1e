"""Many continuations side by side under one frozen model, each kept as it grows: a step computes one token of a row."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import EncoderDecoderCache

from ..errors import BadArgument
from .language_model import BATCH, LanguageModel
from .slots import Slots, Sources
from .steering import PositionIds, steering_of

ALL = 0.6  # from this share of the rows on, all are computed where they lie; fewer are gathered first

Rows = np.ndarray | Sequence[int]


class Decoding:
    """`num_rows` continuations; each row begins and ends on its own.

    A row begins with a prompt of at most `longest_prompt` ids (an encoder-decoder reads it as its source) and takes
    `longest` tokens. Only rows that are named change: whatever else a forward computes is thrown away.

    `logits` (num_rows, V) float32 are those of each row's next token, `state` (num_rows, d) float32 is the last hidden
    state, as the output layer gets it. Both are tensors that calls write into, valid for rows that have begun.
    `forwards` and `positions` count what was spent: calls of encoder or decoder, and tokens computed in them, with
    padding and rows that were not asked for.

    An encoder-decoder's encoded prompts are kept, up to `remember` MB of them. In arguments a row appears once. The
    model must not change while this lives. Raises BadArgument for what does not fit.
    """

    def __init__(
        self,
        language_model: LanguageModel,
        num_rows: int,
        longest_prompt: int = 128,
        longest: int = 64,
        remember: float = 64,
    ) -> None:
        for name, number in (("num_rows", num_rows), ("longest_prompt", longest_prompt), ("longest", longest)):
            if number < 1:
                raise BadArgument(f"{name} must be at least 1, got {number}.")
        self.language_model, self.num_rows = language_model, num_rows
        self.longest_prompt, self.longest = longest_prompt, longest
        self._steering = steering_of(language_model)
        self._reads = language_model.family == "encoder-decoder"
        self.limit = longest + (1 if self._reads else longest_prompt)  # tokens that a row of the decoder holds
        self._steering.check(longest_prompt if self._reads else 0, self.limit)
        device = self._steering.device
        self.logits = torch.zeros(num_rows, language_model.vocabulary_size, device=device)
        self.state = torch.zeros(num_rows, language_model.width, device=device)
        self.forwards = self.positions = 0
        self._context = np.zeros(num_rows, np.int64)  # tokens held, prompt or start token among them
        self._prompt = np.zeros(num_rows, np.int64)  # how many of those are not pushed ones
        self._every = np.arange(num_rows)
        self._fed = np.zeros(num_rows, np.int64)  # the last token
        self._slots = Slots(self._steering.num_layers, num_rows, min(self.limit + 1, 64))
        self._sources = Sources(self._steering.num_layers, num_rows, 16)
        self._read = np.zeros(num_rows, np.int64)  # source tokens
        self._cache: Any = EncoderDecoderCache(self._slots, self._sources) if self._reads else self._slots
        self._source: tuple[Any, Any] | None = None  # what a step of all rows is given to read
        self._known = dict.fromkeys(range(self._steering.num_layers), True)  # layers whose source is in the cache
        self._encoded = Remembered(remember)

    @property
    def length(self) -> np.ndarray:
        """Tokens pushed to each row since it began, (num_rows,) int64."""
        return self._context - self._prompt

    def begin(self, rows: Rows, prompts: Sequence[Sequence[int]]) -> None:
        """Start rows anew, (b,), each with its prompt: at least one id. Other rows stay as they are."""
        chosen = self._check(rows, prompts)
        if not len(chosen):
            return
        index = self._tensor(chosen)
        self._context[chosen] = self._prompt[chosen] = 0  # not begun, should what follows be interrupted
        self._slots.clear(index)
        if self._reads:
            self._fed[chosen] = self.language_model.start or 0
            self._look(chosen, prompts, np.zeros_like(chosen))
            self._context[chosen] = self._prompt[chosen] = 1
            return
        lengths = np.array([len(prompt) for prompt in prompts])
        last = np.array([prompt[-1] for prompt in prompts])
        ids = np.repeat(last[:, None], lengths.max(), 1)  # padded with what is the row's own: a NaN stays in its row
        ids[np.arange(ids.shape[1]) < lengths[:, None]] = np.concatenate([np.asarray(prompt) for prompt in prompts])
        self._slots.reserve(ids.shape[1] + 1)
        self._slots.plan.rows, self._slots.plan.width = index, 0
        self._slots.filled[chosen] = ids.shape[1]
        assert isinstance(self._steering, PositionIds)
        with torch.inference_mode():
            self._put(chosen, *self._steering.prompt(self._tensor(ids), self._tensor(lengths), self._cache))
        self._context[chosen] = self._prompt[chosen] = lengths
        self._fed[chosen] = last
        self._count(ids.size)

    def push(self, rows: Rows, tokens: Rows) -> None:
        """Append one token to each of some rows, (b,) and (b,): one forward for all of them."""
        chosen, tokens = np.asarray(rows, np.int64), np.asarray(tokens, np.int64)
        if not len(chosen):
            return
        context = self._context[chosen]
        if context.min() == 0:
            raise BadArgument(f"rows {chosen[context == 0].tolist()} have not begun: give them prompts first.")
        if context.max() >= self.limit or (context - self._prompt[chosen]).max() >= self.longest:
            full = chosen[(context - self._prompt[chosen]) >= self.longest]
            raise BadArgument(f"rows {full.tolist()} hold longest={self.longest} tokens already: begin them anew.")
        if tokens.min() < 0 or tokens.max() >= self.language_model.vocabulary_size:
            raise BadArgument(f"tokens are 0 to {self.language_model.vocabulary_size - 1}, got {tokens.tolist()}.")
        fed = self._fed.copy()
        fed[chosen] = tokens
        if len(chosen) > ALL * self.num_rows:
            self._step(chosen, fed, self._context, True)
        else:
            self._step(chosen, tokens, context, False)
        self._fed = fed
        self._context[chosen] += 1

    def reread(self, rows: Rows, prompts: Sequence[Sequence[int]]) -> None:
        """Exchange the source that some rows read, (b,). Only the last token is computed again under it.

        What was written before stays as it was computed, under the sources of its time, as in simultaneous translation
        with a kept cache (Elbayad et al. 2020, "Efficient Wait-k Models"). Raises BadArgument for a decoder.
        """
        if not self._reads:
            raise BadArgument(f"the model {self.language_model.name!r} has no encoder: it cannot read another source.")
        chosen = self._check(rows, prompts)
        if len(chosen) and self._context[chosen].min() == 0:
            raise BadArgument("a row must begin before it can read another source.")
        if len(chosen):
            context = self._context[chosen]
            self._context[chosen] = 0
            self._look(chosen, prompts, context - 1)
            self._context[chosen] = context

    def take(self, rows: Rows, other: "Decoding", sources: Rows) -> None:
        """Rows, (b,), become copies of `sources`, (b,), of another decoding of the same model, or of this one."""
        chosen, theirs = np.asarray(rows, np.int64), np.asarray(sources, np.int64)
        if other.language_model is not self.language_model:
            raise BadArgument("rows can be taken only from a decoding of the same model.")
        if len(chosen) != len(theirs):
            raise BadArgument(f"{len(chosen)} rows cannot be copies of {len(theirs)} sources.")
        if not len(chosen):
            return
        context, read = other._context[theirs], other._read[theirs]
        pushed = context - other._prompt[theirs]
        if context.max() > self.limit or pushed.max() > self.longest or read.max() > self.longest_prompt:
            raise BadArgument("the rows to be taken are longer than longest_prompt and longest here.")
        target, origin = self._tensor(chosen), self._tensor(theirs)
        with torch.inference_mode():
            self._slots.copy(target, other._slots, origin, int(context.max()))
            if self._reads:
                self._sources.copy(target, other._sources, origin, int(read.max()))
            self.logits[target], self.state[target] = other.logits[origin], other.state[origin]
        self._prompt[chosen], self._fed[chosen] = other._prompt[theirs], other._fed[theirs]
        self._context[chosen], self._read[chosen] = context, read
        self._source = None

    def _check(self, rows: Rows, prompts: Sequence[Sequence[int]]) -> np.ndarray:
        chosen = np.asarray(rows, np.int64)
        if len(chosen) != len(prompts):
            raise BadArgument(f"{len(chosen)} rows cannot have {len(prompts)} prompts.")
        known = self.language_model.model.get_input_embeddings().num_embeddings
        for prompt in prompts:
            if not 0 < len(prompt) <= self.longest_prompt:
                raise BadArgument(
                    f"a prompt has 1 to longest_prompt={self.longest_prompt} ids, not {len(prompt)}. "
                    "LanguageModel.encode(texts, longest_prompt) cuts and never gives none."
                )
            if min(prompt) < 0 or max(prompt) >= known:
                raise BadArgument(f"ids of prompts are 0 to {known - 1}, got {list(prompt)}.")
        return chosen

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._steering.device)

    def _look(self, rows: np.ndarray, prompts: Sequence[Sequence[int]], columns: np.ndarray) -> None:
        """Give rows a source, and compute their last token, at `columns`, under it."""
        with torch.inference_mode():
            states = self._encode([tuple(prompt) for prompt in prompts])
        index, lengths = self._tensor(rows), np.array([len(state) for state in states])
        self._sources.clear(index)
        width = int(lengths.max())
        self._sources.reserve(width)
        self._sources.plan.rows, self._sources.plan.width = index, 0
        self._sources.filled[rows], self._read[rows] = width, lengths
        self._source = None
        fresh = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)  # (b, S, d)
        mask = self._steering.mask(self._tensor(lengths - 1), width)
        self._step(rows, self._fed[rows], columns, False, (fresh, mask))

    def _encode(self, prompts: list[tuple[int, ...]]) -> list[torch.Tensor]:
        """The encoder's states of each prompt, (S, d): each different one is computed once."""
        found = {prompt: self._encoded.get(prompt) for prompt in prompts}
        new = sorted((prompt for prompt, states in found.items() if states is None), key=len)
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            states, _ = self.language_model.read(batch)
            self._count(states.shape[0] * states.shape[1])
            for prompt, row in zip(batch, states, strict=True):
                found[prompt] = self._encoded.put(prompt, row[: len(prompt)].clone())
        return [states for prompt in prompts if (states := found[prompt]) is not None]

    def _step(self, rows: np.ndarray, ids: np.ndarray, columns: np.ndarray, whole: bool, fresh: Any = None) -> None:
        """One token of some rows at their columns; where `whole`, ids and columns are those of all rows."""
        if whole:  # rows that are full write into the spare column behind
            width, index, at = int(columns[rows].max()) + 1, None, self._every
            self._slots.filled = np.maximum(self._slots.filled, columns + 1)
        else:
            width, index, at = int(columns.max()) + 1, self._tensor(rows), rows
            self._slots.filled[rows] = np.maximum(self._slots.filled[rows], columns + 1)
        self._slots.reserve(int(columns.max()) + 1)
        plan = self._slots.plan
        plan.rows, plan.width, plan.places = index, width, self._tensor(at * self._slots.room + columns)
        if self._reads:
            self._cache.is_updated = self._known if fresh is None else {}
        with torch.inference_mode():
            source = self._shown(index, rows) if fresh is None and self._reads else fresh
            logits, state = self._steering.step(self._tensor(ids), self._cache, self._tensor(columns), width, source)
            if whole and len(rows) < self.num_rows:
                chosen = self._tensor(rows)
                logits, state = logits[chosen], state[chosen]
            self._put(at if len(rows) == self.num_rows else rows, logits, state)
        self._count(len(ids))

    def _shown(self, index: torch.Tensor | None, rows: np.ndarray) -> tuple[Any, Any]:
        """What a step of some rows or of all reads of their sources: stand-ins for the states, and a mask."""
        read = self._read if index is None else self._read[rows]
        width = int(read.max())
        self._sources.show(index, width)
        if index is None and self._source is not None:
            return self._source
        mask = self._steering.mask(self._tensor(read - 1), width)
        states = torch.zeros(1, 1, 1, dtype=self._steering.dtype, device=self._steering.device)
        source = states.expand(len(read), width, 1), mask  # whose keys are there: only its shape is looked at
        if index is None:
            self._source = source
        return source

    def _put(self, rows: np.ndarray, logits: torch.Tensor, state: torch.Tensor) -> None:
        """Keep logits and states, in the order of `rows`."""
        if rows is self._every:
            self.logits.copy_(logits)
            self.state.copy_(state)
        else:
            index = self._tensor(rows)
            self.logits[index], self.state[index] = logits.float(), state.float()

    def _count(self, positions: int) -> None:
        self.forwards += 1
        self.positions += int(positions)


class Remembered:
    """Encoded prompts, the latest used ones, of at most `megabytes` together."""

    def __init__(self, megabytes: float) -> None:
        self.room = int(megabytes * 2**20)
        self.size = 0
        self.states: OrderedDict[tuple[int, ...], torch.Tensor] = OrderedDict()

    def get(self, prompt: tuple[int, ...]) -> torch.Tensor | None:
        """The states, (S, d), or None."""
        if prompt in self.states:
            self.states.move_to_end(prompt)
        return self.states.get(prompt)

    def put(self, prompt: tuple[int, ...], states: torch.Tensor) -> torch.Tensor:
        """Keep them, and let the oldest go where room is short; gives them back."""
        self.states[prompt] = states
        self.size += states.nbytes
        while self.size > self.room:
            self.size -= self.states.popitem(last=False)[1].nbytes
        return states
