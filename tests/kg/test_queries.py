"""Named queries: what a file must say, and that all we ship say it."""

import re

import pytest

from kg import queries
from kg.errors import NotFound
from kg.queries import BadQueryFile, parse
from kg.schema import EDGES, NODES, edge_schema, node_schema
from kg.store.bolt import edge_query, node_query

GOOD = """// The version of one persona that is in force now.
// params:  persona_id STRING, count INT64?
// returns: version INT64, names LIST<STRING>
MATCH (p:Persona {id: $persona_id})
RETURN p.version AS version, [] AS names LIMIT $count // not $this
"""


def test_a_header_says_what_a_query_answers_takes_and_returns() -> None:
    query = parse("persona/current", GOOD)
    assert query.about == "The version of one persona that is in force now."
    assert query.params == {"persona_id": "STRING", "count": "INT64?"}
    assert query.returns == {"version": "INT64", "names": "LIST<STRING>"}
    assert query.text.startswith("MATCH (p:Persona")


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (("// params:  persona_id STRING, count INT64?\n", ""), "header"),
        (("count INT64?", "count NUMBER"), "count NUMBER"),
        (("$persona_id", "'p_1'"), "body uses"),
        (("LIMIT $count", "LIMIT $rows"), "body uses"),
        (("persona_id STRING", "persona_id"), "persona_id"),
    ],
)
def test_a_file_that_says_something_else_than_it_does_is_refused(
    change: tuple[str, str], fact: str
) -> None:
    with pytest.raises(BadQueryFile, match=re.escape(fact)):
        parse("persona/current", GOOD.replace(*change))


def test_a_name_in_a_string_or_comment_is_no_parameter() -> None:
    text = "// One.\n// params:\n// returns: x STRING\nRETURN '$a' AS x // $b\n"
    assert parse("one", text).params == {}


def test_every_dialect_offers_the_same_queries() -> None:
    offered = [
        {
            name: (query.params, query.returns)
            for name, query in queries.load(dialect).items()
            if not name.startswith("store/")
        }
        for dialect in queries.DIALECTS
    ]
    assert offered[0] == offered[1]
    assert len(offered[0]) > 50


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"persona/nobody"):
        queries.named("persona/nobody", "neo4j")


@pytest.mark.parametrize("dialect", queries.DIALECTS)
def test_every_kind_of_node_and_edge_has_a_query_that_writes_all_its_columns(
    dialect: queries.Dialect,
) -> None:
    wanted = {node_query(label): node_schema(label).names for label in NODES}
    wanted |= {edge_query(kind): edge_schema(kind).names for kind in EDGES}
    written = {
        name: re.findall(r"row\.(\w+)", query.text)
        for name, query in queries.load(dialect).items()
        if name.startswith("graph/write/")
    }
    assert {name: set(columns) for name, columns in written.items()} == {
        name: set(columns) for name, columns in wanted.items()
    }


def test_migrations_come_in_order_and_may_be_run_again() -> None:
    for dialect in queries.DIALECTS:
        names = [migration.name for migration in queries.migrations(dialect)]
        assert names == sorted(names)
        for migration in queries.migrations(dialect):
            assert all("IF NOT EXISTS" in statement for statement in migration.statements)
