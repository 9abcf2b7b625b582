"""Pairs for a person to look at, those on which most depends first."""

from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from ingestion.identity.joining import Cause
from ingestion.identity.links import Codes
from ingestion.identity.matching import DOUBT, Found, Pairs, bits_of
from ingestion.identity.people import People
from ingestion.identity.users import Users
from kg.lake import TABLES

WHY = {
    "unique": "probably one person, but each side has an id of its own where a person has one",
    "strangers": "probably one person, but they share an identifier, and names or dates of birth "
    "there are those of different people",
    "oversized": "would gather more records in one person than evidence may",
    "either": "could as well be somebody else who cannot be the same person",
    "outvoted": "more pairs between the two people speak against it than for it",
    "contradicted": "the dates of birth differ: father and son, or a slip",
    "household": "the address or telephone agrees, but nothing that speaks of the person",
    "doubtful": "probable, but not enough to decide",
}
_BY_CAUSE = {
    Cause.UNIQUE: "unique",
    Cause.STRANGERS: "strangers",
    Cause.OVERSIZED: "oversized",
    Cause.EITHER: "either",
    Cause.OUTVOTED: "outvoted",
}


def reviews(people: People, users: Users, evidence: Found | None, cause: Codes) -> pa.Table:
    """The table `reviews`: the best pair of each two users, with why nobody has decided it."""
    empty = TABLES["reviews"].remove(TABLES["reviews"].get_field_index("run_id")).empty_table()
    if evidence is None:
        return empty
    names = np.asarray([*WHY], object)
    why = _why(evidence.pairs, cause)
    left, right = (users.user[side] for side in (evidence.pairs.left, evidence.pairs.right))
    rows = np.flatnonzero((why >= 0) & (left != right) & (left >= 0) & (right >= 0))
    rows = _best_of_each(rows, left, right, evidence.pairs)
    pairs, why, left, right = evidence.pairs, why[rows], left[rows], right[rows]
    is_event = people.records["is_event"].to_numpy()
    named = users.user >= 0
    count = len(users.ids)
    record_count = np.bincount(users.user[named], minlength=count)
    event_count = np.bincount(users.user[named & is_event], minlength=count)
    keys = people.records["record_key"]
    codes = {"left": pairs.left[rows], "right": pairs.right[rows]}
    table = pa.table(
        {
            **{f"{side}_record_key": keys.take(pa.array(code)) for side, code in codes.items()},
            "left_user_id": users.ids.take(pa.array(left)),
            "right_user_id": users.ids.take(pa.array(right)),
            "probability": pairs.probability[rows],
            "cause": pa.array(names[why], pa.string()),
            "reason": pairs.reason.take(pa.array(rows)),
            "records": record_count[left] + record_count[right],
            "events": event_count[left] + event_count[right],
        }
    )
    return pa.concat_tables([empty, table.cast(empty.schema)])


def in_order(step: Any, rows: pa.Table) -> pa.Table:
    """Reviews, those first on which most depends; `users` as the step wrote them."""
    if not len(rows):
        return rows
    users = step.table("users").select("user_id", "event_count")
    waiting = step.memtable(rows)
    left, right = users, users.view()
    both = waiting.join(left, [("left_user_id", "user_id")])
    both = both.select(*rows.column_names, left_events=both.event_count)
    both = both.join(right, [("right_user_id", "user_id")])
    # What a wrong decision would move: the smaller of the two people joins the other.
    stake = ibis.least(both.left_events, both.event_count)
    order = [
        stake.desc(), both.records.desc(), both.probability.desc(), both.left_record_key,
        both.right_record_key,
    ]  # fmt: skip
    return step.lake.run(both.order_by(*order).select(*rows.column_names))


def _why(pairs: Pairs, cause: Codes) -> Codes:
    """Which of `WHY` each pair waits for; -1: it does not."""
    place = {name: number for number, name in enumerate(WHY)}
    why = np.full(len(cause), -1, np.int64)
    probable = pairs.bits >= bits_of(DOUBT)
    why[probable] = place["doubtful"]
    why[probable & ~pairs.personal] = place["household"]
    why[probable & pairs.contradicted] = place["contradicted"]
    why[pairs.speaks_for] = -1
    for one, name in _BY_CAUSE.items():
        why[cause == one] = place[name]
    why[cause == Cause.SAID] = -1
    return why


def _best_of_each(rows: Codes, left: Codes, right: Codes, pairs: Pairs) -> Codes:
    if not len(rows):
        return rows
    low, high = np.minimum(left, right)[rows], np.maximum(left, right)[rows]
    ends = pairs.right[rows], pairs.left[rows]
    order = np.lexsort((*ends, -pairs.bits[rows], high, low))
    new = np.r_[True, (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)]
    return np.asarray(rows[order[new]])
