"""Numbers and findings in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ._groups import Line, Place, Score
from ._rows import AS_IS, Results

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NAMES = {"chrf": "chrF", "bleu": "BLEU", "f1": "F1", "rouge_l": "ROUGE-L"}
MINUS = "\N{MINUS SIGN}"
MANY = 8  # findings of one kind that are told one by one


def number(value: float, digits: int = 1) -> str:
    """A number with a real minus sign, and no minus before a zero."""
    text = f"{value:,.{digits}f}"
    if not float(text.replace(",", "")):
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def metric_name(metric: str) -> str:
    """A metric as people write it."""
    return NAMES.get(metric, metric.replace("_", " "))


def scale(metric: str) -> tuple[float, int]:
    """By what a metric is multiplied, and how many digits are shown: shares are × 100, as the field prints them."""
    plain = (
        "return",
        "length",
        "words_read",
        "tokens",
        "average_lagging",
        "length_adaptive_average_lagging",
        "surprise",
    )
    return (1.0, 2) if metric in plain else (100.0, 1)


def shown(score: Score | None, metric: str) -> str:
    """A score as a table has it."""
    if score is None:
        return "–"
    times, digits = scale(metric)
    return f"{number(times * score.value, digits)} ± {number(times * score.half, digits)}"


def count(n: int, one: str, many: str = "") -> str:
    """A count with its noun; small ones as words."""
    return f"{spelled(n)} {one if n == 1 else many or one + 's'}"


def spelled(n: int) -> str:
    """A count, as a word if it is small."""
    return SMALL[n] if n < len(SMALL) else f"{n:,}"


def every(n: int) -> str:
    """All of so many ids."""
    return "the one id" if n == 1 else "both ids" if n == 2 else f"all {count(n, 'id')}"


def capital(text: str) -> str:
    """With a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def short(value: float) -> str:
    """A large number in three digits: 12.3k, 4.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 3600 else f"{seconds / 3600:.3g} h"


@dataclass(frozen=True)
class Verdict:
    """Whether anything was learned at a place: `standing` is above, level, below or unknown; and sentences."""

    standing: str
    trivial: str
    rule: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.trivial} {self.rule}".strip()


def standing(score: Score, other: Score) -> str:
    """Whether one score is above another beyond the noise."""
    gap = score.less(other)
    return "above" if gap.low > 0 else "below" if gap.high < 0 else "level"


def verdict(place: Place) -> Verdict:
    """What a reader should know of a place first."""
    best = place.best
    if best is None:
        return Verdict("unknown", "No agent that learns was run here.")
    score, metric = best.score(place.metric), place.metric
    assert score is not None  # the best was chosen by it
    told = f"{best.label} has {shown(score, metric)}"
    if place.bar is None:
        return Verdict("unknown", f"{told}; no trivial policy was run beside it, so nobody can say what that is worth.")
    low = place.bar.score(metric)
    assert low is not None
    found, gap = standing(score, low), shown(score.less(low), metric)
    other = place.bar.label if place.bar.arm == AS_IS else f"{place.bar.label} with {place.bar.arm}"
    if found == "above":
        sentence = f"{told}, {gap} above {other}."
    else:
        noise = "within the noise" if found == "level" else "below it beyond the noise"
        both = f"the best, {best.label}, has {shown(score, metric)}, and {other} {shown(low, metric)}"
        none = "No agent is above the trivial policies" if place.bar is place.trivial else "Reward taught nothing"
        sentence = f"{none} here: {both}; that is {noise}."
    rest = (_beside(place, score, place.rule, "the best rule"), _beside(place, score, place.ceiling, "the ceiling"))
    return Verdict(found, sentence, " ".join(filter(None, rest)))


def _beside(place: Place, score: Score, line: Line | None, what: str) -> str:
    """How the best agent stands to another line."""
    other = line.score(place.metric) if line is not None else None
    if line is None or other is None:
        return ""
    gap = shown(score.less(other), place.metric).removeprefix(MINUS)
    named = f"{what}, {line.label} ({shown(other, place.metric)})"
    return {
        "above": f"It is {gap} above {named}.",
        "below": f"It is {gap} below {named}.",
        "level": f"It is level with {named}: the difference is within the noise.",
    }[standing(score, other)]


def leaks(place: Place) -> list[Line]:
    """Controls that score above the trivial policies: they should not."""
    if place.trivial is None or (low := place.trivial.score(place.metric)) is None:
        return []
    return [line for line in place.controls if (score := line.score(place.metric)) and standing(score, low) == "above"]


def introduction(results: Results, found: Sequence[Place]) -> list[str]:
    """The first paragraphs: what was run, and what came out."""
    rows = results.rows
    agents = dict.fromkeys(row.agent for row in rows if row.learned)
    baselines = dict.fromkeys(row.agent for row in rows if not row.learned)
    ids = dict.fromkeys(row.env for row in rows)
    seeds = sorted({len({row.seed for row in line.rows}) for place in found for line in place.lines if line.learned})
    steps = sorted({row.steps for row in rows if row.learned and row.steps})
    if not rows:
        return [f"Nothing in {results.name} can be shown: {count(len(results.problems), 'line')}, none with scores."]
    learners = count(len(agents), "agent that learns", "agents that learn")
    ran = f"{capital(learners)} and {count(len(baselines), 'baseline')}"
    ran += f" were run on {count(len(ids), 'id')}, {len(rows):,} cells in all"
    if steps:
        span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
        few = "" if len(seeds) < 2 else f"{spelled(seeds[0])} to "
        ran += f"; the learners with {few}{count(seeds[-1] if seeds else 0, 'seed')} and {span} environment steps"
    split = listed(sorted({line.held_out for place in found for line in place.lines}))
    unseen = ", which no agent saw," if split == "test" else ","
    ran += f". Scores are those of the {split} split{unseen} ± half of a 95 % interval over seeds and examples."
    return [ran, _outcome([place for place in found if place.main])]


def _outcome(found: Sequence[Place]) -> str:
    """What came out, in a few sentences."""
    judged = [place for place in found if verdict(place).standing != "unknown"]
    parts = []
    if judged:
        above = sum(verdict(place).standing == "above" for place in judged)
        where = every(len(judged)) if above == len(judged) else f"{spelled(above)} of {count(len(judged), 'id')}"
        if above:
            taught = any(place.bar is not place.trivial for place in judged) * " and what a constant reward taught"
            parts.append(f"On {where} the best learner is above the trivial policies{taught} beyond the noise.")
        else:
            parts.append(f"The best learner is above the trivial policies on none of {count(len(judged), 'id')}.")
        parts += [
            _against(
                judged, lambda place: place.rule, "the best rule, a baseline that reads but does not learn by reward,"
            )
        ]
        parts += [
            _against(judged, lambda place: place.ceiling, "the ceiling, the supervised reference or else the oracle,")
        ]
    controls = [line for place in found for line in place.controls]
    bad = [line for place in found for line in leaks(place)]
    if bad:
        parts.append(
            f"{capital(spelled(len(bad)))} of {count(len(controls), 'control')} scored above chance: look there first."
        )
    elif controls:
        stayed = f"All {count(len(controls), 'control')}" if len(controls) > 1 else "The one control"
        parts.append(
            f"{stayed} stayed at chance, as they should." if len(controls) > 1 else f"{stayed} stayed at chance."
        )
    return " ".join(filter(None, parts))


def _against(found: Sequence[Place], which: Callable[[Place], Line | None], what: str) -> str:
    """On how many ids the best learners are above, level with and below something, and where they are not level."""
    told: dict[str, list[str]] = {"above": [], "level": [], "below": []}
    for place in found:
        line = which(place)
        score, other = (one.score(place.metric) if one else None for one in (place.best, line))
        if score is not None and other is not None:
            told[standing(score, other)].append(place.name)
    total = sum(map(len, told.values()))
    if not total:
        return ""
    kinds = [how for how in ("level", "above", "below") if told[how]]
    parts = []
    for n, how in enumerate(kinds):
        names = told[how]
        if len(kinds) == 1 and total > 1:
            parts.append(f"{how} on {every(total)}")
            continue
        on = count(len(names), "id") if n == 0 else spelled(len(names))
        parts.append(f"{how} on {on}" + (f" ({listed(names)})" if how != "level" and len(names) <= 4 else ""))
    return f"Against {what} it is {listed(parts)}."


def findings(results: Results, found: Sequence[Place]) -> list[tuple[str, str, str]]:
    """What must not be overlooked: pairs of a kind, a sentence, and the key of the place that it is about."""
    told, main = [], [place for place in found if place.main]
    verdicts = {place.name: verdict(place) for place in main}
    of_kind = {kind: [name for name in verdicts if verdicts[name].standing in standings]
               for kind, standings in (("not learned", ("level", "below")), ("unknown", ("unknown",)))}  # fmt: skip
    for kind, names in of_kind.items():
        if len(names) > MANY:
            what = (
                "the best agent is not above the trivial policies, or what a constant reward teaches"
                if kind == "not learned"
                else "no learner is judged"
            )
            told.append(
                (kind, f"On {len(names)} ids {what}; the section of each says more: {listed(names)}.", "glance")
            )
    for place in main:
        judged = verdicts[place.name]
        for kind, names in of_kind.items():
            if place.name in names and len(names) <= MANY:
                told.append((kind, f"{place.name}: {judged.trivial}", place.key))
        for line in leaks(place):
            told.append(
                (
                    "control",
                    f"{place.name}: {line.label} with {line.arm} has {shown(line.score(), place.metric)}, above "
                    f"{place.trivial.label if place.trivial else 'chance'}: what was taken away is not needed for it.",
                    place.key,
                )
            )
    for kind, words in (("failed", "failed"), ("skipped", "was skipped"), ("broken", "could not be read")):
        n = sum(problem.kind == kind for problem in results.problems)
        if n:
            verb = words if n == 1 or kind != "skipped" else "were skipped"
            told.append(
                (
                    kind,
                    f"{capital(count(n, 'line' if kind == 'broken' else 'cell'))} {verb}; listed under Problems.",
                    "problems",
                )
            )
    return told
