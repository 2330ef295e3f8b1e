"""Whether the answer is in the observation: does it change with the answer alone, does one number of it tell it?"""

from typing import Any

import numpy as np

from nlp_gym_envs.errors import BadArgument, BadData

from ._findings import Findings, check, fault, note, ok, warning
from ._play import alone, drawn, flat
from ._subject import Change, Subject, swapped, swapped_in_training

SECTION = "Leaks"
ROWS, OF_MODELS = 64, 8
PROBED = 600  # beginnings that the probe learns from and is judged on, half and half
TELLS, BEYOND = 0.98, 0.15  # accuracy of one number that gives the answer away; distance to what words allow
STEPS = 12
TRIED = 48  # numbers whose means differ most between the answers


@check(SECTION)
def other_answers_same_observation(subject: Subject) -> Findings:
    """Whether an agent sees the same where only the answers of its split are others."""
    if not subject.ours:
        return
    if not subject.answers:
        yield note(
            "answers swapped", "an update sees the answers of its probe, as is meant; it is judged on other texts"
        )
        return
    try:
        size = len(subject.single(split="validation").unwrapped.task.examples)
    except (BadArgument, BadData):
        yield note("answers swapped", "there is no validation split to swap answers in")
        return
    rows = min(OF_MODELS if subject.has_model else ROWS, size)
    seen = [_frames(subject.changed(change, rows, "validation")) for change in (lambda task: task, swapped)]
    apart = [step for step, (one, other) in enumerate(zip(*seen, strict=True)) if not np.array_equal(one, other)]
    if apart:
        changed = float(
            np.mean([not np.array_equal(one, other) for one, other in zip(*map(_first, seen), strict=True)])
        )
        yield fault(
            "answers swapped",
            f"observations or masks change, first after {apart[0]} steps ({changed:.0%} of the rows at the start)",
            "The answer leaks into what an agent sees.",
        )
    else:
        yield ok("answers swapped", f"observations and masks of {rows} held-out examples stay the same")


def _first(frames: list[np.ndarray]) -> np.ndarray:
    return frames[0]


def _frames(envs: Any) -> list[np.ndarray]:
    """What is seen in some steps, masks with it, until an episode has ended: what comes then may depend on answers."""
    draw, observations = np.random.default_rng(0), envs.reset(seed=0)[0]
    frames = [_seen(envs, observations)]
    for _ in range(STEPS):
        actions = drawn(envs.single_action_space, envs.num_envs, envs.action_masks(), draw)
        observations, _, terminated, truncated, _ = envs.step(actions)
        if (terminated | truncated).any():
            break
        frames.append(_seen(envs, observations))
    return frames


def _seen(envs: Any, observations: Any) -> np.ndarray:
    return np.concatenate((flat(observations, envs.num_envs), envs.action_masks()), axis=1)


@check(SECTION, slow=True)
def own_answer_in_training(subject: Subject) -> Findings:
    """Whether a training example's own answer shows in what is seen of it, through whatever was fitted."""
    if not subject.answers or subject.has_model:
        return
    example = len(subject.task.train) // 3
    seen = []
    for change in (lambda task: task, swapped_in_training(example)):
        seen.append(_beginning(subject, change, example))
    if not np.array_equal(*seen):
        apart = float(np.abs(seen[0] - seen[1]).max())
        yield fault(
            "own answer in training",
            f"changes what is seen of the example, by up to {apart:.3g}",
            "Cross-fit what is learned from answers: an agent trained here sees them.",
            apart=apart,
        )
    else:
        yield ok("own answer in training", "changes nothing in what is seen of the example")


def _beginning(subject: Subject, change: Change, example: int) -> np.ndarray:
    """What is seen of a training example at its start, and after each of some steps of the last action."""
    envs = subject.changed(change, 1, "train")
    envs.reset(seed=0)
    envs.episodes.next_example = example
    observations, info = envs.reset(options={"reset_mask": np.ones(1, bool)})
    assert info["example"][0] == example
    frames = [flat(observations, 1)]
    for _ in range(STEPS):
        last = drawn(envs.single_action_space, 1, None, np.random.default_rng(0))
        last = np.full_like(last, int(envs.single_action_space.n) - 1) if subject.discrete else last
        observations, _, terminated, _, _ = envs.step(last)
        if terminated[0]:
            break
        frames.append(flat(observations, 1))
    return np.concatenate(frames)


# ---------------------------------------------------------------- one number that tells the answer


@check(SECTION)
def one_number_tells(subject: Subject) -> Findings:
    """Whether a single number of the first observation gives the answer away, beyond what the words allow."""
    if subject.has_model or subject.ours and not subject.answers:
        return
    seen, answers, texts = _beginnings(subject)
    if answers is None or len(set(answers)) < 2 or not seen.shape[1] or not np.isfinite(seen).all():
        yield note("one number", "no answers to hold the first observation against")
        return
    half = len(seen) // 2
    majority = max(np.mean(answers[half:] == answer) for answer in set(answers))
    best, at = _best_number(seen, answers, half)
    words = _by_words(texts, answers, half)
    told = f"number {at} of {seen.shape[1]} tells {best:.0%} of the answers, the commonest answer {majority:.0%}"
    told += "" if words is None else f", the words {words:.0%}"
    values = {"number": at, "accuracy": best, "majority": float(majority), "words": words}
    if best < TELLS or majority > 0.8:
        yield ok("one number", told, **values)
    elif subject.ours:
        yield note("one number", told, "Swapped answers change nothing, so it is an easy task, and no leak.", **values)
    elif words is not None and best > words + BEYOND:
        yield fault("one number", told, "The answer leaks into the observation.", **values)
    else:
        yield warning("one number", told, "Is the answer meant to be in the observation?", **values)


def _beginnings(subject: Subject) -> tuple[np.ndarray, np.ndarray | None, list[str] | None]:
    """First observations, their answers (the oracle's first action, else the targets), and their texts."""
    if subject.ours:
        envs = subject.vector(PROBED // (2 if subject.quick else 1))
        observations, infos = envs.reset(seed=3)
        try:
            answers = envs.oracle_actions() if subject.discrete else None
        except NotImplementedError:
            answers = None
        texts = subject.task.examples["text"][infos["example"]].tolist()
        return flat(observations, envs.num_envs), answers, texts
    played, texts = subject.uniform, subject.uniform.texts.tolist()
    known = all(isinstance(text, str) for text in texts)
    if hasattr(subject.face, "oracle_action"):
        env, seen, answers = subject.single(), [], []
        for seed in range(PROBED // 2):
            seen.append(alone(env.reset(seed=seed)[0]))
            answers.append(int(env.unwrapped.oracle_action()))
        return np.stack(seen), np.array(answers), None
    told = np.array([str(target) for target in played.targets])
    answers = told if (played.targets != None).all() else None  # noqa: E711  element by element
    return played.first, answers, texts if known else None


def _best_number(seen: np.ndarray, answers: np.ndarray, half: int) -> tuple[float, int]:
    """The number that tells most answers of the second half by a tree that learned from the first, and its place."""
    from sklearn.feature_selection import f_classif
    from sklearn.tree import DecisionTreeClassifier

    leaves = max(2, min(2 * len(set(answers)), 64))
    moving = np.flatnonzero(np.ptp(seen[:half], axis=0) > 0)
    if len(set(answers[:half])) < 2 or not len(moving):
        return 0.0, 0
    with np.errstate(divide="ignore", invalid="ignore"):  # a number that is the answer varies in no class
        spread = np.nan_to_num(f_classif(seen[:half][:, moving], answers[:half])[0], posinf=1e30)
    best = (0.0, 0)
    for at in moving[np.argsort(-spread)[:TRIED]]:
        column = seen[:, [at]]
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(column[:half], answers[:half])
        best = max(best, (float(tree.score(column[half:], answers[half:])), -int(at)))
    return best[0], -best[1]


def _by_words(texts: list[str] | None, answers: np.ndarray, half: int) -> float | None:
    """What a linear model of the words makes of the same texts; None without words."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    if texts is None or len(set(answers[:half])) < 2 or not any(any(map(str.isalnum, text)) for text in texts[:half]):
        return None
    words = CountVectorizer(binary=True, token_pattern=r"\w+").fit(texts[:half])
    model = LogisticRegression(max_iter=300).fit(words.transform(texts[:half]), answers[:half])
    return float(model.score(words.transform(texts[half:]), answers[half:]))
