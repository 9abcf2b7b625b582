"""Shapes that go wrong are found, and what we ship has none of them."""

import pytest

from kg import lint, queries

WRONG = {
    "MATCH (i:I)-[:V]->(u:U) WHERE u.on OR i.c = 'k' RETURN u.id": lint.CROSS_OR,
    "MATCH (a)-[:H]->(b) WHERE a.x = 1 XOR b.y = 2 RETURN a.id": lint.CROSS_OR,
    "OPTIONAL MATCH (a)-[:H]->(b) WHERE NOT (a.x = b.y) RETURN a.id": lint.CROSS_OR,
    "MATCH (c:Claim) WHERE c.descriptive AND c.people > 3 RETURN c.id": lint.BARE_FLAG,
    "MATCH (v:PersonaVersion)<-[:CURRENT]-(p) RETURN p.id": lint.HUB_CURRENT,
    "MATCH (v:PersonaVersion) <-[x:CURRENT]- (p) RETURN p.id": lint.HUB_CURRENT,
    "MATCH (a:A {id: $a}), (b:B {id: $b}) RETURN a.id": lint.CROSS,
    "MATCH (a), (b), (c) RETURN count(*) AS n": lint.CROSS,
    "UNWIND $rows AS r MATCH (a:A {id: r.a}), (b:B {id: r.b}) RETURN a.id": lint.COMMA,
    "MATCH (u:User {id: $u}) MERGE (u)-[:HAD]->(s:Session {id: $s})": lint.HUB_MERGE,
    "MATCH (i:Intent) WHERE i.started_at_ms >= $a + 1 RETURN i.id": lint.COMPUTED_BOUND,
}

RIGHT = [
    "MATCH (i:I)-[:V]->(u:U) WITH * WHERE u.on = true OR i.c = 'k' RETURN u.id",
    "MATCH (u:U) WHERE u.a = 1 OR u.b = 2 RETURN u.id",
    "MATCH (c:Claim) WHERE c.descriptive = true RETURN c.id",
    "MATCH (p:Persona {id: $p})-[:CURRENT]->(v) RETURN v.id",
    "MATCH (a:A {id: $a, x: 1}) MATCH (b:B {id: $b}) RETURN a.id, b.id",
    "MATCH (s:Session {id: $s}) MATCH (u:User {id: $u}) MERGE (s)<-[:HAD]-(u)",
    "MATCH (u:U) WHERE u.name STARTS WITH 'OR' AND u.x IS NOT NULL RETURN u.id // a OR b.c",
]


@pytest.mark.parametrize(("text", "reason"), WRONG.items())
def test_a_shape_that_goes_wrong_is_found(text: str, reason: str) -> None:
    assert lint.findings(text) == [reason]


@pytest.mark.parametrize("text", RIGHT)
def test_the_portable_form_passes(text: str) -> None:
    assert lint.findings(text) == []


@pytest.mark.parametrize("dialect", queries.DIALECTS)
def test_what_we_ship_has_no_shape_that_goes_wrong(dialect: queries.Dialect) -> None:
    found = {
        name: lint.findings(query.text)
        for name, query in queries.load(dialect).items()
        if not name.startswith("store/")
    }
    assert {name: reasons for name, reasons in found.items() if reasons} == {}
