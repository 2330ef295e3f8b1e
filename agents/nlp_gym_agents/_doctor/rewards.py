"""What is paid: its range, its spread, whether there is a signal at all, and whether better answers pay more."""

import numpy as np

from ._findings import Findings, check, fault, note, ok, warning
from ._play import REWARD, Played
from ._subject import Subject

SECTION = "Reward"
SPARSE = 0.02  # share of episodes that pay anything, below which a first agent will hardly find out what does
EXACT = 1e-6


@check(SECTION)
def declared_range(subject: Subject) -> Findings:
    """Whether what is paid in a step lies within what is declared."""
    seen = [played for played in (subject.uniform, subject.oracle) if played is not None]
    low, high = min(p.lowest for p in seen), max(p.highest for p in seen)
    if times := sum(p.wrong.get(REWARD, 0) for p in seen):
        yield fault("reward of a step", f"{REWARD}: {times} times", "Find the division or logarithm.", times=times)
    told = f"{low:.4g} to {high:.4g} seen"
    declared = subject.reward_range
    if declared is None:
        yield note("range", f"{told}; none is declared", low=low, high=high)
    elif low < declared[0] - EXACT or high > declared[1] + EXACT:
        yield fault(
            "range",
            f"{told}, {declared[0]:g} to {declared[1]:g} declared",
            "Agents scale and clip by the declared range: declare what is paid, or pay what is declared.",
            low=low,
            high=high,
            declared=list(declared),
        )
    elif not np.isfinite(declared).all():
        yield note(
            "range", f"{told}; the declared one is infinite, as a reward of your own says none", low=low, high=high
        )
    else:
        yield ok(
            "range", f"{told}, within {declared[0]:g} to {declared[1]:g}", low=low, high=high, declared=list(declared)
        )


@check(SECTION)
def signal(subject: Subject) -> Findings:
    """What the uniform policy finds: with no difference between episodes there is nothing to learn from."""
    returns = subject.uniform.returns
    spread, share = float(returns.std()), float((returns != 0).mean())
    told = f"return {returns.mean():.3f} on average, {spread:.3f} standard deviation, {share:.0%} of episodes not 0"
    values = {"mean": float(returns.mean()), "deviation": spread, "share_not_zero": share, "episodes": len(returns)}
    best = subject.oracle
    if not np.isfinite(spread):
        return  # the range says so
    if spread < EXACT and (best is None or best.returns.std() < EXACT and abs(best.returns - returns).max() < EXACT):
        yield fault("signal under uniform", told, "Every episode pays the same: there is nothing to learn.", **values)
    elif share < SPARSE:
        yield warning(
            "signal under uniform",
            told,
            'Pay the metric as it rises (reward="improvement"), or make the task easier at first.',
            **values,
        )
    else:
        yield ok("signal under uniform", told, **values)


@check(SECTION)
def components(subject: Subject) -> Findings:
    """Whether the components in info add up to the reward."""
    env, draw, worst, seen = subject.single(), np.random.default_rng(0), 0.0, 0
    env.reset(seed=0)
    for _ in range(8 if subject.has_model else 40):
        _, reward, terminated, truncated, info = env.step(subject.action(draw))
        if "reward_components" not in info:
            return
        worst, seen = max(worst, abs(reward - sum(info["reward_components"].values()))), seen + 1
        if terminated or truncated:
            env.reset()
    if worst > EXACT:
        yield fault("components", f"do not add up to the reward: {worst:.3g} apart", "One of them is missing in info.")
    else:
        yield ok("components", f"add up to the reward in {seen} steps")


@check(SECTION)
def oracle_above_uniform(subject: Subject) -> Findings:
    """Whether knowing the answer pays: a sign that is flipped anywhere shows here."""
    best, blind = subject.oracle, subject.uniform
    if best is None:
        yield note(
            "oracle", "the environment has none", "oracle_action() of yours would show whether right answers pay."
        )
        return
    gain = best.net - blind.net
    error = float(gain.std() / np.sqrt(len(gain)))
    told = f"the oracle earns {best.net.mean():.3f}, uniform {blind.net.mean():.3f}, before costs"
    values = {"oracle": float(best.net.mean()), "uniform": float(blind.net.mean()), "error": error}
    if gain.mean() < 0 and gain.mean() < -2 * error:
        yield fault("oracle", told, "Right answers pay less than blind ones: is a sign flipped?", **values)
    elif gain.mean() <= 2 * error:
        yield warning(
            "oracle", told, "Knowing the answer hardly pays: is the oracle one, is the reward paid?", **values
        )
    else:
        yield ok("oracle", told, **values)


@check(SECTION)
def better_pays_more(subject: Subject) -> Findings:
    """Whether of two episodes on the same example the one with the higher metric earns more, before costs."""
    if subject.ours and not subject.answers:
        yield note("better answers", "an update is paid by its probe and judged on other texts: the two need not agree")
        return
    if subject.ours and not _pays_the_metric(subject):
        yield note("better answers", "what is paid is not the task's own metric, so the two need not agree")
        return
    agree, pairs = _ordered(subject.uniform, subject.oracle)
    if not pairs:
        yield note("better answers", "no two episodes could be compared: no metric in info, or all answers as good")
        return
    share = agree / pairs
    told = f"pay more in {share:.0%} of {pairs:,} pairs of episodes"
    values = {"share": share, "pairs": pairs}
    if share < 0.5:
        yield fault("better answers", told, "The reward falls as the metric rises: a sign is flipped.", **values)
    elif share < 0.99:
        yield warning("better answers", told, "An agent that climbs the reward will not climb the metric.", **values)
    else:
        yield ok("better answers", told, **values)


def _pays_the_metric(subject: Subject) -> bool:
    episodes = subject.face.episodes
    return episodes.pays_own_metric and set(episodes.reward.terms) <= {"final", "improvement"}


def _ordered(blind: Played, best: Played | None) -> tuple[int, int]:
    """Of how many pairs the better scored earned more, and how many pairs there were."""
    if best is not None and np.array_equal(blind.examples, best.examples):
        first, second = (blind.scores, blind.net), (best.scores, best.net)  # pairs on the same example
    else:
        half = len(blind.scores) // 2
        if (blind.examples >= 0).any() and not (blind.scores[:half] != blind.scores[half : 2 * half]).any():
            return 0, 0
        first = (blind.scores[:half], blind.net[:half])
        second = (blind.scores[half : 2 * half], blind.net[half : 2 * half])
    scores, paid = first[0] - second[0], first[1] - second[1]
    told = np.isfinite(scores) & (np.abs(scores) > EXACT)
    return int((scores[told] * paid[told] > 0).sum()), int(told.sum())
