"""The main job on both stores, on the same files: is what they hold, find and verify the same?

    python benchmarks/both_stores.py DATA [--seeds 5]

Starts a real Neo4j with Graph Data Science (as the tests do), runs `personagraph run` and `verify`
on each store in a workspace of its own, and on the embedded one with a second seed, and prints:
whether users, sessions and intents are identical; whether every label and edge type has as many
rows; seconds of each; how the personas of events agree (adjusted Rand index) between stores and
between seeds; and, on the graph of near intents that personas are proposed from and on a planted
one, the modularity of both libraries' communities and how they agree between seeds and stores.
"""

import argparse
import json
import os
import sys
import tempfile
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import adjusted_rand_score

from benchmarks.main_job import measured
from gnn.communities import native_leiden
from gnn.found import PersonaConfig, Report
from gnn.personas import discover
from gnn.tensors import load
from kg.graph import project
from kg.lake import Lake
from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Store
from tests.kg.store.quality import modularity
from tests.neo4j.server import Options, neo4j_server

Edges = tuple[int, Any, Any, Any]
"""n nodes; source, target and weight of each edge."""
SAME = ("identities", "sessions", "intents")
COUNTED = """MATCH (n) UNWIND labels(n) AS name RETURN name, count(*) AS rows
UNION ALL MATCH ()-[r]->() RETURN type(r) AS name, count(*) AS rows"""


def main() -> None:
    """Run both, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, neo4j_server(Options(heap="2g")) as server:
        stores = {
            "embedded": {"PERSONAGRAPH_STORE": "embedded"},
            "neo4j": {"PERSONAGRAPH_STORE": "neo4j", "PERSONAGRAPH_NEO4J_URI": server.uri},
        }
        found = {
            name: job(arguments.data, Path(folder) / name, settings)
            for name, settings in stores.items()
        }
        seeded = job(arguments.data, Path(folder) / "seeded", stores["embedded"], seed=1)
        for name in SAME:
            equal = found["embedded"][name].equals(found["neo4j"][name])
            print(f"{name:<12} identical: {equal} ({found['embedded'][name].num_rows:,} rows)")
        between = agreement(found["embedded"], found["neo4j"])
        print(
            f"personas     events agree {between:.3f} between stores, "
            f"{agreement(found['embedded'], seeded):.3f} between seeds"
        )
        embedded = Settings(store="embedded")
        opened = Settings(store="neo4j", neo4j_uri=server.uri)
        counts = {
            "embedded": counted(embedded, Path(folder) / "embedded" / "bench"),
            "neo4j": counted(opened, Path(folder) / "neo4j" / "bench"),
        }
        compare_counts(counts)
        with (
            open_store(embedded, Path(folder) / "embedded" / "bench", write=False) as one,
            open_store(opened, Path(folder) / "neo4j" / "bench", write=False) as other,
        ):
            near = near_intents(Path(folder) / "embedded" / "bench")
            compare_communities("near intents", (one, other), near, arguments.seeds)
            compare_communities("planted", (one, other), planted(20_000, 100), arguments.seeds)


def job(data: str, home: Path, settings: dict[str, str], seed: int = 0) -> dict[str, Any]:
    """Run and verify on one store; what it exported."""
    os.environ.update(settings)
    out: dict[str, Any] = {}
    calls = {"run": ("run", data, "--seed", str(seed)), "verify": ("verify",)}
    for name, arguments in calls.items():
        seconds, gib, text = measured(str(home), *arguments, "-w", "bench", "--json")
        print(f"{home.name:<9} {name:<7} {seconds:7.1f} s  {gib:5.2f} GiB peak", flush=True)
        if name == "verify":
            said = {key: value for key, value in json.loads(text).items() if key != "problems"}
            print(f"{home.name:<9} verify says {json.dumps(said)[:300]}")
    for name in (*SAME, "memberships"):
        file = home / f"{name}.parquet"
        measured(str(home), "export", name, "-w", "bench", "-o", str(file))
        out[name] = pq.read_table(file)
    return out


def counted(settings: Settings, workspace: Path) -> dict[str, int]:
    """How many nodes of each label and edges of each type a store holds."""
    with Lake.writer(workspace) as lake, open_store(settings, workspace, write=True) as store:
        project(lake, store)
        return {row["name"]: row["rows"] for row in store.run(COUNTED)}


def compare_counts(counts: dict[str, dict[str, int]]) -> None:
    """Print every label and type of which the stores hold different numbers."""
    names = sorted(counts["embedded"].keys() | counts["neo4j"].keys())
    unlike = [n for n in names if counts["embedded"].get(n) != counts["neo4j"].get(n)]
    print(f"graph        {len(names)} labels and types, {len(unlike)} with different counts")
    for name in unlike:
        print(f"    {name}: {counts['embedded'].get(name)} against {counts['neo4j'].get(name)}")


def agreement(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Adjusted Rand index of the events' personas, no persona a group like any other."""
    tables = [found["memberships"].sort_by("record_key") for found in (one, other)]
    assert tables[0]["record_key"].equals(tables[1]["record_key"])
    labels = [table["persona_id"].fill_null("").to_pylist() for table in tables]
    return float(adjusted_rand_score(*labels))


def near_intents(workspace: Path) -> Edges:
    """The graph of near intents of half the people, as the persona step makes it."""
    taken: list[Edges] = []

    def keep(n: int, *edges: Any) -> Any:
        taken.append((n, *edges[:3]))
        return native_leiden(n, *edges)

    with Lake.open(workspace) as lake:
        episodes = load(lake)
    discover(episodes, PersonaConfig(), keep, Report())
    return taken[0]


def compare_communities(what: str, stores: tuple[Store, Store], graph: Edges, seeds: int) -> None:
    """Both libraries on one graph: quality, and agreement within and between stores."""
    n, *edges = graph
    found = {
        store.name: [store.leiden(n, *edges, resolution=1.0, seed=seed) for seed in range(seeds)]
        for store in stores
    }
    quality = {
        name: float(np.mean([modularity(groups, *edges) for groups in runs]))
        for name, runs in found.items()
    }
    within = {
        name: float(np.mean([adjusted_rand_score(a, b) for a, b in combinations(runs, 2)]))
        for name, runs in found.items()
    }
    between = float(np.mean([adjusted_rand_score(a, b) for a, b in product(*found.values())]))
    print(f"{what}, {n:,} nodes, {len(edges[0]):,} edges")
    print(f"    modularity {json.dumps({k: round(v, 4) for k, v in quality.items()})}")
    print(f"    agreement  {json.dumps({k: round(v, 3) for k, v in within.items()})} between seeds")
    print(f"               {between:.3f} between stores")


def planted(n: int, groups: int) -> Edges:
    """A graph of n nodes in groups: ten edges each, three in four of them within the group."""
    rng = np.random.default_rng(0)
    source = np.repeat(np.arange(n), 10)
    size = n // groups
    inside = source // size * size + rng.integers(0, size, len(source))
    target = np.where(rng.random(len(source)) < 0.75, inside, rng.integers(0, n, len(source)))
    return n, source, target, rng.random(len(source)) + 0.5


if __name__ == "__main__":
    sys.exit(main())
