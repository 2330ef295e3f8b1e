"""Other German nouns for things and people of the English-German corpus, which its targets never use."""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """An English noun, the German noun of the targets, and a rarer one; genders are "m", "f" or "n".

    The English noun is no other word of the sources, so a source needs the term where it has that word. The rarer noun
    has one form for the nominative, the accusative and the dative singular, and is no word of the targets.
    """

    english: str
    standard: str
    standard_gender: str
    required: str
    gender: str


def _terms(lines: str) -> tuple[Term, ...]:
    return tuple(Term(*line.split()) for line in lines.strip().splitlines())


TERMS = _terms("""
    doctor Arzt m Mediziner m
    teacher Lehrer m Schulmeister m
    friend Freund m Kumpel m
    actor Schauspieler m Darsteller m
    guest Gast m Besucher m
    farmer Bauer m Landwirt m
    butcher Metzger m Fleischer m
    carpenter Tischler m Schreiner m
    policeman Polizist m Schutzmann m
    uncle Onkel m Oheim m
    grandfather Großvater m Opa m
    woman Frau f Dame f
    nurse Krankenschwester f Pflegerin f
    queen Königin f Herrscherin f
    waitress Kellnerin f Bedienung f
    actress Schauspielerin f Darstellerin f
    mother Mutter f Mama f
    grandmother Großmutter f Oma f
    girl Mädchen n Mädel n
    story Geschichte f Erzählung f
    newspaper Zeitung f Blatt n
    car Auto n Wagen m
    bicycle Fahrrad n Rad n
    boat Boot n Kahn m
    computer Computer m Rechner m
    phone Telefon n Fernsprecher m
    lamp Lampe f Leuchte f
    sofa Sofa n Kanapee n
    picture Bild n Gemälde n
    photo Foto n Lichtbild n
    present Geschenk n Präsent n
    ticket Fahrkarte f Fahrschein m
    bag Tasche f Beutel m
    coat Mantel m Überzieher m
    dress Kleid n Gewand n
    horse Pferd n Ross n
    dog Hund m Vierbeiner m
    cat Katze f Mieze f
    house Haus n Gebäude n
    flat Wohnung f Bleibe f
    train Zug m Bahn f
    shop Laden m Geschäft n
    restaurant Restaurant n Lokal n
    hospital Krankenhaus n Spital n
    school Schule f Lehranstalt f
    forest Wald m Forst m
    village Dorf n Ortschaft f
    city Stadt f Metropole f
    attic Dachboden m Speicher m
    street Straße f Gasse f
    storm Sturm m Orkan m
    thunderstorm Gewitter n Unwetter n
    illness Krankheit f Erkrankung f
    journey Reise f Fahrt f
""")

GLOSSARY: dict[str, str] = {term.english: term.required for term in TERMS}
