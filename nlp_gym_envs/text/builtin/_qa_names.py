"""The invented people, places and things of the passages, and how a value of each kind is drawn."""

from __future__ import annotations

from collections.abc import Callable

from nlp_gym_envs.text.builtin._grammar import Choices

# No name ends in s, so that every possessive is formed with 's.
WOMEN = (
    "Ada Alma Anna Berta Carla Clara Dora Edith Ella Emma Eva Flora Greta Hanna Helen Hilda Ida Irma Jane Julia "
    "Karla Laura Lena Lily Lucy Martha Mary Mina Nina Nora Olga Paula Rosa Ruth Sara Stella Tilda Vera Wilma Zoe"
).split()
MEN = (
    "Adam Albert Anton Arthur Basil Bruno Carl Daniel David Edgar Emil Felix Frank Fred Georg Gustav Harold Hugo "
    "Ivan Jacob John Karl Konrad Leo Martin Max Milo Oscar Otto Paul Peter Ralph Robert Simon Stephan Theo Tom "
    "Victor Walter Willem"
).split()
SURNAMES = (
    "Abbott Adler Baker Barlow Beck Berger Bishop Boyd Brandt Carter Castle Conrad Cooper Dalton Dexter Drake "
    "Ebert Farrell Fisher Forster Foster Fuller Garner Gibson Graham Hale Harper Hartman Heller Hoffman Hunter "
    "Jordan Keller Kramer Lambert Larkin Lindner Marsh Mercer Miller Moreno Newton Norton Palmer Parker Porter "
    "Quint Ritter Roland Sadler Sander Shaw Stone Tanner Turner Vogel Wagner Walker Weber Winter"
).split()
TOWNS = (
    "Alderton Amberg Ashby Barwick Belford Blackpoint Brenton Calder Carnow Coldwell Cranfield Dunmore Eastmere "
    "Eldham Fairhaven Farnley Glenport Goldbach Granby Harlow Heathfield Highmoor Ilford Kelby Kingsmere Larkhill "
    "Linden Lowmarsh Maybridge Melrose Millbrook Norham Oakley Overton Penrith Quarry Ravenhill Redcliff Rosendale "
    "Saltby Seaford Silverton Stonebeck Thornby Upwell Westgate Whitmore Winterton Wolden Yarrow"
).split()
EMBLEMS = (
    "Acorn Anchor Beacon Bluebell Cedar Compass Copper Crescent Crown Eagle Falcon Garden Granite Harbour Heron "
    "Ivory Juniper Lantern Laurel Lighthouse Lily Maple Meadow Mercury Mirror Orchard Phoenix Pioneer Poplar "
    "River Royal Saffron Spring Sunrise Swan Temple Tulip Valley Vulcan Willow"
).split()
HOUSES = "Academy Bakery Cinema Clinic Gallery Hotel Library Mill Museum School Theatre Workshop".split()
STRUCTURES = "Bridge Canal Hall Pier Tower Tunnel Viaduct Wall".split()
QUALITIES = (
    "amber antique brass broken bronze carved copper cracked crystal folding gilded heavy iron ivory leather marble "
    "oak painted paper pewter rusty silver tiny velvet woven"
).split()
ITEMS = (
    "basket bell bottle bowl box bracelet brooch candlestick chair chess set clock coat compass cup drum fiddle "
    "flute globe hammer hat helmet jug kettle key knife lamp letter lock map mask medal mirror necklace notebook "
    "parcel pipe ring saddle spoon statue suitcase sword telescope tray trumpet umbrella vase watch whistle"
)
PAINTABLE = "barrel barn bench bicycle boat cart cottage fence gate hut kite ladder mailbox sledge shed van".split()
LOOKS = "big crooked little long low narrow new old round small square tall wide".split()
SHADES = "bright dark light pale".split()
COLOURS = "blue brown green grey orange pink purple red yellow".split()
JOBS = (
    "a baker,a barber,a beekeeper,a bookbinder,a butcher,a carpenter,a clerk,a cook,a dentist,a diver,a driver,"
    "a farmer,a florist,a gardener,a glazier,a goldsmith,a guide,a jeweller,a lawyer,a librarian,a locksmith,a mason,"
    "a midwife,a miner,a nurse,a painter,a pilot,a plumber,a potter,a printer,a roofer,a sailor,a singer,a surgeon,"
    "a surveyor,a tailor,a tinsmith,a translator,a waiter,a weaver"
).split(",")
CAUSES = (
    "a broken boiler,a burst pipe,a chimney fire,a collapsed roof,a fallen tree,a gas leak,a flood,a hailstorm,"
    "a landslide,a lost key,a missing permit,a plague of mice,a power cut,a royal visit,a swarm of wasps,"
    "a train strike,a water shortage,heavy snow,high winds,rotten floorboards,sharp frost,unpaid bills"
).split(",")
VEHICLES = "balloon bicycle boat bus carriage coach ferry motorcycle sledge steamer taxi train tram truck".split()
SKILLS = (
    "algebra,archery,botany,calligraphy,carving,chess,cookery,dancing,drawing,embroidery,fencing,geometry,Greek,"
    "juggling,knitting,Latin,pottery,rowing,sailing,Spanish,surgery,swimming,wrestling,yodelling"
).split(",")
PREPOSITIONS = "behind,beside,in,near,under".split(",")
SPOTS = (
    "the attic,the barn,the beehive,the bookcase,the cellar,the chapel,the chimney,the coal shed,the fountain,"
    "the garage,the greenhouse,the haystack,the kitchen stove,the old oak,the orchard,the pantry,the piano,"
    "the stable,the stone wall,the town hall,the wardrobe,the well,the woodpile"
).split(",")
SEASONS = "April August autumn harbour harvest lakeside May midsummer mountain spring summer village winter".split()
CONTESTS = "archery cup,boat race,chess cup,cooking contest,horse race,poetry prize,quiz,ski race,song contest".split(
    ","
)
EVENTS = "ball,book fair,concert,fair,lecture,market,meeting,parade,play,regatta".split(",")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
THINGS = (
    "beds,bells,books,carpets,chairs,clocks,coins,costumes,curtains,drawings,flags,globes,lamps,letters,maps,"
    "mirrors,paintings,photographs,pianos,statues,stoves,tables,vases,windows"
).split(",")

_ITEMS = [item.replace("chess_set", "chess set") for item in ITEMS.replace("chess set", "chess_set").split()]
_WOMEN = frozenset(WOMEN)


def pronoun(kind: str, name: str) -> str:
    """The pronoun of a subject: she or he for people, it for everything else."""
    if kind != "person":
        return "it"
    return "she" if name.split(" ")[0] in _WOMEN else "he"


def first_name(choices: Choices) -> str:
    """A first name, as often a woman's as a man's."""
    return choices.pick(WOMEN if choices.chance(0.5) else MEN)


def _day(choices: Choices) -> str:
    style = choices.below(3)
    if style == 0:
        return choices.pick(DAYS)
    return f"{choices.pick(MONTHS)} {choices.between(1, 28)}"


def _number(choices: Choices) -> str:
    if choices.chance(0.7):
        return str(choices.between(12, 990))
    return f"{choices.between(1, 9)},{choices.between(100, 999)}"


# "person" is not here: how people are called depends on the passage.
DRAW: dict[str, Callable[[Choices], str]] = {
    "town": lambda choices: choices.pick(TOWNS),
    "place": lambda choices: f"the {choices.pick(EMBLEMS)} {choices.pick(HOUSES)}",
    "structure": lambda choices: f"the {choices.pick(EMBLEMS)} {choices.pick(STRUCTURES)}",
    "object": lambda choices: f"the {choices.pick(QUALITIES)} {choices.pick(_ITEMS)}",
    "painted": lambda choices: f"the {choices.pick(LOOKS)} {choices.pick(PAINTABLE)}",
    "colour": lambda choices: (
        f"{choices.pick(SHADES)} {choices.pick(COLOURS)}" if choices.chance(0.5) else choices.pick(COLOURS)
    ),
    "job": lambda choices: choices.pick(JOBS),
    "cause": lambda choices: choices.pick(CAUSES),
    "vehicle": lambda choices: choices.pick(VEHICLES),
    "skill": lambda choices: choices.pick(SKILLS),
    "spot": lambda choices: f"{choices.pick(PREPOSITIONS)} {choices.pick(SPOTS)}",
    "contest": lambda choices: f"the {choices.pick(SEASONS)} {choices.pick(CONTESTS)}",
    "event": lambda choices: f"the {choices.pick(SEASONS)} {choices.pick(EVENTS)}",
    "day": _day,
    "year": lambda choices: str(choices.between(1750, 2020)),
    "number": _number,
    "things": lambda choices: choices.pick(THINGS),
    "price": lambda choices: f"{choices.between(3, 480)} crowns",
    "metres": lambda choices: f"{choices.between(4, 640)} metres",
}
