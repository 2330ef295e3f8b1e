"""Simultaneous translation: READ the next source word, or WRITE the model's next word, before all has been read.

The agent decides when, a frozen encoder-decoder what: at every moment it has read only a prefix of the source. After
Cho and Esipova 2016, "Can neural machine translation do simultaneous translation?", and Gu et al. 2017, "Learning to
translate in real-time with neural machine translation". A model that was trained on whole sentences only is poor on
prefixes; `benchmarks/simultaneous.py` shows how one is tuned on them.

## Action space
`Discrete(2)`: 0 is READ, 1 is WRITE. WRITE writes the model's likeliest tokens given the prefix until the likeliest one
begins another unit: a unit is a word or a punctuation mark. END is written only when the whole source has been read:
before, the likeliest other token stands in for it, and the probability of END is in the observation. READ is masked
when all is read; an agent that ignores masks then WRITEs and pays the cost `invalid`, .05. What was written stays: a
READ changes the tokens to come, which see the new prefix, and the earlier ones as they were computed (Elbayad et al.
2020, "Efficient Wait-k Models for Simultaneous Machine Translation").

## Observation space
Of unread words it shows nothing; with `length_known` it shows how many they are.

| part | size | range | meaning |
|---|---|---|---|
| `model` | 11 | -1 to 1 | of the next token under the prefix: entropy over log V; p and log p / 10 of the token that WRITE would write first; highest p less the second; p of END; does it go on with a unit; is it punctuation. Of the last READ: did it leave that token as it was, how many READs in a row did (over 4), by how much it changed its p, the entropy |
| `progress` | 10 or 11 | -5 to 5 | words read / 10; units written / 10; read less written, / 3; is all read; was the last action READ, WRITE; READs in a row / 3; WRITEs in a row / 3; the last word read ends in a stop, in a comma or the like. With `length_known` the share of the source that is read |
| `state` | `state` | -5 to 5 | the decoder's last hidden state at unit length, by a fixed random projection |

## Starting state
An example of the split (see `order`), its first word read, nothing written.

## Rewards
The rise of the metric with every WRITE (`metric`), or with `reward="final"` the metric at the end. Costs, each in
`info["reward_components"]`:

| cost | asked for by | amount |
|---|---|---|
| `delay` | `delay_cost` | `delay_cost` times the rise of the average proportion, the mean share of the source that had been read at each unit written so far. It never falls; over an episode the costs add up to `delay_cost` x `average_proportion` |
| `wait` | `wait_cost` | for every READ that follows a READ |
| `invalid` | | .05 for a READ with nothing left |

`episode_metrics` has every metric of the task, `average_proportion` in [0, 1] (1 where nothing was written),
`average_lagging` in source words (Ma et al. 2019), `length_adaptive_average_lagging` (Papi et al. 2022), and
`units` and `tokens` written.

## Episode end
Terminated when the model writes END, at the latest after `longest` tokens. Truncated never.

## Arguments
| name | default | effect |
|---|---|---|
| `model` | `"t5"` | the frozen encoder-decoder: one that ships with the package, a Hub name, or a local path |
| `delay_cost` | 0.2 | the price of an average proportion of 1: the front of quality against delay is drawn by this |
| `wait_cost` | 0.0 | the price of a READ after a READ |
| `metric` | none | the metric that is paid, one of the task's, or weights of several, as `{"chrf": 1, "bleu": 1}`; else its first |
| `length_known` | False | True shows which share of the source is read, and so how long it is |
| `longest` | 64 | tokens of a translation |
| `longest_prompt` | 128 | tokens of a source; longer ones are cut |
| `prompt` | `"{text}"` | how the model is asked, as `"translate English to German: {text}"` for Google's T5 |
| `unit` | `"word"` | what one WRITE writes: or `"token"`, for languages that do not separate words |
| `state` | 16 | size of the projected decoder state, at most the model's width; 0 leaves it out |
| `dtype`, `quantize` | `"float32"`, none | of the model: `"bfloat16"`; `"int8"` |

## Version history
v0: first release.
"""  # noqa: E501

from typing import Any

import numpy as np
from gymnasium import spaces

from ..answers import FreeText
from ..errors import BadArgument
from ..task import OpenTask, Task
from ..text.encoding import BOUND
from ._base import Dynamics, box, positive
from ._candidates import projection, squeezed
from ._delays import average_lagging, average_proportion
from ._next_word import UNITS, NextWord
from ._prefixes import prefixes
from ._standing import Standing

READ, WRITE = 0, 1
PENALTY = 0.05  # of a READ with nothing left
MOST = 24  # tokens of one unit
REMEMBERED = 256.0  # MB of encoded prefixes
MODEL, PROGRESS = 11, 10  # sizes of the parts
WORDS, LAG, RUN, AGREED = 10, 3, 3, 4  # what counts are divided by


class ReadWrite(Dynamics):
    """READ a source word, or WRITE the model's next word."""

    name = "readwrite"
    reward = "improvement"

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        model: str = "t5",
        delay_cost: float = 0.2,
        wait_cost: float = 0.0,
        metric: Any = None,
        length_known: bool = False,
        longest: int = 64,
        longest_prompt: int = 128,
        prompt: str = "{text}",
        unit: str = "word",
        state: int = 16,
        dtype: str = "float32",
        quantize: str | None = None,
    ) -> None:
        from ..models.decoding import Decoding
        from ..models.loading import load

        super().__init__(task, num_rows)
        self.options: dict[str, Any] = {
            "model": model, "delay_cost": delay_cost, "wait_cost": wait_cost, "metric": metric, "prompt": prompt,
            "length_known": length_known, "longest": longest, "longest_prompt": longest_prompt, "unit": unit,
            "state": state, "dtype": dtype, "quantize": quantize,
        }  # fmt: skip
        self.longest = positive("longest", longest, 1, int)
        longest_prompt = positive("longest_prompt", longest_prompt, 1, int)
        self.delay_cost = positive("delay_cost", delay_cost, 0)
        self.wait_cost = positive("wait_cost", wait_cost, 0)
        self.length_known = bool(length_known)
        self.costs = {"delay": self.delay_cost, "invalid": PENALTY}
        if self.wait_cost:
            self.costs["wait"] = self.wait_cost
        if unit not in UNITS:
            raise BadArgument(f"unit must be one of {', '.join(UNITS)}, got {unit!r}.")
        self.model = load(model, dtype=dtype, quantize=quantize)
        if self.model.family != "encoder-decoder":
            raise BadArgument(
                f"the model {model!r} is a {self.model.family}: it cannot read on while it writes. "
                "Take an encoder-decoder, as T5, BART or Marian."
            )
        self.tokenizer = self.model.tokenizer
        self.sources = prefixes(task.examples, self.model, prompt, longest_prompt)
        self.decoding = Decoding(self.model, num_rows, longest_prompt, self.longest, REMEMBERED)
        self.horizon = int(self.sources.count.max(initial=1)) + self.longest
        self.words = NextWord(self.model, unit)
        state = min(positive("state", state, 0, int), self.model.width)
        self._spaces(state)
        self.standing = Standing(task, metric, self.model.pieces, num_rows, self.longest)
        self._rows(num_rows, state)

    def _spaces(self, state: int) -> None:
        self.parts = {"model": box(-1, 1, MODEL), "progress": box(-BOUND, BOUND, PROGRESS + self.length_known)}
        if state:
            self.parts["state"] = box(-BOUND, BOUND, state)
        self._matrix = projection(self.model.width, state) if state else None
        self.action_space = spaces.Discrete(2)
        self.action_meanings = ("read a word", "write a word")

    def _rows(self, num_rows: int, state: int) -> None:
        """What changes from step to step."""

        def zeros(*shape: int, kind: Any = np.int64) -> np.ndarray:
            return np.zeros((num_rows, *shape), kind)

        self.source = np.ones(num_rows, np.int64)  # words of the source
        self.read = np.ones(num_rows, np.int64)  # of which so many are read
        self.written = np.full((num_rows, self.longest), -1, np.int32)
        self.length, self.units = zeros(), zeros()  # tokens and units written
        self.delays = zeros(self.longest, kind=np.int32)  # words that were read when each unit was whole
        self.proportion = zeros(kind=np.float64)  # average proportion so far
        self.ended = np.ones(num_rows, bool)
        self.last = np.full(num_rows, -1)  # the last action
        self.run = zeros()  # how often in a row it was taken
        self.agreed = zeros()  # READs in a row that left the next token as it was
        self.next = zeros()  # the token that WRITE would write first
        self.next_p, self.entropy = zeros(kind=np.float32), zeros(kind=np.float32)
        self.seen = zeros(MODEL, kind=np.float32)
        self.progress = zeros(PROGRESS + self.length_known, kind=np.float32)
        self.state = zeros(state, kind=np.float32)

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return isinstance(task.answer, FreeText) and task.answer.inputs == ("source",)

    def on(self, split: str, num_rows: int) -> "ReadWrite":
        """The same on another split."""
        return ReadWrite(self.task.at(split), num_rows, **self.options)

    # ---------------------------------------------------------------- an episode

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.sources.prepare(examples)
        self.source[rows], self.read[rows] = self.sources.count[examples], 1
        self.written[rows], self.last[rows], self.ended[rows] = -1, -1, False
        for array in (self.length, self.units, self.delays, self.proportion, self.run, self.agreed):
            array[rows] = 0
        self.standing.begin(rows, examples)
        self.decoding.begin(rows, self.sources.of(examples, self.read[rows]))
        self._look(rows, np.zeros(len(rows), bool))

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        invalid = (actions == READ) & (self.read[rows] == self.source[rows])
        taken = np.where(invalid, WRITE, actions)
        reading = taken == READ
        self._read(rows[reading])
        self._write(rows[~reading])
        waited = reading & (self.last[rows] == READ)
        self.run[rows] = np.where(self.last[rows] == taken, self.run[rows] + 1, 1)
        self.last[rows] = taken
        going = ~self.ended[rows]
        self._look(rows[going], reading[going])
        costs = {"delay": self.delay_cost * self._later(rows), "invalid": PENALTY * invalid}
        if self.wait_cost:
            costs["wait"] = self.wait_cost * waited
        return costs

    def _read(self, rows: np.ndarray) -> None:
        self.read[rows] += 1
        self.decoding.reread(rows, self.sources.of(self.example[rows], self.read[rows]))

    def _write(self, rows: np.ndarray) -> None:
        """Write a unit in each row, or END."""
        tokens = self.next[rows]
        self.ended[rows] = tokens == self.model.end
        rows, tokens = rows[tokens != self.model.end], tokens[tokens != self.model.end]
        for _ in range(MOST):
            self._append(rows, tokens)
            room = self.length[rows] < self.longest
            self.ended[rows[~room]] = True
            rows, tokens = rows[room], tokens[room]
            if not len(rows):
                return
            self.decoding.push(rows, tokens)
            tokens = self.words.likeliest(self.decoding, rows)
            inside = self.words.inside[tokens]
            rows, tokens = rows[inside], tokens[inside]

    def _append(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Add tokens, none of them END, to what is written; one that goes on with a unit makes that unit later."""
        self.written[rows, self.length[rows]] = tokens
        self.length[rows] += 1
        self.units[rows] += self.words.begins[tokens] | (self.units[rows] == 0)
        self.delays[rows, self.units[rows] - 1] = self.read[rows]
        self.standing.push(rows, tokens)

    def _later(self, rows: np.ndarray) -> np.ndarray:
        """By how much the average proportion has risen, (b,)."""
        proportion = average_proportion(self.delays[rows], self.units[rows], self.source[rows])
        proportion *= (self.units[rows] > 0) | self.ended[rows]
        rise = np.maximum(proportion - self.proportion[rows], 0.0)  # below 0 only by rounding
        self.proportion[rows] = proportion
        return rise

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.ended[rows]

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        return self.standing.scores(rows, self.example[rows], self.answers)

    # ---------------------------------------------------------------- what is seen

    def _look(self, rows: np.ndarray, after_read: np.ndarray) -> None:
        """Features of rows whose model has just moved, in `after_read` (b,) by a READ."""
        if not len(rows):
            return
        unread = self.read[rows] < self.source[rows]
        token, p, log_p, margin, end, entropy = self.words.forecast(self.decoding, rows, unread)
        same = after_read & (token == self.next[rows])
        self.agreed[rows] = np.where(same, self.agreed[rows] + 1, 0)
        seen = np.column_stack((
            entropy,
            p,
            np.maximum(log_p, -10) / 10,
            margin,
            end,
            self.words.inside[token],
            self.words.mark[token],
            same,
            np.minimum(self.agreed[rows] / AGREED, 1),
            after_read * (p - self.next_p[rows]),
            after_read * (entropy - self.entropy[rows]),
        ))  # fmt: skip
        self.seen[rows] = np.clip(seen, -1, 1)
        self.next[rows], self.next_p[rows], self.entropy[rows] = token, p, entropy
        self.progress[rows] = self._progress(rows)
        if self._matrix is not None:
            self.state[rows] = squeezed(self.decoding.state[rows].float().cpu().numpy(), self._matrix)

    def _progress(self, rows: np.ndarray) -> np.ndarray:
        read, units, last, run = self.read[rows], self.units[rows], self.last[rows], self.run[rows]
        pairs = zip(self.example[rows].tolist(), read.tolist(), strict=True)
        mark = np.array([self.sources.marks[example][words - 1] for example, words in pairs])
        columns = [
            read / WORDS,
            units / WORDS,
            (read - units) / LAG,
            read == self.source[rows],
            last == READ,
            last == WRITE,
            run * (last == READ) / RUN,
            run * (last == WRITE) / RUN,
            mark == 2,
            mark == 1,
        ]
        if self.length_known:
            columns.append(read / self.source[rows])
        return np.clip(np.column_stack(columns), -BOUND, BOUND)

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        parts = {"model": self.seen[rows], "progress": self.progress[rows]}
        if self._matrix is not None:
            parts["state"] = self.state[rows]
        return parts

    # ---------------------------------------------------------------- the rest of the contract

    def masks(self, rows: np.ndarray) -> np.ndarray:
        return np.column_stack((self.read[rows] < self.source[rows], np.ones(len(rows), bool)))

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """READ everything, then WRITE: the translation of the whole sentence, which costs the most delay."""
        return np.where(self.read[rows] < self.source[rows], READ, WRITE)

    def texts(self, rows: np.ndarray) -> np.ndarray:
        shown = np.empty(len(rows), object)
        pairs = zip(self.example[rows].tolist(), self.read[rows].tolist(), self.answers(rows), strict=True)
        shown[:] = [f"{self.sources.read(example, words)}\n> {answer}" for example, words, answer in pairs]
        return shown

    def shown(self, rows: np.ndarray) -> np.ndarray:
        return self.read[rows]

    def answers(self, rows: np.ndarray) -> np.ndarray:
        texts = np.empty(len(rows), object)
        texts[:] = [self.model.text(self.written[row, : self.length[row]].tolist()) for row in rows.tolist()]
        return texts

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        texts, targets = self.answers(rows), self.task.accepted[self.example[rows]]
        found = {name: metric.each(texts, targets) for name, metric in self.task.metrics.items()}
        delays, units, source = self.delays[rows], self.units[rows], self.source[rows]
        longer = np.maximum(units, [self.words.count(accepted[0]) for accepted in targets])
        return found | {
            "average_lagging": average_lagging(delays, units, source),
            "length_adaptive_average_lagging": average_lagging(delays, units, source, longer),
            "average_proportion": average_proportion(delays, units, source),
            "units": units.astype(np.float64),
            "tokens": self.length[rows].astype(np.float64),
        }


DYNAMICS = ReadWrite
