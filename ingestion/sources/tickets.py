"""Support tickets as a help desk exports them (Zendesk-like): JSON lines, one ticket each.

A ticket is an event of channel `support`, verb `asked`; its text is scrubbed before it is stored.
Read as a generic table whose mapping is written here, so that there is one way to read a row.
"""

from dataclasses import replace

from ingestion.mapping import Mapping
from ingestion.record import Dataset, Reading
from ingestion.sources import tables
from ingestion.table import Table
from kg.lake.scratch import Scratch

# namespace -> where it stands in a ticket
IDENTIFIERS = {
    "zendesk": ["requester_id", "requester.id"],
    "email": ["requester.email", "via.source.from.address"],
    "phone": ["requester.phone"],
    "user_id": ["requester.external_id"],
}


_USUAL = Table.model_validate(
    {
        "files": "any",
        "kind": "event",
        "key": "id",
        "identifiers": IDENTIFIERS,
        "person": {"name": "requester.name"},
        "time": "created_at",
        "channel": "support",
        "verb": "asked",
        "category": "type",
        "text": ["subject", "description"],
    }
)
_MAY_OVERRIDE = ("key", "time", "channel", "verb", "category", "text")


def as_table(table: Table) -> Table:
    """The generic table that reads tickets, with what the mapping adds or overrides."""
    usual = {name: getattr(table, name) or getattr(_USUAL, name) for name in _MAY_OVERRIDE}
    identifiers = {**_USUAL.identifiers, **table.identifiers}
    who = {"identifiers": identifiers, "person": table.person or _USUAL.person}
    return table.model_copy(update={**usual, **who, "kind": "event"})


def read(scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str) -> Reading:
    """Read tickets as events."""
    return tables.read(scratch, replace(dataset, table=as_table(dataset.table)), mapping, salt)
