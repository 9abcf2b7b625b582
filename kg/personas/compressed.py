"""What events came to as intents: how many, of how many types, everybody's and each persona's.

Invariant: every count is one that a query of `QUERIES` returns; a persona or a type that fewer than
20 people stand behind is left out.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.personas import intent_types
from kg.personas.counts import Scan
from kg.personas.figures import supporting
from kg.personas.intent_types import MOST_OF_PERSONA
from kg.personas.statistics import MIN_PEOPLE
from kg.personas.wording import TEMPLATE

if TYPE_CHECKING:
    from kg.lake import Lake

QUERIES = {
    "personas": "persona/intents",
    "types": "persona/intent_types",
    "everybody": "persona/types",
    "when": "persona/type_ways",
    "items": "persona/type_items",
}
"""Which query recomputes what."""


@dataclass(frozen=True)
class Told:
    """A type as the holders of one persona have it.

    Attributes:
        people: holders with such an intent that supports the persona; with `intents`, `events`.
        line: on everybody's intents of this type.
        author: `template`, or the model that wrote the line.
    """

    verb: str
    topic: str
    people: int
    intents: int
    events: int
    line: str
    author: str


@dataclass(frozen=True)
class Compressed:
    """What the intents that support one persona come to, of those who hold it.

    Attributes:
        version_id: empty: intents of everybody, whatever persona they support, if any.
        people: who have such an intent.
        types: how many types there are of them.
        events_per_intent: 0 where there are none.
        intents_per_person: the same.
    """

    version_id: str
    people: int
    intents: int
    events: int
    types: int
    events_per_intent: float
    intents_per_person: float


def compressed(lake: "Lake") -> list[Compressed]:
    """Everybody's intents first, then those of every persona that 20 people have, most first."""
    scan = Scan(lake, half=None)
    every = scan.lake.run(scan.intents.aggregate(**_sizes(scan.intents))).to_pylist()
    rows = supporting(scan)
    sizes = rows.group_by("version").agg(**_sizes(rows))
    sizes = sizes.filter(sizes.people >= MIN_PEOPLE).order_by(sizes.people.desc(), "version")
    found = []
    for row in (*every, *lake.run(sizes).to_pylist()):
        row = {"version_id": row.pop("version", "")} | row | {"events": row["events"] or 0}
        found.append(
            Compressed(
                **row,
                events_per_intent=row["events"] / max(row["intents"], 1),
                intents_per_person=row["intents"] / max(row["people"], 1),
            )
        )
    return found


def _sizes(rows: Any) -> dict[str, Any]:
    """people, intents, events, types of intents."""
    return {
        "people": rows.user_id.nunique(),
        "intents": rows.count(),
        "events": rows.event_count.sum(),
        "types": (rows.verb + " " + rows.topic).nunique(),
    }


def of_persona(lake: "Lake", version_id: str) -> list[Told]:
    """The types that most holders of a version have for it, most people first."""
    rows = supporting(Scan(lake, half=None))
    mine = rows.filter(rows.version == version_id)
    sizes = mine.group_by("verb", "topic").agg(
        people=mine.user_id.nunique(), intents=mine.count(), events=mine.event_count.sum()
    )
    sizes = sizes.filter(sizes.people >= MIN_PEOPLE)
    most = sizes.order_by(sizes.people.desc(), "verb", "topic").limit(MOST_OF_PERSONA)
    found = lake.run(most).to_pylist()
    lines = {(one.verb, one.topic): (one.line, one.author) for one in intent_types.read(lake)}
    told = []
    for row in found:
        # A workspace whose last run was that of an older program has no lines yet.
        line, author = lines.get((row["verb"], row["topic"]), ("", TEMPLATE))
        told.append(Told(**row, line=line, author=author))
    return told
