"""Who must not be profiled. A denial always wins; it holds for the whole person, not the record.

A denial that could be either's of those who share a value holds for all of them. Not guaranteed:
consent of records that name nothing but junk, a role mailbox or what more share than its limit;
they are nobody's and feed no persona.
"""

from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.links import Codes, Flags
from ingestion.identity.people import People
from ingestion.identity.users import Users

CONTACT = frozenset({"call", "email", "mail", "newsletter", "phone", "post", "push", "sms"})
"""Purposes about reaching a person, not about making something of their data."""


def decides(purposes: Any) -> Any:
    """Which purposes are about making something of a person's data: all that are not `CONTACT`."""
    return pc.invert(pc.is_in(pc.utf8_lower(purposes), pa.array(sorted(CONTACT))))


def denied_users(
    step: Any, people: People, names: Flags, users: Users, default: Literal["granted", "denied"]
) -> Flags:
    """Users who denied being profiled, or never granted it where the default is `denied`: (u,).

    Whether somebody may be written to is another question: purposes in `CONTACT` decide nothing
    here. Every other purpose does, one that we have never heard of included.

    Args:
        step: to read from.
        people: with all that their records say.
        names: (n,) which of their statements name somebody, if only one of several.
        users: who each record is about.
        default: what holds for people who said nothing.
    """
    consents = step.arrow("consents", ["record_key", "purpose", "granted"])
    consents = consents.filter(decides(consents["purpose"]))
    record = people.codes(consents["record_key"])
    granted = consents["granted"].to_numpy()
    user = np.full(len(record), -1, np.int64)
    user[record >= 0] = users.user[record[record >= 0]]
    denied = np.full(len(users.ids), default == "denied")
    denied[user[(user >= 0) & granted]] = False
    denied[user[(user >= 0) & ~granted]] = True
    denied[_either(people, names, users, record[(record >= 0) & (user < 0) & ~granted])] = True
    return denied


def _either(people: People, names: Flags, users: Users, lost: Codes) -> Codes:
    """The users of whom records that are nobody's could be: all who name a value that they name."""
    said = people.statements.only(names)
    value = np.unique(said.meant[np.isin(said.record, lost)])
    user = users.user[said.record[np.isin(said.meant, value)]]
    return user[user >= 0]
