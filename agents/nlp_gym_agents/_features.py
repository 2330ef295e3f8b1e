"""Features for agents that read word ids (`observation="ids"`), whose numbers SB3 would feed to an MLP."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor


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
