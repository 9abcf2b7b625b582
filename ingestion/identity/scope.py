"""Whom a pass decides about anew; everybody else stays as the lake has them."""

from dataclasses import dataclass

import pyarrow as pa

from ingestion.identity.part import Part


@dataclass(frozen=True)
class Scope:
    """Records that hang together with nobody outside.

    Attributes:
        part: what the step reads of them and of the users that they were.
        users: ids of these.
        shared: (namespace, value) that more people share than their limit, also outside.
    """

    part: Part
    users: pa.Array
    shared: pa.Table

    @property
    def records(self) -> pa.Array:
        """Their keys."""
        return self.part.records
