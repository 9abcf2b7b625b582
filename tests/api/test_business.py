"""`personas.yaml` through the command line: what it costs, refuses and says."""

import re
import shutil
import time
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pytest
from program import Result, as_json, personagraph, refused, succeed
from rich.console import Console

from api.cli.compare import _each
from kg.lake import Lake

FILE = "personas.yaml"


@pytest.fixture
def mine(story: Path, tmp_path: Path) -> Path:
    """A copy of the small story's workspaces, to be changed."""
    return Path(shutil.copytree(story, tmp_path / "home"))


def _run(home: Path, text: str, *more: str) -> Result:
    (home / "story" / FILE).write_text(text)
    return personagraph(home, "run", home / "data", "-w", "story", *more)


def test_a_comment_changes_nothing_and_each_part_only_what_it_must(mine: Path) -> None:
    def ran(text: str) -> set[str]:
        report = as_json(_run(mine, text, "--json"))
        return {step["step"] for step in report["steps"] if not step["skipped"]}

    succeed(personagraph(mine, "personas", "constraints", "--write", "-w", "story"))
    written = (mine / "story" / FILE).read_text()
    assert ran(written) == set()
    assert ran("rules:\n  buyers:\n    - {verb: bought}\n") >= {"rules"}
    assert not ran("# a comment\nrules:\n  buyers:\n    - {verb: bought}\n")
    told = as_json(personagraph(mine, "personas", "compare", "-w", "story", "--json"))
    assert [one["name"] for one in told["personas"] if one["kind"] == "rule"] == ["buyers"]
    assert any("states no goal" in line for line in told["said"])
    shown = succeed(personagraph(mine, "personas", "compare", "-w", "story"))
    assert "buyers" in shown
    assert "states no rule" not in shown
    assert f"Coverage of all {told['coverage']['people']:,} people" in shown
    text = "goals:\n  a: {verb: bought}\n  b: {returns_within_days: 9}\n"
    (mine / "story" / FILE).write_text(text + "rules:\n  c: [{verb: bought}, {channel: web}]\n")
    asked = succeed(personagraph(mine, "personas", "constraints", "-w", "story"))
    assert "goals:\n  a: verb: bought\n  b: returns_within_days: 9\n" in asked
    assert "rules:\n  c: verb: bought and channel: web\n" in asked


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("minimum_people: 3\n", "line 1: minimum_people is 3, below the floor"),
        ("goals:\n  a: {verb: bougt}\n", "line 2: there is no verb 'bougt'"),
        ("must_keep:\n  - p_00000000\n", "line 2: there never was a persona"),
        ("goals:\n  a: {topic: Cups of no kind}\n", "line 2: there is no topic"),
        ("keep_out: {channels: [wbe]}\n", "line 1: there is no channel 'wbe'"),
        ("rules:\n  a:\n    - {verb: bougt}\n", "line 3: there is no verb 'bougt'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(mine: Path, text: str, says: str) -> None:
    assert says in refused(_run(mine, text), 2)
    assert says in refused(personagraph(mine, "personas", "constraints", "-w", "story"), 2)


@pytest.mark.parametrize(
    ("text", "says", "done"),
    [
        ("must_keep:\n  - p_00000000\n", "there never was a persona", []),
        ("keep_out: {channels: [wbe]}\n", "there is no channel 'wbe'", ["ingest"]),
        ("keep_out: {verbs: [bougt]}\n", "there is no verb 'bougt'", ["ingest"]),
        ("goals: {a: {verb: bougt}}\n", "there is no verb 'bougt'", ["ingest"]),
        ("goals: {a: {campaign: zzz}}\n", "there is no campaign 'zzz'", ["ingest"]),
        ("rules: {a: [{channel: wbe}]}\n", "there is no channel 'wbe'", ["ingest"]),
        (
            "keep_out: {topics: [Cups of no kind]}\n",
            "there is no topic",
            ["ingest", "identity", "topics", "intents"],
        ),
    ],
)
def test_a_name_is_refused_as_soon_as_what_the_data_hold_is_known(
    mine: Path, text: str, says: str, done: list[str]
) -> None:
    succeed(personagraph(mine, "personas", "constraints", "--write", "-w", "new"))
    (mine / "new" / FILE).write_text(text)
    assert says in refused(personagraph(mine, "run", mine / "data", "-w", "new"), 2)
    steps = ["ingest", "identity", "topics", "intents", "goals", "rules", "personas"]
    with Lake.open(mine / "new") as lake:
        assert [step for step in steps if lake.step_id(step)] == done


def test_doctor_says_in_words_what_the_graph_holds(story: Path) -> None:
    looked = as_json(personagraph(story, "doctor", "-w", "story", "--json"))
    (graph,) = (one for one in looked if one["what"] == "graph")
    assert graph["state"] == "ok"
    assert graph["fact"].endswith(", graph and claims loaded")


def test_without_rules_the_found_personas_are_shown_alone(story: Path) -> None:
    shown = succeed(personagraph(story, "personas", "compare", "-w", "story"))
    assert "states no rule to compare found personas with" in shown
    assert not [line for line in shown.splitlines() if "rule " in line and "personas" not in line]


def test_the_program_says_its_version(tmp_path: Path) -> None:
    said = succeed(personagraph(tmp_path, "--version"))
    assert said == f"personagraph {version('personagraph')}\n"


def test_a_run_says_how_long_one_has_waited_not_what_its_steps_took(story: Path) -> None:
    began = time.monotonic()
    shown = succeed(personagraph(story, "run", story / "data", "-w", "story"))
    waited = time.monotonic() - began
    said = re.search(r"nothing new in ([\d.]+) s", shown)
    assert said, shown
    assert waited / 2 < float(said[1]) < waited + 1


def test_a_persona_that_the_business_keeps_is_not_said_to_be_found() -> None:
    figures = {"people": 30, "share": 0.1, "stability": 0.8, "still_held": 0.5, "fresh": 0.5}
    one = {"name": "Night owls", "kind": "found", "kept_by": "business", "definition_days": 3}
    console = Console(width=200, record=True, file=StringIO())
    _each(console, [one | figures | {"said": []}], 30)
    told = console.export_text()
    assert "kept" in told
    assert "found" not in told
    assert "that who held it still does is none" in " ".join(told.split())
