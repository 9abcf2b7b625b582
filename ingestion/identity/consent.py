"""Who must not be profiled. A denial always wins; it holds for the whole person, not the record.

A denial that could be either's of those who share a value holds for all of them. Not guaranteed:
consent of records that name nothing but junk, a role mailbox or what more share than its limit;
they are nobody's and feed no persona.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.links import Codes, Flags
from ingestion.identity.people import People
from ingestion.identity.users import Users
from ingestion.purposes import CONTACT

if TYPE_CHECKING:
    from ingestion.identity.config import IdentityConfig


def decides(purposes: Any) -> Any:
    """Which purposes are about making something of a person's data: all that are not `CONTACT`."""
    return pc.invert(pc.is_in(pc.utf8_lower(purposes), pa.array(sorted(CONTACT))))


def last_ended(lake: Any, now_ms: int) -> int | None:
    """The latest end of a consent that has passed; None where none has ended. Whatever is decided
    by it holds until the next one ends."""
    until = lake.table("consents").until_ms
    found = lake.run(until.name("until").as_table().filter(until <= now_ms))["until"]
    ended: int | None = pc.max(found).as_py()
    return ended


def denied_users(
    step: Any, people: People, names: Flags, users: Users, config: "IdentityConfig"
) -> Flags:
    """Users who denied being profiled, or never granted it where the default is `denied`: (u,).

    Whether somebody may be written to is another question: purposes in `CONTACT` decide nothing
    here. Every other purpose does, one that we have never heard of included. A yes that has ended
    is a no where the person has no other yes to the same purpose.

    Args:
        step: to read from.
        people: with all that their records say.
        names: (n,) which of their statements name somebody, if only one of several.
        users: who each record is about.
        config: what holds for people who said nothing, and which consents have ended.
    """
    consents = step.arrow("consents", ["record_key", "purpose", "granted", "until_ms"])
    consents = consents.filter(decides(consents["purpose"]))
    record = people.codes(consents["record_key"])
    granted = consents["granted"].to_numpy()
    user = np.full(len(record), -1, np.int64)
    user[record >= 0] = users.user[record[record >= 0]]
    lasts, ended = _lasting(consents, user, granted, config.ended_ms)
    denied = np.full(len(users.ids), config.consent_default == "denied")
    denied[user[(user >= 0) & lasts]] = False
    denied[user[(user >= 0) & (ended | ~granted)]] = True
    denied[_either(people, names, users, record[(record >= 0) & (user < 0) & ~granted])] = True
    return denied


def _lasting(
    consents: pa.Table, user: Codes, granted: Flags, ended_ms: int | None
) -> tuple[Flags, Flags]:
    """Which yeses still hold, and which have ended without another that does: (n,), (n,)."""
    if ended_ms is None:
        return granted, np.zeros(len(granted), bool)
    over = pc.fill_null(pc.less_equal(consents["until_ms"], ended_ms), False).to_numpy()
    purpose = pc.dictionary_encode(pc.utf8_lower(consents["purpose"])).combine_chunks().indices
    of_one = user * (len(consents) + 1) + purpose.to_numpy().astype(np.int64)
    lasts = granted & ~over
    return lasts, granted & over & ~np.isin(of_one, of_one[lasts])


def _either(people: People, names: Flags, users: Users, lost: Codes) -> Codes:
    """The users of whom records that are nobody's could be: all who name a value that they name."""
    said = people.statements.only(names)
    value = np.unique(said.meant[np.isin(said.record, lost)])
    user = users.user[said.record[np.isin(said.meant, value)]]
    return user[user >= 0]
