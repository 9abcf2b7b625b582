"""GraphML, as a stream: what Gephi, yEd, Cytoscape, igraph and networkx open.

Lines are made in columns, a batch at a time, so that a graph need not fit into memory; the same
rows make the same bytes. Times are epoch milliseconds, as in the graph.

Source: Brandes et al. 2002, doi:10.1007/3-540-45848-4_59; http://graphml.graphdrawing.org/specification.html
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from kg.lake.disk import on_disk
from kg.schema import FLAG, REAL, TEXT, WHOLE

if TYPE_CHECKING:
    from kg.lake import Lake

Kind = tuple[str, str, str]
_TYPES = {TEXT: "string", WHOLE: "long", REAL: "double", FLAG: "boolean"}
_ESCAPED = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    *(
        (control, f"&#{ord(control)};")
        for control in "\t\n\r"  # an attribute would lose them
    ),
)
_NO_XML = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x{fffe}\\x{ffff}]"
_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
"""


def write_graphml(
    lake: "Lake", name: str, nodes: Mapping[str, Any], edges: Mapping[Kind, Any], file: Path
) -> tuple[int, int]:
    """Write a directed graph to a new file; how many nodes and edges.

    A node's XML id is its label and id, since two labels may share an id; both are among its data
    (`label`, `id`), and of an edge its `type`. What is null is left out.

    Args:
        nodes: by label, Ibis rows of `id` and properties.
        edges: by (start, type, end), Ibis rows of `start`, `end` and properties.
    """
    node_keys = _keys("node", {"label": TEXT, "id": TEXT} | _columns(nodes.values()))
    edge_keys = _keys("edge", {"type": TEXT} | _columns(edges.values()))
    with on_disk(file), file.open("w", encoding="utf-8", newline="\n") as out:
        out.write(_HEAD)
        for key in (*node_keys.values(), *edge_keys.values()):
            out.write(key.declared)
        out.write(f'<graph id={quoteattr(name)} edgedefault="directed">\n')
        node_count = edge_count = 0
        for label, rows in nodes.items():
            for batch in lake.batches(rows):
                out.writelines(_nodes(label, batch, node_keys).to_pylist())
                node_count += batch.num_rows
        for kind, rows in edges.items():
            for batch in lake.batches(rows):
                out.writelines(_edges(kind, batch, edge_keys).to_pylist())
                edge_count += batch.num_rows
        out.write("</graph>\n</graphml>\n")
    return node_count, edge_count


class _Key:
    """A property as GraphML declares it once and refers to it."""

    def __init__(self, place: str, name: str, type_: pa.DataType) -> None:
        self.id = f"{place}_{name}"
        self.declared = (
            f'<key id="{self.id}" for="{place}" attr.name="{name}" attr.type="{_TYPES[type_]}"/>\n'
        )

    def of(self, values: Any) -> Any:
        """The elements of a column, empty where it is null."""
        opened, closed = pa.scalar(f'<data key="{self.id}">'), pa.scalar("</data>")
        element = pc.binary_join_element_wise(opened, _escaped(values), closed, "")
        return pc.fill_null(element, "")


def _keys(place: str, columns: Mapping[str, pa.DataType]) -> dict[str, _Key]:
    return {name: _Key(place, name, type_) for name, type_ in columns.items()}


def _columns(tables: Any) -> dict[str, pa.DataType]:
    """Every property of some tables with its type; of one name there is one type."""
    schemas = [rows.schema().to_pyarrow() for rows in tables]
    found = {field.name: field.type for schema in schemas for field in schema}
    return {name: type_ for name, type_ in found.items() if name not in {"id", "start", "end"}}


def _nodes(label: str, batch: pa.RecordBatch, keys: Mapping[str, _Key]) -> Any:
    opened = pa.scalar(f'<node id="{label}:')
    parts = [opened, _escaped(batch["id"]), pa.scalar('">'), keys["label"].of(pa.scalar(label))]
    parts += [keys[name].of(batch[name]) for name in batch.schema.names]
    return pc.binary_join_element_wise(*parts, pa.scalar("</node>\n"), "")


def _edges(kind: Kind, batch: pa.RecordBatch, keys: Mapping[str, _Key]) -> Any:
    start, type_, end = kind
    parts = [pa.scalar(f'<edge source="{start}:'), _escaped(batch["start"])]
    parts += [pa.scalar(f'" target="{end}:'), _escaped(batch["end"]), pa.scalar('">')]
    parts += [keys["type"].of(pa.scalar(type_))]
    parts += [keys[name].of(batch[name]) for name in batch.schema.names[2:]]
    return pc.binary_join_element_wise(*parts, pa.scalar("</edge>\n"), "")


def _escaped(values: Any) -> Any:
    text = values.cast(pa.string())
    if values.type != TEXT:
        return text
    for plain, escaped in _ESCAPED:
        text = pc.replace_substring(text, plain, escaped)
    return pc.replace_substring_regex(text, _NO_XML, "\ufffd")
