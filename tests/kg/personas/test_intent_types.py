"""Types of intent: counted as the graph counts them, each with a line that says what is so."""

import json
from typing import Any

import pyarrow as pa
import pytest

from kg.lake.tables import TABLES
from kg.personas.compressed import compressed, of_persona
from kg.personas.intent_types import Facts, IntentType, counted, describe, plain_line, problem, read
from kg.personas.llm import LlmServer
from kg.personas.verify import verify
from tests.kg.personas.conftest import Stated
from tests.kg.personas.planted import BAKE
from tests.kg.personas.recorded_server import recorded_server

TEA = Facts(
    "put Tea 2 into the basket", ("through web", "in the evening (18 to 24 h UTC)"),
    ("Green tea / loose", "Mint", "9"),
)  # fmt: skip


def by_type(types: list[IntentType]) -> dict[tuple[str, str], IntentType]:
    return {(one.verb, one.topic): one for one in types}


def test_counts_are_those_of_the_graph(stated: Stated) -> None:
    types = by_type(read(stated.lake))
    graph = {(row["verb"], row["topic"]): row for row in stated.store.run("persona/types")}
    assert len(types) > 3
    for key, one in types.items():
        assert (one.people, one.intents, one.events) == tuple(
            graph[key][name] for name in ("people", "intents", "events")
        )
    everybody, *personas = compressed(stated.lake)
    rows = stated.store.run("persona/intents")
    assert everybody.intents == sum(row["intents"] for row in graph.values())
    assert everybody.types == len(graph)
    assert [(p.version_id, p.people, p.intents, p.events) for p in personas] == [
        tuple(row.values()) for row in rows
    ]
    mine = stated.store.run("persona/intent_types", {"version_id": f"{BAKE}@1"})
    told = of_persona(stated.lake, f"{BAKE}@1")
    assert [(t.verb, t.topic, t.people, t.intents, t.events) for t in told] == [
        tuple(row.values()) for row in mine if row["people"] >= 20
    ]
    assert all(one.line == types[one.verb, one.topic].line for one in told)


def test_facts_are_those_of_the_graph(stated: Stated) -> None:
    one = by_type(read(stated.lake))["bought", "cake-tins"]
    asked = {"verb": "bought", "topic": "cake-tins"}
    ways = stated.store.run("persona/type_ways", asked)
    evening = sum(row["intents"] for row in ways if (row["hour"] or 0) >= 18)
    web = sum(row["intents"] for row in ways if row["channel"] == "web")
    assert (evening * 2 > one.intents, web * 2 > one.intents) == (True, True)
    assert one.facts.mostly == ("through web", "in the evening (18 to 24 h UTC)")
    items = stated.store.run("persona/type_items", asked | {"count": 3})
    titles = [row["title"].replace(", ", " / ") for row in items if row["people"] >= 20]
    assert list(one.facts.items) == titles
    assert one.line.startswith("bought cake tins, mostly through web, mostly in the evening")


def test_what_the_business_keeps_out_is_not_spoken_of(stated: Stated) -> None:
    with stated.lake.step("personas", config={"keeps": "hours out"}) as step:
        step.summary["constraints"] = {"silenced": {"daypart": "hour is kept out of personas"}}
    one = by_type(counted(stated.lake))["bought", "cake-tins"]
    assert one.facts.mostly == ("through web",)


def test_the_only_channel_there_is_is_in_no_line(projected: Stated) -> None:
    with projected.lake.step("intents", config={"channels": 1}) as step:
        intents = projected.lake.arrow("intents").drop_columns(["run_id"])
        channel = intents.column_names.index("channel")
        web = pa.array(["web"] * len(intents), intents.schema.field(channel).type)
        step.overwrite("intents", intents.set_column(channel, intents.schema.field(channel), web))
    lines = [one.line for one in describe(projected.lake, None)]
    assert any(", mostly in the evening" in line for line in lines)
    assert not any("web" in line for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        plain_line(TEA),
        plain_line(Facts("bought tea")),
        "They put Tea 2 into the basket, mostly in the evening (18 to 24 h UTC).",
        "Mostly through web, people put tea 2 into the basket, such as Mint, 9, and "
        "Green tea / loose",
    ],
)
def test_a_line_that_restates_its_facts_is_right(line: str) -> None:
    facts = TEA if "Tea" in line or "tea 2" in line else Facts("bought tea")
    assert problem(line, facts) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("They bought Tea 2.", "does not say “put Tea 2 into the basket”"),
        ("They put Tea 2 into the basketball", "does not say"),
        ("They put Tea 2 into the basket through web", "says of all what is mostly so"),
        ("They put Tea 2 into the basket, mostly through web and in the evening (18 to 24 h UTC)",
         "says of all"),
        ("They put Tea 2 into the basket, mostly Mint", "not as examples"),
        ("They put Tea 2 into the basket, mostly through app", "“app”"),
        ("They never put Tea 2 into the basket", "“never”"),
        ("They put Tea 2 into the basket 9 times", "not as examples"),
        ("They put Tea 2 into the basket 12 times", "“12”"),
        ("They put Tea 2 into the basket, not mostly through web", "“not”"),
    ],
)  # fmt: skip
def test_a_line_that_says_anything_else_is_refused(line: str, why: str) -> None:
    assert why in str(problem(line, TEA))


def model_says(facts: Facts) -> dict[str, Any]:
    return {"content": {"line": f"They {plain_line(facts)}."}}


def again(stated: Stated, types: list[IntentType]) -> None:
    """Keep these types as a run would."""
    schema = pa.schema([field for field in TABLES["intent_types"] if field.name != "run_id"])
    run = stated.lake.head.number if stated.lake.head else 0
    summary = stated.lake.summary("claims")
    with stated.lake.step("claims", config={"types": run}) as step:
        rows = [one.row for one in types]
        step.overwrite("intent_types", pa.Table.from_pylist(rows, schema=schema))
        step.summary.update(summary)


def test_a_model_is_asked_once_per_type(stated: Stated) -> None:
    plain = read(stated.lake)
    answers = [model_says(one.facts) for one in plain]
    answers[0] = {"content": {"line": "They love it."}}
    with recorded_server(answers) as tape:
        llm = LlmServer(tape.url)
        found = describe(stated.lake, llm)
        assert len(tape.asked) == len(plain)
        again(stated, found)
        assert describe(stated.lake, llm) == found
        assert describe(stated.lake, LlmServer(tape.url, model="tiny")) == found
        assert len(tape.asked) == len(plain), "what is known is not asked for again"
        describe(stated.lake, LlmServer(tape.url, model="another"))
        assert len(tape.asked) == 2 * len(plain)
    assert [one.author for one in found] == ["template", *["tiny"] * (len(plain) - 1)]
    assert found[0].line == plain[0].line
    assert "does not say" in found[0].refused
    assert found[1].line == f"They {plain[1].line}."
    assert verify(stated.lake, stated.store).ok
    told = json.dumps(tape.asked)
    for words in ("u_0", "i_0", "s_0", "393"):
        assert words not in told, "no id and no number of people goes to a model"


def test_a_type_whose_facts_changed_is_asked_for_again(stated: Stated) -> None:
    plain = read(stated.lake)
    with recorded_server([model_says(one.facts) for one in plain]) as tape:
        found = describe(stated.lake, LlmServer(tape.url))
        older = Facts(found[1].facts.phrase, (), ("Something else",))
        again(stated, [found[0], IntentType(**vars(found[1]) | {"facts": older}), *found[2:]])
        describe(stated.lake, LlmServer(tape.url))
        assert len(tape.asked) == len(plain) + 1


def test_a_model_that_writes_nothing_that_can_be_used_is_not_asked_again(stated: Stated) -> None:
    with recorded_server([{"content": "no JSON"}]) as tape:
        found = describe(stated.lake, LlmServer(tape.url, tries=1))
        assert len(tape.asked) == len(found)
        assert all("not of the schema" in one.refused for one in found)
        again(stated, found)
        assert describe(stated.lake, LlmServer(tape.url, tries=1)) == found
        assert len(tape.asked) == len(found)
    assert verify(stated.lake, stated.store).ok


def test_a_model_that_does_not_answer_is_asked_once(stated: Stated) -> None:
    with recorded_server([{"status": 404}]) as tape:
        found = describe(stated.lake, LlmServer(tape.url))
    assert len(tape.asked) == 1
    assert "did not answer" in found[0].refused
    assert {one.author for one in found} == {"template"}
    assert {one.asked for one in found} == {""}, "so that the next run asks"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"line": "bought cake tins, as everybody does"}, "its line: its facts do not say"),
        ({"line": "bought cake tins through web"}, "says of all what is mostly so"),
        ({"people": 21}, "people is 21, the graph counts"),
        ({"events": 5}, "events is 5, the lake counts"),
        ({"topic": "nothing"}, "fewer than 20 people"),
    ],
)
def test_verify_finds_a_type_that_is_not_so(
    stated: Stated, change: dict[str, Any], why: str
) -> None:
    types = by_type(read(stated.lake))
    types["bought", "cake-tins"] = IntentType(**vars(types["bought", "cake-tins"]) | change)
    again(stated, list(types.values()))
    found = verify(stated.lake, stated.store)
    assert [p.what for p in found.problems] == ["intent type"] * len(found.problems)
    assert any(why in problem.why for problem in found.problems)
