"""The first step: a folder of files becomes records, events, identifiers, profiles and items.

Received = accepted + duplicate + quarantined, per file, always. A file that has not changed is not
received again; one that has replaces its earlier reading, and its dataset is read anew, because
what the old file said first another file may now say first.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from ingestion import counting, states
from ingestion.before import (
    SAID,
    Plan,
    drop,
    former_of,
    former_records,
    known_records,
    outdate,
    plan_of,
    reading_hash,
)
from ingestion.dedupe import NEWEST, classify
from ingestion.detect import find_mapping
from ingestion.fit import BadFile, Fitted, find_files, stage
from ingestion.items import catalogue
from ingestion.mapping import Mapping
from ingestion.purposes import decides
from ingestion.quarantine import mending
from ingestion.record import Dataset, Reading, Rows
from ingestion.renamed import rename_datasets
from ingestion.report import DatasetReport, FileReport, Report
from ingestion.sources import read_dataset
from ingestion.unread import bad_report, not_read
from kg.errors import InputError
from kg.lake.scratch import Scratch
from kg.lake.writer import Step, Writer
from kg.progress import Progress, silent
from kg.words import some

STEP = "ingest"


def ingest(
    lake: Writer,
    folder: Path,
    mapping: Mapping | None = None,
    *,
    key: bytes = b"",
    progress: Progress = silent,
) -> Report:
    """Read a data folder into the lake.

    Args:
        lake: the writer of a workspace.
        folder: the data folder; sources are named relative to it.
        mapping: how it is read; without one it is found (`ingestion.detect.find_mapping`).
        key: the workspace's, so that content hashes say nothing outside of it.
        progress: where it is told how far the reading is.

    Raises:
        NotFound: there is no such folder.
        InputError: no mapping fits, or the given one does not; nothing is written then. Or no
            record can be used: a workspace that holds some stays as it was, in any other what is
            in quarantine is kept.
        Unavailable: the disk refuses.
    """
    mapping = mapping or find_mapping(folder)
    fitted = find_files(folder, mapping)
    inputs = {one.name: one.sha256 for data in fitted.datasets for one in data.sources}
    with lake.step(STEP, inputs=inputs, config={"mapping": mapping.hash()}) as step:
        if step.done:
            report = _as_of_now(Report.from_dict(step.summary["report"]), fitted)
        else:
            report = _read_into(step, fitted, _salt(key), progress)
            step.summary |= {**declared(mapping), "report": report.to_dict()}
    command = lake.workspace.command("export records -o records.csv")
    report.refuse_useless(folder.resolve().name, _KEPT.format(command))
    return report


def _as_of_now(report: Report, fitted: Fitted) -> Report:
    """What was read before, beside what lies in the folder now and is not read."""
    read = [file for file in report.files if file.dataset is not None]
    files = sorted([*read, *not_read(fitted)], key=lambda file: file.source)
    return replace(report, files=tuple(files))


_KEPT = "{} lists each with its reason; mend the files, or the mapping, and run again."
_AS_IT_WAS = (
    "The workspace is as it was; personagraph source check says it of each file. Mend the files, "
    "or the mapping, and run again."
)


def _read_into(step: Step, fitted: Fitted, salt: str, progress: Progress) -> Report:
    hashes = {data.name: reading_hash(fitted, data) for data in fitted.datasets}
    rename_datasets(step, fitted)
    plan = plan_of(step, fitted, hashes)
    with Scratch.open(step.lake.workspace.spill) as scratch:
        with progress.task("Opening files", len(plan.read)) as task:
            fitted = stage(scratch, fitted, plan.read)
            task.advance(len(plan.read))
        _refuse_unreadable(fitted, plan)
        former = former_records(step, scratch, plan)
        named = states.remembered(step, sorted(plan.changed), fitted.mapping.hash())
        drop(step, sorted(plan.changed))
        report = _read_all(_Work(step, scratch, fitted, plan, hashes, salt, former), progress)
        states.keep_remembered(step, named)
    if _holds_records(step.lake):  # as the run before left it
        report.refuse_useless(fitted.folder.resolve().name, _AS_IT_WAS)
    return report


def _holds_records(lake: Writer) -> bool:
    records = lake.table("records")
    some = records.filter(records.status == "accepted").select("record_key").limit(1)
    return len(lake.run(some)) > 0


def declared(mapping: Mapping) -> dict[str, Any]:
    """What a mapping says to the steps that follow (see `ingestion.record`)."""
    return {
        "mapping": mapping.name,
        "consent": mapping.consent.model_dump(),
        "time_zone": mapping.time_zone,
        "phone_region": mapping.phone_region,
        "sampled": mapping.sampled,
        "topic_level": mapping.topic_level,
        "describe": mapping.described(),
        "namespaces": {
            name: {"trust": trust, "unique": unique}
            for name, (trust, unique) in mapping.namespaces().items()
        },
    }


@dataclass(frozen=True)
class _Work:
    step: Step
    scratch: Scratch
    fitted: Fitted
    plan: Plan
    hashes: dict[str, str]
    salt: str
    former: Rows | None


def _refuse_unreadable(fitted: Fitted, plan: Plan) -> None:
    """A folder of which nothing can be read is a mistake, and must not replace what was read."""
    if fitted.bad and not plan.unchanged and not any(data.staged for data in fitted.datasets):
        first = fitted.bad[0]
        raise InputError(
            f"Not one file of {fitted.folder.resolve().name!r} can be read; "
            f"{first.source.name}: {first.detail}.",
            hint=mending(
                first.reason,
                "personagraph source check says it of each; mend them, or the mapping.",
            ),
        )


def _read_all(work: _Work, progress: Progress) -> Report:
    total = sum(len(data.staged) for data in work.fitted.datasets)
    files = [*not_read(work.fitted)]
    datasets: list[DatasetReport] = []
    candidates: list[Rows] = []
    items: list[Rows] = []
    with progress.task("Reading records", total) as task:
        for dataset in work.fitted.datasets:
            bad = [one for one in work.fitted.bad if one.dataset == dataset.name]
            files += [_bad(work, one) for one in bad]
            if not dataset.staged:
                continue
            outcome = _read_one(work, dataset)
            files += outcome.files
            datasets.append(outcome.report)
            candidates += outcome.candidates
            items += outcome.items
            task.advance(len(dataset.staged))
    files += _unchanged(work)
    with progress.task("Collecting items"):
        _write_items(work, items, candidates)
    files = [work.plan.beside_before(one) for one in files]
    return _report(work.fitted.mapping, files, datasets)


def _report(mapping: Mapping, files: list[FileReport], datasets: list[DatasetReport]) -> Report:
    return Report(
        mapping=mapping.name,
        consent=mapping.consent.model_dump(),
        time_zone=mapping.time_zone,
        sampled=mapping.sampled,
        files=tuple(sorted(files, key=lambda file: file.source)),
        datasets=tuple(datasets),
    )


def check(folder: Path, mapping: Mapping | None = None, *, progress: Progress = silent) -> Report:
    """The dry run: what `ingest` would make of a folder, from the beginning; writes nothing.

    Raises:
        NotFound, InputError: as `ingest`.
    """
    mapping = mapping or find_mapping(folder)
    with Scratch.open() as scratch:
        fitted = stage(scratch, find_files(folder, mapping))
        files = list(not_read(fitted))
        files += [bad_report(one) for one in fitted.bad]
        datasets = []
        readable = [data for data in fitted.datasets if data.staged]
        with progress.task("Reading records", len(readable)) as task:
            for dataset in readable:
                judged = judge(scratch, dataset, mapping, salt="")
                counted = counting.files(scratch, dataset, judged.rows)
                files += counted
                datasets.append(_dataset_report(scratch, dataset, judged, counted))
                task.advance()
        return _report(mapping, files, datasets)


@dataclass(frozen=True)
class _Outcome:
    files: list[FileReport]
    report: DatasetReport
    items: list[Rows]
    candidates: list[Rows]


@dataclass(frozen=True)
class Judged:
    """A dataset read: what became of every row, and what the accepted ones say."""

    rows: Rows
    outputs: dict[str, Rows]
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def judge(
    scratch: Scratch,
    dataset: Dataset,
    mapping: Mapping,
    salt: str,
    known: Rows | None = None,
    former: Rows | None = None,
) -> Judged:
    """Read a dataset and tell accepted, duplicate and quarantined rows apart; writes nothing."""
    reading = read_dataset(scratch, dataset, mapping, salt)
    rows = classify(scratch, scratch.keep(reading.rows), known, former)
    rows = _with_bare_denials(scratch, reading, rows)
    accepted = scratch.view(rows.filter((rows.status == "accepted") & rows.problem.isnull()))
    outputs = {name: scratch.view(make(accepted)) for name, make in reading.outputs.items()}
    if "identifiers" in outputs and "version" in rows.columns:
        outputs[states.TABLE] = states.of_repeats(
            scratch, reading.outputs["identifiers"], rows, outputs["identifiers"]
        )
    if "consents" in outputs:
        repeats = rows.filter(rows.status == "duplicate").mutate(record_key=rows.duplicate_of)
        repeated = reading.outputs["consents"](scratch.view(repeats))
        outputs["consents"] = scratch.view(_with_denials(outputs["consents"], repeated))
    if {"consents", "identifiers"} <= outputs.keys():
        bare = scratch.view(rows.filter((rows.status == "accepted") & rows.problem.notnull()))
        said = {name: reading.outputs[name](bare) for name in ("identifiers", "consents")}
        said["consents"] = said["consents"].filter(~said["consents"].granted)
        outputs |= {name: scratch.view(outputs[name].union(more)) for name, more in said.items()}
    return Judged(rows, outputs, reading.unread, reading.notes, reading.warnings)


def _with_bare_denials(scratch: Scratch, reading: Reading, rows: Rows) -> Rows:
    """The rows, with those accepted that cannot be read otherwise and yet say who denies to be
    profiled: a denial always wins. They have keys of their own, so that what else has their id is
    neither theirs nor a repeat of them, are no events, and say nothing but the denial."""
    if not {"consents", "identifiers"} <= reading.outputs.keys():
        return rows
    place = rows.place if "place" in rows.columns else rows.position.cast("string")
    own = rows.source + "#" + place + ibis.literal("/denied/") + rows.part
    lost = rows.filter((rows.status == "quarantined") & rows.named.fill_null(False))
    said = reading.outputs["consents"](scratch.view(lost.mutate(record_key=own)))
    denied = said.filter(~said.granted & decides(said.purpose)).select(bare_key="record_key")
    denied = scratch.keep(denied.distinct())
    if not scratch.fetch(denied.limit(1)):
        return rows
    joined = rows.mutate(own_key=own).left_join(denied, [("own_key", "bare_key")])
    is_bare, nothing = joined.bare_key.notnull(), ibis.null("string")
    said_of = {
        "record_key": (joined.own_key, joined.record_key),
        "dedupe_key": (joined.own_key, joined.dedupe_key),
        "status": ("accepted", joined.status),
        "kind": ("profile", joined.kind),
        "reason": (nothing, joined.reason),
    }
    changed = {name: is_bare.ifelse(bare, usual) for name, (bare, usual) in said_of.items()}
    return scratch.view(joined.mutate(**changed).drop("own_key", "bare_key"))


def _with_denials(said: Rows, repeated: Rows) -> Rows:
    """What the accepted say of consent, and what rows that repeat them deny: a denial always wins,
    so one that is said again or later, under the same key, is said of the record that is kept. Each
    file's is kept: it holds on where another is read anew and does not say it any more."""
    once = ["record_key", "purpose", "granted", "source"]
    denied = repeated.filter(~repeated.granted).group_by(once).agg(at_ms=repeated.at_ms.min())
    denied = denied.mutate(until_ms=ibis.null("int64")).select(*said.columns)
    return said.union(denied.anti_join(said, once))


def _dataset_report(
    scratch: Scratch, dataset: Dataset, judged: Judged, counted: list[FileReport]
) -> DatasetReport:
    report = counting.dataset(scratch, dataset, judged.rows, judged.outputs, counted)
    doubts = (f"{name}: {one}" for name, staged in sorted(dataset.staged.items())
              for one in staged.warnings)  # fmt: skip
    warnings = (*doubts, *judged.warnings, *report.warnings)
    return replace(report, unread=judged.unread, notes=judged.notes, warnings=warnings)


def _read_one(work: _Work, dataset: Dataset) -> _Outcome:
    known = known_records(work.step, work.scratch, dataset, work.plan)
    judged = judge(
        work.scratch,
        dataset,
        work.fitted.mapping,
        work.salt,
        known,
        former_of(dataset, work.fitted, work.former),
    )
    rows, outputs = judged.rows, judged.outputs
    replaced = 0
    if known is not None:
        replaced = outdate(work.step, work.scratch, rows, known, outputs.get("identifiers"))
    _write_records(work, dataset, rows)
    for name in (*SAID, states.TABLE):
        if name in outputs:
            data = finished(name, outputs[name], dataset, work.fitted.mapping)
            work.step.append(name, work.scratch.batches(data))
    counted = counting.files(work.scratch, dataset, rows)
    _write_files(work, dataset, counted)
    report = _dataset_report(work.scratch, dataset, judged, counted)
    report = replace(report, warnings=(*report.warnings, *_replaced(replaced)))
    keep = work.scratch.keep
    return _Outcome(
        counted,
        report,
        [keep(outputs["items"])] if "items" in outputs else [],
        [keep(outputs["item_candidates"])] if "item_candidates" in outputs else [],
    )


def _replaced(count: int) -> Iterator[str]:
    """That what the folder says took the place of what it said before."""
    if count:
        yield (
            f"{some(count, 'record')} of files that are no longer in the folder replaced by rows "
            "of the same key that say something else. Where they are other things, name more "
            "columns as `key`"
        )


def finished(name: str, rows: Rows, dataset: Dataset, mapping: Mapping) -> Rows:
    """Output rows with the columns that are the same for a whole dataset."""
    if name != "events":
        return rows
    sampled = (dataset.table.sampled or mapping.sampled) == "lines"
    return rows.mutate(
        channel=rows.channel.fill_null(dataset.name),
        dataset=ibis.literal(dataset.name),
        sampled=ibis.literal(sampled),
    )


def _write_records(work: _Work, dataset: Dataset, rows: Rows) -> None:
    version = rows.version.fill_null(NEWEST) if "version" in rows.columns else ibis.null("int64")
    data = rows.select(
        "record_key", "source", "position", "kind", "status", "reason", "detail", "dedupe_key",
        "duplicate_of", "occurred_at_ms", "recorded_at_ms", "raw", "content_hash", version=version,
        dataset=ibis.literal(dataset.name),
    )  # fmt: skip
    work.step.append("records", work.scratch.batches(data))


def _write_files(work: _Work, dataset: Dataset, counted: list[FileReport]) -> None:
    found = {one.name: one for one in dataset.sources}
    work.step.append("files", pa.Table.from_pylist([
        {
            "source": one.source, "dataset": dataset.name,
            "size_bytes": found[one.source].size_bytes, "sha256": found[one.source].sha256,
            "received": one.received, "accepted": one.accepted, "duplicate": one.duplicate,
            "quarantined": one.quarantined,
            "modified_at_ms": found[one.source].modified_at_ms,
            "mapping_hash": work.hashes[dataset.name],
        }
        for one in counted
    ]))  # fmt: skip


def _bad(work: _Work, bad: BadFile) -> FileReport:
    report = bad_report(bad)
    dataset = next(data for data in work.fitted.datasets if data.name == bad.dataset)
    _write_files(work, dataset, [report])
    return report


def _unchanged(work: _Work) -> Iterator[FileReport]:
    for row in work.step.arrow("files").to_pylist():
        if row["source"] not in work.plan.unchanged:
            continue
        yield FileReport(
            row["source"], row["dataset"], "unchanged", None, "read before", row["received"],
            row["accepted"], row["duplicate"], row["quarantined"],
        )  # fmt: skip


def _write_items(work: _Work, items: list[Rows], candidates: list[Rows]) -> None:
    before = work.step.arrow("items").drop_columns(["run_id"])
    found = catalogue(work.scratch, items, candidates, before, work.former)
    if found is not None:
        work.step.overwrite("items", work.scratch.batches(found))


def _salt(key: bytes) -> str:
    return hashlib.sha256(b"content" + key).hexdigest()[:16]
