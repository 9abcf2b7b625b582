"""Which statements of an identifier may join records: blocks what is shared, cuts what bridges.

Everything here is a pure function of integer codes, so neither the order in which records arrived
nor the way they were batched can matter. Records and values are the two sides of a graph; a
*statement* is an edge: this record names this value.

Invariant: no group of records that the kept statements join holds two values of a unique
namespace, nor records of both sides of a person's verdict `different`; nor does any join make one
that holds more values of a namespace than one person may have.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Namespaces:
    """What the limits say, by namespace code; code 0 is the strongest.

    Shapes: strength, limit, together, most (k,) int64 (-1: no limit), unique (k,) bool.
    """

    strength: Codes
    limit: Codes
    together: Codes
    most: Codes
    unique: Flags


@dataclass(frozen=True)
class Statements:
    """Distinct (record, value) pairs, sorted, and the namespace of every value.

    Shapes: record, value (n,) int64 codes; namespace (values,) int64; `record_count` records; alias
    (values,) int64: equal for values of which it is said that they are one; None: of none it is;
    former (n,) bool: only an earlier state of the record named the value; None: of none it is so.
    """

    record: Codes
    value: Codes
    namespace: Codes
    record_count: int
    alias: Codes | None = None
    former: Flags | None = None

    @property
    def is_former(self) -> Flags:
        """`former`, (n,) in any case."""
        return np.zeros(len(self.record), bool) if self.former is None else self.former

    @property
    def meant(self) -> Codes:
        """The value that each statement means: (n,), with what is said to be one as one."""
        return self.value if self.alias is None else self.alias[self.value]

    def only(self, keep: Flags) -> "Statements":
        """The statements that are kept; the codes stay."""
        former = None if self.former is None else self.former[keep]
        return replace(self, record=self.record[keep], value=self.value[keep], former=former)


@dataclass(frozen=True, eq=False)
class Sides:
    """What a person said of two, by the records that each of them had.

    Shapes: left, right (m,), (n,) int64 record codes, neither empty; the first stands for its side.

    Attributes:
        same: whether they are one person.
        leaves: of two that are not, whether the right one only leaves: what both name is the left
            one's then, else neither's.
    """

    left: Codes
    right: Codes
    same: bool
    leaves: bool = False


@dataclass(frozen=True)
class Manual:
    """Verdicts of people that hold together, in the order in which they were given."""

    said: tuple[Sides, ...] = ()

    @property
    def same(self) -> tuple[Codes, Codes]:
        """Of each verdict `same` the two records that stand for its sides: (m,), (m,)."""
        ends = [(one.left[0], one.right[0]) for one in self.said if one.same]
        left, right = np.asarray(ends, np.int64).reshape(-1, 2).T
        return left, right

    @property
    def different(self) -> tuple[Sides, ...]:
        """The verdicts `different`."""
        return tuple(one for one in self.said if not one.same)

    @property
    def different_only(self) -> "Manual":
        """Without the verdicts `same`."""
        return Manual(self.different)


@dataclass(frozen=True)
class Cut:
    """Statements that were cut because they bridge.

    Shapes: kept (n,) bool; because (n,) int64: the unique namespace whose values would have met,
    -1 where kept, -2 where a person said that a record is not theirs, -3 where names and dates of
    birth differ, -4 where one person would have too many values, -5 where a person said that two
    are two; group (records,) int64: who is one person; owners:
    what each group holds that is unique.
    """

    kept: Flags
    because: Codes
    group: Codes
    owners: "Owners"


KEPT, BY_PERSON, BY_DETAILS, BY_SIZE, BY_TWO = -1, -2, -3, -4, -5


def distinct(codes: Codes) -> Codes:
    """Sorted distinct codes (numpy's own hashes them first, four times slower on many)."""
    codes = np.sort(codes)
    return np.asarray(codes[np.r_[True, codes[1:] != codes[:-1]][: len(codes)]])


def components(count: int, left: Codes, right: Codes) -> Codes:
    """Connected components of `count` nodes: (e,), (e,) -> (count,) int64 labels."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if count == 0:
        return np.zeros(0, np.int64)
    edges = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(edges, directed=False)[1], np.int64)


def fan_out(statements: Statements, namespaces: Namespaces) -> tuple[Codes, Flags]:
    """With how many different values of one stronger namespace each value is seen, and whether with
    more of its own or of an equally strong one than belong to a person: (values,) each."""
    from scipy.sparse import csr_array

    spaces = len(namespaces.strength)
    found = np.zeros(len(statements.namespace), np.int64)
    crowded = np.zeros(len(statements.namespace), bool)
    shape = (statements.record_count, len(statements.namespace))
    ones = np.ones(len(statements.record), np.int32)
    names = csr_array((ones, (statements.record, statements.value)), shape=shape)
    together = (names.T @ names).tocoo()
    row, other = together.row, statements.namespace[together.col]
    strength = namespaces.strength[statements.namespace]
    counted = strength[row] >= namespaces.strength[other]
    counted &= row != together.col
    pairs = row[counted].astype(np.int64) * spaces + other[counted]
    pair, counts = np.unique(pairs, return_counts=True)
    value, space = pair // spaces, pair % spaces
    stronger = strength[value] > namespaces.strength[space]
    np.maximum.at(found, value[stronger], counts[stronger])
    most = namespaces.together[space]
    over = ~stronger & (most >= 0) & (counts > most)
    crowded[value[over]] = True
    return found, crowded & ~namespaces.unique[statements.namespace]


def people_behind(statements: Statements, person: Codes) -> Codes:
    """With how many different people each value is seen, at least: (values,).

    Shapes: person (records,) a code of whom each record names, -1 where it names nobody.
    """
    said = person[statements.record]
    span = int(person.max(initial=0)) + 1
    pairs = distinct((statements.value * span + said)[said >= 0])
    return np.bincount(pairs // span, minlength=len(statements.namespace))


def contradictory(statements: Statements, namespaces: Namespaces) -> Flags:
    """Statements of records that name two values of one unique namespace: (n,) bool."""
    namespace = statements.namespace[statements.value]
    unique = namespaces.unique[namespace]
    keys = statements.record * len(namespaces.unique) + namespace
    span = len(statements.namespace) + 1
    meant = distinct(keys * span + statements.meant) // span
    several, counts = np.unique(meant, return_counts=True)
    return np.asarray(unique & np.isin(keys, several[counts > 1]))


def cut(
    statements: Statements,
    namespaces: Namespaces,
    manual: Manual,
    strangers: tuple[Codes, Codes] | None = None,
    start: Codes | None = None,
) -> Cut:
    """Join records namespace by namespace, strongest first, and cut whatever would bridge.

    A value that two owners share is taken from both, and from whoever else names it: that could be
    either's. Verdicts of people come first: `same` joins, and no join is left that would bring the
    two sides of a `different` together (`_Tier.part`).

    Args:
        statements, namespaces: what may join, and how.
        manual: the verdicts.
        strangers: records, and a code of each; those of different codes are different people, as if
            the code were a unique value.
        start: (records,) groups that are joined already (none may hold two unique values, which
            `merged` sees to); None: only what the verdicts `same` name is.
    """
    group = components(statements.record_count, *manual.same) if start is None else start
    owners = Owners.of(statements, namespaces, group)
    if strangers is not None:
        owners = owners.also(*strangers, group)
    kept = np.ones(len(statements.record), bool)
    because = np.full(len(statements.record), KEPT, np.int64)
    namespace = statements.namespace[statements.value]
    for code in distinct(namespace):
        rows = np.flatnonzero(namespace == code)
        tier = _Tier.of(group, statements.record[rows], statements.value[rows])
        tier.cause = _all_of_a_value(statements.value[rows], tier.cut(owners, group, manual))
        kept[rows] = tier.cause == KEPT
        mine = kept & (namespace <= code) & (namespaces.most[namespace] >= 0)
        held = group[statements.record[mine]], namespace[mine], statements.meant[mine]
        tier.limit(held, namespaces.most, int(code))
        kept[rows] = tier.cause == KEPT
        because[rows] = tier.cause
        group = tier.join(group, tier.cause == KEPT)
        owners = owners.after(group)
    return Cut(kept, because, group, owners)


def _all_of_a_value(value: Codes, cause: Codes) -> Codes:
    """What two people share names neither: where two owners lost a value, all others lose it too
    (an order with a recycled number, a ticket from a mailbox of two could be either's)."""
    lost = (cause != KEPT) & (cause != BY_PERSON) & (cause != BY_TWO)
    because = np.full(int(value.max(initial=-1)) + 1, KEPT, np.int64)
    because[value[lost]] = cause[lost]
    return np.where(cause == KEPT, because[value], cause)


@dataclass(frozen=True)
class Owners:
    """Which value of a unique namespace each group holds: distinct (group, namespace, value)."""

    record: Codes
    namespace: Codes
    value: Codes
    group: Codes

    @classmethod
    def of(cls, statements: Statements, namespaces: Namespaces, group: Codes) -> "Owners":
        unique = namespaces.unique[statements.namespace[statements.value]]
        record, value = statements.record[unique], statements.meant[unique]
        return cls(record, statements.namespace[value], value, group[record]).after(group)

    def also(self, record: Codes, code: Codes, group: Codes) -> "Owners":
        """These, and the codes of strangers."""
        return Owners(
            np.r_[self.record, record],
            np.r_[self.namespace, np.full(len(record), BY_DETAILS, np.int64)],
            np.r_[self.value, code + int(self.value.max(initial=-1)) + 1],
            np.r_[self.group, group[record]],
        ).after(group)

    def only(self, keep: Flags) -> "Owners":
        """Those that are kept."""
        return Owners(self.record[keep], self.namespace[keep], self.value[keep], self.group[keep])

    def held(self, record_count: int) -> Codes:
        """The value that the group of each label holds: (namespaces here, records), -1 for none."""
        spaces = distinct(self.namespace)
        table = np.full((len(spaces), record_count), -1, np.int64)
        table[np.searchsorted(spaces, self.namespace), self.group] = self.value
        return table

    def after(self, group: Codes) -> "Owners":
        """The same once groups have been joined."""
        held = group[self.record]
        span = int(self.value.max(initial=0)) + 1
        rows = np.unique(held * span + self.value, return_index=True)[1]
        return Owners(self.record[rows], self.namespace[rows], self.value[rows], held[rows])


@dataclass
class _Tier:
    """The statements of one namespace between groups (a) and values (b).

    Shapes: record (n,) int64; a, b (n,) int64 dense codes; groups: the group of each a.
    """

    record: Codes
    a: Codes
    b: Codes
    groups: Codes
    value_count: int
    cause: Codes

    @classmethod
    def of(cls, group: Codes, record: Codes, value: Codes) -> "_Tier":
        groups, a = np.unique(group[record], return_inverse=True)
        values, b = np.unique(value, return_inverse=True)
        return cls(record, a, b, groups, len(values), np.full(len(a), KEPT, np.int64))

    def cut(self, owners: Owners, group: Codes, manual: Manual) -> Codes:
        """Why each statement was cut; KEPT where it was not."""
        at = self._place(owners.group)
        held = at >= 0
        for namespace in distinct(owners.namespace[held]):
            mine = held & (owners.namespace == namespace)
            owner = np.full(len(self.groups), -1, np.int64)
            owner[at[mine]] = owners.value[mine]
            self._separate(owner, int(namespace))
        if manual.different:
            labels = self._labels(self.cause == KEPT)  # what is cut later only parts more
            for one in manual.different:
                self.part(one, group, labels)
        return self.cause

    def limit(self, held: tuple[Codes, Codes, Codes], most: Codes, own: int) -> None:
        """Cut what would join more values of a namespace in one group than one person may have.

        Where they are values of this tier, who names several of them loses all of these; where they
        are of a stronger one, nobody is joined here.

        Args:
            held: what groups hold of limited namespaces: group, namespace, value.
            most: (k,) values of a person by namespace.
            own: the namespace of this tier.
        """
        if not len(held[0]):
            return
        label = self._labels(self.cause == KEPT)
        at = self._place(held[0])
        there = at >= 0
        joined, space, value = label[at[there]], held[1][there], held[2][there]
        span = int(value.max(initial=0)) + 1
        rows = np.unique(joined * span + value, return_index=True)[1]
        keys, counts = np.unique(joined[rows] * len(most) + space[rows], return_counts=True)
        full = keys[counts > most[keys % len(most)]]
        if not len(full):
            return
        named = distinct(self.a * self.value_count + self.b) // self.value_count
        several = np.bincount(named, minlength=len(self.groups))[self.a] > 1
        region = label[self.a]
        over = np.isin(region, full[full % len(most) == own] // len(most)) & several
        over |= np.isin(region, full[full % len(most) != own] // len(most))
        self.cause[over & (self.cause == KEPT)] = BY_SIZE

    def join(self, group: Codes, keep: Flags) -> Codes:
        """The groups after the kept statements have joined them."""
        label = self._labels(keep)[: len(self.groups)]
        first = np.full(label.max(initial=-1) + 1, -1, np.int64)
        first[label[::-1]] = self.groups[::-1]
        target = np.arange(group.max(initial=-1) + 1)
        target[self.groups] = first[label]
        return np.asarray(target[group])

    def _place(self, group: Codes) -> Codes:
        """The position of groups in this tier; -1 where they are not in it."""
        place = np.searchsorted(self.groups, group)
        place[place == len(self.groups)] = 0
        return np.where(self.groups[place] == group, place, -1) if len(self.groups) else place - 1

    def _labels(self, keep: Flags) -> Codes:
        nodes = len(self.groups) + self.value_count
        return components(nodes, self.a[keep], self.b[keep] + len(self.groups))

    def _separate(self, owner: Codes, namespace: int) -> None:
        """Take from all owners (-1: none) the regions of values that two of them share."""
        owned, region = self._regions(owner >= 0)
        span = int(owner.max(initial=0)) + 1
        pairs = distinct(region * span + owner[self.a[owned]])
        shared, counts = np.unique(pairs // span, return_counts=True)
        self.cause[owned[np.isin(region, shared[counts > 1])]] = namespace

    def part(self, one: Sides, group: Codes, labels: Codes) -> None:
        """Cut what would bring the two sides of a verdict together.

        A value that only records of one side name belongs to it: the other's groups lose it. What
        then leads to both, a value that both name or a newcomer who names something of each, is
        taken from both; or is the left one's, where the right one `leaves`.

        Args:
            one: the verdict.
            group: (records,) the groups before this tier.
            labels: what hangs together here at most.
        """
        sides = [self._place(distinct(group[side])) for side in (one.left, one.right)]
        left, right = (side[side >= 0] for side in sides)
        left, right = np.setdiff1d(left, right), np.setdiff1d(right, left)
        meeting = np.intersect1d(labels[left], labels[right])
        rows = np.flatnonzero((self.cause == KEPT) & np.isin(labels[self.a], meeting))
        if not len(rows):
            return
        count = len(self.groups)
        ends = np.stack([self.a[rows], self.b[rows] + count])
        side = np.zeros(count + self.value_count, np.int64)
        side[left], side[right] = -1, 1
        named = [
            np.unique(ends[1, np.isin(self.record[rows], records)])
            for records in (one.left, one.right)
        ]
        side[np.setdiff1d(named[0], () if one.leaves else named[1])] = -1
        side[np.setdiff1d(named[1], named[0])] = 1
        (a, b), (sa, sb) = ends, side[ends]
        crossing = sa * sb < 0
        between = (sa == 0) & (sb == 0)
        region = components(len(side), a[between], b[between])
        edge = (sa == 0) != (sb == 0)
        inner = region[np.where(sa == 0, a, b)]
        both = np.intersect1d(inner[edge & (sa + sb < 0)], inner[edge & (sa + sb > 0)])
        bridging = edge & np.isin(inner, both)
        if one.leaves:
            lost = crossing | (bridging & (sa + sb > 0))
        else:
            lost = crossing | bridging
            # A value that both name tells nobody else who is meant either.
            lost |= np.isin(b, b[bridging & (sb == 0)])
        self.cause[rows[lost]] = BY_PERSON if one.leaves else BY_TWO

    def _regions(self, apart: Flags) -> tuple[Codes, Codes]:
        """The kept statements of the groups `apart`, and the region each leads into: what hangs
        together once those groups are taken out."""
        keep = self.cause == KEPT
        owned = np.flatnonzero(keep & apart[self.a])
        labels = self._labels(keep & ~apart[self.a])
        return owned, labels[self.b[owned] + len(self.groups)]
