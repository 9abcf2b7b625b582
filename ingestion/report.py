"""What a reading came to, per file and per dataset, for people and for programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from ingestion.quarantine import ROW_REASONS, mending
from kg.errors import InputError, PartlyRead
from kg.words import some

_TUPLES = ("warnings", "unread", "notes", "key")
_KEPT = "kept, and somebody's only where a profile says who it is about"
NAMELESS = f"without any identifier: {_KEPT}"
PLACEHOLDERS = (
    "that name nobody but by what stands for nobody (-1, 0, null, unknown, guest, a telephone "
    f"number of too few digits and the like): {_KEPT}"
)
OF_NOBODY = "about nobody, by a `nobody` condition: kept, and of no person"
MOST_LOST = 0.1
"""Share of its records that a file may lose without a warning."""


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        status: read, unchanged, unreadable, ignored, linked or unmapped.
        detail: why, for a file that was not read.
        reasons: code -> how many rows it has quarantined.
        first: code -> the first of these rows, from 1 (its key may be a value of it, so it is not
            named by that).
        received: always accepted + duplicate + quarantined.
        differing: of the duplicates, those that say something else than the record that is kept.
        usable_before: how many were usable when the file was read before, of one read again.
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
    first: dict[str, int] = field(default_factory=dict)
    usable_before: int | None = None
    differing: int = 0

    @property
    def usable(self) -> int:
        """Records that were read, here or where another file says the same."""
        return self.accepted + self.duplicate

    @property
    def gone(self) -> int:
        """How many fewer are usable than when the file was read before; 0 of one read once."""
        return 0 if self.usable_before is None else self.usable_before - self.usable


@dataclass(frozen=True)
class DatasetReport:
    """What the accepted records of a dataset hold.

    Attributes:
        identifiers: namespace -> {records, distinct, most} (most: records of the commonest value).
        anonymous: accepted records without any identifier, `of_nobody` not among them.
        of_nobody: accepted records that a `nobody` condition of the mapping makes nobody's.
        dropped_identifiers: values that name nobody (`null`, `0`, a telephone number of too few
            digits, ..., far too long ones).
        placeholders: of `anonymous`, those that gave such values and no others.
        from_ms, to_ms: first and last time.
        with_item_share: of events, 0 to 1.
        left_out: accepted records that no person caused (robots, pings, …): they are no events.
        new_fields: fields that the format is not known to have -> records that have them.
        warnings: sentences a person should read before going on.
        unread: columns or fields of the files that nothing is made of, new ones among them.
        notes: sentences on how the files were understood.
        key: the columns that are the id of a row, where the mapping names some.
        differing: duplicates that say something else than the record that is kept.
    """

    name: str
    kind: str
    accepted: int
    identifiers: dict[str, dict[str, int]] = field(default_factory=dict)
    anonymous: int = 0
    of_nobody: int = 0
    dropped_identifiers: int = 0
    placeholders: int = 0
    from_ms: int | None = None
    to_ms: int | None = None
    with_item_share: float | None = None
    verbs: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    left_out: int = 0
    new_fields: dict[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    differing: int = 0

    def same_key(self) -> Iterator[str]:
        """That different rows have one key, if they do: the key may be a wrong one."""
        if self.differing:
            yield (
                f"{some(self.differing, 'duplicate')} with the key ({', '.join(self.key)}) of a "
                "record that differs: the one read first is kept, of the others only a denial of "
                "consent counts. Where they are other things, name more columns as `key`; where "
                "they are states of one thing, say which is newest (`newest`)"
            )


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

    def shrunk(self) -> list[FileReport]:
        """Files that lost more than a tenth of their records since they were read before.

        Those that lost most come first. An export that was cut off looks like one of which much
        was deleted, so only a person can tell.
        """
        found = [one for one in self.files if one.gone > MOST_LOST * (one.usable + one.gone)]
        return sorted(found, key=lambda one: (-one.gone, one.source))

    def refuse_useless(self, name: str, hint: str) -> None:
        """A folder without one usable record is a mistake, never a finding about people.

        Args:
            name: of the folder.
            hint: what to do.

        Raises:
            InputError: no record was accepted, nor is one a duplicate of one that was.
        """
        if any(file.usable for file in self.files):
            return
        reasons: Counter[str] = Counter()
        for file in self.files:
            reasons.update(file.reasons)
        broken = [file for file in self.files if file.status == "unreadable"]
        why = f"{broken[0].source}: {broken[0].detail}" if broken else "its files hold none"
        if not broken and not reasons:
            hint = "Export them again, with records in them; what was read before stays as it was."
        if all(file.status in {"ignored", "unmapped", "linked"} for file in self.files):
            why = "the mapping reads none of its files"
            hint = (
                "Say in the mapping which file holds what people did (`kind: event`) and which "
                "column names them; files that name nobody tell of no personas."
            )
        if reasons:
            code, count = min(reasons.items(), key=lambda one: (-one[1], one[0]))
            why = f"of {count:,} the reason is that a record {ROW_REASONS[code]} ({code})"
            hint = mending(code, hint)
        received = self.total("received")
        which = f"Not one of {some(received, 'record')}" if received else "No record"
        raise InputError(f"{which} in {name!r} can be used: {why}.", hint=hint, reasons=reasons)

    def refuse_unread(self, hint: str) -> None:
        """Said last, when all else is done: a program must see that files are missing.

        Args:
            hint: what to do.

        Raises:
            PartlyRead: some files could not be read at all.
        """
        unread = [file for file in self.files if file.status == "unreadable"]
        if unread:
            first = f"{unread[0].source} ({unread[0].detail})"
            more = f" and {len(unread) - 1:,} more" if unread[1:] else ""
            raise PartlyRead(f"All was read but {first}{more}.", hint=hint, files=len(unread))

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
                    **{name: tuple(one.get(name, ())) for name in _TUPLES},
                }
            )
            for one in values["datasets"]
        )
        return cls(**{**values, "files": files, "datasets": datasets})
