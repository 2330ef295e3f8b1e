"""Policies for environments whose observation has a part `candidates`: the same small net scores every candidate.

They are ordinary SB3 policy classes, for SB3's and sb3-contrib's algorithms as they are:
`PPO(CandidatePolicy, make_vec_env(id, env_kwargs={"observation": "dict"}))`. Weights that all candidates share learn
from each choice what holds for every place in the list.
"""

from typing import Any

import torch
from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableMultiInputActorCriticPolicy
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from nlp_gym_envs.errors import BadArgument


class CandidateFeatures(BaseFeaturesExtractor):
    """(B, n) scores, one for each action, then what the value is estimated from: (B, n + hidden + rest).

    `candidates` (B, n x f) is read candidate by candidate beside all other parts (B, rest). `prior` adds so many times
    each candidate's feature 2, ten times over: of `tokens` that is log (p / highest p), so that 1 starts from the
    model's own distribution; `zero_start` has the net add nothing to it at first.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        actions: int,
        hidden: int = 64,
        prior: float = 0.0,
        zero_start: bool = True,
    ) -> None:
        if not isinstance(observation_space, spaces.Dict) or "candidates" not in observation_space.spaces:
            raise BadArgument("this policy reads a part `candidates`; make the environment with observation='dict'.")
        sizes = {name: int(part.shape[0]) for name, part in observation_space.spaces.items() if part.shape}
        rest = sum(sizes.values()) - sizes["candidates"]
        super().__init__(observation_space, actions + hidden + rest)
        self.actions, self.prior = actions, prior
        self.others = tuple(name for name in sizes if name != "candidates")  # in one order, whoever made the mapping
        self.features = sizes["candidates"] // actions
        self.inner = torch.nn.Sequential(
            torch.nn.Linear(self.features + rest, hidden),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden, hidden),
            torch.nn.ReLU(),
        )
        self.score = torch.nn.Linear(hidden, 1)
        if prior and zero_start:
            torch.nn.init.zeros_(self.score.weight)

    def forward(self, observations: dict[str, torch.Tensor]) -> torch.Tensor:
        """Scores, pooled candidates, and the other parts."""
        candidates = observations["candidates"].unflatten(1, (self.actions, self.features))
        rest = torch.cat([observations[name] for name in self.others], 1)
        hidden = self.inner(torch.cat((candidates, rest[:, None].expand(-1, self.actions, -1)), 2))
        scores = self.score(hidden)[:, :, 0] + self.prior * 10 * candidates[:, :, 2]
        return torch.cat((scores, hidden.mean(1), rest), 1)


class FirstColumns(torch.nn.Module):
    """(B, m) to (B, n): the first n columns, which are the scores themselves."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """The scores."""
        return latent[:, : self.count]


class _Scores:
    """What both policies do: score by `CandidateFeatures`, and nothing in between."""

    def __init__(self, observation_space: Any, action_space: Any, lr_schedule: Any, **options: Any) -> None:
        extractor = {"actions": int(action_space.n), **options.pop("candidate_kwargs", {})}
        options = {"net_arch": {"pi": [], "vf": [64]}, **options}
        options |= {"features_extractor_class": CandidateFeatures, "features_extractor_kwargs": extractor}
        super().__init__(observation_space, action_space, lr_schedule, **{**options, "ortho_init": False})  # pyright: ignore

    def _build(self: Any, lr_schedule: Any) -> None:
        super()._build(lr_schedule)  # pyright: ignore
        self.action_net = FirstColumns(int(self.action_space.n))
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)


class CandidatePolicy(_Scores, MultiInputActorCriticPolicy):
    """For PPO, A2C, TRPO."""


class MaskableCandidatePolicy(_Scores, MaskableMultiInputActorCriticPolicy):
    """For sb3-contrib's MaskablePPO."""
