"""The verbs and idioms of the English-German corpus, and which nouns they go with."""

from __future__ import annotations

from typing import NamedTuple

from nlp_gym_envs.text.builtin import _translation_nouns as nouns

FIRST, THIRD, MANY = range(3)  # the persons in use: I; he, she or it; we or they


class EnglishVerb(NamedTuple):
    """An English verb; present and past by person, and no progressive where the corpus does not use one."""

    base: str
    present: tuple[str, str, str]
    progressive: str
    past: tuple[str, str, str]
    participle: str


class GermanVerb(NamedTuple):
    """A German verb; present by person without its separable prefix, and a past by person where it has no perfect."""

    present: tuple[str, str, str]
    prefix: str
    infinitive: str
    participle: str
    moves: bool  # whether the perfect is formed with sein
    past: tuple[str, str, str] | None = None


def _english(forms: str, particle: str = "") -> EnglishVerb:
    base, third, progressive, past, participle = (f"{form} {particle}".strip() for form in forms.split())
    return EnglishVerb(base, (base, third, base), progressive, (past, past, past), participle)


def _german(forms: str, prefix: str = "", moves: bool = False) -> GermanVerb:
    infinitive, third, participle = forms.split()
    present = ("", third, infinitive)  # "ich" never stands before a full verb in the present
    return GermanVerb(present, prefix, prefix + infinitive, prefix + participle, moves)


BE = EnglishVerb("be", ("am", "is", "are"), "", ("was", "was", "were"), "been")
HAVE = _english("have has having had had")._replace(progressive="")
SEIN = GermanVerb(("bin", "ist", "sind"), "", "sein", "gewesen", True, ("war", "war", "waren"))
HABEN = GermanVerb(("habe", "hat", "haben"), "", "haben", "gehabt", False, ("hatte", "hatte", "hatten"))


class Predicate(NamedTuple):
    """What is said of a subject: the verbs, fixed words that go with them, and a literal German version of an idiom."""

    english: EnglishVerb
    german: GermanVerb
    rest: tuple[str, str] = ("", "")  # English, German
    literal: tuple[GermanVerb, str] | None = None


def _plain(english: str, german: str, particle: str = "", prefix: str = "", moves: bool = False) -> Predicate:
    return Predicate(_english(english, particle), _german(german, prefix, moves))


def _constant(english: str, german: str) -> Predicate:
    """A verb without the progressive."""
    predicate = _plain(english, german)
    return predicate._replace(english=predicate.english._replace(progressive=""))


_BUY = _plain("buy buys buying bought bought", "kaufen kauft gekauft")
_SELL = _plain("sell sells selling sold sold", "verkaufen verkauft verkauft")
_FIND = _constant("find finds finding found found", "finden findet gefunden")
_SEEK = _plain("look looks looking looked looked", "suchen sucht gesucht", "for")
_REPAIR = _plain("repair repairs repairing repaired repaired", "reparieren repariert repariert")
_READ = _plain("read reads reading read read", "lesen liest gelesen")
_WRITE = _plain("write writes writing wrote written", "schreiben schreibt geschrieben")
_CARRY = _plain("carry carries carrying carried carried", "tragen trägt getragen")
HANDLING = (  # with a thing in the accusative, one of those named
    (_BUY, nouns.GOODS),
    (_SELL, nouns.GOODS),
    (_FIND, nouns.FINDABLE),
    (_SEEK, nouns.FINDABLE),
    (_REPAIR, nouns.REPAIRABLE),
    (_READ, nouns.READABLE),
    (_WRITE, nouns.WRITABLE),
    (_CARRY, nouns.PORTABLE),
)
MEETING = (  # with a person in the accusative
    _plain("visit visits visiting visited visited", "besuchen besucht besucht"),
    _plain("call calls calling called called", "rufen ruft gerufen", prefix="an"),
    _plain("invite invites inviting invited invited", "laden lädt geladen", prefix="ein"),
    _plain("pick picks picking picked picked", "holen holt geholt", "up", "ab"),
)
HELPING = (  # with a person in the dative
    _plain("help helps helping helped helped", "helfen hilft geholfen"),
    _plain("thank thanks thanking thanked thanked", "danken dankt gedankt"),
)
GIVING = (  # with a person in the dative and a thing in the accusative
    _plain("give gives giving gave given", "geben gibt gegeben"),
    _plain("show shows showing showed shown", "zeigen zeigt gezeigt"),
    _plain("send sends sending sent sent", "schicken schickt geschickt"),
)
STAYING = (  # without an object, perhaps with a place
    _plain("work works working worked worked", "arbeiten arbeitet gearbeitet"),
    _plain("sleep sleeps sleeping slept slept", "schlafen schläft geschlafen"),
    _plain("wait waits waiting waited waited", "warten wartet gewartet"),
    _plain("arrive arrives arriving arrived arrived", "kommen kommt gekommen", prefix="an", moves=True),
)
MOVING = (  # without an object and without a place
    _plain("get gets getting got got", "stehen steht gestanden", "up", "auf", True),
    _plain("come comes coming came come", "kommen kommt gekommen", "back", "zurück", True),
)
DRIVING = _plain("drive drives driving drove driven", "fahren fährt gefahren", moves=True)
NO_TIME = Predicate(HAVE, HABEN, ("no time", "keine Zeit"))
FEELINGS = (  # German has what English is
    Predicate(BE, HABEN, ("hungry", "Hunger")),
    Predicate(BE, HABEN, ("afraid", "Angst")),
    Predicate(BE, HABEN, ("right", "recht")),
    NO_TIME,
)


def _being(adjective: nouns.Adjective) -> tuple[Predicate, Predicate]:
    english, german = adjective.english, adjective.predicate
    return Predicate(BE, SEIN, (english, german)), Predicate(BE, SEIN, (f"very {english}", f"sehr {german}"))


STATES = tuple(predicate for adjective in nouns.STATES for predicate in _being(adjective))
QUALITIES = tuple(predicate for adjective in nouns.QUALITIES for predicate in _being(adjective))


HOPE = _constant("hope hopes hoping hoped hoped", "hoffen hofft gehofft")
THINKING = (
    _constant("believe believes believing believed believed", "glauben glaubt geglaubt"),
    _constant("know knows knowing knew known", "wissen weiß gewusst"),
    HOPE,
)

_SPEAK = _german("reden redet geredet")
_STRIKE = _german("schlagen schlägt geschlagen")
_MAKE = _plain("make makes making made made", "machen macht gemacht")
_COST = _constant("cost costs costing cost cost", "kosten kostet gekostet")
IDIOMS = (
    Predicate(
        _english("spill spills spilling spilt spilt"),
        _german("verraten verrät verraten"),
        ("the beans", "das Geheimnis"),
        (_german("verschütten verschüttet verschüttet"), "die Bohnen"),
    ),
    Predicate(
        _english("beat beats beating beat beaten"),
        _SPEAK,
        ("around the bush", "um den heißen Brei"),
        (_STRIKE, "um den Busch"),
    ),
    Predicate(
        _english("talk talks talking talked talked"),
        _SPEAK,
        ("nineteen to the dozen", "wie ein Wasserfall"),
        (_SPEAK, "neunzehn zum Dutzend"),
    ),
    _BUY._replace(rest=("a pig in a poke", "die Katze im Sack"), literal=(_BUY.german, "ein Schwein in einem Sack")),
    _CARRY._replace(rest=("coals to Newcastle", "Eulen nach Athen"), literal=(_CARRY.german, "Kohlen nach Newcastle")),
    _MAKE._replace(
        rest=("a mountain out of a molehill", "aus einer Mücke einen Elefanten"),
        literal=(_MAKE.german, "aus einem Maulwurfshügel einen Berg"),
    ),
    Predicate(
        _english("kill kills killing killed killed"),
        _STRIKE,
        ("two birds with one stone", "zwei Fliegen mit einer Klappe"),
        (_german("töten tötet getötet"), "zwei Vögel mit einem Stein"),
    ),
    Predicate(
        _english("bark barks barking barked barked"),
        SEIN,
        ("up the wrong tree", "auf dem Holzweg"),
        (_german("bellen bellt gebellt", "an"), "den falschen Baum"),
    ),
    Predicate(BE, SEIN, ("under the weather", "angeschlagen"), (SEIN, "unter dem Wetter")),
    Predicate(BE, SEIN, ("on cloud nine", "im siebten Himmel"), (SEIN, "auf Wolke neun")),
)
PRICE_IDIOM = _COST._replace(
    rest=("an arm and a leg", "ein Vermögen"), literal=(_COST.german, "einen Arm und ein Bein")
)
TASK_IDIOM = Predicate(BE, SEIN, ("a piece of cake", "ein Kinderspiel"), (SEIN, "ein Stück Kuchen"))
RAIN_IDIOM = Predicate(
    _english("rain rains raining rained rained"),
    _german("regnen regnet geregnet"),
    ("cats and dogs", "in Strömen"),
    (_german("regnen regnet geregnet"), "Katzen und Hunde"),
)
