"""Where fine-tuning starts: at the trained model, at one with a damaged group of parameters, with a new head, or with
labels, or the answers' most common tokens, that have each other's names."""

from typing import Any

import numpy as np

from ..errors import BadArgument
from ._tuned import Tuned

STARTS = ("damaged", "trained", "fresh", "renamed")
USUAL = ("trained", "renamed", "damaged")  # what helps one harms another
NEAR, FAR = 0.7, 1.3  # damages, in shares of the usual angle
TRIES, TEXTS = 4, 16  # batches on which that angle is found, and texts in each
HALVINGS = 5  # how finely
WHOLE = np.pi / 2  # the angle at which nothing is left of the weights


class Starts:
    """Draws starts of the kinds asked for; None: the usual ones, but for names that nothing may put right.

    `angles` (G,) is how far each group is turned into noise by a damage.
    """

    def __init__(self, data: Tuned, kinds: tuple[str, ...] | None, damage: float) -> None:
        self.tunable = data.tunable
        self.there = [i for i, (begin, end) in enumerate(self.tunable.spans.values()) if end > begin]
        self.head = list(self.tunable.spans).index("head")
        self.naming = list(self.tunable.spans).index(self.tunable.output)  # the group that says names
        if kinds is None:
            kinds = tuple(kind for kind in USUAL if kind != "renamed" or self.naming in self.there)
        if not kinds or any(kind not in STARTS for kind in kinds):
            raise BadArgument(f"start must be some of {', '.join(STARTS)}, got {kinds!r}.")
        self.kinds = kinds
        if "fresh" in kinds:
            self._need("fresh", self.head)
        self.names, self.named = 0, np.arange(0)  # how many things have names, and (N,) those that may swap theirs
        if "renamed" in kinds:
            self._need("renamed", self.naming)
            self.names, self.named = data.names()
        known, key = self.tunable.known, ("angles", damage, data.length, data.answer)
        if "damaged" in kinds and key not in known:
            known[key] = data.found(
                "how much damage a group bears", {"damage": damage}, lambda: self._angles(data.of_training(), damage)
            )
        self.angles = known.get(key)

    def _need(self, kind: str, group: int) -> None:
        if group not in self.there:
            name = list(self.tunable.spans)[group]
            raise BadArgument(f"start={kind!r} needs the group {name!r} among groups; add it, or take 'damaged'.")

    def draw(self, generator: np.random.Generator) -> tuple[Any, dict[str, Any]]:
        """A start (D,) and what is hidden in it: its kind, and the group that is damaged, new or misnamed (-1: none).

        Of `renamed` labels or tokens `names` (K,) is what each of them is called: another one's name, for two or more.
        """
        kind = str(generator.choice(self.kinds))
        group = {"trained": -1, "fresh": self.head}.get(kind, int(generator.choice(self.there)))
        if kind == "renamed":
            names, others = np.arange(self.names), generator.permutation(self.named)
            names[self.named] = np.roll(others, 1) if (others == self.named).all() else others
            return self.tunable.base * 0, {"start": kind, "group": self.naming, "names": names}
        angle = WHOLE
        if kind == "damaged":
            angle = min(WHOLE, float(self.angles[group] * generator.uniform(NEAR, FAR)))
        return self.turned(generator, group, angle), {"start": kind, "group": group}

    def turned(self, generator: np.random.Generator, group: int, angle: float) -> Any:
        """What turns a group's weights by an angle towards noise of their size, (D,); zeros for no group."""
        from ._bases import SPARE, table

        tunable = self.tunable
        found = tunable.base * 0
        if group >= 0:
            begin, end = list(tunable.spans.values())[group]
            offset = int(generator.integers(SPARE))
            noise = table(tunable.size, str(tunable.base.device))[offset + begin : offset + end]
            found[begin:end] = tunable.base[begin:end] * (np.cos(angle) - 1)
            found[begin:end] += noise * tunable.scales()[begin:end] * np.sin(angle)
        return found

    def _angles(self, data: Tuned, damage: float) -> np.ndarray:
        """Of each group the angle at which the loss on training examples has risen by `damage` in the median."""
        generator, train = np.random.default_rng(0), len(data.task.examples)
        batches = [data.batch(generator.integers(train, size=min(TEXTS, train))) for _ in range(TRIES)]
        trained = np.array([self.tunable.losses(batch).mean() for batch in batches])
        found = np.full(len(self.tunable.spans), WHOLE)

        def rise(group: int, angle: float) -> float:
            starts = [self.turned(np.random.default_rng(i), group, angle) for i in range(TRIES)]
            losses = [self.tunable.losses(b, s).mean() for b, s in zip(batches, starts, strict=True)]
            return float(np.median(np.nan_to_num(np.array(losses), nan=np.inf) - trained))

        for group in self.there:
            low, high = 0.0, WHOLE
            if rise(group, WHOLE) < damage:
                continue
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                low, high = (middle, high) if rise(group, middle) < damage else (low, middle)
            found[group] = high
        return found
