"""Difficulty of the built-in corpora for a constant, a bag of words and a small recurrent network.

Run: python benchmarks/builtin_difficulty.py
"""

from __future__ import annotations

import os
import re

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from nlp_gym_envs.text.builtin import sentiment, topics

Split = tuple[list[str], list[int]]

EVALUATED = ("test", "compositional")
SEEDS = (0, 1, 2)
EPOCHS = 10
BATCH_SIZE = 64
TOKEN = re.compile(r"\w+|[^\w\s]")


class Reader(torch.nn.Module):
    """A word-level GRU that classifies from its state after the last word."""

    def __init__(self, word_count: int, label_count: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(word_count, 64, padding_idx=0)
        self.recurrent = torch.nn.GRU(64, 128, batch_first=True)
        self.output = torch.nn.Linear(128, label_count)

    def forward(self, words: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        states, _ = self.recurrent(self.embedding(words))
        return self.output(states[torch.arange(len(words)), lengths - 1])


def majority(splits: dict[str, Split]) -> dict[str, float]:
    """The accuracy of always answering the most frequent training label."""
    answer = int(numpy.bincount(splits["train"][1]).argmax())
    return {name: float(numpy.mean(numpy.array(splits[name][1]) == answer)) for name in EVALUATED}


def bag_of_words(splits: dict[str, Split]) -> dict[str, float]:
    """The accuracy of logistic regression on TF-IDF of one and two words, with C chosen on validation."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    features = {"train": vectorizer.fit_transform(splits["train"][0])}
    for name in ("validation", *EVALUATED):
        features[name] = vectorizer.transform(splits[name][0])
    models = [LogisticRegression(C=strength, max_iter=1000) for strength in (0.1, 1.0, 10.0)]
    for model in models:
        model.fit(features["train"], splits["train"][1])
    best = max(models, key=lambda model: model.score(features["validation"], splits["validation"][1]))
    return {name: float(best.score(features[name], splits[name][1])) for name in EVALUATED}


def encode(split: Split, vocabulary: dict[str, int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The padded word numbers, lengths and labels of a split."""
    rows = [[vocabulary.get(word, 1) for word in TOKEN.findall(text.lower())] for text in split[0]]
    lengths = torch.tensor([len(row) for row in rows])
    words = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for place, row in enumerate(rows):
        words[place, : len(row)] = torch.tensor(row)
    return words, lengths, torch.tensor(split[1])


def recurrent(splits: dict[str, Split], seed: int) -> dict[str, float]:
    """The accuracy of a GRU trained for a fixed number of epochs."""
    torch.manual_seed(seed)
    known = sorted({word for text in splits["train"][0] for word in TOKEN.findall(text.lower())})
    vocabulary = {word: number for number, word in enumerate(known, start=2)}
    words, lengths, labels = encode(splits["train"], vocabulary)
    model = Reader(len(vocabulary) + 2, int(labels.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    steps = EPOCHS * (len(words) // BATCH_SIZE + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(words)).split(BATCH_SIZE):
            width = int(lengths[batch].max())
            loss = torch.nn.functional.cross_entropy(model(words[batch, :width], lengths[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return {name: score(model, encode(splits[name], vocabulary)) for name in EVALUATED}


@torch.no_grad()
def score(model: Reader, encoded: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> float:
    """The accuracy of a model on an encoded split."""
    words, lengths, labels = encoded
    return float((model(words, lengths).argmax(1) == labels).float().mean())


def main() -> None:
    """Prints one table row for each corpus and classifier."""
    torch.set_num_threads(1)
    print("| corpus | classifier | test | compositional |\n| --- | --- | --- | --- |")
    for corpus, module in (("sentiment", sentiment), ("topics", topics)):
        splits = {name: module.generate(name) for name in ("train", "validation", *EVALUATED)}
        rows = [("majority", majority(splits)), ("bag of words", bag_of_words(splits))]
        rows += [(f"GRU, seed {seed}", recurrent(splits, seed)) for seed in SEEDS]
        for classifier, accuracy in rows:
            print(f"| {corpus} | {classifier} | {accuracy['test']:.1%} | {accuracy['compositional']:.1%} |", flush=True)


if __name__ == "__main__":
    main()
