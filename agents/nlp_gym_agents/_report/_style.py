"""What an agent looks like, all over the page: a colour of Okabe and Ito's, a mark and a dash; never a colour alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Okabe and Ito's colours by the names of page.css, yellow left out: it is too pale for lines on white.
COLOURS = ("blue", "vermilion", "green", "purple", "orange", "sky", "ink")
MARKS = ("circle", "square", "triangle", "diamond", "down", "cross", "plus")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 2 1 2 1 2", "12 4", "1 3")
FAMILIAR = (  # agents that most reports have: they look the same in all of them
    "ppo", "maskable_ppo", "sarsa", "recurrent_ppo", "dqn", "a2c", "reinforce", "trpo", "qrdqn",
)  # fmt: skip
BASELINES = ("uniform", "majority", "oracle", "supervised", "threshold", "greedy", "beam", "wait_k", "fixed_fraction")


@dataclass(frozen=True)
class Look:
    """How one agent is drawn: learners in colour and filled, baselines grey and hollow."""

    colour: str
    mark: str
    dash: str
    filled: bool


Looks = Mapping[str, Look]  # by series


def looks(agents: Iterable[tuple[str, bool]]) -> dict[str, Look]:
    """A look for each agent, given as pairs of a label and whether it learns."""
    found: dict[str, Look] = {}
    for learned, familiar in ((True, FAMILIAR), (False, BASELINES)):
        names = dict.fromkeys(label for label, learns in agents if learns == learned)
        order = [name for name in familiar if name in names] + [name for name in names if name not in familiar]
        for number, name in enumerate(order):
            round_, place = divmod(number, len(COLOURS))
            found[name] = Look(
                COLOURS[place] if learned else "grey",
                MARKS[(place + round_) % len(MARKS)],
                DASHES[(place + 2 * round_) % len(DASHES)] if learned else DASHES[1 + number % (len(DASHES) - 1)],
                learned,
            )
    return found
