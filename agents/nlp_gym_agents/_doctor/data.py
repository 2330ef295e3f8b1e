"""The data: how labels are spread, and whether what is held out was seen in training, word for word or nearly."""

import re
import zlib
from collections import Counter, defaultdict

import numpy as np

from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.text.examples import Examples

from ._findings import Finding, Findings, check, fault, note, ok, warning
from ._subject import Subject

SECTION = "Data"
HELD_OUT = ("validation", "test")
LOPSIDED = 0.9  # share of the commonest label from which accuracy says little
SHIFTED = 0.1  # total variation between the label shares of two splits
DUPLICATES = 0.01  # share of held-out texts seen in training from which a score is about memory
NEAR, NEARLY = 0.8, 0.05  # Jaccard similarity of near-duplicates; their share from which it is worth a warning
TRAINING, JUDGED, WORDS = 20_000, 1_000, 100  # what is compared at most: texts, held-out texts, words of each
RAREST = 6  # shingles of a text by which its candidates are found
OFTEN = 200  # texts with a shingle, beyond which it tells nothing


def _splits(subject: Subject) -> dict[str, Examples]:
    """The training split and the held-out ones that there are."""
    found = {"train": subject.task.train}
    for split in HELD_OUT:
        try:
            found[split] = subject.task.at(split).examples
        except (BadArgument, BadData):
            continue  # it is told by `sizes` which there are
    return found


@check(SECTION)
def sizes(subject: Subject) -> Findings:
    """How many examples each split has."""
    if not subject.ours:
        yield note("examples", "the environment does not say what its data are")
        return
    known = _splits(subject)
    told = ", ".join(f"{len(examples):,} {split}" for split, examples in known.items())
    values = {split: len(examples) for split, examples in known.items()}
    if missing := [split for split in HELD_OUT if split not in known]:
        yield warning(
            "examples",
            f"{told}; no {' and no '.join(missing)} split",
            "Hold something out: a score on training examples says little.",
            **values,
        )
    else:
        yield ok("examples", told, **values)


@check(SECTION)
def label_balance(subject: Subject) -> Findings:
    """Whether labels are spread alike in all splits, and none is nearly everything."""
    if not subject.labelled:
        return
    labels = subject.task.train.labels
    shares = {
        split: np.bincount(examples.target, minlength=len(labels)) / len(examples)
        for split, examples in _splits(subject).items()
    }
    top = int(shares["train"].argmax())
    told = f"{len(labels)} labels; the commonest, {labels[top]!r}, is " + ", ".join(
        f"{share[top]:.0%} of {split}" for split, share in shares.items()
    )
    values = {split: dict(zip(labels, share.round(4).tolist(), strict=True)) for split, share in shares.items()}
    shift = max(float(np.abs(share - shares["train"]).sum() / 2) for share in shares.values())
    absent = [labels[at] for at in np.flatnonzero(shares["train"] == 0)]
    if absent:
        yield fault(
            "labels",
            f"{told}; none of training is {', '.join(map(repr, absent))}",
            "Nobody can learn a label without an example of it.",
            **values,
        )
    elif shares["train"][top] >= LOPSIDED:
        yield warning("labels", told, "Accuracy says little here: rank by f1_macro, a task's first metric.", **values)
    elif shift > SHIFTED:
        yield warning(
            "labels",
            f"{told}; {shift:.0%} of the labels differ between splits",
            "Draw the splits alike, or report macro-F1.",
            **values,
        )
    else:
        yield ok("labels", told, **values)


@check(SECTION)
def contradictions(subject: Subject) -> Findings:
    """How many training texts come twice with different answers: a bound on what can be learned."""
    if not subject.ours:
        return
    train = subject.task.train
    seen: dict[str, set[str]] = defaultdict(set)
    times: Counter[str] = Counter()
    for text, answer in zip(_keys(train), train.target, strict=True):
        seen[text].add(str(answer))
        times[text] += 1
    twice = sum(times[text] for text, answers in seen.items() if len(answers) > 1)
    repeated = 1 - len(times) / len(train)
    told = f"{repeated:.1%} of the training examples repeat another; {twice:,} contradict each other"
    values = {"repeated": repeated, "contradicting": twice}
    if subject.labelled and twice > 0.02 * len(train):
        yield warning("repetitions", told, "Nobody can get these right: clean them, or know the ceiling.", **values)
    else:
        yield ok("repetitions", told, **values)


@check(SECTION)
def duplicates_across_splits(subject: Subject) -> Findings:
    """Whether held-out texts were in the training split, word for word."""
    if not subject.ours:
        return
    splits = _splits(subject)
    exact, plain = set(_keys(splits["train"])), {normal(key) for key in _keys(splits["train"])}
    for split in HELD_OUT:
        if split in splits:
            keys = _keys(splits[split])
            same = sum(key in exact for key in keys)
            alike = sum(normal(key) in plain for key in keys)
            yield _shared(split, same, alike, len(keys))


def _shared(split: str, same: int, alike: int, count: int) -> Finding:
    """The finding on so many texts of a split that training has, too, as they are or but for case and punctuation."""
    told = f"{same} of {count:,} are in training word for word, {alike} but for case and punctuation"
    values = {"same": same, "alike": alike, "of": count}
    about = f"{split} in train"
    if alike > DUPLICATES * count:
        return fault(about, told, "Take them out of one of the two: a score here rewards memory.", **values)
    if alike:
        return warning(about, told, "Few, but take them out before you publish a number.", **values)
    return ok(about, told, **values)


@check(SECTION, slow=True)
def near_duplicates_across_splits(subject: Subject) -> Findings:
    """Whether held-out texts nearly were: four fifths of their word triples shared with one training text."""
    if not subject.ours:
        return
    splits = _splits(subject)
    train = [shingles(key) for key in _evenly(_keys(splits["train"]), TRAINING)]
    index: dict[int, list[int]] = defaultdict(list)
    for at, pieces in enumerate(train):
        for piece in pieces:
            index[piece].append(at)
    for split in HELD_OUT:
        if split not in splits:
            continue
        judged = _evenly(_keys(splits[split]), JUDGED)
        near = sum(_has_near(shingles(key), train, index) for key in judged)
        share = near / len(judged)
        told = f"{share:.1%} of {len(judged):,} share {NEAR:.0%} of their word triples with a training text"
        if share > NEARLY:
            yield warning(f"near {split}", told, "Look at some of them: templates, or copies?", share=share)
        else:
            yield ok(f"near {split}", told, share=share)


def _has_near(pieces: set[int], train: list[set[int]], index: dict[int, list[int]]) -> bool:
    rarest = sorted((piece for piece in pieces if piece in index), key=lambda piece: len(index[piece]))[:RAREST]
    candidates = {at for piece in rarest for at in index[piece][:OFTEN]}
    return any(len(pieces & train[at]) >= NEAR * len(pieces | train[at]) for at in candidates)


@check(SECTION)
def answers_in_texts(subject: Subject) -> Findings:
    """Whether texts name their own label."""
    if not subject.labelled:
        return
    train, names = subject.task.train, [normal(name) for name in subject.task.train.labels]
    texts = [f" {normal(text)} " for text in _evenly(train["text"].tolist(), 2000)]
    targets = _evenly(train.target.tolist(), 2000)
    own = float(np.mean([bool(names[t]) and f" {names[t]} " in text for text, t in zip(texts, targets, strict=True)]))
    other = float(
        np.mean(
            [
                any(names[k] and f" {names[k]} " in text for k in range(len(names)) if k != t)
                for text, t in zip(texts, targets, strict=True)
            ]
        )
    )
    told = f"{own:.1%} of the training texts have the name of their own label in them, {other:.1%} that of another"
    if own > 0.25 and own > 3 * other:
        yield warning(
            "label in the text",
            told,
            "Was the label pasted into the text? Then nothing is to be learned.",
            own=own,
            other=other,
        )
    else:
        yield ok("label in the text", told, own=own, other=other)


# ---------------------------------------------------------------- texts


def normal(text: str) -> str:
    """A text as its words, whatever case, blanks and punctuation are."""
    return " ".join(re.findall(r"\w+", text.lower()))


def shingles(text: str) -> set[int]:
    """Hashes of a text's word triples, or of five letters each where it is written without blanks."""
    words = normal(text).split()[:WORDS]
    if len(words) >= 3:
        pieces = [" ".join(words[at : at + 3]) for at in range(len(words) - 2)]
    else:
        letters = " ".join(words)
        pieces = [letters[at : at + 5] for at in range(max(1, len(letters) - 4))]
    return {zlib.crc32(piece.encode()) for piece in pieces}


def _keys(examples: Examples) -> list[str]:
    return [str(text) for text in examples["text"]]


def _evenly(values: list, most: int) -> list:
    """At most so many of them, from the whole length."""
    return values if len(values) <= most else [values[at] for at in np.linspace(0, len(values) - 1, most).astype(int)]
