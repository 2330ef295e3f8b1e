"""Short invented news texts, labelled by the topic of their main event.

The four topics share most of their people, places and figures of speech. The label follows from the main event, that
is from who does what in the clause that carries the story; events that serve as background, comparison, biography,
mistaken report or digression do not count, however many there are. Openings such as "Before our main story," announce
that something else comes first; openings such as "Lead story:" announce that the story follows at once. The grammar
can write well over 10^12 distinct texts. The compositional split nests the constructions in ways that the other
splits never do.
"""

from __future__ import annotations

from nlp_gym_envs.text.builtin import _topic_phrases as phrases
from nlp_gym_envs.text.builtin._grammar import Choices, build_split, join

__all__ = ["LABELS", "generate"]

LABELS: tuple[str, ...] = ("world", "sports", "business", "science")

_SEED = 52_301
_MINIMUM_WORDS = 10


class _Story:
    """The phrases of one news text, which takes each topic's events and the neutral facts at most once."""

    def __init__(self, choices: Choices, topic: int) -> None:
        self.choices = choices
        self.topic = topic
        others = [other for other in range(len(phrases.TOPICS)) if other != topic]
        self._others = [others[place] for place in choices.shuffled(len(others))]
        self._facts = list(phrases.FACTS)
        self._people = list(phrases.PEOPLE)

    def fill(self, template: str) -> str:
        return self.choices.fill(template, phrases.TABLES)

    def one(self, options: tuple[str, ...]) -> str:
        return self.fill(self.choices.pick(options))

    def other(self) -> int:
        return self._others.pop()

    def facts(self, low: int, high: int) -> list[str]:
        count = self.choices.between(low, high)
        return [self.fill(self._facts.pop(self.choices.below(len(self._facts)))) for _ in range(count)]

    def setting(self) -> list[str]:
        return [self.one(phrases.SETTINGS)] if self.choices.chance(0.5) else []

    def person(self) -> str:
        return self.fill(self._people.pop(self.choices.below(len(self._people))))

    def deed(self, topic: int) -> str:
        return self.one(phrases.TOPICS[topic].deeds)

    def event(self, topic: int) -> str:
        if self.choices.chance(0.5):
            return f"{self.person()} {self.deed(topic)}"
        names, deeds = self.choices.pick(phrases.TOPICS[topic].groups)
        return f"{self.one(names)} {self.one(deeds)}"

    def main(self) -> str:
        return self.event(self.topic)

    def aside(self) -> str:
        return self.event(self.other())

    def timed(self) -> str:
        return f"{self.one(phrases.TIMES)} {self.aside()}"

    def biography(self) -> str:
        return f"{self.person()}, {self.one(phrases.BIOGRAPHY)} {self.deed(self.other())}, {self.deed(self.topic)}"

    def unlike(self) -> str:
        model = f"{self.person()} who {self.deed(self.other())}"
        if self.choices.chance(0.5):
            return f"unlike {model}, {self.person()} {self.deed(self.topic)}"
        return f"{self.person()} {self.deed(self.topic)}, unlike {model}"


def _plain(story: _Story) -> list[str]:
    return [*story.setting(), story.main(), *story.facts(1, 2)]


def _lead(story: _Story) -> list[str]:
    opening = f"{story.one(phrases.LEAD)} {story.main()}"
    return [opening, *story.facts(0, 2), f"{story.one(phrases.ELSEWHERE)} {story.aside()}", *story.facts(0, 1)]


def _timed(story: _Story) -> list[str]:
    if story.choices.chance(0.5):
        return [*story.setting(), f"{story.timed()}, {story.main()}", *story.facts(0, 2)]
    return [*story.setting(), f"{story.main()} {story.timed()}", *story.facts(0, 2)]


def _biography(story: _Story) -> list[str]:
    return [*story.setting(), story.biography(), *story.facts(0, 2)]


def _unlike(story: _Story) -> list[str]:
    return [*story.setting(), story.unlike(), *story.facts(0, 2)]


def _aside_first(story: _Story) -> list[str]:
    opening = f"{story.one(phrases.BEFORE)} {story.aside()}"
    return [opening, *story.facts(0, 2), f"{story.one(phrases.NOW)} {story.main()}", *story.facts(0, 1)]


def _aside_last(story: _Story) -> list[str]:
    return [story.main(), *story.facts(0, 2), f"{story.one(phrases.ELSEWHERE)} {story.aside()}", *story.facts(0, 1)]


def _false_report(story: _Story) -> list[str]:
    opening = f"{story.one(phrases.FIRST_SAID)} {story.aside()}"
    return [opening, *story.facts(0, 2), f"{story.one(phrases.WRONG)} {story.main()}", *story.facts(0, 1)]


def _old_news(story: _Story) -> list[str]:
    turn = f"{story.one(phrases.OLD_NEWS)} {story.one(phrases.TODAY)} {story.main()}"
    return [*story.setting(), story.aside(), *story.facts(0, 1), turn, *story.facts(0, 1)]


def _metaphor(story: _Story) -> list[str]:
    image = story.one(phrases.TOPICS[story.other()].metaphors)
    event = f"{image}, {story.main()}" if story.choices.chance(0.5) else f"{story.main()}, {image}"
    return [*story.setting(), event, *story.facts(1, 2)]


def _turned_out(story: _Story) -> list[str]:
    began = f"what began as a story about how {story.aside()} turned out to be about how {story.main()}"
    return [began, *story.facts(0, 2)]


def _lead_timed(story: _Story) -> list[str]:
    opening = f"{story.one(phrases.LEAD)} {story.timed()}, {story.main()}"
    return [opening, *story.facts(0, 1), f"{story.one(phrases.ELSEWHERE)} {story.aside()}"]


def _timed_biography(story: _Story) -> list[str]:
    return [f"{story.timed()}, {story.biography()}", *story.facts(0, 1)]


def _false_timed(story: _Story) -> list[str]:
    opening = f"{story.one(phrases.FIRST_SAID)} {story.timed()}, {story.aside()}"
    return [opening, f"{story.one(phrases.WRONG)} {story.main()}", *story.facts(0, 1)]


def _two_false_reports(story: _Story) -> list[str]:
    first = f"{story.one(phrases.FIRST_SAID)} {story.aside()}"
    second = f"{story.one(phrases.WRONG[:2])} later reports said that {story.aside()}"
    return [first, second, f"{story.one(phrases.WRONG[2:])} {story.main()}"]


def _false_aside(story: _Story) -> list[str]:
    first = f"{story.one(phrases.BEFORE[:3])} {story.one(phrases.FIRST_SAID)} {story.aside()}"
    return [first, f"{story.one(phrases.WRONG)} {story.aside()}", f"{story.one(phrases.NOW)} {story.main()}"]


def _late_false_aside(story: _Story) -> list[str]:
    aside = f"{story.one(phrases.ELSEWHERE)} what began as a story about how {story.aside()}"
    return [story.main(), *story.facts(0, 1), f"{aside} turned out to be about how {story.aside()}"]


def _unlike_now(story: _Story) -> list[str]:
    opening = f"{story.one(phrases.BEFORE)} {story.aside()}"
    return [opening, *story.facts(0, 1), f"{story.one(phrases.NOW)} {story.unlike()}"]


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
