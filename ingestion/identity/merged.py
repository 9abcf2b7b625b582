"""What people say is one person may hold what no rule would let meet: then that is one.

A verdict `same` means two whole users, not the two records that it names. So who everybody is
without it is asked first, and starts from there: what was together stays together. Two values of a
unique namespace that the joined hold, or details that cannot be one person's, count as one, as
where a source says that it merged two ids; what either could have owned is theirs then.

Of verdicts that contradict each other the later holds (`standing`).
"""

from dataclasses import dataclass, replace

import numpy as np

from ingestion.identity.joining import smallest_labels
from ingestion.identity.links import Codes, Cut, Flags, Manual, Sides, components, distinct
from ingestion.identity.people import People

Strangers = tuple[Codes, Codes]
"""Records, and a code of each: those of different codes are different people."""


@dataclass(frozen=True)
class Alone:
    """Who is who without the verdicts.

    Attributes:
        people, found: what may join, and what of it does.
        group: (records,) int64, with what evidence joins.
    """

    people: People
    found: Cut
    group: Codes


def standing(said: tuple[Sides, ...], group: Codes) -> Manual:
    """What people said, less what a later verdict contradicts.

    A `same` joins two whole users, also those of whose records `different` was said before; who
    was said to differ from one of them and is none of them still does. A `different` takes its
    right records out, also where an earlier `same` holds them with those whom the left ones belong
    to.

    Args:
        said: oldest first.
        group: (records,) who is one person without the verdicts `same`.
    """
    found = _Standing.of(said, group)
    for one in said:
        if one.same:
            found.join(one)
        else:
            found.take_out(one)
    return Manual(tuple(found.held))


@dataclass
class _Standing:
    """What holds of what was said so far.

    Shapes: node (records,) int64: the users that anything is said of, -1 for others.
    """

    node: Codes
    count: int
    held: list[Sides]

    @classmethod
    def of(cls, said: tuple[Sides, ...], group: Codes) -> "_Standing":
        ends = [side for one in said for side in (one.left, one.right)]
        known = distinct(group[np.concatenate(ends)])
        node = np.full(int(group.max()) + 1, -1, np.int64)
        node[known] = np.arange(len(known))
        return cls(node[group], len(known), [])

    def join(self, one: Sides) -> None:
        """A later `same`: of a `different` each pair is left that is not of whom it makes one."""
        user = self._users([*self.held, one])
        here = user == user[self.node[one.left[0]]]
        held = []
        for old in self.held:
            left, right = here[self.node[old.left]], here[self.node[old.right]]
            if old.same or not (left.any() and right.any()):
                held.append(old)
                continue
            parts = (old.left[~left], old.right), (old.left, old.right[~right])
            held += [replace(old, left=a, right=b) for a, b in parts if len(a) and len(b)]
        self.held = [*held, one]

    def take_out(self, one: Sides) -> None:
        """A later `different`: its right records leave each `same` that would hold them with its
        left ones."""
        holding = [
            old
            for old in self.held
            if old.same and np.isin(one.right, np.r_[old.left, old.right]).any()
        ]
        user = self._users([old for old in self.held if old not in holding])
        held = []
        for old in self.held:
            rest = [side[~np.isin(side, one.right)] for side in (old.left, old.right)]
            there = user[self.node[np.concatenate(rest)]]
            if old not in holding or user[self.node[one.left[0]]] not in there:
                held.append(old)
            elif all(map(len, rest)):
                held.append(replace(old, left=rest[0], right=rest[1]))
        self.held = [*held, one]

    def _users(self, said: list[Sides]) -> Codes:
        """What the verdicts `same` among these make one: (nodes,)."""
        left, right = Manual(tuple(said)).same
        return components(self.count, self.node[left], self.node[right])


def as_one(
    alone: Alone, strangers: Strangers | None, manual: Manual
) -> tuple[People, Strangers | None, Codes]:
    """People and strangers in whom what the verdicts join holds nothing that differs, and the
    groups to start from: (records,)."""
    group, people = alone.group, alone.people
    user = components(len(group), *(group[side] for side in manual.same))[group]
    joined = np.isin(user, user[np.concatenate(manual.same)])
    said, spaces = people.statements, people.namespaces
    namespace = said.namespace[said.value]
    held = np.flatnonzero(alone.found.kept & spaces.unique[namespace] & joined[said.record])
    holder = user[said.record[held]] * len(spaces.unique) + namespace[held]
    value = _one(len(people.values), holder, said.meant[held])
    alias = value if said.alias is None else value[said.alias]
    people = replace(people, statements=replace(said, alias=alias))
    if strangers is not None:
        record, code = strangers
        mine = joined[record]
        one = _one(int(code.max(initial=-1)) + 1, user[record[mine]], code[mine])
        strangers = record, one[code]
    return people, strangers, _start(group, user, manual)


def _one(count: int, holder: Codes, code: Codes) -> Codes:
    """Codes that have a holder in common are one, called by the smallest: -> (count,)."""
    holders, place = np.unique(holder, return_inverse=True)
    label = components(count + len(holders), code, place + count)
    return smallest_labels(label)[:count]


def _start(group: Codes, user: Codes, manual: Manual) -> Codes:
    """Users whole, but where people also say `different` of two of their records: of those only
    what the verdicts name is together."""
    torn = [np.intersect1d(user[one.left], user[one.right]) for one in manual.different]
    whole: Flags = ~np.isin(user, np.concatenate([*torn, np.zeros(0, np.int64)]))
    records = np.arange(len(group))
    first = smallest_labels(group)
    same = manual.same
    edges = np.r_[records[whole], same[0]], np.r_[first[whole], same[1]]
    return components(len(group), *edges)
