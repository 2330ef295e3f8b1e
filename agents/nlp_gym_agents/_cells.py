"""One cell of a benchmark: an agent trained under an arm, chosen on validation, judged on every split."""

import errno
import functools
import io
import os
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from nlp_gym_envs.errors import NotAvailable

from ._arms import environment_of, judged_in
from ._evaluation import Evaluation, evaluate
from ._experiment import VALIDATION, Experiment, train
from ._plan import LEARNED, Cell
from ._results import FAILED, OK, SKIPPED, Outcome
from ._runs import Run, circumstances, data_facts
from ._samples import samples
from ._trained import load_run

DIGITS = 6  # of what rows hold
COUNTS = ("environment_steps", "forward_passes", "backward_passes", "tokens")


def run_cell(cell: Cell, scratch: str | None = None) -> Outcome:
    """Train and judge a cell. What goes wrong in it is its row, but a full disk, which would be every cell's.

    `scratch` is a folder to work in, of this process's own.
    """
    begun, begun_cpu = time.time(), time.process_time()
    _forget_peak()
    outcome = Outcome({**cell.as_row(), "status": OK, "error": None})
    try:
        if scratch is not None:
            Path(scratch).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch, prefix=f"{cell.id}-") as folder:
            _fill(outcome, cell, Path(folder))
    except NotAvailable as error:  # a named data set or a model that is not on this machine
        outcome.row |= {"status": SKIPPED, "error": told(error)}
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            outcome.full = f"{error.strerror}: {error.filename or scratch or tempfile.gettempdir()}"
        outcome.row |= {"status": FAILED, "error": told(error), "traceback": traceback.format_exc()}
    spent = {"seconds": time.time() - begun, "cpu_seconds": time.process_time() - begun_cpu}
    outcome.row |= {name: round(number, 2) for name, number in spent.items()}
    outcome.row |= {"peak_memory_mb": round(_peak(), 1), **_circumstances()}
    return outcome


def told(error: BaseException) -> str:
    """An error on one line: "Type: message"."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")


def failed(cell: Cell, error: str) -> Outcome:
    """The row of a cell whose process could not tell what went wrong."""
    return Outcome({**cell.as_row(), "status": FAILED, "error": error, **_circumstances()})


def _fill(outcome: Outcome, cell: Cell, folder: Path) -> None:
    """Do what the cell asks, and write into the outcome what came of it."""
    asked = Experiment(
        cell.agent,
        cell.env,
        seed=cell.seed,
        steps=cell.steps or None,
        n_envs=cell.n_envs,
        env_kwargs=environment_of(cell, folder / "data"),
        hyperparameters=cell.hyperparameters,
        eval_every=cell.eval_every,  # 0 of baselines: what is fitted in one go is not looked at on its way
        eval_limit=min(cell.limit or VALIDATION, VALIDATION),
    )
    run = train(asked, folder / "run")
    looks = [{k: v for k, v in row.items() if k not in ("seconds", "split", "n")} for row in run.rows()]
    # the first of the best, as `train` keeps it; without looks the last
    last = run.facts()["steps"] if cell.kind == LEARNED else 0
    selected = max(looks, key=lambda look: look["return"])["steps"] if looks else last
    if looks and cell.arm == "constant reward":  # every look is alike there, and the first would be the agent untrained
        selected = looks[-1]["steps"]
        newest = run.checkpoint()
        assert newest is not None
        run.write("model.zip", (newest / "agent.zip").read_bytes())
    _, _, agent = load_run(run.folder)
    options = judged_in(cell)
    judged: dict[str, Evaluation] = {}
    for split in sorted(cell.splits, key=lambda split: split == "train"):  # as many training examples as test examples
        most = judged["test"].n if split == "train" else cell.limit
        judged[split] = evaluate(agent, cell.env, split, options, limit=most)
    outcome.row |= {
        "scores": {split: _scores(found) for split, found in judged.items()},
        "curve": [{name: _short(value) for name, value in look.items()} for look in looks],
        "selected_at": selected,
        "counts": _counts(run, cell),
        "counts_test": _named(judged["test"].spent, int(judged["test"].episodes["length"].sum())),
        "data": {"train": _data(agent)["train"]},
    }
    outcome.episodes = _packed(judged["test"])
    shown = samples(agent, cell.env, options, count=cell.samples) if cell.samples else []
    outcome.samples = {"env": cell.env, "agent": cell.agent, "episodes": shown}


def _scores(found: Evaluation) -> dict[str, Any]:
    numbers = {name: [_short(s.value), _short(s.low), _short(s.high)] for name, s in found.scores.items()}
    return {"n": found.n, **numbers}


def _short(value: float) -> float:
    return round(value, DIGITS) if isinstance(value, float) else value


def _data(agent: Any) -> dict[str, Any]:
    return data_facts(agent.env if hasattr(agent, "env") else agent.get_env())


def _counts(run: Run, cell: Cell) -> dict[str, int | None]:
    """What training took; of the looks at validation nothing is counted."""
    facts = run.facts()
    return _named(facts.get("counts", {}), facts["steps"] if cell.kind == LEARNED else 0)


def _named(spent: dict[str, int], steps: int) -> dict[str, int | None]:
    """All of `COUNTS`, null where nobody counts."""
    return {name: spent.get(name) for name in COUNTS} | {"environment_steps": steps}


def _packed(found: Evaluation) -> bytes:
    """Each test example's numbers as an .npz, in single precision: half a million numbers are two megabytes."""
    arrays = {name: values.astype(np.float32) for name, values in found.episodes.items()}
    arrays |= {f"counts/{name}": counts.astype(np.float32) for name, counts in found.counts.items()}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


@functools.cache
def _circumstances() -> dict[str, Any]:
    return circumstances()


# ---------------------------------------------------------------- memory

PEAK = Path("/proc/self/clear_refs")


def _forget_peak() -> None:
    """Have the system count this process's peak memory anew, where it can (Linux)."""
    if os.access(PEAK, os.W_OK):
        PEAK.write_text("5")


def _peak() -> float:
    """The most memory that this process had since, in MB; where it cannot be counted anew, since it began."""
    if os.access(PEAK, os.W_OK):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
