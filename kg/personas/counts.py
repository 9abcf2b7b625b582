"""The same four counts as the Cypher of a kind, for every persona and subject, in columns.

`did` says who has the outcome with which subject, `asked` whom the question applies to (None:
everybody with an intent). What is stated is counted again in the graph; the two must agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.personas.kinds import DAY_MS, RETURN_DAYS

if TYPE_CHECKING:
    from kg.lake import Lake

HALF = "test"
BOUGHT, RETURNED, SUPPORT = "bought", "returned", "support"
MOST_SEQUENCE_TOPICS = 40
COLUMNS = ["version", "subject", "n1", "k1", "n0", "k0"]


@dataclass(frozen=True)
class Answers:
    """Who answers a kind's question how; Ibis tables.

    Args:
        did: user_id, subject; distinct.
        asked: user_id, subject; distinct; None: everybody is asked about every subject.
        held: user_id, version, weight: who counts as a holder.
    """

    did: Any
    asked: Any
    held: Any


class Scan:
    """The people a lake's claims are measured on, and what they did."""

    def __init__(self, lake: "Lake", *, half: str | None = HALF) -> None:
        users = lake.table("users")
        users = users.filter(~users.consent_denied)
        users = users if half is None else users.filter(users.half == half)
        self.lake = lake
        self.intents = lake.table("intents").semi_join(users, "user_id")
        self.people = self.intents.select("user_id").distinct()

    def of_people(self, table: str) -> Any:
        """The rows of a table that are about the people measured."""
        return self.lake.table(table).semi_join(self.people, "user_id")

    def held(self) -> Any:
        """user_id, version, weight: who holds which persona version now."""
        holdings = self.of_people("holdings")
        holdings = holdings.filter(holdings.valid_to_ms.isnull())
        personas = self.lake.table("personas")
        newest = personas.group_by("persona_id").agg(number=personas.version.max())
        joined = holdings.inner_join(newest, "persona_id")
        return joined.group_by(
            user_id=joined.user_id, version=joined.persona_id + "@" + joined.number.cast("string")
        ).agg(weight=joined.weight.max())

    def answers(self, kind: str) -> Answers:
        """Who answers the question of a kind how."""
        return _ANSWERS[kind](self)


def counts(scan: Scan, kind: str) -> Any:
    """All personas and subjects of a kind: version, subject, n1, k1, n0, k0 (an Ibis table).

    Pairs that nobody was asked about are left out; a pair that no holder has the outcome with is
    there, with k1 = 0.
    """
    import ibis

    answers = scan.answers(kind)
    did, asked, held = answers.did, answers.asked, answers.held
    crowd = held.semi_join(scan.people, "user_id")
    if asked is None:
        n = scan.people.count().as_scalar()
        sizes = crowd.group_by("version").agg(n1=crowd.count())
        per_subject = did.group_by("subject").agg(k=did.count()).mutate(n=n)
        pairs = sizes.cross_join(per_subject)
    else:
        did = did.semi_join(asked, ["user_id", "subject"])
        both = crowd.inner_join(asked, "user_id")
        sizes = both.group_by("version", "subject").agg(n1=both.count())
        total = asked.group_by("subject").agg(n=asked.count())
        having = did.group_by("subject").agg(k=did.count())
        pairs = sizes.inner_join(total, "subject").left_join(having, "subject")
        pairs = pairs.mutate(k=pairs.k.fill_null(0))
    hits = crowd.inner_join(did, "user_id")
    hits = hits.group_by(of="version", about="subject").agg(hit=hits.count())
    rows = pairs.left_join(hits, [pairs.version == hits["of"], pairs.subject == hits.about])
    k1 = ibis.coalesce(rows.hit, 0)
    return rows.select(
        "version", "subject", n1=rows.n1, k1=k1, n0=rows.n - rows.n1, k0=rows.k - k1
    ).order_by("version", "subject")


def shares(scan: Scan) -> Any:
    """How many people there are (n1), and how many of them hold each version (k1)."""
    import ibis

    held = scan.held().semi_join(scan.people, "user_id")
    holding = held.group_by("version").agg(k1=held.count())
    nobody = ibis.literal(0, "int64")
    return holding.select(
        "version",
        subject=ibis.literal(""),
        n1=scan.people.count().as_scalar(),
        k1=holding.k1,
        n0=nobody,
        k0=nobody,
    ).order_by("version")


def _distinct(rows: Any, subject: Any) -> Any:
    import ibis

    subject = ibis.literal(subject) if isinstance(subject, str) else subject
    return rows.select(user_id=rows.user_id, subject=subject).distinct()


def _topic(scan: Scan) -> Answers:
    rows = scan.intents
    return Answers(_distinct(rows, rows.verb + " " + rows.topic), None, scan.held())


def _verb(scan: Scan) -> Answers:
    rows = scan.intents
    rows = rows.filter(~rows.verb.isin([RETURNED]))
    return Answers(_distinct(rows, rows.verb), None, scan.held())


def _returned(scan: Scan) -> Answers:
    rows = scan.intents
    buyers = rows.filter(rows.verb == BOUGHT)
    did = _distinct(rows.filter(rows.verb == RETURNED), RETURNED)
    return Answers(did, _distinct(buyers, RETURNED), scan.held())


def _channel(scan: Scan) -> Answers:
    rows = scan.intents
    rows = rows.filter(rows.channel != SUPPORT)
    return Answers(_distinct(rows, rows.channel), None, scan.held())


def _support(scan: Scan) -> Answers:
    rows = scan.intents
    return Answers(_distinct(rows.filter(rows.channel == SUPPORT), SUPPORT), None, scan.held())


def _item(scan: Scan) -> Answers:
    bought = scan.intents.filter(scan.intents.verb == BOUGHT).select("intent_id", "user_id")
    lines = scan.lake.table("intent_items").inner_join(bought, "intent_id")
    return Answers(_distinct(lines, lines.item_id), None, scan.held())


def _mostly(scan: Scan, subject: Any) -> Answers:
    rows = scan.intents.select(user_id=scan.intents.user_id, subject=subject)
    parts = rows.group_by("user_id", "subject").agg(part=rows.count())
    every = rows.group_by("user_id").agg(every=rows.count())
    joined = parts.inner_join(every, "user_id")
    most = joined.filter(2 * joined.part > joined.every)
    return Answers(most.select("user_id", "subject"), None, scan.held())


def _hours(scan: Scan) -> Any:
    return (scan.intents.started_at_ms / 3_600_000).floor().cast("int64")


def _daypart(scan: Scan) -> Answers:
    import ibis

    hour = _hours(scan) % 24
    part = ibis.cases(
        (hour < 6, "night"), (hour < 12, "morning"), (hour < 18, "afternoon"), else_="evening"
    )
    return _mostly(scan, part)


def _weekday(scan: Scan) -> Answers:
    import ibis

    weekday = ((_hours(scan) / 24).floor().cast("int64") + 3) % 7
    return _mostly(scan, ibis.ifelse(weekday >= 5, "weekend", "week"))


def _overlap(scan: Scan) -> Answers:
    held = scan.held()
    other = held.select("user_id", subject="version")
    return Answers(other, None, held)


def _trait(scan: Scan) -> Answers:
    traits = scan.of_people("user_traits")
    did = traits.select("user_id", "name", subject=traits.name + "=" + traits.value).distinct()
    known = did.select("user_id", "name").distinct()
    values = did.select("name", "subject").distinct()
    asked = known.inner_join(values, "name").select("user_id", "subject")
    return Answers(did.select("user_id", "subject"), asked, scan.held())


def _sent(scan: Scan) -> Any:
    """user_id, subject: the campaigns that people were sent, not as a control group."""
    received = scan.of_people("received")
    sends = received.group_by("user_id", "campaign_id", "at_ms").agg(arm=received.arm.max())
    sends = sends.filter(sends.arm != "control")
    return _distinct(sends, sends.campaign_id)


def _received(scan: Scan) -> Answers:
    return Answers(_sent(scan), None, scan.held())


def _responses(scan: Scan) -> Any:
    rows = scan.intents
    return rows.filter(rows.campaign_id.notnull(), rows.verb != "received")


def _response(scan: Scan) -> Answers:
    answers = _responses(scan)
    other = scan.of_people("memberships").anti_join(answers, "intent_id")
    deeds = other.filter(other.persona_id.notnull()).select("user_id", "persona_id").distinct()
    held = scan.held()
    held = held.mutate(persona_id=held.version.split("@")[0])
    held = held.semi_join(deeds, ["user_id", "persona_id"]).drop("persona_id")
    return Answers(_distinct(answers, answers.campaign_id), _sent(scan), held)


def _following(scan: Scan) -> Any:
    """Sessions with the next one of the same person: next_id, next_ms (null: the last)."""
    rows = scan.of_people("sessions")
    order = {"group_by": rows.user_id, "order_by": [rows.number, rows.session_id]}
    return rows.mutate(
        next_id=rows.session_id.lead().over(**order),
        next_ms=rows.started_at_ms.lead().over(**order),
    )


def before_ms(scan: Scan) -> int:
    """Who was first seen later than this has not had the time to come back."""
    end = scan.lake.table("events").occurred_at_ms.max().to_pyarrow().as_py()
    return int(end or 0) - RETURN_DAYS * DAY_MS


def _repeat(scan: Scan) -> Answers:
    rows = _following(scan)
    first = rows.filter(rows.number == 1, rows.started_at_ms <= before_ms(scan))
    again = first.filter(first.next_ms - first.started_at_ms <= RETURN_DAYS * DAY_MS)
    return Answers(_distinct(again, ""), _distinct(first, ""), scan.held())


def sequence_topics(scan: Scan) -> list[str]:
    """The topics that most people of the half have an intent on: pairs grow with the square."""
    rows = scan.intents
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
    return Answers(_distinct(pairs, pairs.topic + " > " + pairs.then), None, scan.held())


def _share(scan: Scan) -> Answers:
    held = scan.held()
    return Answers(held.select("user_id", subject="version"), None, held)


_ANSWERS: dict[str, Callable[[Scan], Answers]] = {
    "topic": _topic,
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
    "response": _response,
    "repeat": _repeat,
    "sequence": _sequence,
    "share": _share,
}
