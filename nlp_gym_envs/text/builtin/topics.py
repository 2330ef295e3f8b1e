"""Short invented news texts, labelled by the topic of their main event.

The four topics share most of their people, places and figures of speech. The label follows from the main event, that
is from who does what in the clause that carries the story; events that serve as background, comparison, biography,
mistaken report or digression do not count, however many there are. Openings such as "Before our main story," announce
that something else comes first; openings such as "Lead story:" announce that the story follows at once. The grammar
can write well over 10^12 distinct texts. The compositional split nests the constructions in ways that the other
splits never do.
"""

from __future__ import annotations

from typing import NamedTuple

from nlp_gym_envs.text.builtin._grammar import Choices, build_split, join

__all__ = ["LABELS", "generate"]

LABELS: tuple[str, ...] = ("world", "sports", "business", "science")

_SEED = 52_301
_MINIMUM_WORDS = 10


class _Topic(NamedTuple):
    groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    deeds: tuple[str, ...]
    metaphors: tuple[str, ...]


_WORLD = _Topic(
    (
        (
            ("the government", "the ruling council", "the new cabinet", "the parliament"),
            (
                "signed a border treaty with {country}",
                "recalled the envoy from {country}",
                "approved a new asylum law",
                "called an early election for {month}",
                "sent {few} hundred peacekeepers to {country}",
                "imposed a curfew in {city}",
                "expelled {few} diplomats",
                "lifted the state of emergency",
                "voted to close the border with {country}",
                "agreed to take in refugees from {country}",
            ),
        ),
        (
            (
                "the opposition",
                "the trade delegation",
                "the sports ministry",
                "the science ministry",
                "the finance ministry",
            ),
            (
                "rejected the peace plan",
                "opened talks on a ceasefire in {city}",
                "walked out of the summit in {city}",
                "called for sanctions against {country}",
                "backed the peace mission to {country}",
            ),
        ),
    ),
    (
        "was elected mayor of {city}",
        "resigned as foreign minister",
        "was named ambassador to {country}",
        "led a protest march in {city}",
        "won a seat in parliament",
        "brokered a ceasefire in {country}",
        "was sworn in as president",
        "testified before the war tribunal",
        "asked for asylum in {country}",
        "founded a new party before the election",
        "negotiated the release of {few} hostages",
    ),
    (
        "with the patience of an envoy",
        "after a cold war of nerves",
        "in what felt like a palace coup",
        "with the caution of an old diplomat",
        "as if by order of a general",
    ),
)
_SPORTS = _Topic(
    (
        (
            (
                "the bank's football side",
                "the university's football squad",
                "the ministry's works team",
                "the visitors",
                "the city club",
                "the defending champions",
                "the airline's football team",
                "the home side",
            ),
            (
                "won the cup tie in {city}",
                "lost the semi-final on penalties",
                "signed a new goalkeeper",
                "reached the final of the {month} tournament",
                "sacked the head coach",
                "drew the derby in {city}",
                "moved to the top of the league",
                "scored {few} goals in the first half",
                "beat the old rivals in {city}",
                "lost the captain to a knee injury",
                "won after extra time",
                "qualified for the cup in {country}",
            ),
        ),
    ),
    (
        "broke the marathon record in {city}",
        "scored {few} goals in the derby",
        "won the sailing title",
        "won the tennis open in {city}",
        "saved a penalty in the final",
        "took bronze in the high jump",
        "was picked for the national squad",
        "missed the tournament with a knee injury",
        "won the sprint in {city}",
        "was sent off in the first half",
        "coached the juniors to the cup",
    ),
    (
        "with the nerve of a penalty taker",
        "deep into extra time",
        "after a false start",
        "with the finish line in sight",
        "with the reflexes of a goalkeeper",
    ),
)
_BUSINESS = _Topic(
    (
        (
            (
                "the stadium operator",
                "the state bank",
                "the airline",
                "the retail chain",
                "the maker of football boots",
                "the drug maker",
                "the laboratory supplier",
                "the publicly traded football club",
            ),
            (
                "raised the profit forecast",
                "cut {few} hundred jobs in {city}",
                "bought a rival for {few} million euros",
                "issued new shares",
                "filed for bankruptcy",
                "closed {few} offices in {country}",
                "reported a drop in quarterly revenue",
                "merged with a rival from {country}",
                "paid a record dividend",
                "refinanced a mountain of debt",
                "won a supply contract in {country}",
                "replaced the chief executive",
            ),
        ),
    ),
    (
        "sold a stake in an airline",
        "took over as chief executive of a bank",
        "bought a chain of hotels",
        "put {few} million euros into a start-up",
        "was fined for insider trading",
        "sold a brewery in {country}",
        "opened {few} bakeries in {city}",
        "lost a fortune on the stock market",
        "arranged a loan for a shipyard",
        "listed a software firm on the exchange",
        "bought {few} shopping centres",
    ),
    (
        "after paying a heavy price",
        "trading on an old name",
        "after a boom and a crash of hopes",
        "with the zeal of a stockbroker",
        "as if to settle an old debt",
    ),
)
_SCIENCE = _Topic(
    (
        (
            (
                "the space agency",
                "the observatory",
                "the ministry's astronomy institute",
                "the bank's telescope foundation",
            ),
            (
                "found water on a distant planet",
                "sent a probe to study an asteroid",
                "tested a telescope in {country}",
                "detected a signal from a dying star",
                "mapped {few} thousand galaxies",
                "measured the age of a meteorite",
            ),
        ),
        (
            (
                "the university laboratory",
                "the football club's medical team",
                "the ministry's health institute",
                "the polar institute",
            ),
            (
                "mapped the genome of a deep-sea fish",
                "tested a vaccine on mice",
                "grew heart cells in a dish",
                "traced the spread of a virus",
                "published a study of knee cartilage",
                "measured a new protein",
            ),
        ),
    ),
    (
        "discovered a comet",
        "dug up a fossil near {city}",
        "solved an old problem in geometry",
        "published a paper on bird migration",
        "identified {few} new species of beetle",
        "decoded the genes of a moss",
        "photographed a black hole",
        "measured the melting of a glacier in {country}",
        "proved a theorem about knots",
        "explained how bees find their way",
        "built a quantum sensor in {city}",
    ),
    (
        "like a comet out of a clear sky",
        "after a chain reaction of mishaps",
        "as if by the law of gravity",
        "with the precision of a laboratory",
        "in an experiment of sorts",
    ),
)
_TOPICS = (_WORLD, _SPORTS, _BUSINESS, _SCIENCE)
_PEOPLE = (
    "a former striker",
    "a retired physicist",
    "the daughter of a banker",
    "a young lawyer",
    "a one-time diplomat",
    "a marine biologist",
    "a former goalkeeper",
    "a retired general",
    "a stockbroker",
    "an airline heiress",
    "a chemistry teacher",
    "a cyclist from {country}",
    "the son of a senator",
    "an amateur astronomer",
    "the nephew of a minister",
    "a hotel owner",
    "an economist from {city}",
    "a nurse from {country}",
)
_TABLES = {
    "country": ("Estmark", "Valdoria", "Lower Kesh", "Orland", "Sarvia", "Kelland"),
    "city": ("Tamberg", "Karsund", "Norvale", "Port Elsin", "Mirren", "Ostwick"),
    "month": ("January", "March", "April", "June", "July", "September", "October", "November"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "few": ("two", "three", "four", "five", "six", "seven", "eight"),
    "hour": ("six", "seven", "eight", "nine", "ten"),
}
_FACTS = (
    "a spokesperson confirmed this on {day}",
    "the announcement came at {hour} in the morning",
    "no further details were given",
    "our correspondent reports from {city}",
    "it was raining in {city} at the time",
    "the news spread quickly in {country}",
    "a full statement is due on {day}",
    "there is more on page {few}",
    "witnesses described the scene",
    "the details are to follow in {month}",
    "few in {city} were surprised",
)
_SETTINGS = (
    "it is {day} in {city}",
    "the shops were still shut in {city}",
    "news has reached {city} from {country}",
    "this comes from our office in {city}",
    "it has been a quiet {day} in {country}",
    "the telephone rang at {hour} this morning",
    "it is {hour} in the morning in {country}",
)
_LEAD = ("lead story:", "top story today:", "the main news first:", "our front page:")
_BEFORE = (
    "before our main story, a short note:",
    "an aside first:",
    "first, a word from our other pages:",
    "on a side note to begin with,",
)
_NOW = ("now to our main story:", "the main story today:", "now the news that matters:", "to the story itself:")
_ELSEWHERE = (
    "in unrelated news,",
    "elsewhere in this issue,",
    "readers of our other pages will learn that",
    "on a different page,",
)
_TIMES = ("hours after", "a week after", "on the day after", "months after", "shortly before", "days before")
_FIRST_SAID = (
    "first reports said that",
    "early rumours had it that",
    "it was first believed that",
    "the first version was that",
)
_WRONG = ("that was wrong:", "none of it was true:", "that proved false:", "this turned out to be a mistake:")
_OLD_NEWS = ("that was last week;", "that is old news;", "so much for {month};", "that story is closed;")
_TODAY = ("this time", "today", "the news now is that")
_BIOGRAPHY = ("who once", "who years ago", "who in {month}", "who last year")


class _Story:
    """The phrases of one news text, which takes each topic's events and the neutral facts at most once."""

    def __init__(self, choices: Choices, topic: int) -> None:
        self.choices = choices
        self.topic = topic
        others = [other for other in range(len(_TOPICS)) if other != topic]
        self._others = [others[place] for place in choices.shuffled(len(others))]
        self._facts = list(_FACTS)
        self._people = list(_PEOPLE)

    def fill(self, template: str) -> str:
        return self.choices.fill(template, _TABLES)

    def one(self, options: tuple[str, ...]) -> str:
        return self.fill(self.choices.pick(options))

    def other(self) -> int:
        return self._others.pop()

    def facts(self, low: int, high: int) -> list[str]:
        count = self.choices.between(low, high)
        return [self.fill(self._facts.pop(self.choices.below(len(self._facts)))) for _ in range(count)]

    def setting(self) -> list[str]:
        return [self.one(_SETTINGS)] if self.choices.chance(0.5) else []

    def person(self) -> str:
        return self.fill(self._people.pop(self.choices.below(len(self._people))))

    def deed(self, topic: int) -> str:
        return self.one(_TOPICS[topic].deeds)

    def event(self, topic: int) -> str:
        if self.choices.chance(0.5):
            return f"{self.person()} {self.deed(topic)}"
        names, deeds = self.choices.pick(_TOPICS[topic].groups)
        return f"{self.one(names)} {self.one(deeds)}"

    def main(self) -> str:
        return self.event(self.topic)

    def aside(self) -> str:
        return self.event(self.other())

    def timed(self) -> str:
        return f"{self.one(_TIMES)} {self.aside()}"

    def biography(self) -> str:
        return f"{self.person()}, {self.one(_BIOGRAPHY)} {self.deed(self.other())}, {self.deed(self.topic)}"

    def unlike(self) -> str:
        model = f"{self.person()} who {self.deed(self.other())}"
        if self.choices.chance(0.5):
            return f"unlike {model}, {self.person()} {self.deed(self.topic)}"
        return f"{self.person()} {self.deed(self.topic)}, unlike {model}"


def _plain(story: _Story) -> list[str]:
    return [*story.setting(), story.main(), *story.facts(1, 2)]


def _lead(story: _Story) -> list[str]:
    opening = f"{story.one(_LEAD)} {story.main()}"
    return [opening, *story.facts(0, 2), f"{story.one(_ELSEWHERE)} {story.aside()}", *story.facts(0, 1)]


def _timed(story: _Story) -> list[str]:
    if story.choices.chance(0.5):
        return [*story.setting(), f"{story.timed()}, {story.main()}", *story.facts(0, 2)]
    return [*story.setting(), f"{story.main()} {story.timed()}", *story.facts(0, 2)]


def _biography(story: _Story) -> list[str]:
    return [*story.setting(), story.biography(), *story.facts(0, 2)]


def _unlike(story: _Story) -> list[str]:
    return [*story.setting(), story.unlike(), *story.facts(0, 2)]


def _aside_first(story: _Story) -> list[str]:
    opening = f"{story.one(_BEFORE)} {story.aside()}"
    return [opening, *story.facts(0, 2), f"{story.one(_NOW)} {story.main()}", *story.facts(0, 1)]


def _aside_last(story: _Story) -> list[str]:
    return [story.main(), *story.facts(0, 2), f"{story.one(_ELSEWHERE)} {story.aside()}", *story.facts(0, 1)]


def _false_report(story: _Story) -> list[str]:
    opening = f"{story.one(_FIRST_SAID)} {story.aside()}"
    return [opening, *story.facts(0, 2), f"{story.one(_WRONG)} {story.main()}", *story.facts(0, 1)]


def _old_news(story: _Story) -> list[str]:
    turn = f"{story.one(_OLD_NEWS)} {story.one(_TODAY)} {story.main()}"
    return [*story.setting(), story.aside(), *story.facts(0, 1), turn, *story.facts(0, 1)]


def _metaphor(story: _Story) -> list[str]:
    image = story.one(_TOPICS[story.other()].metaphors)
    event = f"{image}, {story.main()}" if story.choices.chance(0.5) else f"{story.main()}, {image}"
    return [*story.setting(), event, *story.facts(1, 2)]


def _turned_out(story: _Story) -> list[str]:
    began = f"what began as a story about how {story.aside()} turned out to be about how {story.main()}"
    return [began, *story.facts(0, 2)]


def _lead_timed(story: _Story) -> list[str]:
    opening = f"{story.one(_LEAD)} {story.timed()}, {story.main()}"
    return [opening, *story.facts(0, 1), f"{story.one(_ELSEWHERE)} {story.aside()}"]


def _timed_biography(story: _Story) -> list[str]:
    return [f"{story.timed()}, {story.biography()}", *story.facts(0, 1)]


def _false_timed(story: _Story) -> list[str]:
    opening = f"{story.one(_FIRST_SAID)} {story.timed()}, {story.aside()}"
    return [opening, f"{story.one(_WRONG)} {story.main()}", *story.facts(0, 1)]


def _two_false_reports(story: _Story) -> list[str]:
    first = f"{story.one(_FIRST_SAID)} {story.aside()}"
    second = f"{story.one(_WRONG[:2])} later reports said that {story.aside()}"
    return [first, second, f"{story.one(_WRONG[2:])} {story.main()}"]


def _false_aside(story: _Story) -> list[str]:
    first = f"{story.one(_BEFORE[:3])} {story.one(_FIRST_SAID)} {story.aside()}"
    return [first, f"{story.one(_WRONG)} {story.aside()}", f"{story.one(_NOW)} {story.main()}"]


def _late_false_aside(story: _Story) -> list[str]:
    aside = f"{story.one(_ELSEWHERE)} what began as a story about how {story.aside()}"
    return [story.main(), *story.facts(0, 1), f"{aside} turned out to be about how {story.aside()}"]


def _unlike_now(story: _Story) -> list[str]:
    opening = f"{story.one(_BEFORE)} {story.aside()}"
    return [opening, *story.facts(0, 1), f"{story.one(_NOW)} {story.unlike()}"]


_CONSTRUCTIONS = (
    (_plain, 40),
    (_lead, 16),
    (_timed, 12),
    (_biography, 10),
    (_unlike, 8),
    (_aside_first, 12),
    (_aside_last, 8),
    (_false_report, 14),
    (_old_news, 9),
    (_metaphor, 12),
    (_turned_out, 8),
)
_NESTED_CONSTRUCTIONS = (
    (_lead_timed, 1),
    (_timed_biography, 1),
    (_false_timed, 1),
    (_two_false_reports, 1),
    (_false_aside, 1),
    (_late_false_aside, 1),
    (_unlike_now, 1),
)


def _compose(choices: Choices, label: int, nested: bool) -> str:
    construction = choices.weighted(_NESTED_CONSTRUCTIONS if nested else _CONSTRUCTIONS)
    return join(construction(_Story(choices, label)))


def generate(split: str) -> tuple[list[str], list[int]]:
    """The texts and labels of a split: train, validation, test or compositional."""
    return build_split(split, _SEED, len(LABELS), _MINIMUM_WORDS, _compose)
