"""What a reading came to, per file and per dataset, for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        status: read, unchanged, unreadable, ignored, linked or unmapped.
        detail: why, for a file that was not read.
        reasons: code -> how many rows it has quarantined.
        received: always accepted + duplicate + quarantined.
    """

    source: str
    dataset: str | None
    status: str
    recognised_as: str | None = None
    detail: str | None = None
    received: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetReport:
    """What the accepted records of a dataset hold.

    Attributes:
        identifiers: namespace -> {records, distinct, most} (most: records of the commonest value).
        anonymous: accepted records without any identifier.
        dropped_identifiers: values that name nobody (`null`, `0`, ..., far too long ones).
        from_ms, to_ms: first and last time.
        with_item_share: of events, 0 to 1.
        left_out: accepted records that no person caused (robots, pings, …): they are no events.
        new_fields: fields that the format is not known to have -> records that have them.
        warnings: sentences a person should read before going on.
        unread: columns or fields of the files that nothing is made of, new ones among them.
        notes: sentences on how the files were understood.
    """

    name: str
    kind: str
    accepted: int
    identifiers: dict[str, dict[str, int]] = field(default_factory=dict)
    anonymous: int = 0
    dropped_identifiers: int = 0
    from_ms: int | None = None
    to_ms: int | None = None
    with_item_share: float | None = None
    verbs: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    left_out: int = 0
    new_fields: dict[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """One reading of a folder."""

    mapping: str
    consent: dict[str, str]
    time_zone: str | None
    sampled: str
    files: tuple[FileReport, ...]
    datasets: tuple[DatasetReport, ...]
    mapping_from: str = ""

    def total(self, count: str) -> int:
        """Sum of `received`, `accepted`, `duplicate` or `quarantined` over the files."""
        return sum(int(getattr(file, count)) for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Report":
        """Back from JSON values."""
        files = tuple(FileReport(**one) for one in values["files"])
        datasets = tuple(
            DatasetReport(
                **{
                    **one,
                    **{name: tuple(one.get(name, ())) for name in ("warnings", "unread", "notes")},
                }
            )
            for one in values["datasets"]
        )
        return cls(**{**values, "files": files, "datasets": datasets})
