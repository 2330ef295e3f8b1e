"""The degenerate-answer battery: what does an agent earn that has understood nothing, and does any of it pay too well?

Answers are judged twice: as texts, straight by the task's metric, and as policies that play. What they are held
against is the trivial baseline: the commonest label, the first choice, the model's own greedy answer, else uniform.
"""

from collections import Counter
from typing import Any

import numpy as np

from nlp_gym_envs.answers import Choice, Label, Span
from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.text.examples import Examples, as_objects

from ._findings import Findings, check, fault, note, ok, warning
from ._play import Played
from ._policies import degenerate, trivial
from ._subject import Subject

SECTION = "Degenerate answers"
JUDGED = 500  # examples whose answers are judged as texts
NEARLY_ALL = 0.95  # share of the way from uniform to the oracle that no constant action should go


# ---------------------------------------------------------------- as texts


@check(SECTION)
def answers_as_texts(subject: Subject) -> Findings:
    """What the metric says of empty, repeated, copied, longest and commonest answers."""
    if not subject.answers:
        return
    task = subject.task
    examples, metric = task.examples.first(min(len(task.examples), JUDGED)), task.metric
    answered = [at for at, accepted in enumerate(task.answer.accepted_of(examples)) if any(accepted)]
    scores: dict[str, float] = {}
    for name, texts in _texts(examples, task.train, task.answer).items():
        answers = task.answer.parse_all(as_objects(texts), examples)
        scores[name] = float(metric.each(answers[answered], examples.target[answered]).mean())
    right = task.answer.parse_all(as_objects([a[0] for a in task.answer.accepted_of(examples)]), examples)
    best = float(metric.each(right[answered], examples.target[answered]).mean())
    told = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
    if best < max(scores.values()):
        yield fault(
            f"{metric.name} of answers",
            f"the right ones {best:.3f}; {told}",
            "The metric must prefer the target itself: is it upside down?",
            right=best,
            **scores,
        )
    elif scores["empty"] > 0.01:
        yield fault(
            f"{metric.name} of answers",
            told,
            "An empty answer must be worth 0 where the target is not empty.",
            right=best,
            **scores,
        )
    else:
        yield ok(f"{metric.name} of answers", f"the right ones {best:.3f}; {told}", right=best, **scores)


def _texts(examples: Examples, train: Examples, form: Any) -> dict[str, list[str]]:
    """Each degenerate answer to each example, where the form of answer has it."""
    count = len(examples)
    given = [next(iter(accepted), "") for accepted in form.accepted_of(train.first(min(len(train), 5000)))]
    commonest = Counter(given).most_common(1)[0][0]
    texts = {"empty": [""] * count, "the commonest": [commonest] * count}
    if isinstance(form, Label):
        return {**texts, "all labels": [" ".join(form.names)] * count}
    if isinstance(form, Choice):
        return {**texts, "the longest choice": [max(choices, key=len) for choices in examples["choices"]]}
    word = Counter(word for text in given for word in text.split()).most_common(1)
    repeated = " ".join([word[0][0] if word else "the"] * 20)
    source = list(map(str, examples["context" if isinstance(form, Span) else "text"]))
    return {
        **texts,
        "one word again and again": [repeated] * count,
        "the source copied": source,
        "the longest": [max(given, key=len)] * count,
    }


# ---------------------------------------------------------------- as policies


@check(SECTION)
def answers_as_policies(subject: Subject) -> Findings:
    """What policies earn that look at nothing, beside the trivial baseline on the same episodes."""
    where: dict[str, Any] = {"split": "validation", "order": "sequential"} if _has_validation(subject) else {}
    name, baseline = trivial(subject)
    rows = min(subject.episodes, subject.single(**where).unwrapped.episodes.size) if where else subject.episodes
    floor = subject.played(baseline, rows, **where)
    earned = {each: subject.played(policy, rows, **where) for each, policy in degenerate(subject).items()}
    beating = [each for each, played in earned.items() if _beats(played, floor)]
    handed = [each for each in beating if earned[each].invalid.any()]  # the environment chose in their place
    values = {each: float(played.returns.mean()) for each, played in earned.items()}
    values[name] = float(floor.returns.mean())
    high = max(values, key=lambda each: values[each] if each != name else -np.inf)
    told = (
        f"{name} earns {values[name]:.3f}; the best of {len(earned)} that look at nothing, {high}, {values[high]:.3f}"
    )
    if not beating:
        yield ok("policies", told, **values)
    elif beating == handed:
        yield note("policies", f"{told}; where it is not allowed the environment itself answers", **values)
    elif subject.ours and not _may_be_beaten(subject):
        yield fault(
            "policies",
            f"{_listed(beating, values)} beat {name}, {values[name]:.3f}",
            "Answers that understood nothing must not win: look at the metric and at the order of choices.",
            **values,
        )
    else:
        yield from _beaten(subject, beating, values, name)
    yield from _empty_answers(subject, [floor, *earned.values(), subject.uniform])


def _beaten(subject: Subject, beating: list[str], values: dict[str, float], name: str) -> Findings:
    """Constant actions win where they may: a fault only if next to nothing is left to learn."""
    top = max(beating, key=values.__getitem__)
    best, blind = subject.oracle, float(subject.uniform.returns.mean())
    ceiling = float(best.returns.mean()) if best is not None else (subject.reward_range or (0, np.inf))[1]
    told = f"{_listed(beating, values)} beat {name}, {values[name]:.3f}"
    if np.isfinite(ceiling) and values[top] - blind >= NEARLY_ALL * (ceiling - blind) > 0:
        blame = warning if subject.ours and not subject.answers else fault  # a nudge's action may look by itself
        yield blame(
            "policies", f"{told}; {ceiling:.3f} is all that can be earned", "It takes no eyes to win.", **values
        )
    elif subject.has_model and subject.answers:
        yield warning(
            "policies", told, "The model inside does not know this task: pretrain one, or name another.", **values
        )
    else:
        yield note("policies", told, f"Report {top!r} beside your agent: it is what must be beaten.", **values)


def _empty_answers(subject: Subject, seen: list[Played]) -> Findings:
    """Whether episodes that end without an answer are paid more than the others."""
    empty, others = [], []
    for played in seen:
        wanted = played.ended & np.array([bool(target) and any(target) for target in played.targets])
        none = np.array([answer is not None and not str(answer).strip() for answer in played.answers], bool)
        empty.append(played.returns[wanted & none])
        others.append(played.returns[wanted & ~none])
    silent, spoken = np.concatenate(empty), np.concatenate(others)
    if not len(silent) or not len(spoken):
        return
    told = f"{silent.mean():.3f} in {len(silent)} episodes, answers {spoken.mean():.3f}"
    error = float(np.hypot(silent.std() / np.sqrt(len(silent)), spoken.std() / np.sqrt(len(spoken))))
    values = {"empty": float(silent.mean()), "answered": float(spoken.mean())}
    if silent.mean() > spoken.mean() + 3 * error and not subject.has_model:
        yield fault(
            "no answer at all", f"is paid {told}", "Saying nothing must not pay where something is asked.", **values
        )
    elif silent.mean() > spoken.mean() + 3 * error:
        yield warning(
            "no answer at all",
            f"is paid {told}",
            "Wrong words cost more than silence.",
            **values,
        )
    else:
        yield ok("no answer at all", f"is paid {told}", **values)


def _beats(played: Played, floor: Played) -> bool:
    gain = played.returns - floor.returns
    return bool(gain.mean() > 1e-6 + 3 * gain.std() / np.sqrt(len(gain)))


def _listed(names: list[str], values: dict[str, float]) -> str:
    most = sorted(names, key=values.__getitem__, reverse=True)[:3]
    return ", ".join(f"{name} ({values[name]:.3f})" for name in most) + (", ..." if len(names) > 3 else "")


def _has_validation(subject: Subject) -> bool:
    if not subject.ours:
        return False
    try:
        subject.single(split="validation")
    except (BadArgument, BadData):
        return False
    return True


def _may_be_beaten(subject: Subject) -> bool:
    """Whether the baseline is no floor: an untrained model's answer, the uniform policy, a rule of our own."""
    return not isinstance(subject.task.answer, Label | Choice) or subject.moves.name not in ("label", "read", "choices")
