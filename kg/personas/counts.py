"""The same counts as the Cypher of a kind, for every persona and subject, in columns.

`did` says who has the outcome with which subject, `asked` whom the question applies to (None:
everybody with an intent). What is stated is counted again in the graph; the two must agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kg.activity import STRATA, strata
from kg.personas.kinds import DAY_MS, KINDS, RETURN_DAYS
from kg.personas.labels import OTHER

if TYPE_CHECKING:
    from kg.lake import Lake

HALF = "test"
BOUGHT, RETURNED, SUPPORT = "bought", "returned", "support"
MOST_SEQUENCE_TOPICS = 40
COLUMNS = ["version", "subject", "activity", "n1", "k1", "n0", "k0"]


@dataclass(frozen=True)
class Answers:
    """Who answers a kind's question how; Ibis tables.

    Args:
        did: user_id, subject; distinct.
        asked: user_id, subject; distinct; None: everybody is asked about every subject.
    """

    did: Any
    asked: Any = None


class Scan:
    """The people a lake's claims are measured on, and what they did."""

    def __init__(self, lake: "Lake", *, half: str | None = HALF) -> None:
        users = lake.table("users")
        users = users.filter(~users.consent_denied)
        users = users if half is None else users.filter(users.half == half)
        self.lake = lake
        every = lake.table("intents").semi_join(users, "user_id")
        self.intents = every.anti_join(lake.table("kept_out"), "intent_id")
        # Kept, since every kind asks for them: user_id, activity.
        self.people = lake.memtable(lake.run(strata(lake).semi_join(users, "user_id")))

    def of_people(self, table: str) -> Any:
        """The rows of a table that are about the people measured."""
        return self.lake.table(table).semi_join(self.people, "user_id")

    @cached_property
    def held(self) -> Any:
        """user_id, version, weight, activity: who holds which persona version now."""
        holdings = self.of_people("holdings")
        holdings = holdings.filter(holdings.valid_to_ms.isnull())
        personas = self.lake.table("personas")
        newest = personas.group_by("persona_id").agg(number=personas.version.max())
        joined = holdings.inner_join(newest, "persona_id")
        held = joined.group_by(
            user_id=joined.user_id, version=joined.persona_id + "@" + joined.number.cast("string")
        ).agg(weight=joined.weight.max())
        return self.lake.memtable(self.lake.run(held.inner_join(self.people, "user_id")))

    def answers(self, kind: str) -> Answers:
        """Who answers the question of a kind how."""
        return _ANSWERS[kind](self)


def counts(scan: Scan, kind: str) -> Any:
    """All personas and subjects of a kind: version, subject, activity, n1, k1, n0, k0 (Ibis).

    A kind that compares with nobody has no others: n0 and k0 are 0. Pairs that nobody was asked
    about are left out; a pair that no holder has the outcome with is there, with k1 = 0. Every pair
    has a row for every stratum.
    """
    answers = scan.answers(kind)
    did, asked, held = answers.did, answers.asked, scan.held
    if asked is None:
        of_holders, of_all = ["version", "activity"], ["activity"]
        pairs = held.select("version").distinct().cross_join(did.select("subject").distinct())
        sizes, total = _count(held, of_holders, "n1"), _count(scan.people, of_all, "n")
    else:
        of_holders, of_all = ["version", "subject", "activity"], ["subject", "activity"]
        did = did.semi_join(asked, ["user_id", "subject"])
        both = held.inner_join(asked, "user_id")
        pairs = both.select("version", "subject").distinct()
        sizes = _count(both, of_holders, "n1")
        total = _count(asked.inner_join(scan.people, "user_id"), of_all, "n")
    cells = pairs.cross_join(_every_stratum(scan))
    cells = _with(_with(cells, sizes, of_holders, "n1"), total, of_all, "n")
    hits = _count(held.inner_join(did, "user_id"), ["version", "subject", "activity"], "k1")
    having = _count(did.inner_join(scan.people, "user_id"), ["subject", "activity"], "k")
    cells = _with(cells, hits, ["version", "subject", "activity"], "k1")
    cells = _with(cells, having, ["subject", "activity"], "k")
    others = 0 if KINDS[kind].of_all else 1
    cells = cells.mutate(n0=(cells.n - cells.n1) * others, k0=(cells.k - cells.k1) * others)
    return cells.select(*COLUMNS).order_by("version", "subject", "activity")


def shares(scan: Scan) -> Any:
    """How many people there are (n1), and how many of them hold each version (k1); as `counts`."""
    import ibis

    cells = scan.held.select("version").distinct().cross_join(_every_stratum(scan))
    cells = _with(cells, _count(scan.people, ["activity"], "n1"), ["activity"], "n1")
    holding = _count(scan.held, ["version", "activity"], "k1")
    cells = _with(cells, holding, ["version", "activity"], "k1")
    nobody = ibis.literal(0, "int64")
    cells = cells.mutate(subject=ibis.literal(""), n0=nobody, k0=nobody)
    return cells.select(*COLUMNS).order_by("version", "subject", "activity")


def _every_stratum(scan: Scan) -> Any:
    return scan.lake.memtable(pa.table({"activity": pa.array(range(STRATA), pa.int64())}))


def _count(rows: Any, keys: list[str], name: str) -> Any:
    return rows.group_by(keys).agg(**{name: rows.count()})


def _with(cells: Any, counted: Any, keys: list[str], name: str) -> Any:
    """The cells with one more count; 0 where nothing was counted."""
    import ibis

    joined = cells.left_join(counted, keys)
    return joined.select(*cells.columns, **{name: ibis.coalesce(joined[name], 0)})


def _distinct(rows: Any, subject: Any) -> Any:
    import ibis

    subject = ibis.literal(subject) if isinstance(subject, str) else subject
    return rows.select(user_id=rows.user_id, subject=subject).distinct()


def _topic(scan: Scan) -> Answers:
    rows = scan.intents
    return Answers(_distinct(rows, rows.verb + " " + rows.topic))


def _verb(scan: Scan) -> Answers:
    rows = scan.intents
    rows = rows.filter(~rows.verb.isin([RETURNED]))
    return Answers(_distinct(rows, rows.verb))


def _returned(scan: Scan) -> Answers:
    rows = scan.intents
    buyers = rows.filter(rows.verb == BOUGHT)
    did = _distinct(rows.filter(rows.verb == RETURNED), RETURNED)
    return Answers(did, _distinct(buyers, RETURNED))


def _channel(scan: Scan) -> Answers:
    rows = scan.intents
    rows = rows.filter(rows.channel != SUPPORT)
    return Answers(_distinct(rows, rows.channel))


def _support(scan: Scan) -> Answers:
    rows = scan.intents
    return Answers(_distinct(rows.filter(rows.channel == SUPPORT), SUPPORT))


def _item(scan: Scan) -> Answers:
    bought = scan.intents.filter(scan.intents.verb == BOUGHT).select("intent_id", "user_id")
    lines = scan.lake.table("intent_items").inner_join(bought, "intent_id")
    return Answers(_distinct(lines, lines.item_id))


def _mostly(scan: Scan, subject: Any) -> Answers:
    """Who has more than half of their intents in one part, of those of which it is known."""
    rows = scan.intents.select(user_id=scan.intents.user_id, subject=subject)
    rows = rows.filter(rows.subject.notnull())
    parts = rows.group_by("user_id", "subject").agg(part=rows.count())
    every = rows.group_by("user_id").agg(every=rows.count())
    joined = parts.inner_join(every, "user_id")
    most = joined.filter(2 * joined.part > joined.every)
    return Answers(most.select("user_id", "subject"))


def part_of_day(hour: Any) -> Any:
    """night, morning, afternoon or evening of an hour (Ibis); null where it is not known."""
    import ibis

    return ibis.cases(
        (hour < 6, "night"),
        (hour < 12, "morning"),
        (hour < 18, "afternoon"),
        (hour < 24, "evening"),
    )


def _daypart(scan: Scan) -> Answers:
    return _mostly(scan, part_of_day(scan.intents.hour))


def _weekday(scan: Scan) -> Answers:
    import ibis

    return _mostly(scan, ibis.ifelse(scan.intents.weekday >= 5, "weekend", "week"))


def _overlap(scan: Scan) -> Answers:
    return Answers(scan.held.select("user_id", subject="version"))


def _trait(scan: Scan) -> Answers:
    traits = scan.of_people("user_traits")
    did = traits.select("user_id", "name", subject=traits.name + "=" + traits.value).distinct()
    known = did.select("user_id", "name").distinct()
    values = did.select("name", "subject").distinct()
    asked = known.inner_join(values, "name").select("user_id", "subject")
    return Answers(did.select("user_id", "subject"), asked)


def _sent(scan: Scan) -> Any:
    """user_id, subject: the campaigns that people were sent, not as a control group."""
    received = scan.of_people("received")
    sends = received.group_by("user_id", "campaign_id", "at_ms").agg(arm=received.arm.max())
    sends = sends.filter(sends.arm != "control")
    return _distinct(sends, sends.campaign_id)


def _received(scan: Scan) -> Answers:
    """Of campaigns that no intent answers which shapes personas."""
    sent = _sent(scan)
    return Answers(sent.anti_join(_answered(scan), "subject"))


def _received_inside(scan: Scan) -> Answers:
    """Of the other campaigns: who answers one was sent it, so its answers tell who was."""
    sent = _sent(scan)
    return Answers(sent.semi_join(_answered(scan), "subject"))


def answered_by(scan: Scan) -> dict[str, str]:
    """Campaign -> the verb and topic of its answers, where those of everybody are alike."""
    rows = _every_answer(scan)
    told = rows.verb + " " + rows.topic
    found = rows.group_by("campaign_id").agg(one=told.min(), other=told.max())
    found = scan.lake.run(found.filter(found.one == found.other))
    return dict(zip(found["campaign_id"].to_pylist(), found["one"].to_pylist(), strict=True))


def _answered(scan: Scan) -> Any:
    """subject: the campaigns that somebody's intent answers which shapes personas."""
    return _every_answer(scan).select(subject="campaign_id").distinct()


def _every_answer(scan: Scan) -> Any:
    """The intents of both halves that answer a campaign and shape personas."""
    lake = scan.lake
    return _answering(lake.table("intents").anti_join(lake.table("kept_out"), "intent_id"))


def _answering(intents: Any) -> Any:
    return intents.filter(intents.campaign_id.notnull(), intents.verb != "received")


def _response(scan: Scan) -> Answers:
    answers = _answering(scan.intents)
    return Answers(_distinct(answers, answers.campaign_id), _sent(scan))


def _following(scan: Scan) -> Any:
    """Sessions with the next one of the same person: next_id, next_ms (null: the last)."""
    rows = scan.of_people("sessions")
    order = {"group_by": rows.user_id, "order_by": [rows.number, rows.session_id]}
    return rows.mutate(
        next_id=rows.session_id.lead().over(**order),
        next_ms=rows.started_at_ms.lead().over(**order),
    )


def newest_ms(lake: Any) -> int:
    """When the newest event happened; 0 where there is none."""
    return int(lake.table("events").occurred_at_ms.max().to_pyarrow().as_py() or 0)


def before_ms(scan: Scan) -> int:
    """Who was first seen later than this has not had the time to come back."""
    return newest_ms(scan.lake) - RETURN_DAYS * DAY_MS


def _repeat(scan: Scan) -> Answers:
    rows = _following(scan)
    first = rows.filter(rows.number == 1, rows.started_at_ms <= before_ms(scan))
    again = first.filter(first.next_ms - first.started_at_ms <= RETURN_DAYS * DAY_MS)
    return Answers(_distinct(again, ""), _distinct(first, ""))


def sequence_topics(scan: Scan) -> list[str]:
    """The topics that most people of the half have an intent on: pairs grow with the square.

    What is of no known kind is no topic: that it came before or after something says nothing.
    """
    rows = scan.intents.filter(scan.intents.topic != OTHER)
    known = rows.group_by("topic").agg(people=rows.user_id.nunique())
    known = known.order_by(known.people.desc(), "topic").limit(MOST_SEQUENCE_TOPICS)
    return sorted(scan.lake.run(known)["topic"].to_pylist())


def _sequence(scan: Scan) -> Answers:
    rows = scan.intents.filter(scan.intents.topic.isin(sequence_topics(scan) or [""]))
    seen = rows.select("session_id", "topic").distinct()
    steps = _following(scan).select("user_id", "session_id", "next_id")
    first = steps.inner_join(seen, "session_id").select("user_id", "next_id", "topic")
    later = seen.select(next_id="session_id", then="topic")
    pairs = first.inner_join(later, "next_id")
    pairs = pairs.filter(pairs.topic != pairs.then)
    return Answers(_distinct(pairs, pairs.topic + " > " + pairs.then))


def _goal(kind: str) -> Callable[[Scan], Answers]:
    """The goals of a kind: those who came early enough to reach one, and those who did."""

    def answers(scan: Scan) -> Answers:
        goals = scan.lake.table("goals")
        goals = goals.filter(goals.kind == kind)
        reached = scan.of_people("reached").inner_join(goals, "goal")
        intents = scan.of_people("intents")
        first = intents.group_by("user_id").agg(first_ms=intents.started_at_ms.min())
        pairs = first.cross_join(goals.select("goal", "before_ms"))
        asked = pairs.filter(pairs.first_ms <= pairs.before_ms)
        return Answers(
            _distinct(reached, reached.goal), asked.select("user_id", subject=asked.goal)
        )

    return answers


def _share(scan: Scan) -> Answers:
    return Answers(scan.held.select("user_id", subject="version"))


_ANSWERS: dict[str, Callable[[Scan], Answers]] = {
    "topic": _topic,
    "common": _topic,
    "verb": _verb,
    "returned": _returned,
    "channel": _channel,
    "support": _support,
    "item": _item,
    "daypart": _daypart,
    "weekday": _weekday,
    "overlap": _overlap,
    "trait": _trait,
    "received": _received,
    "received_inside": _received_inside,
    "response": _response,
    "repeat": _repeat,
    "sequence": _sequence,
    "goal": _goal("goal"),
    "goal_inside": _goal("goal_inside"),
    "goal_return": _goal("goal_return"),
    "share": _share,
}
