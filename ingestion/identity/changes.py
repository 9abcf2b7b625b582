"""Who was merged or split since the run before, and so must be computed anew."""

from typing import Any

import numpy as np
import pyarrow.compute as pc

from ingestion.identity.links import Codes, distinct
from ingestion.identity.people import People
from ingestion.identity.users import Before, Users


def changes(people: People, users: Users, before: Before, most: int) -> dict[str, Any]:
    """How many users were merged and split, and the first of them by id.

    A merge names the users of before and the one they are now; a split the user of before and
    those that have its records now. Records that are new, or gone, change nobody.
    """
    record = people.codes(before.identities["record_key"])
    names = pc.unique(before.identities["user_id"])
    former = pc.index_in(before.identities["user_id"], value_set=names)
    former = np.asarray(former.to_numpy(), np.int64)
    there = record >= 0
    there[there] = users.user[record[there]] >= 0
    now = users.user[record[there]]
    pairs = distinct(former[there] * max(len(users.ids), 1) + now)
    old, new = pairs // max(len(users.ids), 1), pairs % max(len(users.ids), 1)
    old_ids, new_ids = names.take(old).to_pylist(), users.ids.take(new).to_pylist()
    return {
        "merged": _several(new, new_ids, old_ids, most),
        "split": _several(old, old_ids, new_ids, most),
    }


def _several(group: Codes, names: list[str], members: list[str], most: int) -> dict[str, Any]:
    """Groups with more than one member: how many, and the first of them."""
    codes, count = np.unique(group, return_counts=True)
    chosen = np.flatnonzero(np.isin(group, codes[count > 1]))
    found: dict[str, list[str]] = {}
    for place in chosen.tolist():
        found.setdefault(names[place], []).append(members[place])
    rows = sorted((name, sorted(found[name])) for name in found)
    return {
        "count": len(rows),
        "users": [{"user_id": name, "others": others} for name, others in rows[:most]],
    }
