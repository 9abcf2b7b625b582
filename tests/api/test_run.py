"""The main job through the command line: repeatable, killable, readable while it runs."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from program import PROGRAM, SimulatedWorld, as_json, personagraph, refused, succeed

EXPORTS = [
    "records",
    "identities",
    "judgements",
    "sessions",
    "intents",
    "memberships",
    "holdings",
    "personas",
    "descent",
    "claims",
    "evidence",
    "reconciliation",
]


def exports(home: Path, workspace: str, out: Path) -> dict[str, str]:
    """Every export as text."""
    out.mkdir(parents=True, exist_ok=True)
    for name in EXPORTS:
        succeed(personagraph(home, "export", name, "-w", workspace, "-o", out / f"{name}.csv"))
    return {name: (out / f"{name}.csv").read_text() for name in EXPORTS}


def test_every_record_is_accounted_for(home: Path) -> None:
    out = home / "reconciliation.ndjson"
    succeed(personagraph(home, "export", "reconciliation", "-w", "shop", "-o", out))
    import orjson

    rows = [orjson.loads(line) for line in out.read_text().splitlines()]
    assert rows
    for row in rows:
        parts = ("accepted", "duplicate", "quarantined", "consent_blocked")
        assert row["received"] == sum(row[part] for part in parts), row
    assert sum(row["quarantined"] for row in rows) > 0, "the world contains dirt"
    assert sum(row["consent_blocked"] for row in rows) > 0, "the world contains denials"


def test_the_same_files_again_change_nothing(
    home: Path, world: SimulatedWorld, tmp_path: Path
) -> None:
    before = exports(home, "shop", tmp_path / "before")
    report = as_json(personagraph(home, "run", world.data, "-w", "shop", "--json"))
    assert all(step["skipped"] for step in report["steps"]), report["steps"]
    assert exports(home, "shop", tmp_path / "after") == before


@pytest.mark.slow
def test_a_second_workspace_exports_the_same_rows(
    home: Path, world: SimulatedWorld, tmp_path: Path
) -> None:
    succeed(personagraph(tmp_path, "run", world.data, "-w", "again"))
    assert exports(tmp_path, "again", tmp_path / "b") == exports(home, "shop", tmp_path / "a")


@pytest.mark.slow
def test_a_run_killed_at_any_point_and_started_again_exports_the_same(
    home: Path, world: SimulatedWorld, tmp_path: Path
) -> None:
    for pause in (1.5, 4.0, 8.0, 12.0, 16.0, 20.0):
        process = subprocess.Popen(
            [str(PROGRAM), "run", str(world.data), "-w", "killed"],
            env=os.environ | {"PERSONAGRAPH_HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(pause)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    succeed(personagraph(tmp_path, "run", world.data, "-w", "killed"))
    assert exports(tmp_path, "killed", tmp_path / "b") == exports(home, "shop", tmp_path / "a")
    succeed(personagraph(tmp_path, "verify", "-w", "killed"))


@pytest.mark.slow
def test_readers_go_on_while_a_run_writes_and_a_second_run_is_refused(
    home: Path, world: SimulatedWorld, tmp_path: Path
) -> None:
    shutil.copytree(home / "shop", tmp_path / "shop")
    more = shutil.copytree(world.data, tmp_path / "data")
    first = sorted((more / "segment").glob("*.gz"))[0]
    shutil.copy2(first, first.with_name("late-" + first.name))
    with subprocess.Popen(
        [str(PROGRAM), "run", str(more), "-w", "shop"],
        env=os.environ | {"PERSONAGRAPH_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as writing:
        time.sleep(2)
        assert writing.poll() is None
        refused(personagraph(tmp_path, "run", more, "-w", "shop"), 4)
        while writing.poll() is None:
            out = tmp_path / "sessions.csv"
            succeed(personagraph(tmp_path, "export", "sessions", "-w", "shop", "-o", out))
            text = "MATCH (u:User) RETURN count(u) AS people"
            assert as_json(personagraph(tmp_path, "query", text, "-w", "shop", "--json"))["rows"]
            assert as_json(personagraph(tmp_path, "personas", "list", "-w", "shop", "--json"))
    assert writing.returncode == 0


def test_every_claim_holds_and_a_changed_graph_is_caught(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "shop", tmp_path / "shop")
    report = as_json(personagraph(tmp_path, "verify", "-w", "shop", "--json"))
    assert report["ok"]
    assert report["claims"] > 20


def test_the_personas_can_be_listed_and_shown(home: Path) -> None:
    listed = as_json(personagraph(home, "personas", "list", "-w", "shop", "--json"))
    assert len(listed) >= 3
    for persona in listed:
        assert persona["share_low"] <= persona["share"] <= persona["share_high"]
        assert persona["people"] >= 20
    shown = as_json(
        personagraph(home, "personas", "show", listed[0]["persona_id"], "-w", "shop", "--json")
    )
    assert shown["claims"]
    assert any(claim["evidence"] for claim in shown["claims"])
    text = succeed(personagraph(home, "personas", "show", listed[0]["persona_id"], "-w", "shop"))
    assert listed[0]["name"] in text
    assert "PersonaVersion" in text
    assert "on the half of all people that the persona was not searched in" in text
    assert f"stability {shown['stability']:.2f}: " in text
    version = f"{shown['persona_id']}@{shown['version']}"
    claim = shown["claims"][0]["claim_id"]
    one = succeed(personagraph(home, "personas", "show", version, "-w", "shop", "--claim", claim))
    assert "MATCH" in one
    assert "value = sum k1 / sum n1" in one
    pasted = one[one.index(":param") :]
    again = as_json(personagraph(home, "query", pasted, "-w", "shop", "--json"))["rows"]
    counts = {row["activity"]: row["n1"] for row in again}
    assert all(f"activity {stratum}: n1 {n1}," in one for stratum, n1 in counts.items())
    assert counts
    refused(personagraph(home, "personas", "show", version, "-w", "shop", "--claim", "c_no"), 3)
