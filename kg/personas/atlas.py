"""What a map of the personas shows: types of intent with their people, and who shares holders.

Invariant: every number is a count of people, or a pure function of such counts; a type that fewer
than 20 holders stand behind is not on the map, nor is a persona that fewer people hold.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kg.personas.counts import Scan
from kg.personas.figures import supporting
from kg.personas.labels import Labels
from kg.personas.statistics import MIN_PEOPLE

if TYPE_CHECKING:
    from kg.lake import Lake

MOST_TYPES = 150
MOST_OF_PERSONA, LEAST_OF_PERSONA = 16, 5
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Persona:
    """A persona on the map: `people` of `population` hold it.

    Attributes:
        family: what its family is called; empty: it stands alone.
        parts: what its micro-personas are called, most people first.
    """

    version_id: str
    name: str
    people: int
    family: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class IntentType:
    """A verb and a topic, as the holders of one persona have it.

    Attributes:
        persona: place in `Atlas.personas`.
        people: holders with an intent of this type that supports the persona.
        elsewhere: (k,) the same of every persona.
    """

    persona: int
    verb: str
    label: str
    people: int
    elsewhere: tuple[int, ...]


@dataclass(frozen=True)
class Atlas:
    """The personas of a workspace, for a picture.

    Attributes:
        personas: k of them, most people first.
        types: of every persona those that most of its people have, most people first.
        likeness: (k, k) of what they are about: the cosine of their people by type; 1 the same.
        correlation: (k, k) of who holds the one and who holds the other: 0 is chance, 1 the same
            people; the phi coefficient, Yule 1912, doi:10.2307/2340126.
        population: people with an intent.
        intents: of all people; `in_none` of them are in no persona.
        left_out: how many personas are not on the map, since fewer than 20 people hold them.
    """

    personas: tuple[Persona, ...]
    types: tuple[IntentType, ...]
    likeness: Floats
    correlation: Floats
    population: int
    intents: int
    in_none: int
    left_out: int = 0


def atlas(lake: "Lake") -> Atlas:
    """Count what the map shows, for the version in force of every persona that enough hold."""
    scan = Scan(lake, half=None)
    population = int(scan.people.count().to_pyarrow().as_py())
    every = _personas(scan)
    personas = tuple(one for one in every if one.people >= MIN_PEOPLE)
    place = {persona.version_id: number for number, persona in enumerate(personas)}
    members = lake.table("memberships").semi_join(scan.intents, "intent_id")
    sizes = members.aggregate(every=members.count(), none=members.persona_id.isnull().sum())
    (row,) = lake.run(sizes).to_pylist()
    table = [row for row in _by_type(scan) if row["version"] in place]
    return Atlas(
        personas=personas,
        types=_shown(table, place, Labels(lake)),
        likeness=_likeness(table, place),
        correlation=_correlation(scan, place, population),
        population=population,
        intents=int(row["every"]),
        in_none=int(row["none"] or 0),
        left_out=len(every) - len(personas),
    )


def _personas(scan: Scan) -> tuple[Persona, ...]:
    lake = scan.lake
    words = lake.table("wordings")
    words = words.select("name", version=words.persona_id + "@" + words.version.cast("string"))
    held = scan.held.group_by("version").agg(people=scan.held.count())
    rows = held.left_join(words, "version").order_by(held.people.desc(), "version")
    parents = lake.arrow("personas", ["persona_id", "parent_id"]).to_pylist()
    family_of = {row["persona_id"]: row["parent_id"] for row in parents}
    levels = sorted(lake.arrow("levels").to_pylist(), key=lambda row: -row["people"])
    named = {row["level_id"]: row["name"] for row in levels}
    found = []
    for row in lake.run(rows).to_pylist():
        one = row["version"].partition("@")[0]
        parts = tuple(level["name"] for level in levels if level["parent_id"] == one)
        family = named.get(family_of.get(one) or "", "")
        found.append(Persona(row["version"], row["name"] or one, row["people"], family, parts))
    return tuple(found)


def _by_type(scan: Scan) -> list[dict[str, Any]]:
    """version, verb, topic, people: holders with an intent of a type, the most first."""
    rows = supporting(scan)
    counted = rows.group_by("version", "verb", "topic").agg(people=rows.user_id.nunique())
    counted = counted.order_by(counted.people.desc(), "version", "verb", "topic")
    found: list[dict[str, Any]] = scan.lake.run(counted).to_pylist()
    return found


def _people(table: list[dict[str, Any]], place: dict[str, int]) -> dict[tuple[str, str], list[int]]:
    """(verb, topic) -> people by persona."""
    found: dict[tuple[str, str], list[int]] = {}
    for row in table:
        of_type = found.setdefault((row["verb"], row["topic"]), [0] * len(place))
        of_type[place[row["version"]]] = row["people"]
    return found


def _shown(
    table: list[dict[str, Any]], place: dict[str, int], labels: Labels
) -> tuple[IntentType, ...]:
    elsewhere = _people(table, place)
    most = min(MOST_OF_PERSONA, max(LEAST_OF_PERSONA, MOST_TYPES // max(len(place), 1)))
    shown: list[dict[str, Any]] = []
    taken = [0] * len(place)
    for row in table:
        persona = place[row["version"]]
        if row["people"] >= MIN_PEOPLE and taken[persona] < most:
            taken[persona] += 1
            shown.append(row)
    called = [
        labels.types((row["verb"], row["topic"]) for row in shown if row["version"] == version)
        for version in place
    ]
    return tuple(
        IntentType(
            place[row["version"]],
            row["verb"].replace("_", " "),
            called[place[row["version"]]][row["verb"], row["topic"]],
            row["people"],
            tuple(elsewhere[row["verb"], row["topic"]]),
        )
        for row in shown
    )


def _likeness(table: list[dict[str, Any]], place: dict[str, int]) -> Floats:
    people = _people(table, place).values()
    counts = np.array(list(people), float).reshape(len(people), len(place))
    length = np.sqrt((counts**2).sum(0))
    return _over(counts.T @ counts, np.outer(length, length))


def _over(above: Floats, below: Floats) -> Floats:
    """Shares (k, k); where there is nothing to divide by, a persona is like itself alone."""
    found: Floats = np.divide(above, below, out=np.eye(len(above)), where=below > 0)
    return found


def _correlation(scan: Scan, place: dict[str, int], population: int) -> Floats:
    one = scan.held.filter(scan.held.version.isin([*place, ""])).select("user_id", "version")
    other = one.select("user_id", other="version")
    pairs = one.inner_join(other, "user_id")
    rows: list[dict[str, Any]] = scan.lake.run(
        pairs.group_by("version", "other").agg(people=pairs.count())
    ).to_pylist()
    both = np.zeros((len(place), len(place)))
    for row in rows:
        both[place[row["version"]], place[row["other"]]] = row["people"]
    people = both.diagonal()
    spread = np.sqrt(people * (population - people))
    apart = population * both - np.outer(people, people)
    return _over(apart, np.outer(spread, spread))
