"""What is known of users: when they were seen, by which identifiers, what they were sent."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.identifiers import shown_values
from ingestion.identity.limits import Limits
from ingestion.identity.links import Codes, Flags
from ingestion.identity.people import RECORD, People
from ingestion.identity.users import Users

_FIT_DIGITS = "01234567"


def user_table(people: People, users: Users, denied: Flags) -> pa.Table:
    """The table `users`. Seen means: the first and last event, else whatever was recorded."""
    records = people.records.append_column("user", pa.array(users.user))
    records = records.filter(pc.greater_equal(records["user"], 0))
    at = pc.coalesce(records["occurred_at_ms"], records["recorded_at_ms"])
    event_at = pc.if_else(records["is_event"], at, pa.scalar(None, pa.int64()))
    rows = pa.table(
        {"user": records["user"], "at": at, "event_at": event_at, "is_event": records["is_event"]}
    )
    found = rows.group_by("user").aggregate(
        [
            *((column, function) for column in ("at", "event_at") for function in ("min", "max")),
            ("at", "count"),
            ("is_event", "sum"),
        ]
    )
    found = found.sort_by("user")
    return pa.table(
        {
            "user_id": users.ids,
            "first_seen_ms": pc.coalesce(found["event_at_min"], found["at_min"]),
            "last_seen_ms": pc.coalesce(found["event_at_max"], found["at_max"]),
            "record_count": found["at_count"],
            "event_count": found["is_event_sum"].cast(pa.int64()),
            "consent_denied": pa.array(denied),
            "half": halves(users.ids),
        }
    )


def halves(user_ids: pa.Array) -> pa.Array:
    """`fit` or `test` for each user id; an id is a hash, so its last digit is a fair coin."""
    last = pc.utf8_slice_codeunits(user_ids, -1)
    return pc.if_else(pc.is_in(last, value_set=pa.array(list(_FIT_DIGITS))), "fit", "test")


def user_identifiers(
    people: People, users: Users, kept: Flags, hidden: tuple[bytes, Limits]
) -> pa.Table:
    """The table `user_identifiers`; personal values become keyed hashes here.

    Args:
        people, users, kept: who is called what, and which statements say so.
        hidden: the workspace's key, and the limits that say what is personal.
    """
    said = people.statements.only(kept)
    span = max(len(people.values), 1)
    pairs, count = np.unique(users.user[said.record] * span + said.value, return_counts=True)
    user, value = pairs // span, pairs % span
    namespace = people.statements.namespace[value]
    shown = _shown(people, *hidden)
    rows = namespace != _code(people, RECORD)
    one = pc.if_else(pc.equal(pa.array(count), 1), " record", " records")
    reason = pc.binary_join_element_wise(
        "stated by ", pc.cast(pa.array(count), pa.string()), one, ""
    )
    return pa.table(
        {
            "user_id": users.ids.take(pa.array(user)),
            "namespace": pa.array(people.namespace_names, pa.string()).take(pa.array(namespace)),
            "value": shown.take(pa.array(value)),
            "reason": reason,
            "probability": pa.repeat(1.0, len(user)),
        }
    ).filter(pa.array(rows))


def _code(people: People, namespace: str) -> int:
    names = people.namespace_names
    return names.index(namespace) if namespace in names else -1


def _shown(people: People, key: bytes, limits: Limits) -> pa.Array:
    namespace: Codes = people.statements.namespace
    parts = [pa.array([], pa.string())]
    for code, name in enumerate(people.namespace_names):  # values lie together by namespace
        first, last = np.searchsorted(namespace, [code, code + 1])
        values = people.values.slice(first, last - first)
        parts.append(shown_values(key, name, values, limits))
    return pa.concat_arrays(parts)


def received(step: Any) -> Any:
    """The table `received`: what was sent to users who may be profiled."""
    events = step.table("events")
    sent = events.filter((events.verb == "received") & events.campaign_id.notnull())
    owned = allowed(step).join(sent, "record_key")
    return (
        owned.select(
            "user_id",
            "campaign_id",
            at_ms=owned.occurred_at_ms,
            arm=owned.arm.fill_null("treated"),
        )
        .distinct()
        .order_by("user_id", "campaign_id", "at_ms", "arm")
    )


def allowed(step: Any) -> Any:
    """record_key, user_id of users who may be profiled."""
    return owned(step).semi_join(profiled(step), "user_id")


def owned(step: Any) -> Any:
    """record_key, user_id of all users."""
    return step.table("identities").select("record_key", "user_id")


def profiled(step: Any) -> Any:
    """user_id of users who may be profiled."""
    users = step.table("users")
    return users.filter(~users.consent_denied).select("user_id")
