"""What the lake holds of earlier readings: which files are read again, what stays of the others,
what records were called, and which of them are out of date."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from ingestion import states
from ingestion.fit import Fitted, links_of, source
from ingestion.record import Dataset, Rows
from ingestion.report import FileReport
from ingestion.table import Table
from kg.lake.code import code_version
from kg.lake.scratch import Scratch
from kg.lake.tables import TABLES
from kg.lake.writer import Step

SAID = ("events", "identifiers", "profiles", "consents", "person_details", "merged_ids")
"""Tables of what records say."""
_BY_SOURCE = (
    *(name for name in reversed(SAID) if name != "consents"), states.TABLE, "records", "files",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Files to read, and those that were read before.

    Attributes:
        read: names of those to read.
        before: name -> row of the table `files`.
        unchanged: names of those in the folder that need no reading.
    """

    read: set[str]
    before: dict[str, dict[str, Any]]
    unchanged: set[str]

    @property
    def changed(self) -> set[str]:
        """Files that are read again."""
        return self.read & set(self.before)

    def beside_before(self, file: FileReport) -> FileReport:
        """With how much of it was usable when it was read before."""
        if file.source not in self.changed:
            return file
        row = self.before[file.source]
        return replace(file, usable_before=row["accepted"] + row["duplicate"])


def reading_hash(fitted: Fitted, dataset: Dataset) -> str:
    """What besides a file itself decides what is read from it: mapping, program, linked files."""
    found = [name for name in links_of(dataset.table) if (fitted.folder / name).is_file()]
    linked = [source(fitted.folder, name).sha256 for name in found]
    text = "\n".join([fitted.mapping.hash(), code_version(), *linked])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_of(step: Step, fitted: Fitted, hashes: dict[str, str]) -> Plan:
    """Which files are read: those that are new or have changed, and with one that has changed, or
    with any where one part of a dataset links to another, all of it; `hashes`: of each dataset,
    what else decides what is read."""
    before = {row["source"]: row for row in step.arrow("files").to_pylist()}
    read: set[str] = set()
    unchanged: set[str] = set()
    for dataset in fitted.datasets:
        names = {one.name for one in dataset.sources}
        same = {one.name for one in dataset.sources if one.name in before
                and before[one.name]["sha256"] == one.sha256
                and before[one.name]["mapping_hash"] == hashes[dataset.name]}  # fmt: skip
        # What a file does not say any more another may have said as well; and what one says of
        # an author decides about texts in another.
        if (names - same) & set(before) or (names - same and _links_parts(dataset.table)):
            same = set()
        read |= names - same
        unchanged |= same
    return Plan(read, before, unchanged)


def _links_parts(table: Table) -> bool:
    return any(link.part for part in table.parts.values() for link in part.links.values())


def former_records(step: Step, scratch: Scratch, plan: Plan) -> Rows | None:
    """What records were called before (source, dataset, dedupe_key, record_key, content_hash,
    reread): the accepted ones of the files that are read again (`reread`), those that are called by
    another file than theirs, and those that are gone, of which files that are not read now hold
    repeats (`gone`)."""
    columns = ("source", "dataset", "dedupe_key", "record_key", "content_hash")
    records = step.table("records")
    accepted = records.filter(records.status == "accepted")
    found = []
    if plan.changed:
        reread = accepted.source.isin(sorted(plan.changed))
        elsewhere = ~accepted.record_key.startswith(accepted.source + "#")
        named = accepted.filter(reread | elsewhere)
        found.append(step.lake.run(named.select(*columns, reread=reread, gone=ibis.literal(False))))
    left = [name for name, row in plan.before.items() if name not in plan.read and row["duplicate"]]
    if left:
        repeats = records.filter((records.status == "duplicate") & records.source.isin(left))
        repeats = repeats.anti_join(accepted, ["dataset", "dedupe_key"])
        repeats = repeats.group_by("dataset", "dedupe_key").agg(
            source=repeats.source.min(),
            record_key=repeats.duplicate_of.min(),
            content_hash=repeats.content_hash.min(),
        )
        found.append(
            step.lake.run(
                repeats.select(*columns, reread=ibis.literal(False), gone=ibis.literal(True))
            )
        )
    former = pa.concat_tables(found) if found else None
    return scratch.given(former) if former else None


def former_of(dataset: Dataset, fitted: Fitted, former: Rows | None) -> Rows | None:
    """Those of one dataset with their dedupe keys, also where the mapping calls it otherwise now,
    and the keys of all, which no other record may have."""
    if former is None:
        return None
    theirs = [one.name for one in fitted.datasets]
    files = [one.name for one in dataset.sources]
    renamed = former.source.isin(files) & ~former.dataset.isin(theirs)
    mine = (former.reread | former.gone) & ((former.dataset == dataset.name) | renamed)
    former = former.mutate(dedupe_key=mine.ifelse(former.dedupe_key, ibis.null("string")))
    same = ibis.window(group_by="dedupe_key", order_by=["gone", "record_key"])
    former = former.mutate(place=ibis.row_number().over(same))
    return former.select(
        "record_key",
        "content_hash",
        dedupe_key=(former.place == 0).ifelse(former.dedupe_key, ibis.null("string")),
    )


def drop(step: Step, sources: list[str]) -> None:
    """Take out what files say that are read again."""
    if not sources:
        return
    if step.lake.version("consents") is not None:
        step.rewrite("consents", _said_elsewhere(step, sources), _empty("consents"))
    for name in _BY_SOURCE:
        step.replace_sources(name, sources, _empty(name))


def _said_elsewhere(step: Step, sources: list[str]) -> Rows:
    """What other files than these say of consent, also of records that are read from these: a
    denial holds on though its row repeats a record. An older program did not write down which file
    says it; there a denial is kept that another file, which repeats the record, may have said."""
    said, records = step.table("consents"), step.table("records")
    theirs = records.source.isin(sources)
    named = records.filter(theirs & (records.status == "accepted")).record_key
    repeated = records.filter(~theirs & (records.status == "duplicate")).duplicate_of
    may_be_others = ~said.granted & said.record_key.isin(repeated)
    unknown = said.source.isnull() & (~said.record_key.isin(named) | may_be_others)
    return said.filter((~said.source.isin(sources)).fill_null(False) | unknown)


def known_records(step: Step, scratch: Scratch, dataset: Dataset, plan: Plan) -> Rows | None:
    """The accepted records of a dataset (dedupe_key, record_key, content_hash, version,
    recorded_at_ms, source, gone: it is no longer in the folder), once those of files that are read
    again are dropped; None: there are none."""
    if step.lake.version("records") is None:
        return None
    records = step.table("records")
    mine = (records.dataset == dataset.name) & (records.status == "accepted")
    found = step.lake.run(
        records.filter(mine).select(
            "dedupe_key", "record_key", "content_hash", "version", "recorded_at_ms", "source",
            gone=records.source.notin(sorted(plan.unchanged)),
        )
    )  # fmt: skip
    return scratch.given(found) if len(found) else None


def outdate(step: Step, scratch: Scratch, rows: Rows, known: Rows, named: Rows | None) -> int:
    """Records of files that are not read now become repeats of rows that replace them. What they
    deny holds on: it is said of the record, whose key is the same; so does whom they name, as a
    former state of it, where rows say how new they are.

    Args:
        step, scratch: of the lake, and the engine.
        rows: classified.
        known: the records before.
        named: whom the rows that are kept name; None: nobody.

    Returns:
        How many of them said something else, and neither how new it was.
    """
    newer = rows.filter(rows.status == "accepted").select("record_key", now="content_hash")
    both = known.inner_join(newer, "record_key")
    dated = "version" in rows.columns
    undated = ibis.literal(False) if dated else both.version.isnull()
    other = (undated & (both.now != both.content_hash)).fill_null(False)
    found = scratch.arrow(both.select("record_key", other=other))
    if not len(found):
        return 0
    if named is not None and dated:
        states.keep_outdated(step, scratch, found.select(["record_key"]), named)
    keys = step.memtable(found.select(["record_key"]))
    for name in SAID:
        said = step.table(name)
        stays = ~said.record_key.isin(keys.record_key)
        if name == "consents":
            stays = stays | ~said.granted
        if len(step.lake.run(said.filter(~stays).select("record_key").limit(1))):
            step.rewrite(name, said.filter(stays), _empty(name))
    records = step.table("records")
    theirs = records.record_key.isin(keys.record_key) & (records.status == "accepted")
    repeats = records.filter(theirs).mutate(
        status=ibis.literal("duplicate"), duplicate_of=records.record_key
    )
    moved = step.lake.run(repeats)
    step.rewrite("records", records.filter(~theirs), moved)
    count = Counter(moved["source"].to_pylist())
    files = step.table("files")
    fewer = step.lake.run(files.filter(files.source.isin(sorted(count)))).to_pylist()
    for file in fewer:
        file["accepted"] -= count[file["source"]]
        file["duplicate"] += count[file["source"]]
    others = files.filter(~files.source.isin(sorted(count)))
    step.rewrite("files", others, pa.Table.from_pylist(fewer, TABLES["files"]))
    return int(pc.sum(found["other"]).as_py())


def _empty(name: str) -> pa.Table:
    return TABLES[name].empty_table().drop_columns("run_id")
