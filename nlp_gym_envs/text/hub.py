"""The Hugging Face Hub: is it within reach, and what does a data set of it hold?"""

import contextlib
import functools
import importlib
import os
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlparse

from ..errors import BadData, NotAvailable
from .columns import Table, Wanted, choose_columns, table, take_column
from .splits import pick_split


def within_reach(seconds: float = 3.0) -> bool:
    """Whether a Hugging Face Hub answers: asked once, quickly, since its own client retries for half a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True  # only the proxy knows
    url = urlparse(constants.ENDPOINT)
    address = (url.hostname or "", url.port or (80 if url.scheme == "http" else 443))
    answered = threading.Event()

    def knock() -> None:
        try:
            socket.create_connection(address, timeout=seconds).close()
            answered.set()
        except OSError:
            pass
        finally:
            finished.set()

    finished = threading.Event()  # in a thread: looking up a name knows no time limit
    threading.Thread(target=knock, daemon=True).start()
    finished.wait(seconds)
    return answered.is_set()


def out_of_reach() -> str:
    """Why the Hub was not asked, for a message."""
    from huggingface_hub import constants

    return "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else f"the Hub ({constants.ENDPOINT}) cannot be reached"


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """The Hub's libraries look in their caches only: of their own, they would try five times and wait in between."""
    from huggingface_hub import constants

    switches: list[Any] = [constants]
    if "datasets" in sys.modules:  # it has a copy of its own
        switches.append(importlib.import_module("datasets.config"))
    before = [switch.HF_HUB_OFFLINE for switch in switches]
    for switch in switches:
        switch.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.HF_HUB_OFFLINE = value


def from_hub(
    name: str,
    config: str | None,
    revision: str | None,
    split: str,
    splits: Mapping[str, str],
    wanted: Wanted,
) -> Table:
    """A split of a data set on the Hub or in its cache; `splits` maps our names to the data set's where they differ."""
    data = _splits(name, config, revision)
    ours = {theirs: theirs for theirs in data if theirs not in splits.values()}
    ours |= {our: theirs for our, theirs in splits.items() if theirs in data}

    def whole(split: str) -> Table:
        return _table(name, config, revision, ours[split], wanted)

    return pick_split(ours, split, whole)


@functools.lru_cache(maxsize=8)
def _table(name: str, config: str | None, revision: str | None, split: str, wanted: Wanted) -> Table:
    rows, where = _splits(name, config, revision)[split], f"{name} ({split})"
    available = rows.column_names
    chosen = choose_columns(available, wanted, where)
    declared = tuple(getattr(rows.features[chosen["label"]], "names", None) or ()) if "label" in chosen else ()
    if not len(rows):
        raise BadData(f"{where} has no rows.")
    columns = {
        ours: take_column(lambda wanted: rows[wanted][:], available, column, where) for ours, column in chosen.items()
    }
    return table(columns, wanted.form, where, declared)


@functools.lru_cache(maxsize=2)
def _splits(name: str, config: str | None, revision: str | None) -> Any:
    """The data set's splits, a mapping. Raises NotAvailable within seconds."""
    import datasets

    online = within_reach()
    try:
        with contextlib.nullcontext() if online else offline():
            return datasets.load_dataset(name, config, revision=revision)
    except Exception as error:  # datasets raises a dozen kinds, among them bare OSError and ValueError
        reason = f"the Hub says: {type(error).__name__}: {error}" if online else out_of_reach()
        raise NotAvailable(
            f"no data set {name!r}: it is no local file or folder, it is not in the Hub's cache on this machine, "
            f"and {reason}."
        ) from error
