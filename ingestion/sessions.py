"""Sessions: a user's events in one channel with no gap over half an hour.

Everything here is an expression of the engine, so that it runs wherever the lake's tables are.
What was sent to a person (`received`) is not behaviour: it starts no session and joins none.
"""

from typing import TYPE_CHECKING, Any

from kg.hashing import stable_id_of

if TYPE_CHECKING:
    from kg.lake import Step

GAP_MINUTES = 30
_MS = 60_000


def behaviour(step: "Step") -> Any:
    """The events of users who may be profiled, with `user_id`; nothing that was sent to them."""
    users = step.table("users")
    users = users.filter(~users.consent_denied).select("user_id")
    owners = step.table("identities").select("record_key", "user_id").semi_join(users, "user_id")
    events = step.table("events")
    return events.filter(events.verb != "received").join(owners, "record_key")


def sessionize(events: Any, gap_minutes: int = GAP_MINUTES) -> Any:
    """Events with `session_id` and the session's `session_started_at_ms`.

    A gap of exactly `gap_minutes` still belongs to the session. What was put into one basket is
    never split: a basket lasts from its first to its last event, whatever lies between.

    Args:
        events: with user_id, channel, occurred_at_ms, basket_id.
        gap_minutes: the longest pause within a session.
    """
    moments = _started(_moments(events), gap_minutes * _MS)
    moments = moments.mutate(
        session_id=stable_id_of("s", moments.user_id, moments.channel, moments.started)
    )
    moments = moments.select(
        "user_id",
        "channel",
        "occurred_at_ms",
        "session_id",
        session_started_at_ms=moments.started,
    )
    return events.join(moments, ["user_id", "channel", "occurred_at_ms"])


def sessions(rows: Any) -> Any:
    """The table `sessions` of rows that `sessionize` gave."""
    import ibis

    found = rows.group_by("session_id", "user_id", "channel").aggregate(
        started_at_ms=rows.session_started_at_ms.min(),
        ended_at_ms=rows.occurred_at_ms.max(),
        event_count=rows.count(),
        value=rows.value.fill_null(0.0).sum(),
    )
    order = [found.started_at_ms, found.channel]
    number = ibis.row_number().over(group_by=found.user_id, order_by=order) + 1
    return found.mutate(number=number).order_by("user_id", "number")


def _moments(events: Any) -> Any:
    """Each time at which a user did something in a channel, and until when its baskets last."""
    import ibis

    baskets = events.select("user_id", "channel", "occurred_at_ms", "basket_id").distinct()
    at = baskets.occurred_at_ms
    last = at.max().over(group_by=[baskets.user_id, baskets.channel, baskets.basket_id])
    baskets = baskets.mutate(until=ibis.ifelse(baskets.basket_id.isnull(), at, last))
    return baskets.group_by("user_id", "channel", "occurred_at_ms").aggregate(
        until=baskets.until.max()
    )


def _started(moments: Any, gap_ms: int) -> Any:
    """Moments with `started`: the time of the first moment of their session."""
    import ibis

    def window(last: int) -> Any:
        return ibis.window(
            group_by=[moments.user_id, moments.channel],
            order_by=moments.occurred_at_ms,
            rows=(None, last),
        )

    at = moments.occurred_at_ms
    before = moments.until.max().over(window(-1))
    moments = moments.mutate(
        opens=ibis.ifelse(before.isnull() | (at - before > gap_ms), at, ibis.null("int64"))
    )
    return moments.mutate(started=moments.opens.max().over(window(0)))
