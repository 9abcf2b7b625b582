"""Whether a folder that no run has read before is about other people altogether: another company's,
perhaps, run into the wrong workspace.

Not seen: two companies whose ids of people are equal by accident (both count from 1).
"""

from typing import Any


def newcomers(step: Any) -> int:
    """How many people the files just read are about, where nobody of them was known before; else 0.

    A folder of which one file was read before as it is now is the same folder, whatever else has
    changed. A person is known by an identifier that the lake had at the last run of this step, or
    by a record of another file. Reads identities, records and identifiers.
    """
    lake = step.lake
    last = lake.last(step.name)
    sources = _unseen(step, last)
    if not sources:
        return 0
    records = step.table("records")
    is_new = records.source.isin(sources)
    if _repeats(step, records, is_new):
        return 0
    owned = step.table("identities").inner_join(records.select("record_key"), "record_key")
    mine = owned.semi_join(records.filter(is_new), "record_key").select("user_id").distinct()
    others = owned.semi_join(records.filter(~is_new), "record_key").select("user_id").distinct()
    with lake.at(last.number) as then:
        known = then.run(then.table("identifiers").select("namespace", "value").distinct())
    if not len(known):
        return 0
    said = step.table("identifiers").semi_join(lake.memtable(known), ["namespace", "value"])
    by_id = step.table("identities").semi_join(said, "record_key").select("user_id").distinct()
    found = mine.mutate(is_known=mine.user_id.isin(others.union(by_id).user_id))
    row = lake.run(found.aggregate(people=found.count(), known=found.is_known.sum())).to_pylist()[0]
    return 0 if row["known"] else int(row["people"])


def _repeats(step: Any, records: Any, is_new: Any) -> bool:
    """Whether a row of these files repeats a record of another file, or the other way round."""
    told = ((is_new, ~is_new), (~is_new, is_new))
    found = (
        records.filter(one & (records.status == "duplicate")).semi_join(
            records.filter(other & (records.status == "accepted")),
            [("duplicate_of", "record_key")],
        )
        for one, other in told
    )
    return any(len(step.lake.run(rows.select("record_key").limit(1))) for rows in found)


def _unseen(step: Any, last: Any) -> list[str]:
    """The files just read, if no file of their folder was read as it is now before."""
    report = step.lake.summary("ingest").get("report")
    if last is None or report is None:
        return []
    files = {row["source"]: row["sha256"] for row in step.arrow("files").to_pylist()}
    names = {file["source"] for file in report["files"] if file["source"] in files}
    with step.lake.at(last.number) as then:
        before = {(row["source"], row["sha256"]) for row in then.arrow("files").to_pylist()}
    seen = any((name, files[name]) in before for name in names)
    return [] if seen else sorted(names)
