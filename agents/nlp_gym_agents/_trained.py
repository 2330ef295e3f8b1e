"""What a run folder holds, judged: its agent, best on validation, by itself and beside the baselines."""

from pathlib import Path
from typing import Any

from nlp_gym_envs.errors import BadArgument, BadData

from ._agents import AGENTS, make_agent
from ._bridge import make_vec_env
from ._evaluation import Evaluation, evaluate
from ._experiment import Experiment
from ._hyperparameters import as_values
from ._runs import DAMAGED, Run, check_data, short

REFERENCES = ("uniform", "majority", "threshold", "supervised", "oracle")  # baselines, from the floor to the ceiling


def load_run(folder: str | Path, num_envs: int = 16) -> tuple[Run, Experiment, Any]:
    """A run's agent, best on validation, in the environment it was trained in. Nothing is unpickled."""
    run = Run(folder)
    experiment = Experiment.of(run)
    model = run.folder / "model.zip"
    if not model.exists():
        raise BadArgument(
            f"{run.folder} has no model.zip; its training ended before the first: continue it with --resume."
        )
    env = make_vec_env(experiment.env, num_envs, experiment.seed, experiment.env_kwargs)
    check_data(run, env)
    agent = make_agent(experiment.agent, env, as_values(experiment.hyperparameters), experiment.seed)
    try:
        agent.set_parameters(str(model), device="cpu")
    except DAMAGED as error:
        raise BadData(
            f"{model} cannot be read as the {experiment.agent} that config.yaml describes: it is damaged, or another "
            f"agent's ({short(error)}). Copy the run's folder again, or train anew."
        ) from error
    return run, experiment, agent


def judge(folder: str | Path, split: str = "test") -> Evaluation:
    """A run's agent on every example of a split."""
    _, experiment, agent = load_run(folder)
    return evaluate(agent, experiment.env, split, experiment.env_kwargs)


def compare(folder: str | Path, split: str = "test") -> dict[str, Any]:
    """A run's agent beside the baselines that its kind of environment has, on every example of a split.

    Plain values: `env`, `split`, `n`, `level`, and `rows`, the agent's first, then from the floor to the ceiling.
    """
    run, experiment, agent = load_run(folder)
    judged = evaluate(agent, experiment.env, split, experiment.env_kwargs)
    rows = [{"agent": experiment.agent, "trained": True, "scores": judged.as_json()["scores"]}]
    # the baselines read the observation as a vector, whichever form the agent has it in
    env_kwargs = {name: value for name, value in experiment.env_kwargs.items() if name != "observation"}
    env = make_vec_env(experiment.env, 1, experiment.seed, env_kwargs)
    dynamics = env.get_attr("episodes")[0].dynamics.name
    for name in REFERENCES:
        kind = AGENTS.get(name)
        if name == experiment.agent or (kind.dynamics and dynamics not in kind.dynamics):
            continue
        reference = make_agent(name, env, {}, experiment.seed).learn()
        scores = evaluate(reference, experiment.env, split, env_kwargs).as_json()["scores"]
        rows.append({"agent": name, "trained": False, "scores": scores})
    env.close()
    known = {name: value for name, value in judged.as_json().items() if name != "scores"}
    return {**known, "steps": run.facts().get("steps"), "rows": rows}
