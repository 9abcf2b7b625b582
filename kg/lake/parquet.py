"""Parquet files that are not tables of the lake, written in pieces: what `simulate` leaves."""

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet


class ParquetFile:
    """A Parquet file that grows by row groups; the same pieces make the same bytes."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self._writer = pa.parquet.ParquetWriter(path, schema, compression="zstd")

    def __enter__(self) -> "ParquetFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._writer.close()

    def write(self, columns: dict[str, object]) -> None:
        """Append rows given as columns (lists or arrays) of the schema; None is null."""
        self._writer.write_table(pa.table(columns, schema=self.schema))


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The rows of such a file."""
    return pa.parquet.read_table(path, columns=columns)
