"""The small story that tests share: seven people in one week, with every answer known by hand.

Mira looks around on her laptop, logs in, buys two things at once and asks about one of them.
Otto and his son Otto share a name, an e-mail and a telephone. Nadia has the office's mailbox, and
so has Wim. Lena said no. Nobody knows who used the shop's kiosk in between.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ENDED_AT = datetime(2026, 3, 8, tzinfo=UTC)
LAPTOP, PHONE, KIOSK = "a1f0c2d47e9b", "b7d2e8f1a3c5", "kiosk-store-01"
EVENTS, CONTACTS, ORDERS, TICKETS = (
    "web/events.jsonl", "crm/contacts.csv", "shop/orders.csv", "support/tickets.jsonl",
)  # fmt: skip

MAPPING = """\
name: story
about: A week of a small shop.
consent: {default: granted, basis: accepted with the account}
time_zone: UTC
tables:
  web: {files: web/events.jsonl, format: segment}
  contacts:
    files: crm/contacts.csv
    kind: profile
    key: id
    identifiers: {crm: id, user_id: user_id, customer_no: customer_no, email: email, phone: phone}
    traits: [plan]
    describe: [plan]
    consents: [{purpose: profiling, granted: consent}]
  orders:
    files: shop/orders.csv
    kind: event
    identifiers: {customer_no: customer_no}
    time: at
    channel: web
    verb: bought
    item: {id: sku, title: item, categories: [category], price: price}
    quantity: quantity
    value: [quantity, price]
    basket: order_id
  support: {files: support/tickets.jsonl, format: tickets}
"""


@dataclass(frozen=True)
class Answers:
    """What is true of the story.

    Args:
        status: record key -> what becomes of the record (after consent).
        people: record keys of one person; keys of different sets must never share a user.
        together: record keys that must share a user, because an identifier says so.
        sessions: record keys of one session, in order.
    """

    status: dict[str, str]
    people: dict[str, set[str]]
    together: tuple[set[str], ...]
    sessions: tuple[list[str], ...]


def _message(number: int, at: str, **fields: Any) -> str:
    received = {"receivedAt": f"2026-03-{at}:05Z"}
    return json.dumps(
        {"messageId": f"m{number}", "timestamp": f"2026-03-{at}:00Z"} | received | fields
    )


def _view(number: int, at: str, sku: str, **who: str) -> str:
    return _message(number, at, type="track", event="Product Viewed",
                    properties={"product_id": sku}, **who)  # fmt: skip


def _events() -> list[str]:
    mira = {"anonymousId": LAPTOP, "userId": "usr-mira"}
    return [
        _message(1, "02T09:00", type="page", name="Deals", anonymousId=LAPTOP),
        _view(2, "02T09:02", "KETTLE", anonymousId=LAPTOP),
        _message(3, "02T09:03", type="identify", traits={"email": "mira@larkmail.test"}, **mira),
        _view(4, "02T09:04", "TOASTER", **mira),
        _view(4, "02T09:04", "TOASTER", **mira),  # sent twice
        _view(5, "02T12:00", "LAMP", **mira),  # hours later: another session
        _view(6, "03T10:00", "SPADE", anonymousId=KIOSK, userId="usr-otto"),
        _view(7, "03T10:01", "FERN", anonymousId=KIOSK),
        _view(8, "03T10:02", "FERN", anonymousId=KIOSK, userId="usr-otto-jr"),
        _view(9, "04T11:00", "LAMP", anonymousId=PHONE, userId="undefined"),
        _view(10, "04T11:01", "LAMP", anonymousId=PHONE, userId="usr-lena"),
        '{"messageId": "m11", "type": "track", "ev',  # row 12
        _message(12, "05T08:00", type="page", name="Deals", anonymousId=PHONE)
        .replace("2026-03-05T08:00:00Z", "1970-01-01T00:00:00Z"),
    ]  # fmt: skip


_CONTACTS = """\
id,user_id,customer_no,name,email,phone,plan,consent
003A,usr-mira,C1,Mira Lorgren,mira@larkmail.test,+1 201 555 0101,plus,yes
003B,usr-otto,C2,Otto Keldal,otto@larkmail.test,+1 201 555 0102,free,yes
003C,usr-otto-jr,C3,Otto Keldal,otto@larkmail.test,+1 201 555 0102,free,yes
003D,,C4,Nadia Fenby,info@quarry.test,+1 201 555 0199,team,yes
003E,,C5,Wim Ostvik,info@quarry.test,+1 201 555 0199,team,yes
003F,usr-lena,C6,Lena Talrath,lena@postbox.test,,free,no
"""
_ORDERS = """\
order_id,customer_no,sku,item,category,quantity,price,at
O1,C1,KETTLE,Blue kettle,Kitchen,1,29.90,2026-03-02T09:06:00
O1,C1,TOASTER,Red toaster,Kitchen,1,39.90,2026-03-02T09:06:00
O2,C2,SPADE,Steel spade,Garden,1,24.00,2026-03-03T15:00:00
O3,C4,LAMP,Desk lamp,Lighting,12,18.50,2026-03-04T10:00:00
O4,,FERN,Fern,Garden,1,8.00,2026-03-04T17:00:00
"""
_TICKET = {
    "id": 501, "created_at": "2026-03-05T14:00:00Z", "status": "open", "type": "Kitchen",
    "requester_id": 77, "requester": {"email": "mira@larkmail.test"},
    "subject": "Toaster", "description": "It hums. Call me: mira@larkmail.test, +1 201 555 0101.",
}  # fmt: skip


def write_story(folder: Path) -> Answers:
    """Write the story's files and mapping, and return what is true of it."""
    texts = {
        EVENTS: "\n".join(_events()) + "\n", CONTACTS: _CONTACTS, ORDERS: _ORDERS,
        TICKETS: json.dumps(_TICKET) + "\n", "personagraph.yaml": MAPPING,
    }  # fmt: skip
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        os.utime(file, (ENDED_AT.timestamp(), ENDED_AT.timestamp()))
    return ANSWERS


def _m(*numbers: int) -> list[str]:
    return [f"{EVENTS}#m{number}" for number in numbers]


_MIRA = {*_m(1, 2, 3, 4, 5), f"{CONTACTS}#003A", f"{ORDERS}#1", f"{ORDERS}#2", f"{TICKETS}#501"}
_LENA = {*_m(9, 10), f"{CONTACTS}#003F"}
ANSWERS = Answers(
    status={
        **dict.fromkeys([*_m(1, 2, 3, 5, 6, 7, 8), *(f"{ORDERS}#{row}" for row in range(1, 6)),
                         *(f"{CONTACTS}#003{letter}" for letter in "ABCDE"), f"{TICKETS}#501"],
                        "accepted"),
        **dict.fromkeys(_LENA, "consent_blocked"),
        f"{EVENTS}#12": "quarantined", **dict.fromkeys(_m(12), "quarantined"),
    },
    people={
        "Mira": _MIRA,
        "Otto": {*_m(6), f"{CONTACTS}#003B", f"{ORDERS}#3"},
        "Otto the son": {*_m(8), f"{CONTACTS}#003C"},
        "Nadia": {f"{CONTACTS}#003D", f"{ORDERS}#4"},
        "Wim": {f"{CONTACTS}#003E"},
        "Lena": _LENA,
    },
    together=(
        _MIRA, {*_m(6), f"{CONTACTS}#003B", f"{ORDERS}#3"}, {*_m(8), f"{CONTACTS}#003C"},
        {f"{CONTACTS}#003D", f"{ORDERS}#4"}, _LENA,
    ),
    sessions=([*_m(1, 2, 4), f"{ORDERS}#1", f"{ORDERS}#2"], _m(5)),
)  # fmt: skip
"""Record m4 came twice: one is accepted, one is a duplicate, both under the same key."""
