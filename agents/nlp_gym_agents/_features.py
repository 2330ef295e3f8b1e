"""Features for agents that read word ids (`observation="ids"`), whose numbers SB3 would feed to an MLP."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from nlp_gym_envs.errors import BadArgument


class WordMean(BaseFeaturesExtractor):
    """The mean of learned word vectors over the words that are there; id 0 is none.

    For `policy_kwargs={"features_extractor_class": WordMean}`, which our command line sets by itself for ids.
    """

    def __init__(self, observation_space: spaces.Box, dimensions: int = 64) -> None:
        super().__init__(observation_space, dimensions)
        self.embedding = torch.nn.Embedding(int(observation_space.high.max()) + 1, dimensions, padding_idx=0)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """(B, L) ids, as the floats SB3 makes of them (exact below 2^24), to (B, dimensions)."""
        ids = observations.long()  # (B, L)
        words = (ids > 0).sum(1, keepdim=True).clamp(min=1)  # (B, 1)
        return self.embedding(ids).sum(1) / words


class CandidateScorer(BaseFeaturesExtractor):
    """Candidates scored alike: one small net reads each slot beside the rest of the observation and gives its score.

    For ids whose observation begins with `candidates` slots of `features` numbers, as "span" (32 and 18). What comes
    out is the score of every slot, the mean of the hidden layer over the slots that are there (their first number says
    so), and the rest of the observation: (B, candidates + hidden + rest). With `net_arch={"pi": [], ...}` the policy's
    last layer is linear in the scores.
    """

    def __init__(
        self, observation_space: spaces.Box, candidates: int = 32, features: int = 18, hidden: int = 64
    ) -> None:
        size = observation_space.shape[0]
        rest = size - candidates * features
        if rest < 0:
            raise BadArgument(
                f"{candidates} candidates of {features} numbers do not fit an observation of {size}; "
                "give their numbers with features_extractor_kwargs={'candidates': ..., 'features': ...}."
            )
        super().__init__(observation_space, candidates + hidden + rest)
        self.slots = (candidates, features)
        self.read = torch.nn.Sequential(torch.nn.Linear(features + rest, hidden), torch.nn.ReLU(),
                                        torch.nn.Linear(hidden, hidden), torch.nn.ReLU())  # fmt: skip
        self.score = torch.nn.Linear(hidden, 1)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """(B, candidates x features + rest) to (B, candidates + hidden + rest)."""
        candidates, features = self.slots
        slots = observations[:, : candidates * features].reshape(-1, candidates, features)
        rest = observations[:, candidates * features :]
        read = self.read(torch.cat((slots, rest[:, None].expand(-1, candidates, -1)), dim=-1))  # (B, C, hidden)
        there = slots[..., :1]  # (B, C, 1)
        mean = (read * there).sum(1) / there.sum(1).clamp(min=1)
        return torch.cat((self.score(read)[..., 0] * there[..., 0], mean, rest), dim=1)
