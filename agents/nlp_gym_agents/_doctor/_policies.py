"""Policies that understand nothing: the trivial baseline of an environment, and all that should not beat it."""

from typing import Any

import numpy as np
from gymnasium import spaces

from nlp_gym_envs.envs import NLPVectorEnv

from ._play import Policy, always, uniform
from ._subject import Subject

MOST_CONSTANT = 12  # actions that are tried one by one


def trivial(subject: Subject) -> tuple[str, Policy]:
    """The trivial policy that belongs to an environment, and its name."""
    if subject.labelled and subject.moves.name in ("label", "read"):
        return "the commonest label", always(int(np.bincount(subject.task.train.target).argmax()))
    if subject.ours and subject.moves.name in ("choices", "span"):
        return "the first choice", lambda envs, masks, *_: _masks(masks).argmax(1)
    if subject.ours and hasattr(subject.moves, "candidates"):
        return "greedy", _likeliest
    if subject.ours and subject.moves.name == "readwrite":
        return "read all, then write", lambda envs, *_: envs.oracle_actions()
    if subject.ours and not subject.answers and not isinstance(subject.space, spaces.MultiBinary):
        nothing = np.zeros(subject.space.shape, subject.space.dtype)  # no move, or the first action, which is STOP
        return "no update", always(nothing)
    return "uniform", uniform


def degenerate(subject: Subject) -> dict[str, Policy]:
    """What can be done without looking: constant actions, and what a writer can do wrong."""
    space, found = subject.space, {}
    if isinstance(space, spaces.Box):
        if not space.is_bounded():
            return {"always 0": always(np.zeros(space.shape, space.dtype))}
        middle = ((space.low + space.high) / 2).astype(space.dtype)
        return {
            "always the lowest": always(space.low),
            "always the middle": always(middle),
            "always the highest": always(space.high),
        }
    if isinstance(space, spaces.MultiDiscrete):
        return {"always the first": always(space.start), "always the last": always(space.start + space.nvec - 1)}
    if not isinstance(space, spaces.Discrete):
        return {}
    if subject.ours and hasattr(subject.moves, "candidates"):
        return {
            "nothing, at once": _stop,
            "as long as can be": _on_and_on,
            "one token again and again": _again,
            "the last candidate": _last_allowed,
        }
    actions, meanings = subject.actions, subject.meanings
    for at in sorted({*range(min(len(actions), MOST_CONSTANT - 1)), len(actions) - 1}):
        found[f"always {meanings[at]!r}"] = always(actions[at])
    found["by turns"] = lambda envs, masks, step, draw: np.full(envs.num_envs, actions[step % len(actions)])
    if subject.uniform.masks:
        found["the last that is allowed"] = _last_allowed
    return found


def heeding(policy: Policy) -> Policy:
    """The same policy, but the first action that is allowed wherever it wants one that is not."""

    def heeds(envs: Any, masks: np.ndarray | None, step: int, draw: np.random.Generator) -> np.ndarray:
        actions, there, start = policy(envs, masks, step, draw), _masks(masks), int(envs.single_action_space.start)
        return np.where(there[np.arange(len(there)), actions - start], actions, there.argmax(1) + start)

    return heeds


def _masks(masks: np.ndarray | None) -> np.ndarray:
    assert masks is not None
    return masks


def _last_allowed(envs: Any, masks: np.ndarray | None, step: int, draw: Any) -> np.ndarray:
    there = _masks(masks)
    return there.shape[1] - 1 - there[:, ::-1].argmax(1) + int(envs.single_action_space.start)


# ---------------------------------------------------------------- writers, who choose among a model's candidates


def _best(envs: NLPVectorEnv, among: np.ndarray) -> np.ndarray:
    moves: Any = envs.episodes.dynamics
    return np.where(among & moves.allowed, moves.log_p, -np.inf).argmax(1)


def _likeliest(envs: Any, *_: Any) -> np.ndarray:
    return _best(envs, np.ones_like(envs.episodes.dynamics.allowed))


def _stop(envs: Any, *_: Any) -> np.ndarray:
    moves = envs.episodes.dynamics
    return (moves.candidates == moves.model.end).argmax(1)


def _on_and_on(envs: Any, *_: Any) -> np.ndarray:
    moves = envs.episodes.dynamics
    return _best(envs, moves.candidates != moves.model.end)


def _again(envs: Any, *_: Any) -> np.ndarray:
    moves = envs.episodes.dynamics
    last = moves.written[np.arange(envs.num_envs), np.maximum(moves.length - 1, 0)]
    same = (moves.candidates == last[:, None]) & moves.allowed
    return np.where(same.any(1), same.argmax(1), _likeliest(envs))
