"""What is asked of the graph, and how the lake's picture gets into it; each verb exists once.

The verbs only name queries. A load is complete when its watermark is set: `project`, then the
claims are made over the graph, then `write_claims`, which ends with the aliases and the watermark.
"""

from typing import TYPE_CHECKING

from kg.progress import Progress, silent
from kg.projection import alias_tables, claim_tables, claims_id, graph_id, graph_tables
from kg.store.tables import Watermark

if TYPE_CHECKING:
    from kg.lake import Lake
    from kg.store.protocol import Store

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
    wanted = Watermark(store.workspace_id, graph_id(lake), claims_id(lake))
    if store.watermark() == wanted:
        return
    claims, aliases = claim_tables(lake), alias_tables(lake)
    for tables in (claims, aliases):
        for label, table in tables.nodes.items():
            store.write_nodes(label, table, tables.run_id, progress)
        for edges in tables.edges:
            store.write_edges(edges, tables.run_id, progress)
    store.remove_stale(["Claim"], ["CITES", "CURRENT", "STATES"], claims.run_id)
    store.set_watermark(wanted)


def bring_forward(lake: "Lake", store: "Store", progress: Progress = silent) -> bool:
    """Make a graph that is behind the lake show it; says whether anything was to do."""
    wanted = Watermark(store.workspace_id, graph_id(lake), claims_id(lake))
    if store.watermark() == wanted:
        return False
    project(lake, store, progress)
    write_claims(lake, store, progress)
    return True


def is_behind(lake: "Lake", store: "Store") -> bool:
    """Whether the graph shows less, or other, than the lake holds."""
    return store.watermark() != Watermark(store.workspace_id, graph_id(lake), claims_id(lake))
