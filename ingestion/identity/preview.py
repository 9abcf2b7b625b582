"""What another table of identifiers would do, before anything is changed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ingestion.identity.changes import changes
from ingestion.identity.config import IdentityConfig
from ingestion.identity.part import Reader
from ingestion.identity.settle import settle


@dataclass(frozen=True)
class Preview:
    """Attributes:
    people, people_now: users there would be, and those there are.
    changes: as in the summary of a run (`ingestion.identity.changes`).
    records_lost, records_gained: records that would be nobody's, or somebody's.
    unnamed: identifiers of the rules that no record names, such as a typing slip's.
    """

    people: int
    people_now: int
    changes: dict[str, Any]
    records_lost: int
    records_gained: int
    unnamed: tuple[str, ...]


def preview(lake: Any, config: IdentityConfig, most: int = 200) -> Preview:
    """Who would be merged and who split under this configuration; writes nothing."""
    found = settle(Reader(lake), config)
    record = found.people.codes(found.before.identities["record_key"])
    owned = np.zeros(len(found.users.user), bool)
    owned[record[record >= 0]] = True
    there = found.users.user >= 0
    return Preview(
        people=len(found.users.ids),
        people_now=len(found.before.users),
        changes=changes(found.people, found.users, found.before, most),
        records_lost=int((owned & ~there).sum()),
        records_gained=int((there & ~owned).sum()),
        unnamed=tuple(sorted({*config.rules} - {*found.stated.namespace_names})),
    )
