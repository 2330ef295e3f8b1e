"""Masks: something is always allowed, everybody is told the same, allowed actions are free, forbidden ones harmless."""

from typing import Any

import numpy as np
from gymnasium import spaces

from ._findings import Finding, Findings, check, fault, note, ok, warning
from ._play import NOTHING_ALLOWED, OTHER_MASK, Played, drawn
from ._policies import heeding, trivial
from ._subject import Subject

SECTION = "Masks"
EXACT = 1e-6


@check(SECTION)
def something_is_allowed(subject: Subject) -> Findings:
    """Whether a mask never forbids all, and how much masks forbid."""
    played = subject.uniform
    if not played.masks:
        told = "actions are numbers, which masks do not apply to" if isinstance(subject.space, spaces.Box) else "none"
        yield note("masks", told)
        return
    if times := played.wrong.get(NOTHING_ALLOWED, 0):
        yield fault(
            "masks",
            f"{NOTHING_ALLOWED}: {times} times in {played.masks:,} moments",
            "A masked agent has nothing to choose from there; allow at least one action.",
            times=times,
        )
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
        yield fault(
            "allowed actions",
            f"cost {paid:.3g} as invalid in {len(subject.uniform.returns)} episodes",
            "The mask and the rule that punishes disagree.",
            paid=paid,
        )
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
        there = np.asarray(~masks.all(1))
        taken.append(int(there.sum()))
        return drawn(envs.single_action_space, envs.num_envs, np.where(there[:, None], ~masks, masks), draw)

    try:
        played = subject.played(forbidden)
    except Exception as error:  # whatever the environment raises is the finding
        yield fault(
            "forbidden actions",
            f"end in {type(error).__name__}: {' '.join(str(error).split())}",
            "Agents without masks take them: make it a no-op with a small penalty.",
        )
        return
    yield _harm(subject, played, sum(taken))


def _harm(subject: Subject, played: Played, taken: int) -> Finding:
    """The finding on episodes in which so many forbidden actions were taken."""
    about, declared = "forbidden actions", subject.reward_range
    name, policy = trivial(subject)
    floor = max((subject.uniform, subject.played(heeding(policy))), key=lambda p: p.returns.mean())
    gain = played.returns - floor.returns
    error = float(gain.std() / np.sqrt(len(gain)))
    paid, free = float(played.returns.mean()), float(floor.returns.mean())
    told = f"return {paid:.3f} after {taken:,} of them; the better of uniform and {name} {free:.3f}"
    values = {"forbidden": paid, "allowed": free, "taken": taken}
    if new := [what for what in played.wrong if what not in subject.uniform.wrong]:
        what, times = new[0], played.wrong[new[0]]
        return fault(about, f"lead to {what}: {times} times", "Make it a no-op with a small penalty.", times=times)
    if declared is not None and (played.lowest < declared[0] - EXACT or played.highest > declared[1] + EXACT):
        return fault(
            about,
            f"pay {played.lowest:.3g} to {played.highest:.3g}, outside of the declared range",
            "Declare what they cost.",
            low=played.lowest,
            high=played.highest,
        )
    if played.finished < len(played.ended):
        return warning(about, "can go on for ever", "Let the episode end at the horizon all the same.", **values)
    if gain.mean() > 3 * error + EXACT:
        return warning(about, told, "Ignoring the masks pays: should they be allowed?", **values)
    if subject.ours and not played.invalid.any():
        return note(about, f"{told}; no penalty", "Does the page of the dynamics say so?", **values)
    return ok(about, told, **values)
