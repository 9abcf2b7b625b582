"""Verification: what is stated holds, and whatever is corrupted is caught, all of it."""

import json
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from kg import graph
from kg.activity import STRATA
from kg.lake.tables import TABLES
from kg.personas.verify import Report, verify
from tests.kg.personas.conftest import Stated
from tests.kg.personas.planted import BAKE, TINK

Row = dict[str, Any]
Corrupt = Callable[[Row, random.Random], None]


def write(stated: Stated, table: str, rows: list[Row]) -> None:
    """Replace a table of the lake by other rows, and let the graph show them."""
    schema = pa.schema([field for field in TABLES[table] if field.name != "run_id"])
    run = stated.lake.head.number if stated.lake.head else 0
    summary = stated.lake.summary("claims")
    with stated.lake.step("claims", config={"corrupted": run}) as step:
        step.overwrite(table, pa.Table.from_pylist(rows, schema=schema))
        step.summary.update(summary)
    graph.write_claims(stated.lake, stated.store)


def rows_of(stated: Stated, table: str) -> list[Row]:
    return [
        {name: value for name, value in row.items() if name != "run_id"}
        for row in stated.lake.arrow(table).to_pylist()
    ]


def check(stated: Stated) -> Report:
    return verify(stated.lake, stated.store)


def test_everything_that_was_stated_holds(stated: Stated) -> None:
    report = check(stated)
    assert report.problems == ()
    assert report.ok
    assert report.claims == len(rows_of(stated, "claims")) > 10
    assert report.sentences == report.claims
    assert report.paths > report.claims


def other_count(row: Row, rng: random.Random) -> None:
    counts = json.loads(row["counts"])
    counts[rng.choice(["k1", "n1"])][rng.randrange(STRATA)] += rng.choice([-1, 1])
    row["counts"] = json.dumps(counts)


def other_number(row: Row, rng: random.Random) -> None:
    row[rng.choice(["value", "low", "high"])] += rng.choice([-0.001, 0.001])


def other_q(row: Row, rng: random.Random) -> None:
    row["q"] = rng.random() if row["q"] is None or rng.random() < 0.5 else row["q"] / 2


def other_people(row: Row, rng: random.Random) -> None:
    row["people"] += rng.choice([-1, 1])


def other_direction(row: Row, _: random.Random) -> None:
    row["direction"] = "less" if row["direction"] == "more" else "more"


def other_params(row: Row, _: random.Random) -> None:
    params = json.loads(row["params"])
    params["pairs"][0]["version"] = "p_ffffffff@1"
    row["params"] = json.dumps(params)


def other_query(row: Row, _: random.Random) -> None:
    row["query"] = "claim/verb" if row["query"] != "claim/verb" else "claim/topic"


def other_id(row: Row, rng: random.Random) -> None:
    row["claim_id"] = f"c_{rng.randrange(16**12):012x}"


def other_test(row: Row, _: random.Random) -> None:
    row["descriptive"] = not row["descriptive"]


def unreadable(row: Row, _: random.Random) -> None:
    row["counts"] = "{}"


@pytest.mark.parametrize(
    "corrupt",
    [
        other_count, other_number, other_q, other_people, other_direction, other_params,
        other_query, other_id, other_test, unreadable,
    ],
)  # fmt: skip
def test_every_corrupted_claim_is_caught_and_no_other_is_blamed(
    stated: Stated, corrupt: Corrupt
) -> None:
    rng = random.Random(corrupt.__name__)
    rows = rows_of(stated, "claims")
    wrong = rng.sample(range(len(rows)), len(rows) // 2)
    before = [row["claim_id"] for row in rows]
    for place in wrong:
        corrupt(rows[place], rng)
    write(stated, "claims", rows)
    caught = {problem.where for problem in check(stated).problems if problem.what == "claim"}
    assert caught == {rows[place]["claim_id"] for place in wrong}
    assert before  # the ids before, for whoever reads a failure


def test_every_changed_number_in_a_sentence_is_caught(stated: Stated) -> None:
    rng = random.Random(0)
    rows = rows_of(stated, "wordings")
    changed = 0
    for row in rows:
        sentences = json.loads(row["sentences"])
        for sentence in sentences:
            number, rest = sentence["text"].split(" ", 1)
            sentence["text"] = f"{(int(float(number)) + rng.randint(1, 90)) % 100} {rest}"
            changed += 1
        row["sentences"] = json.dumps(sentences)
    write(stated, "wordings", rows)
    problems = [p for p in check(stated).problems if p.what == "wording"]
    assert len(problems) == changed


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("name", "Wealthy London Bakers"),
        ("summary", "They bought garden gnomes more than everyone else."),
        ("sentences", json.dumps([{"text": "They are loyal.", "claims": ["c_000000000000"]}])),
        ("sentences", json.dumps([{"text": "They are loyal.", "claims": []}])),
    ],
)
def test_words_that_no_claim_supports_are_caught(stated: Stated, column: str, text: str) -> None:
    rows = rows_of(stated, "wordings")
    rows[0][column] = text
    write(stated, "wordings", rows)
    where = f"{rows[0]['persona_id']}@{rows[0]['version']}"
    assert where in {p.where for p in check(stated).problems if p.what == "wording"}


def test_strata_that_were_cut_elsewhere_are_caught(stated: Stated) -> None:
    summary = stated.lake.summary("claims")
    with stated.lake.step("claims", config={"cut": "elsewhere"}) as step:
        step.summary.update(summary | {"strata": {"days": [1, 2, 3, 4], "intents": [1, 2, 3, 4]}})
    assert {p.where for p in check(stated).problems} >= {"activity"}


def test_people_moved_to_another_stratum_are_caught(stated: Stated) -> None:
    stated.store.write(
        "MATCH (u:User {half: 'test'})-[:HOLDS]->() WITH u LIMIT 1 SET u.activity = 8 - u.activity"
    )
    stated.store.write("MATCH (u:User {activity: 2}) SET u.activity = 1")
    assert not check(stated).ok


def test_a_missing_or_foreign_wording_is_caught(stated: Stated) -> None:
    rows = rows_of(stated, "wordings")
    rows[0]["persona_id"] = "p_ffffffff"
    write(stated, "wordings", rows)
    whys = {p.why for p in check(stated).problems if p.what == "wording"}
    assert {"it has claims but no words", "there is no such persona version"} <= whys


def test_every_forged_evidence_node_is_caught(stated: Stated) -> None:
    rng = random.Random(0)
    rows = rows_of(stated, "evidence")
    wrong = set()
    for label in {row["label"] for row in rows}:
        places = [i for i, row in enumerate(rows) if row["label"] == label]
        ids = sorted({rows[i]["node_id"] for i in places})
        for place in rng.sample(places, max(1, len(places) // 4)) if len(ids) > 1 else []:
            others = [node for node in ids if node != rows[place]["node_id"]]
            rows[place]["node_id"] = rng.choice(others)
            wrong.add(rows[place]["claim_id"])
    write(stated, "evidence", rows)
    caught = {p.where for p in check(stated).problems if p.what == "evidence"}
    assert caught == wrong


def test_missing_evidence_is_caught(stated: Stated) -> None:
    rows = rows_of(stated, "evidence")
    gone = rows[0]["claim_id"]
    write(stated, "evidence", [row for row in rows if row["claim_id"] != gone])
    assert [(p.what, p.where) for p in check(stated).problems] == [("evidence", gone)]


@pytest.mark.parametrize(
    "change",
    [
        "MATCH (:User)-[e:HOLDS]->() WITH e LIMIT 1 DELETE e",
        "MATCH (i:Intent)-[:SUPPORTS]->() WITH i LIMIT 40 DETACH DELETE i",
        "MATCH (u:User {half: 'test'})-[:HOLDS]->() WITH u LIMIT 1 SET u.half = 'fit'",
        "MATCH ()-[e:STATES]->() WITH e LIMIT 1 DELETE e",
        "MATCH ()-[e:CITES]->() WITH e LIMIT 1 DELETE e",
        "MATCH (c:Claim) WITH c LIMIT 1 SET c.value = 0.987",
        "MATCH (c:Claim) WITH c LIMIT 1 DETACH DELETE c",
        "MERGE (c:Claim {id: 'c_ffffffffffff'}) SET c.kind = 'share', c.value = 1.0",
    ],
)
def test_a_graph_that_was_changed_no_longer_verifies(stated: Stated, change: str) -> None:
    stated.store.write(change)
    assert not check(stated).ok


def test_whatever_the_graph_says_otherwise_of_a_persona_is_caught(stated: Stated) -> None:
    changed = {
        "people": 999, "population": 999, "share": 0.5, "share_low": 0.0, "share_high": 1.0,
        "stability": 1.0, "name": "Rich People", "summary": "They are rich.", "sentences": "[]",
        "author": "somebody", "kept_because": "they are rich",
    }  # fmt: skip
    setting = ", ".join(f"v.{name} = ${name}" for name in changed)
    stated.store.write(f"MATCH (v:PersonaVersion {{id: '{BAKE}@1'}}) SET {setting}", changed)
    stated.store.write(f"MATCH (p:Persona {{id: '{TINK}'}}) SET p.current = ''")
    found = [(p.what, p.where, p.why.partition(" is ")[0]) for p in check(stated).problems]
    assert sorted(found) == sorted(
        [
            *(("persona", f"{BAKE}@1", f"the graph's {name}") for name in changed),
            ("persona", f"{TINK}@1", "the graph's current"),
        ]
    )


def test_a_persona_that_only_the_graph_has_is_caught(stated: Stated) -> None:
    stated.store.write("MERGE (v:PersonaVersion {id: 'p_ffffffff@1'}) SET v.name = 'Rich People'")
    assert [(p.what, p.where) for p in check(stated).problems] == [("persona", "p_ffffffff@1")]


def test_weights_that_the_lake_does_not_have_are_caught(stated: Stated) -> None:
    one = f"MATCH ()-[h:HOLDS]->(:PersonaVersion {{id: '{BAKE}@1'}}) WITH h LIMIT 1"
    stated.store.write(f"{one} SET h.weight = 0.99, h.intents = 99")
    assert [(p.where, p.why) for p in check(stated).problems] == [
        (f"{BAKE}@1", "graph and lake differ in the intents of its holders"),
        (f"{BAKE}@1", "graph and lake differ in the weights of its holders"),
    ]


def test_figures_of_the_lake_that_nobody_counted_are_caught(stated: Stated) -> None:
    rows = rows_of(stated, "personas")
    rows[0] |= {"people": 999, "population": 999, "share": 0.9, "share_low": 0.0}
    write(stated, "personas", rows)
    where = f"{rows[0]['persona_id']}@{rows[0]['version']}"
    found = [(p.what, p.where, p.why.split()[0]) for p in check(stated).problems]
    wrong = ("people", "population", "share", "share_low")
    assert found == [("persona", where, name) for name in wrong]
