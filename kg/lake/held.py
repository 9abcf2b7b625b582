"""Tables that lie in something else than a file of their own: a sheet of a workbook, a table of a
database, a Delta folder. Each is read as a stream of Arrow batches and becomes a Parquet file.

A table that cannot be read becomes a note instead, and whoever opens that file is told the reason,
so that it is reported like any other file and costs no other table anything.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from kg.lake.disk import on_disk
from kg.lake.lines import UnreadableFile, write_note


@dataclass(frozen=True)
class Held:
    """One table of several that lie together.

    Attributes:
        name: as a file, relative to what it lies in; "" where it is the only one.
        read: opens the stream; both this and the stream may raise UnreadableFile.
        written_ns: when it was last changed (epoch nanoseconds), where that is known.
    """

    name: str
    read: Callable[[], pa.RecordBatchReader]
    written_ns: int | None = None


def file_name(name: str) -> str:
    """The name of a table as one part of a path; different names stay different."""
    name = name.replace("%", "%25").replace("/", "%2F").replace("\0", "%00")
    return f"%2E{name[1:]}" if name.startswith(".") else name or "%"


def write_held(one: Held, target: Path) -> None:
    """Write a table's rows as they stream; equal rows make equal bytes.

    Raises:
        Unavailable: the disk refuses, or the database breaks off.
    """
    with on_disk(target.parent):
        try:
            _write(one.read(), target)
        except UnreadableFile as error:
            write_note(target, error)
        if one.written_ns is not None:
            os.utime(target, ns=(one.written_ns, one.written_ns))


def _write(rows: pa.RecordBatchReader, target: Path) -> None:
    with pa.parquet.ParquetWriter(target, rows.schema, compression="lz4") as out:
        for batch in rows:
            out.write_batch(batch)
