"""New records compared with all others, and with nothing else compared again.

Invariant: what is kept afterwards (`person_rows`, `compared`, `matches`, `sharing`) is what a pass
over everybody under the same model would keep, in another order.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.identity.compared import (
    KEPT_COLUMNS,
    WORDED,
    Compared,
    said_by,
    shared_values,
    written_rows,
)
from ingestion.identity.fields import PERSON
from ingestion.identity.matching import (
    Pairs,
    kept_model,
    no_pairs,
    pair_table,
    read_pairs,
    still_holds,
)
from ingestion.identity.model import FLOOR_BITS, Model, score
from ingestion.identity.part import Part
from ingestion.identity.people import People
from kg.lake.scratch import Scratch

_COLUMNS = ", ".join(KEPT_COLUMNS)
_PLACED = """CREATE OR REPLACE TABLE placed AS
SELECT record_key, content, row_number() OVER w <= 2 AS is_compared
FROM (SELECT record_key, content FROM rows_now SEMI JOIN contents USING (content))
JOIN (SELECT record_key, recorded_at_ms FROM all_records WHERE status = 'accepted')
USING (record_key) WINDOW w AS (PARTITION BY content ORDER BY recorded_at_ms, record_key)"""
_TOUCHED_ENDS = (
    "left_record_key IN (SELECT record_key FROM dropped) OR "
    "right_record_key IN (SELECT record_key FROM dropped)"
)


@dataclass(frozen=True)
class Additions:
    """What the lake's tables of comparison lose and get.

    Attributes:
        also: records whose place among those that say the same has changed, though nothing new was
            said of them: they must be looked at as well, and nothing else here counts.
        gone: lake table -> keys of the records whose rows go; of pairs (left, right), which go.
        new: lake table -> rows.
    """

    also: pa.Array
    gone: dict[str, pa.Table]
    new: dict[str, pa.Table]

    def write(self, step: Any) -> None:
        """Write them."""
        for name, rows in self.new.items():
            gone = self.gone[name]
            if len(gone):
                kept = step.table(name).anti_join(step.memtable(gone), gone.column_names)
                step.rewrite(name, kept, rows)
            elif len(rows):
                step.append(name, rows)


def compare_added(step: Any, scratch: Scratch, part: Part, people: People) -> Additions | None:
    """Compare what is new of these records with everything; writes nothing.

    Args:
        step: of the lake.
        scratch: the engine.
        part: the records that new ones hang together with, these included.
        people: the same, with the statements that are used.

    Returns:
        None where the model has been outgrown: everybody must be compared anew.
    """
    said = said_by(part, people)
    if said is None:
        return Additions(pa.array([], pa.string()), {}, {})
    model = kept_model(step)
    if model is None:
        return None
    _place(step, scratch, said, model)
    also = _column(scratch, "SELECT record_key FROM moved ANTI JOIN told USING (record_key)")
    if len(also):
        return Additions(also, {}, {})
    if not _holds(scratch, model):
        return None
    wanted = _sharing(scratch, people)
    matches, sharing = _weighed(scratch, model, wanted)
    return Additions(
        also,
        {
            "person_rows": scratch.sql("SELECT record_key FROM rewritten"),
            "compared": scratch.sql("SELECT record_key FROM dropped"),
            "matches": scratch.sql(_lost("matches")),
            "sharing": scratch.sql("FROM stale"),
        },
        {
            "person_rows": scratch.sql(
                f"SELECT {_COLUMNS} FROM written WHERE is_new ORDER BY unique_id"
            ),
            "compared": scratch.sql(
                f"SELECT record_key, content, '{model.id}' AS model_id FROM fresh "
                "ORDER BY record_key"
            ),
            "matches": matches,
            "sharing": sharing,
        },
    )


def _place(step: Any, scratch: Scratch, said: pa.Table, model: Model) -> None:
    """Write what is new for comparison, and find which records are compared now: the tables
    `changed` rows, `fresh` (with `fresh_rows`) and `dropped` records, and `moved` ones."""
    written_rows(step, scratch, said)
    for name, table in (
        ("compared", "compared_before"), ("records", "all_records"),
        ("matches", "matches_before"), ("sharing", "sharing_before"),
    ):  # fmt: skip
        scratch.name(table, step.lake.share(name, scratch))
    for query in (
        "CREATE OR REPLACE TABLE changed AS SELECT record_key FROM written WHERE is_new",
        "CREATE OR REPLACE TABLE rewritten AS SELECT record_key, content FROM kept_rows "
        "SEMI JOIN changed USING (record_key)",
        f"CREATE OR REPLACE VIEW other_rows AS SELECT {_COLUMNS} FROM kept_rows "
        "ANTI JOIN rewritten USING (record_key)",
        f"CREATE OR REPLACE VIEW rows_now AS FROM other_rows UNION ALL "
        f"SELECT {_COLUMNS} FROM written WHERE is_new",
        "CREATE OR REPLACE TABLE contents AS SELECT content FROM written UNION "
        "SELECT content FROM rewritten",
        _PLACED,
        "CREATE OR REPLACE TABLE known AS SELECT b.record_key, "
        f"b.content = p.content AND b.model_id = '{model.id}' AS is_same "
        "FROM compared_before b JOIN placed p USING (record_key)",
        "CREATE OR REPLACE TABLE moved AS SELECT record_key FROM placed LEFT JOIN known k "
        "USING (record_key) WHERE is_compared <> (k.record_key IS NOT NULL)",
        "CREATE OR REPLACE TABLE fresh AS SELECT record_key, content FROM placed "
        "ANTI JOIN (FROM known WHERE is_same) USING (record_key) WHERE is_compared",
        "CREATE OR REPLACE TABLE dropped AS SELECT record_key FROM known "
        "JOIN placed USING (record_key) WHERE NOT (is_compared AND is_same)",
        f"CREATE OR REPLACE TABLE fresh_rows AS SELECT {_COLUMNS} FROM written "
        "SEMI JOIN fresh USING (record_key) WHERE is_new UNION ALL FROM other_rows "
        "SEMI JOIN (FROM fresh ANTI JOIN changed USING (record_key)) USING (record_key)",
    ):
        scratch.sql(query)


def _holds(scratch: Scratch, model: Model) -> bool:
    """Whether the model may be kept for the rows that are compared now."""
    filled = ", ".join(f'count("{one.name}") AS "{one.name}"' for one in PERSON)
    row = scratch.sql(
        "SELECT (SELECT count(*) FROM compared_before) - (SELECT count(*) FROM dropped) + "
        f"(SELECT count(*) FROM fresh) AS n, {filled} FROM fresh_rows"
    ).to_pylist()[0]
    return still_holds(model, row["n"], {one.name for one in PERSON if row[one.name]})


def _sharing(scratch: Scratch, people: People) -> pa.Table:
    """Pairs of compared records that name one value, by key; makes `stale`: those that no longer
    do, or not as they were compared."""
    rows = scratch.sql(
        "SELECT record_key, content FROM placed SEMI JOIN told USING (record_key) WHERE is_compared"
    )
    code = people.codes(rows["record_key"])
    order = np.argsort(code)
    none = np.zeros(0, np.int64)
    compared = Compared(
        code[order], rows["content"].combine_chunks().take(pa.array(order)), none, none, rows, False
    )
    first, second, _ = shared_values(scratch, people, compared)
    keys = people.records["record_key"]
    scratch.keep_as(
        "sharing_now", pa.table({"a": keys.take(pa.array(first)), "b": keys.take(pa.array(second))})
    )
    scratch.sql(
        "CREATE OR REPLACE TABLE stale AS SELECT left_record_key, right_record_key "
        "FROM (FROM sharing_before SEMI JOIN told ON left_record_key = told.record_key) WHERE "
        f"{_TOUCHED_ENDS} OR NOT EXISTS (FROM sharing_now WHERE a = left_record_key AND "
        "b = right_record_key)"
    )
    scratch.sql(
        "CREATE OR REPLACE VIEW sharing_kept AS FROM sharing_before "
        "ANTI JOIN stale USING (left_record_key, right_record_key)"
    )
    return scratch.sql(
        "SELECT DISTINCT a, b FROM sharing_now WHERE NOT EXISTS (FROM sharing_kept WHERE "
        "a = left_record_key AND b = right_record_key)"
    )


def _lost(table: str) -> str:
    """The pairs of records that are not compared as they were."""
    return (
        f"SELECT left_record_key, right_record_key FROM {table}_before WHERE "
        f"EXISTS (FROM dropped) AND ({_TOUCHED_ENDS})"
    )


def _weighed(scratch: Scratch, model: Model, sharing: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The evidence of all pairs with a fresh record, and of those that share a value."""
    scratch.keep_as("by_value", sharing)
    words = ", ".join(f"string_split({name}, ' ') AS {name}_words" for name in WORDED)
    for query in (
        f"CREATE OR REPLACE TABLE by_rule AS {_asked(model)}",
        "CREATE OR REPLACE TABLE ends AS SELECT record_key, "
        "row_number() OVER (ORDER BY recorded_at_ms, record_key) AS unique_id FROM all_records "
        "SEMI JOIN (SELECT unnest([a, b]) AS record_key FROM "
        "(SELECT a, b FROM by_rule UNION SELECT a, b FROM by_value)) USING (record_key) "
        "WHERE status = 'accepted'",
        f"CREATE OR REPLACE TABLE asked_rows AS SELECT unique_id, {words}, "
        "r.* EXCLUDE (record_key, told) FROM rows_now r JOIN ends USING (record_key)",
    ):
        scratch.sql(query)
    keys = scratch.sql("SELECT record_key FROM ends ORDER BY unique_id")["record_key"]
    matches = _scored(scratch, model, "by_rule", FLOOR_BITS)
    matches = matches.only(matches.bits >= FLOOR_BITS)
    shared = _scored(scratch, model, "by_value", None)
    return pair_table(matches, keys, model), pair_table(shared, keys, model)


def _scored(scratch: Scratch, model: Model, pairs: str, least: float | None) -> Pairs:
    """The evidence of pairs (a, b) of a table, their ends by their place in `ends`."""
    scratch.sql(
        'CREATE OR REPLACE TABLE asked AS SELECT x.unique_id AS "left", y.unique_id AS "right" '
        f"FROM {pairs} JOIN ends x ON a = x.record_key JOIN ends y ON b = y.record_key"
    )
    if not len(scratch.sql("FROM asked LIMIT 1")):
        return no_pairs()
    score(scratch, "asked_rows", model, "scored", pairs="asked", least=least)
    found = read_pairs(scratch, model)
    return replace(found, left=found.left - 1, right=found.right - 1)


def _asked(model: Model) -> str:
    """The pairs of the model's rules between a fresh record and another that is compared."""
    found = " UNION ALL ".join(
        f"SELECT l.record_key AS f, r.record_key AS o FROM fresh_rows l JOIN {rows} r ON {rule}"
        for rule in model.rules
        for rows in ("other_rows", "fresh_rows")
    )
    return (
        "SELECT DISTINCT least(f, o) AS a, greatest(f, o) AS b FROM ("
        f"SELECT DISTINCT f, o FROM ({found}) WHERE f <> o) SEMI JOIN ("
        "SELECT record_key AS o FROM compared_before ANTI JOIN dropped USING (record_key) "
        "UNION ALL SELECT record_key FROM fresh) USING (o)"
    )


def _column(scratch: Scratch, query: str) -> pa.Array:
    return scratch.sql(query).column(0).combine_chunks()
