"""What the names of folders say of the rows in them: `year=2026/month=1/orders.parquet` is of the
year 2026 and the month 1, which stands in no column of the file."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet

from kg.lake.files import LINE, Staged
from kg.lake.lines import UnreadableFile

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def values_in(name: str) -> dict[str, str | None]:
    """Column -> value, of a file's name relative to the data folder."""
    found: dict[str, str | None] = {}
    for part in PurePosixPath(name).parts[:-1]:
        column, sign, value = part.partition("=")
        if sign and column:
            found[unquote(column)] = None if value in {_NO_VALUE, ""} else unquote(value)
    return found


def partitioned(name: str) -> tuple[str, str] | None:
    """The folder above the first `key=value` of a file's name (empty: the data folder itself) and
    how the names of its files end; None: it lies in no such folder."""
    path = PurePosixPath(name)
    parts = path.parts[:-1]
    first = next((n for n, part in enumerate(parts) if part.partition("=")[0] and "=" in part), -1)
    if first < 0 or any(mark in part for part in parts[:first] for mark in "*?["):
        return None
    packed = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
    return "/".join(parts[:first]), "".join(packed)


def every_partition(name: str) -> str | None:
    """The glob of all partitions of the table that a file is a part of: `orders/**/*.parquet`."""
    found = partitioned(name)
    return None if found is None else "/".join(filter(None, (found[0], f"**/*{found[1]}")))


def with_values(staged: Staged, values: Mapping[str, str | None], into: Path) -> Staged:
    """The same rows with what their folders say as further columns of texts, in a file of its own;
    a column that the file has already stays as it is, and so do JSON lines.

    Raises:
        UnreadableFile: the file is damaged.
    """
    known = {name.lower() for name in staged.columns}
    new = {name: value for name, value in values.items() if name.lower() not in known}
    if not new or LINE in staged.columns:
        return staged
    try:
        with pa.parquet.ParquetFile(staged.path) as file:
            schema = file.schema_arrow.remove_metadata()
            for name in new:
                schema = schema.append(pa.field(name, pa.string()))
            with pa.parquet.ParquetWriter(into, schema, compression="lz4") as out:
                for batch in file.iter_batches():
                    added = [pa.repeat(pa.scalar(value, pa.string()), len(batch))
                             for value in new.values()]  # fmt: skip
                    out.write_batch(
                        pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema)
                    )
    except pa.ArrowException as error:
        raise UnreadableFile("unreadable", "this is not a whole Parquet file") from error
    columns = staged.columns | dict.fromkeys(new, pa.string())
    return Staged(into, staged.shape, columns, staged.rows, staged.warnings)
