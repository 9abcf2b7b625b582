"""What both stores share: the official driver, errors, retries, batches.

Neither Cypher nor errors differ between the stores here; only how a store is opened, loaded in
bulk and clustered does, and that is in `embedded.py` and `neo4j.py`.
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import neo4j
import pyarrow as pa
from neo4j import exceptions as foreign

from kg import queries
from kg.errors import Conflict, InputError, NotAllowed, PersonagraphError, Unavailable
from kg.progress import Progress, silent
from kg.schema import EdgeKind
from kg.store.protocol import Rows
from kg.store.tables import EdgeTable, Watermark, conform_edges, conform_nodes

BATCH_ROWS = 5_000  # 1 000 and 20 000 rows were both slower (reference: neo4j.md, section 5)
_CONSTRAINT_TRIES = 5
_RETRY_SECONDS = 15.0
_DEFAULT_PORT = 7687


class Mapped(NamedTuple):
    """What a driver's error becomes."""

    error: type[PersonagraphError]
    message: str
    hint: str | None = None


_AWAY = "Start the store, or check PERSONAGRAPH_STORE and PERSONAGRAPH_NEO4J_URI."
_AGAIN = "Run the same again; the store's log may say more."
_LOGIN = "Check PERSONAGRAPH_NEO4J_USER and PERSONAGRAPH_NEO4J_PASSWORD."

# The nearest class up the driver's tree decides. Messages carry the store's own text only where
# it speaks of the query, never where it may repeat a row's values.
ERRORS: dict[type[Exception], Mapped] = {
    foreign.ServiceUnavailable: Mapped(
        Unavailable, "The graph store{place} does not answer.", _AWAY
    ),
    foreign.SessionExpired: Mapped(Unavailable, "The graph store ended the session.", _AWAY),
    foreign.TransientError: Mapped(Unavailable, "The graph store was too busy.", _AGAIN),
    foreign.DatabaseUnavailable: Mapped(
        Unavailable,
        "The graph database is offline.",
        "Look at the store's log; it may need repair.",
    ),
    foreign.DatabaseError: Mapped(
        Unavailable, "The graph store failed inside.", "Its log says why; is its disk full?"
    ),
    foreign.AuthError: Mapped(InputError, "The graph store refused the user or password.", _LOGIN),
    foreign.TokenExpired: Mapped(InputError, "The graph store's login has expired.", _LOGIN),
    foreign.Forbidden: Mapped(NotAllowed, "The graph store forbids this.", _LOGIN),
    foreign.ConfigurationError: Mapped(InputError, "The graph store's address is wrong.", _AWAY),
    foreign.ConstraintError: Mapped(
        Conflict, "A constraint of the graph forbids this write.", _AGAIN
    ),
    foreign.ClientError: Mapped(
        InputError, "The graph store refused the query: {text}", "Read it again at that place."
    ),
    foreign.Neo4jError: Mapped(Unavailable, "The graph store failed: {code}.", _AGAIN),
    foreign.DriverError: Mapped(Unavailable, "The connection to the graph store failed.", _AGAIN),
    OSError: Mapped(Unavailable, "The graph store{place} cannot be reached.", _AWAY),
    ValueError: Mapped(InputError, "The graph store's address is wrong.", _AWAY),
}


def translated(error: Exception, uri: str | None = None) -> PersonagraphError:
    """Our error for one of the driver's; `uri`: the address that was tried, where that is known."""
    mapped = next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)
    text = getattr(error, "message", None) or type(error).__name__
    code = getattr(error, "code", None)
    place = _place(uri) if uri else ""
    message = mapped.message.format(text=text.splitlines()[0], code=code, place=place)
    facts = {"code": code} if code else {}
    return mapped.error(message, hint=mapped.hint, **facts)


def _place(uri: str) -> str:
    """` at host:port` of an address, without the user and password that it may hold."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError:
        return ""
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":  # a password that was not quoted
        return ""
    named = f"[{host}]" if host and ":" in host else host
    return f" at {named}:{port}" if named else ""


@contextmanager
def our_errors() -> Iterator[None]:
    """Let nothing of the driver's errors out."""
    try:
        yield
    except (foreign.Neo4jError, foreign.DriverError) as error:
        raise translated(error) from error


def checked_params(query: queries.Query, params: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters, complete and with nothing left over.

    Raises:
        InputError: missing or unknown names, or a time that is not UTC (a region's time zone
            can crash the driver).
    """
    given = dict(params or {})
    missing, left = query.params.keys() - given.keys(), given.keys() - query.params.keys()
    if missing or left:
        raise InputError(
            f"{query.name} takes the parameters {sorted(query.params)}, got {sorted(given)}.",
            query=query.name,
        )
    refuse_local_times(given)
    return given


def refuse_local_times(params: Mapping[str, Any]) -> None:
    """Refuse a datetime whose zone is not UTC."""
    for name, value in params.items():
        if isinstance(value, datetime) and value.tzinfo is not UTC:
            raise InputError(f"${name} is a time; pass UTC epoch milliseconds.")


def snake(name: str) -> str:
    """`PersonaVersion` -> `persona_version`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def node_query(label: str) -> str:
    """The name of the query that writes nodes of a label."""
    return f"graph/write/{snake(label)}"


def edge_query(kind: EdgeKind) -> str:
    """The name of the query that writes edges of a kind."""
    return f"graph/write/{snake(kind.start)}_{kind.type.lower()}_{snake(kind.end)}"


class BoltStore:
    """A graph store reached with the official driver; see `Store` for what the methods promise."""

    name: queries.Dialect
    workspace_id: str

    def __init__(self, driver: neo4j.Driver, database: str | None, workspace_id: str) -> None:
        self._driver = driver
        self._database = database
        self.workspace_id = workspace_id
        self._process = os.getpid()

    def run(self, query: str, params: Mapping[str, Any] | None = None) -> Rows:
        found, given = self._resolve(query, params)
        return self._managed(found, given, neo4j.READ_ACCESS)

    def write(self, query: str, params: Mapping[str, Any] | None = None) -> Rows:
        found, given = self._resolve(query, params)
        return self._managed(found, given, neo4j.WRITE_ACCESS)

    def write_nodes(
        self, label: str, table: pa.Table, run_id: str, progress: Progress = silent
    ) -> int:
        rows = conform_nodes(label, table, run_id).sort_by("id")
        return self._write_batches(node_query(label), rows, f"{label} nodes", progress)

    def write_edges(self, edges: EdgeTable, run_id: str, progress: Progress = silent) -> int:
        rows = conform_edges(edges, run_id)
        rows = rows.sort_by([("start", "ascending"), ("end", "ascending")])
        return self._write_batches(
            edge_query(edges.kind), rows, f"{edges.kind.type} edges", progress
        )

    def _write_batches(self, query: str, table: pa.Table, what: str, progress: Progress) -> int:
        if table.num_rows == 0:
            return 0
        with progress.task(what, table.num_rows) as task:
            for offset in range(0, table.num_rows, BATCH_ROWS):
                batch = table.slice(offset, BATCH_ROWS)
                self.write(query, {"rows": batch.to_pylist()})
                task.advance(batch.num_rows)
        return int(table.num_rows)

    def remove_stale(self, labels: list[str], types: list[str], run_id: str) -> None:
        for name, params in (
            ("graph/remove_stale_edges", {"types": types, "run_id": run_id}),
            ("graph/remove_stale_nodes", {"labels": labels, "run_id": run_id}),
        ):
            query, given = self._resolve(name, params)
            self._auto_commit(query.text, given)

    def migrate(self) -> None:
        for migration in queries.migrations(self.name):
            for statement in migration.statements:
                self._auto_commit(statement, {})

    def watermark(self) -> Watermark | None:
        rows = self.run("graph/watermark")
        return Watermark(**rows[0]) if rows else None

    def set_watermark(self, watermark: Watermark) -> None:
        self.write(
            "graph/set_watermark",
            {
                "workspace": watermark.workspace,
                "graph": watermark.graph,
                "claims": watermark.claims,
            },
        )

    def is_current(self) -> bool:
        return True  # a store that keeps generations says otherwise

    def explain(self, query: str) -> None:
        found = queries.named(query, self.name) if is_name(query) else None
        params = dict.fromkeys(found.params) if found else {}
        for statement in found.statements if found else (query,):
            self._auto_commit("EXPLAIN " + statement, params)

    def close(self) -> None:
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _resolve(
        self, query: str, params: Mapping[str, Any] | None
    ) -> tuple[queries.Query, dict[str, Any]]:
        if is_name(query):
            found = queries.named(query, self.name)
            return found, checked_params(found, params)
        refuse_local_times(params or {})
        return queries.Query("text", query, "", {}, {}), dict(params or {})

    def _managed(self, query: queries.Query, params: dict[str, Any], access: str) -> Rows:
        def work(tx: neo4j.ManagedTransaction) -> Rows:
            # The text comes from a file of ours, or from our own code, never from a row.
            return [record.data() for record in tx.run(query.text, params)]

        with our_errors(), self._session(access) as session:
            if access == neo4j.READ_ACCESS:
                return session.execute_read(work)
            return _retried(lambda: session.execute_write(work))

    def _auto_commit(self, text: str, params: dict[str, Any]) -> Rows:
        with our_errors(), self._session(neo4j.WRITE_ACCESS) as session:
            return session.run(text, params).data()

    def _session(self, access: str) -> neo4j.Session:
        if os.getpid() != self._process:
            raise Conflict(
                "The graph store was opened before this process was forked.",
                hint="Start processes with spawn and open the store in each.",
            )
        return self._driver.session(
            database=self._database, default_access_mode=access, fetch_size=BATCH_ROWS
        )


def is_name(query: str) -> bool:
    """Whether this is the name of a query rather than Cypher."""
    return re.fullmatch(r"[a-z0-9_]+(/[a-z0-9_]+)+", query) is not None


def _retried(work: Callable[[], Rows]) -> Rows:
    """Two writers that merge the same key can lose to a constraint; the second try finds it."""
    for attempt in range(1, _CONSTRAINT_TRIES):
        try:
            return work()
        except foreign.ConstraintError:
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311 - no secret
    return work()


def open_driver(uri: str, auth: tuple[str, str] | None) -> neo4j.Driver:
    """A driver that has reached its server.

    Raises:
        Unavailable: nothing answers there. InputError: address, user or password are wrong.
    """
    try:
        driver = neo4j.GraphDatabase.driver(
            uri,
            auth=auth,
            connection_timeout=5.0,
            connection_acquisition_timeout=15.0,
            max_transaction_retry_time=_RETRY_SECONDS,
            notifications_min_severity="OFF",
            user_agent="personagraph",
        )
    except (foreign.Neo4jError, foreign.DriverError, ValueError, OSError) as error:
        raise translated(error, uri) from error
    try:
        driver.verify_connectivity()
    except (foreign.Neo4jError, foreign.DriverError, ValueError, OSError) as error:
        driver.close()
        raise translated(error, uri) from error
    return driver
