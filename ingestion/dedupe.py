"""Which received rows are new, which repeat another, and which are quarantined.

By the source's own id within a dataset, the newest of them where rows say how new they are; where
there is none, equal rows are matched by their
occurrence number: the second equal line of one file is the second equal line of another, so
exports that overlap are told from lines that are really there twice. Who is in which arm of a
campaign is said once: there a second equal line of one file is a repeat, too.
"""

from typing import Any

import ibis

from ingestion.record import Rows
from kg.lake.scratch import Scratch

CONTENT_DIGITS = 20  # of the hash: 80 bits tell a billion rows apart


def classify(scratch: Scratch, rows: Rows, known: Rows | None) -> Rows:
    """Every row with `record_key`, `status`, `reason`, `dedupe_key`, `duplicate_of` and `differs`.

    `differs`: it has the id of the record that is kept, and says something else. Where rows have no
    `content` beside their id, as messages, which are sent again with other times, nothing is told;
    nor of rows with a `version`, which are states of one thing.

    Args:
        scratch: the engine.
        rows: kept rows with the columns of `ROW`; messages have a `place`, which tells those of
            one line apart, and of several with one id the one received first is kept; rows that
            have a `version` are kept by it, the greatest first; of rows that are `once` an equal
            one of the same file is a repeat.
        known: accepted records of the dataset from files that are not read now
            (dedupe_key, record_key, content_hash); None: there are none.
    """
    place = rows.place if "place" in rows.columns else rows.position.cast("string")
    rows = rows.mutate(
        part=rows.part.fill_null(""),
        record_key=rows.source + "#" + ibis.coalesce(rows.id, place),
        content_hash=rows.content.substr(0, CONTENT_DIGITS),
    )
    marks = scratch.keep(_repeats(scratch, rows))
    rows = scratch.view(rows)
    joined = rows.left_join(marks, ["source", "position", "part"], rname="m_{name}")
    occurrence = joined.occurrence.fill_null(1)
    content = joined.content_hash + "#" + occurrence.cast("string")
    joined = joined.mutate(
        dedupe_key=ibis.coalesce(joined.id, content, joined.record_key),
        duplicate_of=joined.first_key,
        kept_hash=joined.first_hash,
    )
    if known is not None:
        known = known.select("dedupe_key", known_key="record_key", known_hash="content_hash")
        joined = joined.left_join(known, "dedupe_key")
        is_known = joined.known_key.notnull()
        joined = joined.mutate(
            duplicate_of=ibis.coalesce(joined.known_key, joined.duplicate_of),
            kept_hash=is_known.ifelse(joined.known_hash, joined.kept_hash),
        )
    joined = scratch.view(joined)
    good = joined.problem.isnull()
    repeats = good & joined.duplicate_of.notnull()
    differs = repeats & (joined.content_hash != joined.kept_hash)
    if "version" in joined.columns:  # an older state may well say something else
        differs = differs & joined.version.isnull()
    classified = joined.mutate(
        status=ibis.cases((~good, "quarantined"), (repeats, "duplicate"), else_="accepted"),
        reason=joined.problem,
        duplicate_of=repeats.ifelse(joined.duplicate_of, ibis.null("string")),
        differs=differs.fill_null(False),
    )
    return scratch.view(classified)


def _turn(rows: Rows) -> Any:
    """Of rows with one id, the one with the least of these is kept."""
    if "version" in rows.columns:
        return -rows.version.fill_null(1 << 62)  # what only says that a thing is gone has no time
    return rows.recorded_at_ms if "place" in rows.columns else ibis.literal(0, "int64")


def _repeats(scratch: Scratch, rows: Rows) -> Rows:
    """The rows that have equals: (source, position, part, occurrence, first_key or null,
    first_hash)."""
    good = rows.filter(rows.problem.isnull())
    narrow = good.select(
        "source", "position", "part", "id", "record_key", "content_hash",
        turn=_turn(good),
        group=ibis.coalesce(ibis.literal("i") + good.id, ibis.literal("c") + good.content),
        once=good.once if "once" in good.columns else good.id.notnull(),
    )  # fmt: skip
    counted = narrow.group_by("group").agg(count=narrow.count())
    several = counted.filter(counted["count"] > 1)
    found = scratch.keep(narrow.semi_join(several, "group"))
    inside = ibis.window(group_by=["group", "source", "part"], order_by="position")
    found = found.mutate(order=ibis.row_number().over(inside) + 1)
    found = found.mutate(occurrence=found.once.ifelse(1, found.order))
    order = ["turn", "source", "part", "position"]
    between = ibis.window(group_by=["group", "occurrence"], order_by=order)
    found = found.mutate(
        rank=ibis.row_number().over(between),
        first_key=found.record_key.first().over(between),
        first_hash=found.content_hash.first(include_null=True).over(between),
    )
    return found.select(
        "source", "position", "part", "occurrence", "first_hash",
        first_key=(found.rank > 0).ifelse(found.first_key, ibis.null("string")),
    )  # fmt: skip
