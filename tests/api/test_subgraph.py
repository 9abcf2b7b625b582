"""The subgraph of a persona and the map of all, as a person and a program get them."""

from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from program import as_json, personagraph, refused, succeed


@pytest.fixture(scope="module")
def persona(home: Path) -> dict[str, Any]:
    """The persona that most people hold."""
    found: dict[str, Any] = as_json(personagraph(home, "personas", "list", "-w", "shop", "--json"))[
        0
    ]
    return found


def test_figures_are_shown_to_people_and_to_programs(home: Path, persona: dict[str, Any]) -> None:
    asked = ("personas", "subgraph", persona["persona_id"], "-w", "shop")
    figures = as_json(personagraph(home, *asked, "--json"))
    assert figures["name"] == persona["name"]
    assert figures["people"] == figures["nodes"]["User"] == persona["people"]
    assert figures["nodes"]["Intent"] == persona["intents"]
    assert 0 < figures["topic_density"] <= 1
    assert figures["topic_hubs"]
    shown = succeed(personagraph(home, *asked))
    for words in (persona["name"], "density", "hubs: topics", figures["topic_hubs"][0]["label"]):
        assert words in shown
    assert (
        succeed(personagraph(home, "personas", "subgraph", persona["name"], "-w", "shop")) == shown
    )


def test_it_is_written_as_graphml_and_as_parquet(
    home: Path, persona: dict[str, Any], tmp_path: Path
) -> None:
    asked = ("personas", "subgraph", persona["persona_id"], "-w", "shop")
    figures = as_json(personagraph(home, *asked, "--json"))
    out = tmp_path / "persona.graphml"
    told = as_json(personagraph(home, *asked, "-o", out, "--json"))
    assert told["nodes"] == sum(figures["nodes"].values())
    assert told["edges"] == sum(row["edges"] for row in figures["edges"])
    read = nx.read_graphml(out)
    assert (len(read), read.number_of_edges()) == (told["nodes"], told["edges"])
    assert nx.density(read) == pytest.approx(figures["density"])
    result = personagraph(home, *asked, "-o", tmp_path / "persona")
    succeed(result)
    assert f"{told['nodes']:,} nodes" in result.stderr
    assert (tmp_path / "persona" / "nodes" / "User.parquet").is_file()
    assert "there already" in refused(personagraph(home, *asked, "-o", tmp_path / "persona"), 2)
    assert ".gexf" in refused(personagraph(home, *asked, "-o", tmp_path / "a.gexf"), 2)


def test_the_map_is_drawn_the_same_twice(
    home: Path, persona: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("a.svg", "b.svg", "a.html"):
        succeed(personagraph(home, "personas", "map", "-w", "shop", "-o", tmp_path / name))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    svg = (tmp_path / "a.svg").read_text()
    assert persona["name"] in svg
    assert str(home) not in svg
    assert svg.strip() in (tmp_path / "a.html").read_text()
    drawn = ("personas", "map", "-w", "shop", "-o", tmp_path / "c.svg", "--json")
    found = as_json(personagraph(home, "personas", "list", "-w", "shop", "--json"))
    told = as_json(personagraph(home, *drawn))
    assert told == {"personas": len(found), "out": str(tmp_path / "c.svg")}


def test_what_cannot_be_drawn_or_found_is_said_in_a_line(home: Path, tmp_path: Path) -> None:
    assert ".svg, .html" in refused(
        personagraph(home, "personas", "map", "-w", "shop", "-o", tmp_path / "a.png"), 2
    )
    assert "no persona fits" in refused(
        personagraph(home, "personas", "subgraph", "Nobody", "-w", "shop"), 3
    )


def test_a_workspace_without_personas_has_no_map(story: Path, tmp_path: Path) -> None:
    asked = ("personas", "map", "-w", "story", "-o", tmp_path / "a.svg")
    assert "nothing to draw" in refused(personagraph(story, *asked), 3)
    assert not (tmp_path / "a.svg").exists()
