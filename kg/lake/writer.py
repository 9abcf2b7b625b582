"""The one writer: steps that write tables first and their manifest last.

Invariant: a step is visible whole or not at all. Whatever a step that failed, or a process that
was killed, has left in the tables is taken back before the next step builds on them.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pyarrow as pa

from kg.errors import Unavailable
from kg.lake import delta
from kg.lake.code import code_version
from kg.lake.delta import files_of
from kg.lake.disk import on_disk
from kg.lake.engine import sweep
from kg.lake.fit import Fitted
from kg.lake.lake import Lake
from kg.lake.manifest import Manifest, read_manifest, write_manifest
from kg.lake.tables import TABLES, WrongTable, schema_of
from kg.lake.workspace import Workspace


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Plan:
    """What makes a run the run it is; equal plans have equal ids.

    Args:
        step: name of the step.
        inputs: what it builds on -> the id of the run (or the hash of the file) that made it.
        config: its parameters, JSON.
        seed: of its random numbers.
        code: which program.
    """

    step: str
    inputs: Mapping[str, str | None]
    config: Mapping[str, Any]
    seed: int
    code: str

    @property
    def run_id(self) -> str:
        """16 hex digits."""
        content = {
            "step": self.step,
            "inputs": dict(self.inputs),
            "config": dict(self.config),
            "seed": self.seed,
            "code": self.code,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Writer(Lake):
    """A lake that can be written to while its `with` block lasts."""

    def __init__(self, workspace: Workspace, clock: Callable[[], datetime] = _now) -> None:
        self.workspace = workspace
        self._clock = clock
        self._lock: AbstractContextManager[None] | None = None
        self._is_healthy = False

    def __enter__(self) -> Self:
        lock = self.workspace.locked()
        lock.__enter__()
        try:
            super().__init__(self.workspace, read_manifest(self.workspace.runs))
            self._tidy()
            self.heal()
        except BaseException:
            lock.__exit__(None, None, None)
            raise
        self._lock = lock
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if self._lock is not None:
            self._lock.__exit__(None, None, None)
            self._lock = None

    @contextmanager
    def step(
        self,
        name: str,
        *,
        inputs: Mapping[str, str | None] | None = None,
        config: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> Iterator["Step"]:
        """Run a step; leaving the block commits it, leaving it by an error takes it back."""
        if not self._is_healthy:
            self.heal()
        step = Step(self, Plan(name, dict(inputs or {}), dict(config or {}), seed, code_version()))
        started_at = self._clock()
        try:
            yield step
            if not step.done:
                self._commit(step, started_at)
        except BaseException:
            self._is_healthy = False
            # The error that matters is the first; what cannot be taken back now (a full disk)
            # is taken back before the next step, or by the next writer.
            with suppress(Unavailable):
                self.heal()
            raise
        finally:
            step.forget()

    def heal(self) -> list[str]:
        """Take back whatever no manifest has committed; the tables it was found in."""
        # As the disk has it: an interruption may have come between a manifest and our knowing it.
        self.refresh()
        committed = self.head.tables if self.head else {}
        lake = self.workspace.lake
        # What was never committed goes first: its room may be needed to take back the rest.
        names = sorted(TABLES, key=lambda name: name in committed)
        healed = [name for name in names if delta.heal(lake / name, committed.get(name))]
        self._is_healthy = True
        return healed

    def _commit(self, step: "Step", started_at: datetime) -> None:
        for name in step.writes:
            before = self.version(name)
            delta.sync(self.workspace.lake / name, after=-1 if before is None else before)
        head = self.head
        manifest = Manifest(
            number=head.number + 1 if head else 1,
            step=step.name,
            run_id=step.id,
            started_at=started_at.isoformat(),
            finished_at=self._clock().isoformat(),
            config=dict(step.plan.config),
            inputs=dict(step.plan.inputs),
            seed=step.plan.seed,
            code_version=step.plan.code,
            reads=dict(sorted(step.reads.items())),
            writes=dict(sorted(step.writes.items())),
            tables={**(head.tables if head else {}), **step.writes},
            steps={
                **(head.steps if head else {}),
                step.name: {"run_id": step.id, "summary": step.summary},
            },
        )
        with on_disk(self.workspace.runs):
            write_manifest(self.workspace.runs, manifest)
        self.head = manifest
        self._clear_aside(f"{step.name}-{'?' * len(step.id)}")

    def _clear_aside(self, pattern: str) -> None:
        for folder in self.workspace.aside.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)

    def _tidy(self) -> None:
        sweep(self.workspace.spill)
        for name, latest in (self.head.steps if self.head else {}).items():
            self._clear_aside(f"{name}-{latest['run_id']}")  # killed once it was committed
        with on_disk(self.workspace.runs):
            for file in self.workspace.runs.glob(".*.tmp"):
                file.unlink(missing_ok=True)


class Step:
    """One step under way; made by `Writer.step`."""

    def __init__(self, lake: Writer, plan: Plan) -> None:
        self.lake = lake
        self.plan = plan
        self.name = plan.step
        self.id = plan.run_id
        self.done = lake.step_id(plan.step) == self.id
        self.summary: dict[str, Any] = lake.summary(plan.step) if self.done else {}
        self.reads: dict[str, int] = {}
        self.writes: dict[str, int] = {}
        self._kept: list[Any] = []

    def table(self, name: str) -> Any:
        """An Ibis table with what this step has written so far."""
        version = self._version(name)
        if version is not None and name not in self.writes:
            self.reads[name] = version
        return self.lake._pinned(name, version)

    def arrow(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """A table, or some columns of it, as Arrow, with what this step has written so far."""
        table = self.table(name)
        return self.lake.run(table.select(*columns) if columns else table)

    def memtable(self, data: pa.Table) -> Any:
        """Arrow data as an Ibis table that joins with those of the lake."""
        return self.lake.memtable(data)

    def keep(self, expression: Any) -> Any:
        """An Ibis expression computed once, to be asked several times while the step lasts."""
        self._kept.append(self.lake._engine.keep(expression))
        return self._kept[-1]

    def forget(self) -> None:
        """Drop what `keep` made."""
        while self._kept:
            self.lake._engine.forget(self._kept.pop())

    def aside(self, name: str) -> Path:
        """A file of this step's own that outlives an interruption: the same step, begun again,
        finds it there. It is gone once the step is committed, and is no one else's.

        Raises:
            Unavailable: the disk refuses its folder.
        """
        folder = self.lake.workspace.aside / f"{self.name}-{self.id}"
        with on_disk(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / name

    def overwrite(self, table: str, data: Any) -> int:
        """Replace all rows of a table.

        Args:
            table: name of the table.
            data: an Ibis expression, a `pa.Table` or a `pa.RecordBatchReader` with its columns
                (any order, `run_id` is filled in).

        Returns:
            How many rows were written.

        Raises:
            WrongTable: the data does not fit the table.
            Unavailable: the disk refuses.
        """
        rows = Fitted(table, self._stream(data), self.id)
        self._write(table, rows, "overwrite")
        return rows.row_count

    def append(self, table: str, data: Any) -> int:
        """Add rows to a table; as `overwrite`."""
        rows = Fitted(table, self._stream(data), self.id)
        self._write(table, rows, "append")
        return rows.row_count

    def rewrite(self, table: str, kept: Any, data: pa.Table, order: Sequence[str] = ()) -> int:
        """Keep some rows of a table, which keep their run id, and add new ones.

        Args:
            table: name of the table.
            kept: an Ibis expression of its rows that stay, as `self.table(table)` has them.
            data: the new rows, as in `overwrite`.
            order: columns to sort all rows by; none: those that are kept come first, as they were.

        Returns:
            How many rows were added.
        """
        new = Fitted(table, data.to_reader(), self.id)
        if not order:
            old = Fitted(table, self.lake.batches(kept), run_id=None)
            self._write(table, chain(old, new), "overwrite")
            return new.row_count
        names = schema_of(table).names
        added = pa.Table.from_batches(list(new), schema_of(table))
        added = pa.table({name: added[name] for name in names})  # the engine's columns may be null
        rows = kept.select(*names).union(self.memtable(added)).order_by(*order)
        self._write(table, Fitted(table, self.lake.batches(rows), run_id=None), "overwrite")
        return new.row_count

    def added(self, table: str, since: Manifest) -> Any | None:
        """The rows that a table has got since a run; None: others are gone, or may be."""
        before, now = since.tables.get(table), self._version(table)
        files = [
            None if version is None else files_of(self.lake.workspace.lake / table, version)
            for version in (before, now)
        ]
        old, new = (set() if one is None else set(one.paths) for one in files)
        if not old <= new:
            return None
        if now is not None:
            self.reads.setdefault(table, now)
        return self.lake.rows_of(table, sorted(new - old), files[1].columns if files[1] else [])

    def replace_sources(self, table: str, sources: list[str], data: Any) -> int:
        """Drop the rows read from these sources and add new ones; the others keep their run id.

        Args:
            table: a table with `source`, or with `record_key` (the records that the last committed
                run names for the sources).
            sources: files as in `records.source`.
            data: the new rows, as in `overwrite`.

        Returns:
            How many rows were added.
        """
        kept = self._without(table, sources)
        if kept is None:
            return self.append(table, data)
        old = Fitted(table, self.lake.batches(kept), run_id=None)
        new = Fitted(table, self._stream(data), self.id)
        self._write(table, chain(old, new), "overwrite")
        return new.row_count

    def _without(self, table: str, sources: list[str]) -> Any:
        """The rows of a table that were not read from these sources; None: there are no rows."""
        names = schema_of(table).names
        if not {"source", "record_key"} & set(names):
            raise WrongTable(f"{table} has neither source nor record_key.")
        if not sources or self._version(table) is None:
            return None
        rows = self.table(table)
        if "source" in names:
            return rows.filter(~rows.source.isin(sources))
        records = self.lake.table("records")
        gone = records.source.isin(sources) & (records.status == "accepted")
        gone = records.filter(gone).select("record_key")
        return rows.anti_join(gone, "record_key")

    def _stream(self, data: Any) -> pa.RecordBatchReader:
        if isinstance(data, pa.RecordBatchReader):
            return data
        return data.to_reader() if isinstance(data, pa.Table) else self.lake.batches(data)

    def _version(self, name: str) -> int | None:
        return self.writes[name] if name in self.writes else self.lake.version(name)

    def _write(
        self, table: str, rows: Iterable[pa.RecordBatch], mode: Literal["append", "overwrite"]
    ) -> None:
        if self.done:
            raise WrongTable(f"The step {self.name} is done; it must not write to {table}.")
        folder = self.lake.workspace.lake / table
        self.writes[table] = delta.write(folder, schema_of(table), iter(rows), mode)
