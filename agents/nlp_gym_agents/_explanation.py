"""Why did it do that? A policy's decisions, and what made the difference: found by intervening, not by looking.

Three questions of each step of an episode, and an experiment for each:

* *What if it had done something else?* Another action is forced there, and the policy goes on: the return.
* *What does it look at?* Each part of the observation is replaced by the same part of other moments: how far the
  policy moves, in total variation (Pearl 2009, "Causality": an intervention, with everything else left as it is).
* *Which words matter?* Each word in turn is left out of the text, and the same actions are played: the probability
  that the action loses (leave-one-out, Li, Monroe and Jurafsky 2016, "Understanding neural networks through
  representation erasure"). Of texts whose answer is a label.

A policy that gives no probabilities, as DQN's, counts as certain of what it does; of real-valued actions the distance
is the mean share of their range that they move.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from nlp_gym_envs.answers import Label
from nlp_gym_envs.episodes import Episodes, assemble
from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.rewards import Reward
from nlp_gym_envs.text.examples import Examples

from ._agents import takes_masks
from ._evaluation import judging
from ._samples import LONGEST, gives_odds
from .best_constant import FACE

MOMENTS = 32  # others, whose parts of the observation are put in
WORDS = 200  # that are left out of a text, at most
MANY = 128  # combinations of a MultiDiscrete action that are looked through, at most
ELSEWHERE = 1_000_003  # added to a seed: of the episodes that other moments are taken from


@dataclass
class Played:
    """One episode as it was played: what was seen, chosen and paid at each step."""

    seed: int
    example: int
    texts: list[str] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)  # observations, without the rows' axis
    masks: list[np.ndarray] = field(default_factory=list)
    odds: list[np.ndarray] = field(default_factory=list)  # of all actions, as `Mind.odds`
    states: list[Any] = field(default_factory=list)  # a recurrent policy's, before the step
    actions: list[Any] = field(default_factory=list)
    names: list[list[str]] = field(default_factory=list)  # of all actions, as the row stood
    rewards: list[float] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)  # at the end: answer, target, metrics

    @property
    def paid(self) -> float:
        """The return."""
        return float(sum(self.rewards))


class Mind:
    """A policy, asked what it does and how likely it was to do anything else."""

    def __init__(self, agent: Any, action_space: spaces.Space) -> None:
        if hasattr(agent, "episodes"):
            raise BadArgument(
                f"{type(agent).__name__} looks into the environment; take an agent that sees observations alone."
            )
        self.agent, self.masked = agent, takes_masks(agent)
        self.actions = _every(action_space)  # (n, ...) where they can be counted, else None
        box = action_space if isinstance(action_space, spaces.Box) else None
        self.width = None if box is None else (box.high - box.low).astype(np.float64)
        self.gives_odds = gives_odds(agent)

    def act(self, seen: Any, masks: np.ndarray, state: Any, first: np.ndarray) -> tuple[np.ndarray, Any]:
        """The best actions (B, ...) and the state afterwards."""
        options = {"action_masks": masks} if self.masked else {}
        return self.agent.predict(seen, state=state, episode_start=first, deterministic=True, **options)

    def odds(self, seen: Any, masks: np.ndarray, state: Any, first: np.ndarray) -> np.ndarray:
        """The probability of each action (B, n); of real-valued actions the best themselves, in shares of the range."""
        if self.actions is None or not self.gives_odds:
            chosen, _ = self.act(seen, masks, state, first)
            if self.actions is None:
                return np.asarray(chosen, np.float64).reshape(len(chosen), -1) / self._widths(chosen)
            flat = chosen.reshape(len(chosen), 1, -1) == self.actions.reshape(1, len(self.actions), -1)
            return flat.all(2).astype(np.float64)
        import torch

        policy, rows = self.agent.policy, len(first)
        with torch.no_grad():
            tensor, _ = policy.obs_to_tensor(seen)
            distribution = policy.get_distribution(tensor, **({"action_masks": masks} if self.masked else {}))
            found = [distribution.log_prob(torch.as_tensor(np.repeat(a[None], rows, 0))) for a in self.actions]
        return torch.stack(found, 1).exp().double().numpy()

    def counted(self) -> np.ndarray:
        """All actions, where they can be counted."""
        assert self.actions is not None
        return self.actions

    def _widths(self, chosen: np.ndarray) -> np.ndarray:
        width = np.ones(chosen.shape[1:]) if self.width is None else self.width
        return np.where(np.isfinite(width), width, 1.0).reshape(1, -1)

    def distance(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """How far policies are apart, (B,): total variation, 0 to 1; of real-valued actions their mean distance."""
        apart = np.abs(one - other)
        return apart.mean(1) if self.actions is None else apart.sum(1) / 2


def explain(
    agent: Any,
    env_id: str,
    split: str = "test",
    env_kwargs: Mapping[str, Any] | None = None,
    episodes: int = 3,
    alternatives: int = 2,
    seed: int = 0,
) -> dict[str, Any]:
    """`agent`'s decisions in some episodes of a split drawn by `seed`, explained by interventions; as plain values.

    `episodes`: a list of `example`, `answer`, `target`, `return`, `metrics`, `words` (None where words cannot be left
    out) and `steps`: `text`, `action` in words, its `probability`, `reward`, `instead` (the likeliest `alternatives`
    with their probability and the return that they would have led to), `parts` (name -> distance) and `words` (what the
    action's probability loses without each). `parts` holds the means over all steps. Raises BadArgument.
    """
    for name, value in (("episodes", episodes), ("alternatives", alternatives)):
        if not isinstance(value, int) or value < (name == "episodes"):
            raise BadArgument(f"{name} must be a whole number of at least {int(name == 'episodes')}, got {value!r}.")
    options = judging(env_kwargs, split, "random")
    env, found = _rows(env_id, 1, options), []
    mind = Mind(agent, env.single_action_space)
    played = play(mind, env_id, options, seed + np.arange(episodes))
    others = _moments(mind, env_id, options, seed)
    returns = _returns(mind, env_id, options, _forced(mind, played, alternatives))
    for number, one in enumerate(played):
        words, lost = words_left_out(mind, env, options, one)
        steps = []
        for at, action in enumerate(one.actions):
            odds, names, instead = one.odds[at], one.names[at], returns.get((number, at), [])
            counted = mind.actions is not None
            told: dict[str, Any] = {"text": one.texts[at], "reward": round(one.rewards[at], 6)}
            told["action"] = names[_index(mind, action)] if counted else env.episodes.dynamics.meaning(action)
            told["probability"] = round(float(odds[_index(mind, action)]), 4) if counted else None
            told["instead"] = [
                {"action": names[other], "probability": round(float(odds[other]), 4), "return": round(paid, 6)}
                for other, paid in instead
            ]
            told["parts"] = _parts(mind, env.episodes, one, at, others)
            told["words"] = None if lost is None else [round(float(value), 4) for value in lost[at]]
            steps.append(told)
        found.append({"example": one.example, **one.told, "return": round(one.paid, 6), "words": words, "steps": steps})
    every = [step["parts"] for episode in found for step in episode["steps"]]
    parts = {name: round(float(np.mean([one[name] for one in every])), 4) for name in (every[0] if every else {})}
    return {"env": env_id, "split": split, "seed": seed, "gives_odds": mind.gives_odds, "parts": parts,
            "episodes": found}  # fmt: skip


def play(mind: Mind, env_id: str, options: Mapping[str, Any], seeds: np.ndarray) -> list[Played]:
    """An episode of each seed, side by side, each as its seed alone makes it."""
    env = _rows(env_id, len(seeds), options)
    found: list[Played] = []

    def keep(step: int, rows: np.ndarray, seen: Any, masks: np.ndarray, state: Any) -> None:
        odds = mind.odds(seen, masks, state, np.full(len(seeds), step == 0))
        for row, text in zip(rows.tolist(), games.dynamics.texts(rows), strict=True):
            one = found[row]
            one.seen.append(_one(seen, row))
            one.masks.append(masks[row].copy())
            one.odds.append(odds[row])
            one.states.append(_of(state, row))
            one.texts.append(str(text))
            one.names.append(
                [games.dynamics.meaning(action, row) for action in mind.counted()] if mind.actions is not None else []
            )

    games = env.episodes
    _begin(games, seeds)
    found += [Played(int(s), int(e)) for s, e in zip(seeds, games.dynamics.example, strict=True)]
    for rows, actions, rewards in _steps(mind, games, keep):
        for row, action, reward in zip(rows.tolist(), actions, rewards, strict=True):
            found[row].actions.append(action)
            found[row].rewards.append(float(reward))
    end = games.info_at_end(np.arange(len(seeds)))
    for row, one in enumerate(found):
        metrics = {name: round(float(values[row]), 6) for name, values in end["episode_metrics"].items()}
        target = [str(text) for text in end["target"][row]]
        one.told = {"answer": str(end["answer"][row]), "target": target, "metrics": metrics}
    return found


def _returns(
    mind: Mind, env_id: str, options: Mapping[str, Any], forced: list[tuple[int, int, int, Played]]
) -> dict[tuple[int, int], list[tuple[int, float]]]:
    """(episode, step) -> the actions that were forced there, and the return of each with the policy going on."""
    found: dict[tuple[int, int], list[tuple[int, float]]] = {}
    if not forced:
        return found
    games = _rows(env_id, len(forced), options).episodes
    _begin(games, np.array([one.seed for *_, one in forced]))
    paid, actions = np.zeros(len(forced)), mind.counted()

    def wanted(row: int, step: int) -> Any:
        _, at, action, one = forced[row]
        return one.actions[step] if step < at else actions[action] if step == at else None

    for rows, _, rewards in _steps(mind, games, wanted=wanted):
        paid[rows] += rewards
    for (number, at, action, _), value in zip(forced, paid.tolist(), strict=True):
        found.setdefault((number, at), []).append((action, value))
    return found


def _forced(mind: Mind, played: list[Played], alternatives: int) -> list[tuple[int, int, int, Played]]:
    """(episode, step, action, episode as played): the likeliest other actions that were allowed."""
    if mind.actions is None or not alternatives:
        return []
    found = []
    for number, one in enumerate(played):
        for at, action in enumerate(one.actions[:LONGEST]):
            odds = np.where(_allowed(mind, one.masks[at]), one.odds[at], -1.0)
            odds[_index(mind, action)] = -1.0
            best = np.argsort(-odds, kind="stable")[:alternatives]
            found += [(number, at, int(other), one) for other in best if odds[other] >= 0]
    return found


def _parts(mind: Mind, games: Episodes, one: Played, at: int, others: list[Any]) -> dict[str, float]:
    """How far the policy moves where a part of what it sees is another moment's, in the mean over moments."""
    seen, count, found = one.seen[at], len(others), {}
    for name, place in _places(games).items():
        if isinstance(seen, dict):
            given: Any = {key: np.repeat(value[None], count, 0) for key, value in seen.items()}
            given[name] = np.stack([other[name] for other in others])
        else:
            given = np.repeat(seen[None], count, 0)
            given[:, place] = np.stack([other[place] for other in others])
        masks, state = np.repeat(one.masks[at][None], count, 0), _copies(one.states[at], count)
        after = mind.odds(given, masks, state, np.full(count, at == 0))
        found[name] = round(float(mind.distance(one.odds[at], after).mean()), 4)
    return found


def words_left_out(
    mind: Mind, env: Any, options: Mapping[str, Any], one: Played
) -> tuple[list[str] | None, np.ndarray | None]:
    """The words of the text, and what the probability of each step's action loses without each, (steps, words).

    None, None where the text is not one whose words can be left out: it has other columns, or the answer is no label.
    """
    dynamics, task = env.episodes.dynamics, env.task
    if not isinstance(task.answer, Label) or not dynamics.answers_examples or set(task.examples.columns) != {"text"}:
        return None, None
    every = str(task.examples["text"][one.example]).split()
    words = every[:WORDS]
    if len(every) < 2:
        return None, None
    texts = [" ".join([*every[:at], *every[at + 1 :]]) for at in range(len(words))]
    target = np.repeat(task.examples.target[one.example], len(texts))
    games = _of_texts(env, options, replace(task, examples=Examples({"text": texts}, target, task.examples.labels)))
    _begin(games, np.full(len(texts), one.seed))
    lost, steps = np.zeros((len(one.actions), len(words))), len(one.actions)

    def keep(step: int, rows: np.ndarray, seen: Any, masks: np.ndarray, state: Any) -> None:
        odds, action = mind.odds(seen, masks, state, np.full(len(texts), step == 0)), _index(mind, one.actions[step])
        lost[step, rows] = one.odds[step][action] - odds[rows, action]

    for _ in zip(range(steps), _steps(mind, games, keep, lambda _, step: one.actions[step]), strict=False):
        pass
    return words, lost


# -------------------------------------------------------------------- episodes


def _rows(env_id: str, count: int, options: Mapping[str, Any]) -> Any:
    return gym.make_vec(env_id, num_envs=count, vectorization_mode="vector_entry_point", **options).unwrapped


def _of_texts(env: Any, options: Mapping[str, Any], task: Any) -> Episodes:
    """Episodes on a task of one's own making, one for each of its examples, under an id's dynamics and keywords."""
    given = {**env.spec.kwargs, **options}
    others = {*inspect.signature(assemble).parameters, *FACE}
    own = {name: value for name, value in given.items() if name not in others}
    moves = type(env.episodes.dynamics)(task, len(task.examples), **own)
    return Episodes(moves, Reward(given.get("reward"), moves), len(task.examples), "sequential",
                    given.get("observation", "vector"))  # fmt: skip


def _begin(games: Episodes, seeds: np.ndarray) -> None:
    rows = np.arange(len(seeds))
    games.streams.seed(rows, seeds)
    games.restart()
    games.begin(rows)


def _steps(mind: Mind, games: Episodes, keep: Any = None, wanted: Any = None) -> Any:
    """Play until all rows have ended: rows (R,), their actions and rewards, step by step.

    `keep(step, rows, seen, masks, state)` looks on beforehand; `wanted(row, step)` is an action to take, or None for
    the policy's own.
    """
    every, running, state = np.arange(games.num_rows), np.ones(games.num_rows, bool), None
    for step in range(games.dynamics.horizon + 1):
        rows = np.flatnonzero(running)
        if not len(rows):
            return
        seen, masks = games.observe(every), games.dynamics.masks(every)
        if keep is not None:
            keep(step, rows, seen, masks, state)
        actions, state = mind.act(seen, masks, state, np.full(games.num_rows, step == 0))
        actions = np.array(actions)
        if wanted is not None:
            for row in rows.tolist():
                action = wanted(row, step)
                actions[row] = actions[row] if action is None else action
        rewards, over, _ = games.act(rows, actions[rows])
        running[rows[over]] = False
        yield rows, actions[rows], rewards


def _moments(mind: Mind, env_id: str, options: Mapping[str, Any], seed: int) -> list[Any]:
    """What is seen at moments of other episodes, one of each."""
    games, draw = _rows(env_id, MOMENTS, options).episodes, np.random.default_rng(seed)
    seen_by: list[list[Any]] = [[] for _ in range(MOMENTS)]

    def keep(_: int, rows: np.ndarray, seen: Any, *__: Any) -> None:
        for row in rows.tolist():
            seen_by[row].append(_one(seen, row))

    _begin(games, seed + ELSEWHERE + np.arange(MOMENTS))
    for _ in _steps(mind, games, keep):
        pass
    return [seen[int(draw.integers(len(seen)))] for seen in seen_by]


# -------------------------------------------------------------------- small things


def _every(space: spaces.Space) -> np.ndarray | None:
    """All actions (n,) or (n, k); None where they cannot be counted, or are too many."""
    if isinstance(space, spaces.Discrete):
        return np.arange(int(space.start), int(space.start) + int(space.n))
    if isinstance(space, spaces.MultiDiscrete) and np.prod(space.nvec) <= MANY:
        return np.stack(np.meshgrid(*(np.arange(n) for n in space.nvec), indexing="ij"), -1).reshape(
            -1, len(space.nvec)
        )
    return None


def _index(mind: Mind, action: Any) -> int:
    actions = mind.counted()
    return int(np.flatnonzero((actions.reshape(len(actions), -1) == np.ravel(action)).all(1))[0])


def _allowed(mind: Mind, mask: np.ndarray) -> np.ndarray:
    """Which of all actions a mask allows, (n,): of MultiDiscrete it is coordinate after coordinate."""
    actions = mind.counted()
    if actions.ndim == 1:
        return mask.astype(bool)
    begins = np.cumsum([0, *(actions.max(0) + 1)[:-1]])  # of each coordinate
    return np.asarray(mask[begins + actions].all(1))


def _places(games: Episodes) -> dict[str, Any]:
    """Where each part of the observation is: a slice of the vector; whole where it is not made of parts."""
    if games.words is not None:
        return {"words": slice(None)}
    found, begin = {}, 0
    for name, part in games.dynamics.parts.items():
        found[name] = slice(begin, begin + part.shape[0])
        begin += part.shape[0]
    return found


def _one(seen: Any, row: int) -> Any:
    return {name: part[row].copy() for name, part in seen.items()} if isinstance(seen, dict) else seen[row].copy()


def _of(state: Any, row: int) -> Any:
    """A row's part of a recurrent policy's state."""
    return None if state is None else tuple(part[:, row : row + 1].copy() for part in state)


def _copies(state: Any, count: int) -> Any:
    return None if state is None else tuple(np.repeat(part, count, 1) for part in state)
