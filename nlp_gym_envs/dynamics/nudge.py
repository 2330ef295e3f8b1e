"""Nudging: a step up or down on one interpretable parameter of a frozen model, or STOP.

The parameters work on scores that the model gave once, so that an evaluation of the changed model costs no forward. An
episode is an *instance*: something was shifted that the agent must undo, and it sees what comes of it on a small batch,
the probe. It is judged on other texts, and in the splits `validation` and `test` on other instances. After Guo et al.
2017, "On calibration of modern neural networks"; Saerens et al. 2002, "Adjusting the outputs of a classifier to new a
priori probabilities"; Wu et al. 2016, "Google's neural machine translation system", for the length penalty.

## Action space
`Discrete`: action 0 is STOP, every other one a nudge, up or down, large or small.

| answers | what is frozen | a nudge moves | actions |
|---|---|---|---|
| labels | logistic regression on TF-IDF, cross-fitted on training texts | up the bias of the most under-predicted class, by 1 or .3; down that of the most over-predicted; the log temperature, by .5 or .15 | 9 |
| written texts | 10 candidates a text by the model (greedy, by chance, cut short, driven on, empty, the prompt itself) | what length, repeated word pairs and copied words are worth in log p, by 1 or .3; the log temperature | 17 |
| spans | 25 candidates a question by a linear reader of the features of `span`, no answer among them | what no answer, length and a late place are worth, by 1 or .3; the log temperature | 17 |

Which class a slot means is seen anew with every look: the class whose share of labels is furthest above, or below, its mean
probability. A nudge that would go beyond its bound (6, of the log temperature 3) is masked; taken all the same it
changes nothing and costs its look.

## Observation space
| part | size | range | meaning |
|---|---|---|---|
| `probe` | 17 or 18 | -1 to 1 | labels, 17: for both slots the share of labels less mean probability, misses, false alarms, mean probability, bias / 6; then mean probability of the right label, confidence, accuracy, their difference, log (1 + loss) / 2, the loss's slope along the log temperature, the log temperature / 3. Candidates, 18: for each parameter the slope of the expected metric (20 x, squashed), for each feature what the chosen have more of it than the best candidates (tanh), each parameter over its bound; then expected metric, metric of the chosen, what the best have above it, confidence, confidence less metric, share of empty answers, that less the right share |
| `history` | 4 + A | -1 to 1 | 10 x the last rise of the utility, 5 x the rise since the start, share of looks spent, distance from the start, the last action |

All are the same for every data set of a form, however many classes it has, so that an agent goes from one to another.

## Starting state
An instance with nothing undone; `info["example"]` is its number. Of labels: the classes are as common as Dirichlet(1) has it,
all log-odds were multiplied by e^U(-1, 1), and each class's got a bias from N(0, 1.2). Of candidates: short, middling and
long prompts (questions with and without an answer) are as common as Dirichlet(1) has it, log p was multiplied by
e^U(-1, 1), and a weight on each feature was added, normal with a deviation of 1.5 (of a span's length and place: 1).
Probe (64 texts), judge (256; of candidates 128) and confirmation (as many) come from the split's own examples, dealt so
that no text is in two of them.

## Rewards
`scale` times the rise of the utility on the probe with every action (`improvement`), exactly 0 where nothing changed; `final`
pays `scale` times the utility at the end. The utility of labels: half the macro F1, half 1 - log (1 + loss) / log 21. Of
candidates: half the expected metric, half that of the likeliest.

## Episode end
Terminated by STOP, by the last of 12 looks, or by a `target` that is reached; `info["stop"]` says `stop`, `horizon` or
`target`. Nothing can diverge: the parameters have bounds. Truncated never. `info["episode_metrics"]` tells the task's
metrics on the judge, with standard errors, and with `_start` as they were before; `rise`, that of the utility there; `looks`.

## Arguments
| name | default | effect |
|---|---|---|
| `instance` | `"varied"` | or `"fixed"`: always the same one, for black-box optimisation. What is learned there holds for it alone |
| `instances` | none | how many a split has: 1,000,000 for train, 200 for validation, else 400 |
| `looks` | 12 | the horizon |
| `target` | none | the task's metric that ends the episode, once the probe has it and the confirmation batch too |
| `scale` | 10.0 | what a utility of 1 is worth |
| `model` | none | of written texts: the model that writes the candidates, by default the T5 that ships with the package |

## Version history
v0: first release.
"""  # noqa: E501

from typing import Any

import numpy as np
from gymnasium import spaces

from ..errors import BadArgument
from ..task import OpenTask, Task
from ._base import Dynamics, box, positive
from ._instances import how_many
from ._nudge_labels import Labels
from ._nudge_spans import Spans
from ._nudge_written import Written
from ._scoreboard import Scoreboard

BOARDS: tuple[Any, ...] = (Labels, Written, Spans)
STOP = 0
UNIT = 0.01  # parameters are whole numbers of it, so that a nudge back undoes a nudge to the last bit
FIT = 40, 0.3  # updates of the oracle's fit, and their first rate
KEPT = 10_000  # fits
GOING, STOPPED, REACHED, SPENT = range(4)
WHY = np.array(["", "stop", "target", "horizon"], object)


class Nudge(Dynamics):
    """± one parameter, or STOP."""

    name = "nudge"
    reward = "improvement"
    answers_examples = False

    def __init__(
        self,
        task: OpenTask,
        num_rows: int,
        instance: str = "varied",
        instances: int | None = None,
        looks: int = 12,
        target: float | None = None,
        scale: float = 10.0,
        model: str | None = None,
    ) -> None:
        super().__init__(task, num_rows)
        self.settings = {"instance": instance, "instances": instances, "looks": looks, "target": target,
                         "scale": scale, "model": model}  # fmt: skip
        self.count = how_many(task.split, instance, instances)
        self.horizon = positive("looks", looks, 1, int)
        if target is not None and not 0 < positive("target", target, 0) <= 1:
            raise BadArgument(f"target must be above 0 and at most 1, as the task's metrics are, got {target!r}.")
        self.target = target
        self.pays = (0.0, positive("scale", scale, 0))
        self.costs = {}
        self.board = board_of(task)(task, model)
        self.actions = 1 + len(self.board.steps)
        self.step = np.array([0, *(size for _, size in self.board.steps)])  # (A,) in units
        self.action_space = spaces.Discrete(self.actions)
        self.action_meanings = ("stop", *(f"{what} {size * UNIT:+.2f}" for what, size in self.board.steps))
        self.parts = {"probe": box(-1, 1, self.board.features), "history": box(-1, 1, 4 + self.actions)}
        self.probe, self.fits = Kept(num_rows), Fits(self.board)
        # row by row
        self.units = np.zeros((num_rows, len(self.board.names)), np.int64)
        self.moved = np.zeros((num_rows, self.actions - 1), np.int64)  # the parameter that each nudge moves
        self.seen = np.zeros((num_rows, self.board.features), np.float32)
        self.history = np.zeros((num_rows, 4 + self.actions), np.float32)
        self.utility, self.first = np.zeros((2, num_rows))  # on the probe, now and at the start
        self.metric, self.loss = np.zeros((2, num_rows))
        self.looks = np.zeros(num_rows, np.int64)
        self.ended = np.full(num_rows, STOPPED)

    @classmethod
    def accepts(cls, task: Task) -> bool:
        return any(isinstance(task.answer, board.form) for board in BOARDS)

    @property
    def size(self) -> int:
        return self.count

    def word_observation(self, **options: Any) -> Any:
        raise BadArgument("observation='ids' shows a text, and an instance is none; take 'vector' or 'dict'.")

    # ---------------------------------------------------------------- an episode

    def begin(self, rows: np.ndarray, examples: np.ndarray) -> None:
        super().begin(rows, examples)
        self.units[rows], self.looks[rows], self.ended[rows] = 0, 0, GOING
        self.history[rows] = 0
        self.probe.put(rows, self.board.batch(examples, "probe"))
        self._look(rows)
        self.first[rows], self.history[rows, 1] = self.utility[rows], 0  # no rise yet, whatever was here before

    def act(self, rows: np.ndarray, actions: np.ndarray) -> dict[str, np.ndarray]:
        allowed = self.masks(rows)[np.arange(len(rows)), actions]
        self.ended[rows[actions == STOP]] = STOPPED
        nudged = rows[actions != STOP]
        chosen, works = actions[actions != STOP], allowed[actions != STOP]
        self.looks[nudged] += 1
        self.units[nudged, self.moved[nudged, chosen - 1]] += self.step[chosen] * works
        before = self.utility[nudged]
        self._look(nudged)
        self.history[rows, 4:] = actions[:, None] == np.arange(self.actions)
        self.history[rows, 0] = 0
        self.history[nudged, 0] = np.clip(10 * (self.utility[nudged] - before), -1, 1)
        self._end(nudged)
        return {}

    def place(self, rows: np.ndarray, parameters: np.ndarray, looks: int) -> None:
        """Put the parameters (b, P) of some rows where a search has found them, at the price of so many looks.

        For baselines that are not bound to the actions; rounded to the unit and moved to the nearest bound.
        """
        bound = self.board.bound
        self.units[rows] = np.clip(np.rint(parameters / UNIT), -bound, bound).astype(np.int64)
        self.looks[rows] += looks
        self._look(rows)

    def _look(self, rows: np.ndarray) -> None:
        """Evaluate the probe batches of some rows."""
        if not len(rows):
            return
        look = self.board.look(self.probe.of(rows), self.units[rows] * UNIT)
        self.utility[rows], self.metric[rows], self.loss[rows] = look.utility, look.metric, look.loss
        self.seen[rows], self.moved[rows] = look.seen, look.moved
        self.history[rows, 1] = np.clip(5 * (look.utility - self.first[rows]), -1, 1)
        self.history[rows, 2] = np.minimum(self.looks[rows] / self.horizon, 1)
        away = np.abs(self.units[rows] / self.board.bound).sum(1)
        self.history[rows, 3] = away / (1 + away)

    def _end(self, rows: np.ndarray) -> None:
        """End what has spent its looks, or has reached the target and is confirmed."""
        self.ended[rows[self.looks[rows] >= self.horizon]] = SPENT
        if self.target is None:
            return
        hopeful = rows[self.metric[rows] >= self.target]
        if len(hopeful):
            batch = self.board.batch(self.example[hopeful], "confirmation")
            found = self.board.report(batch, self.units[hopeful] * UNIT)
            self.ended[hopeful[found[self.task.metric.name] >= self.target]] = REACHED

    def over(self, rows: np.ndarray) -> np.ndarray:
        return self.ended[rows] != GOING

    def outcome(self, rows: np.ndarray) -> np.ndarray:
        """The utility of the parameters as they stand, on the probe."""
        return self.utility[rows]

    def observe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"probe": self.seen[rows], "history": self.history[rows]}

    def masks(self, rows: np.ndarray) -> np.ndarray:
        allowed = np.ones((len(rows), self.actions), bool)
        moved = self.moved[rows]  # (B, A - 1)
        there = np.take_along_axis(self.units[rows], moved, 1) + self.step[1:]
        allowed[:, 1:] = np.abs(there) <= self.board.bound[moved]
        return allowed

    # ---------------------------------------------------------------- what is known and told

    def oracle(self, rows: np.ndarray) -> np.ndarray:
        """The nudge that comes nearest to parameters fitted on the judge; STOP where none comes nearer."""
        left = self.fits.of(self.example[rows]) / UNIT - self.units[rows]  # (B, P)
        moved = np.take_along_axis(left, self.moved[rows], 1)  # (B, A - 1)
        nearer = moved**2 - (moved - self.step[1:]) ** 2
        nearer = np.where(self.masks(rows)[:, 1:], nearer, -np.inf)
        return np.where(nearer.max(1) > 0, nearer.argmax(1) + 1, STOP)

    def texts(self, rows: np.ndarray) -> np.ndarray:
        return _objects(self._told(row) for row in rows.tolist())

    def _told(self, row: int) -> str:
        metric = f"{self.task.metric.name} {self.metric[row]:.3f}, loss {self.loss[row]:.3f}"
        more = self.board.told(self.moved[row])
        return (
            f"instance {self.example[row]}, look {self.looks[row]} of {self.horizon}: {metric} on the probe; {more}.\n"
            f"so far: {self._moves(self.units[row])}"
        )

    def _moves(self, units: np.ndarray) -> str:
        """What the parameters are, the largest first."""
        order = [at for at in np.argsort(-np.abs(units), kind="stable") if units[at]][:4]
        return ", ".join(f"{self.board.names[at]} {units[at] * UNIT:+.2f}" for at in order) or "nothing changed"

    def answers(self, rows: np.ndarray) -> np.ndarray:
        found, name = self.metrics(rows), self.task.metric.name
        pairs = zip(rows.tolist(), found[f"{name}_start"], found[name], strict=True)
        return _objects(f"{name} {a:.3f} to {b:.3f} ({self._moves(self.units[row])})" for row, a, b in pairs)

    def targets(self, rows: np.ndarray) -> np.ndarray:
        fitted, name = self.fits.of(self.example[rows]), self.task.metric.name
        found = self.board.report(self.board.batch(self.example[rows], "judge"), fitted)[name]
        units = np.rint(fitted / UNIT).astype(np.int64)
        return _objects((f"{name} {a:.3f} ({self._moves(u)})",) for a, u in zip(found, units, strict=True))

    def solved(self, rows: np.ndarray) -> np.ndarray:
        return self.ended[rows] == REACHED

    def details(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"stop": WHY[self.ended[rows]], "utility": self.utility[rows]}

    def metrics(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        batch = self.board.batch(self.example[rows], "judge")
        after = self.board.report(batch, self.units[rows] * UNIT)
        before = self.board.report(batch, self.units[rows] * 0.0)
        started = {f"{name}_start": before[name] for name in (*self.task.metrics, "loss")}
        spent = {"looks": self.looks[rows].astype(np.float64), "forward_passes": np.zeros(len(rows)),
                 "backward_passes": np.zeros(len(rows))}  # fmt: skip  # all scores were computed before
        rise = after.pop("utility") - before["utility"]
        return {**after, **started, "rise": rise, **spent}

    def on_train(self, num_rows: int) -> "Nudge":
        """The same game on the training split, for what learns from it without an environment."""
        return Nudge(self.task.at("train"), num_rows, **self.settings)


class Kept:
    """The probe batches of all rows, as long as their episodes last; no copy is made for what is told later."""

    def __init__(self, num_rows: int) -> None:
        self.every = np.arange(num_rows)
        self.arrays: tuple[np.ndarray, ...] = ()

    def put(self, rows: np.ndarray, batch: tuple[np.ndarray, ...]) -> None:
        """Keep a batch of some rows."""
        if not self.arrays:
            self.arrays = tuple(
                np.zeros((part.shape[0], len(self.every), *part.shape[2:]), part.dtype) for part in batch
            )
        for whole, part in zip(self.arrays, batch, strict=True):
            whole[:, rows] = part

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """The batch of some rows; of all rows, in order, it is no copy."""
        if np.array_equal(rows, self.every):
            return self.arrays
        return tuple(whole[:, rows] for whole in self.arrays)


class Fits:
    """What an instance's hidden shift undone, and then fitted on the judge, comes to; the latest are kept."""

    def __init__(self, board: Scoreboard) -> None:
        self.board = board
        self.known: dict[int, np.ndarray] = {}

    def of(self, instances: np.ndarray) -> np.ndarray:
        """(n, P)."""
        new = np.array([number for number in dict.fromkeys(instances.tolist()) if number not in self.known], np.int64)
        if len(new):
            if len(self.known) > KEPT:
                self.known.clear()
                new = np.unique(instances)
            limit = self.board.bound / 100
            start = np.clip(self.board.undone(new), -limit, limit)
            fitted = self.board.ascended(self.board.batch(new, "judge"), start, *FIT)
            self.known.update(zip(new.tolist(), fitted, strict=True))
        return np.stack([self.known[number] for number in instances.tolist()])


def board_of(task: OpenTask) -> Any:
    """The kind of scoreboard for a form of answer."""
    return next(board for board in BOARDS if isinstance(task.answer, board.form))


def _objects(values: Any) -> np.ndarray:
    values = list(values)
    found = np.empty(len(values), object)
    found[:] = values
    return found


DYNAMICS = Nudge
