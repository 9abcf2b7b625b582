"""What a graph store can do; the same on the embedded one and on Neo4j."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import pyarrow as pa

from kg.progress import Progress, silent
from kg.queries import Dialect
from kg.store.tables import EdgeTable, GraphTables, Watermark

Rows = list[dict[str, Any]]


class Store(Protocol):
    """One open graph.

    Every method raises `Unavailable` when the store does not answer (trying again may help) and
    `Conflict` when a constraint forbids a write. Not to be used in a process forked after opening.
    """

    name: Dialect
    workspace_id: str

    def run(self, query: str, params: Mapping[str, Any] | None = None) -> Rows:
        """Read: rows of a named query (`persona/list`), or of Cypher text, in the query's order.

        Raises:
            InputError: parameters missing or left over, or Cypher that is wrong.
            NotFound: no query has that name.
        """

    def write(self, query: str, params: Mapping[str, Any] | None = None) -> Rows:
        """The same in a write transaction, tried again after a lost race; must be idempotent."""

    def write_nodes(
        self, label: str, table: pa.Table, run_id: str, progress: Progress = silent
    ) -> int:
        """Merge nodes by id in batches; returns how many rows were sent."""

    def write_edges(self, edges: EdgeTable, run_id: str, progress: Progress = silent) -> int:
        """Merge edges between nodes that exist in batches; returns how many rows were sent."""

    def bulk_load(self, graph: GraphTables, progress: Progress = silent) -> None:
        """Replace the loaded graph by `graph`.

        Readers see the old one until `set_watermark`: embedded the whole of it, on Neo4j what
        follows `Persona.current`.
        """

    def remove_stale(self, labels: list[str], types: list[str], run_id: str) -> None:
        """Delete nodes and edges of these labels and types that another run has written."""

    def migrate(self) -> None:
        """Create what is missing of the constraints and indexes, and wait until they are ready."""

    def leiden(
        self,
        n: int,
        source: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        resolution: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        """Communities of an undirected weighted graph by modularity.

        Shapes: source, target (m,) int64 in [0, n), weight (m,) float64 > 0 -> (n,) int64.
        Communities are numbered by their first member; a node without edges is alone. The order
        of the edges does not matter; the same seed gives the same answer.

        Source: Traag, Waltman, van Eck 2019, doi 10.1038/s41598-019-41695-z.
        """

    def watermark(self) -> Watermark | None:
        """Up to where the graph shows the lake; None when nothing was ever loaded."""

    def set_watermark(self, watermark: Watermark) -> None:
        """Say so, as the last write of a load; from now on new readers see it."""

    def is_current(self) -> bool:
        """Whether new readers would open this same graph; if not, open it again to see theirs."""

    def explain(self, query: str) -> None:
        """Plan a query without running it; raises `InputError` when it is wrong."""

    def close(self) -> None:
        """Let go of the store; further calls fail."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
