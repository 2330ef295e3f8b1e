"""Stable-Baselines3: the id by its name, as any other; or through the bridge, 16 rows in one batched environment.

python sb3_ppo.py [ID] [STEPS]
"""

import sys

from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents import evaluate, make_vec_env


def main(env_id: str = "nlp/sentiment-read-v0", steps: int = 20_000) -> None:
    plain = PPO("MlpPolicy", f"nlp_gym_envs:{env_id}", n_steps=128, seed=0, device="cpu")  # the prefix imports us
    plain.learn(min(steps, 1_000))

    rows = make_vec_env(env_id, n_envs=16, seed=0)
    masked = isinstance(rows.action_space, spaces.Discrete)  # masks are for choices
    kind = MaskablePPO if masked else PPO
    agent = kind("MlpPolicy", rows, n_steps=32, batch_size=256, gamma=1.0, seed=0, device="cpu")
    agent.learn(steps)
    print({name: str(score) for name, score in evaluate(agent, env_id, limit=32, num_envs=16).scores.items()})


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
