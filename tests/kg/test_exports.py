"""The export contract over a lake of a few hand-written rows."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kg.errors import InputError, NotFound
from kg.exports import EXPORTS, check_file, export_rows, write_export
from kg.lake import TABLES, Lake
from kg.lake.disk import appearing

# 2024-01-02T03:04:05.678Z
AT_MS = 1_704_164_645_678

CONTRACT = {
    "records": "record_key, source, kind, status, reason, occurred_at, recorded_at",
    "identities": "record_key, user_id",
    "judgements": (
        "left_record_key, right_record_key, verdict, probability, rule, author, judged_at"
    ),
    "sessions": "record_key, session_id, user_id",
    "intents": "record_key, intent_id, user_id, verb, topic",
    "memberships": "record_key, intent_id, user_id, persona_id, micro_persona_id",
    "holdings": "user_id, persona_id, weight, low, high, valid_from, valid_to",
    "personas": (
        "persona_id, version, name, parent_id, people, share, share_low, share_high, stability, "
        "run_id, kept_by, kept_because"
    ),
    "levels": (
        "level_id, level, parent_id, name, people, share, share_low, share_high, stability, "
        "intents, run_id"
    ),
    "rule_personas": (
        "persona_id, name, kind, definition, people, population, share, share_low, share_high, "
        "intents, defined_as_of, run_id"
    ),
    "rule_holdings": "user_id, persona_id, intents",
    "kept_out": "intent_id, why",
    "goals": "goal, intent_id, user_id, at",
    "descent": "run_id, from_persona_id, to_persona_id, kind, overlap",
    "claims": (
        "persona_id, version, claim_id, kind, subject, direction, measure, unit, value, "
        "reference_value, low, high, q, people, as_of, query, params"
    ),
    "evidence": "claim_id, path, position, label, node_id",
    "forecasts": "task, user_id, as_of, horizon_days, probability, low, high",
    "lifts": ("campaign_id, persona_id, effect, low, high, people_treated, people_control, kind"),
    "traits": "user_id, name, value, rule, record_key, source, at",
    "reconciliation": "source, received, accepted, duplicate, quarantined, consent_blocked",
}
NOT_COMPUTED = {"forecasts", "lifts"}
TIMES = {"at", "occurred_at", "recorded_at", "judged_at", "as_of", "valid_from", "valid_to"}
TIMES |= {"defined_as_of"}

# (record_key, source, position, status)
RECORDS = [
    ("b.csv#2", "b.csv", 2, "accepted"),
    ("b.csv#1", "b.csv", 1, "accepted"),
    ("b.csv#1", "b.csv", 3, "duplicate"),
    ("a.csv#1", "a.csv", 1, "accepted"),
    ("a.csv#2", "a.csv", 2, "quarantined"),
    ("a.csv#3", "a.csv", 3, "consent_blocked"),
]
FILES = [("b.csv", 3), ("a.csv", 3), ("empty.csv", 0)]
# u_2 denied; b.csv#1 and its duplicate are theirs.
IDENTITIES = [("b.csv#2", "u_1"), ("b.csv#1", "u_2"), ("a.csv#1", "u_1")]


def row(table: str, **values: Any) -> dict[str, Any]:
    """One row of a table; columns not given get a value of their type, nullable ones null."""
    plain = {"string": "x", "int64": 1, "int32": 1, "double": 0.5, "bool": False}
    blank = {
        field.name: None if field.nullable else plain.get(str(field.type), [])
        for field in TABLES[table]
        if field.name != "run_id"
    }
    return {**blank, **values}


def rows(table: str, *entries: dict[str, Any]) -> pa.Table:
    schema = TABLES[table].remove(TABLES[table].get_field_index("run_id"))
    return pa.Table.from_pylist([row(table, **entry) for entry in entries], schema=schema)


TABLE_ROWS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "ingest": {
        "files": [{"source": source, "received": count} for source, count in FILES],
        "records": [
            {
                "record_key": key,
                "source": source,
                "position": position,
                "kind": "event",
                "status": status,
                "reason": None if status == "accepted" else f"why {status}",
                "occurred_at_ms": None if status == "quarantined" else AT_MS,
                "recorded_at_ms": AT_MS,
            }
            for key, source, position, status in RECORDS
        ],
    },
    "identity": {
        "identities": [{"record_key": key, "user_id": user} for key, user in IDENTITIES],
        "users": [{"user_id": "u_1"}, {"user_id": "u_2", "consent_denied": True}],
        "golden_traits": [{"user_id": "u_1", "at_ms": AT_MS}],
        "judgements": [
            {
                "left_record_key": "a.csv#1",
                "right_record_key": "b.csv#2",
                "verdict": "same",
                "judged_at_ms": AT_MS,
            }
        ],
    },
    "intents": {
        "intents": [
            {"intent_id": "i_1", "verb": "view", "topic": "tea", "user_id": "u_1"},
            {"intent_id": "i_2", "verb": "buy", "topic": "pots", "user_id": "u_1"},
        ],
        "event_intents": [
            {"record_key": "b.csv#2", "session_id": "s_1", "intent_id": "i_2", "user_id": "u_1"},
            {"record_key": "a.csv#1", "session_id": "s_1", "intent_id": "i_1", "user_id": "u_1"},
        ],
    },
    "personas": {
        "memberships": [
            {"intent_id": "i_1", "user_id": "u_1", "persona_id": "p_1"},
            {"intent_id": "i_2", "user_id": "u_1", "persona_id": None},
        ],
        "holdings": [{"user_id": "u_1", "persona_id": "p_1", "valid_from_ms": AT_MS}],
        "personas": [
            {"persona_id": "p_2", "version": 1},
            {"persona_id": "p_1", "version": 1},
        ],
        "levels": [{"level_id": "f_1", "level": "family", "name": '=1+1;\t"x",\n\x1b[31m'}],
        "kept_out": [{"intent_id": "i_2", "why": "verb buy"}],
        "descent": [
            {"from_persona_id": "p_0", "to_persona_id": None, "kind": "retired"},
            {"from_persona_id": None, "to_persona_id": "p_1", "kind": "born"},
        ],
    },
    "goals": {"reached": [{"goal": "buy", "intent_id": "i_2", "at_ms": AT_MS}]},
    "rules": {
        "rule_personas": [{"persona_id": "r_1", "kind": "rule", "defined_as_of_ms": AT_MS}],
        "rule_holdings": [{"persona_id": "r_1", "user_id": "u_1"}],
    },
    "claims": {
        "claims": [{"persona_id": "p_1", "claim_id": "c_1", "as_of_ms": AT_MS, "params": "{}"}],
        "evidence": [
            {"claim_id": "c_1", "path": 1, "position": position, "node_id": f"n{position}"}
            for position in (10, 9, 2)
        ],
        "wordings": [{"persona_id": "p_1", "version": 1, "name": "Tea people"}],
    },
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exports") / "w"
    with Lake.writer(path) as lake:
        for name, tables in TABLE_ROWS.items():
            with lake.step(name) as step:
                for table, entries in tables.items():
                    step.overwrite(table, rows(table, *entries))
    return path


def written(workspace: Path, name: str, folder: Path) -> list[dict[str, Any]]:
    with Lake.open(workspace) as lake:
        out = folder / f"{name}.parquet"
        row_count = write_export(lake, name, out)
    answer: list[dict[str, Any]] = pq.read_table(out).to_pylist()
    assert len(answer) == row_count
    return answer


def test_the_exports_are_those_of_the_contract() -> None:
    assert {name: ", ".join(export.columns) for name, export in EXPORTS.items()} == CONTRACT


@pytest.mark.parametrize("name", [name for name in CONTRACT if name not in NOT_COMPUTED])
def test_columns_and_times_are_as_promised_in_every_format(
    name: str, workspace: Path, tmp_path: Path
) -> None:
    columns = CONTRACT[name].split(", ")
    rows = written(workspace, name, tmp_path)
    schema = pq.read_schema(tmp_path / f"{name}.parquet")
    assert schema.names == columns
    for column in TIMES & set(columns):
        assert pa.types.is_timestamp(schema.field(column).type)
        assert schema.field(column).type.tz == "UTC"
    with Lake.open(workspace) as lake:
        write_export(lake, name, tmp_path / "x.csv")
        write_export(lake, name, tmp_path / "x.ndjson")
    with (tmp_path / "x.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    objects = [json.loads(line) for line in (tmp_path / "x.ndjson").read_text().splitlines()]
    assert list(lines[0]) == list(objects[0]) == columns
    assert len(lines) == len(objects) == len(rows)
    for line, entry in zip(lines, objects, strict=True):
        assert {name: line[name] for name, value in entry.items() if isinstance(value, str)} == {
            name: value for name, value in entry.items() if isinstance(value, str)
        }, "texts are as the data has them"
    for column in TIMES & set(columns):
        known = {entry[column] for entry in objects} - {None}
        assert known <= {"2024-01-02T03:04:05.678Z"}
        assert {line[column] for line in lines} - {""} == known
    assert sorted(os.listdir(tmp_path)) == [f"{name}.parquet", "x.csv", "x.ndjson"]


def test_a_denial_blocks_the_accepted_records_of_the_person(
    workspace: Path, tmp_path: Path
) -> None:
    found = [
        (entry["record_key"], entry["status"], entry["reason"])
        for entry in written(workspace, "records", tmp_path)
    ]
    assert found == [
        ("a.csv#1", "accepted", None),
        ("a.csv#2", "quarantined", "why quarantined"),
        ("a.csv#3", "consent_blocked", "why consent_blocked"),
        ("b.csv#1", "consent_blocked", "consent_denied"),
        ("b.csv#1", "duplicate", "why duplicate"),
        ("b.csv#2", "accepted", None),
    ]


def test_a_reconciliation_adds_up_for_every_file(workspace: Path, tmp_path: Path) -> None:
    found = [tuple(entry.values()) for entry in written(workspace, "reconciliation", tmp_path)]
    assert found == [
        ("a.csv", 3, 1, 0, 1, 1),
        ("b.csv", 3, 1, 1, 0, 1),
        ("empty.csv", 0, 0, 0, 0, 0),
    ]
    assert all(received == sum(fates) for _, received, *fates in found)
    with Lake.open(workspace) as lake:
        write_export(lake, "reconciliation", tmp_path / "r.parquet")
    assert set(pq.read_schema(tmp_path / "r.parquet").types[1:]) == {pa.int64()}


def test_an_event_without_persona_keeps_its_row(workspace: Path, tmp_path: Path) -> None:
    found = [tuple(entry.values()) for entry in written(workspace, "memberships", tmp_path)]
    assert found == [("a.csv#1", "i_1", "u_1", "p_1", None), ("b.csv#2", "i_2", "u_1", None, None)]


def test_an_intent_is_told_for_each_of_its_events(workspace: Path, tmp_path: Path) -> None:
    found = [tuple(entry.values()) for entry in written(workspace, "intents", tmp_path)]
    assert found == [
        ("a.csv#1", "i_1", "u_1", "view", "tea"),
        ("b.csv#2", "i_2", "u_1", "buy", "pots"),
    ]


def test_a_persona_without_wording_has_no_name(workspace: Path, tmp_path: Path) -> None:
    found = {
        entry["persona_id"]: entry["name"] for entry in written(workspace, "personas", tmp_path)
    }
    assert found == {"p_1": "Tea people", "p_2": None}


def test_steps_of_a_path_come_in_their_order(workspace: Path, tmp_path: Path) -> None:
    found = [entry["position"] for entry in written(workspace, "evidence", tmp_path)]
    assert found == [2, 9, 10]


@pytest.mark.parametrize("name", sorted(NOT_COMPUTED))
def test_what_no_step_computes_says_so(name: str, workspace: Path) -> None:
    with Lake.open(workspace) as lake, pytest.raises(NotFound) as caught:
        export_rows(lake, name)
    assert f"{name} is not computed yet" in caught.value.message


def test_an_export_before_its_step_names_the_command(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake, lake.step("ingest"):
        pass
    with Lake.open(tmp_path / "w") as lake:
        with pytest.raises(NotFound) as caught:
            export_rows(lake, "claims")
        assert lake.run(export_rows(lake, "records")).num_rows == 0
    assert "the step claims has not run" in caught.value.message
    assert f"personagraph run DATA --workspace {tmp_path / 'w'}" in str(caught.value.hint)


@pytest.mark.parametrize(("name", "asked"), [("rule_personas", "rules"), ("goals", "goals")])
def test_what_nobody_asked_for_names_where_to_ask(name: str, asked: str, tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("ingest"):
            pass
        with pytest.raises(NotFound, match=f"no {asked} were asked for") as caught:
            export_rows(lake, name)
    told = str(caught.value.hint)
    assert "personas constraints --write" in told
    assert "run DATA" not in told
    assert told.endswith("There are: records, reconciliation.")


@pytest.mark.parametrize(
    ("name", "out", "hint"),
    [
        ("records", "x.xlsx", ".parquet, .csv, .ndjson"),
        ("records", "x", ".parquet, .csv, .ndjson"),
        ("recordz", "x.csv", "records, identities, judgements"),
        ("records", "none/x.csv", "mkdir -p"),
    ],
)
def test_a_wrong_request_lists_what_is_right(
    name: str, out: str, hint: str, workspace: Path, tmp_path: Path
) -> None:
    with Lake.open(workspace) as lake, pytest.raises(InputError) as caught:
        write_export(lake, name, tmp_path / out)
    assert hint in str(caught.value.hint)
    assert not list(tmp_path.iterdir())


def test_a_workspace_that_never_ran_has_no_export(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w"):
        pass
    with Lake.open(tmp_path / "w") as lake, pytest.raises(NotFound):
        export_rows(lake, "records")


def test_the_same_lake_exports_the_same_bytes(workspace: Path, tmp_path: Path) -> None:
    with Lake.open(workspace) as lake:
        for name in ("one.ndjson", "two.ndjson"):
            write_export(lake, "records", tmp_path / name)
    assert (tmp_path / "one.ndjson").read_bytes() == (tmp_path / "two.ndjson").read_bytes()


def test_a_device_behind_a_link_is_refused_and_stays(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "records.csv"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    with pytest.raises(InputError, match="neither a file nor a folder"):
        check_file(link)
    with pytest.raises(InputError, match="neither a file nor a folder"), appearing(link) as fresh:
        fresh.write_text("rows")
    assert pipe.is_fifo()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["pipe", "records.csv"]
