"""Your own reward: a term beside the task's metric, which charges an answer for every word that was read.

From the command line the same function goes by its dotted name, with this file's folder on PYTHONPATH:
nlp-gym train --agent ppo --env nlp/sentiment-read-v0 --set 'reward={"final": 1, "own_reward.haste": 0.2}'
"""

import gymnasium as gym
import numpy as np

import nlp_gym_envs


def haste(step) -> np.ndarray:
    """1 for an episode that ends with nothing read, down to 0 for one that read all; 0 while it goes on. (B,)"""
    unread = 1.0 - step.dynamics.metrics(step.rows)["fraction_read"]
    return np.where(step.over, unread, 0.0)


def main() -> None:
    nlp_gym_envs.register_reward("haste", haste)  # or nothing at all, and its dotted name below
    env = gym.make("nlp/sentiment-read-v0", reward={"final": 1.0, "haste": 0.2, "reading": 0.0})
    env.reset(seed=0)
    _, reward, _, _, info = env.step(0)  # answers at once
    print(reward, info["reward_components"])  # every component by its name; they add up to the reward


if __name__ == "__main__":
    main()
