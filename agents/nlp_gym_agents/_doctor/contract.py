"""What everybody who uses an environment relies on: Gymnasium's and Stable-Baselines3's rules, and the suite's own."""

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

from ._compare import digest
from ._findings import Findings, check, fault, note, ok, warning
from ._play import BOTH, NOT_FINITE, OUTSIDE
from ._subject import Subject

SECTION = "Contract"
STEPS, OF_MODELS = 30, 6  # of a trajectory that is compared with another
AT_START = ("text", "example", "action_mask")
AT_END = ("episode_metrics", "answer", "target", "is_success")


@check(SECTION)
def gymnasium_check(subject: Subject) -> Findings:
    """Gymnasium's own checker."""
    from gymnasium.utils.env_checker import check_env

    yield _by("Gymnasium's check_env", lambda: check_env(subject.single().unwrapped, skip_render_check=True))


@check(SECTION)
def sb3_check(subject: Subject) -> Findings:
    """Stable-Baselines3's."""
    from stable_baselines3.common.env_checker import check_env

    yield _by("SB3's check_env", lambda: check_env(subject.single().unwrapped))


def _by(about: str, look: Callable[[], Any]) -> Any:
    """What somebody else's checker says: what it raises is a fault, what it warns of is a warning."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            look()
        except Exception as error:  # a checker may raise anything, and whatever the environment raises passes through
            return fault(about, f"{type(error).__name__}: {_line(error)}", "Agents will stumble over this: mend it.")
    said = list(dict.fromkeys(_line(each.message) for each in told if issubclass(each.category, UserWarning)))
    if said:
        more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
        return warning(about, f"{said[0]}{more}", "Mend it, or know why it may stand.", warnings=said)
    return ok(about, "nothing to say")


def _line(message: Any) -> str:
    line = " ".join(str(message).replace("\x1b[33m", "").replace("\x1b[0m", "").split())
    return line.removeprefix("WARN: ")


@check(SECTION)
def observations(subject: Subject) -> Findings:
    """Whether observations are finite, in their space, and tell anything at all."""
    wrong, steps = subject.uniform.wrong, int(subject.uniform.lengths.sum())
    for what in (NOT_FINITE, OUTSIDE):
        if times := wrong.get(what, 0):
            todo = (
                "A single NaN ruins a network for good; find the division or logarithm."
                if what == NOT_FINITE
                else ("Clip it, or declare the bounds and dtype that it has.")
            )
            yield fault("observations", f"{what}: {times} times in {steps:,} steps", todo, times=times)
    if not set(wrong) & {NOT_FINITE, OUTSIDE}:
        yield ok("observations", f"finite and within their space in {steps:,} steps")
    first = subject.uniform.first
    if first.shape[1]:
        moving = float((np.ptp(first, axis=0) > 0).mean()) if np.isfinite(first).all() else 1.0
        if moving == 0 and not subject.fixed_instance:
            yield warning(
                "what is seen at the start",
                f"the same in all {len(first)} episodes",
                "An agent cannot tell one example from another; is the text encoded?",
                moving=moving,
            )


@check(SECTION)
def infos(subject: Subject) -> Findings:
    """Whether info has what a person, a report and the other checks want to know."""
    env = subject.single()
    _, start = env.reset(seed=0)
    missing = [name for name in AT_START if name not in start and (name != "action_mask" or subject.masked)]
    over, info, draw = False, start, np.random.default_rng(0)
    for _ in range(getattr(subject.face, "horizon", 1000)):
        _, _, terminated, truncated, info = env.step(subject.action(draw))
        over = terminated or truncated
        if over:
            break
    missing += [name for name in AT_END if over and name not in info]
    if not missing:
        yield ok("info", f"has {', '.join((*AT_START, *AT_END))} where they belong")
    elif subject.ours:
        yield fault("info", f"lacks {', '.join(missing)}", "Reports and evaluation read them.", missing=missing)
    else:
        yield note(
            "info",
            f"lacks {', '.join(missing)}",
            "With them the doctor sees more: metrics, answers, texts.",
            missing=missing,
        )


@check(SECTION)
def ends(subject: Subject) -> Findings:
    """Whether episodes end, one way."""
    played = subject.uniform
    limit = getattr(subject.face, "horizon", None)
    if times := played.wrong.get(BOTH, 0):
        yield fault("episode ends", f"{BOTH}: {times} times", "Truncation is for limits outside of the game.")
    if played.finished < len(played.ended):
        running, longest = len(played.ended) - played.finished, f"{played.lengths.max():,.0f} steps"
        if limit is not None:
            yield fault("episode ends", f"{running} episodes run on beyond the horizon, {longest}", "Declare it right.")
        else:
            yield warning(
                "episode ends",
                f"{running} of {len(played.ended)} episodes had not ended after {longest}",
                "Give the id max_episode_steps.",
            )
    elif BOTH not in played.wrong:
        yield ok("episode ends", f"{played.lengths.mean():.1f} steps on average, {played.lengths.max():.0f} at most")


@check(SECTION)
def meanings(subject: Subject) -> Findings:
    """Whether every action has a name of its own."""
    if not subject.discrete or not hasattr(subject.face, "action_meanings"):
        return
    names = subject.meanings
    if len(names) != len(subject.actions) or len(set(names)) != len(names):
        yield fault(
            "action_meanings",
            f"{len(set(names))} different names for {len(subject.actions)} actions",
            "One name for each action: people play by them.",
        )
    else:
        yield ok("action_meanings", f"{len(names)} actions: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}")


@check(SECTION)
def spec_in_json(subject: Subject) -> Findings:
    """Whether what made the environment can be written down and read again."""
    env = subject.single()
    about, todo = "spec as JSON", "Register an entry point by name, 'module:Class', with plain keywords."
    try:
        again = EnvSpec.from_json(env.spec.to_json())
    except (ValueError, TypeError, AttributeError) as error:
        yield warning(about, f"cannot be written: {_line(error)}", todo)
        return
    if again != env.spec:
        yield warning(about, "comes back as another one", todo)
    elif digest(list(_steps(subject, env, 10))) != digest(list(_steps(subject, gym.make(again), 10))):
        yield fault(about, "the environment made of it plays differently", "Everything that matters must be a keyword.")
    else:
        yield ok(about, "comes back, and plays the same")


@check(SECTION)
def duplicates(subject: Subject) -> Findings:
    """Whether copies and pickles go on as the original does."""
    for about, duplicate in (("pickle", lambda env: pickle.loads(pickle.dumps(env))), ("deep copy", copy.deepcopy)):
        env = subject.single()
        list(_steps(subject, env, 5))
        env.reset()
        try:
            twin = duplicate(env)
        except Exception as error:  # what __getstate__ and __deepcopy__ may raise is anybody's
            told = f"impossible: {type(error).__name__}: {_line(error)}"
            yield (fault if subject.ours else warning)(about, told, "Subprocesses and checkpoints need it.")
            continue
        if digest(list(_steps(subject, env, None))) == digest(list(_steps(subject, twin, None))):
            yield ok(about, "goes on as the original does")
        else:
            yield fault(about, "goes on in another way than the original", "Keep all state, random numbers too.")


def _steps(subject: Subject, env: Any, count: int | None) -> Iterator[Any]:
    """What some steps give, resets among them, the first seeded; without a count: go on."""
    draw = np.random.default_rng(0)
    if count is not None:
        yield env.reset(seed=3)
    for _ in range((OF_MODELS if subject.has_model else STEPS) if count is None else count):
        came = env.step(subject.action(draw))
        yield came
        if came[2] or came[3]:
            yield env.reset()
