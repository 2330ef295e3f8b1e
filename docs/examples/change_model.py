"""Change a model: train an agent on many instances, let it tune one never seen, keep what comes of it.

Every episode moves the model off anew: not where good weights are is learned, but how to get there.
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
    net = {"net_arch": [64, 64], "log_std_init": -0.7}
    agent = A2C("MlpPolicy", rows, 0.001, n_steps=8, gamma=0.95, gae_lambda=0.9, policy_kwargs=net, seed=0)
    agent.learn(steps)
    constant = BestConstant("MlpPolicy", rows, seed=0).learn()  # the best action that takes no looking
    for name, one in (("A2C", agent), ("best constant action", constant)):
        found = evaluate(one, env_id, limit=64).scores  # instances of the test split: none was seen
        print(f"{name}: rise {found['rise']}, loss {found['loss_start']} to {found['loss']}")

    env = gym.make(env_id, split="test")
    observation, info = env.reset(seed=0)
    over = False
    while not over:
        action, _ = agent.predict(observation, deterministic=True)
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    print(info["answer"], "for", info["forward_passes"], "passes forward")
    folder = env.unwrapped.export(0, "tuned")  # pyright: ignore[reportAttributeAccessIssue]
    print(type(AutoModel.from_pretrained(folder)).__name__, "is in", folder, "with its metrics")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
