"""The page on the graph says what the schema has, and its queries answer on both stores."""

import re
from pathlib import Path

import pytest

from kg.lint import findings
from kg.schema import EDGES, NODES
from kg.store.guard import check_text
from kg.store.protocol import Store
from kg.vocabulary import unknown_names
from tests.kg.store.small_graph import DAY_MS, small_graph

PAGE = (Path(__file__).parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```cypher\n(.+?)```", PAGE, re.S)
CYPHER = {"string": "STRING", "int64": "INTEGER", "double": "FLOAT", "bool": "BOOLEAN"}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def properties(cell: str) -> dict[str, str]:
    return dict(re.findall(r"`(\w+)` (\w+)", cell))


def test_every_label_and_its_properties_are_on_the_page() -> None:
    told = {label.strip("`"): properties(cell) for label, _, cell in rows("Nodes")}
    assert told == {
        label: {name: CYPHER[str(type_)] for name, type_ in columns.items()}
        for label, columns in NODES.items()
    }


def test_every_kind_of_edge_is_on_the_page() -> None:
    told = {
        (start.strip("`"), type_.strip("`"), end): properties(cell)
        for start, type_, ends, _, cell in rows("Edges")
        for end in re.findall(r"\w+", ends)
    }
    assert told == {
        (kind.start, kind.type, kind.end): {
            name: CYPHER[str(type_)] for name, type_ in kind.columns.items()
        }
        for kind in EDGES
    }


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_on_the_page_may_be_asked_and_names_what_there_is(text: str) -> None:
    check_text(text)
    assert [*unknown_names(text), *findings(text)] == []


def test_the_queries_on_the_page_answer(store: Store) -> None:
    store.bulk_load(small_graph())
    assert len(QUERIES) == 6
    for text in QUERIES:
        assert store.run(text, {"at_ms": DAY_MS // 2} if "$at_ms" in text else {}), text
