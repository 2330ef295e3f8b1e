"""A transformers model and its tokenizer, frozen: what environments ask of them."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BadArgument, NotAvailable
from ..text.examples import Shared
from .pieces import pieces

BATCH = 64  # texts of one forward


class LanguageModel(Shared):
    """A frozen transformers model with its tokenizer. A deep copy is the thing itself, a pickle the call of `load`.

    `name`, `family`, and whatever follows from the files; a model made in memory can be wrapped as well, and then
    pickles with its weights.
    """

    def __init__(
        self, model: Any, tokenizer: Any, name: str, family: str, quantize: str | None = None, compile: bool = False
    ) -> None:
        self.model, self.tokenizer, self.name, self.family = model.eval().requires_grad_(False), tokenizer, name, family
        if quantize is not None:
            from .quantization import quantize_linear

            quantize_linear(model)
        if compile:
            _compile_blocks(model)
        output = model.get_output_embeddings() if family != "encoder" else None
        table = output if output is not None else model.get_input_embeddings()
        features = ("out_features", "in_features") if output is not None else ("num_embeddings", "embedding_dim")
        self.vocabulary_size, self.width = (int(getattr(table, feature)) for feature in features)
        self.lock = threading.RLock()  # held in a forward: decoding steers the model by hooks
        self.end = self._end()
        self.start = self._start() if family == "encoder-decoder" else None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, lock=threading.RLock())

    def _end(self) -> int:
        """The id of the token that ends a text; of an encoder its separator, or -1. Raises NotAvailable without one."""
        for source, attribute in (
            (self.tokenizer, "eos_token_id"),
            (getattr(self.model, "generation_config", None), "eos_token_id"),
            (self.model.config, "eos_token_id"),
            (self.tokenizer, "sep_token_id"),
        ):
            value = getattr(source, attribute, None)
            for token in value if isinstance(value, list) else [value]:
                if token is not None and token < self.vocabulary_size:
                    return int(token)
        if self.family == "encoder":
            return -1
        raise NotAvailable(f"the model {self.name!r} has no end token: give its tokenizer an eos_token.")

    def _start(self) -> int:
        for source in (getattr(self.model, "generation_config", None), self.model.config):
            for attribute in ("decoder_start_token_id", "bos_token_id"):
                if (token := getattr(source, attribute, None)) is not None:
                    return int(token)
        raise NotAvailable(f"the model {self.name!r} has no decoder_start_token_id in its config.")

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of the weights as they are used and of the tokenizer: what a cache of results depends on."""
        sha = hashlib.sha256(repr(self.model.config.to_json_string()).encode())
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        sha.update((backend.to_str() if backend is not None else repr(self.tokenizer.get_vocab())).encode())
        for part in _content(self.model.state_dict()):
            sha.update(part)
        return sha.hexdigest()

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """What each id of the vocabulary appends to a text, (V,); b"" for special tokens."""
        return pieces(self.tokenizer, self.vocabulary_size)

    @cached_property
    def embeddings(self) -> np.ndarray:
        """(V, d) float32, read-only: the rows of the output layer; of an encoder, of the input layer."""
        output = self.model.get_output_embeddings() if self.family != "encoder" else None
        weight = (output if output is not None else self.model.get_input_embeddings()).weight
        weight = weight().dequantize() if callable(weight) else weight  # a method of quantised layers
        found = weight.detach().float().cpu().numpy()
        found.flags.writeable = False
        return found

    @cached_property
    def longest(self) -> int:
        """How many ids the model can read at most."""
        limits = (self.tokenizer.model_max_length, getattr(self.model.config, "max_position_embeddings", None))
        return min(limit for limit in limits if limit)

    def encode(self, texts: Sequence[str], longest: int) -> list[list[int]]:
        """The ids of each text as the model wants to read it, special tokens included, cut to `longest` ids.

        Never more than the model can read, which its attribute `longest` says. A decoder's prompt is never empty:
        where the text has no token, it is the start token, or else the end token.
        """
        if longest < 1:
            raise BadArgument(f"longest must be at least 1, got {longest}.")
        if not len(texts):
            return []
        longest = min(longest, self.longest)
        ids = self.tokenizer(list(texts), truncation=True, max_length=longest, padding=False)["input_ids"]
        first = self.tokenizer.bos_token_id
        return [tokens or [self.end if first is None else first] for tokens in ids]

    def text(self, ids: Sequence[int] | np.ndarray) -> str:
        """The text of some ids without special tokens; a character whose last bytes are missing is left out."""
        table = self.pieces
        return b"".join([table[number] for number in ids]).decode("utf-8", "ignore").strip()

    def hidden(self, texts: Sequence[str], longest: int = 128) -> tuple[np.ndarray, np.ndarray]:
        """Last hidden states of the encoder (of a decoder: its own), (N, T, d) float32, and their mask, (N, T) bool."""
        states = self._states([ids for ids in self.encode(texts, longest)])
        width = max((len(state) for state in states), default=0)
        found = np.zeros((len(states), width, states[0].shape[1] if states else self.width), np.float32)
        mask = np.arange(width) < np.array([len(state) for state in states], int).reshape(-1, 1)
        found[mask] = np.concatenate(states) if states else 0
        return found, mask

    def token_states(self, texts: Sequence[str], longest: int = 512) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of each text: the last hidden states of its tokens, (T, d) float32, and where in it they stand, (T, 2) int64.

        Offsets are characters, first and behind the last. Special tokens are read by the model and then left out.
        """
        if not self.tokenizer.is_fast:
            raise NotAvailable(f"the tokenizer of {self.name!r} does not tell offsets: it has no tokenizer.json.")
        if not len(texts):
            return [], []
        read = self.tokenizer(list(texts), truncation=True, max_length=min(longest, self.longest), padding=False,
                              return_offsets_mapping=True, return_special_tokens_mask=True)  # fmt: skip
        kept = [np.array(special, int) == 0 for special in read["special_tokens_mask"]]
        offsets = [np.array(pairs, np.int64).reshape(-1, 2) for pairs in read["offset_mapping"]]
        states = self._states(read["input_ids"])
        return [rows[mask] for rows, mask in zip(states, kept, strict=True)], [
            pairs[mask] for pairs, mask in zip(offsets, kept, strict=True)
        ]

    def _states(self, ids: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """Last hidden states of each text, (T, d) float32, in batches of texts of similar length."""
        import torch

        order = sorted((i for i, tokens in enumerate(ids) if tokens), key=lambda i: -len(ids[i]))
        states = [np.zeros((0, self.width), np.float32)] * len(ids)
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                hidden, _ = self.read([ids[i] for i in chosen])
                for i, row in zip(chosen, hidden.float().cpu().numpy(), strict=True):
                    states[i] = row[: len(ids[i])].copy()
        return states

    def read(self, prompts: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        """One forward of the encoder (of a decoder: without its head): torch (B, T, d) states, (B, T) bool mask."""
        import torch

        lengths = torch.tensor([len(prompt) for prompt in prompts])
        mask = torch.arange(int(lengths.max())) < lengths[:, None]  # (B, T)
        ids = torch.full(mask.shape, self.tokenizer.pad_token_id or 0)
        ids[mask] = torch.tensor([token for prompt in prompts for token in prompt])
        model = self.model.get_encoder() if self.family == "encoder-decoder" else self.model.base_model
        device = self.model.device
        states = model(input_ids=ids.to(device), attention_mask=mask.long().to(device)).last_hidden_state
        return states, mask.to(device)


def _compile_blocks(model: Any) -> None:
    """Compile the forward of every block: what decoding hooks into stays outside, and a length is no new graph."""
    import torch
    from transformers.modeling_layers import GradientCheckpointingLayer

    for stack in model.modules():
        if isinstance(stack, torch.nn.ModuleList) and stack and isinstance(stack[0], GradientCheckpointingLayer):
            for block in stack:
                block.forward = torch.compile(block.forward, dynamic=True)


def _content(value: Any) -> Iterator[bytes]:
    """The bytes of a state dict, entry by entry, those of quantised layers too."""
    import torch

    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name).encode()
            yield from _content(inner)
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _content(inner)
    elif isinstance(value, torch.Tensor) and value.is_quantized:
        yield from _content((value.int_repr(), value.dequantize()))
    elif isinstance(value, torch.Tensor):
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    else:
        yield repr(value).encode()
