"""Episodes of an agent, told step by step: what it could read, what it did and how sure it was, what it was paid."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from ._agents import takes_masks
from ._evaluation import judging

COUNT = 4  # episodes
LONGEST = 200  # steps that are told of one


def samples(
    agent: Any, env_id: str, env_kwargs: Mapping[str, Any], split: str = "test", count: int = COUNT
) -> list[dict[str, Any]]:
    """The first `count` episodes of a split as `agent` plays them at its best, with masks where it takes them."""
    env = gym.make(env_id, disable_env_checker=True, **judging(env_kwargs, split))
    before = getattr(agent, "env", None)
    looks_inside = hasattr(agent, "episodes")  # a baseline
    try:
        if looks_inside:
            agent.set_env(env)
        return [_episode(agent, env, seed=0 if number == 0 else None) for number in range(count)]
    finally:
        if looks_inside:
            agent.set_env(before)
        env.close()


def _episode(agent: Any, env: Any, seed: int | None) -> dict[str, Any]:
    """One episode as plain values."""
    observation, info = env.reset(seed=seed)
    told: dict[str, Any] = {"example": int(info["example"]), "text": info["text"], "steps": []}
    state, first, over, paid = None, True, False, 0.0
    while not over:
        masks = np.asarray(env.unwrapped.action_masks()) if takes_masks(agent) else None
        options = {} if masks is None else {"action_masks": masks}
        starts = np.array([first])
        action, state = agent.predict(observation, state=state, episode_start=starts, deterministic=True, **options)
        step = {
            "text": info["text"],
            "action": _plain(action),
            "meaning": env.unwrapped.episodes.dynamics.meaning(action, 0),
        }
        step["probability"] = probability(agent, observation, action, masks)
        observation, reward, terminated, truncated, info = env.step(action)
        step |= {"reward": _short(reward), "components": {k: _short(v) for k, v in info["reward_components"].items()}}
        told["steps"].append(step)
        first, over, paid = False, terminated or truncated, paid + float(reward)
    told["text"] = max(told["text"], info["text"], key=len)  # of a reader, all that it read
    told["steps"] = told["steps"][:LONGEST]
    told |= {"answer": str(info["answer"]), "target": [str(text) for text in info["target"]], "return": _short(paid)}
    return {**told, "metrics": {name: _short(value) for name, value in info["episode_metrics"].items()}}


def probability(agent: Any, observation: Any, action: Any, masks: np.ndarray | None) -> float | None:
    """How likely the policy was to take a discrete action; None of policies that give no probabilities."""
    import torch

    if not (isinstance(getattr(agent, "action_space", None), gym.spaces.Discrete) and gives_odds(agent)):
        return None
    policy = agent.policy
    with torch.no_grad():
        seen, _ = policy.obs_to_tensor(observation)
        options = {} if masks is None else {"action_masks": masks[None]}
        distribution = policy.get_distribution(seen, **options)
        log = distribution.log_prob(torch.as_tensor(np.asarray(action).reshape(1)))
    return round(float(log.exp()[0]), 4)


def _plain(action: Any) -> Any:
    """An action as JSON holds it."""
    return np.asarray(action).tolist()


def _short(value: Any) -> float:
    return round(float(value), 6)


def gives_odds(agent: Any) -> bool:
    """Whether a policy tells how likely each action is from what it sees alone; a recurrent one has a memory, too."""
    policy: Any = getattr(agent, "policy", None)
    return hasattr(policy, "get_distribution") and not hasattr(policy, "lstm_actor")
