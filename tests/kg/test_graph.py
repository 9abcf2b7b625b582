"""The lake's picture in the graph: who is in it, what is computed, and when it is complete."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kg import graph
from kg.errors import InputError, NotFound
from kg.lake import Lake
from kg.personas.lineage import personas_at
from kg.personas.verify import verify
from kg.projection import claim_tables, claims_id, graph_id, graph_tables
from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Store
from tests.rows import Row, table

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DENIED = "u_9"


def people() -> dict[str, list[Row]]:
    """Ten users with two sessions each; in each of those they buy; the last denied consent."""
    users = [f"u_{n}" for n in range(10)]
    visits = [(user, number) for user in users for number in (1, 2)]
    # Tea and mugs lie together in a third of the baskets, and nowhere alone.
    together = [place % 3 == 0 for place in range(len(visits))]
    return {
        "users": [
            {"user_id": u, "first_seen_ms": 0, "last_seen_ms": 9, "record_count": 1}
            | {"event_count": 2, "consent_denied": u == DENIED, "half": "fit"}
            for u in users
        ],
        "user_identifiers": [
            {"user_id": u, "namespace": "crm", "value": u[2:], "reason": "crm", "probability": 1.0}
            for u in users
        ],
        "user_traits": [{"user_id": u, "name": "tier", "value": "gold"} for u in ("u_1", DENIED)],
        "accounts": [{"account_id": "a_1", "people": 1}],
        "account_members": [
            {"account_id": "a_1", "user_id": u, "role": "member", "since_ms": 5, "record_key": u}
            for u in ("u_1", DENIED)
        ],
        "households": [{"household_id": "h_1", "people": 2}],
        "household_members": [
            {"household_id": "h_1", "user_id": u, "since_ms": 7, "record_key": u}
            for u in ("u_1", "u_2", DENIED)
        ],
        "received": [
            {"user_id": u, "campaign_id": "spring", "arm": "treated"} for u in ("u_1", DENIED)
        ],
        "sessions": [
            {"session_id": f"s{u[1:]}_{n}", "user_id": u, "number": n, "event_count": 2}
            | {"started_at_ms": n * DAY_MS + HOUR_MS, "ended_at_ms": n * DAY_MS, "value": 1.0}
            for u, n in visits
        ],
        "intents": [
            {"intent_id": f"i{u[1:]}_{n}", "session_id": f"s{u[1:]}_{n}", "user_id": u}
            | {"verb": "bought", "topic": "tea", "position": 1, "event_count": 1}
            | {"started_at_ms": n * DAY_MS + HOUR_MS, "ended_at_ms": 0, "quantity": 1.0}
            | {"hour": 1 if n == 1 else None, "weekday": 3 + n}
            | {"value": 1.0, "campaign_id": "spring" if (u, n) == ("u_1", 2) else None}
            for u, n in visits
        ],
        "intent_items": [
            {"intent_id": f"i{u[1:]}_{n}", "item_id": item, "count": 1, "value": 1.0}
            for (u, n), pair in zip(visits, together, strict=True)
            for item in (("tea", "mug") if pair else ("lamp",))
        ],
        "items": [
            {"item_id": "tea", "title": "Tea", "categories": ["Food", "Hot"], "price": 2.5},
            {"item_id": "mug", "title": "Mug", "categories": ["Home"]},
            {"item_id": "cup", "title": "Cup", "categories": ["Food/Hot"]},
            {"item_id": "spring", "role": "campaign", "title": "Spring"},
        ],
    }


def personas(version: int = 1) -> dict[str, list[Row]]:
    figures = {"stability": 1.0, "intents": 4, "people": 2, "population": 9, "share": 0.2}
    more = {"share_low": 0.1, "share_high": 0.3, "signature": "{}", "recurrence_lift": 2.0}
    tested = {"recurrence_p": 0.01, "recurrence_q": 0.01}
    versions = [{"persona_id": "p_1", "version": n + 1} for n in range(version)]
    return {
        "personas": [one | figures | more | tested for one in versions],
        "memberships": [
            {"intent_id": "i_1_1", "user_id": "u_1", "persona_id": "p_1", "probability": 0.5},
            {"intent_id": "i_9_1", "user_id": DENIED, "persona_id": "p_1", "probability": 0.5},
            {"intent_id": "i_2_1", "user_id": "u_2", "persona_id": None, "probability": 0.5},
        ],
        "holdings": [
            {"user_id": u, "persona_id": "p_1", "weight": 0.5, "low": 0.25, "high": 0.75}
            | {"intents": 2, "valid_from_ms": 0}
            for u in ("u_1", DENIED)
        ],
    }


def claims(label: str = "Item") -> dict[str, list[Row]]:
    claim = {"persona_id": "p_1", "version": 1, "claim_id": "c_1", "kind": "topic"}
    words = {"subject": "bought tea", "subject_label": "buy tea", "direction": "more"}
    rest = {"measure": "m", "unit": "share", "value": 0.5, "reference_value": 0.25, "low": 0.25}
    last = {"high": 0.75, "people": 20, "as_of_ms": 1, "query": "claim/topic", "params": "{}"}
    return {
        "claims": [claim | words | rest | last | {"counts": "{}", "descriptive": False}],
        "evidence": [
            {"claim_id": "c_1", "path": 0, "position": 0, "label": "Intent", "node_id": "i_1_1"},
            {"claim_id": "c_1", "path": 0, "position": 1, "label": label, "node_id": "tea"},
        ],
        "wordings": [
            {"persona_id": "p_1", "version": 1, "name": "Tea people", "summary": "They drink."}
            | {"sentences": "[]", "author": "template", "coverage": 1.0}
        ],
    }


def write(workspace: Path, name: str, tables: dict[str, list[Row]], seed: int = 0) -> None:
    with (
        Lake.writer(workspace) as lake,
        lake.step(name, inputs={}, config={}, seed=seed) as step,
    ):
        for table_name, rows in tables.items():
            step.overwrite(table_name, table(table_name, rows))


@pytest.fixture
def lake(workspace: Path) -> Iterator[Lake]:
    write(workspace, "intents", people())
    write(workspace, "personas", personas())
    write(workspace, "claims", claims())
    with Lake.open(workspace) as opened:
        yield opened


@pytest.fixture
def shop(store_settings: Settings, workspace: Path, lake: Lake) -> Iterator[Store]:
    """A store that shows the lake."""
    with open_store(store_settings, workspace, write=True) as store:
        assert graph.bring_forward(lake, store)
        yield store


def edges(lake: Lake, *kind: str) -> list[dict[str, object]]:
    for found in graph_tables(lake).edges:
        if (found.kind.start, found.kind.type, found.kind.end) == kind:
            rows: list[dict[str, object]] = found.table.to_pylist()
            return sorted(rows, key=str)
    raise AssertionError(kind)


def test_who_denied_consent_is_not_in_the_graph_nor_is_anything_of_theirs(lake: Lake) -> None:
    tables = graph_tables(lake)
    for label, nodes in tables.nodes.items():
        assert not [i for i in nodes["id"].to_pylist() if "9" in i], label
    for found in tables.edges:
        ends = found.table["start"].to_pylist() + found.table["end"].to_pylist()
        assert not [i for i in ends if "9" in i], found.kind
    assert tables.nodes["User"].num_rows == 9


def test_families_and_micro_personas_stand_beside_the_personas_and_none_is_one_of_them(
    store_settings: Settings, workspace: Path
) -> None:
    level = {"population": 9, "share": 0.2, "share_low": 0.1, "share_high": 0.3, "signature": "{}"}
    level |= {"stability": 0.9, "intents": 1, "people": 1}
    found = personas()
    found["personas"][0] = found["personas"][0] | {"parent_id": "f_1"}
    found["memberships"][0] = found["memberships"][0] | {"micro_persona_id": "m_1"}
    found["levels"] = [
        {"level_id": "f_1", "level": "family", "name": "Tea"} | level,
        {"level_id": "m_1", "level": "micro-persona", "parent_id": "p_1", "name": "Mugs"} | level,
    ]
    found["micro_holdings"] = [{"user_id": u, "micro_persona_id": "m_1"} for u in ("u_1", DENIED)]
    write(workspace, "intents", people())
    write(workspace, "personas", found)
    write(workspace, "claims", claims())
    with Lake.open(workspace) as lake, open_store(store_settings, workspace, write=True) as store:
        assert graph.bring_forward(lake, store)
        (persona,) = graph.personas(store)
        (family,) = graph.families(store)
        assert (family["persona_id"], family["family_id"]) == (persona["persona_id"], "f_1")
        (part,) = graph.micro_personas(store)
        assert (part["persona_id"], part["micro_persona_id"]) == ("p_1", "m_1")
        assert store.run("persona/family_people", {"family_id": "f_1"}) == [{"people": 1}]
        (held,) = graph.person_by_id(store, "u_1").personas
        assert held["persona_id"] == "p_1"
    assert edges_of(workspace, "User", "HOLDS", "MicroPersona") == [("u_1", "m_1")]
    assert edges_of(workspace, "Intent", "SUPPORTS", "MicroPersona") == [("i_1_1", "m_1")]


def edges_of(workspace: Path, *kind: str) -> list[tuple[object, object]]:
    with Lake.open(workspace) as lake:
        return [(row["start"], row["end"]) for row in edges(lake, *kind)]


def test_items_of_a_basket_are_joined_with_count_and_lift(lake: Lake) -> None:
    pair = {"count": 6, "lift": 3.0}  # 6 of 18 baskets hold both: 6 * 18 / (6 * 6)
    assert edges(lake, "Item", "BOUGHT_WITH", "Item") == [
        pair | {"start": "mug", "end": "tea"},
        pair | {"start": "tea", "end": "mug"},
    ]


def test_sessions_follow_each_other_in_time(lake: Lake) -> None:
    follow = edges(lake, "Session", "NEXT", "Session")
    assert follow[1] == {"start": "s_1_1", "end": "s_1_2"}
    assert len(follow) == 9


def test_categories_are_a_tree_of_paths(lake: Lake) -> None:
    nodes = graph_tables(lake).nodes["Category"].to_pylist()
    assert [(node["id"], node["level"]) for node in nodes] == [
        ("category:Food", 0),
        ("category:Food/Hot", 1),
        ("category:Home", 0),
    ]
    assert edges(lake, "Category", "IN", "Category") == [
        {"start": "category:Food/Hot", "end": "category:Food"}
    ]
    assert {"start": "tea", "end": "category:Food/Hot"} in edges(lake, "Item", "IN", "Category")


def test_hour_and_weekday_are_those_of_the_lake(lake: Lake) -> None:
    rows = graph_tables(lake).nodes["Intent"].to_pylist()
    found = {(row["started_at_ms"], row["hour"], row["weekday"]) for row in rows}
    assert found == {(DAY_MS + HOUR_MS, 1, 4), (2 * DAY_MS + HOUR_MS, None, 5)}


def test_an_item_that_only_behaviour_names_is_there_without_a_title(lake: Lake) -> None:
    items = {row["id"]: row["title"] for row in graph_tables(lake).nodes["Item"].to_pylist()}
    assert items == {"tea": "Tea", "mug": "Mug", "cup": "Cup", "lamp": None}


def test_evidence_of_what_cannot_be_cited_is_refused(workspace: Path, lake: Lake) -> None:
    write(workspace, "claims", claims("Run"), seed=1)
    lake.refresh()
    with pytest.raises(InputError, match="cannot cite"):
        claim_tables(lake)


def test_every_edge_ends_in_nodes_that_are_there(lake: Lake) -> None:
    loaded, stated = graph_tables(lake), claim_tables(lake)
    ids = {label: set(t["id"].to_pylist()) for label, t in (*loaded.nodes.items(),)}
    ids["Claim"] = set(stated.nodes["Claim"]["id"].to_pylist())
    for found in (*loaded.edges, *stated.edges):
        assert set(found.table["start"].to_pylist()) <= ids[found.kind.start], found.kind
        assert set(found.table["end"].to_pylist()) <= ids[found.kind.end], found.kind


def test_a_graph_that_shows_the_lake_is_left_as_it_is(lake: Lake, shop: Store) -> None:
    assert not graph.is_behind(lake, shop)
    assert not graph.bring_forward(lake, shop)


def test_a_graph_behind_the_lake_is_brought_forward(
    lake: Lake, shop: Store, workspace: Path
) -> None:
    fewer = people()
    fewer["users"] = fewer["users"][:3]
    write(workspace, "intents", fewer, seed=1)
    lake.refresh()
    assert graph.is_behind(lake, shop)
    assert graph.bring_forward(lake, shop)
    assert shop.run("MATCH (u:User) RETURN u.id AS id ORDER BY id") == [
        {"id": "u_0"},
        {"id": "u_1"},
        {"id": "u_2"},
    ]
    assert shop.run("MATCH (s:Session) RETURN count(s) AS n") == [{"n": 6}]
    assert shop.run("MATCH ()-[e:HOLDS]->() RETURN count(e) AS n") == [{"n": 1}]
    assert not graph.is_behind(lake, shop)


def test_new_claims_replace_the_old_ones_without_a_new_load(
    lake: Lake, shop: Store, workspace: Path
) -> None:
    before = graph_id(lake)
    fresh = claims()
    fresh["claims"] = [dict(fresh["claims"][0]) | {"claim_id": "c_2"}]
    fresh["evidence"] = [dict(row) | {"claim_id": "c_2"} for row in fresh["evidence"]]
    write(workspace, "claims", fresh, seed=1)
    lake.refresh()
    assert graph_id(lake) == before
    assert graph.bring_forward(lake, shop)
    assert shop.run("MATCH (c:Claim) RETURN c.id AS id") == [{"id": "c_2"}]
    assert len(graph.claim_evidence(shop, "c_2")) == 2
    assert shop.run("MATCH (:PersonaVersion)-[e:STATES]->() RETURN count(e) AS n") == [{"n": 1}]


def test_every_run_that_a_node_names_is_in_the_graph_also_after_new_claims(
    lake: Lake, shop: Store, workspace: Path
) -> None:
    write(workspace, "claims", claims() | {"evidence": []}, seed=1)
    lake.refresh()
    assert graph.bring_forward(lake, shop)
    named = shop.run("MATCH (n) WHERE n.run_id IS NOT NULL RETURN DISTINCT n.run_id AS id")
    runs = {
        row["id"]: row["step"]
        for row in shop.run("MATCH (r:Run) RETURN r.id AS id, r.step AS step")
    }
    assert {row["id"] for row in named} <= runs.keys()
    assert shop.run("MATCH (c:Claim) RETURN DISTINCT c.run_id AS id") == [{"id": claims_id(lake)}]
    assert runs == {lake.step_id(step): step for step in ("intents", "personas", "claims")} | {
        graph_id(lake): "load graph",
        claims_id(lake): "load claims",
    }


def test_a_new_version_of_a_persona_comes_into_force_with_the_watermark(
    lake: Lake, shop: Store, workspace: Path
) -> None:
    write(workspace, "personas", personas(version=2), seed=1)
    lake.refresh()
    graph.project(lake, shop)
    if shop.name == "neo4j":  # embedded, nobody reads the new graph yet
        assert shop.run("persona/list")[0]["version"] == 1
    assert graph.is_behind(lake, shop)
    graph.write_claims(lake, shop)
    assert shop.run("persona/list")[0]["version"] == 2
    assert shop.run("persona/current_version", {"persona_id": "p_1"}) == [
        {"version_id": "p_1@2", "number": 2, "name": None}
    ]


def test_a_person_is_found_with_personas_and_sessions(shop: Store) -> None:
    person = graph.person_by_identifier(shop, "crm:1")
    assert person.figures["user_id"] == "u_1"
    assert (person.figures["identifier_count"], person.figures["session_count"]) == (1, 2)
    assert [(p["persona_id"], p["name"], p["weight"]) for p in person.personas] == [
        ("p_1", "Tea people", 0.5)
    ]
    assert [s["session_id"] for s in person.sessions] == ["s_1_2", "s_1_1"]
    with pytest.raises(NotFound):
        graph.person_by_identifier(shop, "crm:9")
    with pytest.raises(NotFound):
        graph.person_by_id(shop, DENIED)


def test_a_persona_is_shown_with_claims_evidence_and_members(shop: Store) -> None:
    (listed,) = graph.personas(shop)
    assert (listed["name"], listed["version"], listed["people"]) == ("Tea people", 1, 2)
    version = graph.persona_version(shop, "p_1")
    assert version.figures["summary"] == "They drink."
    assert [claim["claim_id"] for claim in version.claims] == ["c_1"]
    assert [(s["label"], s["node_id"]) for s in version.evidence] == [
        ("Intent", "i_1_1"),
        ("Item", "tea"),
    ]
    assert graph.persona_version(shop, "p_1", 1) == version
    assert [m["user_id"] for m in graph.members(shop, "p_1@1")] == ["u_1"]
    assert graph.members(shop, "p_1@1", after="u_1") == []
    for wrong in (("p_2", None), ("p_1", 7)):
        with pytest.raises(NotFound):
            graph.persona_version(shop, *wrong)


def _past() -> dict[str, list[Row]]:
    """A run later p_1 is no more and p_2 is new; u_1 held p_1 until its end, u_2 not so long."""
    tables = personas()
    stood = {name: tables["personas"][0][name] for name in FIGURES}
    runs = [{"number": 1, "persona_id": "p_1"}, {"number": 2, "persona_id": "p_2"}]
    line = {"number": 2, "as_of_ms": 9 * DAY_MS, "overlap": 0.0, "people_overlap": 0.0}
    shape = {"weight": 0.5, "low": 0.25, "high": 0.75, "intents": 2}
    held = [("u_1", "p_1", 2, 9), ("u_2", "p_1", 3, 5), ("u_1", "p_2", 8, None)]
    return tables | {
        "personas": [dict(tables["personas"][0]) | {"persona_id": "p_2"}],
        "persona_runs": [run | stood | {"version": 1, "as_of_ms": DAY_MS} for run in runs],
        "descent": [
            line | {"from_persona_id": "p_1", "kind": "retired", "from_name": "Tea people"},
            line | {"to_persona_id": "p_2", "kind": "born"},
        ],
        "memberships": [
            {"intent_id": "i_1_1", "user_id": "u_1", "persona_id": "p_2", "probability": 0.5}
        ],
        "holdings": [
            {"user_id": user, "persona_id": persona, "valid_from_ms": start * DAY_MS}
            | {"valid_to_ms": None if end is None else end * DAY_MS}
            | shape
            for user, persona, start, end in held
        ],
    }


FIGURES = ("stability", "intents", "people", "population", "share", "share_low", "share_high")


def test_what_a_persona_that_is_no_more_was_can_be_read_as_of_a_date(
    lake: Lake, shop: Store, workspace: Path
) -> None:
    assert shop.run("persona/list")[0]["persona_id"] == "p_1"
    write(workspace, "personas", _past(), seed=1)
    write(workspace, "claims", {"claims": [], "evidence": [], "wordings": []}, seed=1)
    lake.refresh()
    assert graph.bring_forward(lake, shop)
    assert [row["persona_id"] for row in graph.personas(shop)] == ["p_2"]
    assert [row["persona_id"] for row in graph.person_by_id(shop, "u_1").personas] == ["p_2"]
    assert shop.run("persona/current_version", {"persona_id": "p_1"}) == []
    assert not [one for one in verify(lake, shop).problems if "current" in one.why]
    with pytest.raises(NotFound):
        graph.persona_version(shop, "p_1")
    assert graph.persona_version(shop, "p_1", 1).figures["name"] == "Tea people"
    assert graph.members(shop, "p_1@1") == []
    for day, expected in {
        1: [],
        2: ["u_1"],
        4: ["u_1", "u_2"],
        5: ["u_1"],
        8: ["u_1"],
        9: [],
    }.items():
        held = graph.members_as_of(shop, "p_1@1", day * DAY_MS)
        assert [row["user_id"] for row in held] == expected, day
    assert graph.members_as_of(shop, "p_1@1", 4 * DAY_MS, after="u_1", count=1) == [
        {"user_id": "u_2", "weight": 0.5, "low": 0.25, "high": 0.75}
        | {"valid_from_ms": 3 * DAY_MS, "valid_to_ms": 5 * DAY_MS}
    ]
    assert graph.personas_as_of(shop, 8 * DAY_MS) == [
        {"persona_id": "p_1", "version": 1, "name": "Tea people", "people": 1},
        {"persona_id": "p_2", "version": 1, "name": None, "people": 1},
    ]
    assert graph.personas_as_of(shop, DAY_MS) == []


def test_the_lake_says_of_a_date_what_the_graph_says(
    lake: Lake, shop: Store, workspace: Path
) -> None:
    write(workspace, "personas", _past(), seed=1)
    late = people()
    late["intents"][0] |= {"ended_at_ms": 9 * DAY_MS}
    write(workspace, "intents", late, seed=1)
    lake.refresh()
    graph.bring_forward(lake, shop)
    for day in (2, 4, 8, 9):
        ours = {(p["persona_id"], p["people"]) for p in personas_at(lake, day * DAY_MS)}
        theirs = graph.personas_as_of(shop, day * DAY_MS)
        assert ours == {(p["persona_id"], p["people"]) for p in theirs}, day
    with pytest.raises(InputError, match="later than the newest event"):
        personas_at(lake, 9 * DAY_MS + 1)
    with pytest.raises(InputError, match="earlier than the oldest event"):
        personas_at(lake, DAY_MS)


def test_an_empty_lake_is_an_empty_graph(store_settings: Settings, workspace: Path) -> None:
    with Lake.writer(workspace) as lake, open_store(store_settings, workspace, write=True) as store:
        assert graph.bring_forward(lake, store)
        assert store.run("MATCH (u:User) RETURN count(u) AS n") == [{"n": 0}]
        assert graph.personas(store) == []


def test_accounts_and_households_are_edges_between_people_who_may_be_seen(shop: Store) -> None:
    accounts = shop.run("person/accounts", {"user_id": "u_1"})
    assert accounts == [{"account_id": "a_1", "role": "member", "since_ms": 5, "people": 1}]
    together = shop.run("person/households", {"user_id": "u_1"})
    assert together == [{"household_id": "h_1", "since_ms": 7, "people": 2, "with_user_id": "u_2"}]
    assert shop.run("person/households", {"user_id": DENIED}) == []
