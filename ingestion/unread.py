"""The files of a folder that are not read, and why."""

from collections.abc import Iterator

from ingestion.dated import every_date, every_number
from ingestion.fit import BadFile, Fitted
from ingestion.report import FileReport
from ingestion.wholeness import HOLDS_NONE, without_data
from kg.lake.partitions import every_partition
from kg.words import WARNING

_UNKNOWN = "nothing says how to read it: it is of no format that is known by itself"


def not_read(fitted: Fitted) -> Iterator[FileReport]:
    """Those that no table of the mapping names, or cannot."""
    for name, reason in fitted.unusable.items():
        yield FileReport(name, None, "unreadable", None, reason)
    for name, reason in fitted.ignored.items():
        yield FileReport(name, None, "ignored", None, reason)
    for name in fitted.linked:
        yield FileReport(name, None, "linked", None, "other files take values from it")
    for name in fitted.unmapped:
        why = without_data(fitted.folder / name)
        if why is None or why.detail in HOLDS_NONE:
            detail = _not_named(fitted, name) if why is None else why.detail
            yield FileReport(name, None, "unmapped", None, detail)
        else:
            yield FileReport(name, None, "unreadable", None, str(why))


def _not_named(fitted: Fitted, name: str) -> str:
    """That the mapping does not name a file; what to write if it names other parts of its table."""
    read = [one.name for data in fitted.datasets for one in data.sources]
    alike = ((every_partition, "partitions"), (every_date, "dates"), (every_number, "numbers"))
    for every, what in alike:
        glob = every(name)
        if glob is not None and any(every(other) == glob for other in read):
            if not fitted.mapping.is_written:
                return f"{WARNING}files of other {what} are read, and this one is not: {_UNKNOWN}"
            return f"{WARNING}the mapping names other {what}, and not this one: write `{glob}`"
    return "the mapping does not name it" if fitted.mapping.is_written else _UNKNOWN


def bad_report(bad: BadFile) -> FileReport:
    """A file of a table that cannot be read."""
    detail = f"{bad.reason}: {bad.detail}"
    return FileReport(bad.source.name, bad.dataset, "unreadable", None, detail)
