"""Segment-spec messages of a chunk, as JSON lines in one file per month, with their dirt.

A file holds what was received in its month, so late events lie in a later file. One further file
repeats three days, as a re-export does.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from ingestion.simulate import world
from ingestion.simulate.behaviour import CODE, CODES, Events, Intents
from ingestion.simulate.catalogue import Catalogue
from ingestion.simulate.devices import Visits
from ingestion.simulate.people import Flags, Ints, People
from ingestion.simulate.truth import Truth

_MONTHS = np.arange(np.datetime64("2025-08"), np.datetime64("2026-07"))
FILES = (
    *(f"segment/events-{month}.jsonl.gz" for month in _MONTHS),
    "segment/events-again-2026-03.jsonl.gz",
)
_AGAIN = len(_MONTHS)
_HOUR_MS = 3_600_000
_CONTEXTS = (
    '"context":{"library":{"name":"analytics.js","version":"2.11.1"},"locale":"en-GB"}',
    '"context":{"library":{"name":"analytics-ios","version":"4.1.8"},"locale":"en-GB"}',
    '"context":{"library":{"name":"analytics-python","version":"2.3.3"}}',
)


class SegmentFiles:
    """The gzip files of one world, open for appending; bytes depend on nothing but the content."""

    def __init__(self, data: Path) -> None:
        self._plain: list[BufferedWriter] = [open(data / name, "wb") for name in FILES]  # noqa: SIM115
        self._packed = [
            gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=file, mtime=0)
            for file in self._plain
        ]
        self.rows = [0] * len(FILES)

    def write(self, number: int, lines: list[str]) -> range:
        """Append lines to a file; returns their 1-based rows."""
        self._packed[number].write(("\n".join(lines) + "\n").encode())
        first = self.rows[number] + 1
        self.rows[number] += len(lines)
        return range(first, first + len(lines))

    def close(self) -> None:
        """Finish every file."""
        for packed, plain in zip(self._packed, self._plain, strict=True):
            packed.close()
            plain.close()


@dataclass
class Messages:
    """Messages of a chunk before they are written.

    Shapes:
        all (n,). `intent` -1: identify and group calls; `device` -1: sent by a server.
    """

    code: Ints
    intent: Ints
    person: Ints
    visit: Ints  # row of Visits; -1: sent by a server
    ms: Ints
    item: Ints
    quantity: Ints


def make_messages(people: People, intents: Intents, events: Events, visits: Visits) -> Messages:
    """Events that reach Segment, with the identify and group calls of first logins."""
    of = visits.of[intents.visit[events.intent]]
    first = np.flatnonzero(visits.first_login)
    team = first[people.plan[visits.person[first]] == world.PLANS.index("team")]
    extra = np.concatenate([first, team])
    count = extra.size
    code = np.r_[np.full(first.size, CODE["identify"]), np.full(team.size, CODE["group"])]
    ms = visits.start_ms[extra] + np.r_[np.full(first.size, 300), np.full(team.size, 700)]
    nothing = np.full(count, -1)
    return Messages(
        code=np.r_[events.code, code], intent=np.r_[events.intent, nothing],
        person=np.r_[intents.person[events.intent], visits.person[extra]],
        visit=np.r_[of, extra], ms=np.r_[events.ms, ms], item=np.r_[events.item, nothing],
        quantity=np.r_[events.quantity, np.ones(count, np.int64)],
    )  # fmt: skip


@dataclass(frozen=True)
class _Flaws:
    bad_time: Flags
    no_id: Flags
    junk_user: Flags
    nameless: Flags
    offset: Flags
    malformed: Flags
    doubled: Flags
    received_ms: Ints


def _flaws(rng: np.random.Generator, messages: Messages) -> _Flaws:
    count, dirt = messages.ms.size, world.DIRT
    event = messages.intent >= 0
    draw = {
        name: rng.random(count) < getattr(dirt, name)
        for name in ("bad_time", "missing_message_id", "junk_user_id", "no_identifier",
                     "offset_time", "malformed_line", "duplicate_line", "late_event")
    }  # fmt: skip
    wait = rng.uniform(200, 3000, count)
    wait = np.where(draw["late_event"], rng.uniform(2, 20, count) * world.DAY_MS, wait)
    received = np.minimum(messages.ms + wait.astype(np.int64), world.END_MS - 1000)
    malformed = draw["malformed_line"] & event
    clean = event & ~malformed
    return _Flaws(
        bad_time=draw["bad_time"] & clean, no_id=draw["missing_message_id"] & clean,
        junk_user=draw["junk_user_id"] & clean & (messages.visit >= 0),
        nameless=draw["no_identifier"] & clean & (messages.visit >= 0),
        offset=draw["offset_time"], malformed=malformed,
        doubled=draw["duplicate_line"] & clean & ~draw["missing_message_id"], received_ms=received,
    )  # fmt: skip


def write_messages(
    rng: np.random.Generator, files: SegmentFiles, chunk: "Chunk", truth: Truth
) -> None:
    """Write a chunk's messages with their dirt, and the truth about both."""
    messages = chunk.messages
    flaws = _flaws(rng, messages)
    raw = rng.integers(0, 2**63, (messages.ms.size, 2), dtype=np.uint64).tolist()
    ids = [f"{a:016x}{b >> 32:08x}" for a, b in raw]
    lines = _lines(rng, chunk, flaws, ids)
    index, file, doubled = _instances(rng, flaws)
    for number in np.unique(file).tolist():
        mine = file == number
        _write_file(files, number, (index[mine], doubled[mine]), (lines, ids), chunk, flaws, truth)


def _instances(rng: np.random.Generator, flaws: _Flaws) -> tuple[Ints, NDArray[np.int64], Flags]:
    """Which message is written where, in the order of the files: (message, file, is a repeat)."""
    received = flaws.received_ms
    month = np.asarray(received, "datetime64[ms]").astype("datetime64[M]")
    home = np.clip((month - _MONTHS[0]).astype(np.int64), 0, _AGAIN - 1)
    day = (received - world.START_MS) // world.DAY_MS
    low, high = world.DIRT.reexported_days
    again = np.flatnonzero((day >= low) & (day <= high) & ~flaws.malformed & ~flaws.no_id)
    twice = np.flatnonzero(flaws.doubled)
    everything = np.arange(received.size)
    index = np.concatenate([everything, twice, again])
    file = np.concatenate([home, home[twice], np.full(again.size, _AGAIN)])
    moved = np.concatenate([received, received[twice] + 60_000, received[again]])
    repeat = np.zeros(index.size, bool)
    repeat[received.size : received.size + twice.size] = True
    order = np.lexsort((index, moved, file))
    return index[order], file[order], repeat[order]


def _write_file(
    files: SegmentFiles,
    number: int,
    which: tuple[Ints, Flags],
    made: tuple[list[str], list[str]],
    chunk: "Chunk",
    flaws: _Flaws,
    truth: Truth,
) -> None:
    index, doubled = which
    lines, ids = made
    name = FILES[number]
    rows = files.write(number, [lines[at] for at in index.tolist()])
    by_row = flaws.no_id | flaws.malformed
    keys = np.array(
        [
            f"{name}#{row if by_row[at] else ids[at]}"
            for at, row in zip(index.tolist(), rows, strict=True)
        ],
        dtype=object,
    )
    once, at = ~doubled, index[~doubled]
    messages, start = chunk.messages, int(chunk.people.id[0])
    owners, repeated = messages.person[at] + start, int(doubled.sum())
    truth.records(name, "event", keys[once].tolist(), owners, repeated)
    event = once & (messages.intent[index] >= 0)
    where = index[event]
    truth.events(
        keys[event].tolist(), chunk.intents, messages.intent[where], messages.ms[where],
        (start, chunk.first_intent),
    )  # fmt: skip
    _note(truth, keys, index, doubled, chunk, flaws, is_repeat=number == _AGAIN)


def _note(
    truth: Truth, keys: NDArray[np.object_], index: Ints, doubled: Flags, chunk: "Chunk",
    flaws: _Flaws, *, is_repeat: bool,
) -> None:  # fmt: skip
    late = flaws.received_ms - chunk.messages.ms > world.DAY_MS
    device = chunk.device_dirt()[index]
    for flags, what, expected in (
        (doubled, "duplicate line", "duplicate"),
        (np.full(index.size, is_repeat), "re-exported", "duplicate"),
        (flaws.malformed[index], "malformed JSON", "quarantined"),
        (flaws.bad_time[index] & ~doubled, "1970 or 2099", "quarantined"),
        (flaws.no_id[index], "no messageId", "accepted"),
        (flaws.junk_user[index] & ~doubled, "junk user id", "accepted"),
        (flaws.nameless[index] & ~doubled, "no identifier", "accepted"),
        (late[index] & ~doubled, "late event", "accepted"),
        ((device == 1) & ~doubled, "shared kiosk device", "accepted"),
        ((device == 2) & ~doubled, "resold device", "accepted"),
    ):
        found = keys[flags].tolist()
        truth.dirt(found, [what] * len(found), expected)


@dataclass(frozen=True)
class Chunk:
    """What is needed to write a chunk of messages."""

    people: People
    intents: Intents
    visits: Visits
    messages: Messages
    catalogue: Catalogue
    first_intent: int

    def device_dirt(self) -> Ints:
        """Per message: 0 nothing, 1 a kiosk, 2 a device that changed hands."""
        dirt = np.where(self.visits.device < 0, 1, 0)
        sold = {(p, d) for p, d in self.people.dirty_device}
        pairs = zip(self.visits.person.tolist(), self.visits.device.tolist(), strict=True)
        dirt[[pair in sold for pair in pairs]] = 2
        return np.where(self.messages.visit >= 0, np.r_[dirt, 0][self.messages.visit], 0)


def _lines(rng: np.random.Generator, chunk: Chunk, flaws: _Flaws, ids: list[str]) -> list[str]:
    """The JSON text of every message."""
    messages = chunk.messages
    bodies = _bodies(rng, chunk)
    names = _names(chunk, flaws, rng)
    contexts = _contexts(chunk)
    stated = _stated(rng, messages, flaws)
    received = np.datetime_as_string(flaws.received_ms.astype("datetime64[ms]")).tolist()
    heads = [f'"messageId":"{one}",' for one in ids]
    for at in np.flatnonzero(flaws.no_id).tolist():
        heads[at] = ""
    lines = [
        f'{{{head}{name}"timestamp":"{when}","receivedAt":"{got}Z",{context},{body}}}'
        for head, name, when, got, context, body in zip(
            heads, names, stated, received, contexts, bodies, strict=True
        )
    ]
    for at in np.flatnonzero(flaws.malformed).tolist():
        lines[at] = lines[at][: len(lines[at]) * 2 // 3]
    return lines


def _contexts(chunk: Chunk) -> list[str]:
    """The context of every message; identify calls name the shop's customer number in theirs."""
    messages = chunk.messages
    app = np.r_[chunk.visits.app, False][messages.visit].astype(np.int64)
    which = np.where(messages.visit >= 0, app, len(_CONTEXTS) - 1)
    contexts = [_CONTEXTS[at] for at in which.tolist()]
    for at in np.flatnonzero(messages.code == CODE["identify"]).tolist():
        number = chunk.people.customer_no[messages.person[at]]
        ids = f'"externalIds":[{{"id":"{number}","type":"customer_no","collection":"users"}}]'
        contexts[at] = f"{contexts[at][:-1]},{ids}}}"
    return contexts


def _stated(rng: np.random.Generator, messages: Messages, flaws: _Flaws) -> list[str]:
    """Times as written: UTC, or two hours ahead and saying so; 1970 and 2099 where they are bad."""
    plain = np.datetime_as_string(messages.ms.astype("datetime64[ms]")).tolist()
    moved = np.flatnonzero(flaws.offset)
    ahead = np.datetime_as_string((messages.ms[moved] + 2 * _HOUR_MS).astype("datetime64[ms]"))
    stated = [text + "Z" for text in plain]
    for at, text in zip(moved.tolist(), ahead.tolist(), strict=True):
        stated[at] = text + "+02:00"
    for at in np.flatnonzero(flaws.bad_time).tolist():
        stated[at] = ("1970-01-01T00:00:00.000Z", "2099-12-31T23:59:59.000Z")[int(rng.integers(2))]
    return stated


def _names(chunk: Chunk, flaws: _Flaws, rng: np.random.Generator) -> list[str]:
    """`anonymousId` and `userId` of every message, as JSON fields."""
    people, messages = chunk.people, chunk.messages
    anonymous = [f'"anonymousId":"{one}",' for one in chunk.visits.anonymous_ids(people)] + [""]
    logged = np.r_[chunk.visits.logged_in, True][messages.visit] & people.known[messages.person]
    junk = rng.integers(0, len(world.JUNK_IDS), messages.ms.size)
    texts = []
    user = [f'"userId":"{one}",' for one in people.user_id]
    columns = (messages.visit, messages.person, logged, flaws.junk_user, junk, flaws.nameless)
    for visit, person, is_in, is_junk, which, nameless in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if nameless:
            texts.append("")
        elif is_junk:
            texts.append(f'{anonymous[visit]}"userId":"{world.JUNK_IDS[which]}",')
        else:
            texts.append(anonymous[visit] + (user[person] if is_in else ""))
    return texts


def _bodies(rng: np.random.Generator, chunk: Chunk) -> list[str]:
    """Type, event and properties of every message, as JSON fields."""
    messages, intents, catalogue = chunk.messages, chunk.intents, chunk.catalogue
    things = [
        f'"product_id":"{sku}","price":{price:.2f},"currency":"EUR"'
        for sku, price in zip(catalogue.sku, catalogue.price.tolist(), strict=True)
    ] + [""]
    topic = np.r_[intents.topic, 0][messages.intent]
    campaign = np.r_[intents.campaign, -1][messages.intent]
    extra = np.where(campaign >= 0, campaign, rng.integers(0, 90, messages.ms.size))
    columns = (messages.code, messages.person, topic, messages.quantity, extra, messages.item)
    makers = [_MAKERS.get(name) for name in CODES]
    return [
        make(things[item], world.TOPICS[topic], quantity, extra)
        if (make := makers[code]) else _person_call(chunk.people, person, code)
        for code, person, topic, quantity, extra, item in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]  # fmt: skip


def _person_call(people: People, person: int, code: int) -> str:
    if code == CODE["group"]:
        group = f"team-{people.user_id[person][-6:]}"
        return f'"type":"group","groupId":"{group}","traits":{{"plan":"team"}}'
    traits = {
        "email": people.email[person],
        "name": f"{people.first[person]} {people.last[person]}",
        "plan": world.PLANS[people.plan[person]],
    }
    if people.phone[person] and person % 2:
        traits["phone"] = people.phone[person]
    return f'"type":"identify","traits":{orjson.dumps(traits).decode()}'


Maker = Callable[[str, str, int, int], str]


def _track(event: str, properties: str) -> str:
    return f'"type":"track","event":"{event}","properties":{{{properties}}}'


def _page(topic: str) -> str:
    path = topic.lower().replace(" ", "-")
    return f'"type":"page","name":"{topic}","properties":{{"path":"/{path}","category":"{topic}"}}'


def _offer(number: int) -> str:
    campaign = world.CAMPAIGNS[number]
    return _track("Offer Redeemed", f'"campaign_id":"{campaign.id}","offer":"{campaign.offer}"')


_GUIDES = ("first steps", "common mistakes", "step by step", "what you need", "care and repair")
# Code of a track or page call -> its JSON fields, from the item's fields, the topic, the quantity,
# and a small random number or the campaign's.
_MAKERS: dict[str, Maker] = {
    "page": lambda i, t, q, x: _page(t),
    "category_page": lambda i, t, q, x: _page(t),
    "guide": lambda i, t, q, x: _track(
        "Guide Read", f'"category":"{t}","title":"{t}: {_GUIDES[x % 5]}"'
    ),
    "search": lambda i, t, q, x: _track(
        "Products Searched", f'"query":"{t.lower()}","category":"{t}"'
    ),
    "list": lambda i, t, q, x: _track(
        "Product List Viewed", f'"list_id":"search","category":"{t}"'
    ),
    "view": lambda i, t, q, x: _track("Product Viewed", i) if i else _page(t),
    "compare": lambda i, t, q, x: _track("Products Compared", i),
    "wish": lambda i, t, q, x: _track("Product Added to Wishlist", i),
    "add": lambda i, t, q, x: _track("Product Added", f'{i},"quantity":{q}'),
    "use": lambda i, t, q, x: _track("Feature Used", f'"feature":"{t}","category":"{t}"'),
    "redeem": lambda i, t, q, x: _track(
        "Coupon Applied", f'"coupon_id":"SAVE{x % 9}","category":"{t}"'
    ),
    "quote": lambda i, t, q, x: _track("Quote Requested", f'{i},"quantity":{q * 10}'),
    "return": lambda i, t, q, x: _track("Return Requested", f'{i},"quantity":{q}'),
    "offer": lambda i, t, q, x: _offer(x),
    "delayed": lambda i, t, q, x: _track("Delivery Delayed", f'"days":{2 + x % 9}'),
}
