"""Every query that we ship gives the same rows on both stores, over the same small graph."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kg import queries
from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Store
from tests.conftest import empty
from tests.kg.store.quality import modularity
from tests.kg.store.small_graph import CHANNELS, DAY_MS, TOPICS, VERBS, VERSIONS, small_graph

pytestmark = pytest.mark.neo4j

SUBJECTS = [
    *(f"{verb} {topic}" for verb in VERBS for topic in TOPICS),
    *(f"{first} > {second}" for first in TOPICS for second in TOPICS),
    *(f"{topic}-{number}" for topic in TOPICS for number in range(3)),
    *("tier=gold", "tier=basic", "spring", "autumn", "week", "weekend", "night", "morning"),
    *("afternoon", "evening", "again", "", "buying"),
    *(*TOPICS, *VERBS, *CHANNELS, *VERSIONS),
]
PAIRS = [
    {"version": version, "subject": subject, "name": "tier"}
    for version in VERSIONS
    for subject in SUBJECTS
]
ASKED = [
    {"claim_id": f"c_{place}", "version": version, "user_id": f"u_{user:03d}", "subject": subject}
    | {"verb": verb, "topic": topic, "first": topic, "second": "mugs", "weekdays": [0, 1, 2, 3]}
    | {"from_hour": 0, "to_hour": 24, "within_ms": 30 * DAY_MS, "name": "tier"}
    for place, (version, user, subject, verb, topic) in enumerate(
        itertools.product(
            VERSIONS[1:],
            range(0, 60, 2),
            (
                "tea-1",
                "mugs-0",
                "tier=gold",
                "spring",
                "web",
                "bought",
                "p_two@1",
                "bought tea",
                "buying",
            ),
            VERBS[1:2],
            TOPICS[:1],
        )
    )
]
# What a parameter of this name is given, whichever query takes it.
SAMPLES: dict[str, Any] = {
    "half": "test",
    "subjects": SUBJECTS,
    "pairs": PAIRS,
    "asked": ASKED,
    "topics": list(TOPICS),
    "before_ms": 60 * DAY_MS,
    "within_ms": 30 * DAY_MS,
    "identifier": "crm:4",
    "user_id": "u_004",
    "persona_id": "p_one",
    "family_id": "f_all",
    "version_id": "p_one@2",
    "claim_id": "c_1",
    "at_ms": DAY_MS // 2,
    "after": "u_010",
    "count": 5,
    "verb": VERBS[1],
    "topic": TOPICS[0],
}
# About the store itself, or about who uses it; not the same by nature.
NOT_COMPARED = ("store/", "migrations/", "graph/")
SLOWER_AT_MOST = 10


@pytest.fixture(scope="module")
def both(neo4j_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    workspace: Path = tmp_path_factory.mktemp("both")
    emptied = Settings(store="neo4j", neo4j_uri=neo4j_uri)
    empty(neo4j_uri)
    with (
        open_store(Settings(), workspace, write=True) as embedded,
        open_store(emptied, workspace, write=True) as server,
    ):
        for store in (embedded, server):
            store.bulk_load(small_graph())
        yield [embedded, server]


def shipped() -> list[str]:
    return [name for name in queries.load("neo4j") if not name.startswith(NOT_COMPARED)]


@pytest.mark.parametrize("dialect", queries.DIALECTS)
def test_every_query_can_be_planned_on_an_empty_store(
    dialect: queries.Dialect, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = Settings(store="embedded")
    if dialect == "neo4j":
        settings = request.getfixturevalue("empty_neo4j")
    with open_store(settings, tmp_path, write=True) as store:
        for name in queries.load(dialect):
            store.explain(name)


@pytest.mark.parametrize("name", shipped())
def test_a_query_gives_the_same_rows_on_both_stores(name: str, both: list[Store]) -> None:
    query = queries.named(name, "neo4j")
    unknown = query.params.keys() - SAMPLES.keys()
    assert not unknown, f"add samples of {sorted(unknown)} to SAMPLES"
    params = {param: SAMPLES[param] for param in query.params}
    embedded, server = (store.run(name, params) for store in both)
    assert embedded == server
    assert embedded, "the samples find nothing, so nothing was compared"
    assert [list(row) for row in embedded[:1]] == [list(query.returns)]


def test_both_stores_hold_the_same_after_a_load(both: list[Store]) -> None:
    counted = [
        (
            store.run(
                "MATCH (n) WHERE n.run_id IS NOT NULL "
                "RETURN labels(n)[0] AS label, count(*) AS n ORDER BY label"
            ),
            store.run("MATCH ()-[e]->() RETURN type(e) AS type, count(*) AS n ORDER BY type"),
            store.run(
                "MATCH (n) WHERE n.run_id IS NOT NULL "
                "WITH labels(n)[0] AS label, n ORDER BY label, n.id "
                "RETURN label, n.id AS id, properties(n) AS properties"
            ),
        )
        for store in both
    ]
    for row in (row for part in counted for row in part[2]):  # one of them lists nulls, too
        row["properties"] = {k: v for k, v in row["properties"].items() if v is not None}
    embedded, server = (json.dumps(part, sort_keys=True) for part in counted)
    assert embedded == server


def test_the_embedded_store_is_not_ten_times_slower(both: list[Store]) -> None:
    seconds = []
    for store in both:
        best = []
        for _ in range(3):
            begun = time.perf_counter()
            for name in shipped():
                params = {p: SAMPLES[p] for p in queries.named(name, store.name).params}
                store.run(name, params)
            best.append(time.perf_counter() - begun)
        seconds.append(min(best))
    assert seconds[0] < SLOWER_AT_MOST * seconds[1]


def test_both_libraries_find_partitions_of_the_same_quality(both: list[Store]) -> None:
    chance = np.random.default_rng(11)
    n, group = 400, 25
    source, target = chance.integers(0, n, (2, 20 * n))
    keep = (source // group == target // group) | (chance.random(len(source)) < 0.02)
    edges = source[keep], target[keep], chance.uniform(0.5, 1.5, int(keep.sum()))
    for resolution in (0.5, 1.0, 2.0):
        found = [store.leiden(n, *edges, resolution=resolution, seed=2) for store in both]
        embedded, server = (modularity(groups, *edges, resolution) for groups in found)
        assert abs(embedded - server) <= 0.01 * server
