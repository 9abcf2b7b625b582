"""A small lake with personas as given: what claims are chosen from, counted in and shown by.

Bakers (`p_bake`) buy cake tins in the evening and answer the spring mail; tinkerers (`p_tink`) view
screws at the weekend, contact support, return things. Everybody else does a little of everything.
"""

from pathlib import Path

import numpy as np

from kg.lake import Lake, Step
from kg.personas.statistics import wilson
from tests.rows import put

DAY_MS = 86_400_000
START_MS = 1_767_225_600_000  # 2026-01-01, a Thursday
BAKE, TINK = "p_0000ba4e", "p_00007114"
TOPICS = {
    "cake-tins": "cake tins",
    "screws": "SCREWS",
    "home/garden": "Garden",
    "candles": "Candles",
}
ITEMS = {"i1": "Cake tin, round", "i2": "Set of 3 screws", "i3": "Hose", "i4": "Candle"}
SPRING, AUTUMN = "spring mail", "autumn mail"


def plant(lake: Lake, people: int = 400, seed: int = 1, sampled: bool = False) -> None:
    """Write every table that claims read, as one step."""
    with lake.step("planted", config={"people": people, "sampled": sampled}, seed=seed) as step:
        if not step.done:
            _write(step, _Story(people, seed))


def planted(path: Path, **options: int) -> None:
    """The same as a workspace of its own."""
    with Lake.writer(path) as lake:
        plant(lake, **options)


class _Story:
    def __init__(self, people: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.people = people
        self.rows: dict[str, list[dict[str, object]]] = {name: [] for name in _TABLES}
        for number in range(people):
            self._person(number)

    def _person(self, number: int) -> None:
        user = f"u_{number:016x}"
        baker, tinkerer = number % 5 < 2, number % 5 in {1, 2}
        half = "test" if (number // 5) % 2 else "fit"
        denied = number == 7
        rng = self.rng
        self.rows["users"].append(
            {"user_id": user, "half": half, "consent_denied": denied, "first_seen_ms": START_MS,
             "last_seen_ms": START_MS, "record_count": 1, "event_count": 1}
        )  # fmt: skip
        for name, weight, share in ((BAKE, 0.6, baker), (TINK, 0.4, tinkerer)):
            if share:
                self.rows["holdings"].append(
                    {"user_id": user, "persona_id": name, "weight": weight + number / 1e6,
                     "low": 0.1, "high": 0.9, "intents": 2, "valid_from_ms": START_MS,
                     "valid_to_ms": None}
                )  # fmt: skip
        age = "18-34" if rng.random() < (0.7 if baker else 0.3) else "35+"
        if rng.random() < 0.8:
            self.rows["user_traits"].append(
                {"user_id": user, "name": "age", "value": age, "at_ms": START_MS}
            )
        for campaign, chance in ((SPRING, 0.9), (AUTUMN, 0.5)):
            if rng.random() < chance:
                arm = "control" if rng.random() < 0.2 else "treated"
                self.rows["received"].append(
                    {"user_id": user, "campaign_id": campaign, "at_ms": START_MS, "arm": arm}
                )
        when = START_MS + int(rng.integers(0, 40)) * DAY_MS
        for session in range(1, 2 + int(rng.integers(0, 4))):
            self._session(user, session, when, baker, tinkerer)
            when += int(rng.integers(1, 60)) * DAY_MS

    def _session(self, user: str, number: int, day_ms: int, baker: bool, tinkerer: bool) -> None:
        rng, session = self.rng, f"s_{user[2:]}{number}"
        support = tinkerer and rng.random() < 0.4
        channel = "support" if support else ("app" if rng.random() < 0.3 else "web")
        if tinkerer and not baker and rng.random() < 0.8:
            day_ms += (5 - (day_ms // DAY_MS + 3) % 7) % 7 * DAY_MS  # the next Saturday
        hour = 20 if baker and rng.random() < 0.7 else int(rng.integers(0, 24))
        start = day_ms + hour * 3_600_000
        self.rows["sessions"].append(
            {"session_id": session, "user_id": user, "channel": channel, "number": number,
             "started_at_ms": start, "ended_at_ms": start + 60_000, "event_count": 1, "value": 0.0}
        )  # fmt: skip
        for position in range(1 + int(rng.integers(0, 3))):
            self._intent(user, session, position, start, channel, baker, tinkerer)

    def _intent(
        self, user: str, session: str, position: int, start: int, channel: str,
        baker: bool, tinkerer: bool,
    ) -> None:  # fmt: skip
        rng, intent = self.rng, f"i_{session[2:]}{position}"
        topic = int(rng.integers(0, 4))
        topic = 1 if tinkerer and rng.random() < 0.5 else topic
        topic = 0 if baker and rng.random() < 0.7 else topic
        verb = "bought" if rng.random() < (0.8 if topic == 0 and baker else 0.3) else "viewed"
        verb = "returned" if tinkerer and rng.random() < 0.2 else verb
        verb = "asked" if channel == "support" else verb
        campaign = SPRING if rng.random() < (0.2 if baker else 0.03) else None
        kept_out = position == 2
        if kept_out:
            self.rows["kept_out"].append({"intent_id": intent, "why": "verb test"})
        goals = [("buy tins", verb == "bought" and topic == 0), ("buy", verb == "bought"),
                 ("come again", session.endswith("2") and position == 0)]  # fmt: skip
        self.rows["reached"] += [
            {"goal": goal, "intent_id": intent, "user_id": user, "at_ms": start}
            for goal, is_reached in goals
            if is_reached
        ]
        supports = {0: BAKE if baker else None, 1: TINK if tinkerer else None}.get(topic)
        supports = None if kept_out else supports
        self.rows["intents"].append(
            {"intent_id": intent, "session_id": session, "user_id": user, "verb": verb,
             "topic": list(TOPICS)[topic], "channel": channel, "position": position,
             "started_at_ms": start + position, "ended_at_ms": start + position, "event_count": 1,
             "quantity": 1.0, "value": 1.0, "text": None, "campaign_id": campaign,
             "hour": start % DAY_MS // 3_600_000, "weekday": (start // DAY_MS + 3) % 7}
        )  # fmt: skip
        self.rows["memberships"].append(
            {"intent_id": intent, "user_id": user, "persona_id": supports, "probability": 0.9}
        )
        self.rows["intent_items"].append(
            {"intent_id": intent, "item_id": list(ITEMS)[topic], "count": 1, "value": 1.0}
        )
        self.rows["events"].append(
            {"record_key": intent, "occurred_at_ms": start + position, "verb": verb}
        )


_TABLES = (
    "users", "holdings", "user_traits", "received", "sessions", "intents", "memberships",
    "intent_items", "events", "kept_out", "reached",
)  # fmt: skip


def _write(step: Step, story: _Story) -> None:
    topics = [{"topic": t, "label": label, "kind": "category"} for t, label in TOPICS.items()]
    items = [{"item_id": i, "title": title, "role": "item"} for i, title in ITEMS.items()]
    items.append({"item_id": SPRING, "title": "Spring Mail", "role": "campaign"})
    goals = [
        {"goal": goal, "kind": kind, "definition": "{}", "before_ms": START_MS + days * DAY_MS}
        for goal, kind, days in (
            ("buy tins", "goal", 900), ("buy", "goal_inside", 900),
            ("come again", "goal_return", 20),
        )
    ]  # fmt: skip
    personas = [
        {"persona_id": p, "version": 1, "parent_id": None, "signature": "{}"}
        | dict.fromkeys(("stability", "recurrence_lift", "recurrence_p", "recurrence_q"), 0.5)
        | {"intents": 100}
        | _shares(story, p)
        for p in (BAKE, TINK)
    ]
    put(step, topics=topics, items=items, personas=personas, goals=goals, **story.rows)


def _shares(story: _Story, persona: str) -> dict[str, object]:
    """How many hold a persona, of everybody who did not deny consent."""
    seen = {row["user_id"] for row in story.rows["users"] if not row["consent_denied"]}
    holding = [row for row in story.rows["holdings"] if row["persona_id"] == persona]
    people = sum(row["user_id"] in seen for row in holding)
    low, high = wilson(people, len(seen))
    return {"people": people, "population": len(seen), "share": people / len(seen)} | {
        "share_low": float(low),
        "share_high": float(high),
    }
