"""Names that no graph has are told of; those of every query that we ship it has."""

import pytest

from kg import queries
from kg.vocabulary import unknown_names


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("MATCH (p:Persna) RETURN p.id", "no node has the label `Persna`; did you mean `Persona`?"),
        ("MATCH (:User)-[:HOLD]->(v) RETURN v",
         "no edge has the type `HOLD`; did you mean `HOLDS`?"),
        ("MATCH (:User)-[h:HAD|HOLD]->(v) RETURN v",
         "no edge has the type `HOLD`; did you mean `HOLDS`?"),
        ("MATCH (p:Persona) RETURN p.name",
         "`Persona` has no property `name`; it is one of `Trait`, `Category`, `PersonaVersion`, "
         "`Family`, `MicroPersona`, `RulePersona`"),
        ("MATCH (:User)-[h:HOLDS]->() WHERE h.valid_to IS NULL RETURN 1 AS x",
         "`HOLDS` has no property `valid_to`; did you mean `valid_to_ms`?"),
        ("MATCH (v:PersonaVersion {nam: 'Tea'}) RETURN v.id",
         "`PersonaVersion` has no property `nam`; did you mean `name`?"),
        ("MATCH (z:Zebra) RETURN z.stripes", "no node has the label `Zebra`"),
        ("MATCH (n) WHERE n.nope = 1 RETURN count(n) AS x",
         "no node and no edge has the property `nope`"),
        ("MATCH (n {titel: 'Tea'})-[r]->() RETURN r.valid_to_ms AS x",
         "no node and no edge has the property `titel`; did you mean `title`?"),
        ("MATCH (:User)-[r]->() RETURN r.wieght AS x",
         "no node and no edge has the property `wieght`; did you mean `weight`?"),
    ],
)  # fmt: skip
def test_a_name_that_no_graph_has_is_told_with_the_nearest(text: str, told: str) -> None:
    assert unknown_names(text) == [told]


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (u:User) WITH {nam: u.id} AS u2 RETURN u2.nam AS n",
        "MATCH (n) RETURN n.title AS x, 'MATCH (p:Persna)' AS y // (q:Persna)",
        "MATCH (n)-[r]->(m) WHERE n.name = 'x' RETURN r.weight AS w, count(m) AS c",
        "WITH {nope: 1} AS n RETURN (n).nope AS x, n.nope AS y",
        "UNWIND [{nope: 1}] AS n WITH n WHERE (n.nope) > 0 RETURN count(n) AS x, n.nope AS y",
        "WITH [{nope: 1}] AS maps RETURN [m IN maps WHERE (m.nope) = 1 | (m).nope] AS x",
        "UNWIND $rows AS row MATCH (u:User {id: row.who}) RETURN date(row.at) AS x",
        "MATCH (u:User)-[:HAD]->(s:Session)-[:EXPRESSED]->(:Intent {verb: 'x'}) RETURN s.value",
        "MATCH (n) WHERE (n:Item) OR (n:Category) RETURN coalesce(n.title, n.name) AS x",
        "MATCH p = (:Persona {id: $id})-[:CURRENT]->() RETURN [n IN nodes(p) | n.id] AS ids",
    ],
)
def test_what_may_be_there_is_not_told_of(text: str) -> None:
    assert unknown_names(text) == []


@pytest.mark.parametrize("dialect", queries.DIALECTS)
def test_every_query_that_we_ship_names_what_there_is(dialect: queries.Dialect) -> None:
    told = {
        name: unknown_names(query.text)
        for name, query in queries.load(dialect).items()
        if "Watermark" not in query.text and not name.startswith("store/")
    }
    assert {name: found for name, found in told.items() if found} == {}
