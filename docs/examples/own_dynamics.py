"""Your own dynamics: what an action does. Here an answer may be withheld: wrong costs 1, right earns 1, silence 0.

A dynamics is batched: every method takes `rows`, the indices of the episodes it concerns, and answers for all of them
with arrays. It knows neither rewards nor Gymnasium's Env; both faces, masks, seeds, auto-reset and rendering come free.
As a file `my_package/abstain.py` that ends in `DYNAMICS = Abstain` it goes by its dotted name.
"""

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3 import PPO

import nlp_gym_envs
from nlp_gym_agents import evaluate, make_vec_env
from nlp_gym_envs.answers import Label
from nlp_gym_envs.dynamics import Dynamics, box
from nlp_gym_envs.task import OpenTask, Task
from nlp_gym_envs.text.encoding import BOUND, encode

UNANSWERED = -1


class Abstain(Dynamics):
    """One action: a label, or the last action, which keeps silent."""

    name = "abstain"
    horizon = 1
    pays = (-1.0, 1.0)  # what an outcome of 0 and of 1 are worth; silence is half way

    def __init__(self, task: OpenTask, num_rows: int, encoder: str = "hashing") -> None:
        super().__init__(task, num_rows)
        labels = len(task.answer)
        self.encoded = encode(task.examples, task.train, encoder)  # (N, d), standardised by the training split
        self.action = np.full(num_rows, UNANSWERED)  # (B,)
        self.costs = {}
        self.parts = {"text": box(-BOUND, BOUND, self.encoded.dimensions)}
        self.action_space = spaces.Discrete(labels + 1)
        self.action_meanings = (*(f"answer {name}" for name in task.answer.names), "say nothing")

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return isinstance(task.answer, Label)

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.action[rows] = UNANSWERED

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        self.action[rows] = actions
        return {}  # it has no costs

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.action[rows] != UNANSWERED

    def silent(self, rows: np.ndarray) -> np.ndarray:
        """Whether each answer was withheld, (B,) bool."""
        return self.action[rows] == self.action_space.n - 1

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        right = self.action[rows] == self.task.examples.target[self.example[rows]]
        return np.where(self.silent(rows), 0.5, right)

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"text": self.encoded.vectors[self.example[rows]]}

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        return self.task.examples.target[self.example[rows]]

    def texts(self, rows: np.ndarray) -> np.ndarray:
        return self.task.examples["text"][self.example[rows]]

    def answers(self, rows: np.ndarray) -> np.ndarray:
        return self.task.answer.texts[np.where(self.silent(rows), UNANSWERED, self.action[rows])]  # [-1] is ""

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {**super().metrics(rows), "silent": self.silent(rows).astype(float)}


DYNAMICS = Abstain


def main(steps: int = 4_000) -> None:
    nlp_gym_envs.register_dynamics("abstain", Abstain)  # with every task that has labels
    env = gym.make("nlp/sentiment-abstain-v0")
    print(env.action_space, env.unwrapped.action_meanings)
    agent = PPO("MlpPolicy", make_vec_env("nlp/sentiment-abstain-v0", n_envs=16), n_steps=64, gamma=0.0, seed=0)
    scores = evaluate(agent.learn(steps), "nlp/sentiment-abstain-v0", limit=500).scores
    print({name: str(scores[name]) for name in ("return", "silent")})


if __name__ == "__main__":
    main()
