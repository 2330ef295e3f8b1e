"""Hyper-parameter search with Optuna: a study on disk, weak trials stopped early, the best written in RL Zoo's format.

What is maximised is the return on the validation split, the best of a training's looks, as in training itself. The
agent's own settings are tried first and unpruned: what is found must beat them. Discount and number of rows stay as the
agent's file has them; the judged return is undiscounted.
"""

import json
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.text.cache import save_atomically

from ._agents import AGENTS
from ._experiment import Experiment, train

STARTUP = 5  # trials before any is pruned
REFERENCE = "own settings"  # of the agent: the name of their score in the study


@dataclass(frozen=True)
class Log:
    """A number between two others, its logarithm even."""

    low: float
    high: float

    def suggest(self, trial: Any, name: str) -> Any:
        """A value for a trial."""
        return trial.suggest_float(name, self.low, self.high, log=True)


@dataclass(frozen=True)
class Even:
    """A number between two others."""

    low: float
    high: float

    def suggest(self, trial: Any, name: str) -> Any:
        """A value for a trial."""
        return trial.suggest_float(name, self.low, self.high)


@dataclass(frozen=True)
class OneOf:
    """One of some values."""

    values: tuple[Any, ...]

    def suggest(self, trial: Any, name: str) -> Any:
        """A value for a trial."""
        return trial.suggest_categorical(name, self.values)


@dataclass(frozen=True)
class Decaying(Log):
    """A learning rate, constant or falling to 0 in a line."""

    def suggest(self, trial: Any, name: str) -> Any:
        """A value for a trial."""
        rate = float(f"{super().suggest(trial, name):.3g}")
        return f"lin_{rate}" if trial.suggest_categorical(f"{name}_falls", (True, False)) else rate


Space = dict[str, Log | Even | OneOf]

ACTOR_CRITIC: Space = {
    "learning_rate": Decaying(1e-4, 5e-3),
    "n_steps": OneOf((8, 16, 32, 64, 128)),
    "gae_lambda": OneOf((0.0, 0.8, 0.9, 0.95, 1.0)),
    "ent_coef": Log(1e-4, 0.1),
}
MINIBATCHES: Space = {"batch_size": OneOf((64, 128, 256, 512)), "n_epochs": OneOf((1, 2, 4, 8))}
Q_NETWORK: Space = {
    "learning_rate": Decaying(1e-4, 5e-3),
    "batch_size": OneOf((32, 64, 128, 256)),
    "gradient_steps": OneOf((1, 2, 4)),
    "target_update_interval": OneOf((100, 500, 1000, 5000)),
    "exploration_fraction": Even(0.1, 0.9),
    "exploration_final_eps": OneOf((0.01, 0.02, 0.05, 0.1)),
}
SPACES: dict[str, Space] = {
    "ppo": {**ACTOR_CRITIC, **MINIBATCHES},
    "maskable_ppo": {**ACTOR_CRITIC, **MINIBATCHES},
    "recurrent_ppo": {**ACTOR_CRITIC, **MINIBATCHES},
    "a2c": {**ACTOR_CRITIC, "n_steps": OneOf((4, 8, 16, 32))},
    "trpo": {**{name: one for name, one in ACTOR_CRITIC.items() if name != "ent_coef"}, "target_kl": Log(1e-3, 0.05)},
    "dqn": Q_NETWORK,
    "qrdqn": Q_NETWORK,
    "sarsa": {
        "learning_rate": Decaying(0.01, 1.0),
        "lambda_": OneOf((0.0, 0.5, 0.8, 0.95)),
        "exploration_fraction": Even(0.1, 0.9),
        "exploration_final_eps": OneOf((0.01, 0.02, 0.05, 0.1)),
    },
    "reinforce": {
        "learning_rate": Decaying(5e-4, 2e-2),
        "episodes_per_update": OneOf((32, 64, 128, 256)),
        "ent_coef": Log(1e-4, 0.1),
    },
}


@dataclass(frozen=True)
class Found:
    """What a search ended with: the study, the winner's settings, its score and that of the agent's own settings."""

    study: Any
    settings: dict[str, Any]
    score: float
    reference: float
    trial: int | None  # None where nothing beat the agent's own settings

    def states(self) -> dict[str, int]:
        """How many trials ended in which way."""
        names = [trial.state.name.lower() for trial in self.study.trials]
        return {name: names.count(name) for name in ("complete", "pruned", "fail") if name in names}


Told = Callable[[str], None]


def tune(
    experiment: Experiment,
    storage: str | Path,
    trials: int,
    seeds: int = 1,
    space: Space | None = None,
    told: Told = lambda line: None,
) -> Found:
    """Search until the study on disk has `trials` trials; one that was interrupted goes on where it was.

    Each trial's score is the mean over `seeds` seeds; pruning looks at the first. Raises BadArgument.
    """
    optuna = _optuna()
    asked = experiment.settled()
    if not asked.eval_every:
        raise BadArgument("eval_every must be at least 1 to tune: a trial is worth what its looks at validation see.")
    space = space if space is not None else space_of(asked.agent)
    study = optuna.create_study(
        storage=_storage(storage),
        study_name=f"{asked.agent} on {asked.env}",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=3),
    )
    _check_same(study, asked, seeds, storage)
    if REFERENCE not in study.user_attrs:
        study.set_user_attr(REFERENCE, _score(asked, seeds, None))
        told(f"the agent's own settings: validation return {study.user_attrs[REFERENCE]:.4f}")

    def objective(trial: Any) -> float:
        suggested = {name: one.suggest(trial, name) for name, one in space.items()}
        trial.set_user_attr("hyperparameters", suggested)
        return _score(replace(asked, hyperparameters={**asked.hyperparameters, **suggested}), seeds, trial)

    def after(study: Any, trial: Any) -> None:
        value = f"{trial.value:.4f}" if trial.value is not None else "-"
        told(f"trial {trial.number} {trial.state.name.lower()}: validation return {value}, {trial.params}")

    done = sum(trial.state.is_finished() for trial in study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=(asked.seed or 0) + done)  # going on repeats no draws
    study.optimize(objective, max(0, trials - done), callbacks=[after], catch=(Exception,))
    return _found(study, asked)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise BadArgument("Optuna is not installed: pip install 'nlp-gym-envs[tune]'.") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def space_of(agent: str) -> Space:
    """What is searched for an agent; one of your own says it in its attribute `search_space`. Raises BadArgument."""
    kind = AGENTS.get(agent)
    space = SPACES.get(agent) or getattr(kind, "search_space", None)
    if not space:
        raise BadArgument(
            f"{agent} has nothing to search; agents with a search space are {', '.join(SPACES)}. "
            "An agent of your own names its space in an attribute `search_space`."
        )
    return space


def _storage(path: str | Path) -> Any:
    """A study's file: SQLite, or Optuna's journal, which several machines can write to over a network's disk."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        return RDBStorage(f"sqlite:///{path.resolve()}")
    if path.suffix in (".log", ".journal"):
        return JournalStorage(JournalFileBackend(str(path)))
    raise BadArgument(f"--storage must end in .db (SQLite) or .log (Optuna's journal), got {str(path)!r}.")


def _check_same(study: Any, asked: Experiment, seeds: int, storage: str | Path) -> None:
    """Raises BadArgument where the study on disk was asked for something else: its scores would not compare."""
    now = json.loads(json.dumps({**asked.as_config(), "seeds": seeds}))
    before = study.user_attrs.get("asked")
    if before is None:
        study.set_user_attr("asked", now)
    elif before != now:
        pairs = {name: (before.get(name), value) for name, value in now.items() if before.get(name) != value}
        differ = [f"{name} is {there!r} there, not {here!r}" for name, (there, here) in pairs.items()]
        raise BadArgument(f"the study in {storage} has other settings: {'; '.join(differ)}. Choose another --storage.")


def _score(experiment: Experiment, seeds: int, trial: Any) -> float:
    """The mean over seeds of the best validation return."""
    best = []
    for number in range(seeds):
        seeded = replace(experiment, seed=(experiment.seed or 0) + number)
        with tempfile.TemporaryDirectory() as folder:
            watch = _Pruning(trial) if trial is not None and number == 0 else None
            run = train(seeded, Path(folder) / "run", progress=watch)
            best.append(max(row["return"] for row in run.rows()))
    score = sum(best) / len(best)
    if not math.isfinite(score):
        raise ValueError(f"the validation return is {score}.")
    return score


class _Pruning:
    """Tells a study each look of a training, and stops what is weaker than the median of those before."""

    def __init__(self, trial: Any) -> None:
        self.trial, self.looks = trial, 0

    def __call__(self, steps: int, total: int, score: float | None) -> None:
        """A step of the training, or a look."""
        if score is None:
            return
        self.trial.report(score, self.looks)  # by look, not step: agents overshoot steps by different amounts
        self.looks += 1
        if steps < total and self.trial.should_prune():
            raise _optuna().TrialPruned


def _found(study: Any, asked: Experiment) -> Found:
    """The best trial, or the agent's own settings where none beats them. Raises BadArgument where all have failed."""
    finished = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if study.trials and all(trial.state.name == "FAIL" for trial in study.trials):
        raise BadArgument(f"every trial of {asked.agent} on {asked.env} failed; `nlp-gym train` with one shows why.")
    reference = study.user_attrs[REFERENCE]
    best = max(finished, key=lambda trial: trial.value, default=None)
    if best is None or best.value <= reference:
        return Found(study, asked.hyperparameters, reference, reference, None)
    settings = {**asked.hyperparameters, **best.user_attrs["hyperparameters"]}
    return Found(study, settings, best.value, reference, best.number)


def write(path: str | Path, experiment: Experiment, found: Found) -> None:
    """Write what was found under its id into a file in RL Zoo's format; other ids in it stay, comments do not."""
    path = Path(path)
    asked = experiment.settled()
    entry: dict[str, Any] = {"n_timesteps": asked.steps, "n_envs": asked.n_envs}
    entry |= {"env_kwargs": asked.env_kwargs} if asked.env_kwargs else {}
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not isinstance(known, Mapping):
        raise BadArgument(f"{path} is no file of hyper-parameters: it must be a mapping of ids; choose another --out.")
    content = {**known, asked.env: {**entry, **json.loads(json.dumps(found.settings))}}
    text = yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    score = f"validation return {found.score:.4f}, before {found.reference:.4f}"
    head = f"# RL Zoo's format. {asked.env} is by nlp-gym tune: {score}.\n"
    save_atomically(path, lambda file: file.write((head + text).encode()))


class _Plain(yaml.SafeDumper):
    """YAML without anchors: entries that were one alias are written out."""

    def ignore_aliases(self, data: Any) -> bool:
        """All of them."""
        return True
