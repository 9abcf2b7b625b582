"""Databases: the tables and views of an SQLite file or of a PostgreSQL server, read over ADBC.

They are only read. DuckDB's own extensions for them would have to be downloaded and are not used.
Nothing here repeats an address or what a server said, because both may hold a password.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from kg.errors import InputError, Unavailable
from kg.lake.held import Held, file_name
from kg.lake.lines import UnreadableFile
from kg.lake.quoting import quoted

_SQLITE = b"SQLite format 3\x00"
_BATCH_ROWS = 40_960
_CONNECT_SECONDS = 10
# What arrives as it is; everything else (numeric, json, uuid, enums, lists) arrives as text.
_TYPED = {"int2", "int4", "int8", "float4", "float8", "bool"}
_TIMES = {"timestamp", "timestamptz", "date"}


def is_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database, by its content."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def is_log(path: Path) -> bool:
    """Whether a file belongs to the SQLite database it is named after."""
    name, _, kind = path.name.rpartition("-")
    main = path.with_name(name) if name else path
    return kind in {"wal", "shm", "journal"} and is_sqlite(main)


def _written_ns(path: Path) -> int:
    """When a database was last changed; what is newest may still lie in the log beside it alone."""
    log = path.with_name(f"{path.name}-wal")
    holds_some = log.is_file() and log.stat().st_size > 0
    return max(one.stat().st_mtime_ns for one in ([path, log] if holds_some else [path]))


@contextmanager
def sqlite(path: Path) -> Iterator[list[Held]]:
    """Open an SQLite file. Every value arrives as text, as in CSV: a column may hold any type.

    Raises:
        UnreadableFile: it is damaged or locked.
    """
    from adbc_driver_manager import Error
    from adbc_driver_sqlite import dbapi

    written = _written_ns(path)
    try:
        with dbapi.connect(f"{path.absolute().as_uri()}?mode=ro") as con, con.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_BATCH_ROWS)})
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                "AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
            )
            names = [row[0] for row in cursor.fetchall()]
            yield [
                Held(file_name(name), partial(_of_sqlite, cursor, name), written) for name in names
            ]
    except Error as error:
        raise UnreadableFile("unreadable", "the database is damaged or locked") from error


def _of_sqlite(cursor: Any, name: str) -> pa.RecordBatchReader:
    def refused(error: Exception) -> Exception:
        del error
        return UnreadableFile("unreadable", "the table is damaged, or is a view that fails")

    def query() -> str:
        cursor.execute("SELECT name FROM pragma_table_info(?)", (name,))
        columns = [quoted(row[0]) for row in cursor.fetchall()]
        return f"SELECT {', '.join(map(_as_text, columns))} FROM {quoted(name)}"  # noqa: S608

    rows = _stream(cursor, query, refused)
    batches = (
        pa.RecordBatch.from_arrays(list(map(_in_utf8, batch.columns)), schema=batch.schema)
        for batch in rows
    )
    return pa.RecordBatchReader.from_batches(rows.schema, batches)


def _in_utf8(column: pa.Array) -> pa.Array:
    """Texts, of which SQLite takes any bytes; what is no UTF-8 in one is shown as `\ufffd`."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        given: list[bytes] = column.view(pa.binary()).to_pylist()
        return pa.array([text.decode(errors="replace") for text in given], pa.string())
    return column


def _as_text(column: str) -> str:
    # Never null: the driver takes the type of a column from its first rows.
    return (
        f"CASE typeof({column}) WHEN 'blob' THEN '' "
        f"ELSE coalesce(CAST({column} AS TEXT), '') END AS {column}"
    )


@contextmanager
def postgres(address: str) -> Iterator[list[Held]]:
    """Open a PostgreSQL database: its tables and views as they are at one moment.

    Args:
        address: postgresql://user@host:port/database; what it leaves out is found as every
            PostgreSQL program finds it (PGPASSWORD, PGHOST, ~/.pgpass, ...).

    Raises:
        InputError: this is no such address.
        Unavailable: it cannot be reached, refuses, or breaks off.
    """
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    try:
        # The transaction is ours: the driver's own would not come back from a failed statement.
        with (
            dbapi.connect(_patient(address), autocommit=True) as con,
            con.cursor() as cursor,
        ):
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for setting in (
                "LOCAL synchronize_seqscans = off",  # so that the same rows come in the same order
                "LOCAL max_parallel_workers_per_gather = 0",
                "LOCAL extra_float_digits = 1",
                "LOCAL DateStyle = ISO",
            ):
                cursor.execute(f"SET {setting}")
            yield list(_tables(cursor))
            cursor.execute("ROLLBACK")
    except Error as error:
        raise _refused(address, error) from None  # the driver may repeat the address


def _patient(address: str) -> str:
    """The address with a limit to waiting for a server that does not answer at all."""
    if "connect_timeout=" in address:
        return address
    return f"{address}{'&' if '?' in address else '?'}connect_timeout={_CONNECT_SECONDS}"


_REASONS = {
    "password authentication failed": "the user or the password is wrong",
    "no password supplied": "a password is needed",
    "no pg_hba.conf entry": "it lets nobody in from here",
    "does not exist": "there is no such user or database",
    "connection refused": "nothing answers there",
    "could not translate host name": "there is no such host",
    "timeout": "it did not answer in time",
    "timed out": "it did not answer in time",
    "too many": "it has too many connections",
    "ssl": "it and we do not agree on encryption",
}


def _refused(address: str, error: Exception) -> Exception:
    """What kind of failure it is, in our own words."""
    text = str(error).lower()
    if "invalid" in text and "connection" in text:
        return InputError(
            "The address of the PostgreSQL database cannot be understood.",
            hint="postgresql://USER@HOST:PORT/DATABASE; special characters in it as %2F or %40.",
        )
    reason = next((told for word, told in _REASONS.items() if word in text), "it broke off")
    # Of an address that is cut in the wrong place, what seems to be the host may be a password.
    parts = urlsplit(address)
    is_plain = address.count("@") == parts.netloc.count("@") <= 1
    host = f" on {parts.hostname or 'this machine'}" if is_plain else ""
    return Unavailable(
        f"The PostgreSQL database{host} cannot be read: {reason}.",
        hint="postgresql://USER@HOST:PORT/DATABASE with the password in PGPASSWORD or ~/.pgpass.",
    )


def _tables(cursor: Any) -> Iterator[Held]:
    """Whatever can be selected from and is no extension's; partitions only as what they are of."""
    cursor.execute(
        "SELECT n.nspname::text, c.relname::text, a.attname::text, t.typname::text, "
        "coalesce(a.attnum = ANY(i.indkey), false) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid "
        "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
        "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND n.nspname !~ '^pg_(toast|temp)' AND a.attnum > 0 AND NOT a.attisdropped "
        "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid "
        "AND d.classid = 'pg_class'::regclass AND d.deptype = 'e') "
        "ORDER BY n.nspname, c.relname, a.attnum"
    )
    found: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}
    for schema, table, column, kind, is_key in cursor.fetchall():
        found.setdefault((schema, table), []).append((column, kind, is_key))
    for (schema, table), columns in found.items():
        name = file_name(table)
        name = name if schema == "public" else f"{file_name(schema)}/{name}"
        yield Held(name, partial(_of_postgres, cursor, _query(schema, table, columns)))


def _query(schema: str, table: str, columns: list[tuple[str, str, bool]]) -> str:
    """The rows of a table, in the order of its primary key where it has one."""
    read = ", ".join(_column(quoted(column), kind) for column, kind, _ in columns)
    keys = ", ".join(quoted(column) for column, _, is_key in columns if is_key)
    order = f" ORDER BY {keys}" if keys else ""
    return f"SELECT {read} FROM {quoted(schema)}.{quoted(table)} AS t{order}"  # noqa: S608


def _column(own: str, kind: str) -> str:
    own_of_table = f"t.{own}"
    if kind in _TYPED:
        return own_of_table
    if kind in _TIMES:  # there is no infinite time in Arrow
        return f"CASE WHEN isfinite({own_of_table}) THEN {own_of_table} END AS {own}"
    if kind == "bytea":
        return f"NULL::text AS {own}"
    if kind.startswith("_"):  # an array
        return f"array_to_json({own_of_table})::text AS {own}"
    return f"{own_of_table}::text AS {own}"


def _of_postgres(cursor: Any, query: str) -> pa.RecordBatchReader:
    """A failure that concerns the table alone costs only it; one of the connection, everything."""

    def refused(error: Exception) -> Exception:
        cursor.execute("ROLLBACK TO SAVEPOINT before_table")  # raises where the server is gone
        may_not = "permission denied" in str(error).lower()
        detail = "the user may not read this table" if may_not else "the server cannot read it"
        return UnreadableFile("unreadable", detail)

    cursor.execute("SAVEPOINT before_table")
    return _stream(cursor, lambda: query, refused)


def _stream(
    cursor: Any, query: Callable[[], str], refused: Callable[[Exception], Exception]
) -> pa.RecordBatchReader:
    """The rows of a query as they come, its failures translated."""
    from adbc_driver_manager import Error

    try:
        cursor.execute(query())
        reader = cursor.fetch_record_batch()
    except (Error, pa.ArrowException, OSError) as error:
        raise refused(error) from None
    return pa.RecordBatchReader.from_batches(reader.schema, _told(reader, refused))


def _told(
    reader: pa.RecordBatchReader, refused: Callable[[Exception], Exception]
) -> Iterator[pa.RecordBatch]:
    from adbc_driver_manager import Error

    try:
        yield from reader
    except (Error, pa.ArrowException, OSError) as error:
        raise refused(error) from None
