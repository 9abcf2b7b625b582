"""Which received rows are new, which repeat another, and which are quarantined.

By the source's own id within a dataset, the newest of them where rows say how new they are (of
equally new ones that of the file written last); where there is none, equal rows are matched by
their occurrence number: the second equal line of one file is the second equal line of another, so
exports that overlap are told from lines that are really there twice. Who is in which arm of a
campaign is said once: there a second equal line of one file is a repeat, too. What the folder says
counts, not what a file said that is gone.

A row is called by its file and its id, or its place. What it was called once stays its name, in
whichever file and at whichever place of its dataset it stands later (a new export every month, logs
that rotate, tables in parts), also where its table has another `key` now: with another name its
user would be another. Another row at a place that was named gets a key that nothing had.
"""

from typing import Any

import ibis

from ingestion.record import Rows
from kg.lake.scratch import Scratch

CONTENT_DIGITS = 20  # of the hash: 80 bits tell a billion rows apart
NEWEST = 1 << 62  # what only says that a thing is gone has no time
MARK_DIGITS = 8  # of a hash, which tell a row from those that had its place before


def classify(scratch: Scratch, rows: Rows, known: Rows | None, former: Rows | None = None) -> Rows:
    """Every row with `record_key`, `status`, `reason`, `dedupe_key`, `duplicate_of` and `differs`.

    `differs`: it has the id of the record that is kept, and says something else. Where rows have no
    `content` beside their id, as messages, which are sent again with other times, nothing is told;
    nor of states of one thing: rows with a `version` of which one is newer, or of a later file.

    Args:
        scratch: the engine.
        rows: kept rows with the columns of `ROW`; messages have a `place`, which tells those of
            one line apart, and of several with one id the one received first is kept; rows that
            have a `version` are kept by it, the greatest first (of those that have it `by_file`,
            of equally old files that of the last by name); of rows that are `once` an equal one of
            the same file is a repeat.
        known: accepted records of the dataset from files that are not read now
            (dedupe_key, record_key, content_hash, version, recorded_at_ms, source, gone: it is no
            longer in the folder); None: there are none. A row that says something else and is
            newer, or whose id no file of the folder had, is accepted under the key of the one that
            is known.
        former: what records of the dataset that are not known were called before (dedupe_key,
            record_key, content_hash): those of files that are read again, and those of which only
            repeats are left; and the keys, without a dedupe_key, that nothing else may have; None:
            there are none.
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
    if former is not None:
        former = _with_other_key(scratch, scratch.view(joined), former)
    if known is not None:
        outdated = _outdated(scratch, scratch.view(joined), known)
        known = known.anti_join(outdated, "record_key")
        former = _and_outdated(former, outdated)
    if former is not None:
        joined = _as_before(scratch, scratch.view(joined), former)
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
    if "version" in joined.columns:  # another state may well say something else
        differs = differs & (joined.version.isnull() | joined.first_is_alike)
    classified = joined.mutate(
        status=ibis.cases((~good, "quarantined"), (repeats, "duplicate"), else_="accepted"),
        reason=joined.problem,
        duplicate_of=repeats.ifelse(joined.duplicate_of, ibis.null("string")),
        differs=differs.fill_null(False),
    )
    return scratch.view(classified)


def _outdated(scratch: Scratch, rows: Rows, known: Rows) -> Rows:
    """The known records (dedupe_key, as rows have it now, and record_key) that a row replaces: one
    that is newer, where both say how new they are; where they do not, any that says something else
    than a file that is gone; and the same row under another `key` of its table. One of which nobody
    wrote down how new it was (without `newest`, or by an older program) is older than any."""
    matched = _with_other_key(scratch, rows, known)
    kept = _kept(rows)
    at = kept.version.fill_null(NEWEST) if "version" in kept.columns else ibis.null("int64")
    kept = kept.select(
        "dedupe_key", now=at, now_at="recorded_at_ms", now_hash="content_hash", now_source="source"
    )
    both = kept.inner_join(matched, "dedupe_key")
    differs = (both.now_hash != both.content_hash).fill_null(False)
    later = both.now_at > both.recorded_at_ms
    if "by_file" in rows.columns:
        later = later | ((both.now_at == both.recorded_at_ms) & (both.now_source > both.source))
    equally_new = (both.now == both.version) & later
    newer = both.version.isnull() | (both.now > both.version) | (equally_new & differs)
    replaced = both.now.isnull().ifelse(both.gone & differs, newer) | both.has_other_key
    return scratch.keep(both.filter(replaced).select("dedupe_key", "record_key"))


def _and_outdated(former: Rows | None, outdated: Rows) -> Rows:
    """What rows were called before: of a dedupe key one name, that of the record that they replace
    before others; the other names stand without a key."""
    first = outdated.group_by("dedupe_key").agg(record_key=outdated.record_key.min())
    if former is None:
        return first
    taken = former.dedupe_key.isin(first.dedupe_key).fill_null(False)
    others = former.select(
        "record_key", dedupe_key=taken.ifelse(ibis.null("string"), former.dedupe_key)
    )
    return first.union(others.select("dedupe_key", "record_key"))


def _with_other_key(scratch: Scratch, rows: Rows, said: Rows) -> Rows:
    """Records of before with `has_other_key`: where no row has the dedupe key of one, but one says
    the same under a key that no record had, the table has another `key` than it had, or has one
    now; it is that row, and has its dedupe key here."""
    mine = _kept(rows).select("dedupe_key", "content_hash", is_named=rows.id.notnull())
    free = mine.filter(mine.content_hash.notnull()).anti_join(said, "dedupe_key")
    lost = said.filter(said.content_hash.notnull() & said.dedupe_key.notnull())
    lost = lost.anti_join(mine, "dedupe_key").select("dedupe_key", "record_key", "content_hash")
    # Without any `key` it is by the content that rows are known anyway.
    had_none = lost.dedupe_key.startswith(lost.content_hash + "#")
    equal = ibis.window(group_by=["content_hash"], order_by="dedupe_key")
    free = free.mutate(turn=ibis.row_number().over(equal)).rename(now_key="dedupe_key")
    lost = lost.mutate(turn=ibis.row_number().over(equal), had_none=had_none)
    found = lost.inner_join(free, ["content_hash", "turn"])
    found = found.filter(found.is_named | ~found.had_none).select("record_key", "now_key")
    found = scratch.keep(found)
    both = said.left_join(found, "record_key")
    return both.mutate(
        dedupe_key=ibis.coalesce(both.now_key, both.dedupe_key),
        has_other_key=both.now_key.notnull(),
    ).select(*said.columns, "has_other_key")


def _kept(rows: Rows) -> Rows:
    """The rows that repeat no other row."""
    return rows.filter(rows.problem.isnull() & rows.duplicate_of.isnull())


def _as_before(scratch: Scratch, rows: Rows, former: Rows) -> Rows:
    """The rows, those that are kept under the keys that they had before, or under keys that no row
    had."""
    kept = _kept(rows).select("dedupe_key", plain="record_key")
    kept = kept.left_join(former, "dedupe_key", rname="former_{name}")
    place = former.record_key.re_replace(rf"~[0-9a-f]{{{MARK_DIGITS}}}$", "")
    given = former.select(plain=place).distinct().mutate(is_given=True)
    named = kept.left_join(given, "plain", rname="given_{name}")
    fresh = named.plain + "~" + named.dedupe_key.hexdigest("md5").substr(0, MARK_DIGITS)
    named = named.select(
        "plain",
        new_key=ibis.coalesce(named.record_key, named.is_given.ifelse(fresh, named.plain)),
    )
    changed = scratch.keep(named.filter(named.new_key != named.plain))
    if not scratch.fetch(changed.limit(1)):
        return rows
    for column in ("record_key", "duplicate_of"):
        new = changed.select("new_key", **{column: "plain"})
        renamed = rows.left_join(new, column, rname="new_{name}")
        both = {column: ibis.coalesce(renamed.new_key, renamed[column])}
        rows = renamed.mutate(**both).select(*rows.columns)
    return rows


def _turn(rows: Rows) -> Any:
    """Of rows with one id, the one with the least of these is kept."""
    if "version" in rows.columns:
        return -rows.version.fill_null(NEWEST)
    return rows.recorded_at_ms if "place" in rows.columns else ibis.literal(0, "int64")


def _repeats(scratch: Scratch, rows: Rows) -> Rows:
    """The rows that have equals: (source, position, part, occurrence, first_key or null,
    first_hash, first_is_alike: as new, and of the same file)."""
    good = rows.filter(rows.problem.isnull())
    narrow = good.select(
        "source", "position", "part", "id", "record_key", "content_hash",
        turn=_turn(good), at=good.recorded_at_ms if "version" in good.columns else ibis.literal(0),
        group=ibis.coalesce(ibis.literal("i") + good.id, ibis.literal("c") + good.content),
        once=good.once if "once" in good.columns else good.id.notnull(),
    )  # fmt: skip
    counted = narrow.group_by("group").agg(count=narrow.count())
    several = counted.filter(counted["count"] > 1)
    found = scratch.keep(narrow.semi_join(several, "group"))
    inside = ibis.window(group_by=["group", "source", "part"], order_by="position")
    found = found.mutate(order=ibis.row_number().over(inside) + 1)
    found = found.mutate(occurrence=found.once.ifelse(1, found.order))
    last = ibis.desc("source") if "by_file" in rows.columns else "source"
    order = ["turn", ibis.desc("at"), last, "part", "position"]
    between = ibis.window(group_by=["group", "occurrence"], order_by=order)
    found = found.mutate(
        rank=ibis.row_number().over(between),
        first_key=found.record_key.first().over(between),
        first_hash=found.content_hash.first(include_null=True).over(between),
        first_is_alike=(found.turn == found.turn.first().over(between))
        & (found.source == found.source.first().over(between)),
    )
    return found.select(
        "source", "position", "part", "occurrence", "first_hash", "first_is_alike",
        first_key=(found.rank > 0).ifelse(found.first_key, ibis.null("string")),
    )  # fmt: skip
