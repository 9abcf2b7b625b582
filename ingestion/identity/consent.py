"""Who must not be profiled. A denial always wins; it holds for the whole person, not the record.

Not guaranteed: consent of records that name nobody; they are nobody's and feed no persona.
"""

from typing import Any, Literal

import numpy as np
import pyarrow.compute as pc

from ingestion.identity.links import Flags
from ingestion.identity.people import People
from ingestion.identity.users import Users


def denied_users(
    step: Any, people: People, users: Users, default: Literal["granted", "denied"]
) -> Flags:
    """Users who denied any purpose, or who, where the default is `denied`, granted none: (u,)."""
    consents = step.arrow("consents", ["record_key", "granted"])
    record = pc.index_in(consents["record_key"], value_set=people.records["record_key"])
    record = np.asarray(pc.fill_null(record, -1).to_numpy(), np.int64)
    granted = consents["granted"].to_numpy()
    user = np.where(record >= 0, users.user[record] if len(users.user) else -1, -1)
    denied = np.full(len(users.ids), default == "denied")
    denied[user[(user >= 0) & granted]] = False
    denied[user[(user >= 0) & ~granted]] = True
    return denied
