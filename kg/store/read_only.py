"""Analysts' Cypher: guarded, read-only, and in a process that can be killed.

Four walls, each for what the others let through: the text and plan (`guard`); a door that cannot
write (embedded: a database opened read-only by an interface that refuses writes; Neo4j: READ
access); a process of its own, killed at its time or memory limit; a cap on rows and bytes.

Embedded, the process reads a private copy of the graph, so nothing it does touches the process
that loads or serves. On Neo4j the work is the server's: it gets the time limit too, and what is
left of a killed query is terminated there. What then still runs on: a list expression
(`reduce` over a huge range) and a regular expression have no point where the server could stop
them, and a list of a billion numbers can end a server that exits on lack of memory. Who gives raw
Cypher to people he does not know gives them a Neo4j of their own.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import (
    Conflict,
    InputError,
    NotAllowed,
    NotFound,
    PersonagraphError,
    Unavailable,
)
from kg.store.guard import check_plan, check_text
from kg.store.request import Request
from kg.store.tables import Watermark

if TYPE_CHECKING:
    from kg.settings import Settings

OVER_LIMIT = "A limit was reached"
"""How every message begins of a query that was ended, not refused."""
_NARROW = "Narrow it by a key, a range or a LIMIT, or allow it more (--seconds, --memory)."
_ANSWER_MB = 64
_START_S = 10.0  # for the process to come up; not counted against the query
_POLL_S = 0.05
_ERRORS = {kind.__name__: kind for kind in (Conflict, InputError, NotAllowed, NotFound)}


@dataclass(frozen=True)
class Answer:
    """What a query returned.

    Args:
        columns: their names.
        rows: values that JSON can hold; a node is its properties and `label`, an edge its
            properties and `type`, a path the list of both in turn.
        truncated: there were more rows than the limit.
        warnings: shapes in the text that are known to give wrong or slow answers (`kg/lint.py`),
            and names that no graph has (`kg/vocabulary.py`).
        watermark: which lake the graph shows; None: it was never loaded.
    """

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    warnings: list[str] = field(default_factory=list)
    watermark: Watermark | None = field(default=None, compare=False)


def run_read_only(
    settings: "Settings",
    workspace: Path,
    text: str,
    params: Mapping[str, Any],
    *,
    timeout_s: float = 15.0,
    max_rows: int = 1_000,
    memory_mb: int = 1_024,
) -> Answer:
    """Rows of a query that somebody typed.

    Args:
        timeout_s: seconds the query may run.
        max_rows: rows returned at most; more set `truncated`.
        memory_mb: MiB its process may hold.

    Raises:
        NotAllowed: it is not read-only, or went over its time or memory.
        InputError: the Cypher is wrong, or a parameter is missing.
        NotFound: there is no graph yet. Conflict: the database is another workspace's.
        Unavailable: the store does not answer.
    """
    from kg.lake.disk import on_disk
    from kg.lint import findings
    from kg.store.workspace import workspace_id
    from kg.vocabulary import unknown_names

    check_text(text)
    warnings = [*unknown_names(text), *findings(text)]
    limits = (max_rows, timeout_s, memory_mb, secrets.token_hex(8))
    if settings.store == "embedded":
        from kg.store.private_copy import private_copy

        with on_disk(workspace / "graph"), private_copy(workspace) as copy:
            log = str(workspace / "log")
            request = Request(text, dict(params), *limits, copy=str(copy), log=log)
            return replace(_ask(request, lambda: None), warnings=warnings)
    request = Request(
        text,
        dict(params),
        *limits,
        workspace_id=workspace_id(workspace),
        uri=settings.neo4j_uri,
        user=settings.neo4j_user,
        password=settings.neo4j_password.get_secret_value(),
    )
    answer = _ask(request, lambda: _terminate(settings, request.mark))
    return replace(answer, warnings=warnings)


def _ask(request: Request, clean_up: Any) -> Answer:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "kg.store.read_only"],  # -P: none of the files where we are
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(request),
        start_new_session=True,
    )
    try:
        reader = _Reader(process, json.dumps(asdict(request)).encode())
        reason = _watch(process, reader, request)
    finally:
        process.kill()
        process.wait()
    if reason is not None:
        clean_up()
        raise NotAllowed(f"{OVER_LIMIT}: {reason}", hint=_NARROW)
    return _decoded(reader.output)


class _Reader(threading.Thread):
    """Sends the request and takes the answer, so that the watcher is never blocked."""

    def __init__(self, process: "subprocess.Popen[bytes]", request: bytes) -> None:
        super().__init__(daemon=True)
        self._process, self._request = process, request
        self.output = b""
        self.started_at: float | None = None
        self.start()

    def run(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        try:
            self._process.stdin.write(self._request)
            self._process.stdin.close()
            first = self._process.stdout.read(1)
            if first == b"!":  # it is about to run the query
                self.started_at, first = time.monotonic(), b""
            self.output = first + self._process.stdout.read((_ANSWER_MB << 20) + 1)
        except (BrokenPipeError, ValueError):
            pass  # it was killed


def _watch(process: "subprocess.Popen[bytes]", reader: _Reader, request: Request) -> str | None:
    """Wait for the answer; why it must not be waited for any longer, or None."""
    import psutil  # type: ignore[import-untyped]

    begun = time.monotonic()
    child = psutil.Process(process.pid)
    while reader.is_alive():
        reader.join(_POLL_S)
        now = time.monotonic()
        if reader.started_at is None and now - begun > _START_S + request.timeout_s:
            raise Unavailable("The process for queries did not start in time.")
        if reader.started_at is not None and now - reader.started_at > request.timeout_s:
            return f"the query ran longer than its {request.timeout_s:g} s and was ended."
        try:
            rss_mb = child.memory_info().rss / 2**20
        except psutil.Error:
            continue  # it has just ended
        if rss_mb > request.memory_mb:
            return f"the query took more than its {request.memory_mb:,} MiB and was ended."
    if len(reader.output) > _ANSWER_MB << 20:
        return f"the answer is larger than {_ANSWER_MB} MiB."
    return None


def _decoded(output: bytes) -> Answer:
    try:
        answer = json.loads(output)
    except ValueError:
        raise NotAllowed(
            f"{OVER_LIMIT}: the query ended its process, probably for lack of memory.",
            hint=_NARROW,
        ) from None
    if "error" in answer:
        kind = _ERRORS.get(answer["error"], Unavailable)
        raise kind(answer["message"], hint=answer["hint"])
    watermark = Watermark(*answer["watermark"]) if answer["watermark"] else None
    return Answer(answer["columns"], answer["rows"], answer["truncated"], watermark=watermark)


def _environment(request: Request) -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return os.environ | {
        "PYTHONPATH": path,
        "ARCADEDB_NATIVE_ISOLATE_ARGS": f"-Xmx{max(64, request.memory_mb // 2)}m",
    }


def _terminate(settings: "Settings", mark: str) -> None:
    """End on the server what a killed process left running there."""
    from kg.store.neo4j import terminate_marked

    try:
        terminate_marked(settings, mark)
    except PersonagraphError:
        return  # the server is away, or too busy: its own time limit has to do


def _serve(request: Request) -> dict[str, Any]:
    """In the process: run the query, give back the answer."""
    rows = _embedded_rows(request) if request.copy else _neo4j_rows(request)
    watermark, columns = next(rows), next(rows)
    kept: list[list[Any]] = []
    answer = {"watermark": watermark, "columns": columns, "rows": kept, "truncated": False}
    for row in rows:
        if len(kept) == request.max_rows:
            return answer | {"truncated": True}
        kept.append(row)
    return answer


def _embedded_rows(request: Request) -> Iterator[list[Any]]:
    from kg.store.private_copy import rows_of

    _begin()
    yield from rows_of(
        Path(str(request.copy)), Path(str(request.log)), request.text, request.params
    )


def _neo4j_rows(request: Request) -> Iterator[list[Any]]:
    # The driver imports pandas when there is one: most of the time this process takes to start.
    sys.modules["pandas"] = None  # type: ignore[assignment]
    from kg.store.neo4j import marked_rows

    yield from marked_rows(request, check_plan, _begin)


def _begin() -> None:
    """Tell the parent that the query's own time begins."""
    sys.stdout.write("!")
    sys.stdout.flush()


def main() -> None:
    """One request on standard input, one answer on standard output."""
    request = Request(**json.load(sys.stdin))
    try:
        answer = _serve(request)
    except PersonagraphError as error:
        kind = next(k.__name__ for k in type(error).__mro__ if k.__module__ == "kg.errors")
        answer = {"error": kind, "message": error.message, "hint": error.hint}
    sys.stdout.write(json.dumps(answer, default=str))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
