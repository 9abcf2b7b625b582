"""Whom new records can change: the people that a pass must decide about anew.

Two records hang together where deciding about one may look at the other: they name one value that
joins, or could; are as probable as a person should look at; say exactly the same as two that were
compared; a person's verdict is about them; or one id stands, or stood, for both. Nothing of what
decides (`settle`) goes across such groups, so deciding about whole groups gives what deciding about
everybody would.

Values that are shared by too many stay so when records are added, and connect nobody.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.additions import Additions, compare_added
from ingestion.identity.config import IdentityConfig
from ingestion.identity.identifiers import canonical_values
from ingestion.identity.limits import Limits
from ingestion.identity.links import components
from ingestion.identity.matching import DOUBT, bits_of
from ingestion.identity.part import Part
from ingestion.identity.people import RECORD, read_people
from ingestion.identity.scope import Scope
from ingestion.identity.settle import used
from kg.lake.code import code_version
from kg.lake.scratch import Scratch

MOST_TOUCHED = 0.3
"""Where new records touch a larger share of all, deciding about everybody costs less."""
READ = (
    "records", "identifiers", "former_identifiers", "merged_ids", "person_details", "profiles",
    "consents", "events", "judgements", "verdict_records",
)  # fmt: skip
MADE = (
    "statements", "person_rows", "compared", "matches", "sharing", "person_models",
    "person_frequencies", "identities", "users", "user_aliases", "former_identities",
    "user_identifiers", "golden_traits", "user_traits", "received", "accounts", "account_members",
    "households", "household_members", "reviews",
)  # fmt: skip
FOR_NOBODY = ("junk", "role_mailbox", "evidence_only", "shared")
"""Fates of statements that join nobody, whoever else names the value."""
_CONNECTED = """CREATE OR REPLACE TABLE edges AS
WITH named AS (
    SELECT record_key, namespace, value FROM statements_before WHERE fate IS NULL OR fate NOT IN
        ({nobody})
    UNION ALL SELECT record_key, namespace, value FROM new_statements
        ANTI JOIN shared USING (namespace, value)),
pairs AS (
    SELECT left_record_key AS a, right_record_key AS b FROM matches_before WHERE bits >= {doubt})
SELECT hash(record_key) AS record, hash('user', user_id) AS hub FROM identities_before
UNION ALL SELECT hash(record_key), hash('user', user_id) FROM former_before
UNION ALL SELECT hash(record_key), hash('value', namespace, coalesce(meant, value))
    FROM named LEFT JOIN merged USING (namespace, value)
UNION ALL SELECT hash(unnest([a, b])), hash('pair', a, b) FROM pairs
UNION ALL SELECT hash(unnest([left_record_key, right_record_key])), hash('said', judged_at_ms)
    FROM judgements_now WHERE author NOT IN ('rule', 'model')
UNION ALL SELECT hash(record_key), hash('said', judged_at_ms) FROM verdict_records"""
_ALIKE = """INSERT INTO edges
WITH crowded AS (SELECT content FROM {rows} GROUP BY 1 HAVING count(*) > 2),
alike AS (SELECT record_key, content FROM {rows} SEMI JOIN crowded USING (content))
SELECT hash(record_key), hash('content', content) FROM alike WHERE content IN (
    SELECT l.content FROM {pairs} JOIN alike l ON left_record_key = l.record_key
    JOIN alike r ON right_record_key = r.record_key AND l.content = r.content)"""


def rules_of(config: IdentityConfig) -> str:
    """What decides besides the records: the same for two passes that decide alike."""
    text = json.dumps([code_version(), asdict(config)], sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def touched(step: Any, config: IdentityConfig) -> tuple[Scope, Additions] | None:
    """Whom to decide about, and what was compared for it; writes nothing.

    Returns:
        None where everybody must be decided about: nothing was decided yet, or by other rules;
        records were changed or taken away; the model was outgrown; or too many are touched.
    """
    seeds = _new_records(step, rules_of(config))
    if seeds is None:
        return None
    limits = config.limits()
    with Scratch.open(step.lake.workspace.spill) as scratch:
        reach = _Reach(step, scratch, limits, seeds)
        most = MOST_TOUCHED * reach.record_count
        while len(reach.records) <= most:
            part = Part(step, reach.records, reach.users())
            _, _, people = used(part, limits, reach.shared)
            added = compare_added(step, scratch, part, people)
            if added is None:
                return None
            if not len(added.also):
                reach.join(added)
                users = reach.users()
                scope = Scope(Part(step, reach.records, users), users, reach.shared)
                return (scope, added) if len(reach.records) <= most else None
            reach.start_from(added.also)
    return None


def _new_records(step: Any, rules: str) -> pa.Array | None:
    """Keys of the records of which the lake says more than in the last pass; None: it says
    something else of some, or was decided about otherwise."""
    last = step.lake.last(step.name)
    if last is None or last.steps[step.name]["summary"].get("rules") != rules:
        return None
    if any(step.lake.version(name) != last.tables.get(name) for name in MADE):
        return None
    keys = [pa.array([], pa.string())]
    for name in READ:
        if step.lake.version(name) == last.tables.get(name):
            continue
        rows = step.added(name, last)
        if rows is None:
            return None
        columns = [column for column in rows.columns if column.endswith("record_key")]
        found = step.lake.run(rows.select(*columns))
        keys += [found[column].combine_chunks() for column in columns]
    return pa.concat_arrays(keys).unique()


class _Reach:
    """What hangs together with some records, as tables of an engine."""

    def __init__(self, step: Any, scratch: Scratch, limits: Limits, seeds: pa.Array) -> None:
        self._scratch = scratch
        for name, table in (
            ("statements", "statements_before"), ("identities", "identities_before"),
            ("former_identities", "former_before"),
            ("matches", "matches_before"), ("judgements", "judgements_now"),
            ("verdict_records", "verdict_records"),
            ("records", "all_records"), ("person_rows", "kept_rows"),
        ):  # fmt: skip
            scratch.name(table, step.lake.share(name, scratch))
        self.shared = scratch.sql(
            "SELECT DISTINCT namespace, value FROM statements_before WHERE fate = 'shared'"
        )
        scratch.keep_as("shared", self.shared)
        scratch.keep_as("merged", _merged(step, limits))
        scratch.keep_as("new_statements", _stated(Part(step, seeds), limits))
        nobody = ", ".join(f"'{fate}'" for fate in FOR_NOBODY)
        scratch.sql(_CONNECTED.format(nobody=nobody, doubt=bits_of(DOUBT)))
        scratch.sql(_ALIKE.format(rows="kept_rows", pairs="matches_before"))
        self.record_count = scratch.sql(
            "SELECT count(*) AS n FROM all_records WHERE status = 'accepted'"
        )["n"][0].as_py()
        scratch.keep_as("seeds", pa.table({"record_key": seeds}))
        self.records = self._closed()

    def start_from(self, also: pa.Array) -> None:
        """Begin with these records as well."""
        self._scratch.name("also", pa.table({"record_key": also}))
        self._scratch.sql("INSERT INTO seeds FROM also")
        self.records = self._closed()

    def join(self, added: Additions) -> None:
        """Connect what was compared just now."""
        if not added.new:
            return
        self._scratch.keep_as("matches_new", added.new["matches"])
        self._scratch.sql(
            "INSERT INTO edges SELECT hash(unnest([left_record_key, right_record_key])), "
            "hash('pair', left_record_key, right_record_key) FROM matches_new "
            f"WHERE bits >= {bits_of(DOUBT)}"
        )
        pairs = (
            "(SELECT left_record_key, right_record_key FROM matches_before UNION ALL "
            "SELECT left_record_key, right_record_key FROM matches_new)"
        )
        self._scratch.sql(_ALIKE.format(rows="placed", pairs=pairs))
        self.records = self._closed()

    def users(self) -> pa.Array:
        """Who these records were."""
        return self._column(
            "SELECT DISTINCT user_id FROM identities_before "
            "WHERE hash(record_key) IN (FROM reached) ORDER BY 1"
        )

    def _closed(self) -> pa.Array:
        """Keys of the seeds and all records that hang together with them."""
        sql = self._scratch.sql
        sql("CREATE OR REPLACE TABLE reached AS SELECT DISTINCT hash(record_key) AS record "
            "FROM seeds")  # fmt: skip
        sql("CREATE OR REPLACE TABLE front AS FROM reached")
        while sql("SELECT count(*) AS n FROM front")["n"][0].as_py():
            sql(
                "CREATE OR REPLACE TABLE front AS SELECT DISTINCT record FROM edges SEMI JOIN "
                "(SELECT hub FROM edges SEMI JOIN front USING (record)) USING (hub) "
                "ANTI JOIN reached USING (record)"
            )
            sql("INSERT INTO reached FROM front")
        return self._column(
            "SELECT record_key FROM all_records WHERE status = 'accepted' "
            "AND hash(record_key) IN (FROM reached)"
        )

    def _column(self, query: str) -> pa.Array:
        return self._scratch.sql(query).column(0).combine_chunks()


def _stated(part: Part, limits: Limits) -> pa.Table:
    """The values that these records name, as they are compared, where they could join."""
    people = read_people(part, limits)
    said = people.statements
    usable = pc.is_null(people.unusable).to_numpy(zero_copy_only=False)
    names = np.asarray(people.namespace_names, object)
    keep = usable[said.value] & (names[said.namespace[said.value]] != RECORD)
    record, value = said.record[keep], said.value[keep]
    return pa.table(
        {
            "record_key": people.records["record_key"].take(pa.array(record)),
            "namespace": pa.array(names[said.namespace[value]], pa.string()),
            "value": people.values.take(pa.array(value)),
        }
    )


def _merged(step: Any, limits: Limits) -> pa.Table:
    """Values that sources say are one, with a value that stands for them all: (namespace, value,
    meant). Also where the claim is not believed: it was, or may be."""
    claims = step.arrow("merged_ids", ["namespace", "value", "into_value"])
    parts = [
        pa.table({name: pa.array([], pa.string()) for name in ("namespace", "value", "meant")})
    ]
    for name in pc.unique(claims["namespace"]).to_pylist():
        mine = claims.filter(pc.equal(claims["namespace"], name))
        one, other = (
            canonical_values(name, mine[side].combine_chunks(), limits)
            for side in ("value", "into_value")
        )
        values = pa.concat_arrays([one, other]).unique()
        left, right = (
            pc.index_in(side, values).to_numpy().astype(np.int64) for side in (one, other)
        )
        label = components(len(values), left, right)
        first = np.unique(label, return_index=True)[1]
        meant = values.take(pa.array(first[label]))
        spaces = pa.repeat(pa.scalar(name, pa.string()), len(values))
        parts.append(pa.table({"namespace": spaces, "value": values, "meant": meant}))
    return pa.concat_tables(parts)
