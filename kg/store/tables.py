"""What a store is handed to load: tables of nodes and of edges (Arrow), and the watermark."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from kg.errors import InputError
from kg.schema import EDGES, NODES, EdgeKind, edge_schema, node_schema


@dataclass(frozen=True)
class EdgeTable:
    """Edges of one kind; `table` has the columns `start`, `end` (ids) and the properties."""

    kind: EdgeKind
    table: pa.Table


@dataclass(frozen=True)
class GraphTables:
    """A graph, or a part of one, as tables.

    Shapes: `nodes[label]` has `id` and the properties of the label, ids distinct; every `start`
    and `end` of an edge table is the id of a node that is in the graph. Missing property columns
    are null. `run_id` is written on everything.
    """

    nodes: Mapping[str, pa.Table]
    edges: tuple[EdgeTable, ...]
    run_id: str

    @property
    def row_count(self) -> int:
        """Nodes and edges together."""
        tables = [*self.nodes.values(), *(edges.table for edges in self.edges)]
        return sum(int(table.num_rows) for table in tables)


@dataclass(frozen=True)
class Watermark:
    """Up to where a graph shows the lake; written last.

    Args:
        workspace: id of the workspace that owns the graph.
        graph: run id of what was loaded (people, intents, items, personas); None: nothing yet.
        claims: run id of the claims that were written; None: not yet.
    """

    workspace: str
    graph: str | None = None
    claims: str | None = None


def edge_kind(start: str, type_: str, end: str) -> EdgeKind:
    """The kind of edge of that type between two labels.

    Raises:
        InputError: the graph has no such edges.
    """
    for kind in EDGES:
        if (kind.start, kind.type, kind.end) == (start, type_, end):
            return kind
    raise InputError(f"The graph has no edges (:{start})-[:{type_}]->(:{end}).")


def conform_nodes(label: str, table: pa.Table, run_id: str) -> pa.Table:
    """The table with exactly the columns of the label, missing ones null, and its run."""
    if label not in NODES:
        raise InputError(f"The graph has no label {label}.")
    return _conform(table, node_schema(label), run_id)


def conform_edges(edges: EdgeTable, run_id: str) -> pa.Table:
    """The table with exactly the columns of the kind, missing ones null, and its run."""
    return _conform(edges.table, edge_schema(edges.kind), run_id)


def _conform(table: pa.Table, schema: pa.Schema, run_id: str) -> pa.Table:
    unknown = set(table.column_names) - set(schema.names)
    if unknown:
        raise InputError(f"The graph's schema has no {', '.join(sorted(unknown))} here.")
    columns = []
    for column in schema:
        if column.name == "run_id":
            columns.append(pa.repeat(pa.scalar(run_id, pa.string()), table.num_rows))
        elif column.name in table.column_names:
            columns.append(table[column.name].cast(column.type))
        else:
            columns.append(pa.nulls(table.num_rows, column.type))
    return pa.Table.from_arrays(columns, schema=schema)
