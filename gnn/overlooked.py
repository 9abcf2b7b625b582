"""What personas leave unexplained: types that more people have together than their personas say.

A persona of one person in fifty is too small to be proposed by the company that episodes keep: its
types are popular with others too, and each half of the fitted people has too few of it. But once
the large personas are known, how many people should have two types both, on different occasions, is
known as well; where far more have, types of one aim stand together. This only proposes. What is
proposed must come back on both halves of the people and pass the tests on the others, like any
persona.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn.communities import Leiden
from gnn.memberships import Soft
from gnn.tensors import Episodes, Ints

Table = NDArray[np.float32]


@dataclass(frozen=True)
class OverlookedConfig:
    """What counts as unexplained.

    Attributes:
        least_z: of a pair of types, how many standard deviations above what is expected.
        least_people: who have both.
        least_types: of a group.
        least_extra: how many standard deviations more of a group than expected somebody has who is
            taken to hold it. What else they did is as probably part of it as not. (Tried: the
            group's types only. Of 31 holders 19 were found, and of what they did half.)
        most_groups: the most unexplained ones are proposed.
        most_types: the commonest types are looked at.
    """

    least_z: float = 3.0
    least_people: int = 4
    least_types: int = 3
    least_extra: float = 2.0
    most_groups: int = 3
    most_types: int = 1_500


def overlooked(
    episodes: Episodes,
    rows: Ints,
    soft: Soft,
    settings: tuple[OverlookedConfig, Leiden, int],
) -> Soft:
    """Guesses of what could be a persona beside those found, the most unexplained first.

    Args:
        rows: of people to look at.
        soft: their posterior by what was found.
        settings: with the algorithm of the store, and the seed.

    Shapes: rows (n,), soft (n, k + 1) -> (n, groups), probabilities.
    """
    config, leiden, seed = settings
    person = np.unique(episodes.user[rows], return_inverse=True)[1].reshape(-1)
    common = np.argsort(-np.bincount(episodes.type[rows]), kind="stable")[: config.most_types]
    types = np.sort(common)
    known = np.isin(episodes.type[rows], types)
    type_ = np.searchsorted(types, episodes.type[rows][known])
    seen = (person[known], type_)
    surplus, variance = _unexplained(
        seen, soft[known], (int(person.max(initial=-1)) + 1, len(types))
    )
    pairs = surplus.T @ surplus - _in_one_sitting(seen, episodes.occasion[rows][known], len(types))
    z = pairs / np.sqrt(np.maximum(variance.T @ variance, 0.05))
    having = (surplus > 0).astype(np.float32)
    topic = episodes.type_parts[types, 1]
    z[(topic[:, None] == topic) | (having.T @ having < config.least_people)] = 0
    source, target = np.nonzero(np.triu(z, 1) >= config.least_z)
    if not len(source):
        return np.zeros((len(rows), 0))
    weight = z[source, target].astype(float)
    group = leiden(len(types), source, target, weight, 1.0, seed)
    inside = group[source] == group[target]
    worth = np.bincount(group[source[inside]], weight[inside], int(group.max()) + 1)
    enough = np.bincount(group, minlength=len(worth)) >= config.least_types
    best = np.argsort(-worth * enough, kind="stable")[: config.most_groups]
    best = best[(worth * enough)[best] > 0]
    added = np.zeros((len(rows), len(best)))
    for number, one in enumerate(best):
        mine = group == one
        extra = surplus[:, mine].sum(1) / np.sqrt(variance[:, mine].sum(1) + 0.05)
        holds = (extra >= config.least_extra) & (having[:, mine].sum(1) >= 2)
        added[holds[person], number] = 0.5
        added[np.flatnonzero(known)[mine[type_] & holds[seen[0]]], number] = 0.9
    return added


def _unexplained(
    seen: tuple[Ints, Ints], soft: Soft, shape: tuple[int, int]
) -> tuple[Table, Table]:
    """Who has which type beyond expectation, and its variance. -> (people, types) twice

    How often somebody does a type is Poisson by their weights and the personas' types.
    """
    person, type_ = seen
    weight = np.zeros((shape[0], soft.shape[1]), np.float32)
    np.add.at(weight, person, soft)
    share = np.zeros((shape[1], soft.shape[1]), np.float32)
    np.add.at(share, type_, soft)
    expected = -np.expm1(-weight @ (share / np.maximum(share.sum(0), 1e-9)).T)
    ones = np.ones(len(person), np.float32)
    has = csr_array((ones, seen), shape=shape).toarray() > 0
    return (has - expected).astype(np.float32), (expected * (1 - expected)).astype(np.float32)


def _in_one_sitting(seen: tuple[Ints, Ints], occasion: Ints, types: int) -> NDArray[np.float64]:
    """How many people have both types of a pair on one same occasion only. -> (types, types)"""
    cell = seen[0] * types + seen[1]
    once = np.unique(np.stack([cell, occasion]), axis=1)
    _, first, count = np.unique(once[0], return_index=True, return_counts=True)
    cell, occasion = once[:, first[count == 1]]
    place = np.unique(occasion, return_inverse=True)[1].reshape(-1)
    shape = (int(place.max(initial=-1)) + 1, types)
    table = csr_array((np.ones(len(cell)), (place, cell % types)), shape=shape)
    return np.asarray((table.T @ table).toarray())
