"""What records say of who they are about, and what became of each statement (`statements`).

Kept so that a later pass knows who names a value without reading everybody again. Values stay in
the lake; what the summary of a run says of them is counted here.
"""

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.limits import Limits
from ingestion.identity.links import BY_DETAILS, BY_PERSON, BY_SIZE, BY_TWO
from ingestion.identity.people import RECORD
from ingestion.identity.settle import Settled

CUT, LEFT = "cut", "left"
"""Fates of statements that would bridge two people, and of those of a record that is nobody's, or
whom evidence took from who shared it; the other fates are those of `Blocked`."""
WHY = {
    "junk": "these values name nobody (null, test, zeros, placeholders)",
    "role_mailbox": "these mailboxes are read by many people",
    "evidence_only": "this kind of identifier is kept, but nobody is merged on it",
    "shared": "these values were seen with more different people or identifiers than their limit",
    "contradictory": "these records name two values where a person has one",
}
NOBODY = {
    "shared": "only what many people use, such as a device in a shop",
    "role_mailbox": "only a mailbox that many people read",
    "evidence_only": "only what nobody is merged on",
    "contradictory": "two values where a person has one",
    "junk": "only values that name nobody",
    LEFT: "only what two people share, and nothing that says which of them it was",
}
"""Why a record is nobody's by the fate of what it names; of several the first."""
_PERSON, _DETAILS, _SIZE, _TWO = (f"{RECORD}:{why}" for why in ("person", "details", "size", "two"))
BY_PEOPLE = (_PERSON, _TWO)
"""What a statement that was cut bridges where a person said that two are two."""
_BECAUSE = {
    _DETAILS: "names or dates of birth there are those of different people",
    _PERSON: "a person said different",
    _TWO: "a person said that they would join two people",
    _SIZE: "with them one person would have more of their kind than a person may",
}


def statement_table(found: Settled) -> pa.Table:
    """The table `statements`: (record_key, namespace, value, fate, bridges, former); fate is null
    where the value names the record's person, bridges says whose values a cut one would join,
    former that only an earlier state of the record named it."""
    said, used, names = (
        found.stated.statements,
        found.people.statements,
        found.stated.namespace_names,
    )
    fate = np.full(len(said.record), LEFT, object)
    bridges = np.full(len(said.record), None, object)
    span = max(len(found.stated.values), 1)
    place = np.searchsorted(said.record * span + said.value, used.record * span + used.value)
    fate[place] = CUT
    fate[place[found.cut.kept]] = None
    by = dict(enumerate(names)) | {
        BY_PERSON: _PERSON, BY_DETAILS: _DETAILS, BY_SIZE: _SIZE, BY_TWO: _TWO
    }  # fmt: skip
    lost = ~found.cut.kept
    bridges[place[lost]] = [by[cause] for cause in found.cut.because[lost].tolist()]
    for cause, rows in found.blocked.causes.items():
        fate[rows] = cause
    spaces = pa.array(names, pa.string()).take(pa.array(said.namespace[said.value]))
    table = pa.table(
        {
            "record_key": found.stated.records["record_key"].take(pa.array(said.record)),
            "namespace": spaces,
            "value": found.stated.values.take(pa.array(said.value)),
            "fate": pa.array(fate, pa.string()),
            "bridges": pa.array(bridges, pa.string()),
            "former": pa.array(said.is_former),
        }
    )
    return table.filter(pc.not_equal(spaces, RECORD))


def not_used(step: Any, limits: Limits) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was blocked, and what was cut: how many values and records, and why, by namespace."""
    rows = step.table("statements")
    rows = rows.filter(rows.fate.notnull() & (rows.fate != LEFT))
    counted = step.lake.run(
        rows.group_by("fate", "bridges", "namespace").aggregate(
            values=rows.value.nunique(), records=rows.record_key.nunique()
        )
    ).to_pylist()
    places = {name: (*limits.strength(name), name) for name in _names(counted)}
    order = [*WHY]
    blocked = sorted(
        (row for row in counted if row["fate"] != CUT),
        key=lambda row: (order.index(row["fate"]), places[row["namespace"]]),
    )
    special = [*_BECAUSE]
    cut = sorted(
        (row for row in counted if row["fate"] == CUT),
        key=lambda row: (
            (0, special.index(row["bridges"]))
            if row["bridges"] in _BECAUSE
            else (1, places[row["bridges"]]),
            places[row["namespace"]],
        ),
    )
    return [_blocked(row) for row in blocked], [_cut(row) for row in cut]


def of_nobody(step: Any) -> list[dict[str, Any]]:
    """The records that name something and are nobody's: how many, and why."""
    rows = step.table("statements")
    place = ibis.cases(*[(rows.fate == fate, n) for n, fate in enumerate(NOBODY)])
    lost = rows.mutate(place=place).anti_join(step.table("identities"), "record_key")
    first = lost.filter(lost.place.notnull()).group_by("record_key").agg(place=ibis._.place.min())
    counted = step.lake.run(
        first.group_by("place").agg(records=first.count()).order_by("place")
    ).to_pylist()
    fates = [*NOBODY]
    return [
        {
            "records": row["records"],
            "cause": fates[row["place"]],
            "why": NOBODY[fates[row["place"]]],
        }
        for row in counted
    ]


def _names(counted: list[dict[str, Any]]) -> set[str]:
    both = {row[side] for row in counted for side in ("namespace", "bridges")}
    return both - {None, *_BECAUSE}


def _blocked(row: dict[str, Any]) -> dict[str, Any]:
    return {**_counts(row), "cause": row["fate"], "why": WHY[row["fate"]]}


def _cut(row: dict[str, Any]) -> dict[str, Any]:
    bridged = None if row["bridges"] in _BECAUSE else row["bridges"]
    why = _BECAUSE.get(row["bridges"]) or f"would join different values of {bridged}"
    return {**_counts(row), "bridges": bridged, "why": why}


def _counts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("namespace", "values", "records")}
