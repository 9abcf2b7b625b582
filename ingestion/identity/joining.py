"""Which groups of records the evidence of pairs may join: best first, and never against a guard.

A pure function of integer codes: in each round every group looks at its best candidate, and two
groups that are each other's best are joined. So neither the order of records nor of pairs can
matter, and people who share no candidate cannot touch each other.

Invariant: no group holds two values of a unique namespace, both sides of a verdict `different`, or
more than `MOST_MEMBERS` compared records joined by evidence alone.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ingestion.identity.links import Codes, Flags, Floats

MOST_MEMBERS = 50
"""Compared records that evidence may gather in one person; beyond it somebody has to look."""


class Cause(IntEnum):
    """What became of a pair; of one that the evidence would not join `OPEN`, or `SAID`."""

    OPEN = 0
    JOINED = 1
    UNIQUE = 2
    SAID = 3
    OVERSIZED = 4
    EITHER = 5
    OUTVOTED = 6
    STRANGERS = 7


@dataclass(frozen=True)
class Evidence:
    """Pairs and what they say.

    Shapes: left, right (e,) record codes; bits (e,) of the pair being one person, prior included;
    speaks_for, speaks_against (e,) bool: enough to join, enough to doubt.
    """

    left: Codes
    right: Codes
    bits: Floats
    speaks_for: Flags
    speaks_against: Flags


@dataclass(frozen=True)
class Guards:
    """What must not meet.

    Shapes: owner (u, records) the value of each unique namespace that the group of a label holds,
    -1 for none; strangers (s, records) the same of the codes of people whose details tell them
    apart (s is 0 or 1); apart: (m,), (m,) record codes of verdicts `different`; members (records,)
    how many compared records the group of a label has; margin_bits: how much better the best must
    be than a candidate that cannot be the same person.
    """

    owner: Codes
    strangers: Codes
    apart: tuple[Codes, Codes]
    members: Codes
    margin_bits: float


@dataclass(frozen=True)
class Joined:
    """Shapes: group (records,) labels, each the smallest record of its group; cause (e,)."""

    group: Codes
    cause: Codes


def smallest_labels(group: Codes) -> Codes:
    """The same groups, each named by its smallest record."""
    first = np.full(int(group.max(initial=-1)) + 1, len(group), np.int64)
    np.minimum.at(first, group, np.arange(len(group)))
    return first[group]


def join(group: Codes, evidence: Evidence, guards: Guards) -> Joined:
    """Join groups by evidence.

    Args:
        group: (records,) labels, each the smallest record of its group.
        evidence: the pairs.
        guards: of the groups before, by label; left as they are.
    """
    state = _State(group.copy(), evidence, guards)
    while state.round():
        pass
    together = state.group[evidence.left] == state.group[evidence.right]
    cause = np.where(evidence.speaks_for & together, int(Cause.JOINED), state.cause)
    cause[state.said() & ~together] = Cause.SAID
    return Joined(state.group, cause)


def _conflict(owners: Codes, one: Codes, other: Codes) -> Flags:
    found = np.zeros(len(one), bool)
    for owner in owners:
        found |= (owner[one] >= 0) & (owner[other] >= 0) & (owner[one] != owner[other])
    return found


class _State:
    def __init__(self, group: Codes, evidence: Evidence, guards: Guards) -> None:
        self.group, self.evidence, self.margin = group, evidence, guards.margin_bits
        self.owner, self.strangers = guards.owner.copy(), guards.strangers.copy()
        self.members = guards.members.copy()
        self.apart = guards.apart
        self.cause = np.full(len(evidence.left), int(Cause.OPEN), np.int64)

    def round(self) -> bool:
        """Join what is each other's best; False when nothing changed."""
        rows, one, other = self._open()
        if not len(rows):
            return False
        held = self._refused(one, other)
        self.cause[rows[held > 0]] = held[held > 0]
        rows, one, other = rows[held == 0], one[held == 0], other[held == 0]
        if not len(rows):
            return bool((held > 0).any())
        bits = self.evidence.bits[rows]
        mutual, doubtful = self._best(one, other, bits)
        outvoted = mutual & self._outvoted(one, other)
        self.cause[rows[doubtful]] = Cause.EITHER
        self.cause[rows[outvoted]] = Cause.OUTVOTED
        chosen = mutual & ~doubtful & ~outvoted
        self._merge(one[chosen], other[chosen])
        return bool(chosen.any() or doubtful.any() or outvoted.any() or (held > 0).any())

    def _open(self) -> tuple[Codes, Codes, Codes]:
        rows = np.flatnonzero(self.evidence.speaks_for & (self.cause == Cause.OPEN))
        left, right = (self.group[side[rows]] for side in (self.evidence.left, self.evidence.right))
        apart = left != right
        return (
            rows[apart],
            np.minimum(left, right)[apart],
            np.maximum(left, right)[apart],
        )

    def _refused(self, one: Codes, other: Codes) -> Codes:
        held = np.zeros(len(one), np.int64)
        held[self.members[one] + self.members[other] > MOST_MEMBERS] = Cause.OVERSIZED
        held[_conflict(self.strangers, one, other)] = Cause.STRANGERS
        held[_conflict(self.owner, one, other)] = Cause.UNIQUE
        # What was held back between two groups stays so, whatever weaker pair is left between them.
        torn = self.cause == Cause.EITHER
        between = self._between(self.evidence.left[torn], self.evidence.right[torn])
        held[np.isin(one * len(self.group) + other, between)] = Cause.EITHER
        said = self._between(*self.apart)
        held[np.isin(one * len(self.group) + other, said)] = Cause.SAID
        return held

    def said(self) -> Flags:
        """Which pairs lie between groups that a person said are two people, however probable."""
        pair = self._between(self.evidence.left, self.evidence.right)
        return np.isin(pair, self._between(*self.apart))

    def _between(self, left: Codes, right: Codes) -> Codes:
        """Keys of the pairs of groups that records are in."""
        one, other = self.group[left], self.group[right]
        return np.asarray(np.minimum(one, other) * len(self.group) + np.maximum(one, other))

    def _best(self, one: Codes, other: Codes, bits: Floats) -> tuple[Flags, Flags]:
        """Which pairs are each other's best, and which could as well be somebody else."""
        source, target = np.r_[one, other], np.r_[other, one]
        weight = np.r_[bits, bits]
        order = np.lexsort((np.minimum(source, target), target, -weight, source))
        first = order[np.r_[True, np.diff(source[order]) != 0]]
        best = np.full(len(self.group), -1, np.int64)
        strength = np.full(len(self.group), -np.inf)
        best[source[first]], strength[source[first]] = target[first], weight[first]
        near = (weight > strength[source] - self.margin) & (target != best[source])
        rival = near.copy()
        sides = target[near], best[source[near]]
        rival[near] = _conflict(self.owner, *sides) | _conflict(self.strangers, *sides)
        torn = np.zeros(len(self.group), bool)
        torn[source[rival]] = True
        close = torn[source] & (weight > strength[source] - self.margin)
        doubtful = close[: len(one)] | close[len(one) :]
        mutual = (best[one] == other) & (best[other] == one)
        return mutual & (bits == strength[one]), doubtful

    def _outvoted(self, one: Codes, other: Codes) -> Flags:
        """Pairs of groups of which more pairs speak against one person than for it."""
        several = (self.members[one] > 1) & (self.members[other] > 1)
        if not several.any():
            return several
        pair = self._between(self.evidence.left, self.evidence.right)
        vote = self.evidence.speaks_against.astype(np.int64) - self.evidence.speaks_for
        asked, place = np.unique(one * len(self.group) + other, return_inverse=True)
        known = np.searchsorted(asked, pair)
        known[known == len(asked)] = 0
        ours = asked[known] == pair
        against = np.bincount(known[ours], vote[ours], len(asked))
        return several & (against[place] > 0)

    def _merge(self, one: Codes, other: Codes) -> None:
        keep, gone = np.unique(np.stack([one, other]), axis=1)
        for owner in (*self.owner, *self.strangers):
            owner[keep] = np.maximum(owner[keep], owner[gone])
        self.members[keep] += self.members[gone]
        label = np.arange(len(self.group))
        label[gone] = keep
        self.group = label[self.group]
