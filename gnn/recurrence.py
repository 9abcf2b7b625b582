"""A topic is not a persona: do its types recur together in the same people, more than chance?

Tested on people the persona was not fitted on. Chance is the same people with as many types each,
and the same types with as many people each, otherwise shuffled. Only pairs of types with
*different* topics count, so that one topic browsed and bought is no persona.

Source: Gionis et al. 2007, doi:10.1145/1297332.1297338 (swap randomisation with both margins kept);
Benjamini and Hochberg 1995 (false discovery rate).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Floats, Ints


@dataclass(frozen=True)
class RecurrenceConfig:
    """When a group of types counts as recurring.

    Attributes:
        permutations: shuffles that chance is measured by (fewer than 200 only above
            `most_cells` / 200 cells, where their mean and spread are sharp all the same).
        most_cells: cells shuffled altogether.
        least_lift: pairs found over pairs expected.
        most_q: false discovery rate.
    """

    permutations: int = 200
    most_cells: int = 5_000_000
    least_lift: float = 1.03
    most_q: float = 0.01


@dataclass(frozen=True)
class Recurrence:
    """What the test found for one group of types."""

    pairs: int
    expected: float
    lift: float
    p: float
    q: float
    passed: bool


def recurrence(
    person: Ints,
    kind: Ints,
    topic_of_kind: Ints,
    groups: list[Ints],
    config: RecurrenceConfig,
    seed: int,
) -> list[Recurrence]:
    """Test every group of kinds.

    Args:
        person, kind: who has which kind; each pair once.
        topic_of_kind: two kinds of one topic never count as a pair.
        groups: the kinds of each group.

    Shapes: person (c,), kind (c,), topic_of_kind (kinds,).
    """
    if not groups:
        return []
    shape = (int(person.max(initial=-1)) + 1, len(topic_of_kind))
    inside = np.zeros((len(topic_of_kind), len(groups)), bool)
    for number, kinds in enumerate(groups):
        inside[kinds, number] = True
    found = _pairs(person, kind, topic_of_kind, inside, shape[0])
    rng = np.random.default_rng(seed)
    most = int(np.clip(config.most_cells // max(len(kind), 1), 30, config.permutations))
    control = np.array(
        [
            _pairs(person, shuffled(person, kind, shape, rng), topic_of_kind, inside, shape[0])
            for _ in range(most)
        ]
    )
    return _judged(found, control, config)


def _judged(found: Floats, control: Floats, config: RecurrenceConfig) -> list[Recurrence]:
    from scipy.stats import norm

    mean = control.mean(0)
    spread = np.maximum(control.std(0, ddof=1), 0.5)
    z = (found - mean - 0.5) / spread
    rank = (1 + (control >= found).sum(0)) / (1 + len(control))
    # The normal tail is used only beyond what this many shuffles can resolve.
    p = np.where(rank > 1.5 / (1 + len(control)), rank, np.minimum(norm.sf(z), rank))
    q = false_discovery(p)
    lift = found / np.maximum(mean, 1e-9)
    return [
        Recurrence(
            int(found[n]),
            float(mean[n]),
            float(lift[n]) if mean[n] > 0 else 0.0,
            float(p[n]),
            float(q[n]),
            bool(found[n] > 0 and q[n] < config.most_q and lift[n] >= config.least_lift),
        )
        for n in range(len(found))
    ]


def false_discovery(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's q of each p. Shapes: (m,) -> (m,)."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def _pairs(
    person: Ints, kind: Ints, topic_of_kind: Ints, inside: NDArray[np.bool_], people: int
) -> Floats:
    """Per group, pairs of kinds of different topics that one person has. -> (groups,)"""
    pairs = np.zeros(inside.shape[1])
    topics = int(topic_of_kind.max(initial=0)) + 1
    for number in range(inside.shape[1]):
        here = inside[kind, number]
        whose, topic = person[here], topic_of_kind[kind[here]]
        count = np.bincount(whose, minlength=people).astype(float)
        same = np.unique(whose * topics + topic, return_counts=True)[1].astype(float)
        pairs[number] = ((count**2).sum() - (same**2).sum()) / 2
    return pairs


def shuffled(person: Ints, kind: Ints, shape: tuple[int, int], rng: np.random.Generator) -> Ints:
    """Kinds dealt anew: each person as many as before, each kind to as many people, none twice.

    Shapes: (c,) -> (c,).
    """
    dealt = rng.permutation(kind)
    for _ in range(200):
        key = person * shape[1] + dealt
        order = np.argsort(key, kind="stable")
        twice = order[1:][np.diff(key[order]) == 0]
        if not len(twice):
            break
        # A second copy trades places with anyone's; what that breaks, the next round mends.
        other = rng.choice(len(dealt), len(twice), replace=False)
        for_them, for_me = dealt[twice], dealt[other]
        apart = ~np.isin(other, twice)
        dealt[twice[apart]], dealt[other[apart]] = for_me[apart], for_them[apart]
    return dealt
