"""The words and phrases of the invented reviews; pairs hold the negative side first, then the positive one."""

from __future__ import annotations

from typing import NamedTuple


class Domain(NamedTuple):
    """A kind of thing under review: its names, its parts, and the words and facts that fit it."""

    wholes: tuple[str, ...]
    aspects: tuple[str, ...]
    adjectives: tuple[tuple[str, ...], tuple[str, ...]]
    promiser: tuple[str, ...]
    facts: tuple[str, ...]


STRONG = (
    ("awful", "terrible", "dreadful", "horrible", "appalling", "atrocious"),
    ("superb", "excellent", "wonderful", "brilliant", "marvellous", "outstanding"),
)
MILD = (
    ("bad", "poor", "disappointing", "unpleasant", "annoying", "irritating"),
    ("good", "impressive", "pleasing", "pleasant", "likeable", "satisfying"),
)
NEGATIONS = (
    "not",
    "not at all",
    "hardly",
    "never once",
    "by no means",
    "anything but",
    "far from",
    "not really",
    "never, for one minute,",
    "in no way",
)
CLEAR_NEGATIONS = ("not", "anything but")
SAYING_SO = (
    ("{} let me down", "I disliked {}", "{} annoyed me", "I complained about {}"),
    ("{} won me over", "I enjoyed {}", "{} pleased me", "I loved {}"),
)
# Each phrase stands under the polarity that it has with its negation.
DENYING_SO = (
    ("{} never won me over", "I did not enjoy {}", "{} never once pleased me", "I did not like {}"),
    ("{} never let me down", "I did not dislike {}", "{} never once annoyed me", "I had no complaint about {}"),
)
WRONG_TO_CALL = ("it would be wrong to call", "nobody could call", "I would never call", "it is unfair to call")
WRONG_TO_SAY = (
    "it would be wrong to say that",
    "nobody could say that",
    "I would never say that",
    "it is unfair to say that",
)
EARLY = ("in short,", "verdict:", "to sum up,", "my verdict:", "to say the main thing first,")
ANNOUNCE = ("granted,", "admittedly,", "at first,", "on paper,", "true,", "to begin with,")
ALTHOUGH = ("although", "while", "even though")
TURN = ("still,", "even so,", "however,", "nevertheless,", "but")
SEEMING = ("at first,", "on paper,", "to begin with,")
CHANGED = ("in the end,", "after a while,", "with time,", "on second thoughts,")
FINAL = ("in the end,", "all in all,", "overall,", "on balance,")
OWN = ("for me,", "to my mind,", "in my own view,", "I myself thought that")
AGREE = ("I agree", "I think the same", "I feel the same way", "that is my view too")
DISAGREE = ("I disagree", "I think the opposite", "I feel quite the opposite", "that is not my view at all")
CAME_TRUE = ("and so it was", "and it was", "and that came true", "and I was proved right")
INSTEAD = ("in fact,", "as it turned out,", "it came as a surprise that")
PROMISED = (("made me fear", "made me dread"), ("promised", "made me hope for"))
WEAK = (("slightly", "a little", "a touch", "mildly"), ("fairly", "reasonably", "somewhat", "moderately"))
FORCEFUL = ("extremely", "really", "thoroughly", "exceptionally")
SPEAKERS = ("my brother", "my sister", "a colleague", "a friend", "one critic", "my neighbour", "my cousin")
SAID = ("{speaker} said that", "{speaker} insisted that", "according to {speaker},", "{speaker} swore that")
TABLES = {
    "speaker": SPEAKERS,
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "month": ("January", "March", "April", "June", "July", "September", "October", "November"),
    "city": ("Tamberg", "Karsund", "Norvale", "Port Elsin", "Mirren", "Ostwick"),
    "few": ("two", "three", "four", "five", "six"),
    "price": ("twenty", "thirty", "forty", "fifty", "sixty", "eighty", "ninety"),
    "hour": ("six", "seven", "eight", "nine", "ten"),
    "colour": ("red", "blue", "green", "grey"),
    "ordinal": ("first", "second", "third", "fourth"),
    "place": ("station", "harbour", "market", "bridge", "museum", "park"),
}
DOMAINS = (
    Domain(
        ("film", "thriller", "comedy", "drama"),
        ("plot", "acting", "soundtrack", "dialogue", "camera work", "ending"),
        (("tedious", "clumsy", "predictable"), ("gripping", "moving", "clever")),
        ("poster", "trailer"),
        (
            "the {whole} runs for {price} minutes",
            "we saw it in {city} on a {day}",
            "it opened in {month}",
            "the ticket cost {few} euros",
            "the screening began at {hour}",
            "we sat in the {ordinal} row",
            "it was shown at the cinema by the {place} in {city}",
            "the {whole} is in {few} parts",
        ),
    ),
    Domain(
        ("kettle", "lamp", "radio", "toaster", "printer"),
        ("casing", "switch", "cable", "design", "finish", "base"),
        (("flimsy", "unreliable", "clunky"), ("sturdy", "dependable", "practical")),
        ("label", "advert"),
        (
            "the {whole} arrived on a {day}",
            "it cost {price} euros in {month}",
            "I chose the one in {colour}",
            "the box weighs {few} kilos",
            "I ordered it from a shop in {city}",
            "it has stood on my desk since {month}",
            "the {whole} comes in {colour} or in white",
            "it was sold in the shop by the {place}",
        ),
    ),
    Domain(
        ("meal", "dinner", "lunch", "buffet"),
        ("soup", "bread", "dessert", "sauce", "salad", "fish"),
        (("bland", "greasy", "tasteless"), ("tasty", "delicious", "flavourful")),
        ("menu", "waiter"),
        (
            "we ate there on a {day} in {month}",
            "the bill came to {price} euros",
            "the table was booked for {hour}",
            "there were {few} of us at the table",
            "the place is near the {place} in {city}",
            "the kitchen closes at {hour}",
            "we sat on the {ordinal} floor",
            "the {whole} lasted until {hour}",
        ),
    ),
    Domain(
        ("hotel", "inn", "guest house", "hostel"),
        ("room", "bed", "bathroom", "lobby", "pool", "balcony"),
        (("grimy", "cramped", "shabby"), ("comfortable", "spotless", "stylish")),
        ("brochure", "website"),
        (
            "the {whole} stands near the {place} in {city}",
            "we stayed for {few} nights in {month}",
            "our key was for the {ordinal} floor",
            "each night cost {price} euros",
            "we arrived by train on a {day}",
            "breakfast starts at {hour}",
            "I booked it in {month} for {few} people",
            "the {whole} has {price} rooms",
        ),
    ),
)
