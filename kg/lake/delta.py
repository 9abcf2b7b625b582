"""Delta tables on disk: one folder, its versions, the files of a version.

Invariant: a version, once written, is never changed or cleaned away (but for erasure), so whatever
a manifest names can be read as long as the workspace lives.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError

from kg.lake.disk import on_disk, refused, sync_file, sync_folder

_COMMIT = re.compile(r"(\d{20})\.json")
_OS_ERROR = re.compile(r"os error (\d+)")
_RESTORED = "personagraph_restored"
_KEEP_LOG = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
_PARQUET = WriterProperties(compression="ZSTD", compression_level=1, max_row_group_size=122_880)


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
        number = _OS_ERROR.search(str(error))
        raise refused(folder, int(number[1]) if number else None, error) from error


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
        actions = pa.table(table.get_add_actions(flatten=True))
        columns = [field.name for field in table.schema().fields]
    # Names, not `file_uris()`: those come percent-encoded.
    rows = sorted(
        zip(actions["modification_time"].to_pylist(), actions["path"].to_pylist(), strict=True)
    )
    return Files([str(folder / name) for _, name in rows], columns)


def write(
    folder: Path, data: pa.RecordBatchReader, mode: Literal["append", "overwrite"], run_id: str
) -> int:
    """Stream record batches into a table.

    Returns:
        The version this made.

    Raises:
        Unavailable: the disk refuses.
    """
    with on_delta(folder):
        write_deltalake(
            folder,
            data,
            mode=mode,
            schema_mode="overwrite" if mode == "overwrite" else "merge",
            configuration={"delta.enableExpiredLogCleanup": "false"},
            writer_properties=_PARQUET,
            commit_properties=CommitProperties(custom_metadata={"run_id": run_id}),
            post_commithook_properties=_KEEP_LOG,
        )
    version = latest_version(folder)
    if version is None:
        raise AssertionError(f"{folder} has no version after a write")
    return version


def heal(folder: Path, version: int | None) -> bool:
    """Take back what no manifest has committed.

    Args:
        version: the committed version; None when the table was never committed.

    Returns:
        Whether there was anything to take back.
    """
    latest = latest_version(folder)
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


def sync(folder: Path, paths: list[str]) -> None:
    """Make a version durable before a manifest names it: its files, its log and their names."""
    log = folder / "_delta_log"
    with on_disk(folder):
        for path in paths:
            sync_file(Path(path))
        for entry in log.iterdir():
            sync_file(entry)
        for place in (log, folder, folder.parent):
            sync_folder(place)


def metadata_of(folder: Path) -> dict[str, Any]:
    """What the newest commit of a table says of itself."""
    with on_delta(folder):
        return dict(DeltaTable(folder).history(1)[0])
