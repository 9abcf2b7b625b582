"""What every source becomes: rows of one shape, from which the lake's tables are written.

A *record* is one thing a source said, one received row, and has one row in `records`. What others
may rely on:

- `record_key` is `<file relative to the data folder>#<the source's own id, or the 1-based row>`;
  a row keeps it when another file of its dataset has it later, or another line, and another row at
  a place that was named is `…#<row>~<hash>`;
  duplicates carry the key of the record they repeat, so `record_key` is unique among the accepted
  only. `events`, `identifiers` and `profiles` hold accepted records alone, `consents` also what
  their duplicates deny. A row that cannot be read and denies to be profiled is accepted for that
  alone: a profile `<file>#<row>/denied/`, of which there are identifiers and the denial.
- **One record may be several events.** An order with a list of products is one message and one
  event per product; a survey response is one event per answered question; a row with several
  times (sent, opened, clicked) is one event for each. They share the `record_key`; count records
  by distinct `record_key`, events by row. The record's own time is that of its first event.
- One record may name a person by several identifiers, several of one namespace included.
- `items` is unique by (`role`, `item_id`): a campaign and an item may bear the same id.
- `summary("ingest")` of the lake says what the mapping declared for the steps that follow:
  `consent`, `time_zone`, `sampled`, `topic_level`, `describe` (trait names that claims may use),
  `namespaces` ({name: {trust, unique}}) and the report of the reading.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.table import Table
from kg.lake.files import Staged

Rows = Any  # an Ibis table

ROW = (
    "source", "position", "id", "content", "part", "problem", "detail", "raw", "kind",
    "occurred_at_ms", "recorded_at_ms", "named", "dropped_identifiers",
)  # fmt: skip

EVENT = (
    "channel", "verb", "item_id", "object", "category", "text", "basket_id", "quantity", "value",
    "campaign_id", "arm",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """One file of a data folder.

    Attributes:
        name: relative to the folder, with forward slashes.
        modified_at_ms: when it was last written; what it says happened before, give or take a day.
    """

    path: Path
    name: str
    size_bytes: int
    sha256: str
    modified_at_ms: int


@dataclass(frozen=True)
class Dataset:
    """The files of one table of the mapping, and those of them that can be read."""

    name: str
    table: Table
    sources: tuple[Source, ...]
    staged: dict[str, Staged] = field(default_factory=dict)  # source name -> readable columns
    links: dict[str, tuple[Staged, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What a source module makes of a dataset.

    Attributes:
        rows: one row per received record, the columns of `ROW` and whatever `outputs` need.
        outputs: name of a lake table -> from accepted rows (with `record_key`) to its rows; beside
            the tables of the lake `item_candidates` (item_id, title, categories, price).
        unread: columns or fields of the files that nothing is made of.
        notes: sentences on how the files were understood.
        warnings: sentences on what in the mapping seems to be a mistake.
    """

    rows: Rows
    outputs: dict[str, Callable[[Rows], Rows]]
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
