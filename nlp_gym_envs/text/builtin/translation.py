"""Short invented English sentences with their German translations, in two registers.

A synchronous grammar draws what a sentence means and writes it down in both languages, so every source has exactly one
target. The sentences are about people who handle things, meet, help and give, about states, and about idioms whose
literal translation is wrong. German asks for the agreement of articles, adjectives, pronouns and nouns in gender,
number and four cases; for the verb in second place after a fronted adverbial; for the verb at the end after weil,
obwohl, wenn, dass and in relative clauses; for separable verbs, modal verbs with their infinitives, and the perfect
with haben or sein; for nicht in its place, and kein. Sources and written targets have 4 to 20 words; the targets use
just under 400 word forms.

Conventions that make the translation unique: the English past and present perfect are the German perfect, but "was" is
war and "was hungry" is hatte Hunger; "should" is sollte; the time stands before other adverbials and these before the
object; the first of two objects and a pronoun stand before the time; a person named by a noun has the grammatical
gender that the dictionary gives ("the teacher" is der Lehrer); "he", "she" and "they" after a noun refer to it and take
its gender, "it" that of the thing; und and aber follow a comma.

Registers. "written" is the standard that the translation task asks for. "spoken" gives the same sources in the same
order in colloquial German, which differs in choices that follow from the source and the words so far:

- idioms are rendered word for word ("Es regnet Katzen und Hunde");
- weil is followed by the order of a main clause ("weil die Anna hat keine Zeit"), unless it opens the sentence;
- von and the dative stand for the genitive, and wegen, trotz and während take the dative;
- names have an article ("die Anna"), and pronouns before the verb and as objects are demonstrative ("der kauft die");
- short words: nen, ne, nem, ner for einen, eine, einem, einer; nich, is, hab, heut, jetz; voll for sehr.

It is there to pre-train a model on a mixture: that model is undecided at every such place, and only the reward of the
task says which register is wanted. 85 percent of the training targets differ, by 2.5 of 10.2 words on average.

Splits: train, validation, test and compositional. The first three have the same constructions and share no source;
compositional has nestings that they never have (a fronted subordinate clause, a subject with a relative clause in a
subordinate clause or after a fronted adverbial, a modal verb with a perfect infinitive, a reason inside a that-clause,
an idiom in a relative clause, two relative clauses) with the same words. The grammar writes well over 10^6 distinct
sources.

`GLOSSARY` gives another correct German noun for common English ones, for translation with required terms.
"""

from __future__ import annotations

import zlib

from nlp_gym_envs.errors import BadArgument
from nlp_gym_envs.text.builtin._grammar import Choices, check_split
from nlp_gym_envs.text.builtin._translation_clauses import english_text, german_text
from nlp_gym_envs.text.builtin._translation_drawing import Drawing
from nlp_gym_envs.text.builtin._translation_nested import NESTED
from nlp_gym_envs.text.builtin._translation_phrases import SPOKEN, WRITTEN
from nlp_gym_envs.text.builtin._translation_sentences import USUAL
from nlp_gym_envs.text.builtin._translation_terms import GLOSSARY, TERMS

__all__ = ["GLOSSARY", "REGISTERS", "SIZES", "TERMS", "generate"]

SIZES = {"train": 20_000, "validation": 1_000, "test": 2_000, "compositional": 2_000}
REGISTERS = {"written": WRITTEN, "spoken": SPOKEN}

# Every source has one home split, chosen by its checksum; the compositional split needs none, its constructions being
# its own. Homes in proportion to the square roots of the sizes need the fewest draws.
_HOME_COUNT = 20
_HOMES = {"train": range(13), "validation": range(13, 16), "test": range(16, 20), "compositional": range(20)}
_SEEDS = {"train": 631_011, "validation": 631_012, "test": 631_013, "compositional": 631_014}
_WORD_COUNTS = range(4, 21)


def _fits(text: str) -> bool:
    return text.count(" ") + 1 in _WORD_COUNTS


def generate(split: str, register: str = "written") -> dict[str, list[str]]:
    """The columns "source" (English) and "target" (German in a register) of a split, rows in an order without meaning.

    Raises ValueError for a split or register that does not exist.
    """
    check_split(split)
    if register not in REGISTERS:
        allowed = ", ".join(repr(name) for name in REGISTERS)
        raise BadArgument(f"unknown register {register!r}; allowed are {allowed}; the task uses 'written'")
    variety, homes, size = REGISTERS[register], _HOMES[split], SIZES[split]
    constructions = NESTED if split == "compositional" else USUAL
    choices = Choices(_SEEDS[split])
    targets: dict[str, str] = {}  # by source
    while len(targets) < size:
        sentence = choices.pick(constructions)(Drawing(choices))
        source = english_text(sentence)
        if zlib.crc32(source.encode("ascii")) % _HOME_COUNT not in homes or source in targets or not _fits(source):
            continue
        written = german_text(sentence, WRITTEN)
        if _fits(written):
            targets[source] = written if variety is WRITTEN else german_text(sentence, variety)
    return {"source": list(targets), "target": list(targets.values())}
