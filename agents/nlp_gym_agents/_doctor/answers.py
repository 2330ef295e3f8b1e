"""The degenerate-answer battery: what does an agent earn that has understood nothing, and does any of it pay too well?

Answers are judged twice: as texts, straight by the task's metric, and as policies that play. What they are held
against is the trivial baseline: the commonest label, the first choice, the model's own greedy answer, else uniform.
"""

from collections import Counter
from typing import Any

import numpy as np

from nlp_gym_envs.answers import Choice, Label, Span
from nlp_gym_envs.envs import NLPVectorEnv
from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.text.examples import Examples, as_objects

from ._findings import Findings, check, fault, note, ok, warning
from ._play import Played, Policy, always
from ._subject import Subject

SECTION = "Degenerate answers"
JUDGED = 500  # examples whose answers are judged as texts
MOST_CONSTANT = 12  # actions that are tried one by one
NEARLY_ALL = 0.95  # share of the way from uniform to the oracle that no constant action should go


# ---------------------------------------------------------------- as texts


@check(SECTION)
def answers_as_texts(subject: Subject) -> Findings:
    """What the metric says of empty, repeated, copied, longest and commonest answers."""
    if not subject.ours:
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
        yield fault(f"{metric.name} of answers", f"the right ones {best:.3f}; {told}",
                    "The metric must prefer the target itself: is it upside down?", right=best, **scores)  # fmt: skip
    elif scores["empty"] > 0.01:
        yield fault(f"{metric.name} of answers", told, "An empty answer must be worth 0 where the target is not empty.",
                    right=best, **scores)  # fmt: skip
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
    return {**texts, "one word again and again": [repeated] * count, "the source copied": source,
            "the longest": [max(given, key=len)] * count}  # fmt: skip


# ---------------------------------------------------------------- as policies


@check(SECTION)
def answers_as_policies(subject: Subject) -> Findings:
    """What policies earn that look at nothing, beside the trivial baseline on the same episodes."""
    where = {"split": "validation", "order": "sequential"} if _has_validation(subject) else {}
    name, baseline = _baseline(subject)
    rows = min(subject.episodes, len(subject.single(**where).unwrapped.task.examples)) if where else subject.episodes
    floor = subject.played(baseline, rows, **where)
    earned = {each: subject.played(policy, rows, **where) for each, policy in _policies(subject).items()}
    beating = [each for each, played in earned.items() if _beats(played, floor)]
    values = {each: float(played.returns.mean()) for each, played in earned.items()}
    values[name] = float(floor.returns.mean())
    high = max(values, key=lambda each: values[each] if each != name else -np.inf)
    told = f"{name} earns {values[name]:.3f}; the best of {len(earned)} that look at nothing, {high}, {values[high]:.3f}"
    if not beating:
        yield ok("policies", told, **values)
    elif subject.ours and not _may_be_beaten(subject):
        yield fault("policies", f"{_listed(beating, values)} beat {name}, {values[name]:.3f}",
                    "Answers that understood nothing must not win: look at the metric and at the order of choices.",
                    **values)  # fmt: skip
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
        yield fault("policies", f"{told}; {ceiling:.3f} is the most that can be earned",
                    "Nothing has to be seen to win here.", **values)  # fmt: skip
    elif subject.has_model:
        yield warning("policies", told, "The model inside does not know this task: nlp-gym pretrain, or another model=.",
                      **values)  # fmt: skip
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
        yield fault("no answer at all", f"is paid {told}", "Saying nothing must not pay where something is asked.", **values)
    elif silent.mean() > spoken.mean() + 3 * error:
        yield warning("no answer at all", f"is paid {told}", "Wrong words cost more than silence: agents will be silent.",
                      **values)  # fmt: skip
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


def _baseline(subject: Subject) -> tuple[str, Policy]:
    """The trivial policy that belongs to an environment, and its name."""
    if subject.labelled and subject.moves.name in ("label", "read"):
        return "the commonest label", always(int(np.bincount(subject.task.train.target).argmax()))
    if subject.ours and subject.moves.name in ("choices", "span"):
        return "the first choice", lambda envs, masks, *_: _masks(masks).argmax(1)
    if subject.ours and hasattr(subject.moves, "candidates"):
        return "greedy", _likeliest
    if subject.ours and subject.moves.name == "readwrite":
        return "read all, then write", lambda envs, *_: envs.oracle_actions()
    from ._play import uniform

    return "uniform", uniform


def _policies(subject: Subject) -> dict[str, Policy]:
    """What can be done without looking: constant actions, and what a writer can do wrong."""
    from gymnasium import spaces

    space, found = subject.space, {}
    if isinstance(space, spaces.Box):
        if not space.is_bounded():
            return {"always 0": always(np.zeros(space.shape, space.dtype))}
        middle = ((space.low + space.high) / 2).astype(space.dtype)
        return {"always the lowest": always(space.low), "always the middle": always(middle),
                "always the highest": always(space.high)}  # fmt: skip
    if isinstance(space, spaces.MultiDiscrete):
        return {"always the first": always(space.start), "always the last": always(space.start + space.nvec - 1)}
    if not isinstance(space, spaces.Discrete):
        return {}
    if subject.ours and hasattr(subject.moves, "candidates"):
        return {"nothing, at once": _stop, "as long as can be": _on_and_on, "one token again and again": _again,
                "the last candidate": _last_allowed}  # fmt: skip
    actions, meanings = subject.actions, subject.meanings
    for at in sorted({*range(min(len(actions), MOST_CONSTANT - 1)), len(actions) - 1}):
        found[f"always {meanings[at]!r}"] = always(actions[at])
    found["by turns"] = lambda envs, masks, step, draw: np.full(envs.num_envs, actions[step % len(actions)])
    if subject.uniform.masks:
        found["the last that is allowed"] = _last_allowed
    return found


def _masks(masks: np.ndarray | None) -> np.ndarray:
    assert masks is not None
    return masks


def _last_allowed(envs: Any, masks: np.ndarray | None, step: int, draw: Any) -> np.ndarray:
    there = _masks(masks)
    return there.shape[1] - 1 - there[:, ::-1].argmax(1) + int(envs.single_action_space.start)


# ---------------------------------------------------------------- writers, who choose among a model's candidates


def _best(envs: NLPVectorEnv, among: np.ndarray) -> np.ndarray:
    moves: Any = envs.episodes.dynamics
    return np.where(among & moves.allowed, moves.log_p, -np.inf).argmax(1)


def _likeliest(envs: Any, *_: Any) -> np.ndarray:
    return _best(envs, np.ones_like(envs.episodes.dynamics.allowed))


def _stop(envs: Any, *_: Any) -> np.ndarray:
    moves = envs.episodes.dynamics
    return (moves.candidates == moves.model.end).argmax(1)


def _on_and_on(envs: Any, *_: Any) -> np.ndarray:
    moves = envs.episodes.dynamics
    return _best(envs, moves.candidates != moves.model.end)


def _again(envs: Any, *_: Any) -> np.ndarray:
    moves = envs.episodes.dynamics
    last = moves.written[np.arange(envs.num_envs), np.maximum(moves.length - 1, 0)]
    same = (moves.candidates == last[:, None]) & moves.allowed
    return np.where(same.any(1), same.argmax(1), _likeliest(envs))
