"""Masks: something is always allowed, everybody is told the same, allowed actions are free, forbidden ones harmless."""

from typing import Any

import numpy as np
from gymnasium import spaces

from ._findings import Findings, check, fault, note, ok, warning
from ._play import NOTHING_ALLOWED, OTHER_MASK, Played, drawn
from ._subject import Subject

SECTION = "Masks"


@check(SECTION)
def something_is_allowed(subject: Subject) -> Findings:
    """Whether a mask never forbids all, and how much masks forbid."""
    played = subject.uniform
    if not played.masks:
        told = "actions are numbers, which masks do not apply to" if isinstance(subject.space, spaces.Box) else "none"
        yield note("masks", told)
        return
    if times := played.wrong.get(NOTHING_ALLOWED, 0):
        yield fault("masks", f"{NOTHING_ALLOWED}: {times} times in {played.masks:,} moments",
                    "A masked agent has no action to draw there; allow at least one that ends the episode.", times=times)  # fmt: skip
    else:
        share = played.allowed / played.masks
        yield ok("masks", f"allow {share:.0%} of the actions on average, and always one", allowed=share)


@check(SECTION)
def told_alike(subject: Subject) -> Findings:
    """Whether info and the method say the same."""
    if not subject.uniform.masks:
        return
    if times := subject.uniform.wrong.get(OTHER_MASK, 0):
        yield fault("info and method", f"{OTHER_MASK}: {times} times", "Compute the mask once, after the step.")
    elif subject.masked:
        yield ok("info and method", f"say the same in {subject.uniform.masks:,} moments")


@check(SECTION)
def allowed_actions_are_free(subject: Subject) -> Findings:
    """Whether an agent that heeds masks never pays for an invalid action."""
    if not (subject.ours and subject.uniform.masks):
        return
    paid = float(subject.uniform.invalid.sum())
    if paid > 0:
        yield fault("allowed actions", f"cost {paid:.3g} as invalid in {len(subject.uniform.returns)} episodes",
                    "The mask and the rule that punishes disagree.", paid=paid)  # fmt: skip
    else:
        yield ok("allowed actions", "never cost anything as invalid")


@check(SECTION)
def forbidden_actions_do_no_harm(subject: Subject) -> Findings:
    """What happens to an agent that ignores masks: a penalty, or nothing; and never a gain."""
    if not (subject.uniform.masks and subject.discrete) or subject.uniform.allowed == subject.uniform.masks:
        return
    taken: list[int] = []

    def forbidden(envs: Any, masks: np.ndarray | None, step: int, draw: np.random.Generator) -> np.ndarray:
        """A forbidden action wherever there is one."""
        assert masks is not None
        there = ~masks.all(1)
        taken.append(int(there.sum()))
        return drawn(envs.single_action_space, envs.num_envs, np.where(there[:, None], ~masks, masks), draw)

    try:
        played = subject.played(forbidden)
    except Exception as error:  # whatever the environment raises is the finding
        yield fault("forbidden actions", f"end in {type(error).__name__}: {' '.join(str(error).split())}",
                    "Agents without masks take them: make it a no-op with a small penalty.")  # fmt: skip
        return
    yield _harm(subject, played, sum(taken))


def _harm(subject: Subject, played: Played, taken: int) -> Any:
    """The finding on episodes in which so many forbidden actions were taken."""
    declared = subject.reward_range
    gain = played.returns - subject.uniform.returns
    error = float(gain.std() / np.sqrt(len(gain)))
    told = f"return {played.returns.mean():.3f} by forbidden actions, {subject.uniform.returns.mean():.3f} by allowed ones"
    values = {"forbidden": float(played.returns.mean()), "allowed": float(subject.uniform.returns.mean())}
    if played.wrong:
        what, times = next(iter(played.wrong.items()))
        return fault("forbidden actions", f"lead to {what}: {times} times", "Make it a no-op.", times=times)
    if declared is not None and (played.lowest < declared[0] - 1e-6 or played.highest > declared[1] + 1e-6):
        return fault("forbidden actions", f"pay {played.lowest:.3g} to {played.highest:.3g}, outside of the range",
                     "Declare what they cost.")  # fmt: skip
    if played.finished < len(played.ended):
        return warning("forbidden actions", "can go on for ever", "Let the episode end at the horizon all the same.")
    if gain.mean() > 3 * error and gain.mean() > 1e-6:
        return warning("forbidden actions", told, "Ignoring the masks pays: should they be allowed?", **values)
    if subject.ours and not (played.invalid > 0).any():
        return note("forbidden actions", f"{told}; no penalty", "Does the page of the dynamics say so?", **values)
    return ok("forbidden actions", f"{told}, after {taken:,} of them", **values)
