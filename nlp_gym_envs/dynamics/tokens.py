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

import functools
from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import FreeText, Span
from ..errors import BadArgument
from ..task import OpenTask, Task
from ..text.encoding import BOUND
from ..text.examples import Examples
from ._base import Dynamics, box, positive
from ._candidates import (
    CANDIDATE,
    LIMIT,
    PROGRESS,
    TERMS,
    Reader,
    entropy,
    projection,
    repeats,
    squeezed,
    token_table,
)
from ._goals import MOST_TERMS, glossary
from ._standing import Standing
from ._token_ids import TokenObservation

PENALTY = 0.05  # of a masked candidate
MOST_CLOSED = 256  # tokens of a closed vocabulary
NOTHING = -1  # in place of a token


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
        characters, inside, silent = token_table(self.model)
        self._characters, self._inside = characters, inside
        self._silent = np.where(silent, np.float32(-np.inf), np.float32(0))
        self.closed = self._closed(vocabulary)
        self.k = positive("k", k, 2, int) if self.closed is None else len(self.closed)
        self.k = min(self.k, self.model.vocabulary_size)
        self._goals(length_limit, length_cost, terms, term_cost, surprise_cost)
        self._spaces(positive("state", state, 0, int), positive("embedding", embedding, 0, int))
        words = self._lexicon(prompt) if lexicon else None
        self.reader = Reader(num_rows, self.model.vocabulary_size, words)
        self.standing = Standing(task, metric, self.model.pieces, num_rows, self.longest)
        # row by row
        self.source = np.full((num_rows, self.longest_prompt), -2, np.int32)  # the prompt's ids
        self.read = np.ones(num_rows, np.int64)  # how many they are
        self.covered = np.zeros((num_rows, self.longest_prompt), np.float32)  # how far each is covered
        self.written = np.full((num_rows, self.longest), NOTHING, np.int32)
        self.length = np.zeros(num_rows, np.int64)
        self.ended = np.ones(num_rows, bool)
        self.again = np.zeros(num_rows, np.int64)  # tokens that had been written before
        self.typed = np.zeros(num_rows, np.int64)  # characters
        self.limit = np.ones(num_rows, np.int64)  # characters allowed
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
        used = sorted({token for answer in answer_ids(self.task.train, self.model) for token in answer})
        if len(used) >= MOST_CLOSED:
            raise BadArgument(
                f"the training answers of {self.task.name} consist of {len(used):,} different tokens; a closed "
                f"vocabulary has at most {MOST_CLOSED - 1}. Take vocabulary='open'."
            )
        return np.array([*used, self.model.end], np.int32)

    def _goals(
        self, limit: float | None, length_cost: float, terms: Any, term_cost: float, surprise_cost: float
    ) -> None:
        self.costs = {"invalid": PENALTY}
        self.share = None if limit is None else positive("length_limit", limit, 0.01)
        self.length_cost = positive("length_cost", length_cost, 0)
        self.term_cost = positive("term_cost", term_cost, 0)
        self.surprise_cost = positive("surprise_cost", surprise_cost, 0)
        self.glossary = None if terms is None else glossary(terms, self.model, self.task.examples)
        if self.share is not None:
            self.costs["length"] = self.length_cost * float(max(1, self._characters.max()))
        if self.glossary is not None:
            self.costs["terms"] = self.term_cost * MOST_TERMS
            self.terms = np.full((len(self.example), MOST_TERMS, self.glossary.length), NOTHING, np.int32)
            self.met = np.ones((len(self.example), MOST_TERMS), bool)
            self.term_source = np.full((len(self.example), MOST_TERMS), -1, np.int32)
        if self.surprise_cost:
            self.costs["surprise"] = self.surprise_cost * 100.0

    def _spaces(self, state: int, embedding: int) -> None:
        width = self.model.width
        names = [*CANDIDATE, *(LIMIT if self.share is not None else ()), *(TERMS if self.glossary is not None else ())]
        self.feature_names = (*names, *(f"embedding {i}" for i in range(embedding)))
        self.features = len(self.feature_names)
        self._state_matrix = projection(width, state) if state else None
        self._embedded = embedded(self.model, embedding) if embedding else None
        more = (self.share is not None) + (self.glossary is not None)
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

    def _lexicon(self, form: str) -> Any:
        from ..text.lexicon import lexicon

        train = self.task.train
        known = prompts(train, self.model, form, self.longest_prompt)
        key = {"model": self.model.digest, "texts": train.digest, "prompt": form, "longest": str(self.longest_prompt)}
        return _lexicon_of(train, self.model, known, tuple(key.items()), lexicon)

    # ---------------------------------------------------------------- an episode

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        ids = self.prompts.of(examples)
        self.source[rows] = -2
        for row, prompt in zip(rows.tolist(), ids, strict=True):
            self.source[row, : len(prompt)] = prompt
            self.reader.begin(row, np.asarray(prompt))
        self.read[rows] = [len(prompt) for prompt in ids]
        for array in (self.covered, self.length, self.again, self.typed, self.surprise):
            array[rows] = 0
        self.written[rows] = NOTHING
        self.ended[rows] = False
        if self.share is not None:
            lengths = np.array([len(text) for text in self.task.examples["text"][examples]])
            self.limit[rows] = np.maximum(1, (self.share * lengths).astype(np.int64))
        if self.glossary is not None:
            self.glossary.fill(examples, lambda example: self.prompts.of(np.array([example]))[0])
            self.terms[rows] = self.glossary.tokens[examples]
            self.term_source[rows] = self.glossary.source[examples]
            self.met[rows] = self.terms[rows][:, :, 0] == NOTHING
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
        if self.share is not None:
            new = self._characters[tokens] * writing
            beyond = np.clip(self.typed[rows] - self.limit[rows], 0, new)
            costs["length"] = self.length_cost * beyond / self.limit[rows]
        if self.glossary is not None:
            costs["terms"] = self.term_cost * self._missing(rows) * self.ended[rows]
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
        self.typed[rows] += self._characters[tokens]
        if self.glossary is not None:
            self.met[rows] |= self._complete(rows)
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
        seen[:, :, 4] = self._inside[tokens]
        seen[:, :, 5] = (self.source[rows][:, None, :] == tokens[:, :, None]).any(2)
        seen[:, :, 6] = support
        seen[:, :, 7] = support * (1 - self.covered[rows[:, None], origin])
        seen[:, :, 8:12] = repeats(self.written[rows], self.length[rows], tokens).transpose(1, 2, 0)
        seen[:, :, 13] = np.minimum(self._characters[tokens] / 10, BOUND)
        extra: list[np.ndarray] = []
        at = len(CANDIDATE)
        if self.share is not None:
            share = (self.typed[rows, None] + self._characters[tokens]) / self.limit[rows, None]
            seen[:, :, at], seen[:, :, at + 1] = np.minimum(share, 2) / 2, (share > 1) & ~is_end
            extra.append(np.minimum(self.typed[rows] / self.limit[rows], 2) / 2)
            at += len(LIMIT)
        if self.glossary is not None:
            begins, goes_on, rival = self._term_features(rows, tokens, support, origin)
            seen[:, :, at], seen[:, :, at + 1], seen[:, :, at + 2] = begins, goes_on, rival
            self.allowed[rows] |= begins | goes_on
            extra.append((~self.met[rows]).sum(1) / MOST_TERMS)
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
            logits = logits + torch.from_numpy(self._silent)
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
                if self.glossary is not None:
                    wanted = self._next_term_token(rows)
                    lacking = (wanted != NOTHING) & ~(tokens == wanted[:, None]).any(1)
                    some = np.flatnonzero(lacking)
                    tokens[some, -2] = wanted[some]
                    picked = logits[torch.from_numpy(some), torch.from_numpy(wanted[some].astype(np.int64))]
                    log_p[some, -2] = (picked - total[torch.from_numpy(some), 0]).cpu().numpy()
        self.candidates[rows], self.log_p[rows] = tokens, np.maximum(log_p, -100)

    # ---------------------------------------------------------------- terms

    def _begun(self, rows: np.ndarray) -> np.ndarray:
        """How many tokens of each missing term the end of what is written already has, (b, M)."""
        terms, length = self.terms[rows], self.length[rows]
        begun = np.zeros(terms.shape[:2], np.int64)
        for count in range(1, terms.shape[2]):
            matches = (length >= count)[:, None] & (terms[:, :, count] != NOTHING)
            for back in range(count):
                last = self.written[rows, np.maximum(length - 1 - back, 0)]
                matches &= terms[:, :, count - 1 - back] == last[:, None]
            begun[matches] = count
        return np.where(self.met[rows], 0, begun)

    def _complete(self, rows: np.ndarray) -> np.ndarray:
        """Which terms the last tokens written make whole, (b, M)."""
        terms, length = self.terms[rows], self.length[rows]
        sizes = (terms != NOTHING).sum(2)
        whole = np.zeros(terms.shape[:2], bool)
        for size in range(1, terms.shape[2] + 1):
            matches = (sizes == size) & (length >= size)[:, None]
            for back in range(size):
                last = self.written[rows, np.maximum(length - 1 - back, 0)]
                matches &= terms[:, :, size - 1 - back] == last[:, None]
            whole |= matches
        return whole

    def _next_term_token(self, rows: np.ndarray) -> np.ndarray:
        """The next token of the term that is begun, else the first of the first one missing; (b,), -1 for none."""
        begun, missing = self._begun(rows), ~self.met[rows]
        order = begun * 10 - np.arange(begun.shape[1]) + 100 * missing  # one begun comes first, then the first missing
        term = order.argmax(1)
        at = np.arange(len(rows))
        token = self.terms[rows, term, begun[at, term]]
        return np.where(missing[at, term], token, NOTHING)

    def _term_features(
        self, rows: np.ndarray, tokens: np.ndarray, support: np.ndarray, origin: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Begins a missing term; goes on with one; says its source word in another way: each (b, k) bool."""
        missing, begun, terms = ~self.met[rows], self._begun(rows), self.terms[rows]
        next_token = np.take_along_axis(terms, begun[:, :, None], 2)[:, :, 0]  # (b, M)
        hits = (next_token[:, None, :] == tokens[:, :, None]) & missing[:, None, :]  # (b, k, M)
        goes_on = (hits & (begun > 0)[:, None, :]).any(2)
        first = (terms[:, :, 0][:, None, :] == tokens[:, :, None]) & missing[:, None, :]
        begins = first.any(2) & ~goes_on
        about = (origin[:, :, None] == self.term_source[rows][:, None, :]) & missing[:, None, :]
        rival = about.any(2) & (support > 0.1) & ~begins & ~goes_on
        return begins, goes_on, rival

    def _missing(self, rows: np.ndarray) -> np.ndarray:
        """How many of its terms each answer lacks, (b,)."""
        assert self.glossary is not None
        lacking = np.zeros(len(rows))
        for at in np.flatnonzero(self.ended[rows]):
            row = int(rows[at])
            lacking[at] = self.glossary.missing(self._text(row), int(self.example[row]))
        return lacking

    # ---------------------------------------------------------------- the rest of the contract

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        parts = {"candidates": self.seen[rows].reshape(len(rows), -1), "progress": self.progress[rows]}
        if self._state_matrix is not None:
            parts["state"] = self.state[rows]
        return parts

    def word_observation(self, **options: Any) -> Any:
        def of(rows: np.ndarray) -> tuple[np.ndarray, ...]:
            return self.source[rows], self.read[rows], self.written[rows], self.length[rows]

        if "size" in options:
            raise BadArgument("observation='ids' has the model's own vocabulary here; it takes length, not size.")
        return TokenObservation(of, self.model.vocabulary_size, self.model.end, **options)

    def masks(self, rows: np.ndarray) -> np.ndarray:
        return self.allowed[rows]

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """The candidate that goes on with a reference exactly, the longest such; else the best metric one step on."""
        one_step = self._one_step(rows)
        chosen = np.zeros(len(rows), np.int64)
        for at, row in enumerate(rows.tolist()):
            exact = self._exact(row)
            chosen[at] = exact if exact >= 0 else one_step[at]
        return chosen

    def _exact(self, row: int) -> int:
        """The allowed candidate that continues a reference of a row, -1 where none does."""
        best, longest = -1, -1
        done = b"".join(self.model.pieces[token] for token in self.written[row, : self.length[row]]).lstrip()
        for reference in self.task.accepted[self.example[row]]:
            whole = reference.strip().encode()
            if not whole.startswith(done):
                continue
            for action in np.flatnonzero(self.allowed[row]).tolist():
                token = int(self.candidates[row, action])
                if token == self.model.end:
                    size = 0 if done.rstrip() == whole else -1
                else:
                    piece = self.model.pieces[token] if done else self.model.pieces[token].lstrip()
                    size = len(piece) if piece and whole.startswith(done + piece) else -1
                if size > longest:
                    best, longest = action, size
        return best

    def _one_step(self, rows: np.ndarray) -> np.ndarray:
        """The allowed candidate after which the metric is highest; of equals the likeliest."""
        tokens = self.candidates[rows].astype(np.int64)
        scores = self.standing.would(rows, self.example[rows], tokens, self._followed)
        now = self.standing.scores(rows, self.example[rows], self.answers)
        scores = np.where(tokens == self.model.end, now[:, None], scores)
        scores = scores + 1e-6 * self.log_p[rows]
        return np.where(self.allowed[rows], scores, -np.inf).argmax(1)

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

    def proposals(self, row: int) -> list[tuple[str, float, bool]]:
        """The candidates of a row as a person reads them: text, p, whether allowed."""
        listed = zip(self.candidates[row].tolist(), np.exp(self.log_p[row]).tolist(), self.allowed[row], strict=True)
        return [(self._name(token), p, bool(allowed)) for token, p, allowed in listed]

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        texts, targets = self.answers(rows), self.task.accepted[self.example[rows]]
        found = {name: metric.each(texts, targets) for name, metric in self.task.metrics.items()}
        length = np.maximum(self.length[rows], 1)
        found |= {
            "tokens": self.length[rows].astype(np.float64),
            "repeated": self.again[rows] / length,
            "surprise": self.surprise[rows] / (length + 1),
        }
        if self.share is not None:
            sizes = np.array([len(text) for text in texts])
            found["length_ratio"] = sizes / self.limit[rows]
            found["beyond_limit"] = np.maximum(0.0, found["length_ratio"] - 1)
        if self.glossary is not None:
            missing = np.array(
                [self.glossary.missing(t, int(e)) for t, e in zip(texts, self.example[rows], strict=True)]
            )
            required = np.array([len(self.glossary.texts[e]) for e in self.example[rows]])
            found |= {"terms_required": required.astype(float), "terms_met": (required - missing).astype(float)}
        return found


class Prompts:
    """The prompts of a split as token ids, encoded when they are first needed."""

    def __init__(self, examples: Examples, model: Any, form: str, longest: int) -> None:
        if "{text}" not in form:
            raise BadArgument(f"prompt must have {{text}} in it, where the example's text goes; got {form!r}.")
        self.texts, self.model, self.form, self.longest = examples["text"], model, form, longest
        self.ids = np.full(len(examples), None, object)

    def of(self, examples: np.ndarray) -> list[list[int]]:
        """The ids of each example's prompt."""
        new = [example for example in examples.tolist() if self.ids[example] is None]
        if new:
            asked = [self.form.replace("{text}", text) for text in self.texts[new]]
            for example, ids in zip(new, self.model.encode(asked, self.longest), strict=True):
                self.ids[example] = ids
        return list(self.ids[examples])

    def __deepcopy__(self, memo: Any) -> "Prompts":
        return self


@functools.lru_cache(maxsize=8)
def prompts(examples: Examples, model: Any, form: str, longest: int) -> Prompts:
    """The prompts of a split for a model, one for all who ask for the same."""
    return Prompts(examples, model, form, longest)


@functools.lru_cache(maxsize=4)
def answer_ids(examples: Examples, model: Any) -> list[list[int]]:
    """The first accepted answer of each example, as a model would write it."""
    texts = [f" {accepted[0]}" if accepted[0] else "" for accepted in examples.target]
    return model.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []


@functools.lru_cache(maxsize=4)
def embedded(model: Any, size: int) -> np.ndarray:
    """Each token's embedding, projected, (V, size)."""
    return squeezed(model.embeddings, projection(model.width, size))


@functools.lru_cache(maxsize=4)
def _lexicon_of(train: Examples, model: Any, known: Prompts, key: Any, make: Any) -> Any:
    rows = np.arange(len(train))
    return make(known.of(rows), answer_ids(train, model), model.vocabulary_size, dict(key))


DYNAMICS = TokenChoice
