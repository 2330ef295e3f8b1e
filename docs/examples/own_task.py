"""Your own task: where its data come from, what form an answer has, which metrics judge it; and a metric of your own.

`register_task` gives it an id with every dynamics that accepts it. As a file `my_package/parity.py` that ends in
`TASK = ...` it needs no registration: `NLPEnv(task="my_package.parity", dynamics="label")`.
"""

import gymnasium as gym
import numpy as np

import nlp_gym_envs
from nlp_gym_envs import Task
from nlp_gym_envs.answers import Label
from nlp_gym_envs.text.corpora import BuiltIn

LABELS = ("even", "odd")
SIZES = {"train": 400, "validation": 100, "test": 200}
WORDS = ("black", "white", "red", "green")


def generate(split: str) -> tuple[list[str], list[str]]:
    """Texts and their labels: is the number of white things even?"""
    draw = np.random.default_rng(list(SIZES).index(split))
    texts, labels = [], []
    for number in range(SIZES[split]):
        words = draw.choice(WORDS, size=draw.integers(2, 7))
        texts.append(" ".join([*words, f"{split}-{number}"]))
        labels.append(LABELS[int((words == "white").sum() % 2)])
    return texts, labels


class Cost:
    """A metric is counts that add up, and a score of their sum: here calling an odd text even is three times as bad."""

    name = "thrift"

    def __init__(self, answer: Label) -> None:
        pass

    def counts(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(B, 2): what was lost, what could have been."""
        weight = np.where(targets == LABELS.index("odd"), 3.0, 1.0)
        return np.stack([weight * (answers != targets), weight], axis=-1)

    def score(self, counts: np.ndarray) -> np.ndarray:
        """In [0, 1]; 0 of no answers."""
        lost, most = counts[..., 0], counts[..., 1]
        return np.where(most > 0, 1.0 - lost / np.where(most > 0, most, 1.0), 0.0)

    def each(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The score of each answer on its own, (B,): what a reward pays."""
        return self.score(self.counts(answers, targets))


def main() -> None:
    nlp_gym_envs.register_metric("thrift", Cost)
    source = BuiltIn(__name__)  # a module with `generate(split)`; or `Hub(name, columns=...)`, or `Files(path)`
    nlp_gym_envs.register_task("parity", Task(source, Label(LABELS), ("accuracy", "thrift"), __doc__))
    print([env_id for env_id in nlp_gym_envs.environment_ids() if "parity" in env_id])

    env = gym.make("nlp/parity-read-v0", chunk=1, reading_cost=0.01)
    _, info = env.reset(seed=0)
    over = False
    while not over:
        read = env.unwrapped.action_masks()[-1]  # the last action is READ, until nothing is left
        _, reward, terminated, truncated, info = env.step(env.action_space.n - 1 if read else 0)
        over = terminated or truncated
    print(info["text"], info["answer"], info["target"], info["episode_metrics"])


if __name__ == "__main__":
    main()
