"""A part of the lake: some records, their users, and what was decided of them."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

_RECORDS = ("record_key", "left_record_key", "right_record_key")


@dataclass(frozen=True)
class Reader:
    """A lake as a step reads it; nothing can be written."""

    lake: Any

    def table(self, name: str) -> Any:
        """A table."""
        return self.lake.table(name)

    def arrow(self, name: str, columns: list[str] | None = None) -> Any:
        """A table, or some columns of it, as Arrow."""
        return self.lake.arrow(name, columns)

    def memtable(self, data: pa.Table) -> Any:
        """Arrow data as an Ibis table that joins with those of the lake."""
        return self.lake.memtable(data)


class Part:
    """What a step reads, as if the lake held these records and these users alone.

    Args:
        step: of the lake, or a `Reader` of one.
        records: keys of the records.
        users: ids of the users; None: all of them.
    """

    def __init__(self, step: Any, records: pa.Array, users: pa.Array | None = None) -> None:
        self.step, self.lake, self.records = step, step.lake, records
        self._records = step.lake.memtable(pa.table({"key": records}))
        self._users = None if users is None else step.lake.memtable(pa.table({"id": users}))

    def table(self, name: str) -> Any:
        """The rows of a table that speak of these records only, else of these users."""
        rows = self.step.table(name)
        columns = [column for column in _RECORDS if column in rows.columns]
        for column in columns:
            rows = rows.filter(rows[column].isin(self._records.key))
        if not columns and self._users is not None and "user_id" in rows.columns:
            rows = rows.filter(rows.user_id.isin(self._users.id))
        return rows

    def arrow(self, name: str, columns: list[str] | None = None) -> Any:
        """The same as Arrow."""
        rows = self.table(name)
        return self.lake.run(rows.select(*columns) if columns else rows)

    def memtable(self, data: pa.Table) -> Any:
        """Arrow data as an Ibis table that joins with those of the lake."""
        return self.lake.memtable(data)
