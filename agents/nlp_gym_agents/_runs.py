"""A run is a folder: what was asked, what it was done with, how it went, and the model; every file whole or not there.

| file | holds |
|---|---|
| `config.yaml` | agent, id, steps, seed, environment's keywords, hyper-parameters |
| `run.json` | command, versions, commit, data hash, when it began and ended |
| `metrics.jsonl` | a row for each look at the validation split |
| `model.zip` | the agent, best on the validation split |
| `checkpoint-<steps>/` | what `--resume` continues from |
| `curve.png` | the learning curve |
"""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.text.cache import save_atomically

PACKAGES = ("nlp-gym-envs", "gymnasium", "numpy", "torch", "stable-baselines3", "sb3-contrib", "scikit-learn")


class Run:
    """The folder of one run."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def exists(self) -> bool:
        """Whether there is a run in the folder."""
        return (self.folder / "config.yaml").is_file()

    def create(self, config: dict[str, Any]) -> None:
        """Start a run here. Raises BadArgument where something is already: a run is never silently overwritten."""
        if self.folder.is_file() or (self.folder.exists() and any(self.folder.iterdir())):
            what = "a run" if self.exists else "something else"
            raise BadArgument(
                f"{self.folder} holds {what} already; continue it with --resume, or choose another folder with --out."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write("config.yaml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True))

    def config(self) -> dict[str, Any]:
        """What was asked. Raises BadArgument where there is no run."""
        if not self.exists:
            raise BadArgument(
                f"there is no run in {self.folder}: it has no config.yaml. `nlp-gym train --out` makes one."
            )
        try:
            config = yaml.safe_load((self.folder / "config.yaml").read_text())
        except yaml.YAMLError as error:
            raise BadData(f"{self.folder / 'config.yaml'} cannot be read: {error}") from error
        if not isinstance(config, dict) or not {"agent", "env"} <= set(config):
            raise BadData(f"{self.folder / 'config.yaml'} is no run's configuration: it names no agent and env.")
        return config

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
            return json.loads(path.read_text()) if path.exists() else {}
        except json.JSONDecodeError as error:
            raise BadData(f"{path} cannot be read: {error}") from error

    # ---------------------------------------------------------------- metrics

    def add_row(self, row: dict[str, Any]) -> None:
        """Append a row to metrics.jsonl; it is on the disk when this returns."""
        with open(self.folder / "metrics.jsonl", "a") as file:
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())

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
        kept = [row for row in self.rows() if row["steps"] <= steps]
        self.write("metrics.jsonl", "".join(json.dumps(row) + "\n" for row in kept))

    # ---------------------------------------------------------------- checkpoints

    def save_checkpoint(self, steps: int, save: Any) -> None:
        """`save(folder)` writes a checkpoint into an empty folder, which then takes the place of the one before."""
        temporary, final = self.folder / ".checkpoint", self.folder / f"checkpoint-{steps:012d}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            save(temporary)
            shutil.rmtree(final, ignore_errors=True)
            os.replace(temporary, final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        for older in self.folder.glob("checkpoint-*"):
            if older != final:
                shutil.rmtree(older, ignore_errors=True)

    def checkpoint(self) -> Path | None:
        """The newest checkpoint."""
        return max(self.folder.glob("checkpoint-*"), default=None)


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
