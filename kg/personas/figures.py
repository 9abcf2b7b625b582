"""What the subgraph of a persona looks like in numbers: how dense, around what, joined to whom.

Invariant: every count is one that a query of `cypher/persona/` returns, named in `QUERIES`, and
everything else here is a pure function of counts. Nothing is said of fewer than 20 people: hubs
and topics that fewer stand behind are left out, and so are personas that fewer hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from kg.activity import STRATA
from kg.errors import NotAllowed
from kg.personas import statistics
from kg.personas.counts import Scan, counts
from kg.personas.labels import Labels
from kg.personas.statistics import MIN_PEOPLE
from kg.personas.subgraph import Subgraph

if TYPE_CHECKING:
    from kg.lake import Lake

MOST_HUBS = 10
MOST_JOINING = 3
QUERIES = {
    "nodes": "persona/subgraph_nodes",
    "edges": "persona/subgraph_edges",
    "topics": "persona/subgraph_topics",
    "everybody": "persona/topics",
    "items": "persona/subgraph_hubs",
    "bridges": "persona/subgraph_siblings",
    "joining": "persona/subgraph_joining",
}
"""Which query recomputes what; each takes the version's id."""


@dataclass(frozen=True)
class Hub:
    """A topic or an item that many of the persona's people meet in.

    Attributes:
        subject: the topic, or the item's id.
        people: holders with an intent on it that supports the persona.
        share: those, of all holders.
        everybody: people with any intent on it.
        everybody_share: those, of all people with an intent.
        lift: share over everybody_share; below what it would be if all intents of the holders
            counted, as they do for everybody.
    """

    subject: str
    label: str
    people: int
    share: float
    everybody: int
    everybody_share: float
    lift: float


@dataclass(frozen=True)
class Joining:
    """A topic that joins two personas.

    Attributes:
        people: who hold both, and have on it an intent for the one and an intent for the other.
        expected: as many by chance: those who hold the one and have such an intent, times those of
            the other, over all people.
    """

    topic: str
    label: str
    people: int
    expected: float
    lift: float


@dataclass(frozen=True)
class Bridge:
    """How many people two personas have in common.

    Attributes:
        people: who hold both; None where that is somebody, and fewer than 20.
        share: those, of the holders of this one; None as people is.
        expected: as many by chance among equally active people: over the strata of activity, the
            sum of holders of this one times holders of the other over everybody.
        lift: people over expected; None as people is, or where none are expected.
        q: of the difference (Cochran-Mantel-Haenszel), all other personas being one family; None
            as people is, which could be worked out from it.
        joining: the topics that join them, most people first.
    """

    persona_id: str
    version: int
    name: str
    people: int | None
    share: float | None
    expected: float
    lift: float | None
    q: float | None
    joining: tuple[Joining, ...]


@dataclass(frozen=True)
class Figures:
    """The subgraph of one persona version in numbers.

    Attributes:
        nodes: by label; a label or kind of which there is none is left out.
        edges: rows of start, type, end, edges.
        density: edges over ordered pairs of different nodes, m / (n * (n - 1)); Wasserman and
            Faust 1994, doi:10.1017/CBO9780511815478, 4.3.
        people: holders; of `population` people with an intent.
        topics: on which holders have intents that support the persona.
        topic_density: pairs of a holder and a topic with such an intent, over all pairs; Borgatti
            and Everett 1997, doi:10.1016/S0378-8733(96)00301-2.
        queries: which query recomputes what.
    """

    version_id: str
    nodes: Mapping[str, int]
    edges: tuple[dict[str, Any], ...]
    density: float
    people: int
    population: int
    topics: int
    topic_density: float
    topic_hubs: tuple[Hub, ...]
    item_hubs: tuple[Hub, ...]
    bridges: tuple[Bridge, ...]
    queries: Mapping[str, str]


def figures(lake: "Lake", found: Subgraph) -> Figures:
    """Count a subgraph, and compare it with everybody and with the other personas.

    Raises:
        NotAllowed: fewer than 20 people hold the persona.
    """
    if _size(lake, found.nodes["User"]) < MIN_PEOPLE:
        raise too_few()
    counted = _Counted(lake, found.version_id)
    nodes = {label: _size(lake, rows) for label, rows in sorted(found.nodes.items())}
    edges = {kind: _size(lake, rows) for kind, rows in sorted(found.edges.items())}
    n, m = sum(nodes.values()), sum(edges.values())
    people, ties = nodes["User"], sum(counted.by_topic.values())
    return Figures(
        version_id=found.version_id,
        nodes={label: count for label, count in nodes.items() if count},
        edges=tuple(
            {"start": start, "type": type_, "end": end, "edges": count}
            for (start, type_, end), count in edges.items()
            if count
        ),
        density=m / max(n * (n - 1), 1),
        people=people,
        population=counted.population,
        topics=len(counted.by_topic),
        topic_density=ties / max(people * len(counted.by_topic), 1),
        topic_hubs=counted.topic_hubs(people),
        item_hubs=counted.item_hubs(people),
        bridges=counted.bridges(),
        queries=QUERIES,
    )


def too_few() -> NotAllowed:
    """The answer to who asks for figures of a persona that fewer than 20 people hold."""
    return NotAllowed(
        f"Fewer than {MIN_PEOPLE} people hold this persona, so nothing is said of them.",
        hint="The files of a subgraph, the exports and the graph hold single people.",
    )


def supporting(scan: Scan) -> Any:
    """user_id, version, intent_id, verb, topic, event_count: intents that support what their
    person holds."""
    members = scan.lake.table("memberships").select("intent_id", "persona_id")
    held = scan.held.mutate(persona_id=scan.held.version.split("@")[0])
    joined = scan.intents.inner_join(members, "intent_id")
    joined = joined.inner_join(held, ["user_id", "persona_id"])
    return joined.select("user_id", "version", "intent_id", "verb", "topic", "event_count")


def _size(lake: "Lake", rows: Any) -> int:
    return int(lake.run(rows.count().name("n").as_table())["n"][0].as_py())


class _Counted:
    """What is counted for one version; everybody: who has an intent and denied nothing."""

    def __init__(self, lake: "Lake", version_id: str) -> None:
        self.lake, self.version_id = lake, version_id
        self.scan, self.labels = Scan(lake, half=None), Labels(lake)
        self.population = self.scan.people.count().to_pyarrow().as_py()

    @cached_property
    def _doing(self) -> Any:
        return self.lake.memtable(self.lake.run(supporting(self.scan)))

    @cached_property
    def _ties(self) -> Any:
        return self._doing.select("version", "user_id", "topic").distinct()

    @cached_property
    def _topics(self) -> dict[tuple[str, str], int]:
        """(version, topic) -> holders with an intent on it that supports the version."""
        counted = self._ties.group_by("version", "topic").agg(people=self._ties.count())
        rows = self.lake.run(counted).to_pylist()
        return {(row["version"], row["topic"]): row["people"] for row in rows}

    @cached_property
    def by_topic(self) -> dict[str, int]:
        """The same for this version."""
        mine = [(t, n) for (version, t), n in self._topics.items() if version == self.version_id]
        return dict(sorted(mine, key=lambda pair: (-pair[1], pair[0])))

    def topic_hubs(self, holders: int) -> tuple[Hub, ...]:
        """The topics that most holders have in common."""
        top = [t for t, n in self.by_topic.items() if n >= MIN_PEOPLE][:MOST_HUBS]
        intents = self.scan.intents
        every = intents.filter(intents.topic.isin(top or [""])).group_by("topic")
        rows = self.lake.run(every.agg(n=intents.user_id.nunique())).to_pylist()
        known, called = {row["topic"]: row["n"] for row in rows}, self.labels.topics(top)
        return tuple(self._hub(t, called[t], self.by_topic[t], known[t], holders) for t in top)

    def item_hubs(self, holders: int) -> tuple[Hub, ...]:
        """The items that most holders have in common."""
        about = self.lake.table("intent_items").select("intent_id", "item_id")
        mine = self._doing.filter(self._doing.version == self.version_id)
        mine = mine.inner_join(about, "intent_id")
        top = mine.group_by("item_id").agg(people=mine.user_id.nunique())
        top = top.filter(top.people >= MIN_PEOPLE).order_by(top.people.desc(), "item_id")
        top = self.lake.memtable(self.lake.run(top.limit(MOST_HUBS)))
        every = self.scan.intents.inner_join(about, "intent_id").inner_join(top, "item_id")
        every = every.group_by("item_id", "people").agg(n=every.user_id.nunique())
        rows = self.lake.run(every.order_by(every.people.desc(), "item_id")).to_pylist()
        return tuple(
            self._hub(r["item_id"], self.labels.item(r["item_id"]), r["people"], r["n"], holders)
            for r in rows
        )

    def _hub(self, subject: str, label: str, people: int, everybody: int, holders: int) -> Hub:
        share, usual = people / holders, everybody / self.population
        return Hub(subject, label, people, share, everybody, usual, share / usual)

    def bridges(self) -> tuple[Bridge, ...]:
        """The other personas that enough people hold, those with most in common first."""
        rows = self._overlaps()
        if not len(rows["subject"]):
            return ()
        n1, k1, n0, k0 = (rows[box] for box in ("n1", "k1", "n0", "k0"))
        expected = (n1 * (k1 + k0) / np.maximum(n1 + n0, 1)).sum(1)
        q = statistics.q_value(statistics.p_value(n1, k1, n0, k0))
        joining, names = self._joining(), self._names()
        found = []
        for place, subject in enumerate(rows["subject"]):
            people, by_chance = int(k1[place].sum()), float(expected[place])
            persona_id, _, number = subject.partition("@")
            is_told = people >= MIN_PEOPLE or not people
            found.append(Bridge(
                persona_id=persona_id, version=int(number), name=names.get(subject) or persona_id,
                people=people if is_told else None,
                share=people / max(int(n1[place].sum()), 1) if is_told else None,
                expected=by_chance, lift=people / by_chance if is_told and by_chance else None,
                q=float(q[place]) if is_told else None,
                joining=tuple(joining.get(subject, ())[:MOST_JOINING]),
            ))  # fmt: skip
        return tuple(sorted(found, key=lambda bridge: (-(bridge.people or 0), bridge.persona_id)))

    def _overlaps(self) -> dict[str, Any]:
        """subject (s,) and n1, k1, n0, k0 (s, strata), as `persona/subgraph_siblings`."""
        rows = counts(self.scan, "overlap")
        rows = rows.filter(rows.version == self.version_id, rows.subject != self.version_id)
        held = self.scan.held.group_by("version").agg(people=self.scan.held.count())
        enough = held.filter(held.people >= MIN_PEOPLE)
        rows = rows.semi_join(enough, rows.subject == enough.version)
        table: pa.Table = self.lake.run(rows.order_by("subject", "activity"))
        boxes = {
            box: table[box].to_numpy().astype(np.int64).reshape(-1, STRATA)
            for box in ("n1", "k1", "n0", "k0")
        }
        return {"subject": table["subject"].to_pylist()[::STRATA], **boxes}

    def _joining(self) -> dict[str, list[Joining]]:
        ties = self._ties
        mine = ties.filter(ties.version == self.version_id).select("user_id", "topic")
        both = ties.filter(ties.version != self.version_id).inner_join(mine, ["user_id", "topic"])
        both = both.group_by("version", "topic").agg(people=both.count())
        both = both.filter(both.people >= MIN_PEOPLE)
        rows = self.lake.run(both.order_by(both.people.desc(), "topic")).to_pylist()
        found: dict[str, list[Joining]] = {}
        for row in rows:
            topic, subject, people = row["topic"], row["version"], row["people"]
            expected = self.by_topic[topic] * self._topics[subject, topic] / self.population
            label = self.labels.topic(topic)
            found.setdefault(subject, []).append(
                Joining(topic, label, people, expected, people / expected)
            )
        return found

    def _names(self) -> dict[str, str]:
        words = self.lake.arrow("wordings", ["persona_id", "version", "name"]).to_pylist()
        return {f"{row['persona_id']}@{row['version']}": row["name"] for row in words}
