"""Intents: maximal runs of a session's events with one verb and one topic.

Invariant: the order of files and rows never matters. Events at one time are a set, grouped by verb
and topic; the groups of one time stand in the order of their topics. Everything is an expression
of the engine, so that it runs wherever the lake's tables are.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingestion import holes
from ingestion.functions import clock_in, from_epoch_ms, in_zone
from ingestion.sessions import behaviour, sessionize, sessions
from kg.hashing import stable_id_of, text_hash_of
from kg.words import some

if TYPE_CHECKING:
    from kg.lake import Step

FEWEST_EVENTS_PER_INTENT = 1.2
LEAST_GAIN_SHARE = 0.10
FEWEST_TOPICS = 20
OTHER = "other"
_GROUP = ("session_id", "occurred_at_ms", "verb", "topic")


@dataclass(frozen=True)
class Level:
    """What intents would look like at one level of topics (0 = broadest)."""

    level: int
    events: int
    intents: int
    topics: int

    @property
    def events_per_intent(self) -> float:
        """How much an intent sums up; near 1 the level is too fine. 0 where there is none."""
        return self.events / self.intents if self.intents else 0.0


def intents(step: "Step") -> None:
    """Turn the events of users who may be profiled into sessions and intents.

    Reads events, identities, users, item_topics, text_topics, topics; writes sessions, intents,
    event_intents, intent_items, and appends to topics what only events declare (their categories
    and objects). The step's config may hold `topic_level`, or `kept_topic_level` where the one
    chosen before stays, and the `time_zone` whose clocks tell the hour. The summary says which
    level was taken, why, the figures of all levels, and which tables have a hole.
    """
    # In two steps: in one, the engine joins a user's records with all of that user's moments, which
    # grows with the square of what the busiest user did.
    rows = step.keep(sessionize(step.keep(_slim(behaviour(step)))))
    topics = Topics(step, rows)
    figures = [figures_at(step, topics, level) for level in topics.levels()]
    kept = step.plan.config.get("kept_topic_level")
    if kept is None:
        level, why = choose_level(figures, step.plan.config.get("topic_level"))
    else:
        level, why = choose_level(figures, kept)[0], "kept from the last search for personas"
    found = step.keep(runs(topics.at(level)))
    linked = step.keep(linked_events(topics.at(level), found))
    step.overwrite("sessions", sessions(rows))
    zone = step.plan.config.get("time_zone") or "UTC"
    step.overwrite("intents", intent_table(found, linked, step.table("sessions"), zone))
    step.overwrite("event_intents", event_intents(linked))
    step.overwrite("intent_items", intent_items(linked))
    step.append("topics", topics.declared())
    chosen = next(figure for figure in figures if figure.level == level)
    step.summary.update(
        holes=holes.find(step),
        time_zone=zone,
        sessions=step.table("sessions").count().to_pyarrow().as_py(),
        intents=chosen.intents,
        events=chosen.events,
        events_per_intent=round(chosen.events_per_intent, 3),
        topics=chosen.topics,
        topic_level=level,
        topic_level_why=why,
        levels=[
            {
                "level": figure.level,
                "intents": figure.intents,
                "events_per_intent": round(figure.events_per_intent, 3),
                "topics": figure.topics,
            }
            for figure in figures
        ],
    )


def choose_level(figures: list[Level], declared: int | None) -> tuple[int, str]:
    """The level of topics to work with, and why.

    Args:
        figures: one per level, broadest first.
        declared: what the mapping says, if anything.
    """
    by_level = {figure.level: figure for figure in figures}
    if declared is not None:
        level = max((x for x in by_level if x <= declared), default=min(by_level))
        return level, f"the mapping declares level {declared}"
    now = figures[-1]
    why = "it is the finest" if len(figures) > 1 else "it is the only one"
    for broader in reversed(figures[:-1]):
        if now.events_per_intent >= FEWEST_EVENTS_PER_INTENT:
            return now.level, f"{why}, with {now.events_per_intent:.2f} events per intent"
        gain = broader.events_per_intent / now.events_per_intent - 1 if now.intents else 0.0
        if gain <= LEAST_GAIN_SHARE:
            more = f"would put only {gain:.0%} more events into an intent"
            return now.level, f"{why}; level {broader.level} {more}"
        if broader.topics < FEWEST_TOPICS:
            return (
                now.level,
                f"{why}; level {broader.level} has only {some(broader.topics, 'topic')}",
            )
        why = f"raised from level {now.level}, which had {now.events_per_intent:.2f} per intent"
        now = broader
    return now.level, why


class Topics:
    """What each event is about, at every level.

    An item's topic, else the event's own category, else (for free text about no item or object)
    the text's group, else the object, else `other`. An item that has no topic at a level has its
    next broader one.
    """

    def __init__(self, step: "Step", rows: Any) -> None:
        self._step = step
        self._rows = rows

    def levels(self) -> list[int]:
        """All levels that items or texts have, broadest first; [0] where none has."""
        found: set[int] = {0}
        for name in ("item_topics", "text_topics"):
            column = self._step.table(name).select("level").distinct().to_pyarrow()["level"]
            found |= set(column.to_pylist())
        return list(range(max(found) + 1))

    def at(self, level: int) -> Any:
        """The events with `topic` at a level."""
        import ibis

        rows = self._rows
        items = self._level("item_topics", "item_id", level)
        texts = self._level("text_topics", "text_hash", level)
        rows = rows.left_join(items, "item_id").drop("item_id_right")
        rows = rows.left_join(texts, "text_hash").drop("text_hash_right")
        topic = ibis.coalesce(
            rows.item_id_topic, rows.category_topic, rows.text_hash_topic, rows.object_topic
        )
        return rows.mutate(topic=topic.fill_null(OTHER))

    def declared(self) -> Any:
        """Topics that only events declare, as rows of `topics`."""
        import ibis

        tables = []
        for kind in ("category", "object"):
            rows = self._rows.mutate(topic=self._rows[f"{kind}_topic"], label=self._rows[kind])
            found = (
                rows.filter(rows.topic.notnull())
                .group_by("topic")
                .aggregate(label=rows.label.min())
            )
            tables.append(found.mutate(kind=ibis.literal(kind)))
        both = ibis.union(*tables)
        named = both.group_by("topic").aggregate(label=both.label.min(), kind=both.kind.min())
        other = ibis.memtable({"topic": [OTHER], "label": [OTHER], "kind": ["object"]})
        every = ibis.union(named.filter(named.topic != OTHER), other)
        new = every.anti_join(self._step.table("topics").select("topic"), "topic")
        return new.mutate(
            level=ibis.literal(0, "int32"), item_count=ibis.literal(0, "int64")
        ).order_by("topic")

    def _level(self, name: str, key: str, level: int) -> Any:
        topics = self._step.table(name)
        topics = topics.filter(topics.level <= level)
        return topics.group_by(key).aggregate(**{f"{key}_topic": topics.topic.argmax(topics.level)})


def slug(text: Any) -> Any:
    """A word or path as a topic: lower case, letters and digits joined by dashes; null for none."""
    return text.lower().re_replace(r"[^\p{L}\p{N}]+", "-").re_replace("^-|-$", "").nullif("")


def runs(events: Any) -> Any:
    """Events grouped by session, time, verb and topic, each group with the intent it belongs to.

    Columns: session_id, occurred_at_ms, verb, topic, events, quantity, value, opens (starts an
    intent), position (of the intent in its session, from 1), started_at_ms (of the intent).
    """
    import ibis

    groups = _opened(
        events.group_by(*_GROUP).aggregate(
            events=events.count(), quantity=events.quantity.sum(), value=events.value.sum()
        )
    )
    so_far = ibis.window(group_by=groups.session_id, order_by=_order(groups), rows=(None, 0))
    at = ibis.ifelse(groups.opens, groups.occurred_at_ms, ibis.null("int64"))
    return groups.mutate(
        position=groups.opens.cast("int64").sum().over(so_far), started_at_ms=at.max().over(so_far)
    )


def _order(groups: Any) -> list[Any]:
    return [groups.occurred_at_ms, groups.topic, groups.verb]


def _opened(groups: Any) -> Any:
    """Groups with `opens`: whether verb or topic differ from the group before."""
    import ibis

    before = ibis.window(group_by=groups.session_id, order_by=_order(groups))
    follows = (groups.topic.lag().over(before) == groups.topic) & (
        groups.verb.lag().over(before) == groups.verb
    )
    return groups.mutate(opens=~follows.fill_null(False))


def figures_at(step: "Step", topics: "Topics", level: int) -> Level:
    """What intents would look like at a level."""
    events = topics.at(level)
    found = _opened(events.group_by(*_GROUP).aggregate(events=events.count()))
    row = step.lake.run(
        found.aggregate(
            events=found.events.sum().fill_null(0),
            intents=found.opens.cast("int64").sum().fill_null(0),
            topics=found.topic.nunique(),
        )
    ).to_pylist()[0]
    return Level(level, **row)


def intent_table(found: Any, linked: Any, owners: Any, zone: str) -> Any:
    """The table `intents`: of `runs`, with the texts and campaigns of `linked` events.

    Args:
        owners: the sessions with their user_id and channel.
        zone: whose clocks tell the hour and the weekday.
    """
    table = found.group_by("session_id", "position", "verb", "topic", "started_at_ms").aggregate(
        ended_at_ms=found.occurred_at_ms.max(),
        event_count=found.events.sum(),
        quantity=found.quantity.sum().fill_null(0.0),
        value=found.value.sum().fill_null(0.0),
    )
    hour, weekday = clock(table.started_at_ms, zone)
    table = table.mutate(intent_id=_intent_id(table), hour=hour, weekday=weekday)
    table = table.join(owners.select("session_id", "user_id", "channel"), "session_id")
    for first in (_first(linked, "text", longest=True), _first(linked, "campaign_id")):
        table = table.left_join(first, "intent_id").drop("intent_id_right")
    return table.order_by("user_id", "started_at_ms", "session_id", "position")


def clock(at_ms: Any, zone: str) -> tuple[Any, Any]:
    """The hour (0 to 23) and the weekday (0 Monday) that clocks in a zone show.

    What stands at midnight to the millisecond, in the zone or in UTC, is a day without a time: its
    hour is null. (Read as an hour, a shop that exports dates has nothing but customers at night.)
    """
    import ibis

    at = from_epoch_ms(at_ms)
    local = at if zone == "UTC" else clock_in(zone, in_zone("UTC", at))
    day_in_utc, day_here = (time == time.truncate("D") for time in (at, local))
    hour = (day_in_utc | day_here).ifelse(ibis.null("int32"), local.hour().cast("int32"))
    day = day_in_utc.ifelse(at, local)
    return hour, day.day_of_week.index().cast("int32")


def _intent_id(rows: Any) -> Any:
    # No two intents of a session start at one time with one verb and topic.
    return stable_id_of("i", rows.session_id, rows.started_at_ms, rows.verb, rows.topic)


def linked_events(events: Any, found: Any) -> Any:
    """Events with their `intent_id`; `found` is what `runs` gave."""
    found = found.select(*_GROUP, intent_id=_intent_id(found))
    return events.join(found, _GROUP).select(
        "record_key",
        "session_id",
        "intent_id",
        "user_id",
        "occurred_at_ms",
        "item_id",
        "value",
        "text",
        "campaign_id",
    )


def event_intents(linked: Any) -> Any:
    """The table `event_intents`; a record that holds several items may have several intents."""
    return linked.select("record_key", "session_id", "intent_id", "user_id").distinct()


def intent_items(linked: Any) -> Any:
    """The table `intent_items`: how often, and for how much, an intent is about an item."""
    linked = linked.filter(linked.item_id.notnull())
    return linked.group_by("intent_id", "item_id").aggregate(
        count=linked.count(), value=linked.value.sum().fill_null(0.0)
    )


def _first(linked: Any, column: str, *, longest: bool = False) -> Any:
    """Each intent's earliest value of a column, or its longest."""
    import ibis

    rows = linked.filter(linked[column].notnull())
    order = [rows.occurred_at_ms, rows.record_key, rows[column]]
    if longest:
        order.insert(0, rows[column].length().desc())
    rows = rows.mutate(place=ibis.row_number().over(group_by=rows.intent_id, order_by=order))
    return rows.filter(rows.place == 0).select("intent_id", column)


def _slim(rows: Any) -> Any:
    import ibis

    free = rows.text.notnull() & rows.item_id.isnull() & rows.object.isnull()
    return rows.select(
        "record_key",
        "user_id",
        "channel",
        "occurred_at_ms",
        "basket_id",
        "verb",
        "item_id",
        "category",
        "object",
        "text",
        "quantity",
        "value",
        "campaign_id",
        category_topic=slug(rows.category),
        object_topic=slug(rows.object),
        text_hash=ibis.ifelse(free, text_hash_of(rows.text), ibis.null("string")),
    )
