"""Arrays on disk, named by what they were made from and written whole or not at all."""

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

LOG = logging.getLogger(__name__)
LONG = 2.0  # seconds of work after which it is told what is being waited for
LEFT_OVER = 3600  # seconds after which an unfinished file's writer is taken for dead


def folder() -> Path:
    """Where caches are: `NLP_GYM_CACHE`, else `nlp_gym_envs` in the user's cache folder."""
    if chosen := os.environ.get("NLP_GYM_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nlp_gym_envs"


def array(key: dict[str, Any], make: Callable[[], np.ndarray]) -> np.ndarray:
    """What `make()` gives, computed once for each `key` (JSON values); read-only, and on disk rather than in memory.

    `key["what"]` says in words what it is, for those who wait for it and see the log.

    A cache that cannot be read is made again; one that cannot be written (a full disk, no permission) is done without,
    with a warning.
    """
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    path = folder() / f"{name}.npy"
    try:
        return _mapped(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (ValueError, OSError, EOFError) as error:
        warnings.warn(f"the cache file {path} is damaged ({error}) and is made again.", stacklevel=2)
    with _told(str(key.get("what", "what the task needs"))):
        made = make()
    try:
        save_atomically(path, lambda file: np.save(file, made, allow_pickle=False))
        return _mapped(path)  # processes share it, and memory is given back when it is short
    except (ValueError, OSError) as error:
        warnings.warn(
            f"cannot write the cache {path.parent} ({error}); going on without it. NLP_GYM_CACHE names another folder.",
            stacklevel=2,
        )
    made.flags.writeable = False
    return made


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Log what takes longer than `LONG` seconds: at level WARNING, so that who waits in Python sees it, too."""
    timer = threading.Timer(LONG, LOG.warning, ("Preparing %s: once, it is kept in %s.", what, folder()))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _mapped(path: Path) -> np.ndarray:
    """The array in a file, memory-mapped; a plain array to index, since `np.memmap` is slower at it."""
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(mapped, np.memmap):  # an .npz: np.load looks at the content, not at the name
        raise ValueError("it holds no array")
    return mapped.view(np.ndarray)


def save_atomically(path: Path, write: Callable[[Any], Any]) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part: `write(file)` gets a binary file.

    Raises OSError (disk full, no permission) and then leaves neither a part nor a temporary file behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_left_overs(path)
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


def _clear_left_overs(path: Path) -> None:
    """Remove what writers of this file that were killed have left beside it."""
    start = f".{path.name}."
    for name in [name for name in os.listdir(path.parent) if name.startswith(start)]:
        try:
            if time.time() - (path.parent / name).stat().st_mtime > LEFT_OVER:
                (path.parent / name).unlink()
        except OSError:
            pass  # another process was quicker, or it is not ours to remove


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
