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
from ingestion.identity.judgements import PEOPLE, Log
from ingestion.identity.links import Codes, Cut, Flags, Manual, components
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


def standing(log: Log, group: Codes) -> Log:
    """The log without the verdicts of people that a later one contradicts.

    A `same` joins two whole users, also those of whose records `different` was said before. A
    `different` takes its right record out, also where an earlier `same` holds that record with
    those whom the left one belongs to.

    Args:
        log: of everybody.
        group: (records,) who is one person without the verdicts `same`.
    """
    rows = np.flatnonzero(log.rule == PEOPLE)
    rows = rows[np.argsort(log.judged_at_ms[rows], kind="stable")]
    ends = np.stack([log.left[rows], log.right[rows]])
    known, node = np.unique(group[ends], return_inverse=True)
    node = node.reshape(ends.shape)
    same: list[int] = []
    apart: list[int] = []
    for place, joins in enumerate(log.same[rows].tolist()):
        if joins:
            same.append(place)
            user = components(len(known), *node[:, same]) if apart else known
            apart = [one for one in apart if user[node[0, one]] != user[node[1, one]]]
            continue
        gone = ends[1, place]
        holding = [one for one in same if gone in ends[:, one]]
        if holding:
            user = components(len(known), *node[:, [one for one in same if one not in holding]])
            there = user[node[0, place]]
            same = [
                one
                for one in same
                if one not in holding or there not in user[node[ends[:, one] != gone, one]]
            ]
        apart.append(place)
    keep = log.rule != PEOPLE
    keep[rows[[*same, *apart]]] = True
    return log.only(keep)


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
    left, right = (user[side] for side in manual.different)
    whole: Flags = ~np.isin(user, left[left == right])
    records = np.arange(len(group))
    first = smallest_labels(group)
    same = manual.same
    edges = np.r_[records[whole], same[0]], np.r_[first[whole], same[1]]
    return components(len(group), *edges)
