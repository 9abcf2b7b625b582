"""Does a persona tell its holders from equally active others?

A bundle of what everybody does may come back on other people, and recur in them: then nothing more
is true of those who hold it than of those who do not, and there is nothing to say of it. (Of a
rare one this can be seen although too few people hold it for any number to be told.)
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gnn.tensors import Episodes, Ints
from kg.activity import STRATA, cut
from kg.personas.statistics import (
    LEAST_COMPARED,
    MIN_PEOPLE,
    effect,
    p_value,
    q_value,
    standardise,
)

LEAST_TESTED = 5
"""Holders in the half that tests; fewer can show nothing, although the test of so few is exact."""


def apart(
    episodes: Episodes, held: NDArray[np.bool_], most_q: float, out: tuple[str, ...] = ()
) -> NDArray[np.bool_]:
    """Whether holders of each persona have something more, or less, often than others of their
    stratum of activity: a topic, a verb or a channel, in the people the personas were not fitted
    on, by the tests that claims are made with.

    Shapes: held (users, k) -> (k,).

    Args:
        most_q: false discovery rate over all personas and subjects.
        out: manners that count for nothing.
    """
    people, stratum = _testing(episodes, held)
    if not len(people) or not held.shape[1]:
        return np.zeros(held.shape[1], bool)
    did = np.concatenate([_did(episodes, kind)[people] for kind in _kinds(episodes, out)], axis=1)
    boxes = [_boxes(held[people][stratum == s], did[stratum == s]) for s in range(STRATA)]
    n1, k1, n0, k0 = (np.stack(box, axis=-1) for box in zip(*boxes, strict=True))
    found = standardise(n1, k1, n0, k0)
    tested = (found.n1 >= LEAST_TESTED) & (found.n0 >= MIN_PEOPLE)
    tested &= (found.k1 + found.k0 >= MIN_PEOPLE) & (found.compared >= LEAST_COMPARED)
    q = np.ones(tested.shape)
    q[tested] = q_value(p_value(n1[tested], k1[tested], n0[tested], k0[tested]))
    return np.asarray(((q < most_q) & (effect(n1, k1, n0, k0) != 0)).any(1))


def busier(episodes: Episodes, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether most holders of each persona are more active than anybody to compare them with.

    Shapes: held (users, k) -> (k,).
    """
    people, stratum = _testing(episodes, held)
    n1 = np.stack([held[people][stratum == s].sum(0) for s in range(STRATA)], axis=-1)
    n0 = np.bincount(stratum, minlength=STRATA) - n1
    nothing = np.zeros_like(n1)
    return np.asarray(standardise(n1, nothing, n0, nothing).compared < LEAST_COMPARED)


def _testing(episodes: Episodes, held: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The people of the half that tests with anything, and the stratum of each. -> (n,) twice"""
    counts = np.bincount(episodes.user, minlength=len(episodes.user_ids))
    people = np.flatnonzero(~episodes.fit & (counts > 0))
    return people, _strata(episodes, held)[people]


def _strata(episodes: Episodes, held: NDArray[np.bool_]) -> Ints:
    """Everybody's stratum of activity, occasions for days and episodes for intents. -> (users,)"""
    width = len(episodes.user_ids)
    owner = episodes.user[np.unique(episodes.occasion, return_index=True)[1]]
    days, intents = np.bincount(owner, minlength=width), np.bincount(episodes.user, minlength=width)
    holders = held.any(1) & (days > 1)
    ends = cut(days[holders], intents[holders], np.ones(int(holders.sum()), np.int64))
    return ends.stratum(days, intents)


def _kinds(episodes: Episodes, out: tuple[str, ...]) -> list[Ints]:
    verb, topic = episodes.type_parts[episodes.type].T
    channel = [] if "channel" in out else [episodes.manner("channel").values]
    return [topic, verb, *channel]


def _did(episodes: Episodes, kind: Ints) -> NDArray[np.bool_]:
    """Who ever did which. Shapes: kind (n,) -> (users, kinds)."""
    shape = (len(episodes.user_ids), int(kind.max(initial=-1)) + 1)
    ones = np.ones(len(kind), np.int64)
    return np.asarray(csr_array((ones, (episodes.user, kind)), shape=shape).toarray() > 0)


def _boxes(held: NDArray[np.bool_], did: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints, Ints]:
    """Holders, those of them who did, others, those of them who did. -> four (k, kinds)"""
    holding, doing = held.astype(np.int64), did.astype(np.int64)
    k1 = holding.T @ doing
    n1 = np.broadcast_to(holding.sum(0)[:, None], k1.shape)
    return n1, k1, len(held) - n1, doing.sum(0) - k1
