"""Whether ids that a source gave its people became far fewer people: a mistake, or a mapping's."""

from typing import Any

from ingestion.identity.limits import Limits
from ingestion.identity.statements import CUT

PRIMARY_TRUST = 1
"""The trust of ids of which a person has one, so that there are about as many people as ids."""
FEWEST_IDS, FEW_PEOPLE = 20, 0.7
"""Below this share of people for each id (of so many ids or more) somebody should look."""


def gathered(step: Any, limits: Limits) -> list[dict[str, Any]]:
    """Namespaces of primary ids that became far fewer people than there are ids.

    Ids that their source has merged into others are those others. Reads statements, identities and
    merged_ids, of everybody.
    """
    said, merged = step.table("statements"), step.table("merged_ids")
    said = said.filter(said.fate.isnull() | (said.fate == CUT))
    said = said.anti_join(merged, ["namespace", "value"])
    owned = said.inner_join(step.table("identities"), "record_key")
    rows = owned.group_by("namespace").agg(
        values=owned.value.nunique(), people=owned.user_id.nunique()
    )
    return [
        row
        for row in step.lake.run(rows.order_by("namespace")).to_pylist()
        if limits.of(row["namespace"]).trust == PRIMARY_TRUST
        and row["values"] >= FEWEST_IDS
        and row["people"] < FEW_PEOPLE * row["values"]
    ]
