"""The rows that are compared: what records say of their people, written one way.

Invariant: a row depends on its record alone, so a row that was written once is kept
(`person_rows`) for as long as its record says the same. Of records that say exactly the same only
the first two are compared; the others follow the first, as the second does or does not.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.fields import PERSON
from ingestion.identity.links import Codes
from ingestion.identity.names import born, given_and_family, named, plain, whole
from ingestion.identity.people import People
from kg.lake.code import code_version
from kg.lake.scratch import Scratch

ROWS = "compared_rows"
MOST_SHARING = 20
_NAMES = ("given_name", "family_name", "street", "city", "region", "country", "organisation")
_EXACT = ("birth_date", "number", "postcode")
WORDED = ("given_name", "street", "organisation")
KEPT_COLUMNS = ("record_key", "told", "content", *(one.name for one in PERSON), "given_name_forms")


@dataclass(frozen=True)
class Compared:
    """Which records are compared.

    Shapes: record (n,) codes, sorted; content (n,) string, equal where the records say the same;
    follower, leader (f,) record codes of those that are not compared, and of the first that says
    the same. `written`: rows for the lake's `person_rows`, all of them where `is_whole`, else those
    that it has not.
    """

    record: Codes
    content: pa.Array
    follower: Codes
    leader: Codes
    written: pa.Table
    is_whole: bool


def prepare(
    step: Any, scratch: Scratch, people: People, *, doubles: bool = False
) -> Compared | None:
    """Make the table `ROWS` in the engine; None where no record says anything of its person.

    Args:
        step: to read from.
        scratch: the engine.
        people: whose records.
        doubles: compare every record, also the third that says the same.
    """
    said = said_by(step, people)
    if said is None:
        return None
    is_whole = written_rows(step, scratch, said)
    most = len(said) if doubles else 2
    scratch.sql(
        "CREATE OR REPLACE TABLE crowded AS SELECT unique_id, "
        "row_number() OVER w > {0} AS follows, first(unique_id) OVER w AS leader FROM written "
        "SEMI JOIN (SELECT content FROM written GROUP BY 1 HAVING count(*) > {0}) USING (content) "
        "WINDOW w AS (PARTITION BY content ORDER BY unique_id)".replace("{0}", str(most))
    )
    words = ", ".join(f"string_split({name}, ' ') AS {name}_words" for name in WORDED)
    scratch.sql(
        f"CREATE OR REPLACE VIEW {ROWS} AS SELECT * EXCLUDE (record_key, told, is_new), {words} "
        "FROM written ANTI JOIN (FROM crowded WHERE follows) USING (unique_id)"
    )
    found = scratch.sql(f"SELECT unique_id, content FROM {ROWS} ORDER BY unique_id")
    rest = scratch.sql("SELECT unique_id, leader FROM crowded WHERE follows ORDER BY unique_id")
    new = "" if is_whole else " WHERE is_new"
    return Compared(
        np.asarray(found["unique_id"].to_numpy(), np.int64),
        found["content"].combine_chunks(),
        np.asarray(rest["unique_id"].to_numpy(), np.int64),
        np.asarray(rest["leader"].to_numpy(), np.int64),
        scratch.sql(f"SELECT {', '.join(KEPT_COLUMNS)} FROM written{new} ORDER BY unique_id"),
        is_whole,
    )


def written_rows(step: Any, scratch: Scratch, said: pa.Table) -> bool:
    """Make the table `written`: a row for each record that says something, in normal form. What
    the lake has of it is not made again; whether it has rows that no longer hold, or none."""
    scratch.name("said", said)
    told = ", ".join(f"coalesce({name}, '')" for name in said.column_names[2:])
    # Another program may write the same details otherwise.
    scratch.sql(
        "CREATE OR REPLACE TABLE told AS SELECT unique_id, record_key, "
        f"md5(concat_ws(chr(31), '{code_version()}', {told})) AS told FROM said"
    )
    scratch.name("kept_rows", step.lake.share("person_rows", scratch))
    # Kept step by step: an expression that is used five times would be computed five times.
    scratch.sql(
        f"CREATE OR REPLACE TABLE written AS SELECT unique_id, {', '.join(KEPT_COLUMNS)}, "
        "false AS is_new FROM told JOIN kept_rows USING (record_key, told)"
    )
    scratch.sql(
        "CREATE OR REPLACE TABLE fresh_said AS FROM said ANTI JOIN written USING (unique_id)"
    )
    held, fresh, kept = (
        scratch.sql(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()
        for table in ("written", "fresh_said", "kept_rows")
    )
    if fresh:
        _write(scratch)
    return bool(held < kept or not held)


def _write(scratch: Scratch) -> None:
    """Add the rows of `fresh_said` to `written`."""
    import ibis

    scratch.keep_as("nickname", nicknames())
    scratch.keep_as("plain", _plain(scratch.table_named("fresh_said")))
    rows = _named(scratch.table_named("plain"))
    texts = [rows[one.name].fill_null("") for one in PERSON]
    content = ibis.literal("\x1f").join([*texts, rows.unique_values]).hexdigest("md5")
    scratch.keep_as("named", rows.mutate(content=content))
    scratch.sql(
        f"INSERT INTO written BY NAME SELECT unique_id, {', '.join(KEPT_COLUMNS)}, "
        "true AS is_new FROM (SELECT named.*, record_key, told, "
        "coalesce(forms, []) AS given_name_forms FROM named JOIN told USING (unique_id) "
        "LEFT JOIN nickname ON nickname.name = given_name)"
    )


def nicknames() -> pa.Table:
    """Given names and the names that each may stand for: (name, forms)."""
    from nicknames import NickNamer

    namer = NickNamer()
    known = sorted({*namer.nickname_lookup, *namer.canonical_lookup})
    return pa.table({"name": known, "forms": [sorted({n, *namer.canonicals_of(n)}) for n in known]})


def said_by(step: Any, people: People) -> pa.Table | None:
    """What records say of their people, by record code, with e-mail, telephone and unique ids."""
    details = step.arrow("person_details").drop_columns(["run_id"])
    code = people.codes(details["record_key"])
    details = details.add_column(0, "unique_id", pa.array(code))
    details = details.filter(pc.greater_equal(details["unique_id"], 0))
    if not len(details):
        return None
    extra = {name: _first_values(people, name) for name in ("email", "phone")}
    for name, (record, value) in extra.items():
        place = np.searchsorted(record, details["unique_id"].to_numpy())
        place[place == len(record)] = 0
        hit = record[place] == details["unique_id"].to_numpy() if len(record) else None
        column = pa.nulls(len(details), pa.string())
        if hit is not None:
            column = people.values.take(pa.array(np.where(hit, value[place], 0), mask=~hit))
        details = details.append_column(name, column)
    return details.append_column("unique_values", _unique_values(people, details))


def _first_values(people: People, namespace: str) -> tuple[Codes, Codes]:
    """The first value of a namespace that each record names, of its newest state where that names
    one: sorted records, values."""
    if namespace not in people.namespace_names:
        none = np.zeros(0, np.int64)
        return none, none
    code = people.namespace_names.index(namespace)
    said = people.statements
    mine = np.flatnonzero(said.namespace[said.value] == code)
    mine = mine[np.lexsort((said.value[mine], said.is_former[mine], said.record[mine]))]
    record, first = np.unique(said.record[mine], return_index=True)
    return record, said.value[mine[first]]


def _unique_values(people: People, details: pa.Table) -> pa.Array:
    """The values of unique namespaces that a record names, as one text."""
    said = people.statements
    mine = people.namespaces.unique[said.namespace[said.value]]
    record, value = said.record[mine], said.value[mine]
    names = pa.array(people.namespace_names, pa.string()).take(pa.array(said.namespace[value]))
    values = people.values.take(pa.array(value))
    table = pa.table({"record": record, "value": pc.binary_join_element_wise(names, values, ":")})
    joined = table.group_by("record", use_threads=False).aggregate([("value", "list")])
    text = pc.binary_join(joined["value_list"], " ")
    place = pc.index_in(details["unique_id"], value_set=joined["record"])
    return pc.fill_null(text.take(place.combine_chunks()), "")


def _plain(said: Any) -> Any:
    """Every detail in its normal form, and the two parts of a whole name."""
    exact = {
        name: said[name].lower().re_replace(r"[^\p{L}\p{N}]+", "").nullif("") for name in _EXACT
    }
    return said.select(
        "unique_id",
        "email",
        "phone",
        "unique_values",
        whole=whole(said.name),
        **{name: plain(said[name]) for name in _NAMES},
        **exact,
    )


def _named(rows: Any) -> Any:
    """The same with names split; what names nobody is missing."""
    split = given_and_family(rows)
    found = {name: split.get(name, rows[name]) for name in (*_NAMES, *_EXACT)}
    found["birth_date"] = born(found["birth_date"])
    return rows.select(
        "unique_id",
        "email",
        "phone",
        "unique_values",
        **{name: named(text) for name, text in found.items()},
    )


def shared_values(
    scratch: Scratch, people: People, compared: Compared
) -> tuple[Codes, Codes, Codes]:
    """Pairs of compared records that name one value: (first, second, value).

    Values that more than `MOST_SHARING` compared records name are left to their limit.
    """
    said = people.statements
    mine = np.isin(said.record, compared.record)
    scratch.keep_as("naming", pa.table({"record": said.record[mine], "value": said.value[mine]}))
    rows = scratch.sql(
        "WITH few AS (SELECT * FROM naming "
        f"QUALIFY count(*) OVER (PARTITION BY value) BETWEEN 2 AND {MOST_SHARING}) "
        "SELECT l.record AS first, r.record AS second, l.value FROM few l JOIN few r "
        "ON l.value = r.value AND l.record < r.record ORDER BY ALL"
    )
    first, second, value = (
        np.asarray(rows[name].to_numpy(), np.int64) for name in ("first", "second", "value")
    )
    return first, second, value
