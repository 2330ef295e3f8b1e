"""A small world of invented things: their kinds, what can be said of them, and the laws that hold everywhere.

Wordings in one tuple mean the same. A law says that whatever has its cause has its effect.
"""

from __future__ import annotations

from typing import NamedTuple


class Attribute(NamedTuple):
    """What can be said of a thing: a verb, in several wordings, and its objects, in several wordings each."""

    verbs: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    question: str = ""  # asks for the value; empty where a value alone answers nothing


class Predicate(NamedTuple):
    """An attribute and the number of one of its values."""

    attribute: Attribute
    value: int

    def words(self, verb: int, wording: int) -> str:
        """The predicate in one of its wordings; numbers too large start again."""
        return f"{self.attribute.verbs[verb % len(self.attribute.verbs)]} {self.value_words(wording)}".strip()

    def value_words(self, wording: int) -> str:
        """The value alone."""
        values = self.attribute.values[self.value]
        return values[wording % len(values)]


class Kind(NamedTuple):
    """A kind of thing. `places` says where such things are; `laws` maps causes to the `effects` they have."""

    nouns: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    places: Attribute
    causes: Attribute
    effects: Attribute

    @property
    def laws(self) -> list[tuple[Predicate, Predicate]]:
        """Each cause with its effect."""
        return [(Predicate(self.causes, i), Predicate(self.effects, i)) for i in range(len(self.causes.values))]


def _pairs(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(wording.strip() for wording in pair.split("/")) for pair in text.split(","))


_TRUE_OF = "What is true of a {name}?"
_WORKED = _pairs(
    "rope/cord, bread/loaves, paper/sheets for writing, cloth/fabric, wood/timber, wire/thin metal thread,"
    "leather/animal hide, stone/rock, straw/dry stalks, fruit/apples and pears"
)
_ROOMS = _pairs(
    "the kitchen/the room for cooking, the cellar/the room below the house, the attic/the room under the roof,"
    "the barn/the building for hay, the garage/the building for cars, the library/the building for books,"
    "the stable/the building for horses, the greenhouse/the glass house for plants"
)
_PREY = _pairs(
    "insects/bugs, seeds/grains, leaves/green foliage, mice/small rodents, honey/the food of bees,"
    "eggs/what hens lay, fish/swimmers with gills, berries/small soft fruit, roots/plant parts below ground,"
    "frogs/croaking pond dwellers"
)
_FREIGHT = _pairs(
    "letters/mail, milk/what cows give, passengers/people on a journey, sand/tiny grains of rock,"
    "bricks/blocks of baked clay, logs/cut tree trunks, rubbish/what people throw away, bread/loaves,"
    "books/bound pages, wool/the hair of sheep"
)

_GRAZERS = _pairs(
    "cows/givers of milk, rabbits/hopping animals with long ears, snails/slow animals with shells,"
    "deer/antlered forest animals, sheep/givers of wool, parrots/talking birds"
)

TOOL = Kind(
    ("tool", "device"),
    (
        Attribute(("cuts", "slices through"), _WORKED, "What does a {name} cut?"),
        Attribute(("cleans", "takes the dirt off"), _WORKED, "What can you clean with a {name}?"),
        Attribute(("dries", "draws the water out of"), _WORKED, "What does a {name} dry?"),
        Attribute(("marks", "draws lines on"), _WORKED, "What can you mark with a {name}?"),
        Attribute(("joins", "fastens together pieces of"), _WORKED, "What does a {name} join?"),
        Attribute(("weighs", "tells the weight of"), _WORKED, "What can you weigh with a {name}?"),
    ),
    Attribute(("is kept in", "is stored in"), _ROOMS, "Where would you look for a {name}?"),
    Attribute(
        ("is made of", "consists of"),
        _pairs(
            "copper/the metal of electric cables, glass/the stuff of window panes, ice/frozen water,"
            "paper/pressed wood pulp, cork/the bark of an oak, iron/the metal of nails, rubber/the stuff of tyres,"
            "gold/the metal of wedding rings, wool/the hair of sheep, salt/the white seasoning"
        ),
        "What is a {name} made of?",
    ),
    Attribute(
        ("",),
        _pairs(
            "conducts electricity/lets a current through, can be seen through/does not hide what is behind it,"
            "melts in the sun/turns to water when warm, burns easily/catches fire at once,"
            "floats on water/does not sink in a pond, rusts when wet/turns brown and flaky in the rain,"
            "bounces off the floor/springs back when dropped, keeps its shine/stays bright for ever,"
            "keeps warmth in/stops heat from escaping, dissolves in water/disappears in a pot of soup"
        ),
        _TRUE_OF,
    ),
)
MACHINE = Kind(
    ("machine", "vehicle"),
    (
        Attribute(("carries", "transports"), _FREIGHT, "What does a {name} carry?"),
        Attribute(("lifts", "raises"), _FREIGHT, "What does a {name} lift?"),
        Attribute(("weighs", "tells the weight of"), _FREIGHT, "What can you weigh with a {name}?"),
        Attribute(("throws out", "gets rid of"), _FREIGHT, "What does a {name} throw out?"),
        Attribute(
            ("travels on", "moves along"),
            _pairs(
                "rails/train tracks, snow/frozen white ground, roads/paved streets, rivers/inland waters,"
                "beaches/sandy shores, ropes/cables in the air"
            ),
            "On what does a {name} travel?",
        ),
    ),
    Attribute(("is parked in", "spends the night in"), _ROOMS, "Where would you look for a {name}?"),
    Attribute(
        ("runs on", "gets its power from"),
        _pairs(
            "wind/moving air, sunlight/the rays of the sun, petrol/fuel made from oil, batteries/stored electricity,"
            "falling water/a waterfall, coal/black rock from mines, steam/boiling water,"
            "muscles/the strength of a person"
        ),
        "What does a {name} run on?",
    ),
    Attribute(
        ("",),
        _pairs(
            "stands still on calm days/does not move in quiet weather, rests at night/does nothing after dark,"
            "makes fumes/gives off bad air, must be charged/needs a socket from time to time,"
            "stops in hard frost/does nothing when streams freeze, leaves ash behind/makes grey dust as it burns,"
            "needs a kettle/cannot start before something is hot, makes its user tired/leaves its owner out of breath"
        ),
        _TRUE_OF,
    ),
)
ANIMAL = Kind(
    ("animal", "creature"),
    (
        Attribute(("eats", "feeds on"), _PREY, "What does a {name} eat?"),
        Attribute(("collects", "gathers"), _PREY, "What does a {name} collect?"),
        Attribute(("hides", "buries"), _PREY, "What does a {name} hide?"),
        Attribute(("is sick from", "gets ill after eating"), _PREY, "What makes a {name} sick?"),
        Attribute(
            ("is afraid of", "runs away from"),
            _pairs(
                "dogs/barking pets, hawks/birds of prey, snakes/legless reptiles, thunder/the noise of storms,"
                "fire/flames, foxes/red hunters with bushy tails"
            ),
            "What is a {name} afraid of?",
        ),
        Attribute(
            ("wakes up", "gets active"),
            _pairs(
                "at night/after dark, at dawn/when the sun rises, at noon/in the middle of the day, "
                "in spring/after winter,"
                "in autumn/before winter"
            ),
            "When does a {name} wake up?",
        ),
    ),
    Attribute(
        ("lives in", "makes its home in"),
        _pairs(
            "caves/hollows in the rock, rivers/inland waters, forests/woods, deserts/dry lands, marshes/wet ground,"
            "mountains/high peaks, hedges/rows of bushes, chimneys/outlets for smoke"
        ),
        "Where would you look for a {name}?",
    ),
    Attribute(
        ("has", "is born with"),
        _pairs(
            "webbed feet/skin between its toes, thick fur/a heavy coat of hair, large eyes/wide round pupils,"
            "sharp claws/pointed nails, long legs/tall thin limbs, a hard shell/a strong cover on its back,"
            "spotted skin/a pattern of dots, a strong beak/a powerful bill"
        ),
        "What does a {name} have?",
    ),
    Attribute(
        ("",),
        _pairs(
            "swims well/moves with ease through ponds, stays warm in snow/does not freeze in winter,"
            "sees in the dark/needs no lamp to find its way, climbs trees/gets up trunks with ease,"
            "runs fast/is quick at a gallop, is safe from teeth/survives every bite,"
            "goes unseen among leaves/is hard to find in a bush, cracks nuts/breaks walnuts open"
        ),
        _TRUE_OF,
    ),
)
PLANT = Kind(
    ("plant", "herb"),
    (
        Attribute(
            ("cures", "is a remedy for"),
            _pairs(
                "coughs/a noisy chest, burns/skin hurt by fire, fever/high body heat, headaches/pain above the eyes,"
                "toothache/pain in the mouth, bad sleep/nights spent awake"
            ),
            "What does a {name} cure?",
        ),
        Attribute(("feeds", "is eaten by"), _GRAZERS, "What animals does a {name} feed?"),
        Attribute(("drives away", "repels"), _GRAZERS, "What animals does a {name} drive away?"),
        Attribute(
            ("gives", "is turned into"),
            _pairs(
                "tea/a hot drink, rope/cord, soap/stuff for washing hands, ink/liquid for writing,"
                "flour/powder for bread,"
                "perfume/scented water, dye/colour for cloth, oil/fat for frying"
            ),
            "What do people get from a {name}?",
        ),
        Attribute(
            ("blooms in", "flowers in"),
            _pairs(
                "May/the month after April, winter/the coldest season, autumn/the season of falling leaves,"
                "summer/the warmest season, March/the month before April"
            ),
            "When does a {name} bloom?",
        ),
    ),
    Attribute(
        ("grows in", "thrives in"),
        _pairs(
            "sand/tiny grains of rock, shade/places without sun, marshes/wet ground, meadows/fields of grass,"
            "mountains/high peaks, ditches/channels beside roads, rivers/inland waters, forests/woods"
        ),
        "Where would you look for a {name}?",
    ),
    Attribute(
        ("has", "grows"),
        _pairs(
            "thick leaves/fleshy foliage, sharp thorns/pointed spikes, sweet nectar/sugary juice,"
            "deep roots/anchors far below ground, light seeds/offspring of no weight, bitter sap/liquid of nasty taste,"
            "white petals/pale blossoms, hollow stems/stalks with air inside"
        ),
        "What does a {name} have?",
    ),
    Attribute(
        ("",),
        _pairs(
            "survives drought/lives through months without rain, is avoided by goats/is safe from grazing animals,"
            "attracts bees/is visited by honey makers, stands firm in storms/cannot be blown over,"
            "spreads on the wind/sends its young through the air, is spared by beetles/suffers no harm from insects,"
            "is found by moths at night/can be seen after dark, floats on ponds/stays at the top of the water"
        ),
        _TRUE_OF,
    ),
)
KINDS = (TOOL, MACHINE, ANIMAL, PLANT)

_STARTS = "bli bra cri dra fe go hi ja ke lu mi no pe plo ra si to va wu ze".split()
_ENDS = "bbo cket dden ffle ggo llin mmer nnap ppik rrel tton vvel".split()
_REAL_WORDS = frozenset("bracket cricket hidden jacket midden racket raffle rammer simmer".split())
NAMES = tuple(start + end for start in _STARTS for end in _ENDS if start + end not in _REAL_WORDS)
