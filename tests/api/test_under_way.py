"""What is asked of a workspace whose first run is still under way says that it is."""

import os
from pathlib import Path

import pytest
from program import personagraph, succeed
from serving import served

from kg.graph import shown
from kg.lake import Lake
from kg.projection import graph_id
from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Watermark
from tests.kg.personas.planted import BAKE, planted

ASKED = (
    ("personas", "list"),
    ("personas", "history"),
    ("personas", "show", "Anybody"),
    ("personas", "subgraph", "Anybody"),
    ("personas", "intents"),
    ("personas", "intents", "Anybody"),
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


def test_personas_of_which_nothing_is_stated_yet_are_told_of(tmp_path: Path) -> None:
    planted(tmp_path / "w")
    with Lake.writer(tmp_path / "w") as lake, lake.step("personas"):
        pass  # and the run was stopped before it stated claims
    for asked in (("list",), ("show", BAKE)):
        told = personagraph(tmp_path, "personas", *asked, "-w", "w")
        assert told.returncode == 0
        said = " ".join(told.stdout.split())
        assert "no names or claims yet, which come last in a run. Run: personagraph" in said
        assert "verify" not in said


def test_a_topic_that_most_intents_are_about_is_warned_of_beside_the_personas(
    tmp_path: Path,
) -> None:
    planted(tmp_path / "w")
    with Lake.writer(tmp_path / "w") as lake, lake.step("personas") as step:
        most = {"topic": "home", "label": "Home", "topics": 9, "share": 0.9}
        step.summary["constraints"] = {"largest_topic": most}
    for asked in (("list",), ("show", BAKE)):
        said = succeed(personagraph(tmp_path, "personas", *asked, "-w", "w"))
        assert "warning: 90% of the intents that personas are made of are about Home" in said


def test_a_graph_that_no_run_has_finished_is_warned_of(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake, lake.step("ingest"):
        pass
    with open_store(Settings(), tmp_path / "w", write=True) as store:
        store.set_watermark(Watermark(store.workspace_id, "", ""))
    told = personagraph(tmp_path, "query", "MATCH (p:Persona) RETURN p.id", "-w", "w")
    assert told.returncode == 0
    assert "no run has come to its end here" in " ".join(told.stderr.split())


@pytest.mark.parametrize("whole", [True, False])
def test_a_graph_that_shows_less_than_the_lake_is_warned_of(tmp_path: Path, whole: bool) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("claims"):
            pass
        with open_store(Settings(), tmp_path / "w", write=True) as store:
            behind = Watermark(store.workspace_id, "before", "before")
            store.set_watermark(shown(lake, store.workspace_id) if whole else behind)
    told = personagraph(tmp_path, "query", "MATCH (u:User) RETURN count(u) AS n", "-w", "w")
    assert told.returncode == 0
    said = " ".join(told.stderr.split())
    assert ("the graph does not show all of the lake" in said) != whole


def test_a_graph_that_a_stopped_run_left_is_not_served_as_if_it_were_whole(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("claims"):
            pass
        with open_store(Settings(), tmp_path / "w", write=True) as store:
            store.set_watermark(Watermark(store.workspace_id, graph_id(lake)))
    with served(tmp_path, "w") as client:
        for path in ("/v1/personas", "/v1/people/email:ann@shop.test"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "not whole" in answer.json()["detail"]
