"""The words and phrases of the invented news texts; topics stand in the order of the labels."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """The events of one topic: groups with their deeds, deeds of single people, and figures of speech."""

    groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    deeds: tuple[str, ...]
    metaphors: tuple[str, ...]


WORLD = Topic(
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
SPORTS = Topic(
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
BUSINESS = Topic(
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
SCIENCE = Topic(
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
TOPICS = (WORLD, SPORTS, BUSINESS, SCIENCE)
PEOPLE = (
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
TABLES = {
    "country": ("Estmark", "Valdoria", "Lower Kesh", "Orland", "Sarvia", "Kelland"),
    "city": ("Tamberg", "Karsund", "Norvale", "Port Elsin", "Mirren", "Ostwick"),
    "month": ("January", "March", "April", "June", "July", "September", "October", "November"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "few": ("two", "three", "four", "five", "six", "seven", "eight"),
    "hour": ("six", "seven", "eight", "nine", "ten"),
}
FACTS = (
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
SETTINGS = (
    "it is {day} in {city}",
    "the shops were still shut in {city}",
    "news has reached {city} from {country}",
    "this comes from our office in {city}",
    "it has been a quiet {day} in {country}",
    "the telephone rang at {hour} this morning",
    "it is {hour} in the morning in {country}",
)
LEAD = ("lead story:", "top story today:", "the main news first:", "our front page:")
BEFORE = (
    "before our main story, a short note:",
    "an aside first:",
    "first, a word from our other pages:",
    "on a side note to begin with,",
)
NOW = ("now to our main story:", "the main story today:", "now the news that matters:", "to the story itself:")
ELSEWHERE = (
    "in unrelated news,",
    "elsewhere in this issue,",
    "readers of our other pages will learn that",
    "on a different page,",
)
TIMES = ("hours after", "a week after", "on the day after", "months after", "shortly before", "days before")
FIRST_SAID = (
    "first reports said that",
    "early rumours had it that",
    "it was first believed that",
    "the first version was that",
)
WRONG = ("that was wrong:", "none of it was true:", "that proved false:", "this turned out to be a mistake:")
OLD_NEWS = ("that was last week;", "that is old news;", "so much for {month};", "that story is closed;")
TODAY = ("this time", "today", "the news now is that")
BIOGRAPHY = ("who once", "who years ago", "who in {month}", "who last year")
