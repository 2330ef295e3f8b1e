"""Properties that the built-in corpora promise."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from types import ModuleType

import pytest

from nlp_gym_envs.text.builtin import sentiment, topics
from nlp_gym_envs.text.builtin._grammar import SIZES, normalise

MODULES = {"sentiment": sentiment, "topics": topics}
LABELS = {"sentiment": ("negative", "positive"), "topics": ("world", "sports", "business", "science")}
EXPECTED_SIZES = {"train": 12_000, "validation": 1_500, "test": 3_000, "compositional": 3_000}
MISPRINT = re.compile(r"  | [,.;:]|[,.;:]{2}|[{}_]|\b[Aa] (?!one|uni)[aeiou]|\b[Aa]n [^aeiou]|\b(\w+) \1\b")
# A change of wording is a change of the task: change these digests only together with the published numbers.
DIGESTS = {
    ("sentiment", "train"): "879c733e438129e53480034844623af1753f66e1296e75bab8e74298a0f73286",
    ("sentiment", "validation"): "c18c8e11b63c2e437424f60ad067271ae4d7fb66b95ce49aca0355735a65c267",
    ("sentiment", "test"): "12035c762e4baa0f56088876f936bfd3e43515154a6c9b47691ae7d6650e4789",
    ("sentiment", "compositional"): "920837d9adaffa2337a2bd2b96e0f2a10f18a636f81e23f468ebba134f683c55",
    ("topics", "train"): "e2f5980fb17d4c02366a37331d3e6cc3ef10cb1231908a0ef7da12244b4c0911",
    ("topics", "validation"): "27d3520acc858538c0da2d83a1b2a726f42cdfaf1f3d21a5588b79b1635946d9",
    ("topics", "test"): "feddedfd6748ad5357925077f779a0fa8fdf1c8b3e9cc71571dfc0236a6ddff6",
    ("topics", "compositional"): "093e05f2d970daaf23396b51ba9f36dfee8a0ef660a6b31b6ffe8832d74f8efd",
}
every_corpus = pytest.mark.parametrize("corpus", MODULES)
every_split = pytest.mark.parametrize("split", EXPECTED_SIZES)


@cache
def generated(corpus: str, split: str) -> tuple[list[str], list[int]]:
    return MODULES[corpus].generate(split)


def digest(split: tuple[list[str], list[int]]) -> str:
    return hashlib.sha256("\n".join(f"{label} {text}" for text, label in zip(*split, strict=True)).encode()).hexdigest()


@every_corpus
def test_labels_and_public_names(corpus: str) -> None:
    module: ModuleType = MODULES[corpus]
    assert module.LABELS == LABELS[corpus]
    assert sorted(module.__all__) == ["LABELS", "generate"]


@every_corpus
@every_split
def test_size_and_balance(corpus: str, split: str) -> None:
    texts, labels = generated(corpus, split)
    assert len(texts) == len(labels) == EXPECTED_SIZES[split] == SIZES[split]
    counts = Counter(labels)
    assert sorted(counts) == list(range(len(LABELS[corpus])))
    assert max(counts.values()) - min(counts.values()) <= 0.02 * len(texts)


@every_corpus
@every_split
def test_texts_read_as_prose(corpus: str, split: str) -> None:
    fewest = 8 if corpus == "sentiment" else 10
    for text in generated(corpus, split)[0]:
        assert fewest <= len(text.split()) <= 45, text
        assert text[0].isupper() and text.endswith(".") and text.isascii(), text
        assert all(sentence[0].isupper() for sentence in text.split(". ")), text
        assert not MISPRINT.search(text), text


@every_corpus
def test_no_text_occurs_twice(corpus: str) -> None:
    words = [normalise(text) for split in EXPECTED_SIZES for text in generated(corpus, split)[0]]
    assert len(set(words)) == len(words) == sum(EXPECTED_SIZES.values())


@every_corpus
def test_labels_are_in_mixed_order(corpus: str) -> None:
    labels = generated(corpus, "train")[1]
    repeats = sum(first == second for first, second in zip(labels, labels[1:], strict=False)) / len(labels)
    assert abs(repeats - 1 / len(LABELS[corpus])) < 0.03


@every_corpus
@every_split
def test_wording_is_pinned(corpus: str, split: str) -> None:
    assert digest(generated(corpus, split)) == DIGESTS[corpus, split]


def test_a_fresh_process_writes_the_same_texts() -> None:
    program = (
        "import hashlib\n"
        "from nlp_gym_envs.text.builtin import sentiment, topics\n"
        "for module in (sentiment, topics):\n"
        "    split = module.generate('validation')\n"
        "    lines = '\\n'.join(f'{label} {text}' for text, label in zip(*split))\n"
        "    print(hashlib.sha256(lines.encode()).hexdigest())\n"
    )
    command = [sys.executable, "-c", program]
    environment = {"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(sys.path)}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == [digest(generated(corpus, "validation")) for corpus in MODULES]


@every_corpus
def test_unknown_split_is_refused_by_name(corpus: str) -> None:
    with pytest.raises(ValueError, match="'dev'.*'train', 'validation', 'test', 'compositional'"):
        MODULES[corpus].generate("dev")
