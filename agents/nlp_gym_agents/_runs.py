"""A run is a folder: what was asked, what it was done with, how it went, and the model; every file whole or not there.

| file | holds |
|---|---|
| `config.yaml` | agent, id, steps, seed, environment's keywords, hyper-parameters |
| `run.json` | command, versions, commit, data hash, when it began and ended |
| `metrics.jsonl` | a row for each look at the validation split |
| `model.zip` | the agent, best on the validation split |
| `checkpoint-<steps>/` | what `--resume` continues from: the newest, and the one before, should the newest be damaged |
| `table.json` | the agent and the baselines on the test split |
| `curve.png` | the learning curve |
| `.lock` | held, with its number in it, by the process that trains here |
"""

import contextlib
import importlib.metadata
import json
import os
import pickle
import platform
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.text.cache import save_atomically

PACKAGES = ("nlp-gym-envs", "gymnasium", "numpy", "torch", "stable-baselines3", "sb3-contrib", "scikit-learn")

LOCK, UNFINISHED = ".lock", ".checkpoint"
FILES = ("config.yaml", "run.json", "metrics.jsonl", "model.zip", "table.json", "curve.png")
KEPT = 2  # checkpoints
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, AssertionError, EOFError,
           zipfile.BadZipFile, zlib.error, pickle.UnpicklingError)  # fmt: skip  # what reading a broken file can raise


class Run:
    """The folder of one run."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def exists(self) -> bool:
        """Whether there is a run in the folder."""
        return (self.folder / "config.yaml").is_file()

    def check_free(self) -> None:
        """Raises BadArgument where something is already: a run is never silently overwritten."""
        if self.folder.is_dir() and not any(path for path in self.folder.iterdir() if not self._own_leftover(path)):
            return
        if self.folder.exists():
            what = "a run" if self.exists else "something else"
            advice = "continue it with --resume, or choose" if self.exists else "choose"
            raise BadArgument(f"{self.folder} holds {what} already; {advice} another folder with --out.")

    def create(self, config: dict[str, Any]) -> None:
        """Start a run here. Raises BadArgument where something is already."""
        self.check_free()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.configure(config)

    def configure(self, config: dict[str, Any]) -> None:
        """Write what was asked."""
        self.write("config.yaml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True))

    def config(self) -> dict[str, Any]:
        """What was asked. Raises BadArgument where there is no run, BadData where its file is damaged."""
        path = self.folder / "config.yaml"
        if not self.exists:
            raise BadArgument(f"there is no run in {self.folder}: {self._lacking()} `nlp-gym train --out` makes one.")
        try:
            config = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise BadData(f"{path} cannot be read: {error}") from error
        if not isinstance(config, dict) or not {"agent", "env"} <= set(config):
            raise BadData(f"{path} is no run's configuration: it names no agent and env.")
        return config

    def _lacking(self) -> str:
        if self.folder.is_dir():
            return "it has no config.yaml."
        return "that is a file, and a run is a folder." if self.folder.exists() else "there is no such folder."

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of the run, atomically."""
        data = content.encode() if isinstance(content, str) else content
        save_atomically(self.folder / name, lambda file: file.write(data))

    def note(self, **facts: Any) -> None:
        """Add facts to run.json."""
        self.write("run.json", json.dumps({**self.facts(), **facts}, indent=1) + "\n")

    def facts(self) -> dict[str, Any]:
        """What run.json says; {} before it is written."""
        path = self.folder / "run.json"
        try:
            facts = json.loads(path.read_text()) if path.exists() else {}
        except ValueError as error:
            raise BadData(f"{path} cannot be read: {error}") from error
        if not isinstance(facts, dict):
            raise BadData(f"{path} cannot be read: it is no object with named values.")
        return facts

    def finished(self, steps: int) -> bool:
        """Whether the run was trained for `steps` steps or more, and its end was written down."""
        facts = self.facts()
        return "ended" in facts and facts.get("steps", 0) >= steps and (self.folder / "model.zip").exists()

    # ---------------------------------------------------------------- one at a time

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training here meanwhile. Raises BadArgument where one does.

        The system lets go of a lock when its process ends, however it ends: the number in the file is for people.
        What a killed process left unfinished is removed.
        """
        busy = (
            "is being trained in by another process, number {}; wait for its end, or choose another folder with --out."
        )
        with hold(self.folder, busy):
            self._remove_leftovers()
            yield

    def _own_leftover(self, path: Path) -> bool:
        """Whether a file is none of a run's own but what a killed process may leave beside them."""
        return path.name in (LOCK, UNFINISHED) or path.name.startswith(tuple(f".{name}." for name in FILES))

    def _remove_leftovers(self) -> None:
        for path in self.folder.iterdir():
            if path.name == UNFINISHED:
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK and self._own_leftover(path):
                path.unlink(missing_ok=True)

    # ---------------------------------------------------------------- metrics

    def add_row(self, row: dict[str, Any]) -> None:
        """Add a row to metrics.jsonl, in place of one at the same step; the file is whole at any moment."""
        self._write_rows([*(other for other in self.rows() if other["steps"] != row["steps"]), row])

    def rows(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl; a last line that an interruption cut short is left out."""
        path = self.folder / "metrics.jsonl"
        found = []
        lines = path.read_text().splitlines() if path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError as error:
                if number < len(lines):
                    raise BadData(f"line {number} of {path} cannot be read: {error}") from error
        return found

    def forget_after(self, steps: int) -> None:
        """Drop the rows beyond a checkpoint: they are made again."""
        self._write_rows([row for row in self.rows() if row["steps"] <= steps])

    def _write_rows(self, rows: list[dict[str, Any]]) -> None:
        self.write("metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    # ---------------------------------------------------------------- checkpoints

    def save_checkpoint(self, steps: int, save: Callable[[Path], None]) -> Path:
        """`save(folder)` writes a checkpoint into an empty folder, which then takes its place; older ones are kept."""
        temporary, final = self.folder / UNFINISHED, self.folder / f"checkpoint-{steps:012d}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            save(temporary)
            for path in temporary.iterdir():
                with open(path, "rb+") as file:
                    os.fsync(file.fileno())
            shutil.rmtree(final, ignore_errors=True)
            os.replace(temporary, final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return final

    def checkpoints(self) -> list[Path]:
        """The checkpoints, newest first."""
        return sorted(self.folder.glob("checkpoint-*"), reverse=True)

    def checkpoint(self) -> Path | None:
        """The newest checkpoint."""
        return next(iter(self.checkpoints()), None)

    def steps_done(self) -> int:
        """How far the newest checkpoint is; 0 without one."""
        number = newest.name.removeprefix("checkpoint-") if (newest := self.checkpoint()) else ""
        return int(number) if number.isdecimal() else 0

    def drop_old_checkpoints(self) -> None:
        """Keep the newest checkpoint and the one before it."""
        for older in self.checkpoints()[KEPT:]:
            shutil.rmtree(older, ignore_errors=True)


@contextlib.contextmanager
def hold(folder: Path, busy: str) -> Iterator[None]:
    """Hold a folder's lock; where another process does, BadArgument tells `busy`, with that process's number."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "a+b") as file:
        if not _lock(file):
            file.seek(0)
            other = file.read(20).decode("ascii", "replace").strip() or "unknown"
            raise BadArgument(f"{folder} {busy.format(other)}")
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
        yield


def _lock(file: Any) -> bool:
    """Lock an open file for this process; False where another holds it."""
    try:
        import fcntl
    except ImportError:  # Windows: one byte far behind the content, which others can then still read
        import msvcrt

        file.seek(1 << 20)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def circumstances() -> dict[str, Any]:
    """What a run was done with: versions, commit, machine."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "versions": versions,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "commit": commit(),
    }


def commit() -> str | None:
    """The commit of the checkout this package runs from, with "+" where files differ from it; None when installed."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout.strip()

    try:
        tracked = git("ls-files", "--error-unmatch", Path(__file__).name)  # site-packages may lie in another repository
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "") if tracked else None
    except (OSError, subprocess.SubprocessError):
        return None


def data_facts(env: Any) -> dict[str, Any]:
    """Which data an environment has: hashes of the content, sizes, labels."""
    task = env.get_attr("task")[0]
    return {
        "source": str(task.source),
        "train": {"sha256": task.train.digest, "n": len(task.train)},
        "split": {"name": task.split, "sha256": task.examples.digest, "n": len(task.examples)},
        "labels": list(task.examples.labels),
    }


def check_data(run: Run, env: Any) -> None:
    """Raises BadArgument where the training data are not those of the run: its features would mean other things."""
    known = run.facts().get("data", {}).get("train", {}).get("sha256")
    now = env.get_attr("task")[0].train.digest
    if known and known != now:
        raise BadArgument(
            f"the training data have changed since {run.folder} was made (SHA-256 {known[:12]}, now {now[:12]}): "
            "the model's inputs would not mean what they meant. Restore the data, or train anew."
        )


def short(error: BaseException) -> str:
    """An error of somebody else's in one line."""
    line = " ".join(str(error).split()) or type(error).__name__
    return line if len(line) <= 160 else f"{line[:159]}…"
