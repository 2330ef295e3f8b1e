"""Cells side by side: in processes of this machine, or on a Ray cluster; what came of each, as it finishes."""

import contextlib
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from nlp_gym_envs.errors import BadArgument

from ._plan import Cell
from ._results import Outcome

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1") | {"TOKENIZERS_PARALLELISM": "false"}
Begun = Callable[[Cell], None]


def cores() -> int:
    """How many processes can run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """A process that takes a cell, tells what came of it, and takes the next."""

    def __init__(self, scratch: str) -> None:
        spawning = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads and locks
        self.pipe, theirs = spawning.Pipe()
        self.process = spawning.Process(target=_work, args=(theirs, scratch), daemon=True)
        before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(ONE_THREAD)  # libraries read them when they are loaded: they must be there at the start
        try:
            self.process.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        theirs.close()
        self.cell: Cell | None = None

    def take(self, cell: Cell) -> None:
        """Work on a cell."""
        self.cell = cell
        with contextlib.suppress(OSError):  # it has just died: `outcome` tells
            self.pipe.send(cell)

    def outcome(self) -> Outcome:
        """What came of the cell; of a process that died over it, a row that says so."""
        from ._cells import failed

        assert self.cell is not None
        cell, self.cell = self.cell, None
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            how = f"signal {-code} (9 is also how the system ends what takes too much memory)" if code < 0 else code
            return failed(cell, f"ProcessEnded: the process that worked on it ended with {how}.")

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _work(pipe: Connection, scratch: str) -> None:
    """What a worker does until nothing more comes. It ends with the process that started it, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
    quiet()
    from ._cells import run_cell

    while True:
        try:
            cell = pipe.recv()
        except EOFError:
            return
        pipe.send(run_cell(cell, scratch))


def quiet() -> None:
    """One thread, and no warnings of libraries between the lines of the progress."""
    import warnings

    import torch

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")


def in_processes(cells: Sequence[Cell], count: int, scratch: str, begun: Begun) -> Iterator[Outcome]:
    """What comes of the cells, in the order in which they finish, from `count` processes."""
    if count < 1:
        raise BadArgument(f"--workers must be at least 1, or 'ray', got {count}.")
    waiting, opened = deque(cells), set[str]()
    workers = [_Worker(scratch) for _ in range(min(count, len(cells)))]
    try:
        while waiting or any(worker.cell for worker in workers):
            for place, worker in enumerate(workers):
                if worker.cell is None and waiting:
                    if not worker.process.is_alive():
                        worker.end()
                        workers[place] = worker = _Worker(scratch)
                    worker.take(_next(waiting, {w.cell.env for w in workers if w.cell}, opened))
                    begun(worker.cell)  # pyright: ignore[reportArgumentType]
            busy: dict[Any, _Worker] = {worker.pipe: worker for worker in workers if worker.cell}
            for pipe in wait(list(busy)):
                outcome = busy[pipe].outcome()
                opened.add(outcome.row["env"])
                yield outcome
    finally:
        for worker in workers:
            worker.end()


def _next(waiting: deque[Cell], busy: set[str], opened: set[str]) -> Cell:
    """The next cell, if possible of no id whose first cell is still in flight: it is filling that id's caches."""
    chosen = next((cell for cell in waiting if cell.env in opened or cell.env not in busy), waiting[0])
    waiting.remove(chosen)
    return chosen


def here(cells: Sequence[Cell], scratch: str, begun: Begun) -> Iterator[Outcome]:
    """The same in this process, one after the other: for debuggers."""
    from ._cells import run_cell

    for cell in cells:
        begun(cell)
        yield run_cell(cell, scratch)


def on_ray(cells: Sequence[Cell], begun: Begun) -> Iterator[Outcome]:
    """The same on Ray, one core a cell: the cluster that RAY_ADDRESS names, else this machine."""
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise BadArgument("Ray is not installed: pip install 'nlp-gym-envs[ray]'.") from error
    from ._cells import failed, told

    ray.init(ignore_reinit_error=True, log_to_driver=False, runtime_env={"env_vars": ONE_THREAD})
    run = ray.remote(num_cpus=1, max_retries=0)(_remotely)
    flying = {run.remote(cell): cell for cell in cells}
    for cell in cells:
        begun(cell)
    try:
        while flying:
            for reference in ray.wait(list(flying))[0]:
                cell = flying.pop(reference)
                try:
                    yield ray.get(reference)
                except ray.exceptions.RayError as error:  # pyright: ignore[reportAttributeAccessIssue]
                    yield failed(cell, told(error))
    finally:
        ray.shutdown()


def _remotely(cell: Cell) -> Outcome:
    from ._cells import run_cell

    quiet()
    return run_cell(cell)
