"""Beam search, planned when an episode begins and then played action by action.

With `rerank=True` the finished hypotheses are ordered by what the environment's costs say of them (length limit, terms)
before their likelihood: best of `width` at an equal number of forwards.
"""

from typing import Any

import numpy as np

from ._writing import Writer, blocked


class Beam(Writer):
    """`width` hypotheses; the best by log p / tokens^`alpha`; with `n` no n-gram twice in one (0: as it comes).

    Only tokens that the environment would allow are expanded, so that a plan can be played.
    """

    def __init__(
        self,
        policy: str,
        env: Any,
        *,
        width: int = 4,
        n: int = 0,
        alpha: float = 1.0,
        rerank: bool = False,
        seed: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.width, self.n, self.alpha, self.rerank = width, n, alpha, rerank
        self._plans: dict[int, list[int]] = {}
        super().__init__(policy, env, seed=seed, verbose=verbose)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        here = self.writing
        fresh = rows[(here.length[rows] == 0) & ~here.ended[rows]]
        for at in range(0, len(fresh), 32):
            self._plan(fresh[at : at + 32])
        scores = here.log_p[rows].astype(np.float64)
        for at, row in enumerate(rows.tolist()):
            plan, step = self._plans.get(row, []), int(here.length[row])
            if step < len(plan):
                scores[at, here.candidates[row] == plan[step]] = 1.0
        return scores

    def _plan(self, rows: np.ndarray) -> None:
        """Search for all of `rows` at once."""
        import torch

        from nlp_gym_envs.models.decoding import Decoding

        here, width = self.writing, self.width
        end, keep = here.model.end, max(2, here.k - (2 if here.glossary is not None else 1))
        count = len(rows)
        search = Decoding(here.model, count * width, here.longest_prompt, here.longest + 1)
        search.take(np.arange(count * width), here.decoding, np.repeat(rows, width))
        total = np.full((count, width), -np.inf)
        total[:, 0] = 0.0
        written: list[list[list[int]]] = [[[] for _ in range(width)] for _ in range(count)]
        done: list[list[tuple[float, list[int]]]] = [[] for _ in range(count)]
        silent = torch.from_numpy(here._silent)
        for step in range(here.longest):
            with torch.inference_mode():
                logits = search.logits + silent
                log_p = logits - torch.logsumexp(logits, 1, keepdim=True)
                values, tokens = torch.topk(log_p, keep, 1)
                ends = log_p[:, end].numpy().reshape(count, width)
            values = values.numpy().reshape(count, width, keep).astype(np.float64)
            tokens = tokens.numpy().reshape(count, width, keep)
            values = np.where(values < values[:, :, :1] + np.log(max(here.floor, 1e-30)), -np.inf, values)
            sources, chosen = np.zeros((2, count, width), np.int64)
            for i in range(count):
                hypotheses: list[tuple[float, int, int]] = []
                for w in np.flatnonzero(np.isfinite(total[i])).tolist():
                    past = written[i][w]
                    score = float(total[i, w] + ends[i, w])
                    done[i].append((score / (len(past) + 1) ** self.alpha, past))
                    stop = blocked(np.array(past, np.int64), self.n, here.model.vocabulary_size) if self.n else None
                    for value, token in zip(values[i, w].tolist(), tokens[i, w].tolist(), strict=True):
                        if token != end and np.isfinite(value) and not (stop is not None and stop[token]):
                            hypotheses.append((float(total[i, w]) + value, w, token))
                hypotheses.sort(key=lambda each: -each[0])
                done[i] = sorted(done[i], key=lambda each: -each[0])[:width]
                worst = done[i][-1][0] if len(done[i]) == width else -np.inf
                if hypotheses and hypotheses[0][0] / (step + 2) ** self.alpha < worst:
                    hypotheses = []  # what goes on is worse than all that is done
                total[i] = -np.inf
                past = written[i]
                written[i] = [[] for _ in range(width)]
                for place, (score, w, token) in enumerate(hypotheses[:width]):
                    total[i, place], sources[i, place], chosen[i, place] = score, w, token
                    written[i][place] = [*past[w], token]
            alive = np.flatnonzero(np.isfinite(total).ravel())
            if not len(alive):
                break
            origin = (np.arange(count)[:, None] * width + sources).ravel()
            search.take(alive, search, origin[alive])
            search.push(alive, chosen.ravel()[alive])
        for i, row in enumerate(rows.tolist()):
            ranked = done[i]
            if self.rerank:
                ranked = sorted(ranked, key=lambda each: (self._cost(row, each[1]), -each[0]))
            self._plans[row] = [*ranked[0][1], end]

    def _cost(self, row: int, tokens: list[int]) -> float:
        """What the environment would charge an answer, as far as that is known without the reference."""
        here, text = self.writing, self.writing.model.text(tokens)
        cost = 0.0
        if here.share is not None:
            cost += here.length_cost * max(0, len(text) - int(here.limit[row])) / int(here.limit[row])
        if here.glossary is not None:
            cost += here.term_cost * here.glossary.missing(text, int(here.example[row]))
        return cost


AGENT = Beam
