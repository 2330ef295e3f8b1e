"""Training an agent into a run folder: checkpoints, the best model by validation, a learning curve; resumable."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.text.cache import save_atomically

from ._agents import AGENTS, make_agent
from ._baseline import Baseline
from ._bridge import SB3VecEnv, make_vec_env
from ._evaluation import Evaluation, evaluate
from ._hyperparameters import as_values, hyperparameters
from ._runs import Run, circumstances

LOOKS = 20  # at the validation split, unless asked otherwise
VALIDATION = 2000  # examples of it that a look takes at most
ZOO_ONLY = ("normalize", "env_wrapper", "vec_env_wrapper", "frame_stack", "callback")  # of RL Zoo's keys, not ours

Progress = Callable[[int, int, float | None], None]  # steps done, of how many, the latest validation score


@dataclass
class Experiment:
    """What is asked: an agent, an id, how long; everything else has a default in the agent's file."""

    agent: str
    env: str
    steps: int | None = None
    seed: int = 0
    n_envs: int | None = None
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    config_file: str | None = None
    eval_every: int | None = None

    def settled(self) -> "Experiment":
        """With every default filled in from the agent's file. Raises BadArgument or UnknownName."""
        AGENTS.get(self.agent)
        found = hyperparameters(self.agent, self.env, self.config_file)
        if other := [key for key in ZOO_ONLY if found.get(key)]:
            raise BadArgument(
                f"{other[0]!r} in {self.agent}'s hyper-parameters is RL Zoo's; observations here are standardised already."
            )
        steps, n_envs = found.pop("n_timesteps", 100_000), found.pop("n_envs", 16)
        env_kwargs = {**found.pop("env_kwargs", {}), **self.env_kwargs}
        given = {key: value for key, value in found.items() if key not in ZOO_ONLY} | self.hyperparameters
        steps = int(self.steps if self.steps is not None else float(steps))
        n_envs = int(self.n_envs if self.n_envs is not None else n_envs)
        if steps < 1 or n_envs < 1:
            raise BadArgument(f"steps and n_envs must be at least 1, got {steps} and {n_envs}.")
        every = self.eval_every or max(1, steps // LOOKS)
        return Experiment(self.agent, self.env, steps, self.seed, n_envs, env_kwargs, given, None, every)


def train(
    experiment: Experiment,
    folder: str | Path,
    resume: bool = False,
    progress: Progress | None = None,
    command: str = "",
    tensorboard: bool = False,
) -> Run:
    """Train into a folder, or continue what was interrupted there.

    Raises BadArgument where the folder holds a run and `resume` is not asked for, and the errors of the data.
    KeyboardInterrupt leaves a checkpoint behind and passes on.
    """
    run = Run(folder)
    if resume and run.exists:
        asked = Experiment(**run.config())
        if asked.env != experiment.env or asked.agent != experiment.agent:
            raise BadArgument(
                f"{run.folder} holds {asked.agent} on {asked.env}, not {experiment.agent} on {experiment.env}."
            )
        if experiment.steps is not None:
            asked.steps = experiment.steps  # a finished run can be made longer
        experiment = asked
    else:
        experiment = experiment.settled()
        env = make_vec_env(experiment.env, experiment.n_envs or 1, env_kwargs=experiment.env_kwargs)  # before any file
        make_agent(experiment.agent, env, as_values(experiment.hyperparameters), experiment.seed)
        run.create({k: v for k, v in asdict(experiment).items() if k != "config_file"})
        run.note(command=command, began=_now(), **circumstances(), data=data_facts(env))
    env = make_vec_env(experiment.env, experiment.n_envs or 1, experiment.seed, experiment.env_kwargs)
    check_data(run, env)
    settings = as_values(experiment.hyperparameters)
    if tensorboard and not issubclass(AGENTS.get(experiment.agent), Baseline):
        settings["tensorboard_log"] = str(run.folder / "tensorboard")
    agent = make_agent(experiment.agent, env, settings, experiment.seed)
    _Training(run, experiment, agent, env, progress).go()
    return run


class _Training:
    """One agent's training: where it stands, and what is written when."""

    def __init__(self, run: Run, experiment: Experiment, agent: Any, env: SB3VecEnv, progress: Progress | None) -> None:
        self.run, self.experiment, self.agent, self.env, self.progress = run, experiment, agent, env, progress
        self.steps = int(experiment.steps or 0)
        self.every = max(int(experiment.eval_every or 1), 1)
        self.best: float | None = None
        self.seconds = 0.0  # spent before this process
        self.started = time.time()

    def go(self) -> None:
        """Continue from the newest checkpoint, if there is one, to the end."""
        if checkpoint := self.run.checkpoint():
            self._load(checkpoint)
        else:
            self.run.forget_after(-1)
        left = self.steps - self.agent.num_timesteps
        if left > 0 or not (self.run.folder / "model.zip").exists():
            try:
                if isinstance(self.agent, Baseline):
                    self.agent.learn()
                    self.agent.num_timesteps = self.steps
                else:
                    if self.agent.num_timesteps == 0:
                        self.look()
                    fresh = self.agent.num_timesteps == 0
                    self.agent.learn(left, callback=_Look(self), reset_num_timesteps=fresh, log_interval=10)
                self.look()
            except KeyboardInterrupt:
                self.checkpoint()
                raise
        draw_curve(self.run)
        self.run.note(
            ended=_now(), seconds=round(self.seconds + time.time() - self.started, 1), best_validation=self.best
        )

    def look(self) -> None:
        """Judge the agent on the validation split, keep it if it is the best so far, and write a checkpoint."""
        judged = evaluate(
            self.agent,
            self.experiment.env,
            "validation",
            self.experiment.env_kwargs,
            limit=VALIDATION,
            intervals=False,
        )
        score = judged.scores["return"].value
        row = {"steps": int(self.agent.num_timesteps), "seconds": round(self.seconds + time.time() - self.started, 2)}
        self.run.add_row(
            {**row, "split": "validation", "n": judged.n, **{k: s.value for k, s in judged.scores.items()}}
        )
        if self.best is None or score > self.best:
            self.best = score
            self._save_model(self.run.folder / "model.zip")
        self.checkpoint()
        if self.progress:
            self.progress(int(self.agent.num_timesteps), self.steps, score)

    def checkpoint(self) -> None:
        """Write all that continuing needs."""
        if isinstance(self.agent, Baseline):
            return  # fitted in one go: nothing to continue

        def save(folder: Path) -> None:
            self.agent.save(folder / "agent.zip")
            if buffer := getattr(self.agent, "replay_buffer", None):
                np.savez(folder / "replay.npz", **buffer_arrays(buffer))
            state = {"steps": int(self.agent.num_timesteps), "best": self.best, "updates": self.agent._n_updates}
            state["seconds"] = round(self.seconds + time.time() - self.started, 2)
            (folder / "state.json").write_text(json.dumps(state))

        self.run.save_checkpoint(int(self.agent.num_timesteps), save)

    def _load(self, folder: Path) -> None:
        state = json.loads((folder / "state.json").read_text())
        if hasattr(self.agent, "_counters"):  # one of our own: its file holds its counters and generators too
            env, callback_free = self.agent.env, type(self.agent)
            self.agent = callback_free.load(folder / "agent.zip", env=env)
        else:
            self.agent.set_parameters(
                str(folder / "agent.zip"), device=self.agent.device
            )  # tensors only: no pickle is read
            self.agent.num_timesteps, self.agent._n_updates = state["steps"], state["updates"]
            if (folder / "replay.npz").exists():
                fill_buffer(self.agent.replay_buffer, folder / "replay.npz")
        self.best, self.seconds = state["best"], state["seconds"]
        self.run.forget_after(state["steps"])

    def _save_model(self, path: Path) -> None:
        temporary = path.with_name(".model.zip")
        self.agent.save(temporary)
        temporary.replace(path)


class _Look(BaseCallback):
    """Looks at the validation split every so many steps, and tells the progress in between."""

    def __init__(self, training: _Training) -> None:
        super().__init__()
        self.training = training
        self.next = 0

    def _on_training_start(self) -> None:
        self.next = self.num_timesteps + self.training.every

    def _on_step(self) -> bool:
        if self.training.progress:
            self.training.progress(self.num_timesteps, self.training.steps, None)
        if self.num_timesteps >= self.next and self.num_timesteps < self.training.steps:
            self.training.look()
            self.next = self.num_timesteps + self.training.every
        return True


def load_run(folder: str | Path, num_envs: int = 16) -> tuple[Run, Experiment, Any]:
    """A run's agent, best on validation, in the environment it was trained in. Nothing is unpickled."""
    run = Run(folder)
    experiment = Experiment(**run.config())
    env = make_vec_env(experiment.env, num_envs, experiment.seed, experiment.env_kwargs)
    check_data(run, env)
    agent = make_agent(experiment.agent, env, as_values(experiment.hyperparameters), experiment.seed)
    model = run.folder / "model.zip"
    if not model.exists():
        raise BadArgument(f"{run.folder} has no model yet; continue its training with --resume.")
    try:
        agent.set_parameters(str(model), device="cpu")
    except (ValueError, RuntimeError, KeyError, OSError) as error:
        raise BadArgument(f"{model} cannot be read: {error}") from error
    return run, experiment, agent


def judge(folder: str | Path, split: str = "test") -> Evaluation:
    """A run's agent on every example of a split."""
    _, experiment, agent = load_run(folder)
    return evaluate(agent, experiment.env, split, experiment.env_kwargs)


def data_facts(env: SB3VecEnv) -> dict[str, Any]:
    """Which data an environment has: hashes of the content, sizes, labels."""
    task = env.get_attr("task")[0]
    return {
        "source": str(task.source),
        "train": {"sha256": task.train.digest, "n": len(task.train)},
        "split": {"name": task.split, "sha256": task.examples.digest, "n": len(task.examples)},
        "labels": list(task.answer.names),
    }


def check_data(run: Run, env: SB3VecEnv) -> None:
    """Raises BadArgument where the training data are not those of the run: its features would mean other things."""
    known = run.facts().get("data", {}).get("train", {}).get("sha256")
    now = env.get_attr("task")[0].train.digest
    if known and known != now:
        raise BadArgument(
            f"the training data have changed since {run.folder} was made (SHA-256 {known[:12]}, now {now[:12]}): "
            "the model's inputs would not mean what they meant. Restore the data, or train anew."
        )


def buffer_arrays(buffer: Any) -> dict[str, np.ndarray]:
    """The filled part of an SB3 replay buffer, array by array."""
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays = {name: value[:filled] for name, value in vars(buffer).items() if isinstance(value, np.ndarray)}
    return {**arrays, "pos": np.array(buffer.pos), "full": np.array(buffer.full)}


def fill_buffer(buffer: Any, path: Path) -> None:
    """Put back what `buffer_arrays` gave."""
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            if name not in ("pos", "full"):
                getattr(buffer, name)[: len(arrays[name])] = arrays[name]
        buffer.pos, buffer.full = int(arrays["pos"]), bool(arrays["full"])


def draw_curve(run: Run) -> None:
    """Write curve.png from metrics.jsonl; nothing without matplotlib (the extra `plots`)."""
    rows = [row for row in run.rows() if row["split"] == "validation"]
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    config = run.config()
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    steps = [row["steps"] for row in rows]
    for name, style in (("return", "-"), ("accuracy", "--")):
        if rows and name in rows[0]:
            axes.plot(steps, [row[name] for row in rows], style, marker=".", color="#0072B2" if style == "-" else "#D55E00",
                      label=f"mean {name}" if name == "return" else name)  # fmt: skip
    axes.set(xlabel="environment steps", ylabel="validation split", title=f"{config['agent']} on {config['env']}")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    save_atomically(run.folder / "curve.png", lambda file: figure.savefig(file, format="png", dpi=150))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
