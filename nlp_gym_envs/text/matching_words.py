"""What can be told of an English word from its looks, what kind of answer a question asks for, and where sentences end.

The lists are short and hold no content words: function words and the names of months, days and small numbers. In other
languages the looks (capitals, digits) still tell something, and the rest says nothing.
"""

import functools
import re

import numpy as np

ARTICLES = "a an the"
AGENTS = "by from"
GOALS = "to for into towards"
PLACES = "in at on near under behind inside beside between around within above below outside since during until of"
NEGATIONS = "not no never neither nor without instead nobody nothing isn't wasn't didn't"
CAUSES = "because due since owing thanks"
CALENDAR = (
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday century centuries decade year years today spring summer autumn winter"
)
NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fifteen sixteen twenty thirty forty fifty "
    "hundred thousand million billion dozen half twice once"
)
OTHERS = (
    "and or but as with about after before over through than then so if while although though whereas when where who "
    "whom whose which what how why that this these those there here is are was were be been being am has have had do "
    "does did will would can could may might must shall should it its he she they them him his her hers their theirs i "
    "you we us our your my me also only very more most such some any all both each every other another own same too up "
    "down out off again just even 's 't 're 've 'll 'd"
)
FLAGS = ("capital", "digits", "year", "calendar", "number", "function", "article", "agent", "goal", "place", "negation",
         "cause", "first", "ends", "money")  # fmt: skip  # of each word; see `looks` and `Words`
FLAG = {name: at for at, name in enumerate(FLAGS)}
_LISTS = {"calendar": CALENDAR, "number": NUMBERS, "article": ARTICLES, "agent": AGENTS, "goal": GOALS,
          "place": PLACES, "negation": NEGATIONS, "cause": CAUSES}  # fmt: skip
_SETS = {name: frozenset(words.split()) for name, words in _LISTS.items()}
_FUNCTION = frozenset(
    word for name, words in _SETS.items() if name not in ("calendar", "number") for word in words
) | frozenset(OTHERS.split())

TYPES = ("person", "place", "time", "number", "cause", "manner", "thing")
_ASKED = (  # the first that is found tells the type
    ("person", r"\b(?:who|whom|whose)\b|\bwhat (?:person|man|woman|name of the (?:person|man|woman))\b"),
    ("number", r"\bhow (?:many|much|long|old|far|often|big|large|high|tall|deep|fast)\b"
               r"|\b(?:percentage|percent|price)\b|\bwhat (?:is|was) the (?:number|amount|population|price|size)\b"),
    ("time", r"\bwhen\b|\b(?:what|which|in what|in which) (?:\w+ )?"
             r"(?:year|date|day|month|century|decade|time|season)\b"),
    ("place", r"\bwhere\b|\b(?:what|which) (?:\w+ )?(?:country|city|town|state|place|region|river|continent|island)\b"),
    ("cause", r"\bwhy\b|\bwhat (?:made|caused|led)\b|\bfor what reason\b"),
    ("manner", r"\bhow\b|\bby what means\b"),
)  # fmt: skip
_ASKED_FOR = tuple((name, re.compile(pattern)) for name, pattern in _ASKED)

_AFTER = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_a-z])|(?<=[。！？])|\n+")  # an end of a sentence
_NO_END = re.compile(  # a full stop of these ends none: an initial, an abbreviation
    r"(?:\b[A-Z]|\b(?:Dr|Mr|Mrs|Ms|St|Prof|Gen|Col|Lt|Sgt|Rev|Hon|Jr|Sr|Vol|vs|etc|ca|cf|approx|e\.g|i\.e|U\.S))\.$"
)


@functools.lru_cache(maxsize=2**17)
def looks(word: str) -> np.ndarray:
    """The flags of a word that it shows by itself, (15,) bool; "first" and "ends" depend on where it stands."""
    lower, flags = word.lower().replace("’", "'"), np.zeros(len(FLAGS), bool)
    for name, words in _SETS.items():
        flags[FLAG[name]] = lower in words
    digits = any(sign.isdigit() for sign in word)
    flags[FLAG["capital"]] = word[:1].isupper()
    flags[FLAG["digits"]] = digits
    flags[FLAG["year"]] = digits and re.fullmatch(r"1\d\d\d|20\d\d|(?:1\d|20)\d0s", word) is not None
    flags[FLAG["function"]] = lower in _FUNCTION
    flags[FLAG["money"]] = digits and (word[0] in "$£€¥#" or word[-1] == "%")
    flags.flags.writeable = False
    return flags


@functools.lru_cache(maxsize=2**14)
def type_of(question: str) -> int:
    """Which of TYPES a question asks for."""
    lower = question.lower()
    found = (TYPES.index(name) for name, pattern in _ASKED_FOR if pattern.search(lower))
    return next(found, len(TYPES) - 1)


def suits(flags: np.ndarray, before: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """How well words look like what is asked for, (...,) in [0, 1].

    `flags` (..., 15) of the words, `before` (..., 15) of the words before them, `asked` (...,) a type for each.
    """

    def of(name: str, where: np.ndarray = flags) -> np.ndarray:
        return where[..., FLAG[name]].astype(np.float32)

    content = 1 - of("function")
    name = of("capital") * content * (1 - of("digits"))
    amount = np.maximum(of("digits"), of("number"))
    each = np.stack((
        name,
        np.maximum(name * (0.6 + 0.4 * of("place", before)), 0.4 * content * of("place", before)),
        np.maximum.reduce((of("year"), 0.9 * of("calendar"), 0.4 * of("digits"))),
        amount * (1 - 0.5 * of("year")),
        np.maximum(0.3 * content, of("cause", before)),
        np.maximum(0.4 * content, np.maximum(of("agent", before), of("goal", before))),
        content * (0.6 + 0.2 * name),
    ))  # fmt: skip  # (7, ...)
    return np.take_along_axis(each, asked[None], axis=0)[0]


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a text begins and ends, in characters; together they are the whole text."""
    cuts = [0]
    for found in _AFTER.finditer(text):
        if found.end() > cuts[-1] and not _NO_END.search(text[cuts[-1] : found.start() + 1]):
            cuts.append(found.end())
    cuts = [cut for cut in cuts if cut < len(text)] or [0]
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))
