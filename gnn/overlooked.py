"""What personas leave unexplained, proposed in two ways.

What is proposed must come back, and pass the tests on the other people, like any persona.

`seen`: a group that a way saw in a half of the people, in several halvings. A persona of one person
in fifty has too few people for every half to see it, so that it does not come back; but again and
again one half does.

`unexplained`: types that more people have together than their personas say. What is popular with
others, too, is proposed by no company that episodes keep; but once the large personas are known,
how many people should have two types both, on different occasions, is known as well. Where far more
have, types of one aim stand together.

(Of eight planted worlds with such a persona `unexplained` alone missed it in two, `seen` alone in
one.)
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn.communities import Leiden
from gnn.memberships import Soft
from gnn.returning import correlations
from gnn.tensors import Episodes, Ints

Table = NDArray[np.float32]


@dataclass(frozen=True)
class OverlookedConfig:
    """What counts as unexplained.

    Attributes:
        least_halvings: in which a group is seen; once is luck.
        least_alike: a correlation, over people, of their weights in two groups that are one.
        least_z: of a pair of types, how many standard deviations above what is expected.
        least_people: who have both.
        least_types: of a group.
        least_extra: how many standard deviations more of a group than expected somebody has who is
            taken to hold it. What else they did is as probably part of it as not. (Tried: the
            group's types only. Of 31 holders 19 were found, and of what they did half.)
        most_groups: the most unexplained ones are proposed, in either way.
        most_types: the commonest types are looked at.
    """

    least_halvings: int = 2
    least_alike: float = 0.7
    least_z: float = 3.0
    least_people: int = 4
    least_types: int = 3
    least_extra: float = 2.0
    most_groups: int = 3
    most_types: int = 1_500


def seen(
    user: Ints, said: Iterable[tuple[int, Soft]], named: Soft, config: OverlookedConfig
) -> Soft:
    """Guesses of what could be a persona beside those found, what most halvings saw first.

    Args:
        user: whose each episode is.
        said: which halving, and what the rule of a half of the people says of these episodes.
        named: what the personas found say of them.

    Shapes: user (n,), said (n, l + 1) each, named (n, k + 1) -> (n, groups), probabilities.
    """
    left, when = [np.zeros((len(user), 0))], [np.zeros(0, np.int64)]
    for halving, soft in said:
        groups = soft[:, 1:]
        left.append(groups[:, named[:, 0] @ groups > groups.sum(0) / 2])
        when.append(np.full(left[-1].shape[1], halving))
    every, halving_of = np.concatenate(left, 1), np.concatenate(when)
    alike = correlations(user, every, every) >= config.least_alike
    free, found = np.ones(len(halving_of), bool), [every[:, :0]]
    for _ in range(config.most_groups):
        halvings = free * [len(np.unique(halving_of[row & free])) for row in alike]
        if halvings.max(initial=0) < config.least_halvings:
            break
        best = int(halvings.argmax())
        found.append(every[:, alike[best] & free].mean(1, keepdims=True))
        free &= ~alike[best]
    return np.concatenate(found, 1)


def unexplained(
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
