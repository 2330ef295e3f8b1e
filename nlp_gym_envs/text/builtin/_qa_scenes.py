"""More of what the passages can say: who is or goes where, who finds or wins what, and why."""

from __future__ import annotations

from nlp_gym_envs.text.builtin._qa_relations import Group, Relation

HOMES = Group(
    {"person": "person", "town": "town"},
    (
        Relation(
            ("{person} lives [in {town}]", "{person} has a home [in {town}]", "{person} rents a flat [in {town}]"),
            {
                "town": ("Where does {person} live?", "Which town is home to {person}?"),
                "person": ("Who lives in {town}?", "Who has a home in {town}?"),
            },
        ),
        Relation(
            ("{person} was born [in {town}]", "{person} came into the world [in {town}]"),
            {
                "town": ("Where was {person} born?", "What is {person}'s place of birth?"),
                "person": ("Who was born in {town}?", "Who is a native of {town}?"),
            },
        ),
        Relation(
            ("{person} went on holiday [to {town}]", "{person} spent the holidays [in {town}]"),
            {
                "town": ("Where did {person} go on holiday?", "In which town did {person} spend the holidays?"),
                "person": ("Who went on holiday to {town}?", "Who spent the holidays in {town}?"),
            },
        ),
        Relation(
            (
                "{person} would like to live [in {town}]",
                "{person} hopes to find a home [in {town}]",
                "{person} wants to move [to {town}]",
            ),
            {
                "town": ("Where would {person} like to live?", "To which town does {person} want to move?"),
                "person": ("Who would like to live in {town}?", "Who wants to move to {town}?"),
            },
        ),
    ),
)
TRIPS = Group(
    {"person": "person", "town": "town", "vehicle": "vehicle"},
    (
        Relation(
            (
                "{person} went [to {town}] [by {vehicle}]",
                "{person} reached [{town}] [by {vehicle}]",
                "{person} took [the {vehicle}] [to {town}]",
            ),
            {
                "vehicle": ("How did {person} get to {town}?", "By what means did {person} go to {town}?"),
                "town": ("Where did {person} go by {vehicle}?", "Which town did {person} reach by {vehicle}?"),
                "person": ("Who went to {town} by {vehicle}?", "Who reached {town} by {vehicle}?"),
            },
        ),
        Relation(
            (
                "{person} came back [from {town}] [by {vehicle}]",
                "{person} returned [from {town}] [by {vehicle}]",
                "{person} left [{town}] [by {vehicle}]",
            ),
            {
                "vehicle": ("How did {person} return from {town}?", "By what means did {person} leave {town}?"),
                "town": ("From where did {person} return by {vehicle}?", "Which town did {person} leave by {vehicle}?"),
                "person": ("Who came back from {town} by {vehicle}?", "Who left {town} by {vehicle}?"),
            },
        ),
    ),
    frozenset({"town"}),
)
SEARCHES = Group(
    {"person": "person", "object": "object", "spot": "spot"},
    (
        Relation(
            (
                "{person} found [{object}] [{spot}]",
                "{person} came across [{object}] [{spot}]",
                "{object} was discovered [by {person}] [{spot}]",
            ),
            {
                "spot": ("Where did {person} find {object}?", "Where was {object} discovered?"),
                "person": ("Who found {object}?", "Who discovered {object}?"),
                "object": ("What did {person} find {spot}?", "What did {person} discover {spot}?"),
            },
        ),
        Relation(
            (
                "{person} lost [{object}] [{spot}]",
                "{person} dropped [{object}] somewhere [{spot}]",
                "{object} was lost [by {person}] [{spot}]",
            ),
            {
                "spot": ("Where did {person} lose {object}?", "Where did {object} get lost?"),
                "person": ("Who lost {object}?", "Who dropped {object} somewhere?"),
                "object": ("What did {person} lose {spot}?", "What did {person} drop {spot}?"),
            },
        ),
        Relation(
            (
                "{person} hid [{object}] [{spot}]",
                "{person} kept [{object}] out of sight [{spot}]",
                "{object} was hidden [by {person}] [{spot}]",
            ),
            {
                "spot": ("Where did {person} hide {object}?", "Which hiding place did {person} find for {object}?"),
                "person": ("Who hid {object}?", "Who kept {object} out of sight?"),
                "object": ("What did {person} hide {spot}?", "What did {person} keep out of sight {spot}?"),
            },
        ),
    ),
)
CONTESTS = Group(
    {"person": "person", "contest": "contest", "year": "year"},
    (
        Relation(
            (
                "{person} won [{contest}] [in {year}]",
                "{person} took first prize [at {contest}] [in {year}]",
                "{person} beat everyone [at {contest}] [in {year}]",
            ),
            {
                "person": ("Who won {contest} in {year}?", "Who was the winner of {contest} in {year}?"),
                "contest": ("What did {person} win in {year}?", "Where did {person} take first prize in {year}?"),
                "year": (
                    "When did {person} win {contest}?",
                    "In which year did {person} take first prize at {contest}?",
                ),
            },
        ),
        Relation(
            (
                "{person} came second [at {contest}] [in {year}]",
                "{person} took second prize [at {contest}] [in {year}]",
            ),
            {
                "person": ("Who came second at {contest} in {year}?", "Who was runner-up at {contest} in {year}?"),
                "contest": (
                    "Where did {person} come second in {year}?",
                    "Where did {person} take second prize in {year}?",
                ),
                "year": ("When did {person} come second at {contest}?", "When was {person} runner-up at {contest}?"),
            },
        ),
        Relation(
            (
                "{person} was the judge [at {contest}] [in {year}]",
                "{person} handed out the prizes [at {contest}] [in {year}]",
            ),
            {
                "person": (
                    "Who was the judge at {contest} in {year}?",
                    "Who handed out the prizes at {contest} in {year}?",
                ),
                "contest": (
                    "Where was {person} the judge in {year}?",
                    "Where did {person} hand out the prizes in {year}?",
                ),
                "year": (
                    "When was {person} the judge at {contest}?",
                    "When did {person} hand out the prizes at {contest}?",
                ),
            },
        ),
    ),
)
SITES = Group(
    {"place": "place", "town": "town"},
    (
        Relation(
            ("{place} stands [in {town}]", "{place} is situated [in {town}]", "{place} has its seat [in {town}]"),
            {
                "town": ("In which town is {place}?", "Where is the seat of {place}?"),
                "place": ("What stands in {town}?", "Which house is situated in {town}?"),
            },
        ),
        Relation(
            ("{place} has a branch [in {town}]", "{place} runs a second house [in {town}]"),
            {
                "town": ("In which town does {place} have a branch?", "Where is the second house of {place}?"),
                "place": ("What has a branch in {town}?", "Which house has a second house in {town}?"),
            },
        ),
        Relation(
            ("{place} was built with stone [from {town}]", "{place} got its stone [from {town}]"),
            {
                "town": ("Where did the stone of {place} come from?", "Which town delivered the stone for {place}?"),
                "place": ("What was built with stone from {town}?", "Which house got its stone from {town}?"),
            },
        ),
    ),
)
REASONS = Group(
    {"place": "place", "cause": "cause"},
    (
        Relation(
            (
                "{place} was closed for a week [because of {cause}]",
                "{place} had to shut its doors for a while [because of {cause}]",
                "{cause} forced {place} to shut for a few days",
            ),
            {
                "cause": (
                    "Why was {place} closed for a while?",
                    "What made {place} shut its doors?",
                    "For what reason did {place} have to shut?",
                ),
                "place": ("What was closed because of {cause}?", "Which house did {cause} shut for some days?"),
            },
        ),
        Relation(
            (
                "{place} started work late [because of {cause}]",
                "{place} kept people waiting in the morning [because of {cause}]",
                "{cause} delayed the work [of {place}]",
            ),
            {
                "cause": ("Why did {place} start work late?", "What was the reason for the delay at {place}?"),
                "place": ("What started work late because of {cause}?", "Which house was delayed by {cause}?"),
            },
        ),
        Relation(
            (
                "{place} raised its prices [because of {cause}]",
                "{place} became more expensive [because of {cause}]",
                "{cause} drove up the prices [of {place}]",
            ),
            {
                "cause": ("Why did {place} raise its prices?", "What made {place} more expensive?"),
                "place": (
                    "What became more expensive because of {cause}?",
                    "Which house raised its prices after {cause}?",
                ),
            },
        ),
    ),
)
