"""How many steps a second, alone and together, and where the time of a step goes."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ._findings import Findings, check, note, ok, warning
from ._play import masks_of, uniform
from ._subject import Subject

Spent = defaultdict[str, float]  # seconds by what they were spent on

SECTION = "Speed"
ROWS = (1, 16, 256)
SECONDS, LONG = 0.6, 2.0  # for each number of rows; a step that would take longer is not tried
SLOW = 100  # steps a second at the best number of rows, below which a run of 100,000 takes a quarter of an hour


@check(SECTION)
def steps_per_second(subject: Subject) -> Findings:
    """Throughput under the uniform policy, its masks and draws included, infos unread."""
    rates: dict[int, float] = {}
    for rows in ROWS:
        if rates and rows / max(rates.values()) > LONG:
            break
        envs = subject.vector(rows)
        steps, spent = _stepped(envs, SECONDS / (2 if subject.quick else 1))
        rates[rows] = steps * rows / spent
        envs.close()
    told = ", ".join(f"{rate:,.0f} at {rows} row{'s' * (rows > 1)}" for rows, rate in rates.items())
    values = {f"rows_{rows}": round(rate, 1) for rows, rate in rates.items()}
    best = max(rates.values())
    if best < SLOW:
        yield warning(
            "steps a second",
            told,
            f"100,000 steps take {1e5 / best / 3600:.1f} hours: fewer, or a smaller model=, or a GPU.",
            **values,
        )
    else:
        rows = max(rates, key=rates.__getitem__)
        yield ok("steps a second", f"{told}; 100,000 take {1e5 / best:,.0f} s with {rows} rows", **values)


def _stepped(envs: Any, seconds: float, spent: Spent | None = None) -> tuple[int, float]:
    """How many steps were taken, and the seconds they took; with `spent`, which counts from then, infos are read."""
    draw = np.random.default_rng(0)
    _, infos = envs.reset(seed=0)
    envs.step(uniform(envs, masks_of(envs, infos), 0, draw))  # whatever is made at the first step
    if spent is not None:
        spent.clear()
    steps, started = 0, time.perf_counter()
    while steps < 2 or time.perf_counter() - started < seconds:
        came = envs.step(uniform(envs, masks_of(envs, infos), steps, draw))
        infos = came[4]
        if spent is not None:
            len(infos)  # makes them
        steps += 1
    return steps, time.perf_counter() - started


@check(SECTION)
def where_time_goes(subject: Subject) -> Findings:
    """Shares of a step's time at 16 rows, infos read: the model's forward, the rest of the dynamics, what is seen."""
    if not subject.ours:
        return
    envs, spent = subject.vector(16), Spent(float)
    with contextlib.ExitStack() as stack:
        for name, method in (
            ("dynamics", "act"),
            ("dynamics", "begin"),
            ("observation", "observe"),
            ("info", "frozen"),
        ):
            stack.enter_context(_timed(envs.episodes, method, name, spent))
        stack.enter_context(_forwards_timed(spent))
        stack.enter_context(_infos_timed(envs, spent))
        _, whole = _stepped(envs, SECONDS / 2, spent)
    envs.close()
    spent["dynamics"] -= spent["model"]
    spent["policy and face"] = max(whole - sum(spent.values()), 0.0)
    shares = {name: seconds / whole for name, seconds in spent.items() if seconds / whole >= 0.005}
    told = ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items(), key=lambda pair: -pair[1]))
    yield note("where time goes", f"{told}, at 16 rows with infos read", **{k: round(v, 4) for k, v in shares.items()})


@contextlib.contextmanager
def _timed(owner: Any, method: str, name: str, spent: Spent) -> Iterator[None]:
    """Count the time of an object's method."""
    original = getattr(owner, method)

    def call(*args: Any, **keywords: Any) -> Any:
        started = time.perf_counter()
        try:
            return original(*args, **keywords)
        finally:
            spent[name] += time.perf_counter() - started

    setattr(owner, method, call)
    try:
        yield
    finally:
        delattr(owner, method)


@contextlib.contextmanager
def _infos_timed(envs: Any, spent: Spent) -> Iterator[None]:
    """Count the time in which lazy infos are made."""
    original: Callable[..., Any] = envs._infos

    def lazily(*args: Any) -> Any:
        made = original(*args)
        make = made.make

        def counted() -> Any:
            started = time.perf_counter()
            try:
                return make()
            finally:
                spent["info"] += time.perf_counter() - started

        made.make = counted
        return made

    envs._infos = lazily
    try:
        yield
    finally:
        del envs._infos


@contextlib.contextmanager
def _forwards_timed(spent: Spent) -> Iterator[None]:
    """Count the time of the outermost forwards of whatever torch modules there are."""
    from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

    started: list[float] = []

    def before(module: Any, inputs: Any) -> None:
        started.append(time.perf_counter())

    def after(module: Any, inputs: Any, outputs: Any) -> None:
        begun = started.pop()
        if not started:
            spent["model"] += time.perf_counter() - begun

    hooks = (register_module_forward_pre_hook(before), register_module_forward_hook(after, always_call=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
