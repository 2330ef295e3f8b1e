"""How a model is told where each row stands: transformers' own way is one position for all rows of a batch.

Decoders take `position_ids`. BART and its kin look positions up in a layer `embed_positions`, T5 and its kin add a bias
for every distance to the attention: both are handed each row's own by a hook, which lasts one forward.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..errors import BadArgument
from .language_model import LanguageModel


def cache_keyword(model: Any) -> str:
    """What a model's forward calls its key-value cache: transformers 5.24 gave it another name."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def steering_of(language_model: LanguageModel) -> "Steering":
    """The way that fits a model. Raises BadArgument for one that offers none."""
    model, family = language_model.model, language_model.family
    if family == "encoder":
        raise BadArgument(f"the model {language_model.name!r} is an encoder: it writes no text.")
    if family == "decoder":
        if "position_ids" in inspect.signature(model.forward).parameters:
            return PositionIds(language_model)
    else:
        decoder = model.get_decoder()
        if isinstance(getattr(decoder, "embed_positions", None), nn.Embedding):
            return PositionEmbedding(language_model)
        if model.config.model_type in ("t5", "mt5", "longt5") and hasattr(decoder, "block"):
            return DistanceBias(language_model)
    raise BadArgument(
        f"the model {language_model.name!r} ({type(model).__name__}) cannot decode rows of different lengths: "
        "it takes no position_ids, has no embed_positions and is no T5. GPT-2, Llama, T5, BART and Marian can."
    )


class Steering:
    """One forward of a decoder: ids in, logits and states of one position of each row out."""

    def __init__(self, language_model: LanguageModel) -> None:
        self.language_model, self.model = language_model, language_model.model
        config = self.model.config
        layers = ("num_decoder_layers", "decoder_layers", "num_hidden_layers")
        self.num_layers = next(int(getattr(config, name)) for name in layers if getattr(config, name, None))
        self.positions: int | None = getattr(config, "max_position_embeddings", None)  # None: as many as you like
        self.keyword = cache_keyword(self.model)
        self.output = self.model.get_output_embeddings()
        self.device, self.dtype = self.model.device, self.model.dtype
        # what a mask adds: where nothing is to be seen, and elsewhere
        self.hidden = torch.tensor(torch.finfo(self.dtype).min, dtype=self.dtype, device=self.device)
        self.seen = torch.zeros_like(self.hidden)
        self._columns = torch.arange(0)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Steering":
        return self  # as the model is: it holds nothing of any row

    def __reduce__(self) -> Any:
        return steering_of, (self.language_model,)

    def check(self, read: int, held: int) -> None:
        """Raise BadArgument where the model cannot read `read` tokens of a source, or attend to `held` of its own."""
        config, name = self.model.config, self.language_model.name
        if self.positions is not None and max(read, held) > self.positions:
            raise BadArgument(
                f"longest_prompt and longest need {max(read, held)} positions; the model {name!r} has {self.positions}."
            )
        kinds = set(getattr(config, "layer_types", None) or ())
        window = getattr(config, "sliding_window", None)
        if kinds - {"full_attention", "sliding_attention"} or (window is not None and window < held):
            raise BadArgument(
                f"the model {name!r} does not attend to all {held} tokens before: it has a window of {window} "
                f"({', '.join(sorted(kinds)) or 'sliding attention'}). Only full attention can be decoded."
            )

    def mask(self, last: torch.Tensor, width: int) -> torch.Tensor:
        """(b, 1, 1, width), to be added: each row sees its columns up to `last`, (b,)."""
        return torch.where(self.columns(width) > last[:, None], self.hidden, self.seen)[:, None, None]

    def columns(self, width: int) -> torch.Tensor:
        """0, 1, ... width - 1."""
        if len(self._columns) < width:
            self._columns = torch.arange(2 * width, device=self.device)
        return self._columns[:width]

    def forward(
        self,
        hooks: list[tuple[nn.Module, Callable[..., Any], bool]],
        pick: torch.Tensor | None = None,
        **inputs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (b, V) and states (b, d) of each row's position `pick`, (b,), or of its only one.

        `hooks` are (module, function, whether it is called before the module) for this forward alone.
        """
        states: list[torch.Tensor] = []

        def before_output(module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
            hidden = args[0]  # (b, T, d)
            if pick is not None:
                hidden = hidden[self.columns(len(hidden)), pick].unsqueeze(1)
            states.append(hidden[:, 0])
            return (hidden,)

        with self.language_model.lock:
            handles = [self.output.register_forward_pre_hook(before_output)]
            try:
                for module, function, before in hooks:
                    register = module.register_forward_pre_hook if before else module.register_forward_hook
                    handles.append(register(function))
                logits = self.model(**inputs, use_cache=True).logits
            finally:
                for handle in handles:
                    handle.remove()
        return logits[:, 0], states[0]

    def step(
        self, ids: torch.Tensor, cache: Any, columns: torch.Tensor, width: int, source: Any = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One token of each row, (b,), at its own column, (b,); `width` columns are read.

        `source` is what an encoder-decoder reads beside: states, (b, S, d), and the mask to be added, (b, 1, 1, S).
        """
        raise NotImplementedError


class PositionIds(Steering):
    """GPT-2, Llama and most other decoders."""

    def step(
        self, ids: torch.Tensor, cache: Any, columns: torch.Tensor, width: int, source: Any = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One token of each row."""
        positions = columns if self.positions is None else columns.clamp(max=self.positions - 1)
        return self.forward(
            [],
            input_ids=ids[:, None],
            position_ids=positions[:, None],
            attention_mask=self.mask(columns, width),
            **{self.keyword: cache},
        )

    def prompt(self, ids: torch.Tensor, lengths: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Whole prompts, (b, T), padded on the right; what stands behind a token does not change it."""
        return self.forward(
            [], lengths - 1, input_ids=ids, attention_mask=torch.ones_like(ids), **{self.keyword: cache}
        )


class PositionEmbedding(Steering):
    """BART, Marian, Pegasus and other encoder-decoders whose decoder looks positions up in a table."""

    def __init__(self, language_model: LanguageModel) -> None:
        super().__init__(language_model)
        self.layer = self.model.get_decoder().embed_positions
        self.offset = int(getattr(self.layer, "offset", 0))  # BART's table starts with two rows for nothing

    def step(
        self, ids: torch.Tensor, cache: Any, columns: torch.Tensor, width: int, source: Any = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One token of each row."""
        table = self.layer.weight
        embedded = nn.functional.embedding((columns + self.offset).clamp(max=len(table) - 1), table)[:, None]
        return self.forward(
            [(self.layer, lambda module, args, output: embedded, False)],
            decoder_input_ids=ids[:, None],
            decoder_attention_mask=self.mask(columns, width),
            encoder_outputs=(source[0],),
            attention_mask=source[1],
            **{self.keyword: cache},
        )


class DistanceBias(Steering):
    """T5: the first block makes the bias for all of them; it is given one in which the mask is contained."""

    def __init__(self, language_model: LanguageModel) -> None:
        super().__init__(language_model)
        self.positions = None
        self.block = self.model.get_decoder().block[0]
        self.attention = self.block.layer[0].SelfAttention
        self.table = torch.zeros(0, 0)  # (farthest + 2, heads): the bias of each distance, and last that of the unseen

    def bias(self, columns: torch.Tensor, width: int) -> torch.Tensor:
        """(b, heads, 1, width): each row's own distances to its columns; what is behind it is not seen."""
        if len(self.table) < width + 2:
            farthest = 2 * width
            # the query at position `farthest`: distances come out in falling order
            bias = self.attention.compute_bias(1, farthest + 1, device=self.device, past_seen_tokens=farthest)
            unseen = self.hidden.expand(1, bias.shape[1])
            self.table = torch.cat((bias[0, :, 0].flip(1).t(), unseen)).contiguous()
        distances = columns[:, None] - self.columns(width)  # (b, width)
        last = len(self.table) - 1
        index = torch.where(distances < 0, last, distances.clamp_(max=last - 1))
        return nn.functional.embedding(index, self.table).permute(0, 2, 1).unsqueeze(2).contiguous()

    def step(
        self, ids: torch.Tensor, cache: Any, columns: torch.Tensor, width: int, source: Any = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One token of each row."""
        bias = self.bias(columns, width)
        states, unread = source

        def before_block(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
            hidden, mask, _, encoded, encoder_mask, _ = args
            return hidden, mask, bias, encoded, encoder_mask, unread

        return self.forward(
            [(self.block, before_block, True)],
            decoder_input_ids=ids[:, None],
            encoder_outputs=(states,),
            **{self.keyword: cache},
        )
