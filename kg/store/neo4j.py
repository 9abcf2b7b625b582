"""The Neo4j store: a server someone else runs, 5.26 or later, with Graph Data Science.

One workspace per database: the watermark says whose it is, and another workspace may not write.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import neo4j
import numpy as np
from neo4j import graph

from kg import queries
from kg.errors import Conflict, InputError, PersonagraphError
from kg.progress import Progress, silent
from kg.settings import Settings
from kg.store.bolt import BoltStore, open_driver, our_errors
from kg.store.communities import canonical_edges, improved, numbered_by_first_member
from kg.store.request import Request
from kg.store.tables import GraphTables, Watermark

OLDEST = (5, 26)
_INDEX_SECONDS = 300
_PROJECTION = "personagraph"


class Neo4jStore(BoltStore):
    """One Neo4j database; see `Store` for what the methods promise."""

    name: queries.Dialect = "neo4j"

    def migrate(self) -> None:
        self.refuse_foreign()
        super().migrate()
        self.run("store/await_indexes", {"seconds": _INDEX_SECONDS})

    def refuse_foreign(self) -> None:
        """Refuse to write into what is not this workspace's.

        Raises:
            Conflict: the database belongs to another workspace, or holds something else.
        """
        found = self.watermark()
        refuse_other_workspace(found.workspace if found else None, self.workspace_id)
        if found is None:
            if not self.run("graph/is_empty")[0]["empty"]:
                raise Conflict(
                    "This Neo4j database holds data that is not Personagraph's.",
                    hint="Use a database of its own, or empty it first.",
                )
            super().set_watermark(Watermark(self.workspace_id))

    def bulk_load(self, graph: GraphTables, progress: Progress = silent) -> None:
        self.migrate()
        for label, table in graph.nodes.items():
            self.write_nodes(label, table, graph.run_id, progress)
        for edges in graph.edges:
            self.write_edges(edges, graph.run_id, progress)
        types = sorted({edges.kind.type for edges in graph.edges})
        self.remove_stale(sorted(graph.nodes), types, graph.run_id)

    def leiden(
        self,
        n: int,
        source: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        resolution: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        low, high, weights = canonical_edges(source, target, weight)
        groups = np.arange(n, 2 * n, dtype=np.int64)
        if len(low) == 0:  # GDS fails on a graph without relationships
            return numbered_by_first_member(groups)
        ids, found = self._gds_leiden(_rows(n, low, high, weights), resolution, seed)
        groups[ids] = found
        better = improved(groups, low, high, weights, resolution=resolution, seed=seed)
        return numbered_by_first_member(better)

    def terminate(self, mark: str) -> None:
        """End the transactions that carry a mark, at their next safe point."""
        query, given = self._resolve("store/transactions_of", {"mark": mark})
        ids = [row["id"] for row in self._auto_commit(query.text, given)]
        if ids:
            query, given = self._resolve("store/terminate", {"ids": ids})
            self._auto_commit(query.text, given)

    def _gds_leiden(
        self, rows: list[list[Any]], resolution: float, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        from graphdatascience import GraphDataScience

        with our_errors():
            gds = GraphDataScience(
                self._driver,
                aura_ds=False,
                arrow=False,
                database=self._database,
                show_progress=False,
            )
            gds.graph.drop(_PROJECTION, fail_if_missing=False)
            project = queries.named("store/project_edges", self.name)
            gds.run_cypher(project.text, {"graph": _PROJECTION, "rows": rows})
            graph = gds.graph.get(_PROJECTION)
            try:
                frame = gds.leiden.stream(
                    graph,
                    relationship_weight_property="weight",
                    gamma=resolution,
                    random_seed=seed,
                    concurrency=1,
                    log_progress=False,
                )
            finally:
                gds.graph.drop(_PROJECTION, fail_if_missing=False)
        return frame["nodeId"].to_numpy(np.int64), frame["communityId"].to_numpy(np.int64)


def _rows(n: int, low: np.ndarray, high: np.ndarray, weight: np.ndarray) -> list[list[Any]]:
    """Sorted `[source, target, weight]`, then one `[node, null, null]` for each lone node."""
    lone = np.setdiff1d(np.arange(n), np.union1d(low, high))
    edges = [list(row) for row in zip(low.tolist(), high.tolist(), weight.tolist(), strict=True)]
    return edges + [[node, None, None] for node in lone.tolist()]


def refuse_other_workspace(owner: str | None, workspace_id: str) -> None:
    """Refuse a database whose watermark names another workspace.

    Raises:
        Conflict: it is not ours.
    """
    if owner not in (None, workspace_id):
        raise Conflict(
            "This Neo4j database belongs to another workspace.",
            hint="Use one database per workspace, or empty it first.",
            owner=owner,
        )


def check_version(version: str) -> None:
    """Refuse a Neo4j that is too old.

    Raises:
        InputError: older than 5.26, or not a version.
    """
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise InputError(
            f"Neo4j {version} is too old; 5.26 is the oldest that works.",
            hint="Use the 5.26 LTS line or a 2026 one; docker-compose.yml has a tested one.",
            version=version,
        )


def open_neo4j(settings: Settings, workspace_id: str, *, write: bool) -> Neo4jStore:
    """Reach the Neo4j of the settings, and check that it can serve.

    Raises:
        Unavailable: nothing answers, or the database is offline.
        InputError: wrong user or password, older than 5.26, or without Graph Data Science.
        Conflict: the database belongs to another workspace or, to write, is not empty.
    """
    password = settings.neo4j_password.get_secret_value()
    auth = (settings.neo4j_user, password) if password else None
    store = Neo4jStore(open_driver(settings.neo4j_uri, auth), None, workspace_id)
    try:
        check_version(store.run("store/version")[0]["version"])
        _check_gds(store)
        if write:
            store.migrate()
        found = store.watermark()
        refuse_other_workspace(found.workspace if found else None, workspace_id)
    except PersonagraphError:
        store.close()
        raise
    return store


def _check_gds(store: Neo4jStore) -> None:
    try:
        store.run("store/gds_version")
    except InputError as error:
        raise InputError(
            "This Neo4j has no Graph Data Science library.",
            hint="Install the GDS plugin that fits this Neo4j, or set PERSONAGRAPH_STORE=embedded.",
        ) from error


def marked_rows(
    request: Request, check: Callable[[str | None, Any], None], begin: Callable[[], None]
) -> Iterator[list[Any]]:
    """The watermark (empty: none is set), the columns of an analyst's query, then its rows.

    With READ access, and the server's time limit too.

    Raises:
        NotAllowed: its plan is not read-only. InputError: the Cypher is wrong.
    """
    auth = (str(request.user), request.password) if request.password else None
    with (
        our_errors(),
        open_driver(str(request.uri), auth) as driver,
        driver.session(default_access_mode=neo4j.READ_ACCESS, fetch_size=1_000) as session,
    ):
        begin()
        limits = {"timeout": request.timeout_s, "metadata": {"personagraph": request.mark}}
        owner = session.run(queries.named("graph/watermark", "neo4j").text).data()
        refuse_other_workspace(owner[0]["workspace"] if owner else None, request.workspace_id)
        yield list(owner[0].values()) if owner else []
        plan = session.run(neo4j.Query("EXPLAIN " + request.text, **limits), request.params)  # type: ignore[arg-type]
        summary = plan.consume()
        check(summary.query_type, summary.plan)
        result = session.run(neo4j.Query(request.text, **limits), request.params)  # type: ignore[arg-type]
        yield list(result.keys())
        for record in result:
            yield [_plain(value) for value in record.values()]


def _plain(value: Any) -> Any:
    """A value as JSON holds it; see `read_only.Answer`."""
    if isinstance(value, graph.Node):
        return {"label": next(iter(value.labels), "")} | {k: _plain(v) for k, v in value.items()}
    if isinstance(value, graph.Relationship):
        return {"type": value.type} | {k: _plain(v) for k, v in value.items()}
    if isinstance(value, graph.Path):
        steps: list[Any] = [value.nodes[0]]
        for edge, node in zip(value.relationships, value.nodes[1:], strict=True):
            steps += [edge, node]
        return [_plain(step) for step in steps]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "srid"):
        return [_plain(item) for item in value]
    return value.iso_format() if hasattr(value, "iso_format") else value


def terminate_marked(settings: Settings, mark: str) -> None:
    """`Neo4jStore.terminate` on the Neo4j of the settings."""
    password = settings.neo4j_password.get_secret_value()
    auth = (settings.neo4j_user, password) if password else None
    with Neo4jStore(open_driver(settings.neo4j_uri, auth), None, "") as store:
        store.terminate(mark)
