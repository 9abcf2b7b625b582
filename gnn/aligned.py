"""Each person's own groups of what they do, aligned across people: the hierarchical way.

First every person's kinds of episodes are joined by average linkage, as long as those in a group
are about as likely to be done by one and the same person; then the centres of everybody's groups
are laid beside each other, and what lies near is one proposal. The global way (`proposals`) groups
everyone's episodes at once, and a person's groups are what comes of it.

Source: Sokal and Michener 1958 (average linkage); Murtagh 1983, doi:10.1093/comjnl/26.4.354
(reciprocal nearest neighbours, here of all people at once).
"""

import numpy as np

from gnn.encoder import Floats32, Nodes, co_occurrence
from gnn.tensors import Floats, Ints


def own_groups(nodes: Nodes, size: int, least_likeness: float) -> tuple[Ints, Floats32]:
    """Groups of each person's nodes, and the centre of each.

    Args:
        size: of the vectors of kinds, from how often the same people have both.
        least_likeness: two groups are joined when the mean cosine between them is at least this.

    Shapes: m nodes -> (m,) group of each, numbered person by person; (groups, d) unit length.
    """
    kinds = _unit(co_occurrence(nodes, size))
    vectors = kinds[nodes.kind]
    person = np.repeat(np.arange(len(nodes.start) - 1), np.diff(nodes.start))
    group = np.arange(len(nodes))
    total, count = vectors.astype(np.float64), np.ones(len(nodes))
    while True:
        first, second = _to_join(person, total / count[:, None], least_likeness)
        if not len(first):
            break
        into = np.arange(len(person))
        into[second] = first
        kept, place = np.unique(into, return_inverse=True)
        total[first] += total[second]
        count[first] += count[second]
        person, total, count, group = person[kept], total[kept], count[kept], place[group]
    weighed = vectors * np.sqrt(nodes.weight)[:, None]
    centre = np.zeros((len(person), vectors.shape[1]), np.float32)
    np.add.at(centre, group, weighed)
    return group, _unit(centre)


def _to_join(person: Ints, mean: Floats, least: float) -> tuple[Ints, Ints]:
    """Groups of one person that are each the other's likest, and like enough.

    The mean cosine between two groups is the product of their mean vectors, so that all of an
    average linkage's joins that do not depend on each other are made at once.

    Shapes: person (g,) sorted, mean (g, d) -> two (joins,), the first the smaller.
    """
    first, second = _pairs(person)
    like = np.einsum("pd,pd->p", mean[first], mean[second])
    ends, others = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.lexsort((others, -np.concatenate([like, like]), ends))
    there, place = np.unique(ends[order], return_index=True)
    likest = np.full(len(person), -1)
    likest[there] = others[order[place]]
    joined = (likest[first] == second) & (likest[second] == first) & (like >= least)
    return first[joined], second[joined]


def _pairs(person: Ints) -> tuple[Ints, Ints]:
    """All pairs within a person, the smaller place first. Shapes: (g,) sorted -> two (pairs,)."""
    count = len(person)
    after = np.searchsorted(person, person, side="right") - np.arange(count) - 1
    first = np.repeat(np.arange(count), after)
    step = np.arange(len(first)) - np.repeat(np.cumsum(after) - after, after)
    return first, first + 1 + step


def _unit(rows: Floats32) -> Floats32:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-9), np.float32)
