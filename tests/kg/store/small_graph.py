"""A small graph with something of every label and edge type, the same on every machine."""

import json
import random

import pyarrow as pa

from kg.schema import EDGES, NODES
from kg.store.tables import EdgeTable, GraphTables, edge_kind

PEOPLE = 60
TOPICS = ("tea", "mugs", "lamps")
VERBS = ("viewed", "bought", "returned", "asked")
CHANNELS = ("web", "shop", "support")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
VERSIONS = ("p_one@1", "p_one@2", "p_two@1")
CURRENT = {"p_one": "p_one@2", "p_two": "p_two@1"}

Rows = dict[str, list[dict[str, object]]]
Kind = tuple[str, str, str]


def small_graph(run_id: str = "run1") -> GraphTables:
    """Everything, with claims."""
    nodes, edges = _rows()
    return GraphTables(
        {label: _table(rows) for label, rows in nodes.items()},
        tuple(EdgeTable(edge_kind(*kind), _table(rows)) for kind, rows in edges.items()),
        run_id,
    )


def _table(rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


def _rows() -> tuple[Rows, dict[Kind, list[dict[str, object]]]]:
    chance = random.Random(7)
    nodes: Rows = {label: [] for label in NODES}
    edges: dict[Kind, list[dict[str, object]]] = {(k.start, k.type, k.end): [] for k in EDGES}
    _catalogue(nodes, edges)
    _personas(nodes, edges)
    for number in range(PEOPLE):
        _person(number, chance, nodes, edges)
    _claims(nodes, edges)
    return nodes, edges


def _catalogue(nodes: Rows, edges: dict[Kind, list[dict[str, object]]]) -> None:
    nodes["Run"].append({"id": "run1", "step": "graph"})
    nodes["Task"].append({"id": "churn_90", "horizon_days": 90})
    nodes["Goal"].append({"id": "buying", "definition": "{}", "before_ms": 60 * DAY_MS})
    nodes["RulePersona"].append({"id": "r_1", "name": "Tea buyers", "kind": "rule", "people": 20})
    nodes["Category"].append({"id": "category:Home", "name": "Home", "path": "Home", "level": 0})
    for topic in TOPICS:
        path = f"Home/{topic}"
        nodes["Category"].append(
            {"id": f"category:{path}", "name": topic, "path": path, "level": 1}
        )
        edges["Category", "IN", "Category"].append(
            {"start": f"category:{path}", "end": "category:Home"}
        )
        for number in range(3):
            item = f"{topic}-{number}"
            price = None if number == 2 else 1.5 * (number + 1)
            nodes["Item"].append({"id": item, "title": item.title(), "price": price})
            edges["Item", "IN", "Category"].append({"start": item, "end": f"category:{path}"})
            pair = {"start": item, "end": f"{topic}-{(number + 1) % 3}", "count": 5, "lift": 1.5}
            edges["Item", "BOUGHT_WITH", "Item"].append(pair)
    for name in ("spring", "autumn"):
        nodes["Campaign"].append({"id": name, "title": name.title(), "starts_at_ms": 5 * DAY_MS})
    for tier in ("gold", "basic"):
        nodes["Trait"].append({"id": f"tier={tier}", "name": "tier", "value": tier})


def _personas(nodes: Rows, edges: dict[Kind, list[dict[str, object]]]) -> None:
    for persona, current in CURRENT.items():
        nodes["Persona"].append({"id": persona, "current": current})
        edges["Persona", "CURRENT", "PersonaVersion"].append({"start": persona, "end": current})
    for place, version in enumerate(VERSIONS):
        persona, number = version.split("@")
        figures = {"people": 20 + place, "population": PEOPLE, "share": 0.35, "stability": 0.9}
        nodes["PersonaVersion"].append(
            {"id": version, "persona_id": persona, "number": int(number), "name": version.upper()}
            | figures
            | {"share_low": 0.25, "share_high": 0.45, "intents": 50, "summary": None}
        )
        edges["PersonaVersion", "VERSION_OF", "Persona"].append({"start": version, "end": persona})
    level = {"people": 20, "population": PEOPLE, "share": 0.35, "stability": 0.9, "intents": 9}
    nodes["Family"].append({"id": "f_all", "name": "Tea and mugs"} | level)
    nodes["MicroPersona"].append({"id": "m_tea", "name": "Tea"} | level)
    edges["MicroPersona", "PART_OF", "Persona"].append({"start": "m_tea", "end": "p_one"})
    for persona in CURRENT:
        edges["Persona", "PART_OF", "Family"].append({"start": persona, "end": "f_all"})


def _person(
    number: int,
    chance: random.Random,
    nodes: Rows,
    edges: dict[Kind, list[dict[str, object]]],
) -> None:
    user = f"u_{number:03d}"
    nodes["User"].append(
        {"id": user, "half": "test" if number % 2 else "fit", "first_seen_ms": number * HOUR_MS}
        | {"last_seen_ms": 90 * DAY_MS, "event_count": 3 + number, "activity": number % 5}
    )
    identifier = {"id": f"crm:{number}", "namespace": "crm", "value": str(number)}
    nodes["Identifier"].append(identifier)
    edges["Identifier", "IDENTIFIES", "User"].append(
        {"start": f"crm:{number}", "end": user, "probability": 1.0, "reason": "declared"}
    )
    account = f"a_{number % 4}"
    if number < 4:
        nodes["Account"].append({"id": account, "people": PEOPLE // 4})
        nodes["Household"].append({"id": f"h_{number}", "people": 2})
    edges["User", "MEMBER_OF", "Account"].append(
        {"start": user, "end": account, "role": "member", "since_ms": number * HOUR_MS}
    )
    if number < 8:
        edges["User", "LIVES_IN", "Household"].append(
            {"start": user, "end": f"h_{number % 4}", "since_ms": number * HOUR_MS}
        )
    if number % 3:
        trait = f"tier={'gold' if number % 3 == 1 else 'basic'}"
        edges["User", "HAS", "Trait"].append({"start": user, "end": trait, "at_ms": 0})
    for campaign in ("spring", "autumn")[: number % 3]:
        arm = "control" if number % 5 == 0 else "treated"
        edges["User", "RECEIVED", "Campaign"].append(
            {"start": user, "end": campaign, "at_ms": 5 * DAY_MS, "arm": arm}
        )
    forecast = {"probability": 0.25, "low": 0.125, "high": 0.5, "as_of_ms": 90 * DAY_MS}
    edges["User", "FORECAST", "Task"].append({"start": user, "end": "churn_90"} | forecast)
    if number % 4 == 0:
        meets = {"start": user, "end": "r_1", "intents": 2}
        edges["User", "MEETS", "RulePersona"].append(meets)
    held = [VERSIONS[1]] * (number % 2 == 0) + [VERSIONS[2]] * (number % 3 == 0)
    for version in held:
        weight = {"weight": 0.5, "low": 0.25, "high": 0.75, "intents": 2, "valid_from_ms": 0}
        edges["User", "HOLDS", "PersonaVersion"].append({"start": user, "end": version} | weight)
    if CURRENT["p_one"] in held and number % 2 == 0:
        edges["User", "HOLDS", "MicroPersona"].append({"start": user, "end": "m_tea"})
    if number % 7 == 0:
        ended = {"weight": 0.5, "valid_from_ms": 0, "valid_to_ms": DAY_MS}
        edges["User", "HOLDS", "PersonaVersion"].append({"start": user, "end": VERSIONS[0]} | ended)
    _sessions(user, held, chance, nodes, edges)


def _sessions(
    user: str,
    held: list[str],
    chance: random.Random,
    nodes: Rows,
    edges: dict[Kind, list[dict[str, object]]],
) -> None:
    at_ms = chance.randrange(30) * DAY_MS
    for number in range(1, chance.randrange(1, 6)):
        session = f"s_{user[2:]}_{number}"
        at_ms += chance.randrange(1, 20) * 7 * HOUR_MS
        channel = chance.choice(CHANNELS)
        nodes["Session"].append(
            {"id": session, "channel": channel, "number": number, "started_at_ms": at_ms}
            | {"ended_at_ms": at_ms + HOUR_MS, "event_count": 2, "value": float(number)}
        )
        edges["User", "HAD", "Session"].append({"start": user, "end": session})
        if number > 1:
            edges["Session", "NEXT", "Session"].append(
                {"start": f"s_{user[2:]}_{number - 1}", "end": session}
            )
        for position in range(1, chance.randrange(2, 4)):
            intent, topic = f"i_{user[2:]}_{number}_{position}", chance.choice(TOPICS)
            hours = at_ms // HOUR_MS
            nodes["Intent"].append(
                {"id": intent, "verb": chance.choice(VERBS), "topic": topic, "channel": channel}
                | {"text": None, "position": position, "started_at_ms": at_ms, "event_count": 1}
                | {"quantity": 1.0, "value": 2.5}
                | {"kept_out": "verb test" if position == 2 else None}
                | {"hour": hours % 24 or None, "weekday": (hours // 24 + 3) % 7}
            )
            edges["Session", "EXPRESSED", "Intent"].append({"start": session, "end": intent})
            item = f"{topic}-{chance.randrange(3)}"
            edges["Intent", "ABOUT", "Item"].append(
                {"start": intent, "end": item, "count": 1, "value": 2.5}
            )
            if number == 2:
                edges["Intent", "REACHED", "Goal"].append({"start": intent, "end": "buying"})
            if chance.random() < 0.2:
                campaign = chance.choice(("spring", "autumn"))
                edges["Intent", "RESPONDED_TO", "Campaign"].append(
                    {"start": intent, "end": campaign}
                )
            if held and chance.random() < 0.7:
                edges["Intent", "SUPPORTS", "PersonaVersion"].append(
                    {"start": intent, "end": held[0], "probability": 0.75}
                )
                if held[0] == CURRENT["p_one"]:
                    edges["Intent", "SUPPORTS", "MicroPersona"].append(
                        {"start": intent, "end": "m_tea"}
                    )


def _claims(nodes: Rows, edges: dict[Kind, list[dict[str, object]]]) -> None:
    first = {label: str(rows[0]["id"]) for label, rows in nodes.items() if rows}
    cited = [kind for kind in edges if kind[1] == "CITES"]
    for number, version in enumerate(VERSIONS):
        claim = f"c_{number}"
        nodes["Claim"].append(
            {"id": claim, "kind": "topic", "subject": "bought tea", "subject_label": "buy tea"}
            | {"direction": "more", "measure": "share", "unit": "share of people", "value": 0.5}
            | {"reference_value": 0.25, "low": 0.375, "high": 0.625, "people": 20, "as_of_ms": 0}
            | {"q": None if number else 0.01, "query": "claim/topic", "params": "{}"}
            | {"counts": json.dumps({"n1": 4}), "descriptive": bool(number)}
        )
        edges["PersonaVersion", "STATES", "Claim"].append({"start": version, "end": claim})
        for path in range(2):
            for position, kind in enumerate(cited):
                edges[kind].append(
                    {"start": claim, "end": first[kind[2]], "path": path, "position": position}
                )
