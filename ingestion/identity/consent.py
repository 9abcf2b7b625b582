"""Who must not be profiled. A denial always wins; it holds for the whole person, not the record.

Not guaranteed: consent of records that name nobody; they are nobody's and feed no persona.
"""

from typing import Any, Literal

import numpy as np

from ingestion.identity.links import Flags
from ingestion.identity.people import People
from ingestion.identity.users import Users


def denied_users(
    step: Any, people: People, users: Users, default: Literal["granted", "denied"]
) -> Flags:
    """Users who denied any purpose, or who, where the default is `denied`, granted none: (u,)."""
    consents = step.arrow("consents", ["record_key", "granted"])
    record = people.codes(consents["record_key"])
    granted = consents["granted"].to_numpy()
    user = np.full(len(record), -1, np.int64)
    user[record >= 0] = users.user[record[record >= 0]]
    denied = np.full(len(users.ids), default == "denied")
    denied[user[(user >= 0) & granted]] = False
    denied[user[(user >= 0) & ~granted]] = True
    return denied
