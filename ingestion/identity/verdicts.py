"""What people decide about people: one judgement each, appended, and taken back by another.

A verdict holds over every rule and over the evidence. The users it touches are computed anew by the
next run; nothing is changed here but the log, and what it keeps of whom each verdict is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.identifiers import canonical_identifier, shown_identifier
from ingestion.identity.limits import workspace_limits
from ingestion.identity.standing import (
    AUTHOR,
    LEFT,
    MODEL_AUTHOR,
    RIGHT,
    WITHDRAWN,
    said_by_people,
)
from kg.errors import Conflict, InputError, NotFound
from kg.words import quoted

if TYPE_CHECKING:
    from kg.lake import Lake, Writer

STEP = "verdict"
RULE = "review"


@dataclass(frozen=True)
class Who:
    """Who decided, why and when (epoch milliseconds, UTC)."""

    author: str
    reason: str
    at_ms: int


@dataclass(frozen=True)
class Verdict:
    """One decision of a person, and the users it touches."""

    number: int
    left_record_key: str
    right_record_key: str
    verdict: str
    reason: str
    author: str
    judged_at_ms: int
    users: tuple[str, ...]


def merge(lake: "Writer", one: str, other: str, who: Who) -> Verdict:
    """Say that two users, or whom two records are about, are one person; a record may be nobody's.

    Raises:
        NotFound: there is no such user or record.
        Conflict: they are one already.
    """
    left, right = (_record(lake, name) for name in (one, other))
    if left == right:
        raise Conflict("Both are the same one.", hint="Nothing has to be merged.")
    users = {_user_in(lake, "identities", "record_key", key) for key in (left, right)}
    if len(users) == 1 and (user := users.pop()):
        raise Conflict(f"Both are the user {user} already.", hint="Nothing has to be merged.")
    return _append(lake, (left, right), "same", who, _sides(lake, left, right))


def split(lake: "Writer", record_key: str, who: Who) -> Verdict:
    """Say that a record is not about the person it was given to.

    It leaves with whatever hangs on it alone; what the user's other records name stays theirs.

    Raises:
        NotFound: there is no such record about a person.
        Conflict: it is all that is known of its user.
    """
    ids = _identities(lake)
    mine = ids.filter(pc.equal(ids["record_key"], record_key))
    if not len(mine):
        raise NotFound(
            f"No user has the record {quoted(record_key)}.",
            hint=f"`{lake.workspace.command('export identities --out FILE')}` lists the records of "
            "every user.",
        )
    user = mine["user_id"][0].as_py()
    others = ids.filter(
        pc.and_(pc.equal(ids["user_id"], user), pc.not_equal(ids["record_key"], record_key))
    )
    if not len(others):
        raise Conflict(f"{record_key!r} is the only record of {user}.")
    stays = others["record_key"].to_pylist()
    return _append(lake, (_first(lake, stays), record_key), "different", who, {LEFT: stays})


def apart(lake: "Writer", one: str, other: str, who: Who) -> Verdict:
    """Say that two users, or whom two records are about, are two people, and stay two.

    What only one of them names stays with that one; what is named by both is nobody's.

    Raises:
        NotFound: there is no such user or record.
        Conflict: they are one.
    """
    left, right = (_record(lake, name) for name in (one, other))
    users = {_user_in(lake, "identities", "record_key", key) for key in (left, right)}
    if left == right or (len(users) == 1 and None not in users):
        raise Conflict(
            "Both are one user.",
            hint=f"`{lake.workspace.command('identity split RECORD')}` takes a record out of it.",
        )
    return _append(lake, (left, right), "different", who, _sides(lake, left, right))


def undo(lake: "Writer", number: int, who: Who) -> Verdict:
    """Take back a verdict by its number; what was said of the pair before holds again, or, where no
    person had said anything, what rules and evidence say.

    Raises:
        NotFound: there is no verdict of that number, or it was taken back before.
    """
    known = {one.number: one for one in verdicts(lake)}
    if number not in known:
        raise NotFound(
            f"No verdict of number {number} stands.",
            hint=f"`{lake.workspace.command('identity verdicts')}` lists those that do.",
        )
    one = known[number]
    return _append(lake, (one.left_record_key, one.right_record_key), WITHDRAWN, who, {})


def verdicts(lake: "Lake") -> list[Verdict]:
    """The verdicts of people that stand, oldest first; a number is a place in the whole log."""
    said = said_by_people(lake)
    owner = _owners(lake, {key for one in said for key in one.left_keys | one.right_keys})
    return [
        _verdict(one.number, one.row, (owner.get(key) for key in one.left_keys | one.right_keys))
        for one in said
    ]


def user_of(lake: "Lake", name: str) -> str:
    """The user of a user id, of one that it was known by before, of a record, or of an identifier.

    Raises:
        NotFound: there is no such user or record; what was asked for may be personal, and is not
            repeated.
    """
    for table, key in (("users", "user_id"), ("user_aliases", "alias_id"),
                       ("identities", "record_key")):  # fmt: skip
        if found := _user_in(lake, table, key, name):
            return found
    if named := _identifier(name):
        return _user_named(lake, *named)
    raise NotFound(
        "There is no user or record of this name.",
        hint="Give a user id, namespace:value as records name people, or a record key as "
        f"`{lake.workspace.command('export identities --out FILE')}` shows them.",
    )


def whose(lake: "Lake", name: str) -> str | None:
    """The same; None: a record that is nobody's.

    Raises:
        NotFound: there is no such user or record.
    """
    records_of(lake, name)
    try:
        return user_of(lake, name)
    except NotFound:
        return None


def called_now(lake: "Lake", former_id: str) -> str | None:
    """The user that was known by this id before; None: nobody was."""
    return _user_in(lake, "user_aliases", "alias_id", former_id)


def _user_in(lake: "Lake", table: str, key: str, name: str) -> str | None:
    rows = lake.table(table)
    found = lake.run(rows.filter(rows[key] == name).select("user_id").limit(1))
    return str(found["user_id"][0].as_py()) if len(found) else None


def _identifier(name: str) -> tuple[str, str] | None:
    """Namespace and value of `namespace:value`."""
    namespace, _, value = name.partition(":")
    return (namespace, value) if namespace and value else None


def _user_named(lake: "Lake", namespace: str, value: str) -> str:
    """The user of an identifier, as the REST door finds one."""
    rows = lake.table("user_identifiers")
    limits = workspace_limits(lake)
    shown = shown_identifier(lake.workspace.key(), namespace, value, limits)
    mine = rows.filter((rows.namespace == namespace) & (rows.value == shown))
    found = lake.run(mine.order_by(mine.probability.desc(), "user_id").select("user_id").limit(1))
    if not len(found):
        raise NotFound(
            "Nobody here has this identifier.",
            hint="Write it as namespace:value, as records do; "
            f"`{lake.workspace.command('identity rules')}` lists the namespaces.",
        )
    return str(found["user_id"][0].as_py())


def records_naming(lake: "Lake", identifier: str) -> list[str]:
    """The keys of the records that name an identifier; none where it is written otherwise."""
    named = _identifier(identifier)
    if named is None:
        return []
    namespace, value = named
    rows = lake.table("statements")
    canonical = canonical_identifier(namespace, value, workspace_limits(lake))
    mine = rows.filter((rows.namespace == namespace) & (rows.value == canonical))
    keys: list[str] = lake.run(mine.select("record_key").order_by("record_key"))[
        "record_key"
    ].to_pylist()
    return keys


def records_of(lake: "Lake", name: str) -> list[str]:
    """The record keys meant: the record itself, or all records of a user."""
    ids, records = lake.table("identities"), lake.table("records")
    mine = records.filter((records.record_key == name) & (records.status == "accepted"))
    if len(lake.run(mine.select("record_key").limit(1))):
        return [name]
    user = user_of(lake, name)
    found = lake.run(ids.filter(ids.user_id == user).select("record_key").order_by("record_key"))
    keys: list[str] = found["record_key"].to_pylist()
    return keys


def _sides(lake: "Lake", left: str, right: str) -> dict[str, list[str]]:
    """The records of the users that two records are about."""
    return {LEFT: _all_of(lake, left), RIGHT: _all_of(lake, right)}


def _all_of(lake: "Lake", record_key: str) -> list[str]:
    """The records of the user that a record is about; the record, where it is nobody's."""
    user = _user_in(lake, "identities", "record_key", record_key)
    return [record_key] if user is None else records_of(lake, user)


def _owners(lake: "Lake", keys: set[str]) -> dict[str, str]:
    """Record key -> user, of those that are somebody's."""
    ids = lake.table("identities")
    asked = lake.memtable(pa.table({"record_key": pa.array(sorted(keys), pa.string())}))
    found = lake.run(ids.select("record_key", "user_id").semi_join(asked, "record_key"))
    return dict(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _identities(lake: "Lake") -> pa.Table:
    return lake.arrow("identities", ["record_key", "user_id"])


def _record(lake: "Lake", name: str) -> str:
    """The record that stands for a user: the first that was learned of it."""
    return _first(lake, records_of(lake, name))


def _first(lake: "Lake", keys: list[str]) -> str:
    records = lake.table("records")
    few = lake.memtable(pa.table({"record_key": keys}))
    rows = records.filter(records.status == "accepted").semi_join(few, "record_key")
    order = rows.order_by("recorded_at_ms", "record_key").select("record_key").limit(1)
    return str(lake.run(order)["record_key"][0].as_py())


def _append(
    lake: "Writer", pair: tuple[str, str], verdict: str, who: Who, sides: dict[str, list[str]]
) -> Verdict:
    if who.author.strip() in {"", AUTHOR, MODEL_AUTHOR}:
        raise InputError(
            "A verdict needs the name of the person who gives it.", hint="Say it with --by NAME."
        )
    if not who.reason.strip():
        raise InputError("A verdict needs its reason.", hint="Say it with --because WHY.")
    row = {
        "left_record_key": pair[0],
        "right_record_key": pair[1],
        "verdict": verdict,
        "probability": 0.0 if verdict == "different" else 1.0,
        "reason": who.reason,
        "rule": RULE,
        "author": who.author,
        "judged_at_ms": max(who.at_ms, _newest_ms(lake) + 1),
    }
    inputs = {name: lake.step_id(name) for name in ("identity", STEP)}
    keys = {*pair, *(key for side in sides.values() for key in side)}
    with lake.step(STEP, inputs=inputs, config=row) as step:
        step.append("judgements", pa.Table.from_pylist([row]))
        for side, mine in sides.items():
            step.append(
                "verdict_records",
                pa.table(
                    {
                        "judged_at_ms": [row["judged_at_ms"]] * len(mine),
                        "side": [side] * len(mine),
                        "record_key": mine,
                    }
                ),
            )
        number = lake.arrow("judgements").num_rows + 1
        found = _verdict(number, row, _owners(lake, keys).values())
        step.summary.update(verdict=verdict, users=list(found.users))
    return found


def _newest_ms(lake: "Lake") -> int:
    """When the newest verdict was given. The last word holds, also where a clock was set back."""
    judgements = lake.table("judgements")
    newest = judgements.filter(judgements.rule == RULE).judged_at_ms.max().name("newest")
    at_ms = lake.run(newest.as_table())["newest"][0].as_py()
    return -1 if at_ms is None else int(at_ms)


def _verdict(number: int, row: dict[str, Any], users: Iterable[str | None]) -> Verdict:
    """Args: users of the records that it is about; None: nobody."""
    return Verdict(
        number, row["left_record_key"], row["right_record_key"], row["verdict"], row["reason"],
        row["author"], row["judged_at_ms"], tuple(sorted({user for user in users if user})),
    )  # fmt: skip
