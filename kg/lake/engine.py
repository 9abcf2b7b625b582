"""DuckDB in memory, spoken to through Ibis: it computes, it keeps nothing.

Invariant: whatever a table expression names is fixed when it is made (a version, an Arrow table);
no later write changes what it gives.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from ibis.expr.operations import InMemoryTable
from ibis.formats.pyarrow import PyArrowData

from kg.errors import Unavailable
from kg.lake.delta import Files
from kg.lake.disk import on_disk, refused
from kg.lake.quoting import quoted
from kg.lake.spoken import DuckDB

_BATCH_ROWS = 122_880
_PATTERN = re.compile(r"[*?\[]")
_MEMORY = "4GB"
_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.list_(pa.string()): "VARCHAR[]",
    pa.list_(pa.float32()): "FLOAT[]",
}
_KINDS: dict[str, type[duckdb.Error]] = {
    "IO Error": duckdb.IOException,
    "Out of Memory Error": duckdb.OutOfMemoryException,
    "FATAL Error": duckdb.FatalException,
}
_HOLD_BACK = {"ORDER_BY", "TOP_N", "HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY", "WINDOW"}
"""Steps that give no row before they have seen all."""
_COPY_OPTIONS = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER",
    "ndjson": "FORMAT json, ARRAY false",
}


@contextmanager
def on_engine(place: Path) -> Iterator[None]:
    """What DuckDB cannot do here and now becomes Unavailable; our own bad SQL stays itself."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise Unavailable(
            f"The engine ran out of memory ({_MEMORY}) while it worked on {place}.",
            hint="Close other programs, or work on less data at once.",
        ) from error
    except (duckdb.IOException, duckdb.FatalException) as error:
        raise refused(place, error) from error


def told(stream: pa.RecordBatchReader, place: Path) -> pa.RecordBatchReader:
    """A stream of DuckDB whose failures are those of `on_engine`.

    Inside a stream every failure of DuckDB is an OSError without a number.
    """
    return pa.RecordBatchReader.from_batches(stream.schema, _told(stream, place))


def _told(stream: pa.RecordBatchReader, place: Path) -> Iterator[pa.RecordBatch]:
    with on_engine(place):
        try:
            yield from stream
        except OSError as error:
            kind = str(error).partition(":")[0]
            raise _KINDS.get(kind, duckdb.Error)(str(error)) from error


class Engine:
    """One in-memory DuckDB.

    Args:
        spill: folder for what does not fit into memory; made when needed.
    """

    def __init__(self, spill: Path) -> None:
        self._home = spill.parent
        self._spill = spill / str(os.getpid())
        self._con: Any = DuckDB().connect(
            memory_limit=_MEMORY,
            temp_directory=str(self._spill),
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
        )
        self._con.raw_sql("SET GLOBAL TimeZone = 'UTC'")
        self._count = 0

    def table(self, name: str, schema: pa.Schema, files: Files | None) -> Any:
        """An Ibis table over Parquet files, or an empty one (None), with the schema's columns."""
        self._count += 1
        view = f"{name}_{self._count}"
        known = set(files.columns if files and files.paths else [])
        columns = ", ".join(
            f"CAST({quoted(field.name) if field.name in known else 'NULL'} "
            f"AS {_SQL_TYPES[field.type]}) AS {quoted(field.name)}"
            for field in schema
        )
        if files and files.paths:
            source = f" FROM read_parquet({listed(files.paths)}, union_by_name = true)"
        else:
            source = " WHERE false"
        with on_engine(self._home):
            self._con.raw_sql(f"CREATE VIEW {quoted(view)} AS SELECT {columns}{source}")
            return self._con.table(view)

    def arrow(self, expression: Any) -> pa.Table:
        """The rows of an Ibis expression."""
        with on_engine(self._home):
            # Not `execute`: that streams; see `_unites`.
            result = self._connection(expression).sql(self._con.compile(expression))
            # As Ibis itself does, whose own way imports pandas: seconds, for every command.
            return PyArrowData.convert_table(result.to_arrow_table(), expression.schema())

    def batches(self, expression: Any) -> pa.RecordBatchReader:
        """The rows of an Ibis expression as a stream, whatever else is asked meanwhile."""
        query = self._con.compile(expression)
        with on_engine(self._home):
            connection = self._connection(expression)
            if _unites(connection, query):
                connection.execute(f"CREATE TEMP TABLE united AS {query}")
                query = "FROM united"
            result = connection.execute(query)
            return told(result.to_arrow_reader(_BATCH_ROWS), self._home)

    def keep(self, expression: Any) -> Any:
        """The rows of an Ibis expression as a table in memory, which spills, until `forget`."""
        self._count += 1
        name = f"kept_{self._count}"
        typed = ", ".join(  # the engine's sums of integers are wider than Ibis says
            f"CAST({quoted(column)} AS {self._con.compiler.type_mapper.to_string(kind)}) "
            f"AS {quoted(column)}"
            for column, kind in expression.schema().items()
        )
        rows = self._con.compile(expression)
        query = f"CREATE TABLE {name} AS SELECT {typed} FROM ({rows})"  # noqa: S608 - Ibis quotes
        with on_engine(self._home):
            self._connection(expression).execute(query)
            return self._con.table(name)

    def forget(self, table: Any) -> None:
        """Drop what `keep` made."""
        with on_engine(self._home):
            self._con.drop_table(table.get_name())

    def copy(self, expression: Any, file: Path, kind: str) -> int:
        """Write the rows of an Ibis expression, in their order, to one file; how many."""
        target = "'" + str(file).replace("'", "''") + "'"
        query = f"COPY ({self._con.compile(expression)}) TO {target} ({_COPY_OPTIONS[kind]})"
        with on_engine(file):
            (row_count,) = self._connection(expression).execute(query).fetchone()
        return int(row_count)

    def _connection(self, expression: Any) -> Any:
        # One for each stream: the next query on a connection ends its open stream, silently.
        connection = self._con.con.cursor()
        for node in expression.op().find(InMemoryTable):
            # A table, not the Arrow data itself: its scan refuses some filters of joins.
            connection.register("given_rows", node.data.to_pyarrow(node.schema))
            connection.execute(f"CREATE TEMP TABLE {quoted(node.name)} AS FROM given_rows")
        return connection

    def close(self) -> None:
        """Forget everything and remove what was put aside."""
        self._con.disconnect()
        shutil.rmtree(self._spill, ignore_errors=True)


def _unites(connection: Any, query: str) -> bool:
    """Whether a query's rows come out of a UNION as they are made.

    As a stream such a query can wait for ever (DuckDB 1.5, duckdb/duckdb#22215): what its second
    part joins with is only built once the first part is through, which waits to be read, which
    waits for everything to be built. It takes two large parts, half a million rows on two cores.
    """
    (_, plan) = connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchone()
    waiting = list(json.loads(plan))
    while waiting:
        step = waiting.pop()
        name = step["name"].strip()
        if name == "UNION":
            return True
        if name not in _HOLD_BACK:
            waiting += step["children"]
    return False


def is_whole(file: Path) -> bool:
    """Whether every value of a Parquet file can be read; a million rows take a tenth of a second.

    In an engine of its own: a damaged file can end the one that meets it.
    """
    try:
        with duckdb.connect() as con:
            rows = f"read_parquet({listed([file])})"
            con.execute(f"SELECT bit_xor(hash(r)) FROM {rows} AS r")  # noqa: S608 - listed() quotes
    except (duckdb.OutOfMemoryException, MemoryError):
        raise
    except duckdb.Error:
        return False
    return True


def sweep(spill: Path) -> None:
    """Remove what processes that are gone have put aside."""
    with on_disk(spill):
        for folder in spill.iterdir() if spill.is_dir() else ():
            if not _is_running(folder.name):
                shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    return True


def listed(paths: Iterable[Path | str]) -> str:
    """Files as the engine wants them listed, each one itself and no pattern."""
    literal = (_PATTERN.sub(r"[\g<0>]", str(path)).replace("'", "''") for path in paths)
    return "[" + ", ".join(f"'{path}'" for path in literal) + "]"
