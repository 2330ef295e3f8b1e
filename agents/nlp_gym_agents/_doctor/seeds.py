"""Seeds, rows and splits: what is repeated is the same, what is drawn anew is not, and no row knows of another."""

import random
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from nlp_gym_envs.errors import BadArgument, BadData

from ._compare import digest
from ._findings import Findings, check, fault, note, ok, warning
from ._play import alone, drawn, flat
from ._subject import Subject

SECTION = "Seeds and rows"
ROWS = 4
SEEDS = 8
STEPS, OF_MODELS = 40, 8
MOST = 400  # examples of a split that are counted one by one


def _length(subject: Subject) -> int:
    return OF_MODELS if subject.has_model else STEPS // (2 if subject.quick else 1)


def _trajectory(subject: Subject, seed: int, steps: int) -> Iterator[Any]:
    """What the single face gives under random actions, the same for every seed."""
    env, draw = subject.single(), np.random.default_rng(0)
    yield env.reset(seed=seed)
    for _ in range(steps):
        came = env.step(subject.action(draw))
        yield came
        if came[2] or came[3]:
            yield env.reset()


@check(SECTION)
def seeds(subject: Subject) -> Findings:
    """Whether a seed repeats everything, and other seeds give something else."""
    steps = _length(subject)
    if digest(list(_trajectory(subject, 5, steps))) != digest(list(_trajectory(subject, 5, steps))):
        yield fault(
            "a seed", f"does not repeat {steps} steps", "Draw everything from self.np_random, or from the seed."
        )
    else:
        yield ok("a seed", f"repeats {steps} steps")
    env, starts = subject.single(), set()
    first = env.reset(seed=5)
    env.step(subject.action(np.random.default_rng(0)))
    if digest(env.reset(seed=5)) != digest(first):
        yield fault("a seed again", "begins differently after another episode", "Reset all state in reset().")
    for seed in range(SEEDS):
        starts.add(digest([env.reset(seed=seed), env.reset(), env.reset()]))
    told = f"{len(starts)} different beginnings from {SEEDS} seeds"
    if subject.fixed_instance:
        yield note("other seeds", f'{told}: instance="fixed" means that')
    elif len(starts) == 1:
        yield fault("other seeds", told, "The seed is ignored: every run would see the same episodes.", starts=1)
    elif len(starts) < SEEDS // 2:
        yield warning("other seeds", told, "Very few different episodes.", starts=len(starts))
    else:
        yield ok("other seeds", told, starts=len(starts))


@check(SECTION)
def global_generators(subject: Subject) -> Findings:
    """Whether nobody else's random numbers are spent."""
    import torch

    def state() -> str:
        numbers = np.random.get_state()  # noqa: NPY002
        return digest([random.getstate(), numbers, torch.get_rng_state().numpy()])

    before = state()
    list(_trajectory(subject, 5, _length(subject)))
    if state() != before:
        yield warning(
            "global generators",
            "are spent or seeded by a step",
            "Draw from the environment's own generator: this one is also the agent's.",
        )
    else:
        yield ok("global generators", "are left alone")


@check(SECTION)
def rows_are_single_faces(subject: Subject) -> Findings:
    """Whether row i of the vector face, seeded s, is the single face seeded s + i."""
    apart = _apart(subject, subject.vector(ROWS), [subject.single() for _ in range(ROWS)])
    if apart:
        blame = warning if _has_a_face_of_its_own(subject) else fault
        yield blame("row i = single face", apart, "State that rows share, or a draw that depends on the other rows.")
    else:
        yield ok(
            "row i = single face", f"rows seeded s are single faces seeded s + i: {ROWS}, {_length(subject)} steps"
        )


def _has_a_face_of_its_own(subject: Subject) -> bool:
    """Whether somebody else wrote a vector face, whose rows may draw from one stream: Gymnasium promises no more."""
    return not subject.ours and gym.spec(subject.env_id).vector_entry_point is not None


def _apart(subject: Subject, envs: Any, faces: list[Any]) -> str:
    """Where a vector face and single faces come apart under the same random actions; "" if nowhere."""
    draw = np.random.default_rng(1)
    observations, _ = envs.reset(seed=11)
    singles = [face.reset(seed=11 + row)[0] for row, face in enumerate(faces)]
    done = np.zeros(ROWS, bool)
    for step in range(_length(subject) + 1):
        for row, (ours, theirs) in enumerate(zip(flat(observations, ROWS), map(alone, singles), strict=True)):
            if not _same(ours, theirs, subject.near):
                return f"row {row} sees something else after {step} steps"
        actions = drawn(subject.space, ROWS, None, draw)
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        for row, face in enumerate(faces):
            if done[row]:  # its next episode starts in this step
                singles[row], done[row] = face.reset()[0], False
                continue
            singles[row], reward, *ends, _ = face.step(actions[row])
            done[row] = any(ends)
            if not _same(reward, rewards[row], max(subject.near, 1e-9)):
                return f"row {row} after {step + 1} steps is paid {rewards[row]:.4g}, alone {reward:.4g}"
            if ends != [terminated[row], truncated[row]]:
                return f"row {row} ends after {step + 1} steps in one of them only"
    return ""


def _same(ours: Any, theirs: Any, near: float) -> bool:
    """Equal, but for rounding to float32."""
    return np.shape(ours) == np.shape(theirs) and np.allclose(ours, theirs, rtol=1e-6, atol=near, equal_nan=True)


@check(SECTION)
def rows_do_not_matter_to_each_other(subject: Subject) -> Findings:
    """Whether what the other rows do changes anything in one of them."""
    mine, came = np.random.default_rng(2), []
    actions = [drawn(subject.space, 1, None, mine) for _ in range(_length(subject))]
    for others in (3, 4):
        envs, draw = subject.vector(ROWS), np.random.default_rng(others)
        frames = [flat(envs.reset(seed=11)[0], ROWS)[0]]
        for action in actions:
            taken = np.concatenate([action, drawn(subject.space, ROWS - 1, None, draw)])
            observations, *told, _ = envs.step(taken)
            frames.append(np.concatenate([flat(observations, ROWS)[0], [float(part[0]) for part in told]]))
        envs.close()
        came.append(frames)
    apart = [step for step, pair in enumerate(zip(*came, strict=True)) if not _same(pair[0], pair[1], subject.near)]
    if apart:
        blame = warning if _has_a_face_of_its_own(subject) else fault
        yield blame(
            "rows alone",
            f"row 0 changes with what the other rows do, first in step {apart[0]}",
            "Index all state by row; nothing may be shared but what no step changes.",
        )
    else:
        yield ok("rows alone", f"what {ROWS - 1} rows do changes nothing in the other, for {len(actions)} steps")


@check(SECTION)
def evaluation_counts_every_example_once(subject: Subject) -> Findings:
    """Whether the validation split gives each example exactly once, in order, on both faces."""
    if not subject.ours:
        return
    try:
        env = subject.single(split="validation")
    except (BadArgument, BadData) as error:
        yield note("validation", f"there is none: {' '.join(str(error).split())}")
        return
    size = env.unwrapped.episodes.size  # examples, or instances
    asked = min(size + 2, ROWS * 3 if subject.has_model else MOST)
    given = [env.reset(seed=4 if number == 0 else None)[1]["example"] for number in range(asked)]
    envs = subject.on("validation", min(size, ROWS * 3))
    together = envs.reset(seed=4)[1]["example"].tolist()
    envs.close()
    if given != [number % size for number in range(asked)] or together != list(range(len(together))):
        yield fault(
            "validation",
            f"gives the examples {given[:6]}..., and {together[:6]}... in {len(together)} rows",
            "A score is over every example once: give them out in order.",
        )
    else:
        yield ok(
            "validation",
            f"gives each of {size:,} examples once ({min(asked, size):,} of them counted)",
            size=size,
        )
