"""Where a model's files are: shipped with the package, in a local folder, or on the Hugging Face Hub."""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import NotAvailable
from ..lookup import did_you_mean
from ..text import hub

SHIPPED = Path(__file__).parent / "shipped"
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "*.spm")
PICKLED = ("*.bin", "*.pt", "*.pth")


def shipped() -> tuple[str, ...]:
    """The names of the models that come with the package."""
    return tuple(sorted(folder.name for folder in SHIPPED.glob("*") if (folder / "config.json").exists()))


def local(name: str) -> Path | None:
    """The folder that a name stands for: a shipped model, else a local path; None for a name on the Hub."""
    if name in shipped():
        return SHIPPED / name
    folder = Path(name).expanduser()
    return folder.resolve() if folder.is_dir() else None


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of a folder's files: another one means that the model in it may be another."""
    entries = ((entry.name, entry.stat()) for entry in os.scandir(folder) if entry.is_file())
    return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in entries))


def find(name: str) -> tuple[str, dict[str, Any]]:
    """What transformers' `from_pretrained` is called with for a name, safely: local files, or one commit of the Hub's.

    Raises NotAvailable, within seconds, where there is no such model or no safetensors weights.
    """
    options: dict[str, Any] = {"trust_remote_code": False}
    if (folder := local(name)) is not None:
        _check(folder)
        return str(folder), options | {"local_files_only": True}
    return name, options | {"revision": commit_of(name)}


def quickly(folder: Path | None) -> contextlib.AbstractContextManager[None]:
    """A context in which the Hub's own client does not retry for half a minute where there is nothing to ask."""
    return hub.offline() if folder is not None or not hub.within_reach() else contextlib.nullcontext()


@functools.lru_cache(maxsize=16)
def commit_of(name: str) -> str:
    """The commit that a Hub name stands for now: as the Hub says, or its cache where the Hub is out of reach."""
    from huggingface_hub import hf_hub_download

    online = hub.within_reach()
    try:
        config = hf_hub_download(name, "config.json", local_files_only=not online)
    except Exception as error:  # a dozen kinds: no such model, no access, no network, no valid name
        reason = f"the Hub says: {type(error).__name__}: {error}" if online else hub.out_of_reach()
        known = shipped()
        raise NotAvailable(
            f"no model {name!r}{did_you_mean(name, known)} It is none of those that come with the package "
            f"({', '.join(known) or 'none'}), no local folder, not in the Hub's cache on this machine, and {reason}. "
            "Download it where there is a network (the Hub's cache is then used), or give a local folder with "
            "safetensors weights and a tokenizer."
        ) from error
    return Path(config).parent.name  # .../snapshots/<commit>/config.json


def _check(folder: Path) -> None:
    """Raise NotAvailable for a folder that does not hold what is needed; transformers' own messages mislead."""
    if not (folder / "config.json").exists():
        raise NotAvailable(f"the folder {folder} holds no transformers model: it has no config.json.")
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(file.name for suffix in PICKLED for file in folder.glob(suffix))
        raise NotAvailable(
            f"the folder {folder} has no *.safetensors weights"
            + (f", only {', '.join(pickled)}, which could run code when loaded" if pickled else "")
            + ". Save them with model.save_pretrained(folder), which writes safetensors."
        )
    if not any(any(folder.glob(name)) for name in TOKENIZERS):  # transformers would make an empty one up
        raise NotAvailable(
            f"the folder {folder} has no tokenizer (one of {', '.join(TOKENIZERS)}). Save it with "
            "tokenizer.save_pretrained(folder)."
        )


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """No progress bar of transformers for the second that a file takes."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextlib.contextmanager
def without_reports() -> Iterator[None]:
    """No list of weights that a file has and a model does not use, as the output layer of a BERT that only reads."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
