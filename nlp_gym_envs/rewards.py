"""Ways of paying out a task's metric: at the end, or as it rises; weighted, with the dynamics' costs taken off.

A reward is a sum of named terms, each a function of a `Step` that gives (B,) numbers. Your own term is any such
function, named by its dotted name: `reward={"final": 1.0, "my_package.rewards.brevity": 0.1}`.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import cast

import numpy as np

from .dynamics._base import Dynamics
from .errors import BadArgument, UnknownName
from .lookup import did_you_mean, from_dotted


class Step:
    """What a reward may look at: one action in each of `rows`, just taken."""

    def __init__(
        self,
        dynamics: Dynamics,
        rows: np.ndarray,
        actions: np.ndarray,
        costs: dict[str, np.ndarray],
        before: np.ndarray,
    ) -> None:
        self.dynamics, self.rows, self.actions, self.costs = dynamics, rows, actions, costs
        self.before = before  # (B,) the metric as it stood, where a term asked for it
        self.over = dynamics.over(rows)  # (B,) bool
        self.all_over = bool(self.over.all())

    @cached_property
    def after(self) -> np.ndarray:
        """The metric of each episode as it stands now, (B,) in [0, 1]."""
        return self.dynamics.outcome(self.rows)

    @cached_property
    def final(self) -> np.ndarray:
        """The metric of each episode that has just ended, (B,) in [0, 1]; 0 in the others, where it is not computed."""
        if self.all_over:
            return self.after
        ended = np.zeros(len(self.rows))
        if self.over.any():
            ended[self.over] = self.dynamics.outcome(self.rows[self.over])
        return ended


Term = Callable[[Step], np.ndarray]


def final(step: Step) -> np.ndarray:
    """The metric at the end of an episode, 0 before: between what its 0 and its 1 are worth to the dynamics."""
    low, high = step.dynamics.pays
    paid = low + (high - low) * step.final
    return paid if step.all_over else np.where(step.over, paid, 0.0)


def improvement(step: Step) -> np.ndarray:
    """The rise of the metric with every action; it adds up to `final`, but for what the start was worth."""
    low, high = step.dynamics.pays
    return (high - low) * (step.after - step.before)


def constant(step: Step) -> np.ndarray:
    """What a perfect answer is worth, for every answer: the control that teaches nothing about the task."""
    return np.where(step.over, step.dynamics.pays[1], 0.0)


TERMS: dict[str, Term] = {"final": final, "improvement": improvement, "constant": constant}


def register_reward(name: str, term: Term) -> None:
    """Make a term available under `name` in this process."""
    TERMS[name] = term


class Reward:
    """A weighted sum of terms, less the dynamics' costs; every component keeps its name."""

    def __init__(self, spec: str | Term | Mapping[str, float] | None, dynamics: Dynamics) -> None:
        weights = {name: 1.0 for name in dynamics.costs}  # a cost counts once unless the spec weighs it
        self.terms: dict[str, tuple[float, Term]] = {}
        if spec is None:
            spec = dynamics.reward
        if callable(spec):
            name = getattr(spec, "__name__", type(spec).__name__)
            if name in weights:
                raise BadArgument(f"a reward cannot be called {name!r}: a cost of {dynamics.name} has that name.")
            self.terms[name] = (1.0, spec)
        else:
            for name, weight in ({spec: 1.0} if isinstance(spec, str) else dict(spec)).items():
                if not isinstance(weight, int | float) or not np.isfinite(weight):
                    raise BadArgument(f"the weight of the reward {name!r} must be a finite number, got {weight!r}.")
                if name in weights:
                    weights[name] = float(weight)
                else:
                    self.terms[name] = (float(weight), find_term(name, dynamics))
        self.weights = weights
        self.needs_standing = any(term not in (final, constant) for _, term in self.terms.values())
        self.range = self._range(dynamics)

    def __call__(self, step: Step) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The reward of each row, (B,) float64, and its components by name, which add up to it."""
        components = {name: weight * self._paid(name, term, step) for name, (weight, term) in self.terms.items()}
        for name, amount in step.costs.items():
            components[name] = 0.0 - self.weights[name] * amount  # 0, not -0, where nothing was spent
        return sum(components.values(), np.zeros(len(step.rows))), components

    def _paid(self, name: str, term: Term, step: Step) -> np.ndarray:
        if term in (final, improvement):
            return term(step)
        paid = np.asarray(term(step), dtype=np.float64)
        if paid.shape != (len(step.rows),) or not np.isfinite(paid).all():
            raise BadArgument(
                f"the reward {name!r} must give a finite number for each of {len(step.rows)} rows, "
                f"got shape {paid.shape}: {paid.ravel()[:4]}."
            )
        return paid

    def _range(self, dynamics: Dynamics) -> tuple[float, float]:
        """Bounds of one step's reward; infinite where a term of the user's own takes part."""
        low, high = dynamics.pays
        bounds: dict[Term, tuple[float, float]] = {
            final: (min(low, 0.0), max(high, 0.0)),
            improvement: (low - high, high - low),
            constant: (min(high, 0.0), max(high, 0.0)),
        }
        least = most = 0.0
        for weight, term in self.terms.values():
            a, b = bounds.get(term, (-np.inf, np.inf))
            ends = (weight * a, weight * b) if weight else (0.0, 0.0)
            least, most = least + min(ends), most + max(ends)
        for name, amount in dynamics.costs.items():
            least, most = least - max(self.weights[name], 0) * amount, most - min(self.weights[name], 0) * amount
        return float(least), float(most)


def find_term(name: str, dynamics: Dynamics) -> Term:
    """The term called `name`, or the function at a dotted name. Raises UnknownName, with what there is."""
    if name in TERMS:
        return TERMS[name]
    if "." in name:
        term = from_dotted(name, "REWARD", "reward")
        if not callable(term):
            raise BadArgument(f"the reward at {name!r} must be a function of a step, got {type(term).__name__}.")
        return cast(Term, term)
    known = (*TERMS, *dynamics.costs)
    raise UnknownName(
        f"no reward {name!r}{did_you_mean(name, known)} There are: {', '.join(known)}. "
        "Your own goes by its dotted name, 'my_package.my_reward'."
    )
