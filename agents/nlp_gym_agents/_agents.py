"""Agents by name: every file of this folder without an underscore is one, and ends in `AGENT`, a class like SB3's."""

import copy
import inspect
import sys
from typing import Any

import numpy as np
from gymnasium import spaces

from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.lookup import Shelf, from_dotted

AGENTS = Shelf("nlp_gym_agents", "AGENT", "agent")
FOR_DICTS = {"MlpPolicy": "MultiInputPolicy", "MlpLstmPolicy": "MultiInputLstmPolicy"}  # SB3's names for the same nets


def make_agent(name: str, env: Any, hyperparameters: dict[str, Any], seed: int | None) -> Any:
    """A fresh agent for `env`.

    Raises UnknownName, or BadArgument where the agent cannot take a hyperparameter or the environment.
    """
    kind = AGENTS.get(name)
    options = copy.deepcopy(hyperparameters)  # SB3's A2C writes into policy_kwargs
    policy = options.pop("policy", None) or getattr(kind, "policy_name", "MlpPolicy")
    if isinstance(env.observation_space, spaces.Dict):
        policy = FOR_DICTS.get(policy, policy)
    if isinstance(policy, str) and "." in policy:
        policy = from_dotted(policy, "POLICY", "policy")
    allowed = inspect.signature(kind.__init__).parameters
    if unknown := [option for option in options if option not in allowed]:
        taken = ", ".join(p for p in allowed if p not in ("self", "policy", "env"))
        raise BadArgument(f"{name} has no hyperparameter {unknown[0]!r}; it takes: {taken}.")
    if "policy_kwargs" in allowed and np.issubdtype(env.observation_space.dtype or float, np.integer):
        from ._features import WordMean

        options["policy_kwargs"] = {"features_extractor_class": WordMean, **(options.get("policy_kwargs") or {})}
    if "device" in allowed:
        options.setdefault("device", "cpu")  # small networks are faster there, as SB3 itself advises
    try:
        agent = kind(policy, env, seed=seed, **options)
    except (AssertionError, TypeError, ValueError) as error:
        raise BadArgument(f"{name} cannot be made for this environment with {hyperparameters}: {error}") from error
    return without_folder(agent)


def without_folder(agent: Any) -> Any:
    """The agent, with a logger that writes no files: SB3's own makes a temporary folder for every training.

    An agent that logs for TensorBoard is left as it is.
    """
    if getattr(agent, "tensorboard_log", None) is None and hasattr(agent, "set_logger"):
        from stable_baselines3.common.logger import HumanOutputFormat, Logger

        agent.set_logger(Logger(None, [HumanOutputFormat(sys.stdout)] if getattr(agent, "verbose", 0) else []))
    return agent


def takes_masks(agent: Any) -> bool:
    """Whether `predict` can be told which actions are allowed."""
    return "action_masks" in inspect.signature(agent.predict).parameters
