"""Where what a pass decided is written: in place of everything, or of the rows of whom it is about.

Invariant: rows of people that the pass was not about stay as they are, with the run that made them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.scope import Scope
from ingestion.identity.users import Users


@dataclass(frozen=True)
class Output:
    """The tables of one pass.

    Attributes:
        step: of the lake.
        source: what to read: the step, or the part of it that the pass is about, as it is now.
        scope: whom the pass is about; None: everybody.
        ids: the users they were and are.
    """

    step: Any
    source: Any
    scope: Scope | None
    ids: pa.Array

    @classmethod
    def of(cls, step: Any, scope: Scope | None, users: Users) -> "Output":
        """For the users that a pass has found."""
        if scope is None:
            return cls(step, step, None, users.ids)
        ids = pa.concat_arrays([scope.users, users.ids]).unique()
        return cls(step, scope.part.of_users(ids), scope, ids)

    def records(self, name: str, rows: pa.Table) -> None:
        """Rows of records; only added to where none of theirs changes."""
        if self.scope is None:
            self.step.overwrite(name, rows)
            return
        had = self.source.arrow(name, rows.column_names)
        lost, new = _without(had, rows), _without(rows, had)
        if not len(lost):
            self.step.append(name, new)
            return
        self.step.rewrite(name, self._kept(name, "record_key", self.scope.records), rows)

    def users(self, name: str, rows: Any, order: Sequence[str]) -> Any:
        """Rows of users, sorted by these columns; gives them back, to be read."""
        if self.scope is None:
            self.step.overwrite(name, rows)
            return self.step.table(name)
        rows = rows if isinstance(rows, pa.Table) else self.step.lake.run(rows)
        self.step.rewrite(name, self._kept(name, "user_id", self.ids), rows, order)
        return self.step.memtable(rows)

    def places(self, what: str, places: pa.Table, members: pa.Table, ids: pa.Array) -> None:
        """Accounts or households (`ids`: of those that may have changed), and who is of them."""
        for name, rows in ((f"{what}s", places), (f"{what}_members", members)):
            if self.scope is None:
                self.step.overwrite(name, rows)
            elif len(ids):
                self.step.rewrite(name, self._kept(name, f"{what}_id", ids), rows)

    def pairs(
        self, name: str, rows: pa.Table, in_order: Callable[[Any, pa.Table], pa.Table]
    ) -> None:
        """Rows of pairs of records, in an order that depends on all of them."""
        if self.scope is not None:
            kept = self._kept(name, "left_record_key", self.scope.records)
            others = self.step.lake.run(kept.select(*rows.column_names))
            rows = pa.concat_tables([others.cast(rows.schema), rows])
        self.step.overwrite(name, in_order(self.step, rows))

    def _kept(self, name: str, column: str, gone: pa.Array) -> Any:
        rows = self.step.table(name)
        keys = self.step.memtable(pa.table({"gone": gone}))
        return rows.anti_join(keys, [(column, "gone")])


def _without(rows: pa.Table, others: pa.Table) -> pa.Table:
    """The rows that are not among others, sorted."""
    columns = rows.column_names
    # Arrow joins nothing on a null.
    said, known = (
        pa.table({name: _filled(table[name]) for name in columns}) for table in (rows, others)
    )
    place = pa.array(range(len(said)), pa.int64())
    left = said.append_column("place", place).join(known, columns, join_type="left anti")
    return rows.take(left["place"].combine_chunks().sort())


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(column, "\0") if pa.types.is_string(column.type) else column
