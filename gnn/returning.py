"""Do personas come back on other people? Two rules, fitted on disjoint people, must agree on whom.

A persona comes back when both rules give the same people much of it: their weights correlate. A
single episode is a poor witness (many could come out of two personas, and a rule that is slightly
other then says otherwise of them); what a person is after, all in all, is a good one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Episodes, Ints

MOST_COUNTED = 30
"""Somebody with more episodes counts no more than one with so many."""


@dataclass(frozen=True)
class Return:
    """How the personas of one rule came back in another.

    Attributes:
        correlation: for each persona of the first rule, of people's weights in it and in its
            partner of the second (-1: it has none).
        information: nats that one rule's answer (persona, or none) says about the other's, beyond
            what the topic says already, when only those that come back are kept. Personas that are
            the catalogue over again come back as well, and say nothing.

    Shapes: correlation (k,).
    """

    correlation: NDArray[np.float64]
    information: float

    def back(self, least: float) -> Ints:
        """Which personas of the first rule come back."""
        return np.flatnonzero(self.correlation >= least)


def compare(episodes: Episodes, rows: Ints, soft: tuple[Any, Any], least: float) -> Return:
    """Compare what two rules say of the same episodes; partners are those that agree most.

    Args:
        soft: the posteriors by both rules, column 0 no persona.
        least: the correlation from which on a persona has come back.

    Shapes: rows (n,), soft (n, k + 1) and (n, l + 1).
    Source: Kuhn 1955 (assignment); Wyner 1978 (conditional mutual information).
    """
    from scipy.optimize import linear_sum_assignment

    together = correlations(episodes.user[rows], *(one[:, 1:] for one in soft))
    mine, theirs = linear_sum_assignment(-together)
    correlation = np.full(len(together), -1.0)
    correlation[mine] = together[mine, theirs]
    kept = together[mine, theirs] >= least
    number = np.arange(1, int(kept.sum()) + 1)
    labels = []
    for answer, place in zip(soft, (mine[kept], theirs[kept]), strict=True):
        name = np.zeros(answer.shape[1], np.int64)
        name[place + 1] = number
        labels.append(name[answer.argmax(1)])
    topics = episodes.type_parts[episodes.type[rows], 1]
    return Return(correlation, beyond_topics(labels[0], labels[1], topics))


def returned(user: Ints, whole: Any, halves: tuple[Any, Any]) -> NDArray[np.float64]:
    """How each persona of a rule fitted on everybody comes back in rules of two halves.

    The least of three correlations over people: its partner in each half with it, and these with
    each other, which alone rest on nobody in common; -1 where a half has no partner for it.

    Shapes: user (n,), posteriors (n, k + 1), (n, l + 1) and (n, m + 1) -> (k,).
    """
    from scipy.optimize import linear_sum_assignment

    found = np.full(whole.shape[1] - 1, -1.0)
    places = np.full((2, len(found)), -1, np.int64)
    likeness = np.ones(len(found))
    for side, half in enumerate(halves):
        alike = correlations(user, whole[:, 1:], half[:, 1:])
        mine, theirs = linear_sum_assignment(-alike)
        places[side, mine] = theirs
        likeness[mine] = np.minimum(likeness[mine], alike[mine, theirs])
    both = np.flatnonzero((places >= 0).all(0))
    apart = correlations(user, *(half[:, 1:] for half in halves))[places[0, both], places[1, both]]
    found[both] = np.minimum(likeness[both], apart)
    return found


def of_twice_as_many(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """How rules of twice as many people each would correlate, where these do so: the noise in them
    has half the variance. What does not correlate stays as it is.

    Shapes: (k,) -> (k,).
    Source: Spearman 1910, doi:10.1111/j.2044-8295.1910.tb00206.x; Brown 1910.
    """
    return np.where(correlation > 0, 2 * correlation / (1 + correlation.clip(0)), correlation)


def same_place(user: Ints, first: Any, second: Any) -> NDArray[np.float64]:
    """Correlations, over people, of the weights in personas that stand at the same place.

    Shapes: user (n,), both posteriors (n, k + 1) -> (k,).
    """
    return np.asarray(np.diag(correlations(user, first[:, 1:], second[:, 1:])))


def correlations(user: Ints, first: Any, second: Any) -> NDArray[np.float64]:
    """Over people, of their weights in each pair of groups.

    Shapes: user (n,), how much of each episode is in a group (n, k) and (n, l) -> (k, l).
    """
    person = np.unique(user, return_inverse=True)[1].reshape(-1)
    count = np.bincount(person)
    counted = np.minimum(count, MOST_COUNTED)
    counted = (counted / max(counted.sum(), 1))[:, None]
    centred = []
    for soft in (first, second):
        weight = np.zeros((len(count), soft.shape[1]))
        np.add.at(weight, person, soft)
        weight /= count[:, None]
        centred.append(weight - (counted * weight).sum(0))
    spread = [np.sqrt((counted * one**2).sum(0)) for one in centred]
    both = (counted * centred[0]).T @ centred[1]
    return np.asarray(both / np.maximum(np.outer(*spread), 1e-12))


def beyond_topics(first: Ints, second: Ints, topics: Ints) -> float:
    """Nats that one answer says about the other where the topic is known already.

    What chance alone would say of so few episodes of a topic is taken off.

    Shapes: (n,) three times.
    """
    mixed = np.lexsort((np.random.default_rng(0).random(len(topics)), topics))
    dealt = np.empty_like(second)
    dealt[np.argsort(topics, kind="stable")] = second[mixed]
    return _given(first, second, topics) - _given(first, dealt, topics)


def _given(first: Ints, second: Ints, topics: Ints) -> float:
    """Mutual information of two labels given a third: H(a, t) + H(b, t) - H(a, b, t) - H(t)."""

    def entropy(*labels: Ints) -> float:
        cells = np.unique(np.stack(labels), axis=1, return_counts=True)[1]
        share = cells / max(cells.sum(), 1)
        return float(-(share * np.log(share)).sum())

    return (
        entropy(first, topics)
        + entropy(second, topics)
        - entropy(first, second, topics)
        - entropy(topics)
    )
