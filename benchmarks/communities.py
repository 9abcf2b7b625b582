"""Communities against planted ones (LFR), and their cost, beside what one would take first.

    python benchmarks/communities.py                     # both planted figures, seeds 1 to 10
    python benchmarks/communities.py --edges 5000000     # cost on one large graph

One JSON line per graph and method, then means. `ours` is `gnn.consensus`, the same settings for
every graph; `leiden` the native library at resolution 1 as the embedded store calls it;
`graspologic` the same library as others call it (nodes have names, one iteration); `plm` is
NetworKit's Louvain. What belongs nowhere counts as alone in both indices. `ratio` is seconds over
those of one call of the native library on a matrix that is ready (the same iterations, resolution
1), and for ours over as many calls as there were runs. `disconnected` counts communities in pieces.

Graphs come from NetworKit's generator (networkx's gives a mixing of .7 when asked for .5), so this
needs the extra `benchmarks`; the measured mixing is printed. Nothing was tuned on seeds below 100.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import graspologic_native
import networkit
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from gnn.communities import native_leiden
from gnn.consensus import consensus
from gnn.tensors import Floats, Ints

MEAN_DEGREE, MOST_DEGREE = 20, 50
ITERATIONS = 10
MOST_FOR_AMI = 20_000


@dataclass(frozen=True)
class Kind:
    """What to plant: nodes, sizes of communities, mixing."""

    nodes: int
    sizes: tuple[int, int]
    mixing: float


@dataclass(frozen=True)
class Graph:
    """A planted graph: each edge once, sorted, and the community of each node."""

    n: int
    source: Ints
    target: Ints
    truth: Ints

    @property
    def weight(self) -> Floats:
        """All edges count alike."""
        return np.ones(len(self.source))


KINDS = (Kind(5000, (10, 50), 0.3), Kind(1000, (20, 100), 0.6))


def main() -> None:
    """Measure every graph asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=list(range(1, 11)))
    parser.add_argument("--edges", type=int, help="one graph with about so many, seed 1")
    arguments = parser.parse_args()
    if arguments.edges:
        kind = Kind(2 * arguments.edges // MEAN_DEGREE, (20, 100), 0.3)
        for line in measured(planted(kind, 1)):
            print(json.dumps({"nodes": kind.nodes, "mixing": kind.mixing} | line), flush=True)
        return
    for kind in KINDS:
        about = {"nodes": kind.nodes, "sizes": kind.sizes, "mixing": kind.mixing}
        lines = []
        for seed in arguments.seed:
            for line in measured(planted(kind, seed)):
                lines.append(line)
                print(json.dumps(about | {"seed": seed} | line), flush=True)
        for method in METHODS:
            mine = [line for line in lines if line["method"] == method]
            print(json.dumps(about | {"seeds": len(arguments.seed)} | summed_up(mine)), flush=True)


def summed_up(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean of every figure, and the spread and the least of the indices."""
    made: dict[str, Any] = {"method": lines[0]["method"]}
    for name in ("ari", "ami", "communities", "planted", "nowhere", "seconds", "ratio"):
        made[name] = round(float(np.mean([line[name] for line in lines])), 4)
    for name in ("ari", "ami"):
        found = [line[name] for line in lines]
        made |= {f"{name}_sd": round(float(np.std(found)), 4), f"{name}_least": min(found)}
    return made


def planted(kind: Kind, seed: int) -> Graph:
    """One graph of the LFR benchmark. Source: Lancichinetti et al. 2008, arXiv:0805.4770."""
    networkit.setSeed(seed, False)
    generator = networkit.generators.LFRGenerator(kind.nodes)
    generator.generatePowerlawDegreeSequence(MEAN_DEGREE, MOST_DEGREE, -2)
    generator.generatePowerlawCommunitySizeSequence(*kind.sizes, -1)
    generator.setMu(kind.mixing)
    graph = generator.generate()
    flat = chain.from_iterable(graph.iterEdges())
    ends = np.fromiter(flat, np.int64, 2 * graph.numberOfEdges()).reshape(-1, 2)
    ends.sort(axis=1)
    source, target = ends[np.lexsort((ends[:, 1], ends[:, 0]))].T
    return Graph(kind.nodes, source, target, np.array(generator.getPartition().getVector()))


def measured(graph: Graph) -> Iterator[dict[str, Any]]:
    """What every method finds, how near it is to what was planted, and what it costs."""
    single = single_call(graph)
    mixing = float((graph.truth[graph.source] != graph.truth[graph.target]).mean())
    for name, method in METHODS.items():
        started = time.perf_counter()
        labels, about = method(graph)
        seconds = time.perf_counter() - started
        yield {
            "method": name,
            "edges": len(graph.source),
            "mixing_measured": round(mixing, 3),
            **likeness(graph.truth, labels),
            "planted": len(np.unique(graph.truth)),
            "disconnected": disconnected(graph, labels),
            "seconds": round(seconds, 3),
            "single_call_s": round(single, 3),
            "ratio": round(seconds / single / about.get("runs", 1), 3),
            **about,
        }


def single_call(graph: Graph) -> float:
    """Seconds of the native library alone, its matrix being ready."""
    half = coo_array((graph.weight, (graph.source, graph.target)), shape=(graph.n, graph.n))
    matrix = (half + half.T).tocsr()
    matrix.sort_indices()
    arrays = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data
    started = time.perf_counter()
    graspologic_native.leiden_csr(*arrays, graph.n, iterations=ITERATIONS, seed=0)
    return time.perf_counter() - started


def likeness(truth: Ints, labels: Ints) -> dict[str, Any]:
    """Both indices, and how much was found."""
    nowhere = labels < 0
    alone = np.where(nowhere, labels.max(initial=0) + 1 + np.arange(len(labels)), labels)
    ami = adjusted_mutual_info_score if len(labels) <= MOST_FOR_AMI else None
    return {
        "ari": round(float(adjusted_rand_score(truth, alone)), 4),
        "ami": round(float(ami(truth, alone)), 4) if ami else None,
        "communities": len(np.unique(labels[~nowhere])),
        "nowhere": int(nowhere.sum()),
    }


def disconnected(graph: Graph, labels: Ints) -> int:
    """How many communities fall into pieces when only their own edges are left."""
    inside = (labels[graph.source] == labels[graph.target]) & (labels[graph.source] >= 0)
    ends = (graph.source[inside], graph.target[inside])
    edges = coo_array((np.ones(len(ends[0])), ends), shape=(graph.n, graph.n))
    piece = connected_components(edges, directed=False)[1]
    there = labels >= 0
    pairs = np.unique(np.stack([labels[there], piece[there]]), axis=1)
    return int((np.bincount(pairs[0]) > 1).sum()) if pairs.size else 0


def ours(graph: Graph) -> tuple[Ints, dict[str, Any]]:
    """Consensus over looks at the resolution on which they agree."""
    found = consensus(graph.n, (graph.source, graph.target, graph.weight), native_leiden)
    about = {
        "runs": found.runs,
        "resolution": round(found.resolution, 2),
        "agreement": round(found.agreement, 3),
        "least_stability": round(float(found.stability.min(initial=1)), 3),
    }
    return found.labels, about


def leiden(graph: Graph) -> tuple[Ints, dict[str, Any]]:
    """One run at resolution 1, as the embedded store does it."""
    return native_leiden(graph.n, graph.source, graph.target, graph.weight, 1.0, 0), {}


def graspologic(graph: Graph) -> tuple[Ints, dict[str, Any]]:
    """The library as it is called by others: names for nodes, its own settings."""
    names = graph.source.astype(str).tolist(), graph.target.astype(str).tolist()
    edges = list(zip(*names, graph.weight.tolist(), strict=True))
    _, found = graspologic_native.leiden(edges, seed=0)
    labels = np.arange(graph.n, 2 * graph.n)
    labels[np.array(list(found), np.int64)] = list(found.values())
    return labels, {}


def plm(graph: Graph) -> tuple[Ints, dict[str, Any]]:
    """NetworKit's parallel Louvain; the seconds are those of the algorithm and of its graph."""
    made = networkit.GraphFromCoo((graph.weight, (graph.source, graph.target)), n=graph.n)
    method = networkit.community.PLM(made, refine=True)
    method.run()
    return np.array(method.getPartition().getVector()), {}


METHODS: dict[str, Callable[[Graph], tuple[Ints, dict[str, Any]]]] = {
    "ours": ours,
    "leiden": leiden,
    "graspologic": graspologic,
    "plm": plm,
}


if __name__ == "__main__":
    main()
