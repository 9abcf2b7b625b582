"""The subgraph of a persona: its people, what they did for it, and all edges in between.

Invariant: rows are chosen in columns, out of the very tables that the graph is loaded from, so the
graph holds the same (`cypher/persona/subgraph_*.cypher`). People are ids: no identifier, no trait
and no text of theirs is in it, and who denied consent is not in it at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kg.errors import InputError, NotFound
from kg.exports import check_file
from kg.graphml import write_graphml
from kg.lake.disk import appearing, on_disk
from kg.projection import category_tables, graph_expressions
from kg.written import storable

if TYPE_CHECKING:
    from kg.lake import Lake

Kind = tuple[str, str, str]
GRAPHML = ".graphml"

NODE_COLUMNS: dict[str, tuple[str, ...]] = {
    "PersonaVersion": ("persona_id", "number", "name"),
    "User": (),
    "Session": ("channel", "started_at_ms", "event_count"),
    "Intent": ("verb", "topic", "channel", "started_at_ms", "event_count", "quantity", "value"),
    "Item": ("title", "price"),
    "Category": ("name", "path", "level"),
}
"""What is said of a node beside its id."""

EDGE_COLUMNS: dict[Kind, tuple[str, ...]] = {
    ("User", "HOLDS", "PersonaVersion"): ("weight", "low", "high", "intents", "valid_from_ms"),
    ("User", "HAD", "Session"): (),
    ("Session", "NEXT", "Session"): (),
    ("Session", "EXPRESSED", "Intent"): (),
    ("Intent", "SUPPORTS", "PersonaVersion"): ("probability",),
    ("Intent", "ABOUT", "Item"): ("count", "value"),
    ("Item", "IN", "Category"): (),
    ("Category", "IN", "Category"): (),
}


@dataclass(frozen=True)
class Subgraph:
    """A persona version with everything it is made of.

    Args:
        version_id: of the persona version, `p_0a1b2c3d@1`.
        nodes: by label: Ibis rows of `id` and the label's columns, sorted by id.
        edges: by (start, type, end): Ibis rows of `start`, `end` and the columns, sorted by both.
    """

    version_id: str
    nodes: Mapping[str, Any]
    edges: Mapping[Kind, Any]


def version_in_force(lake: "Lake", persona_id: str) -> str:
    """The id of the newest version of a persona, of which memberships and holdings speak.

    Raises:
        NotFound: there is no such persona. InputError: no persona can be called that.
    """
    persona_id = storable(persona_id)
    personas = lake.table("personas")
    mine = personas.filter(personas.persona_id == persona_id)
    (row,) = lake.run(mine.aggregate(number=mine.version.max())).to_pylist()
    if row["number"] is None:
        hint = f"`{lake.workspace.command('personas list')}` shows them."
        raise NotFound("There is no such persona.", hint=hint)
    return f"{persona_id}@{row['number']}"


def subgraph(lake: "Lake", version_id: str) -> Subgraph:
    """The version in force of a persona, induced: the nodes below and the edges between them.

    BOUGHT_WITH is left out: it tells of everybody's baskets, not of these people.

    Nodes: who holds it now; the intents that support it; the sessions that these were expressed
    in; the items they are about, and the categories of those with all above. An intent may support
    what its person does not hold (once is not enough); its session then has no person here.
    """
    graph = graph_expressions(lake)
    graph |= {name: lake.memtable(table) for name, table in category_tables(lake).items()}
    chosen = _chosen(lake, graph, version_id)
    nodes = {
        label: graph[label]
        .filter(graph[label].id.isin(chosen[label].id))
        .select("id", *columns)
        .order_by("id")
        for label, columns in NODE_COLUMNS.items()
    }
    edges = {kind: _between(graph[kind], kind, chosen) for kind in EDGE_COLUMNS}
    return Subgraph(version_id, nodes, edges)


def _chosen(lake: "Lake", graph: Mapping[Any, Any], version_id: str) -> dict[str, Any]:
    """The ids of the nodes, by label, kept in memory since every kind of edge asks for them."""

    def kept(ids: Any) -> Any:
        return lake.memtable(lake.run(ids.distinct()))

    versions = graph["PersonaVersion"]
    version = kept(versions.filter(versions.id == version_id).select("id"))
    intents = kept(_reached(graph, ("Intent", "SUPPORTS", "PersonaVersion"), version, "start"))
    items = kept(_reached(graph, ("Intent", "ABOUT", "Item"), intents, "end"))
    return {
        "PersonaVersion": version,
        "User": kept(_reached(graph, ("User", "HOLDS", "PersonaVersion"), version, "start")),
        "Session": kept(_reached(graph, ("Session", "EXPRESSED", "Intent"), intents, "start")),
        "Intent": intents,
        "Item": items,
        "Category": _with_those_above(lake, graph, kept(
            _reached(graph, ("Item", "IN", "Category"), items, "end"))),
    }  # fmt: skip


def _reached(graph: Mapping[Any, Any], kind: Kind, ids: Any, end: str) -> Any:
    """The nodes at one end of the edges of a kind that have one of `ids` at the other."""
    other = "start" if end == "end" else "end"
    edges = _in_force(graph[kind], kind)
    return edges.filter(edges[other].isin(ids.id)).select(id=end)


def _in_force(edges: Any, kind: Kind) -> Any:
    return edges.filter(edges.valid_to_ms.isnull()) if kind[1] == "HOLDS" else edges


def _with_those_above(lake: "Lake", graph: Mapping[Any, Any], categories: Any) -> Any:
    """A category lies in another one at most as often as its path is long."""
    found: pa.Table = lake.run(categories)
    while True:
        above = _reached(graph, ("Category", "IN", "Category"), lake.memtable(found), "end")
        grown = lake.run(lake.memtable(found).union(above, distinct=True))
        if grown.num_rows == found.num_rows:
            return lake.memtable(found)
        found = grown


def _between(edges: Any, kind: Kind, chosen: Mapping[str, Any]) -> Any:
    edges = _in_force(edges, kind)
    inside = edges.start.isin(chosen[kind[0]].id) & edges.end.isin(chosen[kind[2]].id)
    return edges.filter(inside).select("start", "end", *EDGE_COLUMNS[kind]).order_by("start", "end")


def check_target(out: Path) -> None:
    """Refuse, before any work, what a subgraph cannot be written to.

    Raises:
        InputError: another suffix than `.graphml` or none, a file where a folder would be, a
            folder that holds something, or one to put it in that is not there.
        Unavailable: the disk refuses.
    """
    if out.suffix.lower() == GRAPHML:
        check_file(out)
        return
    if out.suffix:
        raise InputError(
            f"A subgraph cannot be written as {out.suffix}.",
            hint="FILE.graphml is GraphML; a name without a suffix is a folder of Parquet.",
            suffix=out.suffix,
        )
    with on_disk(out):
        if not out.is_dir():
            check_file(out)
        if out.is_file() or (out.is_dir() and any(out.iterdir())):
            raise InputError(f"{out} is there already.", hint="Name a new folder, or an empty one.")


def save(lake: "Lake", found: Subgraph, out: Path) -> tuple[int, int]:
    """Write a subgraph, whole or not at all; the same lake gives the same bytes.

    By suffix: `.graphml` is a GraphML file; without one it is a folder of Parquet files, nodes by
    label (`nodes/User.parquet`) and edges by kind (`edges/User_HAD_Session.parquet`).

    Returns:
        How many nodes and edges were written.

    Raises:
        InputError: as `check_target`. Unavailable: the disk refuses.
    """
    check_target(out)
    with appearing(out) as fresh:
        if out.suffix.lower() == GRAPHML:
            return write_graphml(lake, found.version_id, found.nodes, found.edges, fresh)
        return _write_parquet(lake, found, fresh)


def _write_parquet(lake: "Lake", found: Subgraph, folder: Path) -> tuple[int, int]:
    tables = {
        "nodes": dict(found.nodes),
        "edges": {"_".join(kind): rows for kind, rows in found.edges.items()},
    }
    counts = []
    for part, named in tables.items():
        with on_disk(folder):
            (folder / part).mkdir(parents=True)
        files = [(rows, folder / part / f"{name}.parquet") for name, rows in named.items()]
        counts.append(sum(lake.copy(rows, file, "parquet") for rows, file in files))
    return counts[0], counts[1]
