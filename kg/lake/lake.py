"""The lake as a reader sees it: the tables of one moment, as Ibis and Arrow.

Invariant: a reader is pinned to one manifest; it never waits for the writer, never makes it wait,
and never sees a table that a manifest does not name. Not for use by several threads at once: each
opens its own.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import ibis
import pyarrow as pa

from kg.lake.delta import Files, files_of
from kg.lake.engine import Engine
from kg.lake.manifest import Manifest, last_manifest, number_of, read_manifest
from kg.lake.tables import schema_of
from kg.lake.workspace import Workspace

if TYPE_CHECKING:
    from kg.lake.writer import Writer


class Lake:
    """Tables as of a manifest; open with `Lake.open`, write with `Lake.writer`."""

    def __init__(self, workspace: Workspace, head: Manifest | None) -> None:
        self.workspace = workspace
        self.head = head
        self._engine = Engine(workspace.spill)
        self._tables: dict[tuple[str, int | None], Any] = {}

    @classmethod
    def open(cls, path: Path) -> "Lake":
        """Read a workspace as of its newest run.

        Raises:
            NotFound: the path is not a workspace.
            Conflict: its format is newer than this program.
            Unavailable: it cannot be read.
        """
        workspace = Workspace.open(path)
        return Lake(workspace, read_manifest(workspace.runs))

    @staticmethod
    def writer(path: Path) -> "Writer":
        """Be the one writer of a workspace, within a `with`; makes the workspace if need be."""
        from kg.lake.writer import Writer

        return Writer(Workspace.create(path))

    def at(self, number: int) -> "Lake":
        """The lake as run `number` left it, as a reader of its own.

        Raises:
            NotFound: there is no such run.
        """
        return Lake(self.workspace, read_manifest(self.workspace.runs, number))

    def earlier(self, name: str) -> Iterator[Any]:
        """A table as earlier runs left it, the newest first, each version once."""
        seen = {self.version(name), None}
        for number in range((self.head.number if self.head else 0) - 1, 0, -1):
            manifest = read_manifest(self.workspace.runs, number)
            version = manifest.tables.get(name) if manifest else None
            if version not in seen:
                seen.add(version)
                yield self._pinned(name, version)

    def at_run(self, run_id: str) -> "Lake":
        """The lake as the newest run of this id left it, as a reader of its own.

        Raises:
            NotFound: there is no such run.
        """
        return self.at(number_of(self.workspace.runs, run_id))

    def refresh(self) -> None:
        """Move on to the newest run; expressions made before keep their rows."""
        self.head = read_manifest(self.workspace.runs)

    def table(self, name: str) -> Any:
        """An Ibis table; empty and typed when nothing was ever written to it."""
        return self._pinned(name, self.version(name))

    def arrow(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """A table, or some columns of it, as Arrow, in the order written."""
        table = self.table(name)
        return self._engine.arrow(table.select(*columns) if columns else table)

    def share(self, name: str, engine: Engine) -> Any:
        """A table, as `table`, on another engine: read from its files there, not copied."""
        version = self.version(name)
        files = None if version is None else files_of(self.workspace.lake / name, version)
        return engine.table(name, schema_of(name), files)

    def rows_of(self, name: str, paths: list[str], columns: list[str]) -> Any:
        """The rows of a table that lie in these files of it, as an Ibis table."""
        return self._engine.table(name, schema_of(name), Files(paths, columns))

    def last(self, step: str) -> Manifest | None:
        """The newest manifest of a step; None when it has not run."""
        return last_manifest(self.workspace.runs, step) if self.step_id(step) else None

    def memtable(self, data: pa.Table) -> Any:
        """Arrow data as an Ibis table that joins with those of the lake."""
        return ibis.memtable(data)

    def run(self, expression: Any) -> pa.Table:
        """The rows of an Ibis expression over tables of this lake."""
        return self._engine.arrow(expression)

    def batches(self, expression: Any) -> pa.RecordBatchReader:
        """The rows of an Ibis expression as a stream, whatever else is asked meanwhile."""
        return self._engine.batches(expression)

    def copy(self, expression: Any, file: Path, kind: str) -> int:
        """Write the rows of an Ibis expression, in their order, to a new file; how many.

        Args:
            kind: parquet, csv or ndjson.

        Raises:
            Unavailable: the disk refuses.
        """
        return self._engine.copy(expression, file, kind)

    def version(self, name: str) -> int | None:
        """The Delta version of a table in this lake; None when it was never written."""
        schema_of(name)
        return self.head.tables.get(name) if self.head else None

    def step_id(self, step: str) -> str | None:
        """The id of the latest run of a step; None when it has not run."""
        return self.head.steps[step]["run_id"] if self.head and step in self.head.steps else None

    def summary(self, step: str) -> dict[str, Any]:
        """What the latest run of a step found; empty when it has not run."""
        return _summary(self.head, step)

    def summary_at(self, run_id: str, step: str) -> dict[str, Any]:
        """The same as the newest run of this id left it.

        Raises:
            NotFound: there is no such run.
        """
        runs = self.workspace.runs
        return _summary(read_manifest(runs, number_of(runs, run_id)), step)

    def run_hint(self) -> str:
        """What to do where a step has not run: wait for who is writing now, or run."""
        return self.workspace.run_hint(self.head.steps if self.head else ())

    def close(self) -> None:
        """Let go of the engine; every expression of this lake ends with it."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _pinned(self, name: str, version: int | None) -> Any:
        key = (name, version)
        if key not in self._tables:
            files = None if version is None else files_of(self.workspace.lake / name, version)
            self._tables[key] = self._engine.table(name, schema_of(name), files)
        return self._tables[key]


def _summary(manifest: Manifest | None, step: str) -> dict[str, Any]:
    if manifest is None or step not in manifest.steps:
        return {}
    return dict(manifest.steps[step]["summary"])
