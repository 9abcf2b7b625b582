"""What is asked of the graph, and how the lake's picture gets into it; each verb exists once.

The verbs only name queries. A load is complete when its watermark is set: `project`, then the
claims are made over the graph, then `write_claims`, which ends with the aliases and the watermark.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.errors import NotFound
from kg.progress import Progress, silent
from kg.projection import alias_tables, claim_tables, claims_id, graph_id, graph_tables
from kg.store.tables import Watermark

if TYPE_CHECKING:
    from kg.lake import Lake
    from kg.store.protocol import Rows, Store

PAGE_ROWS = 100


def project(lake: "Lake", store: "Store", progress: Progress = silent) -> None:
    """Load everything but claims; does nothing when the store already shows it.

    Raises:
        Conflict: the database belongs to another workspace. Unavailable: the store failed.
    """
    wanted, found = graph_id(lake), store.watermark()
    if found is not None and found.graph == wanted:
        return
    store.bulk_load(graph_tables(lake), progress)
    store.set_watermark(Watermark(store.workspace_id, wanted))


def write_claims(lake: "Lake", store: "Store", progress: Progress = silent) -> None:
    """Write claims, wordings and aliases over a loaded graph, and complete it.

    From now on new readers see the graph; does nothing when it already shows these claims.
    """
    wanted = shown(lake, store.workspace_id)
    if store.watermark() == wanted:
        return
    claims, aliases = claim_tables(lake), alias_tables(lake)
    for tables in (claims, aliases):
        for label, table in tables.nodes.items():
            store.write_nodes(label, table, tables.run_id, progress)
        for edges in tables.edges:
            store.write_edges(edges, tables.run_id, progress)
    store.remove_stale(["Claim", "Run"], ["CITES", "CURRENT", "STATES"], claims.run_id)
    store.set_watermark(wanted)


def bring_forward(lake: "Lake", store: "Store", progress: Progress = silent) -> bool:
    """Make a graph that is behind the lake show it; says whether anything was to do."""
    if not is_behind(lake, store):
        return False
    project(lake, store, progress)
    write_claims(lake, store, progress)
    return True


def is_behind(lake: "Lake", store: "Store") -> bool:
    """Whether the graph shows less, or other, than the lake holds."""
    return store.watermark() != shown(lake, store.workspace_id)


def shown(lake: "Lake", workspace_id: str) -> Watermark:
    """The watermark of a graph that shows all of this lake."""
    return Watermark(workspace_id, graph_id(lake), claims_id(lake))


@dataclass(frozen=True)
class Person:
    """One user as the graph shows them.

    Args:
        figures: user_id, half, first and last seen, counts.
        personas: persona versions held now, heaviest first.
        sessions: the latest ones, newest first.
    """

    figures: dict[str, Any]
    personas: "Rows"
    sessions: "Rows"


def person_by_identifier(store: "Store", identifier: str, sessions: int = 5) -> Person:
    """The user that `namespace:value` names (personal values hashed, as the graph holds them).

    Raises:
        NotFound: no user has it.
    """
    found = store.run("person/by_identifier", {"identifier": identifier})
    if not found:
        raise NotFound(
            "Nobody here has this identifier.", hint="Write it as namespace:value, as records do."
        )
    return person_by_id(store, found[0]["user_id"], sessions)


def person_by_id(store: "Store", user_id: str, sessions: int = 5) -> Person:
    """One user, what they hold and their latest sessions.

    Raises:
        NotFound: there is no such user, or they denied consent.
    """
    figures = store.run("person/by_id", {"user_id": user_id})
    if not figures:
        raise NotFound(
            "There is no such user.", hint="Look a person up by namespace:value.", user_id=user_id
        )
    return Person(
        figures=figures[0],
        personas=store.run("person/personas", {"user_id": user_id}),
        sessions=store.run("person/sessions", {"user_id": user_id, "count": sessions}),
    )


@dataclass(frozen=True)
class PersonaVersion:
    """One version of a persona, what it states and on what evidence.

    Args:
        figures: name, summary, people, share with interval, stability, run.
        claims: by claim id.
        evidence: steps of paths, by claim id, path and position.
    """

    figures: dict[str, Any]
    claims: "Rows"
    evidence: "Rows"


def families(store: "Store") -> "Rows":
    """The family of each persona that has one."""
    return store.run("persona/parents")


def micro_personas(store: "Store") -> "Rows":
    """The micro-personas of every persona, those of most people first."""
    return store.run("persona/micro_personas")


def personas(store: "Store") -> "Rows":
    """Every persona's version in force with its figures, most people first."""
    return store.run("persona/list")


def persona_version(store: "Store", persona_id: str, number: int | None = None) -> PersonaVersion:
    """One version of a persona, by default the one in force.

    Raises:
        NotFound: there is no such persona, or it has no such version.
    """
    if number is None:
        current = store.run("persona/current_version", {"persona_id": persona_id})
        number = current[0]["number"] if current else 0
    version = {"version_id": f"{persona_id}@{number}"}
    figures = store.run("persona/version", version)
    if not figures:
        raise NotFound(
            "There is no such persona or version.", hint="The list of personas shows them."
        )
    return PersonaVersion(
        figures=figures[0],
        claims=store.run("persona/claims", version),
        evidence=store.run("persona/evidence", version),
    )


def claim_evidence(store: "Store", claim_id: str) -> "Rows":
    """The evidence paths of one claim, node by node."""
    return store.run("persona/claim_evidence", {"claim_id": claim_id})


def members(store: "Store", version_id: str, after: str = "", count: int = PAGE_ROWS) -> "Rows":
    """Who holds a persona version now: one page by user id."""
    return store.run("persona/members", {"version_id": version_id, "after": after, "count": count})


def members_as_of(
    store: "Store", version_id: str, at_ms: int, after: str = "", count: int = PAGE_ROWS
) -> "Rows":
    """Who held a persona version at a moment (epoch ms): one page by user id."""
    page = {"version_id": version_id, "at_ms": at_ms, "after": after, "count": count}
    return store.run("persona/members_as_of", page)


def personas_as_of(store: "Store", at_ms: int) -> "Rows":
    """How many held each persona at a moment (epoch ms), most people first."""
    return store.run("persona/list_as_of", {"at_ms": at_ms})
