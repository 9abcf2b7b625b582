"""What is asked of a workspace whose first run is still under way says that it is."""

import os
from pathlib import Path

import pytest
from program import personagraph

from kg.lake import Lake
from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Watermark

ASKED = (
    ("personas", "list"),
    ("personas", "history"),
    ("personas", "show", "Anybody"),
    ("personas", "subgraph", "Anybody"),
    ("personas", "history", "Anybody"),
    ("personas", "compare"),
    ("personas", "map", "-o", "map.svg"),
    ("export", "holdings", "-o", "holdings.csv"),
    ("query", "MATCH (p:Persona) RETURN p.id"),
    ("verify",),
    ("identity", "review"),
    ("doctor",),
)


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_a_run_under_way_is_told_of(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("ingest"):
            pass
        told = personagraph(tmp_path, *asked, "-w", "w")
    said = " ".join((told.stdout + told.stderr).split())
    assert f"A run is under way (process {os.getpid()}, since " in said


def test_a_graph_that_no_run_has_finished_is_warned_of(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake, lake.step("ingest"):
        pass
    with open_store(Settings(), tmp_path / "w", write=True) as store:
        store.set_watermark(Watermark(store.workspace_id, "", ""))
    told = personagraph(tmp_path, "query", "MATCH (p:Persona) RETURN p.id", "-w", "w")
    assert told.returncode == 0
    assert "no run has come to its end here" in " ".join(told.stderr.split())
