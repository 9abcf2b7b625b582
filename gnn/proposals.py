"""What some people's episodes propose as personas: communities, aligned groups, additive parts.

A vector joins an episode's content with the company it keeps: what else the same person is after;
near vectors are joined, and communities are found at several resolutions. Aligned groups are each
person's own, laid beside those of others (`aligned`, `consensus`). Parts are those of which
people's histories are sums. Communities find what is small or lives in between, parts find what is
there when people are few; which of all proposals is taken, others decide. Nothing here looks at
anyone but the people it is given, so that two halves of the people propose independently.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from gnn.aligned import own_groups
from gnn.communities import Graph, Leiden, large
from gnn.consensus import consensus
from gnn.encoder import EncoderConfig, Nodes
from gnn.neighbours import mutual_neighbours, nearest
from gnn.tensors import Episodes, Floats, Ints, Manner
from gnn.training import Work, encode

Vectors = NDArray[np.float32]
Encode = Callable[[Nodes, EncoderConfig, int, Work], Vectors]

COMMUNITIES, USERS, PARTS = "communities", "users", "parts"
MOST_MANNERS = 3
"""More, and their tables outweigh what people are after."""


@dataclass(frozen=True)
class ProposalConfig:
    """How personas are proposed.

    Attributes:
        resolutions: of the communities, the broadest first; none: no vectors are made.
        parts: how many parts, one proposal each.
        users: whether people's own groups propose, laid beside each other.
        least_likeness: within one of a person's own groups, a mean cosine.
        most_vectors: vectors that neighbours are sought among; others join the nearest of these.
        neighbours: of each vector.
        least_share: a community with a smaller share of the episodes proposes nothing.
        encode: how nodes get their vectors (`benchmarks/ablation.py` compares others).
    """

    resolutions: tuple[float, ...] = (0.1, 0.15, 0.2, 0.3, 0.5)
    parts: tuple[int, ...] = (3, 4, 5, 6, 7, 8, 10, 12)
    users: bool = False
    most_vectors: int = 24_000
    neighbours: int = 30
    least_share: float = 0.01
    least_likeness: float = 0.25
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    encode: Encode = encode


@dataclass(frozen=True)
class Way:
    """A way to group episodes.

    Attributes:
        by: `communities`, `users` (groups of each person, aligned) or `parts`.
        size: the resolution, or how many parts; of users 0, they find their own.
    """

    by: str
    size: float


def ways(config: ProposalConfig) -> list[Way]:
    """All ways that are tried, in a fixed order."""
    return [
        *(Way(COMMUNITIES, resolution) for resolution in config.resolutions),
        *([Way(USERS, 0)] if config.users else []),
        *(Way(PARTS, count) for count in config.parts),
    ]


class Proposer:
    """Groups some people's episodes in any of several ways; what these share is made once.

    Args:
        rows: whose.
        manners: that go with people's company, the most telling first.
        settings: with the algorithm of the store and the seed.

    Shapes: rows (n,).
    """

    def __init__(
        self,
        episodes: Episodes,
        rows: Ints,
        manners: tuple[Manner, ...],
        settings: tuple[ProposalConfig, Leiden, int],
    ) -> None:
        self._config, self._leiden, self._seed = settings
        self._seen = episodes, rows, manners
        self._graph: Graph | None = None

    @property
    def has_read(self) -> bool:
        """Whether there are vectors, which communities need."""
        return self._graph is not None

    def read(self, work: Work) -> None:
        """Make the vectors and the graph of near ones."""
        config = self._config
        self._graph = _graph(
            config.encode(self._nodes[0], config.encoder, self._seed, work), config
        )

    def groups(self, way: Way) -> Ints:
        """The group of each row, -1 none; `read` comes before communities. Shapes: -> (n,)."""
        if way.by == PARTS:
            return _parts(*self._history, int(way.size), self._seed)
        least = self._config.least_share
        _, node_of_row = self._nodes
        if way.by == USERS:
            return large(self._aligned()[node_of_row], least)
        graph = self._graph
        if graph is None:
            raise RuntimeError("communities need vectors: read() comes first")
        edges = (graph.source, graph.target, graph.weight)
        labels = np.asarray(self._leiden(graph.n, *edges, way.size, self._seed), np.int64)
        return large(labels[graph.nearest][node_of_row], least)

    @cached_property
    def _nodes(self) -> tuple[Nodes, Ints]:
        episodes, rows, manners = self._seen
        return _nodes(episodes, rows, manners[:1])

    @cached_property
    def _history(self) -> tuple[Any, list[tuple[Ints, Ints]]]:
        episodes, rows, manners = self._seen
        return _histories(episodes, rows, manners[:MOST_MANNERS])

    def _aligned(self) -> Ints:
        """People's own groups, and which of them many runs put together, of each node.

        Here the consensus finds the resolution. (In the graph of the encoder's vectors it does not:
        what agrees most there is what is finest, the kinds of episodes.)
        """
        config, nodes = self._config, self._nodes[0]
        group, centres = own_groups(nodes, config.encoder.size, config.least_likeness)
        graph = _graph(centres, config)
        edges = (graph.source, graph.target, graph.weight)
        found = consensus(graph.n, edges, self._leiden, seed=self._seed)
        return np.asarray(found.labels[graph.nearest][group], np.int64)


def _histories(
    episodes: Episodes, rows: Ints, manners: tuple[Manner, ...]
) -> tuple[Any, list[tuple[Ints, Ints]]]:
    """(people, kinds) roots of counts, the kinds of every manner side by side; and each row's
    place in it, once per manner."""
    from scipy.sparse import csr_array

    person = np.unique(episodes.user[rows], return_inverse=True)[1].reshape(-1)
    cells, width = [], 0
    for split in [manners[n : n + 1] for n in range(max(len(manners), 1))]:
        kinds, kind, _ = kinds_of(episodes, rows, split)
        cells.append((person, width + kind))
        width += len(kinds)
    places = [np.concatenate(parts) for parts in zip(*cells, strict=True)]
    ones = np.ones(len(places[0]))
    table = csr_array((ones, places), shape=(int(person.max(initial=-1)) + 1, width))
    table.sum_duplicates()
    return table.sqrt(), cells


def _parts(table: Any, cells: list[tuple[Ints, Ints]], count: int, seed: int) -> Ints:
    """The part that each row most probably belongs to, its person's and its kinds' shares given.

    Source: Lee and Seung 1999, doi:10.1038/44565 (non-negative matrix factorisation).
    """
    from sklearn.decomposition import NMF

    count = min(count, *table.shape)
    model = NMF(count, init="nndsvda", max_iter=150, tol=1e-3, random_state=seed)
    # A first guess need not have converged, and of people who all do the same the error that is
    # left comes out a hair below zero.
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        weight = model.fit_transform(table)
    size = np.maximum(model.components_.sum(1), 1e-9)
    share = np.log(model.components_ / size[:, None] + 1e-9).T
    score = np.log(weight * size + 1e-9)[cells[0][0]]
    for _, kind in cells:
        score += share[kind] / len(cells)
    return np.asarray(score.argmax(1), np.int64)


def _nodes(episodes: Episodes, rows: Ints, split: tuple[Manner, ...]) -> tuple[Nodes, Ints]:
    """The nodes of the encoder, each person's distinct kinds; and the node of each row."""
    kinds, kind, bins = kinds_of(episodes, rows, split)
    user = np.unique(episodes.user[rows], return_inverse=True)[1].reshape(-1)
    pair, first, node_of_row, count = np.unique(
        user * len(kinds) + kind, return_index=True, return_inverse=True, return_counts=True
    )
    verb, topic = episodes.type_parts[kinds // bins].T
    what = ((verb, len(episodes.verbs)), (topic, len(episodes.topics)), (kinds % bins, bins))
    features = [np.eye(count)[which] for which, count in what]
    person = pair // len(kinds)
    nodes = Nodes(
        pair % len(kinds),
        count.astype(np.float32),
        episodes.occasion[rows][first],
        np.searchsorted(person, np.arange(int(person.max(initial=-1)) + 2)),
        np.hstack(features).astype(np.float32),
    )
    return nodes, node_of_row.reshape(-1)


def kinds_of(episodes: Episodes, rows: Ints, split: tuple[Manner, ...]) -> tuple[Ints, Ints, int]:
    """Types told apart by a manner: the distinct ones (type * bins + bin), each row's, and bins."""
    bins = len(split[0].bins) if split else 1
    value = split[0].values[rows] if split else np.zeros(len(rows), np.int64)
    kinds, kind = np.unique(episodes.type[rows] * bins + value, return_inverse=True)
    return kinds, kind.reshape(-1), bins


def _graph(vectors: Vectors, config: ProposalConfig) -> Graph:
    count = len(vectors)
    chosen = np.unique(np.linspace(0, count - 1, min(count, config.most_vectors)).astype(np.int64))
    edges: tuple[Ints, Ints, Floats] = mutual_neighbours(vectors[chosen], config.neighbours)
    everyone = len(chosen) == count
    place = np.arange(count) if everyone else nearest(vectors[chosen], vectors, 1).reshape(-1)
    return Graph(len(chosen), *edges, place)
