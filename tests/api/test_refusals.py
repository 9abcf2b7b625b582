"""What the program refuses: one line, one hint, an exit code of its own, nothing half-written."""

import json
import shutil
import socket
from pathlib import Path

import pytest
from program import SimulatedWorld, as_json, personagraph, refused, succeed

from kg.lake import Workspace


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    said = refused(personagraph(tmp_path, "run", tmp_path / "nowhere"), 3)
    assert "nowhere" in said


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(personagraph(tmp_path, "run", tmp_path / "empty", "-w", "none"), 2)
    assert not (tmp_path / "none").exists(), "a refused run leaves nothing behind"


def test_a_folder_of_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    refused(personagraph(tmp_path, "run", tmp_path / "photos"), 2)


def test_a_mapping_that_names_a_missing_column(world: SimulatedWorld, tmp_path: Path) -> None:
    data = shutil.copytree(world.data, tmp_path / "data")
    mapping = data / "personagraph.yaml"
    text = mapping.read_text()
    assert "order_id" in text
    mapping.write_text(text.replace("order_id", "ordr_id"))
    said = refused(personagraph(tmp_path, "run", data, "-w", "none"), 2)
    assert "ordr_id" in said
    assert "order_id" in said, "the likely fix is named"
    assert "line" in said


@pytest.mark.parametrize("command", ["personas list", "verify", "export records -o x.csv"])
def test_a_workspace_that_does_not_exist(tmp_path: Path, command: str) -> None:
    said = refused(personagraph(tmp_path, *command.split(), "-w", "none"), 3)
    assert "personagraph run" in said
    assert not (tmp_path / "none").exists()


def test_a_workspace_of_a_newer_version(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "shop", tmp_path / "shop")
    (tmp_path / "shop" / "workspace.json").write_text(json.dumps({"format": 999}))
    said = refused(personagraph(tmp_path, "personas", "list", "-w", "shop"), 4)
    assert "newer" in said


def test_an_export_that_does_not_exist_and_a_suffix_that_is_not_known(home: Path) -> None:
    assert "claims" in refused(personagraph(home, "export", "x", "-w", "shop", "-o", "x.csv"), 2)
    assert ".parquet" in refused(
        personagraph(home, "export", "claims", "-w", "shop", "-o", "claims.xlsx"), 2
    )


def test_an_export_that_is_not_computed_yet_names_what_is_missing(home: Path) -> None:
    refused(personagraph(home, "export", "forecasts", "-w", "shop", "-o", "f.csv"), 3)


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = refused(personagraph(home, "serve", "-w", "shop", "--port", port), 4)
    assert port in said


@pytest.mark.parametrize(
    "text",
    [
        "CREATE (:Evil)",
        "MATCH (n:User) DETACH DELETE n",
        "MATCH (n:User) SET n.half = 'x'",
        "LOAD CSV FROM 'file:///etc/hosts' AS row RETURN row",
        "CALL db.createLabel('Evil')",
    ],
)
def test_a_query_that_is_not_read_only(home: Path, text: str) -> None:
    refused(personagraph(home, "query", text, "-w", "shop"), 5)
    count = "MATCH (n:Evil) RETURN count(n) AS evil"
    assert as_json(personagraph(home, "query", count, "-w", "shop", "--json"))["rows"] == [
        {"evil": 0}
    ]


def test_a_query_that_never_ends_is_killed(home: Path) -> None:
    text = "UNWIND range(1, 1000000000) AS x UNWIND range(1, 1000) AS y RETURN sum(x * y) AS n"
    refused(personagraph(home, "query", text, "-w", "shop", "--seconds", "3"), 5)


def test_a_query_that_is_not_cypher(home: Path) -> None:
    refused(personagraph(home, "query", "SELECT 1", "-w", "shop"), 5)
    refused(personagraph(home, "query", "MATCH (n RETURN n", "-w", "shop"), 2)


def test_neo4j_that_does_not_answer(world: SimulatedWorld, tmp_path: Path) -> None:
    settings = {
        "PERSONAGRAPH_STORE": "neo4j",
        "PERSONAGRAPH_NEO4J_URI": "bolt://127.0.0.1:1",
    }
    said = refused(personagraph(tmp_path, "run", world.data, "-w", "n", **settings), 6)
    assert "PERSONAGRAPH_NEO4J_URI" in said


def test_a_setting_that_makes_no_sense(tmp_path: Path) -> None:
    said = refused(personagraph(tmp_path, "doctor", PERSONAGRAPH_STORE="oracle"), 2)
    assert "PERSONAGRAPH_STORE" in said


def test_a_trace_is_shown_only_when_asked_for(tmp_path: Path) -> None:
    quiet = personagraph(tmp_path, "verify", "-w", "none")
    loud = personagraph(tmp_path, "--debug", "verify", "-w", "none")
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr
    assert loud.returncode == quiet.returncode == 3


def test_a_workspace_of_a_newer_version_is_broken_to_doctor(tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    Workspace.create(workspace)
    (workspace / "workspace.json").write_text('{"format": 99}')
    looked = personagraph(tmp_path, "doctor", "-w", workspace)
    assert looked.returncode == 1
    assert "has format 99, this version reads format 1." in " ".join(looked.stdout.split())


def test_a_mended_record_is_replayed_and_nothing_else_changes(
    world: SimulatedWorld, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    events = data / "events.jsonl"
    good = {
        "type": "track",
        "event": "Product Viewed",
        "timestamp": "2026-05-01T10:00:00Z",
        "userId": "u-1",
        "properties": {"product_id": "A1", "name": "Lamp"},
    }
    lines = [json.dumps(good | {"messageId": f"m-{n}"}) for n in range(5)]
    events.write_text("\n".join([*lines[:2], lines[2][:-9], *lines[3:]]) + "\n")
    succeed(personagraph(tmp_path, "run", data, "-w", "w"))
    out = tmp_path / "records.ndjson"
    succeed(personagraph(tmp_path, "export", "records", "-w", "w", "-o", out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    bad = [row for row in rows if row["status"] == "quarantined"]
    assert [row["record_key"] for row in bad] == ["events.jsonl#3"]
    assert bad[0]["reason"]
    events.write_text("\n".join(lines) + "\n")
    succeed(personagraph(tmp_path, "run", data, "-w", "w"))
    succeed(personagraph(tmp_path, "export", "records", "-w", "w", "-o", out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["status"] for row in rows} == {"accepted"}
    assert len(rows) == 5
