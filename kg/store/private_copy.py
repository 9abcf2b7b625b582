"""A copy of the embedded graph that analysts' queries may read, and the reading itself.

The copy is of one moment and shared by the queries until the graph changes; it is made of files
copied whole (links would share what the serving process goes on writing) and opened read-only, so
that any number of processes read it at once without a lock.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kg import queries
from kg.errors import Conflict, InputError, NotAllowed, PersonagraphError, Unavailable
from kg.store.engine import DATABASE, engine
from kg.store.generations import Generations, Hold, hold, remove_unheld

_TRIES = 10
_NOT_DATA = {"database.lck"}
_PATH = re.compile(r"\(#\d+:\d+\)(?:<?-\[#\d+:\d+\]->?\(#\d+:\d+\))*")
_TOO_MUCH = ("OutOfMemory", "Limit of allowed elements", "heap budget", "exceeding the maximum")
_RECORD = re.compile(r"#\d+:\d+")


@contextmanager
def private_copy(workspace: Path) -> Iterator[Path]:
    """The folder of a copy of the current graph, kept while the block lasts.

    Raises:
        NotFound: there is no graph yet. Conflict: it changes faster than it can be copied.
    """
    generations = Generations(workspace)
    source = generations.hold()
    try:
        held = _copy_of(generations.root, source.path / "databases" / DATABASE)
    finally:
        source.release()
    try:
        yield held.path
    finally:
        held.release()


def _copy_of(root: Path, database: Path) -> Hold:
    for _ in range(_TRIES):
        state = _state(database)
        copy = root / f"read-{state}"
        if copy.is_dir():
            held = hold(copy)
            if held is not None:
                return held
        _make_copy(root, database, state)
    raise Conflict("The graph is changing faster than it can be copied.", hint="Try again later.")


def _state(database: Path) -> str:
    """Names the content of a database's files: any write changes it."""
    entries = []
    for entry in os.scandir(database):
        with suppress(FileNotFoundError):
            if entry.name not in _NOT_DATA:
                found = entry.stat()
                entries.append(f"{entry.name} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(entries)).encode()).hexdigest()[:16]


def _make_copy(root: Path, database: Path, state: str) -> None:
    """Copy the files; keep the copy only when nothing was written meanwhile."""
    fresh = root / f"copying-{secrets.token_hex(8)}"
    fresh.mkdir(mode=0o700)
    held = hold(fresh)
    try:
        with suppress(FileNotFoundError):  # a file that went away: the state has changed
            skip = shutil.ignore_patterns(*_NOT_DATA)
            shutil.copytree(database, fresh / DATABASE, ignore=skip)
        if _state(database) == state:
            with suppress(OSError):  # another process was first
                fresh.rename(root / f"read-{state}")
    except OSError as error:
        raise Unavailable("The graph could not be copied.", hint="Is the disk full?") from error
    finally:
        if held is not None:
            held.release()
    for old in root.iterdir():
        if old.name.startswith(("read-", "copying-")) and old.name != f"read-{state}":
            remove_unheld(old)


def rows_of(copy: Path, log: Path, text: str, params: dict[str, Any]) -> Iterator[list[Any]]:
    """The watermark (empty: none is set), the columns of a query, then its rows as they are found.

    Raises:
        InputError: the Cypher is wrong. NotAllowed: it would write.
    """
    library = engine(log)
    database = _open(library, copy)
    try:
        marks = database.query("opencypher", queries.named("graph/watermark", "embedded").text, {})
        yield next(([row.get(name) for name in row.property_names] for row in marks), [])
        result = database.query("opencypher", text, params)
        columns: list[str] | None = None
        for row in result:
            if columns is None:
                columns = list(row.property_names)
                yield columns
            yield [_plain(database, row.get(name)) for name in columns]
        if columns is None:
            yield []
    except library.ArcadeDBError as error:
        raise _query_error(error) from error


def _open(library: Any, copy: Path) -> Any:
    """Open read-only; a copy of a database that was open has to be recovered once before."""
    path = str(copy / DATABASE)
    descriptor = os.open(copy / "opening", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not (copy / "recovered").exists():
            library.open_database(path).close()
            (copy / "recovered").touch()
        return library.DatabaseFactory(path).open(read_only=True)
    except library.ArcadeDBError as error:
        raise Unavailable("The copy of the graph does not open.", hint="Try again.") from error
    finally:
        os.close(descriptor)


def _query_error(error: Exception) -> PersonagraphError:
    text = str(error)
    if "NotIdempotent" in text:
        return NotAllowed("This query is not read-only.", hint="Only runs write; read instead.")
    fact = re.sub(r"^.*?Exception: |\(caused by.*", "", text.splitlines()[0]).strip()
    if any(sign in text for sign in _TOO_MUCH):
        return NotAllowed(
            "A limit was reached: the query ran out of memory.",
            hint="Narrow it by a key or a LIMIT.",
        )
    return InputError(f"The query is wrong: {fact}", hint="Read it again at that place.")


def _plain(database: Any, value: Any) -> Any:
    """A value as JSON holds it: nodes, edges and paths without the engine's record ids."""
    if isinstance(value, dict):
        kept = {k: _plain(database, v) for k, v in value.items() if not k.startswith("@")}
        if "@rid" not in value:
            return kept
        known = {name: item for name, item in kept.items() if item is not None}
        return {_kind(value["@type"]): value["@type"]} | known
    if isinstance(value, list | tuple):
        return [_plain(database, item) for item in value]
    if isinstance(value, str) and _PATH.fullmatch(value):
        found = [database.lookup_by_rid(rid) for rid in _RECORD.findall(value)]
        marks = [{"@rid": record.get_rid(), "@type": record.get_type_name()} for record in found]
        return [
            _plain(database, record.to_dict() | mark)
            for record, mark in zip(found, marks, strict=True)
        ]
    return value


def _kind(type_name: str) -> str:
    """Labels are PascalCase, types of edges UPPER_SNAKE."""
    return "type" if type_name.isupper() else "label"
