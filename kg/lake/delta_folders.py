"""Delta tables that others have written: a folder that is one table as of its newest version, what
it has deleted left out. (The lake's own tables are `kg.lake.delta`.)"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.lake.held import Held
from kg.lake.lines import UnreadableFile
from kg.lake.quoting import quoted

LOG = "_delta_log"


def is_delta(folder: Path) -> bool:
    """Whether a folder is a Delta table; one that may not be looked into is not."""
    return os.path.isdir(folder / LOG)


def delta(folder: Path) -> Held:
    """The table of a Delta folder.

    Raises:
        UnreadableFile: its log is damaged, or it needs what cannot be read here.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        table = DeltaTable(folder.absolute())
        written_ms = int(table.history(1)[0]["timestamp"])
        schema = pa.schema(table.schema().to_arrow())
    except (DeltaError, pa.ArrowException, OSError, ValueError, LookupError) as error:
        raise UnreadableFile("unreadable", "the log of the Delta table is damaged") from error
    return Held("", partial(_read, table, schema), written_ms * 1_000_000)


def _read(table: Any, schema: pa.Schema) -> pa.RecordBatchReader:
    """By the library's own engine, which alone knows deletion vectors and mapped columns."""
    from deltalake import QueryBuilder

    names = ", ".join(map(quoted, schema.names))
    try:
        engine = QueryBuilder().register("t", table)
        # One file after another, so that equal tables give equal streams.
        engine.execute("SET datafusion.execution.target_partitions = 1").read_all()
        rows = pa.RecordBatchReader.from_stream(engine.execute(f"SELECT {names} FROM t"))  # noqa: S608
    except Exception as error:  # it has no error of its own
        raise UnreadableFile("unreadable", "the Delta table cannot be read") from error
    return pa.RecordBatchReader.from_batches(schema, _batches(rows, schema))


def _batches(rows: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    try:
        for batch in rows:
            yield batch.cast(schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        told = "a file of the Delta table is missing or damaged"
        raise UnreadableFile("unreadable", told) from error
