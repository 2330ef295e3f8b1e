"""What to train first: an agent that fits the actions, the horizon, the masks and the signal, and its command."""

import shlex
from typing import Any

import yaml
from gymnasium import spaces

from .._agents import AGENTS
from ._findings import Findings, check, note
from ._subject import Subject

SECTION = "First agent"
SHORT = 3  # steps of an episode up to which credit is hardly a question


@check(SECTION)
def first_agent(subject: Subject) -> Findings:
    """The agent, why, and the exact command."""
    agent, why = choice(subject)
    yield note("train", f"{agent}: {why}", command(subject, agent), agent=agent)
    if subject.uniform.returns.std() and (subject.uniform.returns != 0).mean() < 0.2 and subject.ours:
        yield note(
            "reward",
            "few episodes pay anything under uniform",
            "Try --set reward=improvement: it pays on the way and changes no best policy.",
        )


def choice(subject: Subject) -> tuple[str, str]:
    """An agent's name, and why it."""
    space, played = subject.space, subject.uniform
    steps, forbidden = float(played.lengths.mean()), 1 - played.allowed / played.masks if played.masks else 0.0
    if isinstance(space, spaces.Box):
        if "sac" in AGENTS.names():
            return "sac", f"{int(space.shape[0])} numbers as an action, {steps:.0f} steps: off-policy agents reuse them"
        return "ppo", f"{' x '.join(map(str, space.shape))} numbers as an action"
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        return "ppo", "several choices in one action, which DQN and SARSA do not take"
    if forbidden:
        return "maskable_ppo", f"masks forbid {max(forbidden, 0.01):.0%} of the actions, and it does not try them"
    if steps <= 1:
        return "ppo", f"{space.n} actions, one step: a contextual bandit, for which any agent does"
    if steps <= SHORT:
        return "ppo", f"{space.n} actions, {steps:.1f} steps on average: credit is no question"
    return "ppo", f"{space.n} actions, {steps:.0f} steps on average"


def command(subject: Subject, agent: str) -> str:
    """What to type; Python where the command line does not know the id."""
    if not subject.env_id.startswith("nlp/"):
        kind = {"maskable_ppo": "MaskablePPO", "sac": "SAC", "ppo": "PPO"}[agent]
        policy = "MultiInputPolicy" if isinstance(subject.env.observation_space, spaces.Dict) else "MlpPolicy"
        return f'{kind}("{policy}", gymnasium.make("{subject.env_id}")).learn(100_000)'
    words = ["nlp-gym", "train", "--agent", agent, "--env", subject.env_id]
    for name, value in subject.options.items():
        words += ["--set", f"{name}={_yaml(value)}"]
    return shlex.join(words)


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, width=10_000)).removesuffix("\n").removesuffix("\n...")
