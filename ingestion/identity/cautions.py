"""What a person should know before they say that two users are one: what that overrides.

Nothing here forbids anything: a person's word stands over rules. Nothing personal is repeated:
identifiers are named by their namespace, consents by their purpose.
"""

from dataclasses import dataclass
from typing import Any

from ingestion.identity.consent import decides
from ingestion.identity.limits import Limits
from ingestion.identity.standing import said_by_people
from ingestion.identity.verdicts import records_of, whose


@dataclass(frozen=True)
class Cautions:
    """Attributes:
    namespaces: those of which a person has one value, and the two hold different ones.
    denied: the purposes that only one of the two denied; the denial will hold for both.
    unasked: only one of the two granted consent, the other said nothing where that is no consent;
        the grant will hold for both.
    said: the numbers of the verdicts by which they are two people, and which hold no more.
    """

    namespaces: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    unasked: bool = False
    said: tuple[int, ...] = ()

    def words(self) -> list[str]:
        """A sentence each; none where nothing is overridden."""
        told = []
        if self.namespaces:
            told.append(
                f"They hold different values of {' and '.join(self.namespaces)}, of which a person "
                "has one: the verdict overrides that."
            )
        if self.denied:
            told.append(
                f"One of them denied consent ({', '.join(self.denied)}). A denial holds for the "
                "whole person: nothing will be made of the data of either."
            )
        if self.unasked:
            told.append(
                "One of them granted consent, the other never said so. A grant holds for the whole "
                "person: the data of both will be used."
            )
        if self.said:
            numbers = " and ".join(map(str, self.said))
            told.append(
                f"Verdict {numbers} says that they are two people. The later holds; to take this "
                "one back lets the earlier hold again."
            )
        return told


def cautions(lake: Any, one: str, other: str, limits: Limits) -> Cautions:
    """What it overrides to say that two users are one person, as the last run left them.

    Args:
        lake: of a workspace in which people were resolved.
        one, other: as `verdicts.merge` takes them.
        limits: of which namespaces a person has one value.

    Raises:
        NotFound: there is no such user or record.
    """
    users = [user for name in (one, other) if (user := whose(lake, name))]
    denied = _denied(lake, users)
    return Cautions(
        _overridden(lake, users, limits),
        denied,
        not denied and _differ_in_consent(lake, users),
        _said(lake, one, other),
    )


def _overridden(lake: Any, users: list[str], limits: Limits) -> tuple[str, ...]:
    rows = lake.table("user_identifiers")
    rows = rows.filter(rows.user_id.isin(users))
    found = rows.group_by("namespace").aggregate(
        users=rows.user_id.nunique(), rows=rows.count(), values=rows.value.nunique()
    )
    # Two users, and no value that both hold.
    found = found.filter((found.users == 2) & (found.rows == found["values"]))
    names = lake.run(found.select("namespace").order_by("namespace"))["namespace"].to_pylist()
    return tuple(name for name in names if limits.of(name).unique)


def _said(lake: Any, one: str, other: str) -> tuple[int, ...]:
    first, second = (set(records_of(lake, name)) for name in (one, other))
    said = (row for row in said_by_people(lake) if not row.same)
    return tuple(row.number for row in said if row.between(first, second))


def _denied(lake: Any, users: list[str]) -> tuple[str, ...]:
    ids, said = lake.table("identities"), lake.table("consents")
    ids = ids.filter(ids.user_id.isin(users)).select("record_key", "user_id")
    said = ids.join(said.filter(~said.granted).select("record_key", "purpose"), "record_key")
    found = said.group_by("purpose").aggregate(users=said.user_id.nunique())
    found = found.filter(found.users == 1).select("purpose").order_by("purpose")
    purposes = lake.run(found)["purpose"]
    return tuple(purposes.filter(decides(purposes)).to_pylist())


def _differ_in_consent(lake: Any, users: list[str]) -> bool:
    rows = lake.table("users")
    said = lake.run(rows.filter(rows.user_id.isin(users)).select("consent_denied").distinct())
    return len(said) > 1
