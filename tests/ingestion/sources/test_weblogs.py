import json
from pathlib import Path
from typing import Any

from folders import Read, fill
from vendors import AT_MS, MINUTE, jsonl

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def line(request: str, ip: str = "203.0.113.9", user: str = "-", minute: int = 0,
         status: str = "200", agent: str = FIREFOX, day: str = "05/Jan/2026") -> str:  # fmt: skip
    stamp = f"{day}:11:{minute:02d}:00 +0100"
    return f'{ip} - {user} [{stamp}] "{request} HTTP/1.1" {status} 5 "-" "{agent}"'


def read(tmp_path: Path, *lines: str) -> Read:
    content = "".join(one + "\n" for one in lines)
    return Read(fill(tmp_path / "data", {"access.log": content}), tmp_path / "workspace")


def test_only_what_a_person_did_is_an_event(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("GET /lamps?page=2#x"), line("GET https://x.org/desks"),
        line("POST /orders", minute=1), line("GET /app.css"), line("GET /favicon.ico"),
        line("HEAD /"), line("GET /a", status="301"), line("GET /b", status="404"),
        line("GET /c", status="304"), line("GET /d", agent="Googlebot/2.1"),
        line("GET /e", agent="-"),
    )  # fmt: skip
    assert found.rows("events", "verb", "object", "occurred_at_ms") == [
        ("submitted", "/orders", AT_MS + MINUTE), ("viewed", "/c", AT_MS),
        ("viewed", "/desks", AT_MS), ("viewed", "/lamps", AT_MS),
    ]  # fmt: skip
    dataset = found.report.datasets[0]
    assert (dataset.accepted, dataset.left_out) == (11, 7)


def test_a_campaign_is_one_however_an_address_writes_its_name(tmp_path: Path) -> None:
    written = ("spring%20sale", "spring+sale", "gr%C3%BCn", "%E4", "50%", "a%00b")
    found = read(tmp_path, *[line(f"GET /a?x=1&utm_campaign={one}&y=2") for one in written])
    assert found.rows("events", "record_key", "campaign_id") == [
        ("access.log#1", "spring sale"), ("access.log#2", "spring sale"),
        ("access.log#3", "grün"), ("access.log#4", "%E4"), ("access.log#5", "50%"),
        ("access.log#6", "ab"),
    ]  # fmt: skip


def test_a_visitor_is_an_address_and_a_browser_on_a_day_and_never_a_user(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("GET /a"), line("GET /b"), line("GET /c", user="ann"),
        line("GET /d", ip="2001:db8::1"),
        line("GET /e", agent="Opera"), line("GET /f", day="06/Jan/2026"), line("GET /g.css"),
    )  # fmt: skip
    rows = found.rows("identifiers", "record_key", "namespace", "value")
    named = {key.partition("#")[2]: (space, value) for key, space, value in rows}
    assert named["1"] == named["2"]
    visitors = {value for space, value in named.values() if space == "visitor"}
    assert len(visitors) == 4
    assert named["3"] == ("user_id", "ann")
    assert "7" not in named
    assert "203.0.113.9" not in str(found.rows("identifiers"))


def test_behind_a_proxy_a_visitor_is_whom_it_forwards(tmp_path: Path) -> None:
    forwarded = ("198.51.100.1", "198.51.100.2, 10.0.0.7", "198.51.100.1:4711", "2001:db8::1",
                 "-", "10.0.0.9", "0.003")  # fmt: skip
    found = read(tmp_path, *[f'{line("GET /a", ip="10.0.0.1")} "{one}"' for one in forwarded],
                 line("GET /a", ip="198.51.100.1"), line("GET /a", ip="10.0.0.1"))  # fmt: skip
    visitors = dict(found.rows("identifiers", "record_key", "value"))
    people = [visitors[f"access.log#{n}"] for n in range(1, 10)]
    assert len(set(people)) == 4
    assert people[0] == people[2] == people[7]
    assert people[4] == people[5] == people[6] == people[8]


def test_a_login_of_several_words_is_one_user(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("GET /a", user="ann smith"), line("GET /b", user="bob smith"),
        "www.x.org:443 " + line("GET /c", user="ann smith"),
        line("GET /d", user="carl"), "www.x.org " + line("GET /e", user="dan"),
        "www.x.org " + line("GET /f", ip="dsl.example.net", user="eve"),
        line("GET /g", user="eve").replace(" - eve", " ident eve"),
    )  # fmt: skip
    rows = sorted(found.rows("identifiers", "record_key", "namespace", "value"))
    assert [(space, value) for _, space, value in rows] == [
        ("user_id", name)
        for name in ("ann smith", "bob smith", "ann smith", "carl", "dan", "eve", "eve")
    ]


def test_every_common_way_of_writing_a_log_is_read(tmp_path: Path) -> None:
    common = '203.0.113.9 - - [05/Jan/2026:10:00:00 +0000] "GET /common HTTP/1.0" 200 -'
    host = "www.x.org:443 " + line("GET /host")
    quoted = line(r"GET /quo\"ted", agent=r"Mozilla \"5\" Firefox")
    nginx = {"time_iso8601": "2026-01-05T10:00:00+00:00", "remote_addr": "203.0.113.9",
             "request_method": "GET", "request_uri": "/nginx?a", "status": 200,
             "http_user_agent": FIREFOX}  # fmt: skip
    caddy = {"level": "info", "ts": AT_MS / 1000, "status": 200, "user_id": "ann", "request": {
        "remote_ip": "203.0.113.9", "method": "GET", "uri": "/caddy",
        "headers": {"User-Agent": [FIREFOX]}}}  # fmt: skip
    ecs = {"@timestamp": "2026-01-05T10:00:00.000Z", "source": {"ip": "203.0.113.9"},
           "http": {"request": {"method": "GET"}, "response": {"status_code": 200}},
           "url": {"path": "/ecs"}, "user_agent": {"original": FIREFOX},
           "user": {"name": "bob"}}  # fmt: skip
    plain = line("GET /plain")
    found = read(tmp_path, common, host, quoted, plain, *map(json.dumps, (nginx, caddy, ecs)))
    assert found.rows("events", "object", "occurred_at_ms") == [
        (path, AT_MS) for path in
        ("/caddy", "/common", "/ecs", "/host", "/nginx", "/plain", '/quo\\"ted')]  # fmt: skip
    users = [value for space, value in found.rows("identifiers", "namespace", "value")
             if space == "user_id"]  # fmt: skip
    assert users == ["ann", "bob"]


def test_lines_of_json_are_known_by_their_fields(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"time": "2026-01-05T10:00:00Z", "client_ip": "203.0.113.9", "method": "GET", "uri": "/a",
         "status": 200, "user_agent": FIREFOX, "tenant": "x"},
        {"client_ip": "203.0.113.9", "method": "GET", "uri": "/a", "status": 200},
        {"time": "2026-01-05T10:00:00Z", "client_ip": "203.0.113.9", "method": "GET", "uri": "/a",
         "status": "ok"},
    ]  # fmt: skip
    found = Read(fill(tmp_path / "data", {"a.json": jsonl(rows)}), tmp_path / "workspace")
    assert found.reasons() == {2: "missing_time", 3: "unknown_type"}
    assert found.report.datasets[0].new_fields == {"tenant": 1}


def test_the_same_line_twice_in_a_file_is_two_visits_and_in_two_files_one(tmp_path: Path) -> None:
    twice = (line("GET /a") + "\n") * 2
    found = Read(fill(tmp_path / "data", {"a.log": twice, "b.log": twice}), tmp_path / "workspace")
    assert (found.file("a.log").accepted, found.file("b.log").duplicate) == (2, 2)
