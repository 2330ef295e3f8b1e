"""Texts as vectors an agent can use at once: encoded once per text, standardised by the training split, cached on disk."""

import functools
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadArgument
from ..lookup import Shelf
from . import cache
from .examples import Examples, Shared

ENCODERS = Shelf("nlp_gym_envs.text.encoders", "ENCODER", "encoder")
BOUND = 5.0  # standard deviations; what lies beyond is clipped
FORMAT = 1  # of the cached arrays; raise it when the same key would mean other numbers


class Encoded(Shared):
    """`vectors` (N, d) float32 in [-BOUND, BOUND]: one row for each example of a split."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    @property
    def dimensions(self) -> int:
        """How many numbers describe a text."""
        return self.vectors.shape[1]


def encode(examples: Examples, train: Examples, encoder: str | Mapping[str, Any]) -> Encoded:
    """The texts of `examples` by an encoder that is fitted on, and standardised by, `train`.

    `encoder` is a name ("tfidf", "hashing"), a transformers model's Hub name or local path, your own dotted name, or
    {"name": ..., and its keywords}. Raises UnknownName, BadArgument or NotAvailable.
    """
    spec = {"name": encoder} if isinstance(encoder, str) else dict(encoder)
    return _encode(examples, train, json.dumps(spec, sort_keys=True))


@functools.lru_cache(maxsize=16)
def _encode(examples: Examples, train: Examples, spec: str) -> Encoded:
    maker = build(json.loads(spec))
    identity = maker.identity() if hasattr(maker, "identity") else None
    key = {"what": "encoded", "format": FORMAT, "encoder": spec, "identity": identity}
    fitted: list[bool] = []

    def fit() -> Any:
        if not fitted:
            maker.fit(train["text"].tolist())
            fitted.append(True)
        return maker

    def raw(split: Examples) -> np.ndarray:
        made = lambda: fit().encode(split["text"].tolist())  # noqa: E731
        return cache.array({**key, "fitted on": train.digest, "texts": split.digest}, made)

    basis = raw(train)
    mean, spread = basis.mean(0, dtype=np.float64), basis.std(0, dtype=np.float64)
    spread[spread < 1e-8] = 1.0  # a number that never changes says nothing: it becomes 0
    vectors = raw(examples) - mean.astype(np.float32)
    vectors /= spread.astype(np.float32)
    encoded = Encoded(np.clip(vectors, -BOUND, BOUND, out=vectors))
    vectors.flags.writeable = False
    encoded.recipe = (encode, (examples, train, json.loads(spec)))
    return encoded


def build(spec: dict[str, Any]) -> Any:
    """The encoder that a spec names, not yet fitted."""
    name = spec.pop("name", None)
    if not isinstance(name, str):
        raise BadArgument(f"an encoder needs a name, got {name!r}; there are: {', '.join(ENCODERS.names())}.")
    if name not in ENCODERS.names() and ("/" in name or Path(name).expanduser().is_dir()):
        spec["model"], name = name, "transformer"  # a model's Hub name or path
    maker = ENCODERS.get(name)
    try:
        return maker(**spec)
    except TypeError as error:
        raise BadArgument(f"encoder {name!r}: {error}. It takes {inspect.signature(maker)}.") from error
