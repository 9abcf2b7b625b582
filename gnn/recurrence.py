"""A topic is not a persona: do its types recur together in the same people, more than chance?

Tested on people the persona was not fitted on. Chance is the same people with as many types each in
every channel, and the same types with as many people each, otherwise shuffled. (Without channels,
any two things that only one source records go together: of a sample where hotel guests and shop
customers are different people by their ids, eight "personas" passed.) Only pairs of types with
*different* topics count, so that one topic browsed and bought is no persona; and only pairs from
*different* occasions, so that a survey's questions, answered in one sitting, are none either.

Everybody counts alike, however many types they have. (Pairs grow with the square of these, and who
has nearly all types can hardly have more of them together than chance: counted by pairs, a
wholesaler's buyers of home decoration had 1.06 times as many as chance, counted by people 1.2.)

Source: Gionis et al. 2007, doi:10.1145/1297332.1297338 (swap randomisation with both margins kept);
Benjamini and Hochberg 1995 (false discovery rate).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnn.returning import MOST_COUNTED
from gnn.tensors import Floats, Ints


@dataclass(frozen=True)
class RecurrenceConfig:
    """When a group of types counts as recurring.

    Attributes:
        permutations: shuffles that chance is measured by (fewer than 200 only above
            `most_cells` / 200 cells, where their mean and spread are sharp all the same).
        most_cells: cells shuffled altogether.
        least_lift: found over expected. (With many people a few per cent are beyond chance; a world
            without personas passed at 1.047.)
        most_q: false discovery rate.
    """

    permutations: int = 200
    most_cells: int = 5_000_000
    least_lift: float = 1.1
    most_q: float = 0.01


@dataclass(frozen=True)
class Recurrence:
    """What the test found for one group of types.

    Attributes:
        together: the share of a person's pairs of types that lie in the group, summed over people
            (who have more than thirty types count as if they had thirty).
        expected: as much by chance.
    """

    together: float
    expected: float
    lift: float
    p: float
    q: float
    passed: bool


@dataclass(frozen=True)
class Having:
    """Who has which kind, and when.

    Attributes:
        person, kind: each pair once.
        occasion: of each pair: the one on which it was seen, or a number of its own where it was
            seen on several.
        channel: where each pair was seen first.
        topic_of_kind: two kinds of one topic never count as a pair.

    Shapes: person, kind, occasion, channel (c,); topic_of_kind (kinds,).
    """

    person: Ints
    kind: Ints
    occasion: Ints
    channel: Ints
    topic_of_kind: Ints


def recurrence(
    having: Having, groups: list[Ints], config: RecurrenceConfig, seed: int
) -> list[Recurrence]:
    """Test every group of kinds."""
    if not groups:
        return []
    inside = np.zeros((len(having.topic_of_kind), len(groups)), bool)
    for number, kinds in enumerate(groups):
        inside[kinds, number] = True
    counted = _counted(having)
    found = _together(counted, having.kind, inside)
    rng = np.random.default_rng(seed)
    most = int(np.clip(config.most_cells // max(len(having.kind), 1), 30, config.permutations))
    control = np.array([_together(counted, shuffled(having, rng), inside) for _ in range(most)])
    return _judged(found, control, config)


def _judged(found: Floats, control: Floats, config: RecurrenceConfig) -> list[Recurrence]:
    from scipy.stats import false_discovery_control, norm

    mean = control.mean(0)
    spread = np.maximum(control.std(0, ddof=1), 1e-9)
    z = (found - mean) / spread
    rank = (1 + (control >= found).sum(0)) / (1 + len(control))
    # The normal tail is used only beyond what this many shuffles can resolve.
    p = np.where(rank > 1.5 / (1 + len(control)), rank, np.minimum(norm.sf(z), rank))
    q = false_discovery_control(p, method="bh")
    lift = found / np.maximum(mean, 1e-9)
    return [
        Recurrence(
            float(found[n]),
            float(mean[n]),
            float(lift[n]) if mean[n] > 0 else 0.0,
            float(p[n]),
            float(q[n]),
            bool(found[n] > 0 and q[n] < config.most_q and lift[n] >= config.least_lift),
        )
        for n in range(len(found))
    ]


@dataclass(frozen=True)
class _Counted:
    """`Having` with what each person, and each of their occasions, counts.

    Shapes: person, occasion (c,), from 0; of_person (people,), of_occasion (occasions,).
    """

    person: Ints
    occasion: Ints
    topic_of_kind: Ints
    of_person: Floats
    of_occasion: Floats


def _counted(having: Having) -> _Counted:
    person = np.unique(having.person, return_inverse=True)[1].reshape(-1)
    count = np.bincount(person)
    # Out of n types come n * n ordered pairs; so many types, so much of a say.
    of_person = np.minimum(count, MOST_COUNTED) / np.maximum(count, 1) ** 2
    _, first, occasion = np.unique(having.occasion, return_index=True, return_inverse=True)
    of_occasion = of_person[person[first]]
    return _Counted(person, occasion.reshape(-1), having.topic_of_kind, of_person, of_occasion)


def _together(counted: _Counted, kind: Ints, inside: NDArray[np.bool_]) -> Floats:
    """Per group, pairs of kinds that one person has, of different topics, on different occasions.

    Shapes: kind (c,), inside (kinds, groups) -> (groups,).
    """
    found = np.zeros(inside.shape[1])
    for number in range(inside.shape[1]):
        here = inside[kind, number]
        topic = counted.topic_of_kind[kind[here]]
        found[number] = _unlike(counted.person[here], topic, counted.of_person)
        found[number] -= _unlike(counted.occasion[here], topic, counted.of_occasion)
    return found


def _unlike(group: Ints, topic: Ints, weight: Floats) -> float:
    """How many pairs within a group have different topics, each by the weight of its group."""
    every = np.bincount(group, minlength=len(weight)).astype(float)
    topics = int(topic.max(initial=0)) + 1
    cell, alike = np.unique(group * topics + topic, return_counts=True)
    return float(weight @ every**2 - weight[cell // topics] @ alike.astype(float) ** 2) / 2


def shuffled(having: Having, rng: np.random.Generator) -> Ints:
    """Kinds dealt anew within each channel: each person as many as before, none twice.

    Shapes: -> (c,) kinds.
    """
    kinds = len(having.topic_of_kind)
    by_channel = np.argsort(having.channel, kind="stable")
    channel, first, count = np.unique(
        having.channel[by_channel], return_index=True, return_counts=True
    )
    stratum = np.searchsorted(channel, having.channel)
    dealt = np.empty_like(having.kind)
    mixed = np.lexsort((rng.random(len(dealt)), having.channel))
    dealt[by_channel] = having.kind[mixed]
    for _ in range(60):
        key = having.person * kinds + dealt
        order = np.argsort(key, kind="stable")
        taken = key[order]
        twice = order[1:][np.diff(taken) == 0]
        if not len(twice):
            break
        # A second copy trades places with anyone's of its channel, if neither then has one twice
        # (tried without: where people have most kinds there are, a tenth stayed twice). Nobody
        # trades twice in a round; what two trades break together, the next round mends.
        draw = first[stratum[twice]] + (rng.random(len(twice)) * count[stratum[twice]]).astype(int)
        theirs, once = np.unique(by_channel[draw], return_index=True)
        mine = twice[once]
        fair = ~np.isin(theirs, twice)
        fair &= ~_among(taken, having.person[mine] * kinds + dealt[theirs])
        fair &= ~_among(taken, having.person[theirs] * kinds + dealt[mine])
        mine, theirs = mine[fair], theirs[fair]
        dealt[mine], dealt[theirs] = dealt[theirs], dealt[mine]
    return dealt


def _among(ranked: Ints, keys: Ints) -> NDArray[np.bool_]:
    """Which keys are among those (in order). Shapes: (m,), (n,) -> (n,)."""
    place = np.minimum(np.searchsorted(ranked, keys), len(ranked) - 1)
    return np.asarray(ranked[place] == keys)
