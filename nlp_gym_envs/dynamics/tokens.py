"""Token choice: a frozen language model proposes its likeliest next tokens, and the agent chooses one, until END.

The model is part of the environment. It may be an encoder-decoder (T5, BART, Marian) or a decoder (GPT-2, Llama); its
key-value cache is kept between steps. After Ranzato et al. 2016, "Sequence level training with recurrent neural
networks", and Ramamurthy et al. 2023, "Is reinforcement learning (not) for natural language processing?", whose masks
of likely tokens became the action set here.

## Action space
`Discrete(k)`: action i writes the i-th likeliest token; END is always among them, in the last place where it is not among
the k likeliest, and so is, with `terms`, the next token of a missing term, in the last place but one. Candidates less
likely than `floor` times the likeliest are masked, END and terms never. An agent that ignores masks and takes a
masked candidate writes the likeliest one instead and pays the cost `invalid`, .05. With `vocabulary="closed"`
the actions are the tokens that training answers consist of, always in the same order.

## Observation space
| part | size | range | meaning |
|---|---|---|---|
| `candidates` | k x f | -5 to 5 | candidate by candidate: log p / 10; p; log (p / highest p) / 10; is END; goes on with a word; is in the prompt; how well it speaks for a prompt token, and for one not yet covered (IBM Model 1, learned from the training pairs); was written before; ends a pair, a triple of tokens written before; is the last token again; is allowed; characters / 10. With `length_limit`: share of the limit used with it / 2; is beyond it. With `terms`: begins, goes on with a missing term; says its source word in another way. Then `embedding` numbers of its embedding, projected |
| `progress` | 7 or more | 0 to 1 | tokens written / `longest`; tokens written / prompt tokens, / 2; share of the prompt covered; entropy of the candidates; highest p; p of END; share of repeated tokens; with `length_limit`: characters / limit, / 2; with `terms`: missing terms / 3 |
| `state` | `state` | -5 to 5 | the decoder's last hidden state at unit length, by a fixed random projection |

## Starting state
An example of the split (see `order`); nothing is written.

## Rewards
The rise of the metric with every token (`metric`: the task's own unless asked otherwise, as sentence chrF or BLEU), or with
`reward="final"` the metric at END. Costs, each in the observation, in `info["reward_components"]` and in `episode_metrics`:

| cost | asked for by | amount |
|---|---|---|
| `length` | `length_limit=r` | `length_cost` for each share of the limit, r x the prompt's characters, written beyond it |
| `terms` | `terms={"car": "Wagen"}` | `term_cost` for each required term that the answer lacks, at the end |
| `surprise` | `surprise_cost=b` | b times -log of the candidate's p among those allowed: its mean under a policy is KL(policy, model) + the policy's entropy, over the same candidates; `dynamics.divergence` gives the exact KL of given probabilities |
| `invalid` | | .05 for a masked candidate |

## Episode end
Terminated by END, at the latest after `longest` tokens, the game's horizon. Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `model` | `"t5"` | the frozen model: one that ships with the package, a Hub name, or a local path |
| `k` | 8 | candidates |
| `floor` | 0.05 | share of the highest p that a candidate needs |
| `longest` | 48 | tokens of an answer |
| `longest_prompt` | 128 | tokens of a prompt; longer ones are cut |
| `prompt` | `"{text}"` | how the model is asked, as `"translate English to German: {text}"` for Google's T5 |
| `metric` | none | the metric that is paid, one of the task's, or weights of several, as `{"chrf": 1, "bleu": 1}` |
| `vocabulary` | `"open"` | or `"closed"`: the (at most 256) tokens of the training answers are the actions |
| `state`, `embedding` | 32, 8 | size of the projected state, and of each candidate's projected embedding; 0 leaves it out |
| `lexicon` | True | False leaves the two lexicon features at 0 |
| `length_limit`, `length_cost` | none, 2.0 | characters allowed as a share of the prompt's, and the price of going beyond |
| `terms`, `term_cost` | none, 0.5 | source words and the terms they must become, a dict or the path of a JSON file; the price of one missing |
| `surprise_cost` | 0.0 | the price of leaving the model's likely tokens |
| `dtype`, `quantize` | `"float32"`, none | of the model: `"bfloat16"`; `"int8"` |

## Version history
v0: first release.
"""  # noqa: E501

from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import FreeText, Span
from ..errors import BadArgument
from ..task import OpenTask, Task
from ..text.encoding import BOUND
from ._base import Dynamics, box, positive
from ._candidates import (
    CANDIDATE,
    LIMIT,
    NOTHING,
    PROGRESS,
    TERMS,
    Reader,
    TokenTable,
    embedded,
    entropy,
    last_tokens,
    projection,
    repeats,
    squeezed,
)
from ._goals import MOST_TERMS, LengthLimit, Terms, glossary
from ._oracle import closest, exact
from ._prompts import closed_vocabulary, lexicons, prompts
from ._standing import Standing
from ._token_ids import TokenObservation

PENALTY = 0.05  # of a masked candidate


class TokenChoice(Dynamics):
    """Write the answer token by token, out of a frozen model's candidates."""

    name = "tokens"
    reward = "improvement"

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        model: str = "t5",
        k: int = 8,
        floor: float = 0.05,
        longest: int = 48,
        longest_prompt: int = 128,
        prompt: str = "{text}",
        metric: Any = None,
        vocabulary: str = "open",
        state: int = 32,
        embedding: int = 8,
        lexicon: bool = True,
        length_limit: float | None = None,
        length_cost: float = 2.0,
        terms: Any = None,
        term_cost: float = 0.5,
        surprise_cost: float = 0.0,
        dtype: str = "float32",
        quantize: str | None = None,
    ) -> None:
        from ..models.decoding import Decoding
        from ..models.loading import load

        super().__init__(task, num_rows)
        self.longest = self.horizon = positive("longest", longest, 1, int)
        self.longest_prompt = positive("longest_prompt", longest_prompt, 1, int)
        self.floor = positive("floor", floor, 0)
        self.model = load(model, dtype=dtype, quantize=quantize)
        if self.model.family == "encoder":
            raise BadArgument(f"the model {model!r} is an encoder and cannot write; take a decoder or encoder-decoder.")
        self.tokenizer = self.model.tokenizer
        self.prompts = prompts(task.examples, self.model, prompt, self.longest_prompt)
        self.decoding = Decoding(self.model, num_rows, self.longest_prompt, self.longest)
        self.table = TokenTable.of(self.model)
        self.silent = np.where(self.table.silent, np.float32(-np.inf), np.float32(0))  # (V,) to be added to logits
        self.closed = self._closed(vocabulary)
        self.k = positive("k", k, 2 if terms is None else 3, int) if self.closed is None else len(self.closed)
        self.k = min(self.k, self.model.vocabulary_size)
        self._goals(num_rows, length_limit, length_cost, terms, term_cost, surprise_cost)
        self._spaces(positive("state", state, 0, int), positive("embedding", embedding, 0, int))
        known = (task.examples, task.train, self.model, prompt, self.longest_prompt)
        self.reader = Reader(num_rows, self.model.vocabulary_size, lexicons(*known) if lexicon else None)
        self.standing = Standing(task, metric, self.model.pieces, num_rows, self.longest)
        # row by row
        self.source = np.full((num_rows, self.longest_prompt), -2, np.int32)  # the prompt's ids
        self.read = np.ones(num_rows, np.int64)  # how many they are
        self.covered = np.zeros((num_rows, self.longest_prompt), np.float32)  # how far each is covered
        self.written = np.full((num_rows, self.longest), NOTHING, np.int32)
        self.length = np.zeros(num_rows, np.int64)
        self.ended = np.ones(num_rows, bool)
        self.again = np.zeros(num_rows, np.int64)  # tokens that had been written before
        self.surprise = np.zeros(num_rows)  # the sum of -log p of the candidates taken
        self.candidates = np.zeros((num_rows, self.k), np.int32)
        self.log_p = np.zeros((num_rows, self.k), np.float32)  # under the model, over its whole vocabulary
        self.allowed = np.ones((num_rows, self.k), bool)
        self.seen = np.zeros((num_rows, self.k, self.features), np.float32)
        self.progress = np.zeros((num_rows, self.parts["progress"].shape[0]), np.float32)
        self.state = np.zeros((num_rows, state), np.float32)

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return isinstance(task.answer, FreeText | Span)

    # ---------------------------------------------------------------- what is made once

    def _closed(self, vocabulary: str) -> np.ndarray | None:
        """The tokens of the training answers, END last; None for an open vocabulary."""
        if vocabulary == "open":
            return None
        if vocabulary != "closed":
            raise BadArgument(f"vocabulary must be 'open' or 'closed', got {vocabulary!r}.")
        return closed_vocabulary(self.task, self.model)

    def _goals(
        self,
        num_rows: int,
        limit: float | None,
        length_cost: float,
        terms: Any,
        term_cost: float,
        surprise_cost: float,
    ) -> None:
        self.costs = {"invalid": PENALTY}
        self.limit: LengthLimit | None = None
        self.terms: Terms | None = None
        length_cost, term_cost = positive("length_cost", length_cost, 0), positive("term_cost", term_cost, 0)
        if limit is not None:
            self.limit = LengthLimit(num_rows, positive("length_limit", limit, 0.01), length_cost, self.table)
            self.costs["length"] = self.limit.most
        if terms is not None:
            self.terms = Terms(num_rows, glossary(terms, self.model, self.task.examples), term_cost, self.table)
            self.costs["terms"] = term_cost * MOST_TERMS
        self.surprise_cost = positive("surprise_cost", surprise_cost, 0)
        if self.surprise_cost:
            self.costs["surprise"] = self.surprise_cost * 100.0

    def _spaces(self, state: int, embedding: int) -> None:
        width = self.model.width
        names = [*CANDIDATE, *(LIMIT if self.limit is not None else ()), *(TERMS if self.terms is not None else ())]
        self.feature_names = (*names, *(f"embedding {i}" for i in range(embedding)))
        self.features = len(self.feature_names)
        self._state_matrix = projection(width, state) if state else None
        self._embedded = embedded(self.model, embedding) if embedding else None
        more = (self.limit is not None) + (self.terms is not None)
        self.parts = {
            "candidates": box(-BOUND, BOUND, self.k * self.features),
            "progress": box(0, 1, len(PROGRESS) + more),
        }
        if state:
            self.parts["state"] = box(-BOUND, BOUND, state)
        self.action_space = spaces.Discrete(self.k)
        self.action_meanings = tuple(f"write candidate {i + 1}" for i in range(self.k))
        if self.closed is not None:
            self.action_meanings = tuple(f"write {self._name(token)}" for token in self.closed)

    def _name(self, token: int) -> str:
        return "END" if token == self.model.end else repr(self.model.pieces[token].decode("utf-8", "replace"))

    # ---------------------------------------------------------------- an episode

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        ids = self.prompts.of(examples)
        self.source[rows] = -2
        for row, example, prompt in zip(rows.tolist(), examples.tolist(), ids, strict=True):
            self.source[row, : len(prompt)] = prompt
            self.reader.begin(row, example, np.asarray(prompt))
        self.read[rows] = [len(prompt) for prompt in ids]
        for array in (self.covered, self.length, self.again, self.surprise):
            array[rows] = 0
        self.written[rows] = NOTHING
        self.ended[rows] = False
        if self.limit is not None:
            self.limit.begin(rows, self.task.examples["text"][examples])
        if self.terms is not None:
            self.terms.begin(rows, examples, self.prompts)
        self.standing.begin(rows, examples)
        self.decoding.begin(rows, ids)
        self._look(rows)

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        invalid = ~self.allowed[rows, actions]
        likeliest = self.log_p[rows].argmax(1)
        taken = np.where(invalid, likeliest, actions)
        tokens = self.candidates[rows, taken].astype(np.int64)
        costs = {"invalid": PENALTY * invalid}
        surprise = -self._renormalised(rows)[np.arange(len(rows)), taken]
        self.surprise[rows] += surprise
        if self.surprise_cost:
            costs["surprise"] = self.surprise_cost * np.minimum(surprise, 100.0)
        writing = tokens != self.model.end
        going = rows[writing]
        self._write(going, tokens[writing])
        self.ended[rows] = ~writing | (self.length[rows] >= self.longest)
        if self.limit is not None:
            costs["length"] = self.limit.write(rows, np.where(writing, tokens, NOTHING))
        if self.terms is not None:
            costs["terms"] = np.zeros(len(rows))
            over = self.ended[rows]
            lacking = self.terms.lacking(self.example[rows[over]], self.answers(rows[over]))
            costs["terms"][over] = self.terms.cost * lacking
        left = rows[~self.ended[rows]]
        self.decoding.push(left, tokens[~self.ended[rows]])
        self._look(left)
        return costs

    def _write(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Append tokens, none of them END."""
        seen_before = (self.written[rows] == tokens[:, None]).any(1)
        support, origin = (found[:, 0] for found in self.reader.of(rows, tokens[:, None]))
        self.covered[rows, origin] = np.maximum(self.covered[rows, origin], support)
        self.written[rows, self.length[rows]] = tokens
        self.length[rows] += 1
        self.again[rows] += seen_before
        if self.terms is not None:
            self.terms.write(rows, self._ends(rows))
        self.standing.push(rows, tokens)

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.ended[rows]

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        return self.standing.scores(rows, self.example[rows], self.answers)

    # ---------------------------------------------------------------- what is seen

    def _look(self, rows: np.ndarray) -> None:
        """Candidates, masks and features of rows whose model has just moved."""
        if not len(rows):
            return
        self._propose(rows)
        tokens, log_p = self.candidates[rows], self.log_p[rows]
        best = log_p.max(1, keepdims=True)
        is_end = tokens == self.model.end
        self.allowed[rows] = (log_p >= best + np.log(max(self.floor, 1e-30))) | is_end
        seen = np.zeros((len(rows), self.k, self.features), np.float32)
        support, origin = self.reader.of(rows, tokens)
        p = np.exp(log_p)
        seen[:, :, 0], seen[:, :, 1] = np.maximum(log_p, -20) / 10, p
        seen[:, :, 2], seen[:, :, 3] = np.maximum(log_p - best, -20) / 10, is_end
        seen[:, :, 4] = self.table.inside[tokens]
        seen[:, :, 5] = (self.source[rows][:, None, :] == tokens[:, :, None]).any(2)
        seen[:, :, 6] = support
        seen[:, :, 7] = support * (1 - self.covered[rows[:, None], origin])
        seen[:, :, 8:12] = repeats(self.written[rows], self.length[rows], tokens).transpose(1, 2, 0)
        seen[:, :, 13] = np.minimum(self.table.characters[tokens] / 10, BOUND)
        extra: list[np.ndarray] = []
        at = len(CANDIDATE)
        if self.limit is not None:
            seen[:, :, at : at + len(LIMIT)] = np.stack(self.limit.features(rows, tokens, is_end), 2)
            extra.append(self.limit.progress(rows))
            at += len(LIMIT)
        if self.terms is not None:
            begins, goes_on, rival = self.terms.features(rows, tokens, self._ends(rows), support, origin)
            seen[:, :, at : at + len(TERMS)] = np.stack((begins, goes_on, rival), 2)
            self.allowed[rows] |= begins | goes_on
            extra.append(self.terms.progress(rows))
            at += len(TERMS)
        seen[:, :, 12] = self.allowed[rows]
        if self._embedded is not None:
            seen[:, :, at:] = self._embedded[tokens]
        self.seen[rows] = seen
        length, read = self.length[rows], self.read[rows]
        self.progress[rows] = np.column_stack((
            length / self.longest,
            np.minimum(length / read, 2) / 2,
            self.covered[rows].sum(1) / read,
            entropy(p),
            p.max(1),
            (p * is_end).sum(1),
            self.again[rows] / np.maximum(length, 1),
            *extra,
        ))  # fmt: skip
        if self._state_matrix is not None:
            self.state[rows] = squeezed(self.decoding.state[rows].float().cpu().numpy(), self._state_matrix)

    def _propose(self, rows: np.ndarray) -> None:
        """The candidates of some rows and their log-probabilities."""
        import torch

        with torch.inference_mode():
            whole = len(rows) == len(self.example)
            logits = (self.decoding.logits if whole else self.decoding.logits[torch.from_numpy(rows)]).float()
            logits = logits + torch.from_numpy(self.silent)
            total = torch.logsumexp(logits, 1, keepdim=True)
            if self.closed is None:
                values, tokens = torch.topk(logits, self.k, 1)
            else:
                tokens = torch.from_numpy(self.closed.astype(np.int64)).expand(len(rows), -1)
                values = logits.gather(1, tokens)
            tokens, log_p = tokens.numpy().astype(np.int32), (values - total).cpu().numpy()
            if self.closed is None:
                lacking = ~(tokens == self.model.end).any(1)
                tokens[lacking, -1] = self.model.end
                log_p[lacking, -1] = (logits[:, self.model.end] - total[:, 0]).cpu().numpy()[lacking]
                if self.terms is not None:
                    wanted = self.terms.wanted(rows, self._ends(rows))
                    some = np.flatnonzero((wanted != NOTHING) & ~(tokens == wanted[:, None]).any(1))
                    place = np.where(tokens[some, -2] == self.model.end, self.k - 1, self.k - 2)  # END keeps its own
                    tokens[some, place] = wanted[some]
                    picked = logits[torch.from_numpy(some), torch.from_numpy(wanted[some].astype(np.int64))]
                    log_p[some, place] = (picked - total[torch.from_numpy(some), 0]).cpu().numpy()
        self.candidates[rows], self.log_p[rows] = tokens, np.maximum(log_p, -100)

    def _ends(self, rows: np.ndarray) -> np.ndarray:
        """As many of the last tokens as the longest term has."""
        assert self.terms is not None
        return last_tokens(self.written[rows], self.length[rows], self.terms.longest)

    # ---------------------------------------------------------------- the rest of the contract

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        parts = {"candidates": self.seen[rows].reshape(len(rows), -1), "progress": self.progress[rows]}
        if self._state_matrix is not None:
            parts["state"] = self.state[rows]
        return parts

    def word_observation(self, **options: Any) -> Any:
        if "size" in options:
            raise BadArgument("observation='ids' has the model's own vocabulary here; it takes length, not size.")
        return TokenObservation(self.ids, self.model.vocabulary_size, self.model.end, **options)

    def ids(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """The prompts (b, S), their lengths (b,), what is written (b, T) and its lengths (b,)."""
        return self.source[rows], self.read[rows], self.written[rows], self.length[rows]

    def masks(self, rows: np.ndarray) -> np.ndarray:
        return self.allowed[rows]

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """The candidate that goes on with a reference exactly, the longest such; else the best metric one step on."""
        chosen = closest(self, rows)
        for at, row in enumerate(rows.tolist()):
            action = exact(self, row)
            chosen[at] = action if action >= 0 else chosen[at]
        return chosen

    def worth(self, rows: np.ndarray) -> np.ndarray:
        """The metric of each answer with each candidate behind it, END leaving it as it is, (b, k)."""
        tokens = self.candidates[rows].astype(np.int64)
        scores = self.standing.would(rows, self.example[rows], tokens, self._followed)
        return np.where(tokens == self.model.end, self.outcome(rows)[:, None], scores)

    def _followed(self, rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """The answers with each of tokens (b, k) behind, (b, k) object."""
        texts = np.empty(tokens.shape, object)
        for at, row in enumerate(rows.tolist()):
            texts[at] = [self._text(row, token) for token in tokens[at].tolist()]
        return texts

    def _renormalised(self, rows: np.ndarray) -> np.ndarray:
        """Log-probabilities of the candidates among those allowed, (b, k); -inf where masked."""
        log_p = np.where(self.allowed[rows], self.log_p[rows].astype(np.float64), -np.inf)
        return log_p - np.logaddexp.reduce(log_p, axis=1, keepdims=True)

    def divergence(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """KL(policy, model) in nats of a policy's probabilities (b, k) over the candidates allowed: exact, (b,)."""
        policy = np.where(self.allowed[rows], probabilities, 0.0)
        policy /= policy.sum(1, keepdims=True)
        model = np.where(self.allowed[rows], self._renormalised(rows), 0.0)
        return (policy * (np.log(np.maximum(policy, 1e-300)) - model)).sum(1)

    def _text(self, row: int, token: int | None = None) -> str:
        ids = self.written[row, : self.length[row]].tolist()
        return self.model.text(ids if token is None else [*ids, int(token)])

    def texts(self, rows: np.ndarray) -> np.ndarray:
        shown = np.empty(len(rows), object)
        prompts = self.task.examples["text"][self.example[rows]]
        shown[:] = [f"{asked}\n> {self._text(row)}" for asked, row in zip(prompts, rows.tolist(), strict=True)]
        return shown

    def answers(self, rows: np.ndarray) -> np.ndarray:
        texts = np.empty(len(rows), object)
        texts[:] = [self._text(row) for row in rows.tolist()]
        return texts

    def meaning(self, action: Any, row: int | None = None) -> str:
        if row is None or self.closed is not None:
            return super().meaning(action)
        return f"write {self._name(int(self.candidates[row, int(action)]))}"

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        texts, targets = self.answers(rows), self.task.accepted[self.example[rows]]
        found = {name: metric.each(texts, targets) for name, metric in self.task.metrics.items()}
        length = self.length[rows]
        actions = length + (self.ended[rows] & (length < self.longest))  # END is one, too
        found |= {
            "tokens": length.astype(np.float64),
            "repeated": self.again[rows] / np.maximum(length, 1),
            "surprise": self.surprise[rows] / np.maximum(actions, 1),
        }
        if self.limit is not None:
            found |= self.limit.metrics(self.task.examples["text"][self.example[rows]], texts)
        if self.terms is not None:
            found |= self.terms.metrics(self.example[rows], texts)
        return found


DYNAMICS = TokenChoice
