"""Playing one episode in every row of any vector environment, and keeping what the checks ask about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from nlp_gym_envs.envs import NLPVectorEnv

ENDLESS = 1000  # steps after which an episode whose horizon nobody says counts as endless

Policy = Callable[[Any, "np.ndarray | None", int, np.random.Generator], np.ndarray]
"""Actions (B, ...) for a vector environment, its masks (B, A) or None, the number of the step, random numbers."""


@dataclass
class Played:
    """E episodes; arrays have an entry for each, NaN, -1 or None where the environment does not say."""

    first: np.ndarray  # (E, d) what was seen at the start
    returns: np.ndarray  # (E,)
    costs: np.ndarray  # (E,) what of the returns was taken off as costs, as positive numbers
    invalid: np.ndarray  # (E,) of it, for actions that masks forbid
    lengths: np.ndarray  # (E,)
    scores: np.ndarray  # (E,) the metric at the end
    examples: np.ndarray  # (E,)
    texts: np.ndarray  # (E,) object: what a person would read at the start
    answers: np.ndarray  # (E,) object
    targets: np.ndarray  # (E,) object
    ended: np.ndarray  # (E,) bool
    lowest: float = np.inf  # reward of a step
    highest: float = -np.inf
    masks: int = 0  # moments at which a running row told its mask
    allowed: float = 0.0  # sum over them of the share of actions allowed
    wrong: dict[str, int] = field(default_factory=dict)  # what should never be -> how often it was

    def count(self, what: str, times: int) -> None:
        """Something that should never be was seen so often."""
        if times:
            self.wrong[what] = self.wrong.get(what, 0) + int(times)

    @property
    def net(self) -> np.ndarray:
        """Returns before costs, (E,)."""
        return self.returns + self.costs

    @property
    def finished(self) -> int:
        """How many episodes ended."""
        return int(self.ended.sum())


# what should never be
NOT_FINITE, OUTSIDE = "an observation that is not finite", "an observation outside its space"
REWARD = "a reward that is not finite"
BOTH = "an episode both terminated and truncated"
NOTHING_ALLOWED, OTHER_MASK = "a mask that forbids every action", 'info["action_mask"] and action_masks() differ'


def uniform(envs: Any, masks: np.ndarray | None, step: int, draw: np.random.Generator) -> np.ndarray:
    """Every allowed action equally likely."""
    return drawn(envs.single_action_space, envs.num_envs, masks, draw)


def drawn(space: spaces.Space, rows: int, masks: np.ndarray | None, draw: np.random.Generator) -> np.ndarray:
    """Actions of any space, uniformly, (rows, ...)."""
    if isinstance(space, spaces.Discrete):
        chances = draw.random((rows, int(space.n)))
        if masks is not None and masks.shape == chances.shape:
            chances = np.where(masks, chances, chances - 1.0)  # where all are forbidden, any
        return chances.argmax(1) + int(space.start)
    if isinstance(space, spaces.MultiDiscrete):
        chances = draw.random((rows, int(space.nvec.sum())))
        if masks is not None and masks.shape == chances.shape:
            chances = np.where(masks, chances, chances - 1.0)
        each = np.split(chances, np.cumsum(space.nvec.ravel())[:-1], axis=1)  # coordinate by coordinate
        return np.stack([part.argmax(1) for part in each], axis=1).reshape(rows, *space.shape) + space.start
    if isinstance(space, spaces.Box) and space.is_bounded():
        return (space.low + draw.random((rows, *space.shape)) * (space.high - space.low)).astype(space.dtype)
    batched: Any = batch_space(space, rows)
    batched.seed(int(draw.integers(2**31)))
    return batched.sample()


def always(action: Any) -> Policy:
    """The same action in every row at every step."""
    return lambda envs, *_: np.stack([np.asarray(action)] * envs.num_envs)


def masks_of(envs: Any, infos: Mapping[str, Any]) -> np.ndarray | None:
    """Which actions each row is told to be allowed, (B, A) bool."""
    if isinstance(envs, NLPVectorEnv):
        return envs.action_masks()
    inner = getattr(envs, "envs", [None])[0]
    if inner is not None and hasattr(inner.unwrapped, "action_masks"):
        return np.stack([np.asarray(mask, bool) for mask in envs.call("action_masks")])
    told = infos.get("action_mask")
    return None if told is None or told.dtype == object else np.asarray(told, bool)


def flat(observations: Any, rows: int) -> np.ndarray:
    """Observations as one array of floats, (B, d)."""
    if isinstance(observations, Mapping):
        return np.concatenate([flat(observations[name], rows) for name in sorted(observations)], axis=1)
    if isinstance(observations, tuple):
        return np.concatenate([flat(part, rows) for part in observations], axis=1)
    array = np.asarray(observations)
    return array.reshape(rows, -1).astype(np.float64) if array.dtype.kind in "biuf" else np.zeros((rows, 0))


def alone(observation: Any) -> np.ndarray:
    """One observation as `flat` gives it, (d,)."""
    if isinstance(observation, Mapping):
        return np.concatenate([alone(observation[name]) for name in sorted(observation)])
    if isinstance(observation, tuple):
        return np.concatenate([alone(part) for part in observation])
    array = np.asarray(observation)
    return array.ravel().astype(np.float64) if array.dtype.kind in "biuf" else np.zeros(0)


def play(envs: Any, policy: Policy, seed: int = 0) -> Played:
    """One episode of `policy` in each row; rows that have ended start anew and are not looked at any more."""
    rows = envs.num_envs
    draw = np.random.default_rng(seed)
    observations, infos = envs.reset(seed=seed)
    found = _nothing_yet(observations, infos, rows)
    running = np.ones(rows, bool)
    costs = getattr(envs, "episodes", None) and set(envs.episodes.dynamics.costs)
    limit = envs.horizon if isinstance(envs, NLPVectorEnv) else ENDLESS
    _look(found, envs, observations, running)
    for step in range(limit):
        masks = masks_of(envs, infos)
        _count_masks(found, envs.single_action_space, masks, infos, running)
        actions = policy(envs, masks, step, draw)
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        found.count(BOTH, (terminated & truncated & running).sum())
        _pay(found, rewards, infos, costs or set(), running)
        _look(found, envs, observations, running)
        over = running & (terminated | truncated)
        if over.any():
            _end(found, infos, over, envs.task.metric.name if isinstance(envs, NLPVectorEnv) else None)
        running &= ~over
        if not running.any():
            break
    return found


def _nothing_yet(observations: Any, infos: Mapping[str, Any], rows: int) -> Played:
    zeros, nothing = np.zeros(rows), np.full(rows, None, object)
    examples = infos.get("example", np.full(rows, -1))
    return Played(
        flat(observations, rows).copy(),
        zeros.copy(),
        zeros.copy(),
        zeros.copy(),
        zeros.copy(),
        np.full(rows, np.nan),
        np.array(examples),
        np.array(infos.get("text", nothing), object),
        nothing.copy(),
        nothing.copy(),
        np.zeros(rows, bool),
    )


def _look(found: Played, envs: Any, observations: Any, running: np.ndarray) -> None:
    """Whether what is seen is finite and in its space."""
    finite = np.isfinite(flat(observations, envs.num_envs)).all(1)
    found.count(NOT_FINITE, (~finite & running).sum())
    if finite.all() and not envs.observation_space.contains(observations):
        found.count(OUTSIDE, 1)


def _count_masks(
    found: Played, space: spaces.Space, masks: np.ndarray | None, infos: Mapping[str, Any], running: np.ndarray
) -> None:
    if masks is None or isinstance(space, spaces.Box):
        return
    found.masks += int(running.sum())
    found.allowed += float(masks[running].mean(1).sum())
    each = (
        np.split(masks, np.cumsum(space.nvec.ravel())[:-1], axis=1)
        if isinstance(space, spaces.MultiDiscrete)
        else [masks]
    )
    found.count(NOTHING_ALLOWED, (np.any([~part.any(1) for part in each], axis=0) & running).sum())
    told = infos.get("action_mask")
    if told is not None and told.shape == masks.shape:
        found.count(OTHER_MASK, ((told != masks).any(1) & running).sum())


def _pay(found: Played, rewards: np.ndarray, infos: Mapping[str, Any], costs: set[str], running: np.ndarray) -> None:
    paid = np.asarray(rewards, np.float64)
    finite = np.isfinite(paid)
    found.count(REWARD, (~finite & running).sum())
    if (finite & running).any():
        found.lowest = min(found.lowest, float(paid[finite & running].min()))
        found.highest = max(found.highest, float(paid[finite & running].max()))
    found.returns += np.where(running, paid, 0.0)
    found.lengths += running
    if costs:
        components = infos.get("reward_components", {})
        for name in costs & set(components):
            spent = np.where(running, -components[name], 0.0)
            found.costs += spent
            if name == "invalid":
                found.invalid += spent


def _end(found: Played, infos: Mapping[str, Any], over: np.ndarray, metric: str | None) -> None:
    """What infos tell of episodes that have just ended; without the name of a metric the first counts."""
    found.ended |= over
    metrics = {name: m for name, m in infos.get("episode_metrics", {}).items() if not name.startswith("_")}
    if metrics:
        score = metrics[metric] if metric in metrics else next(iter(metrics.values()))
        found.scores[over] = np.asarray(score, np.float64)[over]
    elif "is_success" in infos:
        found.scores[over] = np.asarray(infos["is_success"], np.float64)[over]
    for name, kept in (("answer", found.answers), ("target", found.targets)):
        if name in infos:
            kept[over] = np.asarray(infos[name], object)[over]
