"""Your own model inside the environment: a checkpoint that `transformers` can load, here one trained on the spot.

Any encoder-decoder (T5, BART, Marian) or decoder (GPT-2, Llama) will do, by local path or Hub name:
gym.make("nlp/translation-tokens-v0", model="Helsinki-NLP/opus-mt-en-de", ...)
"""

import json
import random
import sys

import gymnasium as gym

import nlp_gym_envs  # noqa: F401  registers the ids
from nlp_gym_envs.models.pretraining import Recipe, pretrain

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs"}


def write_pairs(path: str, count: int = 300) -> list[tuple[str, str]]:
    """A parallel corpus of counting, with a file that `dataset=` can read."""
    chance = random.Random(0)
    pairs = []
    for _ in range(count):
        words = chance.choices(sorted(NUMBERS), k=chance.randint(2, 5))
        pairs.append((" ".join(words), " ".join(NUMBERS[word] for word in words)))
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"en": en, "de": de}, ensure_ascii=False) + "\n" for en, de in pairs)
    return pairs


def main(updates: int = 300) -> None:
    english, german = zip(*write_pairs("pairs.jsonl"), strict=True)
    recipe = Recipe(shape="t5", width=32, layers=1, heads=2, inner=64, vocabulary=300, updates=updates, warmup=20)
    pretrain(recipe, english, german, "counting-model")  # or a model of yours: model.save_pretrained("my-model")

    env = gym.make(
        "nlp/translation-tokens-v0",
        model="counting-model",
        dataset="pairs.jsonl",
        columns={"source": "en", "target": "de"},
        longest=24,
    )
    _, info = env.reset(seed=0)
    print(info["text"])
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(0)  # the likeliest token, every time: greedy decoding
        over = terminated or truncated
    print(info["answer"], "for", info["target"], info["episode_metrics"])
    print(type(env.unwrapped.model).__name__, "is in env.unwrapped.model, its tokenizer beside it")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
