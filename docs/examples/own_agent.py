"""Your own agent: whatever has Stable-Baselines3's `predict` can be judged beside the others.

A subclass of Stable-Baselines3's `BaseAlgorithm` is trained by the command line, too, by its dotted name:
nlp-gym train --agent my_package.MyPPO --env nlp/sentiment-label-v0
"""

import sys

import numpy as np

from nlp_gym_agents import evaluate, make_vec_env


class GradientBandit:
    """Linear preferences for the actions, moved by the reward less its running mean. For one-step games."""

    def __init__(self, env, learning_rate: float = 0.05, seed: int | None = None) -> None:
        self.env, self.learning_rate = env, learning_rate
        self.draw = np.random.default_rng(seed)
        self.weights = np.zeros((env.observation_space.shape[0], env.action_space.n))  # (d, A)
        self.usual = 0.0  # the running mean of rewards

    def probabilities(self, observations: np.ndarray) -> np.ndarray:
        """(B, A)"""
        preferences = observations @ self.weights / np.sqrt(len(self.weights))
        preferences = np.exp(preferences - preferences.max(axis=1, keepdims=True))
        return preferences / preferences.sum(axis=1, keepdims=True)

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        """Actions (B,) for observations (B, d), or one for one."""
        chances = self.probabilities(np.atleast_2d(observation))
        if deterministic:
            actions = chances.argmax(axis=1)
        else:
            actions = (chances.cumsum(axis=1) < self.draw.random((len(chances), 1))).sum(axis=1)
            actions = np.minimum(actions, chances.shape[1] - 1)  # a sum may fall short of 1 by rounding
        return (actions if np.ndim(observation) > 1 else actions[0]), state

    def learn(self, total_timesteps: int) -> "GradientBandit":
        """Plain REINFORCE with a baseline; `env` is an SB3 VecEnv, so it resets its rows by itself."""
        observations = self.env.reset()
        for _ in range(total_timesteps // self.env.num_envs):
            actions, _ = self.predict(observations)
            after, rewards, _, _ = self.env.step(actions)
            chosen = np.eye(self.weights.shape[1])[actions]
            gain = (rewards - self.usual)[:, None] * (chosen - self.probabilities(observations))  # (B, A)
            self.weights += self.learning_rate * observations.T @ gain
            self.usual += 0.01 * (rewards.mean() - self.usual)
            observations = after
        return self


def main(steps: int = 60_000) -> None:
    env_id = "nlp/sentiment-label-v0"
    agent = GradientBandit(make_vec_env(env_id, n_envs=32, seed=0), seed=0)
    print("before", evaluate(agent, env_id).scores["accuracy"])
    print("after", evaluate(agent.learn(steps), env_id).scores["accuracy"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60_000)
