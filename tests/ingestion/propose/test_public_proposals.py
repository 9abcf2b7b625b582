"""Proposals for public data sets: what is read by them, once at most two of their lines are
corrected, is what is read by the mapping that was written by hand."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion.detect import examples_by_name
from ingestion.fit import find_files, stage
from ingestion.ingest import judge
from ingestion.mapping import Mapping, parse
from ingestion.propose import propose
from kg.lake.scratch import Scratch

pytestmark = pytest.mark.data

MOVIES = """
name: movies
consent: {default: granted, basis: published research data}
time_zone: UTC
tables:
  ratings:
    files: ratings.parquet
    kind: event
    identifiers: {user: userId}
    time: timestamp
    verb: rated
    item: movieId
    quantity: rating
  tags:
    files: tags.parquet
    kind: event
    identifiers: {user: userId}
    time: timestamp
    verb: tagged
    item: movieId
    text: tag
  movies:
    files: movies.parquet
    kind: item
    item: {id: movieId, title: title, categories: [genres]}
    lists: {genres: "|"}
"""
TELCO = """
name: telco
consent: {default: granted, basis: fictional people}
tables:
  customers:
    files: telco_customer_churn.parquet
    kind: profile
    key: customerID
    identifiers: {customer: customerID}
    traits: [gender, SeniorCitizen, Partner, Dependents, PhoneService, MultipleLines,
             InternetService, Contract, PaperlessBilling, PaymentMethod, Churn]
    describe: [gender, SeniorCitizen, Contract, Churn]
"""
# Data set -> lines of the proposal that are corrected (what stands there, what should).
CORRECTED: dict[str, list[tuple[str, str]]] = {
    "online_retail_ii": [
        ("time_zone: UTC", "time_zone: Europe/London"),
        ("[ADJUST, ", "[C3, ADJUST, "),
    ],
    "completejourney": [],
    "ms_customer_insights_sample": [],
    "movielens_latest_small": [],
    "telco_churn_ibm": [],
}
EVENT = ("source", "occurred_at_ms", "verb", "item_id", "object", "category", "text", "basket_id",
         "quantity", "value", "campaign_id", "arm")  # fmt: skip
OUTPUTS: dict[str, tuple[str, ...]] = {
    "events": EVENT,
    "identifiers": ("record_key", "value"),
    "consents": ("record_key", "purpose", "granted"),
    "items": ("item_id", "title", "price", "starts_at_ms", "ends_at_ms"),
}


def by_hand(name: str) -> Mapping:
    shipped = examples_by_name()
    if name in shipped:
        return shipped[name]
    return parse(MOVIES if name == "movielens_latest_small" else TELCO)


@pytest.fixture
def data() -> Callable[[str], Path]:
    folder = os.environ.get("PERSONAGRAPH_TEST_DATA")
    if not folder:
        pytest.skip("PERSONAGRAPH_TEST_DATA names no folder")
    return lambda name: Path(folder) / name


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


@pytest.mark.parametrize("name", sorted(CORRECTED))
def test_a_proposal_with_two_lines_corrected_reads_what_a_mapping_by_hand_reads(
    name: str, data: Callable[[str], Path]
) -> None:
    folder = data(name)
    proposal = propose(folder)
    text = proposal.text
    assert len(CORRECTED[name]) <= 2
    for wrong, right in CORRECTED[name]:
        assert text.count(wrong) == 1
        text = text.replace(wrong, right)
    proposed, expected = parse(text), by_hand(name)
    with Scratch.open() as scratch:
        mine, theirs = read(scratch, folder, proposed), read(scratch, folder, expected)
        assert mine["status"] == theirs["status"]
        assert set(mine) == set(theirs)
        for output in set(theirs) - {"status"}:
            assert differences(scratch, mine[output], theirs[output]) == 0, output
    assert_declares(proposed, expected)


def assert_declares(proposed: Mapping, expected: Mapping) -> None:
    """What the steps after reading go by: zones, samples, namespaces, channels, traits."""
    assert proposed.time_zone == expected.time_zone or expected.time_zone is None
    assert proposed.topic_level == expected.topic_level
    mine = {name: table for table in proposed.tables.values() for name in table.files}
    spaces: dict[str, set[str]] = {}
    channels: dict[str, set[str]] = {}
    for table in expected.tables.values():
        for name in table.files:
            if table.kind == "ignore":
                assert mine[name].kind == "ignore"
                continue
            assert mine[name].kind == table.kind
            assert mine[name].sampled == table.sampled
            assert set(table.traits.values()) <= set(mine[name].traits.values())
            assert bool(mine[name].describe) == bool(table.describe)
            ours = {one.column: space for space, one in mine[name].identifiers.items()}
            for space, one in table.identifiers.items():
                spaces.setdefault(space, set()).add(ours[one.column])
            if table.kind == "event":
                theirs = table.channel.constant if table.channel else name
                channel = mine[name].channel
                channels.setdefault(str(theirs), set()).add(
                    str(channel.constant) if channel else name
                )
    # The same people by the same names, the same places by the same channels, however called.
    assert all(len(called) == 1 for called in spaces.values())
    assert len({next(iter(called)) for called in spaces.values()}) == len(spaces)
    assert all(len(called) == 1 for called in channels.values())
