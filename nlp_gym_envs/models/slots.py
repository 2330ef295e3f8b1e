"""A key-value cache with a place for every row: rows are of different lengths, and each begins and ends on its own.

The keys of row b stand in columns 0, 1, 2, ... of its place, whatever the others' lengths: a token's column is its
position. A forward of one token for many rows writes every key at its own row's length; a mask hides what is beyond it.
"""

from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin


class Plan:
    """What the next forward reads and writes; all layers share it."""

    def __init__(self) -> None:
        self.rows: torch.Tensor | None = None  # (b,) the rows computed, None for all of them in order
        self.places: torch.Tensor = torch.zeros(0, dtype=torch.long)  # (b,) row · room + column of each new key
        self.width = 0  # columns that are read, from the first; 0 for a prompt, which reads itself alone


class SlotLayer(CacheLayerMixin):
    """The keys and values of one layer, made at the first forward, when their sizes are known."""

    is_sliding = False

    def __init__(self, plan: Plan, num_rows: int, room: int) -> None:
        super().__init__()
        self.plan, self.num_rows, self.room = plan, num_rows, room
        self.stores: list[torch.Tensor] = []  # keys and values, (rows, room, heads, d) each

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Places for all rows, for states of this kind, (b, heads, T, d)."""
        with torch.inference_mode(False):  # ordinary tensors: they may be read outside of inference mode
            self._keep(
                [
                    torch.zeros(self.num_rows, self.room, x.shape[1], x.shape[3], dtype=x.dtype, device=x.device)
                    for x in (key_states, value_states)
                ]
            )

    def _keep(self, stores: list[torch.Tensor]) -> None:
        """Make these the stores, with the two views that a step needs."""
        self.stores, self.is_initialized = stores, True
        self.flat_keys, self.flat_values = (store.view(-1, store.shape[2] * store.shape[3]) for store in stores)
        self.all_keys, self.all_values = (store.transpose(1, 2) for store in stores)  # (rows, heads, room, d)

    def __getstate__(self) -> dict[str, Any]:
        """The stores alone: a view would come out of a pickle as a tensor of its own."""
        views = ("flat_keys", "flat_values", "all_keys", "all_values", "keys", "values")
        return {name: value for name, value in vars(self).items() if name not in views}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.keys = self.values = None
        if self.stores:
            self._keep(self.stores)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new keys and values, (b, heads, T, d); return all that is to be read, (b, heads, width, d)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        plan = self.plan
        if not plan.width:
            for store, states in zip(self.stores, (key_states, value_states), strict=True):
                store[plan.rows, : states.shape[2]] = states.transpose(1, 2)
            return key_states, value_states
        if torch.compiler.is_compiling():
            return self._traced(key_states, value_states)
        self.flat_keys.index_copy_(0, plan.places, key_states.reshape(-1, self.flat_keys.shape[1]))
        self.flat_values.index_copy_(0, plan.places, value_states.reshape(-1, self.flat_values.shape[1]))
        return self.read(plan.rows, plan.width)

    def _traced(self, key_states: torch.Tensor, value_states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The same from the stores alone: a compiled graph that gets several views of one tensor cannot be made."""
        plan, found = self.plan, []
        for store, states in zip(self.stores, (key_states, value_states), strict=True):
            size = store.shape[2] * store.shape[3]
            store.view(-1, size).index_copy_(0, plan.places, states.reshape(-1, size))
            read = store[:, : plan.width]
            found.append((read if plan.rows is None else read.index_select(0, plan.rows)).transpose(1, 2))
        return found[0], found[1]

    def read(self, rows: torch.Tensor | None, width: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The first `width` columns of some rows or of all: keys and values, (b, heads, width, d)."""
        if rows is None:
            return self.all_keys[:, :, :width], self.all_values[:, :, :width]
        keys, values = (store[:, :width].index_select(0, rows).transpose(1, 2) for store in self.stores)
        return keys, values

    def grow(self, room: int) -> None:
        """Make places `room` columns wide; what they hold stays."""
        more, self.room = room - self.room, room
        if self.is_initialized:
            with torch.inference_mode(False):
                self._keep([torch.nn.functional.pad(store, (0, 0, 0, 0, 0, more)) for store in self.stores])

    def clear(self, rows: torch.Tensor, start: int, stop: int) -> None:
        """Zero some columns of some rows: what was there could be NaN, which no mask hides."""
        if stop > start:
            for store in self.stores:
                store[rows, start:stop] = 0

    def copy(self, rows: torch.Tensor, other: "SlotLayer", sources: torch.Tensor, width: int) -> None:
        """Rows become copies of `sources` of another layer of the same model, as far as `width` columns."""
        if other.is_initialized and not self.is_initialized:
            self.lazy_initialization(other.all_keys, other.all_values)
        for store, theirs in zip(self.stores, other.stores, strict=True):
            store[rows, :width] = theirs[:, :width].index_select(0, sources)

    def get_seq_length(self) -> int:
        """How many columns are read beside the new one: where no mask is given, all of them are seen."""
        return max(0, self.plan.width - 1)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(columns read, 0)."""
        return self.plan.width or query_length, 0

    def get_max_length(self) -> int:
        """No maximum: `grow` makes room."""
        return -1


class Slots(Cache):
    """A `SlotLayer` for every layer of a model; `plan` says what the next forward does."""

    def __init__(self, num_layers: int, num_rows: int, room: int) -> None:
        self.plan = Plan()
        self.num_rows, self.room = num_rows, room
        self.filled = torch.zeros(num_rows, dtype=torch.long).numpy()  # columns that may hold other than zeros
        super().__init__(layers=[SlotLayer(self.plan, num_rows, room) for _ in range(num_layers)])

    @property
    def slots(self) -> list[SlotLayer]:
        """The layers, by their own type."""
        return self.layers  # type: ignore[return-value]

    def reserve(self, width: int) -> None:
        """Make room for `width` columns, doubling."""
        if width > self.room:
            self.room = max(width, 2 * self.room)
            for layer in self.slots:
                layer.grow(self.room)

    def clear(self, rows: torch.Tensor, keep: int = 0) -> None:
        """Zero what some rows hold from column `keep` on."""
        indices = rows.cpu().numpy()
        stop = int(self.filled[indices].max(initial=0))
        for layer in self.slots:
            layer.clear(rows, keep, stop)
        self.filled[indices] = self.filled[indices].clip(max=keep)

    def copy(self, rows: torch.Tensor, other: "Slots", sources: torch.Tensor, width: int) -> None:
        """Rows become copies of `sources` of another cache, of which `width` columns are used."""
        self.reserve(width)
        for layer, theirs in zip(self.slots, other.slots, strict=True):
            layer.copy(rows, theirs, sources, width)
        indices = rows.cpu().numpy()
        self.filled[indices] = self.filled[indices].clip(min=width)
        self.clear(rows, width)


class Sources(Slots):
    """The keys and values that a decoder's cross-attention reads: written when a row's source is, read ever after."""

    def __init__(self, num_layers: int, num_rows: int, room: int) -> None:
        super().__init__(num_layers, num_rows, room)
        self.shown: tuple[Any, ...] | None = None  # what the layers' `keys` and `values` are set to

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "shown": None}  # the layers' views are made anew

    def show(self, rows: torch.Tensor | None, width: int) -> None:
        """Lay out what the next forward reads; of all rows it is a view, made once."""
        wanted = (rows is None, width, self.room)
        if rows is None and wanted == self.shown:
            return
        for layer in self.slots:
            layer.keys, layer.values = layer.read(rows, width)
        self.shown = wanted if rows is None else None
