"""Beam search, planned when an episode begins and then played action by action.

With `rerank=True` the finished hypotheses are ordered by what the environment's costs say of them (length limit, terms)
before their likelihood: best of `width` at an equal number of forwards.
"""

from typing import Any, NamedTuple

import numpy as np

from ._writing import Writer, blocked

TOGETHER = 32  # episodes that are searched at once


class Hypothesis(NamedTuple):
    """A beginning of an answer, with its log p, and which row of the search holds it."""

    log_p: float
    row: int
    tokens: list[int]


class Beam(Writer):
    """`width` hypotheses; the best by log p / tokens^`alpha`; with `n` no n-gram twice in one (0: as it comes).

    Only tokens that the environment would allow are expanded, so that a plan can be played. A hypothesis is finished
    when its END is among the `width` best continuations. The search is over when `width` are and none that goes on is
    better than the worst of them; a width of 1 ends with its first, and is greedy decoding.
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
        for at in range(0, len(fresh), TOGETHER):
            self._plan(fresh[at : at + TOGETHER])
        scores = here.log_p[rows].astype(np.float64)
        for at, row in enumerate(rows.tolist()):
            plan, step = self._plans.get(row, []), int(here.length[row])
            if step < len(plan):
                scores[at, here.candidates[row] == plan[step]] = 1.0
        return scores

    def _plan(self, rows: np.ndarray) -> None:
        """Search for all of `rows` at once; row i has the search's rows i x width and following."""
        from nlp_gym_envs.models.decoding import Decoding

        here, width = self.writing, self.width
        search = Decoding(here.model, len(rows) * width, here.longest_prompt, here.longest + 1)
        search.take(np.arange(search.num_rows), here.decoding, np.repeat(rows, width))
        alive = [[Hypothesis(0.0, i * width, [])] for i in range(len(rows))]
        done: list[list[tuple[float, list[int]]]] = [[] for _ in rows]
        for _ in range(here.longest):
            values, tokens = self._likely(search)
            alive = [self._extended(*pair, values, tokens) for pair in zip(alive, done, strict=True)]
            going = [(i * width + place, h) for i, beam in enumerate(alive) for place, h in enumerate(beam)]
            if not going:
                break
            places = np.array([place for place, _ in going])
            search.take(places, search, np.array([h.row for _, h in going]))
            search.push(places, np.array([h.tokens[-1] for _, h in going]))
            alive = [[h._replace(row=i * width + j) for j, h in enumerate(beam)] for i, beam in enumerate(alive)]
        for row, beam, finished in zip(rows.tolist(), alive, done, strict=True):
            finished += [(h.log_p / max(1, len(h.tokens)) ** self.alpha, h.tokens) for h in beam]  # at full length
            self._plans[row] = [*self._best(row, finished), here.model.end]

    def _likely(self, search: Any) -> tuple[np.ndarray, np.ndarray]:
        """Log p and ids of the tokens that may follow each row, END last: (b, c) both; -inf for what may not."""
        import torch

        here = self.writing
        keep = max(1, here.k - (1 if here.terms is None else 2))  # END takes a place, and so does a term
        with torch.inference_mode():
            log_p = torch.log_softmax(search.logits + torch.from_numpy(here.silent), 1)
            ends = log_p[:, here.model.end].clone()
            if here.closed is not None:
                closed = torch.from_numpy(here.closed.astype(np.int64))
                log_p = torch.full_like(log_p, -np.inf).index_copy_(1, closed, log_p[:, closed])
            values, tokens = torch.topk(log_p, min(keep, log_p.shape[1]), 1)
        values, tokens = values.numpy().astype(np.float64), tokens.numpy()
        likely = (values >= values[:, :1] + np.log(max(here.floor, 1e-30))) & (tokens != here.model.end)
        values = np.column_stack((np.where(likely, values, -np.inf), ends.numpy()))
        return values, np.column_stack((tokens, np.full(len(tokens), here.model.end)))

    def _extended(
        self, beam: list[Hypothesis], done: list[tuple[float, list[int]]], values: np.ndarray, tokens: np.ndarray
    ) -> list[Hypothesis]:
        """The best `width` hypotheses, one token longer; those that end go to `done`. None where the search is over."""
        end, found = self.writing.model.end, []
        for past in beam:
            stop = self._stopped(past.tokens)
            for value, token in zip(values[past.row].tolist(), tokens[past.row].tolist(), strict=True):
                if np.isfinite(value) and (token == end or not stop[token]):
                    found.append(Hypothesis(past.log_p + value, past.row, [*past.tokens, token]))
        found.sort(key=lambda each: -each.log_p)
        for each in found[: self.width]:
            if each.tokens[-1] == end:
                done.append((each.log_p / len(each.tokens) ** self.alpha, each.tokens[:-1]))
        going = [each for each in found if each.tokens[-1] != end]
        done.sort(key=lambda each: -each[0])
        del done[self.width :]
        if len(done) < self.width or not going:
            return going[: self.width]
        best = going[0].log_p / len(going[0].tokens) ** self.alpha
        return [] if self.width == 1 or best < done[-1][0] else going[: self.width]

    def _stopped(self, tokens: list[int]) -> np.ndarray:
        """Which tokens would end an n-gram for the second time, (V,) bool."""
        size = self.writing.model.vocabulary_size
        return blocked(np.array(tokens, np.int64), self.n, size) if self.n else np.zeros(size, bool)

    def _best(self, row: int, finished: list[tuple[float, list[int]]]) -> list[int]:
        """The tokens of the best hypothesis."""
        if self.rerank:
            return min(finished, key=lambda each: (self._cost(row, each[1]), -each[0]))[1]
        return max(finished, key=lambda each: each[0])[1]

    def _cost(self, row: int, tokens: list[int]) -> float:
        """What the environment would charge an answer, as far as that is known without the reference."""
        here, text = self.writing, self.writing.model.text(tokens)
        cost = 0.0
        if here.limit is not None:
            limit = int(here.limit.limit[row])
            cost += here.limit.cost * max(0, len(text) - limit) / limit
        if here.terms is not None:
            cost += here.terms.cost * here.terms.glossary.missing(text, int(here.example[row]))
        return cost


AGENT = Beam
