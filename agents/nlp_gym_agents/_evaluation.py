"""Judging an agent: every example of a split once, corpus scores with intervals."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np

from nlp_gym_envs.metrics._base import Metric

from ._agents import takes_masks

REPETITIONS = 1000  # of the bootstrap
LEVEL = 0.95  # of the intervals


@dataclass(frozen=True)
class Score:
    """A number with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Evaluation:
    """What an agent did on every example of a split, in the examples' order.

    `answers` and `targets` (N,) as the task's form of answer stores them (label indices, texts); where an episode
    changes a model, both are what `info["answer"]` says of it, and the scores are means over episodes.
    `episodes` name -> (N,): "return", "length" and each episode's metrics.
    `scores` has the corpus metrics, the means of what is counted by episode, and their 95 % bootstrap intervals over
    examples; `counts` what each example adds to each corpus metric, name -> (N, s); `spent` what it took of the
    environment's model.
    """

    env_id: str
    split: str
    scores: dict[str, Score]
    episodes: dict[str, np.ndarray]
    answers: np.ndarray
    targets: np.ndarray
    counts: dict[str, np.ndarray] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many examples."""
        return len(self.answers)

    def as_json(self) -> dict[str, Any]:
        """One flat object: each score, its interval, n."""
        scores = {name: {"value": s.value, "low": s.low, "high": s.high} for name, s in self.scores.items()}
        return {"env": self.env_id, "split": self.split, "n": self.n, "level": LEVEL, "scores": scores}


def evaluate(
    agent: Any,
    env_id: str,
    split: str = "test",
    env_kwargs: Mapping[str, Any] | None = None,
    num_envs: int = 256,
    limit: int | None = None,
    seed: int = 0,
    intervals: bool = True,
) -> Evaluation:
    """Run `agent`, which has SB3's `predict`, once over every example of `split` (or the first `limit`).

    Actions are the policy's best (`deterministic=True`); masks are given to agents that take them.
    """
    options = judging(env_kwargs, split)
    env = _rows_of(env_id, min(num_envs, limit or num_envs), options)
    total = min(env.episodes.size, limit or env.episodes.size)
    if total < env.num_envs and not env.episodes.dynamics.answers_examples:
        env = _rows_of(env_id, total, options)  # a step of a model in vain costs what any other costs
    if hasattr(agent, "episodes"):  # a baseline looks into the environment it acts in
        before, agent_env = agent.env, env
        agent.set_env(agent_env)
        try:
            found = _run(agent, env, total, seed)
        finally:
            agent.set_env(before)
    else:
        found = _run(agent, env, total, seed)
    task = env.task
    scores: dict[str, Score] = {}
    counts: dict[str, np.ndarray] = {}
    answers = targets = found.pop("answer")
    if env.episodes.dynamics.answers_examples:
        judged = task.examples if total == len(task.examples) else task.examples.first(total)
        answers, targets = task.answer.parse_all(answers, judged), judged.target
        counts = {name: metric.counts(answers, targets) for name, metric in task.metrics.items()}
        scores = {name: corpus_score(task.metrics[name], counts[name], seed, intervals) for name in counts}
    for name, values in found.items():
        if name not in scores:
            scores[name] = mean_score(values, seed, intervals)
    spent = counted(env.episodes)
    env.close()
    return Evaluation(env_id, split, scores, found, answers, targets, counts, spent)


def judging(env_kwargs: Mapping[str, Any] | None, split: str, order: str = "sequential") -> dict[str, Any]:
    """Keywords of an environment in which agents are looked at: shaping is for learning, the task itself pays here."""
    options = {**(env_kwargs or {}), "split": split, "order": order}
    if options.get("reward") == "improvement":
        del options["reward"]
    return options


def counted(episodes: Any) -> dict[str, int]:
    """What an environment's model has computed since it was made, where the dynamics counts it: forward passes, tokens.

    A dynamics of your own tells with a mapping `spent`, as {"forward_passes": 3, "backward_passes": 1}.
    """
    dynamics = episodes.dynamics
    decoding = getattr(dynamics, "decoding", None)
    own = {"forward_passes": decoding.forwards, "tokens": decoding.positions} if decoding is not None else {}
    return {name: int(number) for name, number in {**own, **getattr(dynamics, "spent", {})}.items()}


def _rows_of(env_id: str, num_envs: int, options: Mapping[str, Any]) -> Any:
    return gym.make_vec(
        env_id, num_envs=num_envs, vectorization_mode="vector_entry_point", autoreset_mode="SameStep", **options
    ).unwrapped


def _run(agent: Any, env: Any, total: int, seed: int) -> dict[str, Any]:
    """Each example's answer, return, length and episode metrics, in the examples' order."""
    masked = takes_masks(agent)
    found: dict[str, Any] = {
        "answer": np.full(total, None, object),
        "return": np.zeros(total),
        "length": np.zeros(total),
    }
    seen = np.zeros(total, bool)
    paid, steps = np.zeros(env.num_envs), np.zeros(env.num_envs)
    observations, _ = env.reset(seed=seed)
    state, started = None, np.ones(env.num_envs, bool)
    while not seen.all():
        options = {"action_masks": env.action_masks()} if masked else {}
        actions, state = agent.predict(observations, state=state, episode_start=started, deterministic=True, **options)
        observations, rewards, terminated, truncated, infos = env.step(actions)
        paid += rewards
        steps += 1
        started = terminated | truncated
        if started.any():
            last = infos["final_info"]
            rows = np.flatnonzero(started)
            rows_first = rows[(last["epoch"][rows] == 0) & (last["example"][rows] < total)]
            examples = last["example"][rows_first]
            seen[examples] = True
            found["answer"][examples] = last["answer"][rows_first]
            found["return"][examples], found["length"][examples] = paid[rows_first], steps[rows_first]
            for name, values in last["episode_metrics"].items():
                if not name.startswith("_"):
                    found.setdefault(name, np.zeros(total))[examples] = values[rows_first]
            paid[rows], steps[rows] = 0, 0
    return found


def corpus_score(metric: Metric, counts: np.ndarray, seed: int, interval: bool = True) -> Score:
    """The metric of the whole corpus from the counts of its answers (N, s), with a bootstrap interval over examples."""
    value = float(metric.score(counts.sum(0)))
    if not interval:
        return Score(value, value, value)
    resampled = metric.score(_weights(len(counts), seed) @ counts)  # (R,)
    return Score(value, *_percentiles(resampled))


def mean_score(values: np.ndarray, seed: int, interval: bool = True) -> Score:
    """The mean over episodes, with its bootstrap interval."""
    value = float(values.mean())
    if not interval:
        return Score(value, value, value)
    return Score(value, *_percentiles(_weights(len(values), seed) @ values / len(values)))


@functools.lru_cache(maxsize=1)  # the metrics of one evaluation share it
def _weights(n: int, seed: int) -> np.ndarray:
    """How often each of n examples is drawn in each resample, (R, n)."""
    generator = np.random.default_rng(seed)
    repetitions = max(100, min(REPETITIONS, int(1e8) // n))  # bounds the memory at 400 MB
    weights = np.zeros((repetitions, n), np.float32)
    for row in weights:
        row += np.bincount(generator.integers(n, size=n), minlength=n)
    return weights


def _percentiles(resampled: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
