"""Whether ids that a source gave its people became far fewer people: a mistake, or a mapping's."""

from typing import Any

from ingestion.identity.limits import Limits
from ingestion.identity.links import distinct
from ingestion.identity.people import People
from ingestion.identity.users import Users

PRIMARY_TRUST = 1
"""The trust of ids of which a person has one, so that there are about as many people as ids."""
FEWEST_IDS, FEW_PEOPLE = 20, 0.7
"""Below this share of people for each id (of so many ids or more) somebody should look."""


def gathered(people: People, users: Users, limits: Limits) -> list[dict[str, Any]]:
    """Namespaces of primary ids that became far fewer people than there are ids; ids that their
    source has merged are one."""
    said = people.statements
    user = users.user[said.record]
    found = []
    for code, name in enumerate(people.namespace_names):
        mine = (said.namespace[said.value] == code) & (user >= 0)
        values, owners = len(distinct(said.meant[mine])), len(distinct(user[mine]))
        primary = limits.of(name).trust == PRIMARY_TRUST
        if primary and values >= FEWEST_IDS and owners < FEW_PEOPLE * values:
            found.append({"namespace": name, "values": values, "people": owners})
    return found
