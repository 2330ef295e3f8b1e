"""Training an agent into a run folder: checkpoints, the best model by validation, a learning curve; resumable."""

import importlib.util
import io
import json
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from nlp_gym_envs.errors import BadArgument, BadData
from nlp_gym_envs.text.cache import save_atomically

from ._agents import AGENTS, make_agent, without_folder
from ._baseline import Baseline
from ._bridge import SB3VecEnv, make_vec_env
from ._buffers import buffer_arrays, fill_buffer
from ._evaluation import counted, evaluate
from ._hyperparameters import as_values, hyperparameters
from ._runs import DAMAGED, Run, check_data, circumstances, data_facts, short

LOOKS = 20  # at the validation split, unless asked otherwise
VALIDATION = 2000  # examples of it that a look takes at most, unless asked otherwise
ZOO_ONLY = ("normalize", "env_wrapper", "vec_env_wrapper", "frame_stack", "callback")  # of RL Zoo's keys, not ours

Progress = Callable[[int, int, float | None], None]  # steps done, of how many, the latest validation score


@dataclass
class Experiment:
    """What is asked: an agent, an id, how long; everything else has a default in the agent's file. The seed's is 0."""

    agent: str
    env: str
    steps: int | None = None
    seed: int | None = None
    n_envs: int | None = None
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    config_file: str | None = None
    eval_every: int | None = None  # steps; 0: no looks at the validation split, and the last model is the one kept
    eval_limit: int | None = None  # examples of the validation split that a look takes at most

    @classmethod
    def of(cls, run: Run) -> "Experiment":
        """What a run was asked to do. Raises BadArgument or BadData where its folder does not say so."""
        config, where = run.config(), run.folder / "config.yaml"
        try:
            asked = cls(**config)
        except TypeError as error:
            raise BadData(f"{where} is no run's configuration: {error}.") from error
        for name, kind in (("agent", str), ("env", str), ("env_kwargs", dict), ("hyperparameters", dict)):
            if not isinstance(getattr(asked, name), kind):
                raise BadData(f"{where}: {name} must be a {kind.__name__}, it is {getattr(asked, name)!r}.")
        for name, least in (("steps", 1), ("n_envs", 1), ("eval_every", 0), ("seed", 0)):
            value = getattr(asked, name)
            if not isinstance(value, int) or value < least:
                raise BadData(f"{where}: {name} must be a whole number of at least {least}, it is {value!r}.")
        return asked

    def settled(self) -> "Experiment":
        """With every default filled in from the agent's file. Raises BadArgument or UnknownName."""
        AGENTS.get(self.agent)
        found = hyperparameters(self.agent, self.env, self.config_file)
        if other := [key for key in ZOO_ONLY if found.get(key)]:
            raise BadArgument(
                f"{other[0]!r} in {self.agent}'s hyper-parameters is RL Zoo's; observations are standardised already."
            )
        steps, n_envs = found.pop("n_timesteps", 100_000), found.pop("n_envs", 16)
        env_kwargs = {**(found.pop("env_kwargs", None) or {}), **self.env_kwargs}
        given = {key: value for key, value in found.items() if key not in ZOO_ONLY} | self.hyperparameters
        steps = _whole("steps (n_timesteps)", self.steps if self.steps is not None else steps)
        n_envs = _whole("n_envs", self.n_envs if self.n_envs is not None else n_envs)
        every = _whole("eval_every", self.eval_every if self.eval_every is not None else max(1, steps // LOOKS), 0)
        most = _whole("eval_limit", self.eval_limit if self.eval_limit is not None else VALIDATION)
        return Experiment(self.agent, self.env, steps, self.seed or 0, n_envs, env_kwargs, given, None, every, most)

    def as_config(self) -> dict[str, Any]:
        """What config.yaml holds. Raises BadArgument for a value that no file could hold."""
        config = {name: value for name, value in asdict(self).items() if name != "config_file"}
        try:
            return json.loads(json.dumps(config))
        except (TypeError, ValueError) as error:
            raise BadArgument(
                f"a run's settings must be texts, numbers, lists and mappings of them: {error}. "
                "Things of your own go by their dotted names, as 'my_package.my_reward'."
            ) from error

    def check_same(self, asked: "Experiment", folder: Path) -> None:
        """Raises BadArgument where this asks for something else than the run that is to be continued did."""
        settled = self.settled() if self.config_file is not None else self
        differ = []
        for name in ("agent", "env", "seed", "n_envs", "eval_every"):
            mine, its = getattr(self, name), getattr(asked, name)
            if mine is not None and mine != its:
                differ.append(f"{name} is {its!r} there, not {mine!r}")
        for mine, its in ((settled.env_kwargs, asked.env_kwargs), (settled.hyperparameters, asked.hyperparameters)):
            for name, value in json.loads(json.dumps(mine, default=str)).items():
                if name not in its:
                    differ.append(f"{name} is not set there, not {value!r}")
                elif its[name] != value:
                    differ.append(f"{name} is {its[name]!r} there, not {value!r}")
        if differ:
            raise BadArgument(
                f"the run in {folder} goes on with its own settings: {'; '.join(differ)}. "
                "Leave these out to continue it, or train into another folder with --out."
            )


def _whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number, which YAML may give as 1e5."""
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number < least:
        raise BadArgument(f"{name} must be a whole number of at least {least}, got {value!r}.")
    return number


def train(
    experiment: Experiment,
    folder: str | Path,
    resume: bool = False,
    progress: Progress | None = None,
    command: str = "",
    tensorboard: bool = False,
) -> Run:
    """Train into a folder, or continue what was interrupted there; a run that is finished stays as it is.

    Raises BadArgument where the folder holds a run and `resume` is not asked for, and the errors of the data.
    KeyboardInterrupt leaves a checkpoint behind and passes on. A continued run has its own settings; of `experiment`
    only `steps` may differ from them.
    """
    run = Run(folder)
    known = resume and run.exists
    if known:
        asked = Experiment.of(run)
        experiment.check_same(asked, run.folder)
        asked.steps = experiment.steps if experiment.steps is not None else asked.steps
        experiment = asked
        if run.finished(experiment.steps or 0):
            return run
    else:
        experiment = experiment.settled()
        run.check_free()
    config = experiment.as_config()
    env = make_vec_env(experiment.env, experiment.n_envs or 1, experiment.seed, experiment.env_kwargs)
    check_data(run, env)
    agent = make_agent(experiment.agent, env, _settings(run, experiment, tensorboard), experiment.seed)
    with run.locked():  # nothing is written before all that was asked for could be made
        if not known:
            run.create(config)
        elif config != run.config():
            run.configure(config)  # it is made longer
        if "data" not in run.facts():
            run.note(command=command, began=_now(), **circumstances(), data=data_facts(env))
        _Training(run, experiment, agent, env, progress).go()
    return run


def _settings(run: Run, experiment: Experiment, tensorboard: bool) -> dict[str, Any]:
    """What the agent is made with."""
    settings = as_values(experiment.hyperparameters)
    if tensorboard and not issubclass(AGENTS.get(experiment.agent), Baseline):
        if importlib.util.find_spec("tensorboard") is None:
            raise BadArgument("TensorBoard is not installed: pip install 'nlp-gym-envs[tensorboard]'.")
        settings["tensorboard_log"] = str(run.folder / "tensorboard")
    return settings


class _Training:
    """One agent's training: where it stands, and what is written when.

    A look writes the checkpoint first, which says in `state.json` what else follows from it: a row, and whether this
    is the best model. Whatever interrupts the rest, `_publish` does it again from there.
    """

    def __init__(self, run: Run, experiment: Experiment, agent: Any, env: SB3VecEnv, progress: Progress | None) -> None:
        self.run, self.experiment, self.agent, self.env, self.progress = run, experiment, agent, env, progress
        self.steps = int(experiment.steps or 0)
        self.every = int(experiment.eval_every or 0)
        self.best: float | None = None
        self.before = 0.0  # seconds spent before this process
        self.started = time.time()

    @property
    def seconds(self) -> float:
        """Spent on this training, here and before."""
        return round(self.before + time.time() - self.started, 2)

    def go(self) -> None:
        """Continue from the newest checkpoint, if there is one, to the end."""
        if self.run.checkpoint():
            self._continue()
        else:
            self.run.forget_after(-1)
        if isinstance(self.agent, Baseline):
            self.agent.learn()
            self.look()
        else:
            try:
                self._learn()
            except KeyboardInterrupt:
                self._keep()
                raise
            draw_curve(self.run)
        steps = max(self.steps, int(self.agent.num_timesteps))
        counts = counted(self.env.get_attr("episodes")[0]) if self.before == 0 else {}  # of an earlier process unknown
        self.run.note(ended=_now(), steps=steps, seconds=self.seconds, best_validation=self.best, counts=counts)

    def _learn(self) -> None:
        fresh = self.agent.num_timesteps == 0
        if self.every and fresh and not self.run.rows():
            self.look()
        left = self.steps - self.agent.num_timesteps
        if left > 0:
            _warn_of_idleness(self.agent, left)
            self.agent.learn(left, callback=_Look(self), reset_num_timesteps=fresh, log_interval=10)
            self.look()
        elif not (self.run.folder / "model.zip").exists():
            self.look()

    def look(self) -> None:
        """Judge the agent on the validation split, keep it if it is the best so far, and write a checkpoint.

        Without looks nobody is judged, and what is there now is kept.
        """
        row = self._judged() if self.every else None
        score = None if row is None else row["return"]
        is_best = score is None or self.best is None or score > self.best
        is_best = is_best or not (self.run.folder / "model.zip").exists()
        self.best = score if is_best else self.best
        if isinstance(self.agent, Baseline):  # fitted in one go: nothing to continue
            self.run.write("model.zip", _saved(self.agent))
            if row is not None:
                self.run.add_row(row)
        else:
            self._publish(self.checkpoint(row, is_best))
        if self.progress:
            self.progress(int(self.agent.num_timesteps), self.steps, score)

    def _judged(self) -> dict[str, Any]:
        """The agent's scores on the validation split, as a row of metrics.jsonl."""
        asked, most = self.experiment, self.experiment.eval_limit or VALIDATION
        judged = evaluate(self.agent, asked.env, "validation", asked.env_kwargs, limit=most, intervals=False)
        row = {"steps": int(self.agent.num_timesteps), "seconds": self.seconds, "split": "validation", "n": judged.n}
        return row | {name: found.value for name, found in judged.scores.items()}

    def checkpoint(self, row: dict[str, Any] | None = None, is_best: bool = False) -> Path:
        """Write all that continuing needs; `is_best` where this agent is the one to keep."""
        agent = self.agent
        state = {"steps": int(agent.num_timesteps), "updates": agent._n_updates, "seconds": self.seconds}
        state |= {"best": self.best, "is_best": is_best, "row": row}

        def save(folder: Path) -> None:
            (folder / "agent.zip").write_bytes(_saved(agent))
            if (buffer := getattr(agent, "replay_buffer", None)) is not None:
                np.savez(folder / "replay.npz", **buffer_arrays(buffer))  # pyright: ignore[reportArgumentType]
            (folder / "state.json").write_text(json.dumps(state))

        return self.run.save_checkpoint(int(agent.num_timesteps), save)

    def _publish(self, checkpoint: Path) -> dict[str, Any]:
        """Do what follows from a checkpoint, as often as one likes; what its state says."""
        state = json.loads((checkpoint / "state.json").read_text())
        if state["is_best"]:
            self.run.write("model.zip", (checkpoint / "agent.zip").read_bytes())
        if state["row"] is not None:
            self.run.add_row(state["row"])
        self.run.drop_old_checkpoints()
        return state

    def _keep(self) -> None:
        """Interrupted: finish what was being written, and add a checkpoint of where the agent stands."""
        newest = self.run.checkpoint()
        if newest:
            self.best = self._publish(newest)["best"]
        if int(self.agent.num_timesteps) > self.run.steps_done() or not newest:
            self.checkpoint()
            self.run.drop_old_checkpoints()

    def _continue(self) -> None:
        """Take over the newest checkpoint that can be read. Raises BadData where none can."""
        problems = []
        for folder in self.run.checkpoints():
            try:
                state = self._load(folder)
            except DAMAGED as error:
                problems.append(f"{folder} cannot be read ({short(error)})")
                continue
            break
        else:
            raise BadData(
                f"{'; '.join(problems)}. The best model so far is untouched: nlp-gym evaluate {self.run.folder}. "
                "Remove the checkpoint folders to train from the start with --resume, or choose another --out."
            )
        best = [row["return"] for row in self.run.rows()] if problems else []  # model.zip is as good as any of these
        if problems:
            warnings.warn(f"{'; '.join(problems)}: going on from the one before, {folder}.", stacklevel=2)
            for damaged in self.run.checkpoints()[: len(problems)]:
                aside = damaged.with_name(f"damaged-{damaged.name}")
                shutil.rmtree(aside, ignore_errors=True)
                damaged.rename(aside)
        self.run.forget_after(state["steps"])
        if not best or not (self.run.folder / "model.zip").exists():
            self._publish(folder)
        self.best = max([state["best"], *best], default=None, key=lambda score: -np.inf if score is None else score)
        self.before = state["seconds"]
        # the examples and draws of the start would come again with the run's own seed
        seed = int(np.random.SeedSequence([self.experiment.seed or 0, state["steps"]]).generate_state(1)[0])
        if hasattr(self.agent, "_counters"):
            self.env.seed(seed)  # its own generators are in its file
        else:
            self.agent.set_random_seed(seed)

    def _load(self, folder: Path) -> dict[str, Any]:
        """Make the agent what it was at a checkpoint; what its state says."""
        state = json.loads((folder / "state.json").read_text())
        state = {name: state[name] for name in ("steps", "updates", "seconds", "best", "is_best", "row")}
        if hasattr(self.agent, "_counters"):  # one of our own: its file holds its counters and generators too
            settings = as_values(self.experiment.hyperparameters)
            settings = {name: value for name, value in settings.items() if name not in ("policy", "device")}
            kind, log = type(self.agent), self.agent.tensorboard_log
            loaded = kind.load(folder / "agent.zip", env=self.env, tensorboard_log=log, **settings)
            self.agent = without_folder(loaded)
        else:
            agent = self.agent
            agent.set_parameters(str(folder / "agent.zip"), device=agent.device)  # tensors only: no pickle is read
            agent.num_timesteps, agent._n_updates = state["steps"], state["updates"]
            if getattr(agent, "replay_buffer", None) is not None:
                fill_buffer(agent.replay_buffer, folder / "replay.npz")
        return state


def _warn_of_idleness(agent: Any, steps: int) -> None:
    """Warn where an agent will not change: the rate of an update is the one that its rollout ends with, often 0."""
    rollout = getattr(agent, "n_steps", 0) * getattr(agent, "n_envs", 0)
    if 0 < steps <= rollout and agent.lr_schedule(0.0) == 0:
        warnings.warn(
            f"nothing will be learned: {steps:,} steps are one rollout ({agent.n_steps} steps of {agent.n_envs} rows), "
            "and the learning rate has fallen to 0 at its end. Train longer, or with a smaller n_steps or n_envs.",
            stacklevel=2,
        )


def _saved(agent: Any) -> bytes:
    """The agent's file. It is made in memory: torch reports a full disk in ways of its own."""
    file = io.BytesIO()
    agent.save(file)
    return file.getvalue()


class _Look(BaseCallback):
    """Looks at the validation split every so many steps, and tells the progress in between."""

    def __init__(self, training: _Training) -> None:
        super().__init__()
        self.training = training
        self.next: float = 0

    def _on_training_start(self) -> None:
        self._set_next()

    def _set_next(self) -> None:
        """At multiples of the interval, wherever an interruption was; never without one."""
        every = self.training.every
        self.next = (self.num_timesteps // every + 1) * every if every else np.inf

    def _on_step(self) -> bool:
        if self.training.progress:
            self.training.progress(self.num_timesteps, self.training.steps, None)
        if self.num_timesteps >= self.next and self.num_timesteps < self.training.steps:
            self.training.look()
            self._set_next()
        return True


def draw_curve(run: Run) -> None:
    """Write curve.png from metrics.jsonl; nothing without matplotlib (the extra `plots`)."""
    rows = [row for row in run.rows() if row["split"] == "validation"]
    if not rows:
        return  # nobody looked
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    config = run.config()
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    steps = [row["steps"] for row in rows]
    for name, style in (("return", "-"), ("accuracy", "--")):
        twice = name == "accuracy" and all(row.get("accuracy") == row.get("return") for row in rows)
        if rows and name in rows[0] and not twice:
            label, colour = (f"mean {name}", "#0072B2") if name == "return" else (name, "#D55E00")
            axes.plot(steps, [row[name] for row in rows], style, marker=".", color=colour, label=label)
    axes.set(xlabel="environment steps", ylabel="validation split", title=f"{config['agent']} on {config['env']}")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    save_atomically(run.folder / "curve.png", lambda file: figure.savefig(file, format="png", dpi=150))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
