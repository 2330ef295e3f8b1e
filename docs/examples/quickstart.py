"""Ten minutes in one file: play an episode, train PPO, judge it on held-out texts beside what costs nothing."""

import sys

import gymnasium as gym
from stable_baselines3 import PPO

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents import evaluate, make_vec_env


def main(steps: int = 100_000) -> None:
    env_id = "nlp/sentiment-label-v0"

    env = gym.make(env_id, render_mode="ansi")
    observation, info = env.reset(seed=0)
    print(info["text"])  # what a person would read; the agent sees `observation`, 512 numbers
    observation, reward, terminated, truncated, info = env.step(1)  # "positive"
    print(env.render())
    print("paid", reward, "because the target was", info["target"])

    rows = make_vec_env(env_id, n_envs=16, seed=0)  # 16 episodes at once, in one batched environment
    agent = PPO("MlpPolicy", rows, n_steps=32, batch_size=128, n_epochs=2, gamma=0.0, seed=0, device="cpu")
    before = evaluate(agent, env_id, limit=500)
    agent.learn(steps)
    after = evaluate(agent, env_id)  # every text of the test split, once
    print("accuracy before", before.scores["accuracy"], "after", after.scores["accuracy"], "on", after.n, "texts")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
