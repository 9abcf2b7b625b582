"""Communities that many runs agree on: at which resolution, which of them, and which nodes.

Modularity at resolution 1 merges what is small, and a resolution that is too high tears apart what
is large; neither can be seen in one run. So the graph is looked at several times, with another seed
and a tenth of its edges left out, at several resolutions between 1 and the one that the planted
partition model would call most probable; the resolution taken is that at which the looks agree
most. What is together in all of them (consensus) is one community; how much of it comes back is its
stability. A community that looks dissolve is none; a node that most looks put elsewhere, or that
has no more edges into its community than the best of as many communities would get by chance,
belongs nowhere. So in a graph of noise there is nothing.

Source: Newman 2016, doi:10.1103/PhysRevE.94.052315 (resolution by likelihood); Lancichinetti and
Fortunato 2012, doi:10.1038/srep00336 (consensus); Tandon et al. 2019,
doi:10.1103/PhysRevE.99.042301 (on edges only); Hennig 2007, doi:10.1016/j.csda.2006.11.025
(stability, and from where on it may be trusted); Lancichinetti et al. 2011,
doi:10.1371/journal.pone.0018961 (whether a node belongs).
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gnn.communities import Leiden
from gnn.tensors import Floats, Ints

NOWHERE = -1
_STEPS_TO_FINEST = 3


@dataclass(frozen=True)
class ConsensusConfig:
    """How often a graph is looked at, and what counts as coming back.

    Attributes:
        resolutions: tried, from 1 to the most probable, at equal ratios.
        looks: at each of them, with some edges left out; at the one taken as many again, with all.
        left_out: share of the edges that a look does without.
        least_stability: a community whose mean Jaccard likeness to its likest of each run is not
            above it is dissolved.
        least_support: a node that is with its community in no larger share of the runs belongs
            nowhere.
        most_by_chance: nor does one whose edges into it are so probable by chance, the best of all
            communities being its own. (Planted, mixing .6: of true members .1 puts 5 to 12 % out,
            .25 1 to 3 %; of nodes joined with anyone it leaves a quarter in.)
    """

    resolutions: int = 5
    looks: int = 4
    left_out: float = 0.1
    least_stability: float = 0.6
    least_support: float = 0.5
    most_by_chance: float = 0.25


@dataclass(frozen=True)
class Consensus:
    """What the runs agree on.

    Attributes:
        labels: (n,) community of each node, numbered by first member; -1 nowhere.
        stability: (k,) mean Jaccard likeness of each community to its likest of each run, 0 to 1.
        resolution: the one taken.
        agreement: between looks there, the mean adjusted Rand index of two.
        runs: how often the algorithm was called.
    """

    labels: Ints
    stability: Floats
    resolution: float
    agreement: float
    runs: int


@dataclass(frozen=True)
class _Looks:
    """A graph with its edges in canonical form, and what looks at it; counts the runs."""

    n: int
    source: Ints
    target: Ints
    weight: Floats
    leiden: Leiden
    seed: int

    def all(self, weight: Floats, resolution: float, number: int) -> Ints:
        """One run over all edges, weighted anew."""
        seed = self.seed + number
        kept = weight > 0
        edges = (self.source[kept], self.target[kept], weight[kept])
        return np.asarray(self.leiden(self.n, *edges, resolution, seed), np.int64)

    def some(self, left_out: float, resolution: float, number: int) -> Ints:
        """One run without some of the edges."""
        rng = np.random.default_rng((self.seed, number))
        kept = rng.random(len(self.weight)) >= left_out
        edges = (self.source[kept], self.target[kept], self.weight[kept])
        return np.asarray(self.leiden(self.n, *edges, resolution, self.seed + number), np.int64)


def consensus(
    n: int,
    edges: tuple[Ints, Ints, Floats],
    leiden: Leiden,
    config: ConsensusConfig | None = None,
    seed: int = 0,
) -> Consensus:
    """Communities of an undirected weighted graph that come back from run to run.

    The order of the edges does not matter; the same seed gives the same answer.

    Args:
        edges: source, target, weight.
        leiden: the store's own algorithm.

    Shapes: edges three (m,), ends in [0, n), weight > 0.
    """
    from kg.store.communities import canonical_edges

    config = config or ConsensusConfig()
    graph = _Looks(n, *canonical_edges(*edges), leiden, seed)
    if not len(graph.source):
        return Consensus(np.full(n, NOWHERE), np.zeros(0), 1.0, 1.0, 0)
    tried = _resolutions(graph, config.resolutions)
    best, agreement, taken = -np.inf, 0.0, tried[0]
    runs: list[Ints] = []
    for resolution in tried:
        looks = [graph.some(config.left_out, resolution, look) for look in range(config.looks)]
        agreement = _agreement(looks)
        if agreement > best:
            best, taken, runs = agreement, resolution, looks
    runs += [graph.all(graph.weight, taken, look) for look in range(config.looks)]
    together = np.mean([run[graph.source] == run[graph.target] for run in runs], axis=0)
    found = graph.all(graph.weight * together, taken, 0)
    labels, stability = _that_come_back(found, runs, by_chance(found, graph), config)
    count = _STEPS_TO_FINEST + config.looks * (len(tried) + 1) + 1
    return Consensus(labels, stability, taken, best, count)


def _resolutions(graph: _Looks, count: int) -> list[float]:
    """From 1 to what the planted partition model calls most probable, found from its own answer."""
    finest = 1.0
    for step in range(_STEPS_TO_FINEST):
        finest = likeliest_resolution(graph.all(graph.weight, finest, step), graph)
    return [float(one) for one in np.geomspace(1.0, finest, count)]


def likeliest_resolution(labels: Ints, graph: _Looks) -> float:
    """The resolution at which modularity is the likelihood of the planted partition model.

    At least 1; `labels` say how much more often than by degree edges are within and between.

    Source: Newman 2016, equation 16.
    """
    source, target, weight = graph.source, graph.target, graph.weight
    degree = np.bincount(source, weight, graph.n) + np.bincount(target, weight, graph.n)
    total = float(degree.sum())
    within = 2 * float(weight[labels[source] == labels[target]].sum())
    expected = float((np.bincount(labels, degree) ** 2).sum()) / total
    if expected >= total or within <= expected:
        return 1.0
    # Where nothing is between, half an edge is supposed.
    between = max(total - within, float(weight.mean())) / (total - expected)
    inside = within / expected
    return max((inside - between) / float(np.log(inside / between)), 1.0)


def _agreement(looks: list[Ints]) -> float:
    """The mean adjusted Rand index of two. Source: Hubert and Arabie 1985."""
    from sklearn.metrics import adjusted_rand_score

    return float(np.mean([adjusted_rand_score(*pair) for pair in combinations(looks, 2)]))


def by_chance(labels: Ints, graph: _Looks) -> Floats:
    """How probable it is that the best of all communities has so many of a node's edges by chance.

    An edge ends in a community with the share of all ends that lie in it.

    Shapes: labels (n,) -> (n,), 1 where a node has no edge inside.
    """
    from scipy.stats import binom

    source, target = graph.source, graph.target
    ends = np.concatenate([source, target])
    degree = np.bincount(ends, minlength=graph.n)
    here = labels[source] == labels[target]
    inside = np.bincount(np.concatenate([source[here], target[here]]), minlength=graph.n)
    others = np.bincount(labels, degree)[labels] - degree
    share = others / np.maximum(len(ends) - degree, 1)
    return np.asarray(-np.expm1(len(np.unique(labels)) * binom.logcdf(inside - 1, degree, share)))


def _that_come_back(
    found: Ints, runs: list[Ints], chance: Floats, config: ConsensusConfig
) -> tuple[Ints, Floats]:
    """Communities that runs do not dissolve, with the nodes that belong there; and stability."""
    from kg.store.communities import numbered_by_first_member

    _, place, size = np.unique(found, return_inverse=True, return_counts=True)
    stability, support = np.zeros(len(size)), np.zeros(len(found))
    for run in runs:
        likest, jaccard = _likest(place, run, size)
        stability += jaccard / len(runs)
        support += (run == likest[place]) / len(runs)
    stays = (stability > config.least_stability)[place] & (support > config.least_support)
    stays &= chance < config.most_by_chance
    stays &= (np.bincount(place[stays], minlength=len(size)) > 1)[place]
    labels = np.full(len(found), NOWHERE)
    labels[stays] = numbered_by_first_member(place[stays])
    kept, first = np.unique(labels[stays], return_index=True)
    return labels, stability[place[stays][first]] if len(kept) else np.zeros(0)


def _likest(place: Ints, run: Ints, size: Ints) -> tuple[Ints, Floats]:
    """For each community the one of a run that is likest it, by Jaccard, and how like it is.

    Shapes: place, run (n,), size (k,) -> (k,), (k,).
    """
    width = int(run.max()) + 1
    cell, shared = np.unique(place * width + run, return_counts=True)
    mine, theirs = cell // width, cell % width
    jaccard = shared / (size[mine] + np.bincount(run)[theirs] - shared)
    best = np.lexsort((theirs, -jaccard, mine))
    best = best[np.unique(mine[best], return_index=True)[1]]
    return theirs[best], jaccard[best]
