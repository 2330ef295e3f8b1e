"""Arrays on disk, named by what they were made from and written whole or not at all."""

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def folder() -> Path:
    """Where caches are: `NLP_GYM_CACHE`, else `nlp_gym_envs` in the user's cache folder."""
    if chosen := os.environ.get("NLP_GYM_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nlp_gym_envs"


def array(key: dict[str, Any], make: Callable[[], np.ndarray]) -> np.ndarray:
    """The array that `make()` gives, computed once for each `key` (JSON values) and read-only, memory-mapped, afterwards.

    A cache that cannot be read is made again; one that cannot be written (a full disk, no permission) is done without,
    with a warning.
    """
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    path = folder() / f"{name}.npy"
    if path.exists():
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError):
            warnings.warn(f"the cache file {path} is damaged and is made again.", stacklevel=2)
    made = make()
    try:
        save_atomically(path, lambda file: np.save(file, made, allow_pickle=False))
    except OSError as error:
        warnings.warn(
            f"cannot write the cache {path.parent} ({error}); going on without it. NLP_GYM_CACHE names another folder.",
            stacklevel=2,
        )
    return made


def save_atomically(path: Path, write: Callable[[Any], Any]) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part: `write(file)` gets a binary file.

    Raises OSError (disk full, no permission) and then leaves neither a part nor a temporary file behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes it private; a cache or result is as any other file
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
