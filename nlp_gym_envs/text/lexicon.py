"""Which tokens of a text speak for which tokens of its answer: IBM Model 1, learned from the training pairs.

Brown et al. 1993, "The mathematics of statistical machine translation": expectation maximisation of t(answer token |
prompt token), with an empty prompt token that explains what nothing in the prompt does.
"""

from collections.abc import Sequence

import numpy as np

from . import cache

ROUNDS = 5
LEAST = 0.02  # likelier links are kept
ENOUGH = 20_000  # pairs that are learned from; of more, every n-th
LINKS = 8_000_000  # of prompt and answer tokens; bounds the memory at about 300 MB
FORMAT = 1  # of the cached array; raise it when the same key would mean other numbers

Texts = Sequence[Sequence[int]]


class Lexicon:
    """The links from prompt tokens to answer tokens: `source` (L,) sorted, `target` (L,), `probability` (L,)."""

    def __init__(self, links: np.ndarray, vocabulary_size: int) -> None:
        self.source, self.target = links[0].astype(np.int64), links[1].astype(np.int64)
        self.probability = links[2].astype(np.float32)
        self.start = np.searchsorted(self.source, np.arange(vocabulary_size + 1))  # (V + 1,)

    def of(self, prompt: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All links of the tokens of a prompt (S,): positions in it, answer tokens, probabilities, each (L',)."""
        start, count = self.start[prompt], self.start[prompt + 1] - self.start[prompt]
        position = np.repeat(np.arange(len(prompt)), count)
        first = np.repeat(start - np.concatenate(([0], np.cumsum(count)[:-1])), count)
        link = first + np.arange(len(position))
        return position, self.target[link], self.probability[link]


def lexicon(prompts: Texts, answers: Texts, vocabulary_size: int, key: dict[str, str]) -> Lexicon:
    """The lexicon of N prompts and their answers, as token ids; kept on disk under `key`, which names them."""
    named = {"what": "a lexicon", "format": FORMAT, "rounds": ROUNDS, **key}
    return Lexicon(cache.array(named, lambda: _learn(prompts, answers, vocabulary_size)), vocabulary_size)


def _learn(prompts: Texts, answers: Texts, size: int) -> np.ndarray:
    """(3, L) float64: source, target and probability of the links that are likely enough."""
    step = max(1, len(prompts) // ENOUGH)
    pairs = list(zip(prompts[::step], answers[::step], strict=True))
    links = np.cumsum([(len(prompt) + 1) * len(answer) for prompt, answer in pairs])
    pairs = pairs[: max(1, int(np.searchsorted(links, LINKS)))]
    empty = size  # the empty prompt token
    source = np.concatenate([np.tile([*prompt, empty], len(answer)) for prompt, answer in pairs]).astype(np.int64)
    target = np.concatenate([np.repeat(answer, len(prompt) + 1) for prompt, answer in pairs]).astype(np.int64)
    word = np.repeat(np.arange(sum(len(a) for _, a in pairs)), [len(p) + 1 for p, a in pairs for _ in a])
    kinds, link = np.unique(source * size + target, return_inverse=True)
    total_of = kinds // size
    probability = np.ones(len(kinds))
    for _ in range(ROUNDS):
        shares = probability[link]
        shares /= np.bincount(word, shares)[word]
        counts = np.bincount(link, shares, len(kinds))
        probability = counts / np.bincount(total_of, counts, size + 1)[total_of]
    kept = (probability >= LEAST) & (total_of < empty)
    return np.stack((total_of[kept], kinds[kept] % size, probability[kept]))
