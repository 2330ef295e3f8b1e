"""Change a model by reinforcement learning: train on many instances, tune one never seen, keep what comes of it.

Every episode moves another copy of the model off: not where good weights are is learned, but how to get there.
"""

import sys

import gymnasium as gym
from stable_baselines3 import A2C
from transformers import AutoModel

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents import evaluate, make_vec_env
from nlp_gym_agents.best_constant import BestConstant


def main(steps: int = 8_000) -> None:
    env_id = "nlp/sentiment-subspace-v0"  # eight numbers move a BERT's upper third and its head
    rows = make_vec_env(env_id, n_envs=8, seed=0)  # eight episodes at once, which share one model
    agent = A2C("MlpPolicy", rows, learning_rate=0.001, gamma=0.95, gae_lambda=0.9, n_steps=8, seed=0, device="cpu",
                policy_kwargs={"net_arch": [64, 64], "log_std_init": -0.7})  # fmt: skip
    agent.learn(steps)
    for name, one in (("A2C", agent), ("the best constant action", BestConstant("MlpPolicy", rows, seed=0).learn())):
        judged = evaluate(one, env_id, limit=64)  # instances of the test split: other starts, texts and directions
        print(f"{name}: rise {judged.scores['rise']}, loss {judged.scores['loss']}, at the start "
              f"{judged.scores['loss_start']}")  # fmt: skip

    env = gym.make(env_id, split="test")
    observation, info = env.reset(seed=0)
    over = False
    while not over:
        action, _ = agent.predict(observation, deterministic=True)
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    print(info["answer"], "for", info["forward_passes"], "passes forward and", info["backward_passes"], "backward")
    folder = env.unwrapped.export(0, "tuned")  # pyright: ignore[reportAttributeAccessIssue]
    print(type(AutoModel.from_pretrained(folder)).__name__, "is in", folder, "with its tokenizer, head and metrics")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
