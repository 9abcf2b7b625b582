"""ArcadeDB's native build: how it is set up, started, and how its errors become ours.

The library reads its environment once, when it is first imported; so it is imported here only, by
`engine()`. It does not survive a fork: processes that use it are spawned.
"""

import os
import socket
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from kg.errors import Conflict, PersonagraphError, Unavailable
from kg.lake.disk import is_refusal, on_disk, refused
from kg.store import stderr

DATABASE = "graph"
_FAILURES = "graph-failures.log"
_SETTING_UP = threading.Lock()
_HEAP = "-Xmx2g"  # 256m serves 3.6 M records; a bulk load of them peaks near 1.3 GB


class Running(NamedTuple):
    """A server of this process."""

    server: Any
    port: int


def engine(log: Path) -> Any:
    """The library, set up at its first use: bounded heap, all that it says in `log`."""
    with _SETTING_UP:
        return sys.modules.get("arcadedb") or _set_up(log)


def _set_up(log: Path) -> Any:
    log.mkdir(mode=0o700, parents=True, exist_ok=True)
    stderr.send_native(log)
    ours = {
        "ARCADEDB_NATIVE_ISOLATE_ARGS": _HEAP,
        "ARCADEDB_LOG_CONSOLE": "0",
        "ARCADEDB_LOG_DIR": str(log.resolve()),
    }
    added = {name: value for name, value in ours.items() if name not in os.environ}
    os.environ.update(added)
    try:
        import arcadedb

        arcadedb.database_exists(str(log / "none"))  # starts the engine, which reads them now
    finally:
        for name in added:  # another workspace's process is not to inherit them
            del os.environ[name]
    return arcadedb


def start_server(root: Path, password: str, log: Path) -> Running:
    """Serve the database under `root` over Bolt, on loopback and a free port.

    The HTTP listener cannot be turned off: it stays on loopback, on a port the system chooses,
    behind the same password; its MCP endpoint is off by default.

    Raises:
        Conflict: another process has the database open. Unavailable: the engine failed.
    """
    library = engine(log)
    port = _free_port()
    config = {
        "mode": "production",  # one fdatasync per commit
        "host": "127.0.0.1",
        "http_port": 0,
        "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "bolt_port": port,
        "bolt_host": "127.0.0.1",
    }
    server = library.create_server(str(root.resolve()), root_password=password, config=config)
    try:
        server.start()
        server.get_database(DATABASE)
    except library.ArcadeDBError as error:
        server.stop()
        raise engine_error(error, log) from error
    return Running(server, port)


def database_path(root: Path) -> Path:
    """Where the database of a server's root lies."""
    return root.resolve() / "databases" / DATABASE


def engine_error(error: Exception, log: Path) -> PersonagraphError:
    """Our error for one of the engine's.

    What we have no words for is put into `log` whole, since it may repeat values of the data; a
    disk that refuses even this is the error then.
    """
    text = str(error)
    if "locked by another process" in text or "needs recovery" in text:
        return Conflict(
            "Another process has the graph open and does not answer.",
            hint="Wait for it to end, or end it; nothing is lost by that.",
        )
    if is_refusal(error):
        return refused(log.parent, error)
    file = log / _FAILURES
    with on_disk(file):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(descriptor, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"{datetime.now(UTC).isoformat()} {text}\n")
    return Unavailable("The embedded graph store failed.", hint=f"{file} says why.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
