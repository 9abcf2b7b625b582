"""What two mappings make of one folder, compared row by row."""

from pathlib import Path
from typing import Any

import ibis

from ingestion.fit import find_files, stage
from ingestion.ingest import judge
from ingestion.mapping import Mapping
from ingestion.table import Table
from kg.lake.scratch import Scratch

EVENT = ("source", "occurred_at_ms", "verb", "item_id", "object", "category", "text", "basket_id",
         "quantity", "value", "campaign_id", "arm")  # fmt: skip
OUTPUTS: dict[str, tuple[str, ...]] = {
    "events": EVENT,
    "identifiers": ("record_key", "value"),
    "consents": ("record_key", "purpose", "granted"),
    "items": ("item_id", "title", "price", "starts_at_ms", "ends_at_ms"),
}


def read(scratch: Scratch, folder: Path, mapping: Mapping) -> dict[str, Any]:
    """Of every file: what became of its rows, and everything they say, as counted rows."""
    fitted = stage(scratch, find_files(folder, mapping))
    parts: dict[str, list[Any]] = {name: [] for name in OUTPUTS}
    status: dict[str, Any] = {}
    for dataset in fitted.datasets:
        judged = judge(scratch, dataset, mapping, salt="")
        rows = judged.rows
        counts = rows.group_by("source", "status").agg(rows=rows.count())
        for row in scratch.fetch(counts):
            status[f"{row['source']} {row['status']}"] = row["rows"]
        for name, columns in OUTPUTS.items():
            if name in judged.outputs:
                found = judged.outputs[name].select(*columns)
                if name == "events":  # what was sent is no deed; what it was about is one more word
                    about = (found.verb == "received").ifelse(ibis.null("string"), found.object)
                    found = found.mutate(object=about)
                parts[name].append(found)
    told = {}
    for name, found in parts.items():
        if found:
            rows = found[0].union(*found[1:]) if len(found) > 1 else found[0]
            told[name] = scratch.keep(rows.group_by(*rows.columns).agg(n=rows.count()))
    return {"status": status, **told}


def differences(scratch: Scratch, one: Any, other: Any) -> int:
    """Rows that only one of two counted tables has."""
    keys = list(one.columns)
    return sum(
        scratch.fetch(a.anti_join(b, [a[key].identical_to(b[key]) for key in keys]).count()
                      .as_table())[0].popitem()[1]
        for a, b in ((one, other), (other, one))
    )  # fmt: skip


def assert_read_the_same(folder: Path, proposed: Mapping, expected: Mapping) -> None:
    """Both accept, repeat and quarantine the same rows and make the same of them."""
    with Scratch.open() as scratch:
        mine, theirs = read(scratch, folder, proposed), read(scratch, folder, expected)
        assert mine["status"] == theirs["status"]
        assert set(mine) == set(theirs)
        for output in set(theirs) - {"status"}:
            assert differences(scratch, mine[output], theirs[output]) == 0, output


def by_file(folder: Path, mapping: Mapping) -> dict[str, Table]:
    """File -> the table that reads it."""
    fitted = find_files(folder, mapping)
    return {one.name: data.table for data in fitted.datasets for one in data.sources}


def assert_declares(folder: Path, proposed: Mapping, expected: Mapping) -> None:
    """What the steps after reading go by: zones, samples, namespaces, channels, traits."""
    assert proposed.time_zone == expected.time_zone or expected.time_zone is None
    assert proposed.topic_level == expected.topic_level
    mine = by_file(folder, proposed)
    spaces: dict[str, set[str]] = {}
    channels: dict[str, set[str]] = {}
    for name, table in by_file(folder, expected).items():
        own = mine[name]
        assert (own.kind, own.format) == (table.kind, table.format)
        assert own.sampled == table.sampled
        assert set(table.traits.values()) <= set(own.traits.values())
        assert bool(own.describe) == bool(table.describe)
        ours = {one.column: space for space, one in own.identifiers.items()}
        for space, one in table.identifiers.items():
            spaces.setdefault(space, set()).add(ours[one.column])
        if table.kind == "event":
            called = [t.channel.model_dump_json() if t.channel else name for t in (table, own)]
            channels.setdefault(called[0], set()).add(called[1])
    # The same people by the same names, the same places by the same channels, however called.
    assert all(len(called) == 1 for called in spaces.values())
    assert len({next(iter(called)) for called in spaces.values()}) == len(spaces)
    assert all(len(called) == 1 for called in channels.values())
