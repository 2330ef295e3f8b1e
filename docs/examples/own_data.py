"""Your own data: a csv of support tickets, sorted into queues; the columns have names of their own."""

import csv
import random
import sys

import gymnasium as gym
from stable_baselines3 import PPO

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_agents import evaluate

COMPLAINTS = {
    "billing": ("I was charged twice", "the invoice is wrong", "please refund the payment"),
    "login": ("I cannot sign in", "my password is refused", "the account is locked"),
    "shipping": ("the parcel never came", "the box was crushed", "where is my delivery"),
}
OPENINGS = ("Hello,", "Good morning,", "Second request:", "Urgent:", "Hi there,")


def write_tickets(path: str, count: int = 600) -> None:
    """Stands for the file that you have. Without a split column it is divided by each text's hash, 80 / 10 / 10."""
    chance = random.Random(0)
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["number", "body", "queue"])
        for number in range(count):
            queue = chance.choice(sorted(COMPLAINTS))
            body = f"{chance.choice(OPENINGS)} {chance.choice(COMPLAINTS[queue])}, ticket {number}."
            rows.writerow([number, body, queue])


def main(steps: int = 4_000) -> None:
    write_tickets("tickets.csv")
    data = {"dataset": "tickets.csv", "columns": {"text": "body", "label": "queue"}}

    env = gym.make("nlp/text_classification-label-v0", **data)
    print(env.unwrapped.action_meanings)  # the labels were found in the training rows

    agent = PPO("MlpPolicy", env, n_steps=512, gamma=0.0, seed=0, device="cpu").learn(steps)
    print(evaluate(agent, "nlp/text_classification-label-v0", env_kwargs=data).scores["accuracy"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000)
