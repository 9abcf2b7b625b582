"""What two names of one user stood for before they were one: the records of each.

Invariant: no record is on both sides, and all are the user's still. A side is empty where nothing
tells the names apart.
"""

from itertools import chain
from typing import TYPE_CHECKING

from ingestion.identity.verdicts import records_naming

if TYPE_CHECKING:
    from kg.lake import Lake

Names = tuple[str, str]


def told_apart(lake: "Lake", names: Names, sides: list[list[str]]) -> list[list[str]]:
    """The records of each name, without what they share.

    Args:
        names: user ids (also former ones), identifiers or record keys; all of one user.
        sides: the records that they mean today: a record itself, or all of the user's.
    """
    if names[0] == names[1]:
        return [[], []]
    own = {key for side in sides for key in side}
    former = _together(lake, names)
    found = [
        own & set(former.get(name) or records_naming(lake, name) or side)
        for name, side in zip(names, sides, strict=True)
    ]
    shared = found[0] & found[1]
    larger = int(len(found[1]) > len(found[0]))
    found[larger] -= shared
    return [sorted(side) for side in found]


def _together(lake: "Lake", names: Names) -> dict[str, list[str]]:
    """The records of those names that are user ids, of the newest run that knew all of them; else
    each of the newest that knew it."""
    newest: dict[str, list[str]] = {}
    known = _ids(lake, names)
    for rows in chain([lake.table("identities")], lake.earlier("identities")):
        if not known:
            break
        found: dict[str, list[str]] = {}
        for row in lake.run(rows.filter(rows.user_id.isin(known))).to_pylist():
            found.setdefault(row["user_id"], []).append(row["record_key"])
        if found.keys() == known:
            return found
        newest = found | newest
    return newest


def _ids(lake: "Lake", names: Names) -> set[str]:
    found: set[str] = set()
    for table, column in (("users", "user_id"), ("user_aliases", "alias_id")):
        rows = lake.table(table)
        few = lake.run(rows.filter(rows[column].isin(names)).select(column))
        found |= set(few[column].to_pylist())
    return found
