"""A part of the lake: some records, their users, and what was decided of them."""

from copy import copy
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from ingestion.identity.standing import AUTHOR, MODEL_AUTHOR

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

    def keep(self, expression: Any) -> Any:
        """The same expression: a reader asks once."""
        return expression


class Part:
    """What a step reads, as if the lake held these records and these users alone.

    A table is searched for them once; the rows are kept for as long as the step lasts.

    Args:
        step: of the lake, or a `Reader` of one.
        records: keys of the records.
        users: ids of the users; None: all of them.
    """

    def __init__(self, step: Any, records: pa.Array, users: pa.Array | None = None) -> None:
        self.step, self.lake, self.records = step, step.lake, records
        self._records = step.keep(step.memtable(pa.table({"key": records})))
        self._users = None if users is None else step.keep(step.memtable(pa.table({"id": users})))
        self._found: dict[str, tuple[Any, Any]] = {}

    def table(self, name: str) -> Any:
        """The rows of a table that speak of these records only, else of these users; all that
        people said."""
        whole = self.step.table(name)  # another one once the step has written to it
        if name not in self._found or self._found[name][0] is not whole:
            self._found[name] = whole, self.step.keep(self._mine(whole))
        return self._found[name][1]

    def of_users(self, users: pa.Array) -> "Part":
        """The same records, and other users."""
        other = copy(self)
        other._users = self.step.keep(self.step.memtable(pa.table({"id": users})))
        other._found = {n: row for n, row in self._found.items() if _ends(row[0])}
        return other

    def _mine(self, rows: Any) -> Any:
        columns = _ends(rows)
        here = [rows[column].isin(self._records.key) for column in columns]
        if here and "author" in rows.columns:  # a verdict of a person may name what is no more
            rows = rows.filter(ibis.and_(*here) | ~rows.author.isin([AUTHOR, MODEL_AUTHOR]))
        elif here:
            rows = rows.filter(*here)
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


def _ends(rows: Any) -> list[str]:
    """The columns of a table that name records."""
    return [column for column in _RECORDS if column in rows.columns]
