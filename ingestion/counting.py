"""Counting what became of every row of a file and what the accepted records of a dataset hold."""

from collections.abc import Iterator
from typing import Any

import ibis

from ingestion.lengths import MOST_BYTES
from ingestion.quarantine import MENDS, ROW_REASONS
from ingestion.record import Dataset, Rows
from ingestion.report import DatasetReport, FileReport
from kg.lake.scratch import Scratch
from kg.words import some

_SHOWN_FIELDS = 20
_OTHER_NAMES = "(other names)"
_ABOUT = ("item_id", "object", "category", "text", "campaign_id")  # of an event: something to go by
_MANY = 50  # more distinct values than this are no trait to describe people by

ONE_VALUE = "one value is in"
ABOUT_NOTHING = (
    "0 % of its events are about an item, an object or a category, so there is nothing to find "
    "topics and personas by: name the column that says what they are about, or the one with the "
    "event's name as its object, too (docs/mapping.md)"
)


def files(scratch: Scratch, dataset: Dataset, rows: Rows) -> list[FileReport]:
    """One report per file that was read."""
    counts = scratch.fetch(
        rows.group_by("source", "status", "reason").agg(
            rows=rows.count(), differing=rows.differs.sum(), first=rows.position.min()
        )
    )
    found: dict[str, dict[str, Any]] = {
        name: {
            "accepted": 0,
            "duplicate": 0,
            "quarantined": 0,
            "differing": 0,
            "reasons": {},
            "first": {},
        }
        for name in dataset.staged
    }
    for row in sorted(counts, key=lambda row: (row["source"], row["reason"] or "")):
        mine = found[row["source"]]
        mine[row["status"]] += row["rows"]
        mine["differing"] += row["differing"]
        if row["reason"]:
            mine["reasons"][row["reason"]] = row["rows"]
            mine["first"][row["reason"]] = row["first"]
    return [
        FileReport(
            source=name, dataset=dataset.name, status="read",
            recognised_as=dataset.table.format or dataset.staged[name].shape,
            received=mine["accepted"] + mine["duplicate"] + mine["quarantined"], **mine,
        )
        for name, mine in sorted(found.items())
    ]  # fmt: skip


def dataset(
    scratch: Scratch,
    data: Dataset,
    rows: Rows,
    outputs: dict[str, Rows],
    counted: list[FileReport],
) -> DatasetReport:
    """What the accepted records of a dataset hold, with warnings; `counted` are its files."""
    accepted = rows.filter(rows.status == "accepted")
    unnamed = ~accepted.named & (accepted.dropped_identifiers > 0)
    if "_concerned" in accepted.columns:
        unnamed = unnamed & accepted["_concerned"]
    facts = scratch.fetch(
        accepted.agg(
            accepted=accepted.count(),
            named=accepted.named.sum().fill_null(0),
            dropped=accepted.dropped_identifiers.sum().fill_null(0),
            placeholders=unnamed.sum().fill_null(0),
            bare=accepted.problem.notnull().sum().fill_null(0),
            from_ms=accepted.occurred_at_ms.min(),
            to_ms=accepted.occurred_at_ms.max(),
            of_nobody=(~accepted["_concerned"]).sum().fill_null(0)
            if "_concerned" in accepted.columns
            else ibis.literal(0),
            left_out=accepted.left_out.sum().fill_null(0)
            if "left_out" in accepted.columns
            else ibis.literal(0),
        )
    )[0]
    identifiers = _identifiers(scratch, outputs)
    events = _events(scratch, outputs)
    report = DatasetReport(
        name=data.name,
        kind=data.table.kind or data.table.format or "",
        accepted=facts["accepted"],
        identifiers=identifiers,
        anonymous=facts["accepted"] - facts["named"] - facts["of_nobody"]
        if _names_people(data)
        else 0,
        of_nobody=facts["of_nobody"],
        dropped_identifiers=facts["dropped"],
        placeholders=facts["placeholders"],
        from_ms=facts["from_ms"],
        to_ms=facts["to_ms"],
        with_item_share=events["with_item_share"],
        verbs=events["verbs"],
        warnings=(),
        left_out=facts["left_out"],
        new_fields=_new_fields(scratch, outputs),
        key=data.table.key,
        differing=sum(file.differing for file in counted),
    )
    warnings = (
        *_quarantined(counted),
        *_bare_denials(facts["bare"]),
        *_news(report),
        *_warnings(report, events),
        *_trait_warnings(scratch, data, outputs),
        *report.same_key(),
    )
    return DatasetReport(**{**report.__dict__, "warnings": warnings})


def _names_people(data: Dataset) -> bool:
    return any(one.kind not in {"item", "campaign"} for one in data.table.each)


def _identifiers(scratch: Scratch, outputs: dict[str, Rows]) -> dict[str, dict[str, int]]:
    if "identifiers" not in outputs:
        return {}
    rows = outputs["identifiers"]
    per_value = rows.group_by("namespace", "value").agg(records=rows.count())
    summed = per_value.group_by("namespace").agg(
        records=per_value.records.sum(), distinct=per_value.count(), most=per_value.records.max()
    )
    found = {row.pop("namespace"): row for row in scratch.fetch(summed)}
    return dict(sorted(found.items()))


def _events(scratch: Scratch, outputs: dict[str, Rows]) -> dict[str, Any]:
    if "events" not in outputs:
        return {"with_item_share": None, "verbs": {}}
    rows = outputs["events"]
    about = [rows[name].notnull() for name in _ABOUT]
    counted = rows.group_by("verb").agg(
        count=rows.count(), items=rows.item_id.count(), about=ibis.or_(*about).sum()
    )
    verbs = scratch.fetch(counted)
    total = sum(row["count"] for row in verbs)
    with_item = sum(row["items"] for row in verbs)
    distinct = scratch.fetch(rows.agg(n=rows.item_id.nunique()))[0]["n"]
    ordered = sorted(verbs, key=lambda row: (-row["count"], row["verb"]))
    return {
        "with_item_share": with_item / total if total else None,
        "verbs": {row["verb"]: row["count"] for row in ordered[:30]},
        "items": distinct,
        "with_item": with_item,
        "about": sum(row["about"] for row in verbs),
    }


def _new_fields(scratch: Scratch, outputs: dict[str, Rows]) -> dict[str, int]:
    """Names of fields that are new to a format and the records that have them; a name that may be
    somebody's data is not repeated."""
    if "new_fields" not in outputs:
        return {}
    rows = outputs["new_fields"]
    plain = rows.name.re_search(r"^[A-Za-z_$][A-Za-z0-9_$.\-]{0,59}$")
    counted = rows.group_by(name=plain.ifelse(rows.name, _OTHER_NAMES)).agg(records=rows.count())
    ordered = counted.order_by(ibis.desc("records"), "name").limit(_SHOWN_FIELDS)
    return {row["name"]: row["records"] for row in scratch.fetch(ordered)}


def _news(report: DatasetReport) -> Iterator[str]:
    for name, records in report.new_fields.items():
        yield f"the field {name!r} is new to this format: {some(records, 'record')} with it, unread"
    if report.left_out:
        yield (
            f"{some(report.left_out, 'record')} accepted and no events, because no person "
            "caused them (docs/sources.md says which)"
        )


def _quarantined(counted: list[FileReport]) -> Iterator[str]:
    codes = sorted({code for file in counted for code in file.reasons})
    for code in codes:
        count = sum(file.reasons.get(code, 0) for file in counted)
        mend = f"; {MENDS[code]}" if code in MENDS else ""
        yield f"{some(count, 'row')} quarantined as {code}: each {ROW_REASONS[code]}{mend}"


def _bare_denials(count: int) -> Iterator[str]:
    if count:
        yield (
            f"{some(count, 'row')} with a denial of consent cannot be read otherwise (a time, a "
            "number, an id): the denial holds, and nothing else of them is kept; mend them"
        )


def _warnings(report: DatasetReport, events: dict[str, Any]) -> Iterator[str]:
    for name, facts in report.identifiers.items():
        if facts["distinct"] == 1 and facts["records"] > 20:
            yield f"{name}: all {facts['records']} records have one and the same value"
        elif facts["most"] > max(1000, 0.2 * facts["records"]):
            many = f"{facts['most']:,} of {facts['records']:,} records"
            yield f"{name}: {ONE_VALUE} {many} (a robot, or a word for nobody?)"
    if report.dropped_identifiers:
        yield (
            f"{report.dropped_identifiers} identifiers name nobody (null, 0, too few digits, …, "
            f"more than {MOST_BYTES:,} bytes) and were dropped"
        )
    if events.get("with_item", 0) > 1000 and events["items"] > 0.9 * events["with_item"]:
        yield (
            f"{events['items']} items in {events['with_item']} events: "
            "almost every event has an item of its own, so the column may be no item id"
        )
    if events["verbs"] and not events["about"]:
        yield ABOUT_NOTHING
    if len(events["verbs"]) >= 30:
        yield "30 verbs or more: a column of free values may have been taken for the verb"


def _trait_warnings(scratch: Scratch, data: Dataset, outputs: dict[str, Rows]) -> Iterator[str]:
    if "profiles" not in outputs or not data.table.describe:
        return
    from ingestion.functions import json_texts

    rows = outputs["profiles"]
    paths = [f'$."{name}"' for name in data.table.describe]
    values = rows.select(found=json_texts(rows.traits, ibis.literal(paths)))
    counts = values.agg(
        **{name: values.found[n].nunique() for n, name in enumerate(data.table.describe)}
    )
    for name, distinct in scratch.fetch(counts)[0].items():
        if distinct > _MANY:
            yield f"trait {name!r} has {distinct} values: too many to describe people by"
        elif distinct == 1:
            yield f"trait {name!r} has a single value: it tells nobody apart"
