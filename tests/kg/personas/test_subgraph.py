"""The subgraph of a persona: what is in it, that the graph holds the same, and its figures."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import pytest

from api.picture.page import picture
from kg import graph
from kg.errors import InputError, NotAllowed
from kg.lake import Lake
from kg.personas.atlas import atlas
from kg.personas.figures import QUERIES, Figures, figures
from kg.personas.subgraph import EDGE_COLUMNS, NODE_COLUMNS, save, subgraph, version_in_force
from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Store
from tests.kg.personas.planted import BAKE, START_MS, TINK
from tests.rows import table

VERSION, OTHER = f"{BAKE}@1", f"{TINK}@1"
DENIED, ENDED = f"u_{7:016x}", f"u_{5:016x}"
HOSTILE = 'Tin & <b>"round"</b>\x07\n\tof Ünal'


def enrich(workspace: Path) -> None:
    """Categories, a hostile title, text, a holding that has ended, a topic done for both."""
    with Lake.writer(workspace) as lake, lake.step("more") as step:
        members = lake.arrow("memberships").drop(["run_id"]).to_pylist()
        topics = {r["intent_id"]: r["topic"] for r in lake.arrow("intents").to_pylist()}
        out = set(lake.arrow("kept_out")["intent_id"].to_pylist())
        for place, row in enumerate(members):
            if row["intent_id"] in out:
                continue
            if topics[row["intent_id"]] in {"screws", "cake-tins"} and place % 2:
                row["persona_id"] = BAKE if row["persona_id"] == TINK else TINK
        holdings = lake.arrow("holdings").drop(["run_id"]).to_pylist()
        for row in holdings:
            if row["user_id"] == ENDED:
                row["valid_to_ms"] = START_MS + 1
        intents = lake.arrow("intents").drop(["run_id"]).to_pylist()
        paths = {"i1": ["Kitchen", "Baking", "Tins"], "i2": ["Workshop"], "i3": ["Kitchen"]}
        items = [
            {"item_id": item, "title": HOSTILE, "categories": path, "price": 1.5}
            for item, path in paths.items()
        ]
        step.overwrite("memberships", table("memberships", members))
        step.overwrite("holdings", table("holdings", holdings))
        step.overwrite("intents", table("intents", [r | {"text": "my secret"} for r in intents]))
        step.overwrite("items", table("items", items))


@pytest.fixture(scope="session")
def rich_lake(planted_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rich") / "workspace"
    shutil.copytree(planted_lake, path)
    enrich(path)
    return path


@pytest.fixture
def lake(rich_lake: Path) -> Iterator[Lake]:
    with Lake.open(rich_lake) as opened:
        yield opened


@pytest.fixture
def shown(rich_lake: Path, workspace: Path, store_settings: Settings) -> Iterator[Store]:
    """A store that shows the lake."""
    shutil.copytree(rich_lake, workspace)
    with Lake.open(workspace) as copied, open_store(store_settings, workspace, write=True) as store:
        graph.bring_forward(copied, store)
        yield store


def counted(lake: Lake, version: str) -> tuple[dict[str, int], dict[tuple[str, ...], int]]:
    found = subgraph(lake, version)
    nodes = {label: lake.run(rows).num_rows for label, rows in found.nodes.items()}
    return nodes, {kind: lake.run(rows).num_rows for kind, rows in found.edges.items()}


@pytest.mark.parametrize("version", [VERSION, OTHER])
def test_the_graph_holds_the_same_nodes_and_edges(lake: Lake, shown: Store, version: str) -> None:
    nodes, edges = counted(lake, version)
    asked = {"version_id": version}
    assert all(nodes.values())
    assert nodes == {r["label"]: r["nodes"] for r in shown.run("persona/subgraph_nodes", asked)}
    rows = shown.run("persona/subgraph_edges", asked)
    assert all(edges.values())
    there = {kind: count for kind, count in edges.items() if count}
    assert there == {(r["start"], r["type"], r["end"]): r["edges"] for r in rows}
    found = figures(lake, subgraph(lake, version))
    assert (found.nodes, list(found.edges)) == (nodes, rows)


def test_the_named_queries_list_what_the_files_hold(lake: Lake, shown: Store) -> None:
    found, asked = subgraph(lake, VERSION), {"version_id": VERSION}

    def ids(label: str) -> list[str]:
        listed: list[str] = lake.run(found.nodes[label])["id"].to_pylist()
        return listed

    def pairs(*kind: str) -> list[tuple[str, str]]:
        rows = lake.run(found.edges[kind[0], kind[1], kind[2]]).to_pylist()
        return sorted((row["start"], row["end"]) for row in rows)

    users = shown.run("persona/subgraph_users", asked)
    assert [row["user_id"] for row in users] == ids("User")
    sessions = shown.run("persona/subgraph_sessions", asked)
    assert [row["session_id"] for row in sessions] == ids("Session")
    owned = sorted((r["user_id"], r["session_id"]) for r in sessions if r["user_id"])
    assert owned == pairs("User", "HAD", "Session")
    assert len(owned) < len(sessions), "an intent may support what its person does not hold"
    intents = shown.run("persona/subgraph_intents", asked)
    assert [row["intent_id"] for row in intents] == ids("Intent")
    assert sorted((r["session_id"], r["intent_id"]) for r in intents) == pairs(
        "Session", "EXPRESSED", "Intent"
    )
    items = shown.run("persona/subgraph_items", asked)
    assert sorted((r["intent_id"], r["item_id"]) for r in items) == pairs("Intent", "ABOUT", "Item")
    categories = shown.run("persona/subgraph_categories", asked)
    assert sorted(row["category_id"] for row in categories) == ids("Category")
    inside = sorted((r["category_id"], r["inside"]) for r in categories if r["inside"])
    assert inside == pairs("Category", "IN", "Category")


def test_who_denied_and_who_no_longer_holds_it_are_not_in_it(lake: Lake) -> None:
    for version in (VERSION, OTHER):
        found = subgraph(lake, version)
        users = lake.run(found.nodes["User"])["id"].to_pylist()
        assert users
        assert not {DENIED, ENDED} & set(users)
        sessions = " ".join(lake.run(found.nodes["Session"])["id"].to_pylist())
        assert f"s_{DENIED[2:]}" not in sessions


def test_graphml_is_read_by_others_and_written_the_same_twice(lake: Lake, tmp_path: Path) -> None:
    nodes, edges = counted(lake, VERSION)
    found = subgraph(lake, VERSION)
    wanted = (sum(nodes.values()), sum(edges.values()))
    assert save(lake, found, tmp_path / "a.graphml") == wanted
    save(lake, subgraph(lake, VERSION), tmp_path / "b.graphml")
    assert (tmp_path / "a.graphml").read_bytes() == (tmp_path / "b.graphml").read_bytes()
    read = nx.read_graphml(tmp_path / "a.graphml")
    assert (read.number_of_nodes(), read.number_of_edges()) == wanted
    tin = read.nodes["Item:i1"]
    assert tin == {
        "label": "Item", "id": "i1", "price": 1.5, "title": HOSTILE.replace("\x07", "\ufffd")
    }  # fmt: skip
    kinds = {(read.nodes[a]["label"], e["type"], read.nodes[b]["label"])
             for a, b, e in read.edges(data=True)}  # fmt: skip
    assert kinds == {kind for kind, count in edges.items() if count}


def test_a_node_is_named_by_its_label_too(lake: Lake, tmp_path: Path) -> None:
    save(lake, subgraph(lake, VERSION), tmp_path / "a.graphml")
    read = nx.read_graphml(tmp_path / "a.graphml")
    assert all(name == f"{data['label']}:{data['id']}" for name, data in read.nodes(data=True))


def test_nothing_but_ids_is_said_of_people(lake: Lake, tmp_path: Path) -> None:
    save(lake, subgraph(lake, VERSION), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    assert "my secret" not in text
    assert "18-34" not in text
    assert NODE_COLUMNS["User"] == ()
    assert not {"Identifier", "Trait", "Campaign"} & set(NODE_COLUMNS)


def test_a_folder_of_parquet_holds_nodes_by_label_and_edges_by_kind(
    lake: Lake, tmp_path: Path
) -> None:
    nodes, edges = counted(lake, VERSION)
    for name in ("a", "b"):
        save(lake, subgraph(lake, VERSION), tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.parquet"))
    assert len(files) == len(NODE_COLUMNS) + len(EDGE_COLUMNS)
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    for label, count in nodes.items():
        assert pq.read_table(tmp_path / "a" / "nodes" / f"{label}.parquet").num_rows == count
    for kind, count in edges.items():
        file = tmp_path / "a" / "edges" / f"{'_'.join(kind)}.parquet"
        assert pq.read_table(file).num_rows == count
        assert pq.read_schema(file).names[:2] == ["start", "end"]


def test_what_cannot_be_written_is_refused_and_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    found = subgraph(lake, VERSION)
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("kept")
    for out, fact in (
        (tmp_path / "a.gexf", "cannot be written as .gexf"),
        (full, "there already"),
        (tmp_path / "none" / "a.graphml", "does not exist"),
        (tmp_path / "none" / "a", "does not exist"),
    ):
        with pytest.raises(InputError, match=fact):
            save(lake, found, out)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert (full / "mine.txt").read_text() == "kept"


def test_a_name_that_no_table_holds_is_refused(lake: Lake) -> None:
    assert version_in_force(lake, BAKE) == VERSION
    with pytest.raises(InputError, match="NUL"):
        version_in_force(lake, "\0")


def figured(lake: Lake, version: str = VERSION) -> Figures:
    return figures(lake, subgraph(lake, version))


def test_every_figure_is_that_of_its_query(lake: Lake, shown: Store) -> None:
    found, asked = figured(lake), {"version_id": VERSION}
    everybody = {row["topic"]: row["people"] for row in shown.run(QUERIES["everybody"])}
    topics = {row["topic"]: row["people"] for row in shown.run(QUERIES["topics"], asked)}
    assert [(hub.subject, hub.people) for hub in found.topic_hubs] == list(topics.items())
    assert [hub.everybody for hub in found.topic_hubs] == [everybody[topic] for topic in topics]
    assert found.topics == len(topics)
    assert found.topic_density == sum(topics.values()) / (found.people * len(topics))
    items = shown.run(QUERIES["items"], asked | {"count": 10})
    assert [(h.subject, h.people, h.everybody) for h in found.item_hubs] == [
        (row["item_id"], row["people"], row["everybody"]) for row in items
    ]
    rows = shown.run(QUERIES["bridges"], asked | {"subjects": [OTHER]})
    (bridge,) = found.bridges
    assert bridge.people == sum(row["k1"] for row in rows)
    assert found.people == sum(row["n1"] for row in rows)
    assert found.population == sum(row["n1"] + row["n0"] for row in rows)
    by_chance = [r["n1"] * (r["k1"] + r["k0"]) / max(r["n1"] + r["n0"], 1) for r in rows]
    assert np.isclose(bridge.expected, sum(by_chance))
    joining = shown.run(QUERIES["joining"], asked | {"subjects": [OTHER]})
    assert [(t.topic, t.people) for t in bridge.joining] == [
        (row["topic"], row["people"]) for row in joining if row["people"] >= 20
    ]
    other = {r["topic"]: r["people"] for r in shown.run(QUERIES["topics"], {"version_id": OTHER})}
    for joined in bridge.joining:
        expected = topics[joined.topic] * other[joined.topic] / found.population
        assert np.isclose(joined.expected, expected)
    assert bridge.joining, "cake tins are for both"


def test_shares_are_of_its_people_and_of_everybody(lake: Lake) -> None:
    found = figured(lake)
    (hub, *_) = found.topic_hubs
    assert hub.share == hub.people / found.people
    assert hub.everybody_share == hub.everybody / found.population
    assert hub.lift == hub.share / hub.everybody_share
    n, m = sum(found.nodes.values()), sum(row["edges"] for row in found.edges)
    assert found.density == m / (n * (n - 1))
    read: dict[str, Any] = {"density": nx.density(nx.gnm_random_graph(9, 20, 1, directed=True))}
    assert read["density"] == 20 / (9 * 8), "the density of networkx is the same"


def held_by_fewer(source: Path, path: Path, *, both: int | None, other: int | None) -> None:
    """A copy in which so many still hold both personas, or the other one."""
    shutil.copytree(source, path)
    with Lake.writer(path) as lake, lake.step("fewer") as step:
        rows = lake.arrow("holdings").drop(["run_id"]).to_pylist()
        bakers = {row["user_id"] for row in rows if row["persona_id"] == BAKE}
        tinkers = [row for row in rows if row["persona_id"] == TINK and not row["valid_to_ms"]]
        shared = [row for row in tinkers if row["user_id"] in bakers]
        for row in (shared if other is None else tinkers)[(both if other is None else other) :]:
            row["valid_to_ms"] = row["valid_from_ms"] + 1
        step.overwrite("holdings", table("holdings", rows))


def test_of_fewer_than_twenty_people_in_common_a_bridge_says_no_number(
    rich_lake: Path, workspace: Path
) -> None:
    held_by_fewer(rich_lake, workspace, both=12, other=None)
    with Lake.open(workspace) as lake:
        (bridge,) = figured(lake).bridges
    assert (bridge.people, bridge.share, bridge.lift, bridge.q) == (None,) * 4
    assert bridge.expected > 0


def test_nothing_is_said_of_a_persona_of_fewer_than_twenty_people_nor_of_a_bridge_to_it(
    rich_lake: Path, workspace: Path, tmp_path: Path
) -> None:
    held_by_fewer(rich_lake, workspace, both=None, other=12)
    with Lake.open(workspace) as lake:
        assert figured(lake).bridges == ()
        with pytest.raises(NotAllowed, match="Fewer than 20"):
            figured(lake, OTHER)
        save(lake, subgraph(lake, OTHER), tmp_path / "a.graphml")
        found = atlas(lake)
    assert [one.version_id for one in found.personas] == [VERSION]
    assert found.left_out == 1
    drawn = picture(found, "w", ".html")
    assert drawn.count("Not drawn: 1 persona that fewer than 20 people hold.") == 3
    assert TINK not in drawn


def test_a_bridge_to_a_sibling_is_seen_from_both_ends(lake: Lake) -> None:
    (one,), (other,) = figured(lake).bridges, figured(lake, OTHER).bridges
    assert (one.persona_id, other.persona_id) == (TINK, BAKE)
    assert (one.people, one.expected) == (other.people, other.expected)
    assert [t.topic for t in one.joining] == [t.topic for t in other.joining]
