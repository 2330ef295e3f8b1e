"""N-gram blocking that also asks how likely the model's best next token would be: k forwards for each step."""

from typing import Any

import numpy as np

from ._writing import Writer


class LookAhead(Writer):
    """The candidate with the highest log p + `weight` x log p of the best token after it, no n-gram twice."""

    def __init__(
        self, policy: str, env: Any, *, n: int = 2, weight: float = 0.5, seed: int | None = None, verbose: int = 0
    ) -> None:
        self.n, self.weight = n, weight
        self._ahead: Any = None
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        import torch

        from nlp_gym_envs.models.decoding import Decoding

        here = self.writing
        end, tokens = here.model.end, here.candidates[rows]
        if self._ahead is None or self._ahead.num_rows != tokens.size or self._ahead.language_model is not here.model:
            self._ahead = Decoding(here.model, tokens.size, here.longest_prompt, here.longest + 1)
        ahead = self._ahead
        asked = (tokens != end) & here.allowed[rows] & ~here.ended[rows][:, None]
        branches = np.flatnonzero(asked.ravel())
        best = np.zeros(tokens.size)
        if len(branches):
            ahead.take(branches, here.decoding, np.repeat(rows, tokens.shape[1])[branches])
            ahead.push(branches, tokens.ravel()[branches].astype(np.int64))
            with torch.inference_mode():
                logits = ahead.logits[torch.from_numpy(branches)]
                best[branches] = (logits.max(1).values - torch.logsumexp(logits, 1)).numpy()
        return self.unrepeated(rows, self.n) + self.weight * best.reshape(tokens.shape)


AGENT = LookAhead
