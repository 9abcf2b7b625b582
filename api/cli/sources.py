"""`personagraph source`: what is read, how, and what would become of a folder's records."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from api.cli.console import TerminalProgress, escape, print_json, stdout
from api.cli.proposals import undescribed
from ingestion.report import NAMELESS, OF_NOBODY, PLACEHOLDERS, DatasetReport, Report
from kg.words import WARNING, some

_LISTED = (
    "each quarantined record: `personagraph export records -o records.csv -w W` lists it with its "
    "reason, once the folder was run into a workspace W"
)


def list_formats(as_json: bool) -> None:
    """The formats that are read, and the mappings that are shipped."""
    from ingestion.detect import known_formats

    found = known_formats()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table("name", "kind", "about")
    for one in found:
        table.add_row(one.name, one.kind, escape(one.about))
    stdout().print(table)


def check(data: str, mapping: Path | None, as_json: bool) -> None:
    """The dry run: every file and dataset, nothing written.

    Raises:
        InputError: nothing says how to read some files, not one record can be used, or some files
            cannot be read; said once all is shown.
    """
    from ingestion.ingest import check as dry_run
    from ingestion.mapping import load
    from ingestion.places import opened
    from ingestion.propose import is_needed

    progress = TerminalProgress()
    with opened(data, mapping, progress=progress) as folder:
        report = dry_run(folder, load(mapping) if mapping else None, progress=progress)
        name = folder.resolve().name
        refused = undescribed(data, folder) if mapping is None and is_needed(folder) else None
    if as_json:
        print_json(report.to_dict())
    else:
        _show(report)
    if refused is not None:
        raise refused
    report.refuse_useless(name, "Mend the files, or the mapping; docs/mapping.md shows one.")
    report.refuse_unread("Mend them, or take them out of the folder; a run leaves them out.")


def _show(report: Report) -> None:
    console = stdout()
    console.print(files_table(report))
    for dataset in report.datasets:
        console.print(f"[bold]{escape(dataset.name)}[/] ({dataset.kind})")
        for line in dataset_lines(dataset):
            console.print(f"  {escape(line)}", soft_wrap=True)
    if report.total("quarantined"):
        console.print(escape(_LISTED), soft_wrap=True)
    console.print(escape(declared(report)), soft_wrap=True)
    console.print("[dim]nothing was written[/]")


def files_table(report: Report) -> Table:
    """What becomes of every file."""
    table = Table("file", "read as", "status")
    for name in ("received", "accepted", "duplicate", "quarantined"):
        table.add_column(name, justify="right")
    for file in report.files:
        reasons = ", ".join(
            f"{count:,} {code} (first: row {file.first[code]:,})"
            for code, count in file.reasons.items()
        )
        note = file.detail or reasons
        counts = (file.received, file.accepted, file.duplicate, file.quarantined)
        table.add_row(
            escape(file.source),
            escape(file.recognised_as or file.dataset or ""),
            file.status + (f"\n[dim]{escape(note)}[/]" if note else ""),
            *(f"{count:,}" for count in counts),
        )
    return table


def dataset_lines(dataset: DatasetReport) -> Iterator[str]:
    """What the accepted records of a dataset hold, a line each."""
    from api.views import instant

    if dataset.from_ms is not None and dataset.to_ms is not None:
        yield f"from {instant(dataset.from_ms)} to {instant(dataset.to_ms)}"
    for namespace, counts in dataset.identifiers.items():
        yield (
            f"identifier {namespace}: {some(counts['distinct'], 'value')} on "
            f"{some(counts['records'], 'record')}, the commonest on {counts['most']:,}"
        )
    if dataset.of_nobody:
        yield f"{some(dataset.of_nobody, 'record')} {OF_NOBODY}"
    if dataset.placeholders:
        yield f"{some(dataset.placeholders, 'record')} {PLACEHOLDERS}"
    if anonymous := dataset.anonymous - dataset.placeholders:
        yield f"{some(anonymous, 'record')} {NAMELESS}"
    if dataset.verbs:
        yield "verbs: " + ", ".join(f"{verb} {count:,}" for verb, count in dataset.verbs.items())
    if dataset.with_item_share is not None:
        yield f"{dataset.with_item_share:.0%} of events are about an item"
    for warning in dataset.warnings:
        yield f"{WARNING}{warning}"


def declared(report: Report) -> str:
    """What the mapping declares, in a sentence."""
    consent = report.consent
    text = (
        f"mapping {report.mapping}: people who said nothing have consent {consent['default']} "
        f"(basis: {consent['basis']})"
    )
    if report.time_zone:
        text += f"; times without a zone are in {report.time_zone}"
    if report.sampled != "no":
        text += f"; a sample of {report.sampled}"
    return text
