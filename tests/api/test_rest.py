"""The REST door over a real server and a real graph; its description is committed."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, cast

import httpx
import orjson
import pytest
from program import as_json, personagraph, succeed
from serving import served
from world import write_story

from api.rest.personas import family_of, list_personas
from kg.lake import Lake
from kg.store.protocol import Store

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    with served(home, "shop") as opened:
        yield opened


@pytest.fixture(scope="module")
def known(home: Path) -> dict[str, str]:
    """An e-mail address and a device of one person, from the raw files."""
    text = "MATCH (n:Identifier)-[:IDENTIFIES]->(u:User)-[:HOLDS]->() "
    text += "WHERE n.namespace = 'user_id' RETURN n.value AS value, u.id AS user_id "
    text += "ORDER BY value LIMIT 1"
    rows = as_json(personagraph(home, "query", text, "-w", "shop", "--json"))["rows"]
    return {"identifier": f"user_id:{rows[0]['value']}", "user_id": rows[0]["user_id"]}


def test_a_person_is_found_by_an_identifier_as_the_records_carry_it(
    client: httpx.Client, known: dict[str, str]
) -> None:
    answer = client.get(f"/v1/people/{known['identifier']}")
    assert answer.status_code == 200
    person = answer.json()
    assert person["user_id"] == known["user_id"]
    assert person["session_count"] > 0
    assert len(person["last_sessions"]) <= 5
    for name in (known["user_id"], f"user:{known['user_id']}"):
        assert client.get(f"/v1/people/{name}").json() == person


def test_an_id_that_somebody_had_before_finds_who_they_are_now(tmp_path: Path) -> None:
    write_story(tmp_path / "data")
    succeed(personagraph(tmp_path, "run", tmp_path / "data", "-w", "w"))
    with Lake.open(tmp_path / "w") as lake:
        users = lake.table("users")
        one, other = lake.run(users.filter(~users.consent_denied))["user_id"].to_pylist()[:2]
    say = ("--by", "jo", "--because", "asked them", "-w", "w")
    succeed(personagraph(tmp_path, "identity", "merge", one, other, *say))
    succeed(personagraph(tmp_path, "run", tmp_path / "data", "-w", "w"))
    with served(tmp_path, "w") as opened:
        people = [opened.get(f"/v1/people/{name}").json() for name in (one, f"user:{other}")]
        assert opened.get("/v1/people/u_nobody").status_code == 404
    assert people[0] == people[1]
    assert people[0]["user_id"] in {one, other}


def test_the_personas_of_a_person_carry_weights_with_intervals(
    client: httpx.Client, known: dict[str, str]
) -> None:
    held = client.get(f"/v1/people/{known['identifier']}/personas").json()["personas"]
    assert held
    assert sum(p["weight"] for p in held) <= 1.0 + 1e-9
    for persona in held:
        assert 0 <= persona["low"] <= persona["weight"] <= persona["high"] <= 1
    assert held == sorted(held, key=lambda p: -p["weight"])


def test_why_a_person_holds_a_persona_is_told_alike_by_both_doors(
    client: httpx.Client, home: Path, known: dict[str, str]
) -> None:
    (held, *_) = client.get(f"/v1/people/{known['identifier']}/personas").json()["personas"]
    told = client.get(f"/v1/people/{known['identifier']}/personas/{held['persona_id']}").json()
    asked = ("personas", "why", held["persona_id"], known["identifier"], "-w", "shop")
    assert told == as_json(personagraph(home, *asked, "--json"))
    assert (told["weight"], told["low"], told["high"]) == tuple(
        held[name] for name in ("weight", "low", "high")
    )
    assert told["weight"] == told["intents"] / told["all_intents"]
    shown = succeed(personagraph(home, *asked))
    assert held["name"] in shown
    assert "change that would end it: had they not come on occasion" in shown
    assert all(reason["about"] for reason in told["reasons"])
    answer = client.get(f"/v1/people/{known['identifier']}/personas/p_00000000")
    assert answer.status_code == 404
    assert "does not hold" in answer.json()["detail"]


def test_what_holds_of_a_person_carries_rule_and_record_and_repeats_nothing_personal(
    client: httpx.Client, home: Path, known: dict[str, str]
) -> None:
    user = known["user_id"]
    told = client.get(f"/v1/people/{known['identifier']}/traits").json()
    assert told == client.get(f"/v1/people/user:{user}/traits").json()
    shown = as_json(personagraph(home, "identity", "traits", user, "-w", "shop", "--json"))
    assert told["user_id"] == user
    assert all(row["because"] and row["record_key"] for row in told["traits"])
    assert {row["personal"] for row in told["traits"]} == {True, False}
    assert all((row["value"] is None) == row["personal"] for row in told["traits"])
    assert all(row["values"] > len(row["others"]) for row in told["traits"])
    assert all(row["values"] == len(row["others"]) + 1 or row["personal"] for row in told["traits"])
    for row in (said for one in told["traits"] for said in (one, *one["others"])):
        row["at_ms"] = datetime.fromisoformat(row.pop("said_at")).timestamp() * 1000
    assert told["traits"] == shown["traits"]


def test_of_who_denied_consent_nothing_is_told(client: httpx.Client, home: Path) -> None:
    with Lake.open(home / "shop") as lake:
        users = lake.arrow("users", ["user_id", "consent_denied"]).to_pylist()
    denied = next(row["user_id"] for row in users if row["consent_denied"])
    for path in ("", "/personas", "/personas/p_00000000", "/traits"):
        assert client.get(f"/v1/people/user:{denied}{path}").status_code == 404
    told = as_json(personagraph(home, "identity", "traits", denied, "-w", "shop", "--json"))
    assert told["traits"] == []


class Listing:
    """A store that lists one persona, kept by the business, that few people hold."""

    kept: ClassVar[dict[str, Any]] = {
        "persona_id": "p_0a1b2c3d",
        "version": 2,
        "name": None,
        "summary": None,
        "people": 12,
        "share": 0.012,
        "share_low": 0.007,
        "share_high": 0.02,
        "stability": 0.9,
        "kept_by": "business",
        "kept_because": "the search of this run did not find it",
    }

    def run(self, name: str) -> list[dict[str, Any]]:
        family = {"family_id": "f_1", "name": "Toys", "people": 153, "share": 0.15, "intents": 2510}
        row = family | {"persona_id": self.kept["persona_id"], "stability": 0.7}
        return {"persona/list": [self.kept], "persona/parents": [row]}[name]


def test_of_a_persona_of_too_few_people_no_number_is_told(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        (told,) = list_personas(cast(Store, Listing()), lake)
    assert (told.people, told.share, told.share_low, told.share_high) == (None,) * 4
    assert (told.name, told.kept_by) == ("p_0a1b2c3d", "business")
    family = family_of(cast(Store, Listing()), told.persona_id)
    assert family is not None
    assert (family.people, family.share, family.intents) == (None, None, 2510)


def test_a_persona_is_told_as_the_command_line_tells_it(client: httpx.Client, home: Path) -> None:
    listed = client.get("/v1/personas").json()
    shown = as_json(
        personagraph(home, "personas", "show", listed[0]["persona_id"], "-w", "shop", "--json")
    )
    detail = client.get(f"/v1/personas/{listed[0]['persona_id']}").json()
    version = f"{detail['persona_id']}@{detail['version']}"
    assert client.get(f"/v1/personas/{version}").json() == detail
    assert client.get(f"/v1/personas/{detail['persona_id']}@99").status_code == 404
    assert client.get(f"/v1/personas/{detail['persona_id']}@no").status_code == 404
    for field in ("name", "summary", "people", "share", "stability", "author", "sentences"):
        assert detail[field] == shown[field], field
    assert {c["claim_id"]: c["value"] for c in detail["claims"]} == {
        c["claim_id"]: c["value"] for c in shown["claims"]
    }
    assert {c["claim_id"]: c["evidence"] for c in detail["claims"]} == {
        c["claim_id"]: c["evidence"] for c in shown["claims"]
    }


def test_the_figures_of_a_subgraph_are_those_of_the_command_line(
    client: httpx.Client, home: Path
) -> None:
    persona_id = client.get("/v1/personas").json()[0]["persona_id"]
    told = as_json(personagraph(home, "personas", "subgraph", persona_id, "-w", "shop", "--json"))
    del told["name"]
    assert client.get(f"/v1/personas/{persona_id}/subgraph").json() == told


def test_what_events_came_to_is_that_of_the_command_line(client: httpx.Client, home: Path) -> None:
    persona_id = client.get("/v1/personas").json()[0]["persona_id"]
    told = as_json(personagraph(home, "personas", "intents", persona_id, "-w", "shop", "--json"))
    assert client.get(f"/v1/personas/{persona_id}/intents").json() == told
    assert 0 < len(told["types_told"]) <= told["types"]
    assert all(one["line"] and one["people"] >= 20 for one in told["types_told"])
    assert sum(one["events"] for one in told["types_told"]) <= told["events"]
    every = as_json(personagraph(home, "personas", "intents", "-w", "shop", "--json"))
    (mine,) = [one for one in every["personas"] if one["version_id"] == told["version_id"]]
    assert mine == {name: told[name] for name in mine}
    assert mine["events"] < every["everybody"]["events"]
    shown = succeed(personagraph(home, "personas", "intents", told["name"], "-w", "shop"))
    assert f"{told['intents']:,} intents of {told['types']} types" in " ".join(shown.split())
    shown = succeed(personagraph(home, "personas", "intents", "-w", "shop"))
    assert f"{every['everybody']['events']:,}" in shown


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/people/user_id:nobody-at-all", 404),
        ("/v1/people/user:u_none", 404),
        ("/v1/people/u_none", 404),
        ("/v1/people/user_id:nobody-at-all/traits", 404),
        ("/v1/people/without-a-colon", 422),
        ("/v1/personas/p_none", 404),
        ("/v1/personas/p_none/subgraph", 404),
        ("/v1/personas/p_none/intents", 404),
        ("/v1/personas/%00/subgraph", 422),
        ("/v1/nothing", 404),
        ("/v1/people/email:%00%27%20OR%201=1", 404),
    ],
)
def test_what_is_not_there_is_a_problem_document(
    client: httpx.Client, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert "nobody-at-all" not in answer.text, "an identifier is personal; it is not repeated"


def test_the_committed_description_is_that_of_the_server(client: httpx.Client) -> None:
    served = client.get("/openapi.json").json()
    assert served == orjson.loads(OPENAPI.read_bytes()), (
        "docs/openapi.json is behind: write it anew with `make openapi`"
    )


def test_the_described_pages_are_served_from_this_machine_alone(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert "//" not in page  # no address of another host
    assert '"validatorUrl": null' in page  # nor does the script ask one
    linked = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(linked) == 3
    for name in linked:
        assert client.get(name).status_code == 200, name
        assert int(client.get(name).headers["content-length"]) > 1000, name


def test_it_listens_on_loopback_only(client: httpx.Client) -> None:
    assert client.base_url.host == "127.0.0.1"
    port = f":{client.base_url.port:04X}"
    lines = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    locals_ = [line.split()[1] for line in lines.splitlines() if line.split()[3:4] == ["0A"]]
    mine = [address for address in locals_ if address.endswith(port)]
    assert mine == ["0100007F" + port]


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example", "", "[::1"])
def test_a_page_of_another_site_is_told_nothing(client: httpx.Client, host: str) -> None:
    answer = client.get("/v1/personas", headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json()["title"] == "Not Allowed"


def test_the_server_goes_on_and_moves_to_the_new_graph_after_a_run(
    client: httpx.Client, home: Path, world: object
) -> None:
    before = client.get("/v1/personas").json()
    succeed(personagraph(home, "run", world.data, "-w", "shop"))  # type: ignore[attr-defined]
    assert client.get("/v1/personas").json() == before
