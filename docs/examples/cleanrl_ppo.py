"""Proximal policy optimisation in one file, in the manner of CleanRL: as its users would write it for an id of ours.

python cleanrl_ppo.py [ID] [STEPS]
"""

import sys

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import nn
from torch.distributions import Categorical, Distribution, Independent, Normal

import nlp_gym_envs  # noqa: F401  registers the ids


def layer(inputs: int, outputs: int, scale: float = 2**0.5) -> nn.Linear:
    made = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(made.weight, scale)
    nn.init.zeros_(made.bias)
    return made


class Agent(nn.Module):
    """Two small nets; actions are categories of a Discrete space, or points around a mean in a Box."""

    def __init__(self, envs: gym.vector.VectorEnv) -> None:
        super().__init__()
        self.space = envs.single_action_space
        continuous = isinstance(self.space, spaces.Box)
        inputs = envs.single_observation_space.shape[0]
        outputs = self.space.shape[0] if continuous else int(self.space.n)
        self.critic = nn.Sequential(layer(inputs, 64), nn.Tanh(), layer(64, 1, 1.0))
        self.actor = nn.Sequential(layer(inputs, 64), nn.Tanh(), layer(64, outputs, 0.01))
        self.log_scale = nn.Parameter(torch.zeros(outputs)) if continuous else None

    def policy(self, observations: torch.Tensor) -> Distribution:
        seen = self.actor(observations)
        if self.log_scale is None:
            return Categorical(logits=seen)
        return Independent(Normal(seen, self.log_scale.exp()), 1)

    def taken(self, actions: torch.Tensor) -> np.ndarray:
        """As the environment takes them: a point beyond the Box is moved to its edge."""
        found = actions.numpy()
        return found if self.log_scale is None else np.clip(found, self.space.low, self.space.high)


def train(
    envs: gym.vector.VectorEnv,
    total_steps: int = 8_192,
    rollout: int = 32,
    epochs: int = 4,
    minibatches: int = 4,
    learning_rate: float = 3e-3,
    gamma: float = 0.99,
    trace: float = 0.95,
    clip: float = 0.2,
    entropy_weight: float = 0.01,
    seed: int = 1,
) -> list[float]:
    """Train an agent; the returns of finished episodes, in order. Same-step auto-reset: no step is a mere reset."""
    torch.manual_seed(seed)
    n, agent = envs.num_envs, Agent(envs)
    optimiser = torch.optim.Adam(agent.parameters(), lr=learning_rate, eps=1e-5)
    observation, _ = envs.reset(seed=seed)
    observation, done = torch.as_tensor(observation), torch.zeros(n)
    returns: list[float] = []
    for _ in range(total_steps // (rollout * n)):
        steps = []
        for _ in range(rollout):
            with torch.no_grad():
                chosen = agent.policy(observation)
                action, value = chosen.sample(), agent.critic(observation).flatten()
            after, reward, terminated, truncated, infos = envs.step(agent.taken(action))
            steps.append((observation, action, chosen.log_prob(action), value, torch.as_tensor(reward).float(), done))
            observation, done = torch.as_tensor(after), torch.as_tensor(terminated | truncated).float()
            if "episode" in infos:
                returns += infos["episode"]["r"][infos["_episode"]].tolist()
        observations, actions, log_probabilities, values, rewards, dones = map(torch.stack, zip(*steps, strict=True))
        with torch.no_grad():  # generalised advantage estimation
            next_value, advantage = agent.critic(observation).flatten(), torch.zeros(n)
            advantages, alive = torch.zeros_like(rewards), 1 - done
            for t in reversed(range(rollout)):
                error = rewards[t] + gamma * next_value * alive - values[t]
                advantages[t] = advantage = error + gamma * trace * alive * advantage
                next_value, alive = values[t], 1 - dones[t]
        flat = [
            part.flatten(0, 1) for part in (observations, actions, log_probabilities, advantages, advantages + values)
        ]
        for _ in range(epochs):
            for index in torch.randperm(rollout * n).chunk(minibatches):
                seen, taken, before, gain, target = (part[index] for part in flat)
                chosen = agent.policy(seen)
                ratio = (chosen.log_prob(taken) - before).exp()
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                policy_loss = torch.max(-gain * ratio, -gain * ratio.clamp(1 - clip, 1 + clip)).mean()
                value_loss = (agent.critic(seen).flatten() - target).square().mean() / 2
                loss = policy_loss + 0.5 * value_loss - entropy_weight * chosen.entropy().mean()
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimiser.step()
    return returns


def main(env_id: str = "nlp/sentiment-label-v0", steps: int = 200_000) -> None:
    made = gym.make_vec(env_id, num_envs=32, autoreset_mode="SameStep")
    found = train(gym.wrappers.vector.RecordEpisodeStatistics(made), steps)
    tenth = max(len(found) // 10, 1)
    print(f"return at first {np.mean(found[:tenth]):.3f}, at last {np.mean(found[-tenth:]):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
