"""What a map is drawn from: counts that the graph gives as well."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kg import graph
from kg.lake import Lake
from kg.personas.atlas import MOST_OF_PERSONA, atlas
from kg.settings import Settings
from kg.store import open_store
from tests.kg.personas.planted import BAKE, TINK


def test_people_types_and_correlation_are_those_of_the_graph(
    planted_lake: Path, workspace: Path, store_settings: Settings
) -> None:
    shutil.copytree(planted_lake, workspace)
    with Lake.open(workspace) as lake, open_store(store_settings, workspace, write=True) as store:
        graph.bring_forward(lake, store)
        found = atlas(lake)
        versions = [persona.version_id for persona in found.personas]
        rows = store.run("persona/subgraph_siblings", {
            "version_id": versions[0], "subjects": versions,
        })  # fmt: skip
        holders = {v: len(store.run("persona/subgraph_users", {"version_id": v})) for v in versions}
        counted = store.run(
            "MATCH (u:User)-[:HOLDS]->(v:PersonaVersion) "
            "MATCH (u)-[:HAD]->(:Session)-[:EXPRESSED]->(i:Intent)-[:SUPPORTS]->(v) "
            "RETURN v.id AS version, i.verb AS verb, count(DISTINCT u) AS people, i.topic AS topic"
        )
    assert sorted(versions) == sorted([f"{BAKE}@1", f"{TINK}@1"])
    assert {one.version_id: one.people for one in found.personas} == holders
    people = sum(row["n1"] + row["n0"] for row in rows if row["subject"] == versions[0])
    assert found.population == people
    both = sum(row["k1"] for row in rows if row["subject"] == versions[1])
    n, m = (holders[version] for version in versions)
    phi = (people * both - n * m) / np.sqrt(n * m * (people - n) * (people - m))
    assert found.correlation[0, 1] == pytest.approx(phi)
    assert np.allclose(found.correlation.diagonal(), 1)
    labels = {"cake-tins": "cake tins", "screws": "screws"}
    wanted = sorted(
        (row["version"], row["verb"], labels[row["topic"]], row["people"])
        for row in counted if row["people"] >= 20
    )  # fmt: skip
    shown = [(versions[kind.persona], kind.verb, kind.label, kind.people) for kind in found.types]
    assert sorted(shown) == wanted
    assert len(shown) <= MOST_OF_PERSONA * len(versions)
    assert found.likeness[0, 1] == pytest.approx(0.0), "no type in common"
    assert 0 < found.in_none < found.intents


def test_nobody_and_nothing_is_an_empty_map(workspace: Path) -> None:
    with Lake.writer(workspace) as lake:
        found = atlas(lake)
    assert (found.personas, found.types, found.population, found.in_none) == ((), (), 0, 0)
