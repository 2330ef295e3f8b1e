"""The nouns and adjectives of the English-German corpus, with their German forms."""

from __future__ import annotations

from typing import NamedTuple

NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE = range(4)
MASCULINE, FEMININE, NEUTER, PLURAL = range(4)


class Noun(NamedTuple):
    """A noun: its English singular and plural, its gender, and its German forms by case."""

    english: tuple[str, str]
    gender: int
    singular: tuple[str, str, str, str]
    plural: tuple[str, ...]  # empty where the corpus does not use it


def _noun(
    english: str, gender: int, german: str, genitive: str = "", plural: str = "", english_plural: str = ""
) -> Noun:
    genitive = genitive or german
    weak = gender == MASCULINE and not genitive.endswith("s")  # der Junge, den Jungen
    oblique = genitive if weak else german
    dative_plural = plural if plural.endswith(("n", "s")) else plural + "n"
    plurals = (plural, plural, dative_plural, plural) if plural else ()
    return Noun((english, english_plural or english + "s"), gender, (german, oblique, oblique, genitive), plurals)


MEN = (
    _noun("man", MASCULINE, "Mann", "Mannes", "Männer", "men"),
    _noun("doctor", MASCULINE, "Arzt", "Arztes"),
    _noun("teacher", MASCULINE, "Lehrer", "Lehrers"),
    _noun("friend", MASCULINE, "Freund", "Freundes", "Freunde"),
    _noun("neighbour", MASCULINE, "Nachbar", "Nachbarn", "Nachbarn"),
    _noun("actor", MASCULINE, "Schauspieler", "Schauspielers"),
    _noun("guest", MASCULINE, "Gast", "Gastes", "Gäste"),
    _noun("farmer", MASCULINE, "Bauer", "Bauern", "Bauern"),
    _noun("butcher", MASCULINE, "Metzger", "Metzgers"),
    _noun("carpenter", MASCULINE, "Tischler", "Tischlers"),
    _noun("policeman", MASCULINE, "Polizist", "Polizisten", "Polizisten", "policemen"),
)
WOMEN = (
    _noun("woman", FEMININE, "Frau", plural="Frauen", english_plural="women"),
    _noun("nurse", FEMININE, "Krankenschwester"),
    _noun("queen", FEMININE, "Königin"),
    _noun("waitress", FEMININE, "Kellnerin"),
    _noun("actress", FEMININE, "Schauspielerin"),
)
CHILDREN = (
    _noun("boy", MASCULINE, "Junge", "Jungen", "Jungen"),
    _noun("child", NEUTER, "Kind", "Kindes", "Kinder", "children"),
    _noun("girl", NEUTER, "Mädchen", "Mädchens", "Mädchen"),
)
KIN = (
    _noun("brother", MASCULINE, "Bruder", "Bruders"),
    _noun("uncle", MASCULINE, "Onkel", "Onkels"),
    _noun("grandfather", MASCULINE, "Großvater", "Großvaters"),
    _noun("sister", FEMININE, "Schwester"),
    _noun("mother", FEMININE, "Mutter"),
    _noun("grandmother", FEMININE, "Großmutter"),
)
PEOPLE = MEN + WOMEN + CHILDREN

_BOOK = _noun("book", NEUTER, "Buch", "Buches", "Bücher")
_LETTER = _noun("letter", MASCULINE, "Brief", "Briefes", "Briefe")
_STORY = _noun("story", FEMININE, "Geschichte", plural="Geschichten", english_plural="stories")
_NEWSPAPER = _noun("newspaper", FEMININE, "Zeitung")
_MACHINES = (
    _noun("car", NEUTER, "Auto", "Autos"),
    _noun("bicycle", NEUTER, "Fahrrad", "Fahrrads"),
    _noun("boat", NEUTER, "Boot", "Bootes"),
    _noun("computer", MASCULINE, "Computer", "Computers"),
    _noun("phone", NEUTER, "Telefon", "Telefons"),
    _noun("lamp", FEMININE, "Lampe", plural="Lampen"),
)
_FURNITURE = (
    _noun("sofa", NEUTER, "Sofa", "Sofas"),
    _noun("kitchen table", MASCULINE, "Küchentisch", "Küchentischs"),
)
_ENTRANCES = (
    _noun("front door", FEMININE, "Haustür"),
    _noun("garden gate", NEUTER, "Gartentor", "Gartentors"),
)
_SMALL_THINGS = (
    _noun("picture", NEUTER, "Bild", "Bildes", "Bilder"),
    _noun("photo", NEUTER, "Foto", "Fotos", "Fotos"),
    _noun("present", NEUTER, "Geschenk", "Geschenks", "Geschenke"),
    _noun("ticket", FEMININE, "Fahrkarte", plural="Fahrkarten"),
    _noun("bag", FEMININE, "Tasche", plural="Taschen"),
    _noun("coat", MASCULINE, "Mantel", "Mantels"),
    _noun("dress", NEUTER, "Kleid", "Kleides", "Kleider", "dresses"),
    _noun("city map", MASCULINE, "Stadtplan", "Stadtplans"),
    _noun("coffee cup", FEMININE, "Kaffeetasse", plural="Kaffeetassen"),
    _noun("birthday cake", MASCULINE, "Geburtstagskuchen", "Geburtstagskuchens"),
)
_ANIMALS = (
    _noun("horse", NEUTER, "Pferd", "Pferdes", "Pferde"),
    _noun("dog", MASCULINE, "Hund", "Hundes", "Hunde"),
    _noun("cat", FEMININE, "Katze", plural="Katzen"),
)
_HOMES = (_noun("house", NEUTER, "Haus", "Hauses"), _noun("flat", FEMININE, "Wohnung"))
GOODS = (_BOOK, *_MACHINES, *_FURNITURE, *_SMALL_THINGS, *_ANIMALS, *_HOMES)
FINDABLE = (_BOOK, _LETTER, *_SMALL_THINGS, *_ANIMALS)
REPAIRABLE = (*_MACHINES, *_FURNITURE, *_ENTRANCES)
READABLE = (_BOOK, _LETTER, _STORY, _NEWSPAPER)
WRITABLE = (_BOOK, _LETTER, _STORY)
PORTABLE = (*_FURNITURE, *_SMALL_THINGS)
TEXTS = (_LETTER, _STORY, _NEWSPAPER)
GIFTS = (_BOOK, _LETTER, _NEWSPAPER, *_SMALL_THINGS)

_INSIDE = (
    _noun("garden", MASCULINE, "Garten", "Gartens"),
    _noun("kitchen", FEMININE, "Küche"),
    _noun("train", MASCULINE, "Zug", "Zuges"),
)
GOALS = (
    _noun("shop", MASCULINE, "Laden", "Ladens"),
    _noun("restaurant", NEUTER, "Restaurant", "Restaurants"),
    _noun("hospital", NEUTER, "Krankenhaus", "Krankenhauses"),
    _noun("school", FEMININE, "Schule"),
    _noun("forest", MASCULINE, "Wald", "Waldes"),
    _noun("village", NEUTER, "Dorf", "Dorfes"),
    _noun("city", FEMININE, "Stadt"),
)
_ATTIC, _STREET = _noun("attic", MASCULINE, "Dachboden", "Dachbodens"), _noun("street", FEMININE, "Straße")
PLACES = (*_INSIDE, *_HOMES, *GOALS, _ATTIC, _STREET)
PREPOSITIONS = {**dict.fromkeys(PLACES, ("in", "in")), _ATTIC: ("in", "auf"), _STREET: ("on", "auf")}
TASKS = (_noun("work", FEMININE, "Arbeit"), _noun("journey", FEMININE, "Reise"))
EVENTS = (
    _noun("rain", MASCULINE, "Regen", "Regens"),
    _noun("storm", MASCULINE, "Sturm", "Sturms"),
    _noun("thunderstorm", NEUTER, "Gewitter", "Gewitters"),
    _noun("noise", MASCULINE, "Lärm", "Lärms"),
    _noun("illness", FEMININE, "Krankheit"),
)
CAUSES = (("because of", "wegen"), ("despite", "trotz"), ("during", "während"))
NAMES = (("Anna", FEMININE), ("Maria", FEMININE), ("Peter", MASCULINE), ("Karl", MASCULINE))
NUMBERS = (("two", "zwei"), ("three", "drei"), ("four", "vier"), ("five", "fünf"), ("eight", "acht"), ("ten", "zehn"))


class Adjective(NamedTuple):
    """An adjective: English, German as a predicate, German before an ending."""

    english: str
    predicate: str
    stem: str


_OLD, _SMALL, _BEAUTIFUL = (Adjective(e, g, g) for e, g in (("old", "alt"), ("small", "klein"), ("beautiful", "schön")))
_NEW, _LARGE = (Adjective(english, german, german) for english, german in (("new", "neu"), ("large", "groß")))
_YOUNG, _SICK = (Adjective(english, german, german) for english, german in (("young", "jung"), ("sick", "krank")))
_FAMOUS = Adjective("famous", "berühmt", "berühmt")
_TIRED = Adjective("tired", "müde", "müd")
_EXPENSIVE = Adjective("expensive", "teuer", "teur")
OF_CHILDREN = (_SMALL, _SICK, _TIRED, _FAMOUS)
OF_TEXTS = (_OLD, _NEW, _BEAUTIFUL)
OF_PEOPLE = (_OLD, _YOUNG, _SICK, _TIRED, _FAMOUS)
OF_THINGS = (_OLD, _NEW, _SMALL, _LARGE, _BEAUTIFUL, _EXPENSIVE)
OF_PLACES = (_OLD, _SMALL, _LARGE, _BEAUTIFUL)
STATES = (_SICK, _TIRED, Adjective("sad", "traurig", "traurig"))
QUALITIES = (_NEW, _BEAUTIFUL, _EXPENSIVE)
