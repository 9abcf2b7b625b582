"""An engine for reading a folder of files: in memory, spilling to a folder that is gone after use.

It owns staging and what is computed between a file and the lake; nothing in it outlives the block.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet

from kg.lake.files import PATH, POSITION, PROBLEM, RAW, Shape, Staged, stage

_MEMORY_LIMIT = "3GB"


class Scratch:
    """Stages files and computes over them; `Scratch.open` is the way to one."""

    def __init__(self, folder: Path, connection: Any) -> None:
        self.folder = folder
        self._connection = connection
        self._number = 0

    @classmethod
    @contextmanager
    def open(cls, beside: Path | None = None) -> Iterator["Scratch"]:
        """An engine whose files lie in a new folder inside `beside` (default: the system's)."""
        folder = Path(tempfile.mkdtemp(prefix="reading-", dir=beside))
        connection = ibis.duckdb.connect(
            memory_limit=_MEMORY_LIMIT,
            threads=os.cpu_count() or 1,
            temp_directory=str(folder / "spill"),
            preserve_insertion_order=False,
        )
        connection.raw_sql("SET TimeZone = 'UTC'")
        try:
            yield cls(folder, connection)
        finally:
            connection.disconnect()
            shutil.rmtree(folder, ignore_errors=True)

    def stage(
        self, path: Path, shape: Shape, *, encoding: str = "utf-8", delimiter: str | None = None
    ) -> Staged:
        """Make a file readable as columns; raises UnreadableFile."""
        return stage(path, shape, self._new_file(), encoding=encoding, delimiter=delimiter)

    def rows(self, files: Sequence[Staged]) -> ibis.Table:
        """The rows of files of one shape, their columns matched by name, with `_path`,
        `_position` (1-based), `_problem` and `_raw` (of rows that could not be read)."""
        paths = [str(file.path) for file in files]
        ours = files[0].shape != "parquet"
        options = {"union_by_name": True, "filename": True, "file_row_number": not ours}
        rows = self._connection.read_parquet(paths, **options)
        if not ours:
            nothing = ibis.null("string")
            rows = rows.mutate(
                **{POSITION: rows.file_row_number + 1, PROBLEM: nothing, RAW: nothing}
            ).drop("file_row_number")
        return rows.rename({PATH: "filename"})

    def keep(self, rows: ibis.Table) -> ibis.Table:
        """Compute once: the rows, written to the scratch folder and read from there."""
        file = self._new_file()
        self._connection.to_parquet(rows, file, compression="lz4")
        return self._connection.read_parquet(file)

    def view(self, rows: ibis.Table) -> ibis.Table:
        """The same rows under a name of their own: what is built on them neither repeats nor
        recompiles how they are made."""
        self._number += 1
        return self._connection.create_view(f"rows_{self._number}", rows)

    def memtable(self, table: pa.Table) -> ibis.Table:
        """Arrow data as a table of this engine."""
        file = self._new_file()
        pa.parquet.write_table(table, file)
        return self._connection.read_parquet(file)

    def batches(self, rows: ibis.Table) -> pa.RecordBatchReader:
        """Stream the rows."""
        return self._connection.to_pyarrow_batches(rows, chunk_size=128 * 1024)

    def arrow(self, rows: ibis.Table) -> pa.Table:
        """The rows, all of them: for small answers."""
        return self._connection.to_pyarrow(rows)

    def _new_file(self) -> Path:
        self._number += 1
        return self.folder / f"{self._number:06d}.parquet"
