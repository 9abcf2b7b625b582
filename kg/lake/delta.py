"""Delta tables on disk: one folder, its versions, the files of a version.

Invariant: a version, once written, is never changed or cleaned away (but for erasure), so whatever
a manifest names can be read as long as the workspace lives.
"""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions
from pyarrow.parquet import ParquetWriter

from kg.lake.disk import on_disk, refused, sync_file, sync_folder

_COMMIT = re.compile(r"(\d{20})\.json")
_RESTORED = "personagraph_restored"
_KEEP_LOG = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
_GROUP_ROWS = 122_880  # what DuckDB gives to one thread
# A dictionary of values that hardly repeat costs time and doubled the file.
_ALL_DIFFERENT = {
    "record_key",
    "left_record_key",
    "right_record_key",
    "dedupe_key",
    "text_hash",
    "content_hash",
    "raw",
    "traits",
    "attributes",
}


@dataclass(frozen=True)
class Files:
    """What one version of a table consists of: absolute Parquet paths, in the order written."""

    paths: list[str]
    columns: list[str]


@contextmanager
def on_delta(folder: Path) -> Iterator[None]:
    """Translate what delta-rs and the disk refuse to Unavailable."""
    try:
        with on_disk(folder):
            yield
    except DeltaError as error:
        raise refused(folder, error) from error


def latest_version(folder: Path) -> int | None:
    """The newest version on disk, committed by a manifest or not; None where there is no table."""
    log = folder / "_delta_log"
    if not log.is_dir():
        return None
    commits = (_COMMIT.fullmatch(file.name) for file in log.iterdir())
    return max((int(commit[1]) for commit in commits if commit), default=None)


def files_of(folder: Path, version: int) -> Files:
    """The files of one version.

    Raises:
        Unavailable: the table, or that version of it, cannot be read.
    """
    with on_delta(folder):
        table = DeltaTable(folder, version=version)
        names: list[str] = table.get_add_actions(flatten=True)["path"].to_pylist()
        columns = [field.name for field in table.schema().fields]
    # Names, not `file_uris()`: those come percent-encoded. Their order is that of writing.
    return Files([str(folder / name) for name in sorted(names)], columns)


def write(
    folder: Path,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    mode: Literal["append", "overwrite"],
) -> int:
    """Stream record batches into a table, in their order.

    delta-rs' own writer deals batches out to threads and keeps them in the order they come back
    (tried: a million sorted rows came back in 7 shuffled pieces), so the file is written here and
    only the commit is delta-rs'.

    Returns:
        The version this made.

    Raises:
        Unavailable: the disk refuses.
    """
    with on_delta(folder):
        table = None if latest_version(folder) is None else DeltaTable(folder)
        if table is not None:
            _widen(table, schema)
        folder.mkdir(exist_ok=True)
    latest = latest_version(folder)
    version = 0 if latest is None else latest + 1
    file = _part(folder, version)
    row_count = _write_file(file, schema, batches)
    added = _added(file, row_count) if row_count else []
    with on_delta(folder):
        if table is None:
            create_table_with_add_actions(
                str(folder),
                Schema.from_arrow(schema),
                added,
                configuration={"delta.enableExpiredLogCleanup": "false"},
                post_commithook_properties=_KEEP_LOG,
            )
        else:
            table.create_write_transaction(
                added, mode, schema, post_commithook_properties=_KEEP_LOG
            )
    return version


def _part(folder: Path, version: int) -> Path:
    """The one file a version adds. Before its commit nobody knows it, so it may be replaced."""
    return folder / f"part-{version:08d}.parquet"


def _widen(table: DeltaTable, schema: pa.Schema) -> None:
    """Add the columns that a newer program knows, so that the table says it has them."""
    known = {field.name for field in table.schema().fields}
    wanted = [field for field in Schema.from_arrow(schema).fields if field.name not in known]
    if wanted:
        table.alter.add_columns(wanted, post_commithook_properties=_KEEP_LOG)
        table.update_incremental()


def _write_file(file: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    """Write rows in groups of `_GROUP_ROWS` and make them durable; how many there were."""
    dictionary = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) and field.name not in _ALL_DIFFERENT
    ]
    row_count = 0
    with on_disk(file):
        writer = ParquetWriter(
            file, schema, compression="zstd", compression_level=1, use_dictionary=dictionary
        )
    try:
        for group in _groups(schema, batches):
            row_count += group.num_rows
            with on_disk(file):
                writer.write_table(group, row_group_size=_GROUP_ROWS)
    finally:
        with on_disk(file):
            writer.close()
    with on_disk(file):
        sync_file(file)
    return row_count


def _groups(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(held.num_rows for held in waiting) >= _GROUP_ROWS:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


def _added(file: Path, row_count: int) -> list[AddAction]:
    stat = file.stat()
    return [
        AddAction(
            path=file.name,
            size=stat.st_size,
            partition_values={},
            modification_time=stat.st_mtime_ns // 1_000_000,
            data_change=True,
            stats=json.dumps({"numRecords": row_count}),
        )
    ]


def heal(folder: Path, version: int | None) -> bool:
    """Take back what no manifest has committed.

    Args:
        version: the committed version; None when the table was never committed.

    Returns:
        Whether there was anything to take back.
    """
    latest = latest_version(folder)
    with on_disk(folder):
        # First of all: on a full disk this makes the room that the rest needs.
        _part(folder, 0 if latest is None else latest + 1).unlink(missing_ok=True)
    if folder.is_dir() and version is None:
        with on_disk(folder):
            orphan = folder.with_name(f".{folder.name}.orphan")
            shutil.rmtree(orphan, ignore_errors=True)
            folder.rename(orphan)
            shutil.rmtree(orphan)
        return True
    if version is None or latest is None or latest <= version:
        return False
    with on_delta(folder):
        table = DeltaTable(folder)
        if table.history(1)[0].get(_RESTORED) == str(version):
            return False
        table.restore(
            version, commit_properties=CommitProperties(custom_metadata={_RESTORED: str(version)})
        )
    return True


def sync(folder: Path, after: int) -> None:
    """Make the commits after a version durable, before a manifest names them."""
    log = folder / "_delta_log"
    with on_disk(folder):
        for entry in log.iterdir():
            number = entry.name[:20]
            if not number.isdigit() or int(number) > after:
                sync_file(entry)
        for place in (log, folder, folder.parent):
            sync_folder(place)
