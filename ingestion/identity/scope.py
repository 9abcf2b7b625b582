"""Whom a pass decides about anew; everybody else stays as the lake has them."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ingestion.identity.part import Part


@dataclass(frozen=True)
class Scope:
    """Records that hang together with nobody outside.

    Attributes:
        records: their keys.
        users: the users that they were.
        shared: (namespace, value) that more people share than their limit, also outside.
    """

    records: pa.Array
    users: pa.Array
    shared: pa.Table

    def of(self, step: Any) -> Part:
        """What a step reads, of these records alone."""
        return Part(step, self.records, self.users)
