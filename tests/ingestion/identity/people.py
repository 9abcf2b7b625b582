"""Records of people in a real lake: a test names what matters."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from rows import Row, put, put_people

from ingestion.identity import IdentityConfig, resolve
from ingestion.table import DETAILS
from kg.lake import Lake, Writer

KEY = bytes(range(32))
Partition = set[frozenset[str]]


def person(key: str, at: int = 0, kind: str = "profile", **said: Any) -> dict[str, Any]:
    """A record: what `said` names is a detail of the person, else an identifier."""
    details = {name: value for name, value in said.items() if name in DETAILS}
    named = {name: value for name, value in said.items() if name not in DETAILS}
    return {
        "record_key": key, "recorded_at_ms": at, "occurred_at_ms": at, "kind": kind,
        "ids": named, "details": details,
    }  # fmt: skip


def run(lake: Writer, rows: Iterable[Row] = (), *, spark_master: str = "", **config: Any) -> Any:
    """Add records, resolve, give the summary."""
    number = lake.head.number if lake.head else 0
    rows = [dict(row) for row in rows]
    told = [
        {"record_key": row["record_key"], **row["details"]} for row in rows if row.get("details")
    ]
    with lake.step("ingest", config={"number": number}) as step:
        put_people(step, rows)
        put(step, person_details=told)
    with lake.step("identity", inputs={"ingest": step.id}, config=config) as step:
        resolve(step, KEY, IdentityConfig(**config), spark_master=spark_master)
    return step.summary


def partition(lake: Lake) -> Partition:
    """Who is one person, by record keys."""
    found = defaultdict(set)
    for row in lake.arrow("identities").to_pylist():
        found[row["user_id"]].add(row["record_key"])
    return {frozenset(keys) for keys in found.values()}


def ids(lake: Lake) -> dict[str, str]:
    """Record key -> user id."""
    return {r["record_key"]: r["user_id"] for r in lake.arrow("identities").to_pylist()}


def judgements(lake: Lake) -> list[dict[str, Any]]:
    """The whole log, in an order of its own."""
    rows = lake.arrow("judgements").drop_columns(["run_id"]).to_pylist()
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def groups(*texts: str) -> Partition:
    """`"a b", "c"` as the partition it stands for."""
    return {frozenset(text.split()) for text in texts}
