"""What the lake says about people before anybody is resolved, as integer codes.

Invariant: codes depend on the records alone. Records are numbered by (recorded_at, record_key),
values by (strength of their namespace, namespace, value), so the first of anything is the same
however the records arrived.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingestion.identity.identifiers import canonical_values, unusable
from ingestion.identity.limits import Limits
from ingestion.identity.links import Codes, Namespaces, Statements
from kg.hashing import SEPARATOR

# Pseudo-namespace of records that a person judged but that name nobody; it joins nothing.
RECORD = "#record"


@dataclass(frozen=True)
class People:
    """Records that name somebody, the values they name, and why some values are unusable.

    Shapes: records (r rows: record_key, recorded_at_ms, occurred_at_ms, is_event), namespace_names
    (k,), values (v,) canonical, unusable (v,) reason or null; `statements` refers to them by code.
    """

    records: pa.Table
    namespace_names: list[str]
    namespaces: Namespaces
    values: pa.Array
    unusable: pa.Array
    statements: Statements

    @property
    def recorded_at_ms(self) -> Codes:
        """When each record was learned: (r,) int64."""
        return np.asarray(self.records["recorded_at_ms"].to_numpy())


def read_people(step: Any, limits: Limits) -> People:
    """The records with identifiers, or with a person's judgement, in the order learned."""
    rows = step.lake.run(_stated(step)).combine_chunks()
    record_key = pc.dictionary_encode(_column(rows, "record_key"))
    record = _codes(record_key.indices)
    first = np.flatnonzero(np.r_[True, np.diff(record) > 0][: len(record)])
    counts, values, reasons, value = _coded(rows, limits)
    distinct = np.unique(record * max(len(values), 1) + value)
    return People(
        records=rows.drop_columns(["namespace", "value"]).take(first),
        namespace_names=list(counts),
        namespaces=_namespaces(list(counts), limits),
        values=values,
        unusable=reasons,
        statements=Statements(
            record=distinct // max(len(values), 1),
            value=distinct % max(len(values), 1),
            namespace=np.repeat(np.arange(len(counts)), list(counts.values())),
            record_count=len(first),
        ),
    )


def _stated(step: Any) -> Any:
    import ibis

    stated = step.table("identifiers").select("record_key", "namespace", "value")
    judged = step.table("judgements")
    judged = judged.filter((judged.author != "rule") & (judged.verdict == "same"))
    for side in (judged.left_record_key, judged.right_record_key):
        ends = judged.select(record_key=side).distinct()
        stated = stated.union(ends.mutate(namespace=ibis.literal(RECORD), value=ends.record_key))
    records = step.table("records")
    records = records.filter(records.status == "accepted").select(
        "record_key",
        "recorded_at_ms",
        "occurred_at_ms",
        is_event=records.kind == "event",
    )
    return stated.join(records, "record_key").order_by(
        "recorded_at_ms", "record_key", "namespace", "value"
    )


def _coded(rows: pa.Table, limits: Limits) -> tuple[dict[str, int], pa.Array, pa.Array, Codes]:
    """Distinct values, strongest first: how many of each namespace, the values, why they are
    unusable, and a code per row."""
    joined = pc.binary_join_element_wise(rows["namespace"], rows["value"], SEPARATOR)
    raw = pc.dictionary_encode(_chunk(joined))
    parts = pc.split_pattern(raw.dictionary, SEPARATOR, max_splits=1)
    found = pa.table({"namespace": pc.list_element(parts, 0), "value": pc.list_element(parts, 1)})
    order = sorted(
        pc.unique(found["namespace"]).to_pylist(), key=lambda n: (*limits.strength(n), n)
    )
    counts: dict[str, int] = {}
    values: list[pa.Array] = [pa.array([], pa.string())]
    reasons: list[pa.Array] = [pa.array([], pa.string())]
    code = np.zeros(len(found), np.int64)
    for name in order:
        place = np.flatnonzero(pc.equal(found["namespace"], name).to_numpy())
        canonical = canonical_values(name, _chunk(found["value"].take(place)))
        distinct = pc.unique(canonical)
        distinct = distinct.take(pc.sort_indices(distinct))
        code[place] = sum(counts.values()) + _codes(pc.index_in(canonical, value_set=distinct))
        counts[name] = len(distinct)
        values.append(distinct)
        reasons.append(unusable(name, distinct, limits))
    return counts, pa.concat_arrays(values), pa.concat_arrays(reasons), code[_codes(raw.indices)]


def _namespaces(names: list[str], limits: Limits) -> Namespaces:
    strengths = sorted({limits.strength(name) for name in names})
    rows = [limits.of(name) for name in names]
    return Namespaces(
        strength=np.asarray([strengths.index(limits.strength(n)) for n in names], np.int64),
        limit=np.asarray([-1 if row.limit is None else row.limit for row in rows], np.int64),
        unique=np.asarray([row.unique for row in rows], bool),
    )


def _column(table: pa.Table, name: str) -> pa.Array:
    return _chunk(table[name])


def _chunk(column: Any) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def _codes(indices: pa.Array) -> NDArray[np.int64]:
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.int64)
