"""Data on its way into a table: cast to the table's types and checked, batch by batch.

Invariant: nothing reaches a table that loses a value by a cast, lacks a column, has one too many,
or is null where the table says never.
"""

from collections.abc import Iterator

import pyarrow as pa

from kg.lake.tables import WrongTable, schema_of

# What may become what without a change of meaning; values are still checked by a safe cast.
_MAY_BECOME = {
    "null": {"string", "integer", "float", "bool", "list"},
    "string": {"string"},
    "integer": {"integer", "float"},
    "float": {"float"},
    "decimal": {"integer", "float"},
    "bool": {"bool"},
    "list": {"list"},
}


class Fitted:
    """A stream of batches made to fit a table.

    Args:
        table: name of the table.
        data: batches with its columns, in any order; a `run_id` among them is replaced
            unless `run_id` is None.
        run_id: who writes; None: the rows keep the one they have.

    Raises:
        WrongTable: the columns do not fit, or (while reading) a value does not.
    """

    def __init__(self, table: str, data: pa.RecordBatchReader, run_id: str | None) -> None:
        self.schema = schema_of(table)
        self.row_count = 0
        self._table = table
        self._data = data
        self._run_id = None if run_id is None else pa.scalar(run_id, pa.string())
        self._check_columns()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._data:
            if batch.num_rows:
                self.row_count += batch.num_rows
                columns = [self._column(batch, field) for field in self.schema]
                yield pa.record_batch(columns, schema=self.schema)

    def _column(self, batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
        if field.name == "run_id" and self._run_id is not None:
            return pa.repeat(self._run_id, batch.num_rows)
        column = batch.column(batch.schema.get_field_index(field.name))
        if column.null_count and not field.nullable:
            raise WrongTable(
                f"{self._table}.{field.name} must not be null; "
                f"{column.null_count} of {batch.num_rows} values are."
            )
        try:
            return column.cast(field.type)
        except pa.ArrowInvalid as error:
            raise WrongTable(f"{self._table}.{field.name} must be {field.type}: {error}") from error

    def _check_columns(self) -> None:
        filled_in = {"run_id"} if self._run_id is not None else set()
        expected = set(self.schema.names) - filled_in
        received = set(self._data.schema.names) - filled_in
        if expected != received:
            raise WrongTable(
                f"{self._table} lacks {sorted(expected - received)} "
                f"and does not know {sorted(received - expected)}."
            )
        for name in sorted(expected):
            have, want = self._data.schema.field(name).type, self.schema.field(name).type
            if _kind(want) not in _MAY_BECOME.get(_kind(have), set()):
                raise WrongTable(f"{self._table}.{name} must be {want}, received {have}.")


def _kind(of: pa.DataType) -> str:
    types = pa.types
    tests = {
        "null": types.is_null,
        "string": lambda t: (
            types.is_string(t) or types.is_large_string(t) or types.is_string_view(t)
        ),
        "integer": types.is_integer,
        "float": types.is_floating,
        "decimal": types.is_decimal,
        "bool": types.is_boolean,
        "list": lambda t: types.is_list(t) or types.is_large_list(t) or types.is_fixed_size_list(t),
    }
    if types.is_dictionary(of):
        return _kind(of.value_type)
    return next((kind for kind, is_kind in tests.items() if is_kind(of)), str(of))
