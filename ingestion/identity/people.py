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
from ingestion.identity.joining import smallest_labels
from ingestion.identity.limits import Limits
from ingestion.identity.links import Codes, Namespaces, Statements, components, distinct
from ingestion.identity.standing import said_by_people

# Pseudo-namespace of records that a person judged but that name nobody; it joins nothing.
RECORD = "#record"
# Pseudo-namespace of pairs that evidence joins: a pair is a value that its two records name.
MATCH = "#match"
MOST_MERGED = 50
"""Ids that a source may have merged into one; a claim of more is a mistake of the source."""


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

    def codes(self, record_keys: Any) -> Codes:
        """The codes of records by their keys; -1 for those that are not among them."""
        if not len(record_keys):
            return np.zeros(0, np.int64)
        found = pc.index_in(record_keys, value_set=self.records["record_key"])
        return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)


def read_people(step: Any, limits: Limits) -> People:
    """The records with identifiers, or with a person's judgement, in the order learned."""
    rows = step.lake.run(_stated(step, limits)).combine_chunks()
    key = _chunk(rows["record_key"])
    new = np.ones(len(key), bool)  # rows of one record lie together
    new[1:] = pc.not_equal(key[1:], key[:-1]).to_numpy(zero_copy_only=False)
    record = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    counts, values, reasons, value = _coded(rows, limits)
    named = record * max(len(values), 1) + value
    said = distinct(named)
    was = np.asarray(_chunk(rows["is_former"]))
    places = np.repeat(np.arange(len(counts)), list(counts.values()))
    return People(
        records=rows.drop_columns(["namespace", "value", "is_former"]).take(first),
        namespace_names=[*counts, MATCH],
        namespaces=_namespaces([*counts, MATCH], limits),
        values=values,
        unusable=reasons,
        statements=Statements(
            record=said // max(len(values), 1),
            value=said % max(len(values), 1),
            namespace=places,
            record_count=len(first),
            alias=_aliases(step, list(counts), (places, values), limits),
            former=~np.isin(said, named[~was]) if was.any() else None,
        ),
    )


def _aliases(
    step: Any, names: list[str], known_values: tuple[Codes, pa.Array], limits: Limits
) -> Codes | None:
    """Values that their source has merged, under one code; claims that would merge more than
    `MOST_MERGED` of them are not believed."""
    places, values = known_values
    claims = step.arrow("merged_ids", ["namespace", "value", "into_value"])
    left, right = [], []
    for code, name in enumerate(names):
        mine = claims.filter(pc.equal(claims["namespace"], name))
        if not len(mine):
            continue
        first, last = np.searchsorted(places, [code, code + 1])
        known = values.slice(first, last - first)
        both = [
            _codes(pc.fill_null(pc.index_in(said, known), -1))
            for c in ("value", "into_value")
            for said in [canonical_values(name, _chunk(mine[c]), limits)]
        ]
        there = (both[0] >= 0) & (both[1] >= 0)
        left.append(both[0][there] + first)
        right.append(both[1][there] + first)
    if not left:
        return None
    group = components(len(values), np.concatenate(left), np.concatenate(right))
    few = np.bincount(group, minlength=1)[group] <= MOST_MERGED
    return np.where(few, smallest_labels(group), np.arange(len(values)))


def _stated(step: Any, limits: Limits) -> Any:
    import ibis

    stated = step.table("identifiers").select("record_key", "namespace", "value")
    former = _former(step, stated, limits)
    merged = step.table("merged_ids")
    for side in (merged.value, merged.into_value):  # whichever of the two the record is called by
        stated = stated.union(merged.select("record_key", "namespace", value=side))
    joined = [one for one in said_by_people(step) if one.same]
    ends = [key for one in joined for key in (one.left, one.right)]
    judged = step.lake.memtable(pa.table({"record_key": pa.array(sorted({*ends}), pa.string())}))
    # A profile that names no identifier is somebody all the same, where it says who.
    told = step.table("records").filter(lambda record: record.kind == "profile")
    told = step.table("person_details").select("record_key").semi_join(told, "record_key")
    told = told.anti_join(step.table("identifiers"), "record_key").distinct()
    stated = stated.union(told.mutate(namespace=ibis.literal(RECORD), value=told.record_key))
    stated = stated.union(judged.mutate(namespace=ibis.literal(RECORD), value=judged.record_key))
    stated = stated.mutate(is_former=False)
    if former is not None:
        stated = stated.union(former.mutate(is_former=True))
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


def _former(step: Any, stated: Any, limits: Limits) -> Any | None:
    """What older states of records named, and nobody else in their table does now: a person has
    more than one address in the course of time. Of what a person has one, the newest state's is
    right; and who names nobody any more is nobody. None: there is nothing."""
    former = step.table("former_identifiers").select("record_key", "namespace", "value").distinct()
    spaces = step.lake.run(former.select("namespace").distinct())["namespace"].to_pylist()
    several = [name for name in spaces if not limits.of(name).unique]
    if not several:
        return None
    former = former.filter(former.namespace.isin(several)).semi_join(stated, "record_key")
    records = step.table("records").filter(lambda record: record.status == "accepted")
    records = records.select("record_key", "dataset")
    owners = stated.join(records, "record_key").rename(owner="record_key")
    claimed = former.join(records, "record_key")
    same = ["namespace", "value", "dataset", claimed.record_key != owners.owner]
    return former.anti_join(claimed.semi_join(owners, same), ["record_key", "namespace", "value"])


def _coded(rows: pa.Table, limits: Limits) -> tuple[dict[str, int], pa.Array, pa.Array, Codes]:
    """Distinct values, strongest first: how many of each namespace, the values, why they are
    unusable, and a code per row."""
    space = pc.dictionary_encode(_chunk(rows["namespace"]))
    value = pc.dictionary_encode(_chunk(rows["value"]))
    pair = _codes(space.indices) * max(len(value.dictionary), 1) + _codes(value.indices)
    pairs, place_of = np.unique(pair, return_inverse=True)
    found = pa.table(
        {
            "namespace": space.dictionary.take(pa.array(pairs // max(len(value.dictionary), 1))),
            "value": value.dictionary.take(pa.array(pairs % max(len(value.dictionary), 1))),
        }
    )
    order = sorted(
        pc.unique(found["namespace"]).to_pylist(), key=lambda n: (*limits.strength(n), n)
    )
    counts: dict[str, int] = {}
    values: list[pa.Array] = [pa.array([], pa.string())]
    reasons: list[pa.Array] = [pa.array([], pa.string())]
    code = np.zeros(len(found), np.int64)
    for name in order:
        place = np.flatnonzero(pc.equal(found["namespace"], name).to_numpy())
        canonical = canonical_values(name, _chunk(found["value"].take(place)), limits)
        ordered = pc.unique(canonical)
        ordered = ordered.take(pc.sort_indices(ordered))
        code[place] = sum(counts.values()) + _codes(pc.index_in(canonical, value_set=ordered))
        counts[name] = len(ordered)
        values.append(ordered)
        reasons.append(unusable(name, ordered, limits))
    return counts, pa.concat_arrays(values), pa.concat_arrays(reasons), code[place_of]


def _namespaces(names: list[str], limits: Limits) -> Namespaces:
    strengths = sorted({limits.strength(name) for name in names})
    rows = [limits.of(name) for name in names]
    return Namespaces(
        strength=np.asarray([strengths.index(limits.strength(n)) for n in names], np.int64),
        limit=_or_none([row.limit for row in rows]),
        together=_or_none([row.together for row in rows]),
        most=_or_none([row.most for row in rows]),
        unique=np.asarray([row.unique for row in rows], bool),
    )


def _or_none(limits: list[int | None]) -> Codes:
    return np.asarray([-1 if limit is None else limit for limit in limits], np.int64)


def _chunk(column: Any) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def _codes(indices: pa.Array) -> NDArray[np.int64]:
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.int64)
