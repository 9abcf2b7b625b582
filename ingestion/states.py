"""What earlier states of people's rows named, where the newest names something else.

A customer who has a new e-mail address is the same customer, and what was bought under the old one
is still theirs. So of rows that say how new they are (`newest`, or the source's own version) what
an older state named is kept in `former_identifiers`; identity says when it counts
(`ingestion.identity.people`). A row that is read again without being newer was put right, and
leaves nothing.
"""

from collections.abc import Callable

import ibis
import pyarrow as pa

from ingestion.record import Rows
from kg.lake.scratch import Scratch
from kg.lake.tables import TABLES
from kg.lake.writer import Step

TABLE = "former_identifiers"
NO_FILE = ""
"""The source of what no file says any more."""
_NAMED = ("record_key", "namespace", "value")


def of_repeats(scratch: Scratch, make: Callable[[Rows], Rows], rows: Rows, newest: Rows) -> Rows:
    """What older states among these rows name, of the record that is kept.

    Args:
        scratch: the engine.
        make: identifiers of rows.
        rows: classified, of a table whose rows have a version.
        newest: the identifiers of those that are kept.
    """
    people = (rows.kind == "profile") & rows.problem.isnull()
    repeats = scratch.view(rows.filter(people & (rows.status == "duplicate")))
    kept = repeats.select("record_key", "source", "duplicate_of").distinct()
    named = make(repeats).join(kept, "record_key")
    named = named.mutate(record_key=named.duplicate_of).select(*_NAMED, "source").distinct()
    return scratch.view(named.anti_join(newest, _NAMED))


def remembered(step: Step, changed: list[str], mapping_hash: str) -> pa.Table:
    """What files that are read again have named so far (record_key, namespace, value, version);
    nothing where the mapping was another one: what it took for an identifier may have been none."""
    columns = (*_NAMED, "version")
    last = step.lake.last(step.name)
    if not changed or last is None or last.config["mapping"] != mapping_hash:
        return pa.table({name: pa.array([], pa.null()) for name in columns})
    people = _people(step)
    people = people.filter(people.version.notnull() & people.source.isin(changed))
    now = step.table("identifiers").join(people.select("record_key", "version"), "record_key")
    former = step.table(TABLE)
    former = former.filter(former.source.isin(changed))
    former = former.mutate(version=ibis.literal(-1, "int64"))  # older than any
    return step.lake.run(now.select(*columns).union(former.select(*columns), distinct=True))


def keep_remembered(step: Step, before: pa.Table) -> None:
    """Of what was `remembered`, keep what the records do not name any more in a newer state."""
    if not len(before):
        return
    records = step.table("records")
    records = records.filter(records.status == "accepted").select("record_key", now="version")
    old = step.memtable(before).join(records, "record_key")
    old = old.filter(old.now > old.version).select(*_NAMED).distinct()
    old = old.mutate(source=ibis.literal(NO_FILE))
    known = step.table(TABLE).select(*_NAMED)
    new = old.anti_join(step.table("identifiers"), _NAMED).anti_join(known, _NAMED)
    _append(step, step.lake.run(new))


def keep_outdated(step: Step, scratch: Scratch, keys: pa.Table, newest: Rows) -> None:
    """Keep what records (record_key) named that are about to become repeats of newer rows, less
    what these name (`newest`)."""
    named = step.table("identifiers").semi_join(step.memtable(keys), "record_key")
    named = named.join(_people(step).select("record_key", "source"), "record_key")
    old = scratch.given(step.lake.run(named.select(*_NAMED, "source").distinct()))
    _append(step, scratch.arrow(old.anti_join(newest, _NAMED)))


def _people(step: Step) -> Rows:
    """The accepted records that are rows of people."""
    records = step.table("records")
    return records.filter((records.status == "accepted") & (records.kind == "profile"))


def _append(step: Step, rows: pa.Table) -> None:
    if len(rows):
        schema = TABLES[TABLE]
        step.append(TABLE, rows.cast(schema.remove(schema.get_field_index("run_id"))))
