"""Everything that is not Segment: CRM, support, survey, shop and consent, as files of their own.

Row by row in Python, because there are few rows per person; only order lines come in columns.
"""

import csv
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import orjson
import pyarrow as pa

from ingestion.simulate import texts, world
from ingestion.simulate.behaviour import NOBODY, VERB, Events, Intents
from ingestion.simulate.catalogue import Catalogue, catalogue_rows
from ingestion.simulate.people import Flags, Ints, People
from ingestion.simulate.truth import Truth
from kg.lake.parquet import ParquetFile

CONTACTS, CAMPAIGNS = "crm/contacts.csv", "crm/campaigns.csv"
MEMBERS, TICKETS = "crm/campaign_members.csv", "support/tickets.jsonl"
ANSWERS, QUESTIONS = "survey/answers.csv", "survey/questions.csv"
LINES, ITEMS, CONSENT = "shop/order_lines.parquet", "shop/catalogue.csv", "consent/consent.csv"

_HEADERS = {
    CONTACTS: ("contact_id,first_name,last_name,email,secondary_email,phone,street,city,"
               "postal_code,region,age_band,plan,user_id,customer_no,created_on"),
    MEMBERS: "member_id,campaign_id,contact_id,arm,status,sent_at",
    ANSWERS: "response_id,submitted_at,email,recommend,reason,comment",
    CONSENT: "consent_id,email,user_id,purpose,status,changed_at",
}  # fmt: skip
_ORDER_LINE = pa.schema([
    ("order_id", pa.string()), ("customer_no", pa.string()), ("sku", pa.string()),
    ("quantity", pa.int32()), ("unit_price", pa.float64()), ("ordered_at", pa.timestamp("ms")),
    ("channel", pa.string()),
])  # fmt: skip
_QUESTIONS = (
    ("recommend", "How likely are you to recommend us?", "scale", "0-10"),
    ("reason", "What is the main reason to buy here?", "choice", ""),
    ("comment", "What should we know?", "text", ""),
)
# Berlin is an hour ahead of UTC, in summer two (last Sundays of October and March, 01:00 UTC).
_WINTER_MS = tuple(
    int(np.datetime64(at, "ms").astype(np.int64)) for at in ("2025-10-26T01", "2026-03-29T01")
)
_HOUR_MS = 3_600_000


def berlin_ms(ms: Ints) -> Ints:
    """UTC milliseconds as a clock in Berlin shows them."""
    winter = (ms >= _WINTER_MS[0]) & (ms < _WINTER_MS[1])
    shown: Ints = ms + np.where(winter, 1, 2) * _HOUR_MS
    return shown


def clock(ms: int, pattern: str) -> str:
    """Milliseconds as text, without a zone."""
    import time

    return time.strftime(pattern, time.gmtime(ms / 1000))


@dataclass(frozen=True)
class Deeds:
    """What the people of a chunk did, as far as tables tell it."""

    people: People
    intents: Intents
    events: Events
    first_intent: int


class Tables:
    """The table files of one world, open for writing."""

    def __init__(self, data: Path, catalogue: Catalogue, truth: Truth) -> None:
        self._stack, self._truth, self._catalogue = ExitStack(), truth, catalogue
        self._text: dict[str, IO[str]] = {}
        self.rows: dict[str, int] = dict.fromkeys(_HEADERS, 0)
        for name in (*_HEADERS, TICKETS):
            file = open(data / name, "w", encoding="utf-8", newline="")  # noqa: SIM115
            self._text[name] = self._stack.enter_context(file)
        for name, header in _HEADERS.items():
            self._text[name].write(header + "\n")
        self._lines = self._stack.enter_context(ParquetFile(data / LINES, _ORDER_LINE))
        self.rows |= {TICKETS: 0, LINES: 0}
        _write_constants(data, catalogue, truth)

    def __enter__(self) -> "Tables":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _row(self, name: str, values: tuple[Any, ...]) -> int:
        """Append a row; returns its number, the first after the header being 1."""
        csv.writer(self._text[name], lineterminator="\n").writerow(values)
        self.rows[name] += 1
        return self.rows[name]

    def contacts(self, rng: np.random.Generator, people: People) -> None:
        """`crm/contacts.csv`: contacts, second rows of the same person, and what is wrong."""
        keys: list[str] = []
        owners: list[int] = []
        dirt: dict[str, list[tuple[str, str]]] = {"accepted": [], "quarantined": []}
        draws = rng.random((len(people), 5))
        for person in np.flatnonzero(people.in_crm).tolist():
            row = _contact(people, person, draws[person])
            ragged = draws[person, 3] < world.DIRT.ragged_row
            unnamed = not ragged and draws[person, 4] < world.DIRT.missing_contact_id
            if unnamed:
                row = ("", *row[1:])
            number = self._row(CONTACTS, (*row, "???", "") if ragged else row)
            key = f"{CONTACTS}#{number if ragged or unnamed else row[0]}"
            keys.append(key)
            owners.append(person)
            if ragged or unnamed:
                what = "ragged row" if ragged else "no contact id"
                dirt["quarantined"].append((key, what))
            elif row[5] in world.JUNK_IDS:
                dirt["accepted"].append((key, "junk phone"))
            dirt["accepted"] += [(key, what) for what in people.dirt.get(person, ())]
            if draws[person, 2] < world.COVERAGE.duplicate_contact:
                again = _second_contact(people, person)
                self._row(CONTACTS, again)
                keys.append(f"{CONTACTS}#{again[0]}")
                owners.append(person)
                dirt["accepted"].append((keys[-1], "second contact"))
        self._truth.records(CONTACTS, "profile", keys, np.array(owners) + people.id[0])
        for expected, found in dirt.items():
            self._truth.dirt([key for key, _ in found], [what for _, what in found], expected)

    def members(
        self, rng: np.random.Generator, campaign: int, people: People, sent: tuple[Ints, Flags]
    ) -> None:
        """`crm/campaign_members.csv`: who was in which arm of a campaign."""
        facts = world.CAMPAIGNS[campaign]
        when = world.START_MS + facts.sent_day * world.DAY_MS + 9 * _HOUR_MS
        local = clock(int(berlin_ms(np.array(when))), "%Y-%m-%d %H:%M")
        opened = rng.random(sent[0].size) < world.OPEN_SHARE
        keys = []
        for person, treated, read in zip(*(c.tolist() for c in (*sent, opened)), strict=True):
            member = f"CM-{facts.id[-2:]}-{people.id[person]:06d}"
            status = ("Opened" if read else "Sent") if treated else "Held out"
            arm = "treated" if treated else "control"
            self._row(MEMBERS, (member, facts.id, people.contact_id[person], arm, status, local))
            keys.append(f"{MEMBERS}#{member}")
        self._truth.records(MEMBERS, "event", keys, sent[0] + people.id[0])

    def tickets(self, rng: np.random.Generator, deeds: Deeds) -> None:
        """`support/tickets.jsonl`: free text with typos and, at times, personal data in it."""
        intents = deeds.intents
        which = np.flatnonzero(intents.verb == VERB["ask"])
        keys, broken, personal = [], [], []
        for at in which.tolist():
            ticket, number = self._ticket(rng, deeds, at), self.rows[TICKETS] + 1
            line = orjson.dumps(ticket).decode()
            key = f"{TICKETS}#{ticket['id']}"
            if rng.random() < world.DIRT.malformed_ticket:
                line, key = line[: len(line) // 2], f"{TICKETS}#{number}"
                broken.append(key)
            elif "you can reach me" in ticket["description"]:
                personal.append(key)
            self._text[TICKETS].write(line + "\n")
            self.rows[TICKETS] = number
            keys.append(key)
        self._about(TICKETS, keys, which, deeds, intents.start_ms[which])
        self._truth.dirt(broken, ["malformed JSON"] * len(broken), "quarantined")
        self._truth.dirt(personal, ["personal data in text"] * len(personal), "accepted")

    def _ticket(self, rng: np.random.Generator, deeds: Deeds, at: int) -> dict[str, Any]:
        intents, people = deeds.intents, deeds.people
        person, topic = int(intents.person[at]), world.TOPICS[intents.topic[at]]
        unsolved = bool(intents.persona[at] == NOBODY and topic != "Delivery")
        subject, text = texts.ticket(rng, topic, unsolved=unsolved)
        text = texts.mistyped(rng, text, world.DIRT.ticket_typo)
        name = f"{people.first[person]} {people.last[person]}"
        email = people.email[person]
        if rng.random() < 0.5:
            email = _second_email(people, person) or email
        if rng.random() < world.DIRT.ticket_personal_data:
            text += f" Regards, {name}, you can reach me at {people.phone[person] or email}."
        created = int(intents.start_ms[at])
        solved = created + int(rng.uniform(0.1, 5) * world.DAY_MS)
        requester = {"name": name, "email": email}
        if rng.random() < 0.3:
            requester["external_id"] = people.user_id[person]
        return {
            "id": 100_000 + self.rows[TICKETS],
            "created_at": clock(created, "%Y-%m-%dT%H:%M:%SZ"),
            "updated_at": clock(min(solved, world.END_MS - 1000), "%Y-%m-%dT%H:%M:%SZ"),
            "status": "open" if unsolved else "solved",
            "type": topic,
            "requester_id": 7_000_000 + int(people.id[person]),
            "requester": requester,
            "subject": subject,
            "description": text,
            "via": {"channel": "email" if rng.random() < 0.6 else "web"},
        }

    def answers(self, rng: np.random.Generator, deeds: Deeds) -> None:
        """`survey/answers.csv`: one row per response, times in London without saying so."""
        intents, people = deeds.intents, deeds.people
        which = np.flatnonzero(intents.verb == VERB["answer"])
        keys = []
        for at in which.tolist():
            person, held = int(intents.person[at]), int(intents.persona[at])
            name = world.PERSONA_NAMES[held] if held != NOBODY else None
            score, reason, words = texts.answer(rng, name)
            email = "" if rng.random() < world.COVERAGE.survey_anonymous else people.email[person]
            london = int(berlin_ms(intents.start_ms[at])) - _HOUR_MS
            response = f"R-{self.rows[ANSWERS] + 1:06d}"
            self._row(
                ANSWERS, (response, clock(london, "%d/%m/%Y %H:%M"), email, score, reason, words)
            )
            keys.append(f"{ANSWERS}#{response}")
        self._about(ANSWERS, keys, which, deeds, intents.start_ms[which])

    def order_lines(self, rng: np.random.Generator, deeds: Deeds, basket: Ints, web: Flags) -> None:
        """`shop/order_lines.parquet`: lines without an id, many at one time, Berlin's clock."""
        lines, people = deeds.events, deeds.people
        person = deeds.intents.person[lines.intent]
        no_card = (
            rng.random(int(basket.max(initial=0)) + 1) < world.COVERAGE.order_without_customer
        )[basket] & ~web
        customers = np.array([*people.customer_no, None], dtype=object)
        shown = np.where(people.known[person] & ~no_card, person, len(people))
        order = np.lexsort((np.arange(basket.size), basket, lines.ms))
        shop = np.where(web, "web", "store")
        self._lines.write({
            "order_id": [f"O{people.id[0] // 1000:03d}-{at:06d}" for at in basket[order].tolist()],
            "customer_no": customers[shown[order]],
            "sku": np.array(self._catalogue.sku, dtype=object)[lines.item[order]],
            "quantity": lines.quantity[order].astype(np.int32),
            "unit_price": self._catalogue.price[lines.item[order]],
            "ordered_at": berlin_ms(lines.ms[order]), "channel": shop[order],
        })  # fmt: skip
        first = self.rows[LINES] + 1
        keys = [f"{LINES}#{row}" for row in range(first, first + basket.size)]
        self.rows[LINES] += basket.size
        self._about(LINES, keys, lines.intent[order], deeds, lines.ms[order])
        recycled = {p for p, what in people.dirt.items() if "recycled customer number" in what}
        found = [k for k, p in zip(keys, person[order].tolist(), strict=True) if p in recycled]
        self._truth.dirt(found, ["recycled customer number"] * len(found), "accepted")

    def _about(self, source: str, keys: list[str], of: Ints, deeds: Deeds, ms: Ints) -> None:
        start = int(deeds.people.id[0])
        self._truth.records(source, "event", keys, deeds.intents.person[of] + start)
        self._truth.events(keys, deeds.intents, of, ms, (start, deeds.first_intent))

    def consents(self, rng: np.random.Generator, people: People) -> None:
        """`consent/consent.csv`: denials, and people who said yes (some of whom said no later)."""
        keys, owners = [], []
        grants = people.known & (rng.random(len(people)) < world.COVERAGE.consent_granted_row)
        for person in np.flatnonzero(people.denied | grants).tolist():
            said = ["granted"] if grants[person] else []
            said += ["denied"] if people.denied[person] else []
            for status in said:
                by_email = rng.random() < 0.6
                when = people.joined_ms[person] + (status == "denied") * world.DAY_MS
                row = (
                    f"CS-{people.id[person]:06d}-{status[0]}",
                    people.email[person] if by_email else "",
                    "" if by_email else people.user_id[person],
                    "profiling", status, clock(int(when), "%Y-%m-%dT%H:%M:%S+00:00"),
                )  # fmt: skip
                self._row(CONSENT, row)
                keys.append(f"{CONSENT}#{row[0]}")
                owners.append(person)
        self._truth.records(CONSENT, "profile", keys, np.array(owners, np.int64) + people.id[0])


def _second_email(people: People, person: int) -> str:
    """The other address of those who have one."""
    if people.id[person] % 100 >= world.COVERAGE.second_email * 100:
        return ""
    local, _, _ = people.email[person].partition("@")
    return f"{local}.home@quietpost.test"


def _contact(people: People, person: int, draws: np.ndarray) -> tuple[str, ...]:
    phone = people.phone[person]
    if draws[0] < world.DIRT.junk_phone:
        phone = world.JUNK_IDS[int(draws[0] * 1e6) % 3]
    created = int(people.joined_ms[person])
    if created == world.START_MS:
        created -= int(draws[1] * 900) * world.DAY_MS
    return (
        people.contact_id[person], people.first[person], people.last[person],
        people.crm_email[person], _second_email(people, person), phone, people.street[person],
        *people.city[person], world.REGIONS[people.region[person]],
        world.AGE_BANDS[people.age[person]], world.PLANS[people.plan[person]],
        people.user_id[person] if draws[1] < world.COVERAGE.crm_has_user_id else "",
        people.customer_no[person], clock(created, "%Y-%m-%d"),
    )  # fmt: skip


def _second_contact(people: People, person: int) -> tuple[str, ...]:
    """An older row about the same person: same telephone, name spelt otherwise, older e-mail."""
    local, _, _ = people.email[person].partition("@")
    last = people.last[person]
    return (
        people.contact_id[person][:-3] + "ZZZ", people.first[person][:1] + ".",
        last[:2] + last[3:], f"{local}.old@formerpost.test", "", people.phone[person],
        people.street[person], *people.city[person], "", "", "", "", "",
        clock(world.START_MS - 900 * world.DAY_MS, "%Y-%m-%d"),
    )  # fmt: skip


def _write_constants(data: Path, catalogue: Catalogue, truth: Truth) -> None:
    """Catalogue, campaigns and questions: the same few rows whoever lives in the world."""
    campaigns: list[tuple[str, ...]] = [
        ("campaign_id", "name", "type", "offer", "starts_on", "ends_on")
    ]
    for facts in world.CAMPAIGNS:
        sent = world.START_MS + facts.sent_day * world.DAY_MS
        end = sent + world.RESPONSE_DAYS * world.DAY_MS
        dates = clock(sent, "%Y-%m-%d"), clock(end, "%Y-%m-%d")
        campaigns.append((facts.id, facts.name, "email", facts.offer, *dates))
    questions = [("question_id", "question", "type", "scale"), *_QUESTIONS]
    for name, rows in (
        (ITEMS, catalogue_rows(catalogue)),
        (CAMPAIGNS, campaigns),
        (QUESTIONS, questions),
    ):
        with open(data / name, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        if name != QUESTIONS:
            truth.records(name, "item", [f"{name}#{row[0]}" for row in rows[1:]], None)
