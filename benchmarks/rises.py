"""How fast the rise of BLEU and chrF after each piece of an answer is, against scoring the text anew with sacreBLEU.

    python benchmarks/rises.py                              # compiled and in Python: a few minutes
    python benchmarks/rises.py --data pairs.jsonl           # targets of a JSON lines file with the key "target"
    python benchmarks/rises.py --quick                      # a smoke run, whose numbers mean nothing

Answers are written in pieces of one to five characters, as sub-word tokens are: an accepted text, in which three
pieces of ten are exchanged for others. Both sides get the same pieces and return the rise of the score; before anything
is timed all rises are compared. A round times one side, then the other, by the processor's clock on one thread, and
gives one ratio; a line shows the median [least .. most] of all rounds. Beginning an answer (its references) is in the
time of both sides. sacreBLEU's objects are made once. Its tokenizer, which remembers texts, forgets them before each
answer on both sides: an agent hardly ever writes the same text again.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import sacrebleu
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp

from nlp_gym_envs.metrics._growing import Growing
from nlp_gym_envs.metrics.bleu import BLEU
from nlp_gym_envs.metrics.chrf import CHRF

SEED = 0
STEPS = 24  # pieces of an answer
EXCHANGED = 0.3  # the share of pieces that are not the reference's
ROWS = (1, 16, 256)
AT_LEAST = {("bleu", 1): 8, ("bleu", 16): 100, ("bleu", 256): 100} | {("chrf", rows): 12 for rows in ROWS}
WORDS = (
    "der die das ein eine alte junge kleine Lehrerin Gärtner Straße Brücke Größe 3,5 1.000 Prozent läuft liest "
    "schreibt heute gestern morgen, weil dass obwohl über unter zwischen nicht kein nie. - Meter Häuser Bäume Fluss"
).split()


@dataclass
class Answers:
    """What is written: `pieces` by token, and the tokens of each step, (STEPS, B), to the examples (B,)."""

    references: np.ndarray
    pieces: list[bytes]
    examples: np.ndarray
    tokens: np.ndarray


def targets_of(path: Path | None) -> list[str]:
    """The texts that are accepted: of a file, or drawn from a few words."""
    if path is not None:
        return [json.loads(line)["target"] for line in path.read_text(encoding="utf-8").splitlines()]
    draw = np.random.default_rng(SEED)
    sentences = [" ".join(draw.choice(WORDS, size=draw.integers(8, 16))) for _ in range(1000)]
    return [sentence[0].upper() + sentence[1:] + "." for sentence in sentences]


def answers_to(targets: Sequence[str], rows: int) -> Answers:
    """Answers of `rows` rows to examples drawn at random."""
    draw = np.random.default_rng(SEED)
    tokens_of: dict[bytes, int] = {}
    cut = []
    for target in targets:
        ends = np.cumsum(draw.integers(1, 6, size=len(target)))
        ends = [0, *ends[ends < len(target)].tolist(), len(target)]
        parts = [target[start:end].encode() for start, end in zip(ends[:-1], ends[1:], strict=True)]
        cut.append([tokens_of.setdefault(part, len(tokens_of)) for part in parts])
    examples = draw.integers(len(targets), size=rows)
    tokens = np.array([np.resize(cut[example], STEPS) for example in examples]).T.copy()
    wrong = draw.random(tokens.shape) < EXCHANGED
    tokens[wrong] = draw.integers(len(tokens_of), size=int(wrong.sum()))
    references = np.empty(len(targets), object)
    references[:] = [(target,) for target in targets]
    return Answers(references, list(tokens_of), examples, tokens)


def forget() -> None:
    """Let sacreBLEU's tokenizer forget the texts that it has seen."""
    for tokenizer in (Tokenizer13a, TokenizerRegexp):
        tokenizer.__call__.cache_clear()  # type: ignore[attr-defined]


def grown(growing: Growing, answers: Answers) -> np.ndarray:
    """Our rises, (STEPS, B)."""
    forget()
    rows = np.arange(len(answers.examples))
    growing.begin(rows, answers.examples)
    rises, before = np.empty(answers.tokens.shape), growing.scores(rows)
    for step, tokens in enumerate(answers.tokens):
        growing.push(rows, tokens)
        now = growing.scores(rows)
        rises[step], before = now - before, now
    return rises


def rescored(judge: Any, answers: Answers) -> np.ndarray:
    """The rises by scoring every text anew, (STEPS, B)."""
    forget()
    written, before = [b""] * len(answers.examples), np.zeros(len(answers.examples))
    accepted = [list(answers.references[example]) for example in answers.examples]
    rises = np.empty(answers.tokens.shape)
    for step, tokens in enumerate(answers.tokens):
        written = [line + answers.pieces[token] for line, token in zip(written, tokens.tolist(), strict=True)]
        texts = [line.decode("utf-8", "ignore").strip() for line in written]
        now = np.array([judge.sentence_score(*pair).score for pair in zip(texts, accepted, strict=True)]) / 100
        rises[step], before = now - before, now
    return rises


def seconds(work: Callable[[], Any], count: int) -> float:
    """Processor time of doing the work once, the mean of `count` times."""
    start = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - start) / count


def enough(work: Callable[[], Any], wanted: float) -> int:
    """How many times take about `wanted` seconds."""
    count = 1
    while (taken := seconds(work, count) * count) < wanted / 4:
        count *= 2
    return max(1, round(count * wanted / taken))


def in_turn(ours: Callable[[], Any], other: Callable[[], Any], rounds: int, wanted: float) -> np.ndarray:
    """Seconds of both sides in each round, (rounds, 2); every second round the other side is first."""
    sides = [(ours, enough(ours, wanted)), (other, enough(other, wanted))]
    times = np.empty((rounds, 2))
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            times[number, side] = seconds(*sides[side])
    return times


def lines(asked: argparse.Namespace) -> Iterator[str]:
    """The lines of the table."""
    rounds, wanted = (2, 0.01) if asked.quick else (asked.rounds, asked.seconds)
    engines = [True, False] if importlib.util.find_spec("numba") else [False]
    targets = targets_of(asked.data)
    for metric, judge in ((BLEU(), sacrebleu.BLEU(effective_order=True)), (CHRF(), sacrebleu.CHRF())):
        for compiled in engines:
            for rows in ROWS[:2] if asked.quick else ROWS:
                answers = answers_to(targets, rows)
                growing = Growing(metric, answers.references, answers.pieces, rows, STEPS, compiled)
                theirs = rescored(judge, answers)
                difference = float(np.abs(grown(growing, answers) - theirs).max())
                times = in_turn(lambda: grown(growing, answers), lambda: rescored(judge, answers), rounds, wanted)  # noqa: B023  called at once
                ratios, micro = times[:, 1] / times[:, 0], 1e6 * np.median(times, axis=0) / theirs.size
                goal = AT_LEAST[metric.name, rows] if compiled and not asked.quick else None
                met = "" if goal is None else "yes" if np.median(ratios) >= goal else "**no**"
                spread = f"{np.median(ratios):.3g} [{ratios.min():.3g} .. {ratios.max():.3g}]"
                cells = (metric.name, "numba" if compiled else "Python", rows, f"{micro[0]:.3g}", f"{micro[1]:.3g}",
                         spread, "" if goal is None else f"at least {goal}", met, f"{difference:.1e}")  # fmt: skip
                yield f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Measure, print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, help='JSON lines with the key "target" (default: sentences of a few words)'
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each side in each round (default: 0.5)")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its numbers mean nothing")
    asked = parser.parse_args()
    names = ("numpy", "sacrebleu", *(("numba",) if importlib.util.find_spec("numba") else ()))
    print(
        f"{ {name: version(name) for name in names} }; times in microseconds of processor time per piece of one row\n"
    )
    print("| metric | engine | rows | ours | sacreBLEU's | ratio | goal | met | largest difference |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for line in lines(asked):
        print(line, flush=True)


if __name__ == "__main__":
    main()
