"""Texts as vectors an agent can use at once: encoded once a text, standardised by the training split, kept on disk."""

import functools
import hashlib
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
FORMAT = 2  # of the cached arrays; raise it when the same key would mean other numbers
BLOCK = 10_000  # rows at a time: float64 sums of a large corpus need no float64 copy of it


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
    if not isinstance(encoder, str | Mapping):
        raise BadArgument(f"encoder must be a name, or {{'name': ..., and its keywords}}, got {encoder!r}.")
    spec = {"name": encoder} if isinstance(encoder, str) else dict(encoder)
    written = json.dumps(spec, sort_keys=True)
    maker = build(dict(spec))
    identity = maker.identity() if hasattr(maker, "identity") else written
    return _encode(examples, train, written, json.dumps(identity, sort_keys=True))


@functools.lru_cache(maxsize=16)
def _encode(examples: Examples, train: Examples, spec: str, identity: str) -> Encoded:
    encoded = Encoded(_making(train, spec, identity).standardised(examples))
    encoded.recipe = (encode, (examples, train, json.loads(spec)))
    return encoded


@functools.lru_cache(maxsize=4)
def _making(train: Examples, spec: str, identity: str) -> "_Making":
    return _Making(build(json.loads(spec)), identity, train)


class _Making:
    """One encoder at work on the splits of one data set: each step is done when it is asked for, and once.

    An encoder has `fit(texts)` and `encode(texts)`. It may have `identity()`, JSON values that say all that its
    vectors depend on besides the texts (then these are kept on disk as they come, for other training splits), and
    `fits = False` where `fit` learns nothing.
    """

    def __init__(self, encoder: Any, identity: str, train: Examples) -> None:
        self.encoder, self.train, self.fitted = encoder, train, False
        basis = train.text_digest if getattr(encoder, "fits", True) else None
        self.key = {"format": FORMAT, "encoder": identity, "source": _source(encoder), "fitted on": basis}
        self.kept: tuple[Examples, np.ndarray] | None = None  # between moments and standardising, both of train

    def raw(self, split: Examples) -> np.ndarray:
        """The encoder's own vectors, (N, d)."""

        def make() -> np.ndarray:
            if not self.fitted:
                self.encoder.fit(self.train["text"].tolist())
                self.fitted = True
            return np.asarray(self.encoder.encode(split["text"].tolist()), np.float32)

        if hasattr(self.encoder, "identity"):
            return cache.array({"what": "encoded texts", **self.key, "texts": split.text_digest}, make)
        if self.kept is None or self.kept[0] is not split:
            self.kept = split, make()
        return self.kept[1]

    def moments(self) -> np.ndarray:
        """Mean and standard deviation of each number over the training split, (2, d) float64."""

        def make() -> np.ndarray:
            vectors = self.raw(self.train)
            mean = vectors.mean(0, dtype=np.float64)
            squares = np.zeros_like(mean)
            for at in range(0, len(vectors), BLOCK):
                squares += np.square(vectors[at : at + BLOCK] - mean).sum(0)
            spread = np.sqrt(squares / len(vectors))
            spread[spread < 1e-8] = 1.0  # a number that never changes says nothing: it becomes 0
            return np.stack((mean, spread))

        return cache.array({"what": "moments", **self.key, "texts": self.train.text_digest}, make)

    def standardised(self, split: Examples) -> np.ndarray:
        """The vectors in the training split's standard deviations from its mean, clipped, (N, d) float32."""

        def make() -> np.ndarray:
            mean, spread = self.moments().astype(np.float32)
            vectors, self.kept = self.raw(split), None
            vectors = np.subtract(vectors, mean, out=vectors if vectors.flags.writeable else None)
            vectors /= spread
            return np.clip(vectors, -BOUND, BOUND, out=vectors)

        basis = {"standardised by": self.train.text_digest, "texts": split.text_digest}
        return cache.array({"what": "standardised", **self.key, **basis}, make)


def _source(encoder: Any) -> str | None:
    """The content of the file that an encoder is written in: vectors of an encoder that was changed are made again."""
    try:
        path = inspect.getsourcefile(type(encoder))
        return hashlib.sha256(Path(path or "").read_bytes()).hexdigest()
    except (OSError, TypeError):
        return None  # written at the prompt


def build(spec: dict[str, Any]) -> Any:
    """The encoder that a spec names, not yet fitted."""
    name = spec.pop("name", None)
    if not isinstance(name, str):
        raise BadArgument(f"an encoder needs a name, got {name!r}; there are: {', '.join(ENCODERS.names())}.")
    if name not in ENCODERS.names() and ("/" in name or Path(name).expanduser().is_dir()):
        spec["model"], name = name, "transformer"  # a model's Hub name or path
    maker = ENCODERS.get(name)
    try:
        inspect.signature(maker).bind(**spec)
    except TypeError as error:
        raise BadArgument(f"encoder {name!r}: {error}. It takes {inspect.signature(maker)}.") from error
    return maker(**spec)
