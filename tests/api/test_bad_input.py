"""Bad input from the command line: everything a hostile user types or a broken export holds."""

import gzip
import io
import json
import math
import os
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from folders import EVENTS, GOOD, fill
from program import as_json, personagraph, refused, succeed
from world import write_story

OK = "1,ann,2026-01-01T10:00:00Z,cup,1"
LONG = "x" * (50 << 20)
ROWS = f"""\
{GOOD}
{OK}
2,bob,2026-01-01T10:00:00Z,cup
3,bob,2026-01-01T10:00:00Z,cup,1,more
4,bob,1970-01-01T00:00:00Z,cup,1
5,bob,2099-01-01T00:00:00Z,cup,1
6,bob,2026-01-01T10:00:00,cup,1
7,bob,2026-01-01T10:00:00+02:00,cup,1
8,bob,2026-01-01T10:00:00Z,cup,NaN
9,bob,2026-01-01T10:00:00Z,cup,-inf
10,null,2026-01-01T10:00:00Z,cup,1
11,undefined,2026-01-01T10:00:00Z,cup,1
12,0,2026-01-01T10:00:00Z,cup,1
13,b\0b,2026-01-01T10:00:00Z,cup,1
14,{LONG},2026-01-01T10:00:00Z,cup,1
1,ann,2026-01-01T10:00:00Z,cup,1
16,cem,2026-01-01T10:00:00Z,cup,1
17,{LONG[:900_000]},2026-01-01T10:00:00Z,cup,1
18,cem,2026-01-01T10:00:00Z,{LONG[:900_000]},1
"""
JSON = '{"id": %d, "who": "ann", "at": "2026-01-01T10:00:00Z", "item": "cup", "quantity": %s}\n'


def _parquet(**columns: list[float] | list[str]) -> bytes:
    rows = {"id": ["p1", "p2"], "who": ["ann", "bob"], "item": ["cup", "cup"]}
    file = io.BytesIO()
    pq.write_table(pa.table({**rows, "at": ["2026-01-01T10:00:00Z"] * 2, **columns}), file)
    return file.getvalue()


def _mapping() -> str:
    """One table for each shape, read in the same way; times carry their own zone."""
    head, table = EVENTS.replace("{column: at, zone: UTC}", "at").split("  events:\n")
    return head + "".join(
        f"  {shape}:\n" + table.replace("events*", f'"{shape}/*"')
        for shape in ("csv", "json", "parquet")
    )


def test_a_folder_of_everything_that_is_bad_loses_nothing_that_is_good(tmp_path: Path) -> None:
    whole = _parquet(quantity=[1.0, 1.0])
    data = fill(
        tmp_path / "data",
        {
            "csv/a.csv": ROWS,
            "csv/b.csv": "id,who,at,item,quantity\n21,caf\xe9,2026-01-01T10:00:00Z,cup,1\n".encode(
                "latin-1"
            ),
            "csv/c.csv": f"{GOOD},WHO\n{OK},x\n",
            "csv/d.csv": b"",
            "csv/e.csv": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
            "csv/f.csv.gz": gzip.compress(f"{GOOD}\n{OK}\n".encode() * 999)[:60],
            "csv/g.csv": "some,other,table\n1,2,3\n",
            "csv/h.csv": f'{GOOD}\n31,"ann,2026-01-01T10:00:00Z,cup,1\n32,b,x,c,1\n',
            "json/a.jsonl": JSON % (51, 1) + '{"id": 52, "wh\n' + JSON % (53, "NaN")
            + JSON % (54, "1e999") + "[1]\n" + JSON % (56, 1),
            "json/b.json": "[" + (JSON % (61, 1)).strip() + ",",
            "json/c.json": "[" + (JSON % (62, 1)).strip() + "]",
            "parquet/a.parquet": _parquet(quantity=[math.nan, 1.0]),
            "parquet/b.parquet": whole[: len(whole) // 2],
            "parquet/c.parquet": whole[:8] + b"\xff" * 60 + whole[68:],
            "notes.docx": b"PK\x03\x04\x00\x00",
        },
        _mapping(),
    )  # fmt: skip
    (data / "csv" / "gone.csv").symlink_to("nowhere.csv")
    (data / "csv" / "folder.csv").mkdir()
    run = personagraph(tmp_path, "run", data, "-w", "w")
    told = refused(run, 7)  # all else is done, but a program must see it
    assert "All was read but csv/c.csv (" in told
    assert "and 8 more." in told
    said = run.stdout
    for unreadable in ("c.csv", "d.csv", "e.csv", "f.csv.gz", "g.csv", "gone.csv"):
        assert f"csv/{unreadable}: unreadable (" in said
    assert "json/b.json: unreadable (" in said
    for unreadable in ("b", "c"):
        assert f"parquet/{unreadable}.parquet: unreadable (" in said
    assert "notes.docx: unmapped" in said

    out = tmp_path / "records.ndjson"
    succeed(personagraph(tmp_path, "export", "records", "-w", "w", "-o", out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    found = {
        status: sorted(row["record_key"] for row in rows if row["status"] == status)
        for status in ("accepted", "duplicate")
    }
    assert found == {
        "accepted": [f"csv/a.csv#{n}" for n in (1, 10, 11, 12, 16, 17, 7)]
        + ["json/a.jsonl#51", "json/a.jsonl#56", "json/c.json#62", "parquet/a.parquet#p2"],
        "duplicate": ["csv/a.csv#1"],
    }
    reasons = Counter(row["reason"] for row in rows if row["status"] == "quarantined")
    assert reasons == {
        "ragged": 2, "time_out_of_range": 2, "naive_time": 1, "not_a_number": 5, "encoding": 2,
        "too_long": 1, "long_value": 1, "invalid_json": 2, "open_quote": 1, "unreadable_time": 1,
    }  # fmt: skip

    again = personagraph(tmp_path, "run", data, "-w", "w", "--json")
    refused(again, 7)
    assert all(step["skipped"] for step in json.loads(again.stdout)["steps"])
    succeed(personagraph(tmp_path, "verify", "-w", "w"))


def test_a_first_run_that_is_refused_leaves_nothing_and_one_of_a_made_workspace_leaves_it(
    tmp_path: Path,
) -> None:
    data = fill(tmp_path / "data", {"events.csv": b""}, EVENTS)
    refused(personagraph(tmp_path, "run", data, "-w", "new"), 2)
    assert [one.name for one in tmp_path.iterdir()] == ["data"]
    succeed(personagraph(tmp_path, "personas", "constraints", "--write", "-w", "made"))
    refused(personagraph(tmp_path, "run", data, "-w", "made"), 2)
    assert (tmp_path / "made" / "personas.yaml").exists()


@pytest.mark.parametrize(
    ("files", "mapping", "says"),
    [
        ({}, EVENTS, "no file fits"),
        ({"events.csv": b""}, EVENTS, "the file holds nothing"),
        ({"events.csv": b"PK\x03\x04\x00\x00"}, EVENTS, "compressed file ends early"),
        ({"events.json": b"[{}"}, EVENTS, "not a whole JSON document"),
        ({"events.csv": GOOD.encode()}, EVENTS.replace("quantity:", "quantty:"), "'quantty'"),
        ({"events.csv": GOOD.encode()}, EVENTS.replace("item: item", "item: itm"), "'itm'"),
        ({"events.csv": GOOD.encode()}, EVENTS.replace("events*", "'/etc/*'"), "'/etc/*'"),
        ({"events.csv": GOOD.encode()}, EVENTS.replace("events*", "'**x'"), "'**x'"),
        ({"events.csv": GOOD.encode()}, "name: " + "[" * 9_999, "YAML"),
        ({"events.csv": GOOD.encode()}, "", "expected name, consent and tables"),
    ],
)
def test_a_run_that_is_refused_leaves_the_workspace_as_it_was(
    story: Path, tmp_path: Path, files: dict[str, str | bytes], mapping: str, says: str
) -> None:
    fill(tmp_path / "data", files, None)
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "personagraph.yaml").write_text(mapping)
    manifests = sorted(file.name for file in (story / "story" / "runs").iterdir())
    said = refused(personagraph(story, "run", tmp_path / "data", "-w", "story"), 2)
    assert says in said
    assert "hint:" in said
    assert sorted(file.name for file in (story / "story" / "runs").iterdir()) == manifests


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "{data}", "--seed", "-1"), 2),
        (("run", "{data}", "--seed", "9" * 30), 2),
        (("run", "{data}", "--mapping", "{data}/none.yaml"), 3),
        (("run", "{data}", "--mapping", "{data}"), 2),
        (("run", "{data}/crm/contacts.csv"), 2),
        (("run", "{data}/" + "x" * 300), 6),
        (("run",), 2),
        (("no-such-command",), 2),
        (("personas", "show", ""), 3),
        (("personas", "show", "nobody"), 3),
        (("simulate", "--people", "3", "--out", "{data}/x"), 2),
        (("simulate", "--out", "{data}/crm/contacts.csv"), 6),
        (("simulate", "--out", "{data}/\udcff"), 2),
        (("personas", "list", "--as-of", "9999-12-31T23:59:59-23:59"), 2),
        (("personas", "list", "--as-of", "9999-12-31T23:59:59.999999"), 2),
        (("personas", "list", "--as-of", "0001-01-01T00:00+23:59"), 2),
        (("identity", "review", "--rows", "-5"), 2),
        (("identity", "review", "--rows", "9" * 20), 2),
        (("identity", "explain", "\udcff", "x"), 2),
        (("identity", "merge", "x", "\udcff", "--by", "me", "--because", "so"), 2),
        (("identity", "split", "x", "--by", "\udcff", "--because", "so"), 2),
        (("serve", "--port", "-1"), 2),
        (("serve", "--port", "65536"), 2),
        (("query", ""), 2),
        (("query", " ;\n"), 2),
        (("query", "RETURN 1 AS a; RETURN 2 AS b"), 5),
        (("query", "RETURN 'a AS b"), 5),
        (("query", "RETURN 1 AS a, 2 AS a"), 2),
        (("query", "RETURN $a AS a"), 2),
        (("query", "RETURN $a AS a", "-p", "a=NaN"), 2),
        (("query", "RETURN $a AS a", "-p", "a"), 2),
        (("query", "RETURN " + "(" * 5_000 + "1" + ")" * 5_000 + " AS a"), 2),
        (("query", "RETURN 1 AS a", "--seconds", "nan"), 2),
        (("query", "RETURN 1 AS a", "--seconds", "inf"), 2),
        (("query", "RETURN 1 AS a", "--seconds", "-1"), 2),
        (("query", "RETURN 1 AS a", "--rows", "0"), 2),
        (("query", "RETURN 1 AS a", "--memory", "1"), 2),
        (("query", "UNWIND range(1, 1000000000) AS x RETURN x"), 5),
        (("export", "records", "-o", "{data}/none/x.csv"), 2),
        (("export", "records", "-o", "{data}"), 2),
        (("export", "records", "-o", ""), 2),
        (("export", "records", "-o", "{data}/" + "x" * 300 + ".csv"), 6),
        (("export", "records", "-o", "{data}/crm/contacts.csv/x.csv"), 2),
    ],
    ids=lambda value: None if isinstance(value, int) else ascii(" ".join(value))[1:51],
)
def test_what_makes_no_sense_is_one_line_and_a_hint(
    story: Path, arguments: tuple[str, ...], code: int
) -> None:
    filled = [text.replace("{data}", str(story / "data")) for text in arguments]
    takes_one = arguments[0] not in {"simulate", "no-such-command"}
    where = ("-w", "story") if takes_one else ()
    said = refused(personagraph(story, *filled, *where), code)
    assert "hint:" in said
    assert "in personagraph itself" not in said


@pytest.mark.parametrize(
    ("workspace", "code"),
    [
        (b"../../none", 3),
        (b"a/b", 3),
        (b"two words", 3),
        ("\U0001f600".encode(), 3),
        (b"", 2),
        (b" ", 2),
        (b"a%b", 2),
        (b"a[b]", 2),
        (b"a\nb", 2),
        (b"a\x1b[31mb", 2),
        (b"\xff", 2),
        (b"x" * 300, 2),
        (b"/dev/null", 3),
    ],
)
def test_a_workspace_of_any_name_is_found_not_there_or_refused(
    tmp_path: Path, workspace: bytes, code: int
) -> None:
    for command in (("personas", "list"), ("query", "RETURN 1 AS a")):
        said = refused(personagraph(tmp_path, *command, "-w", workspace), code)
        assert "hint:" in said
    assert not list(tmp_path.iterdir())


def test_a_workspace_may_have_blanks_and_pictures_in_its_name(tmp_path: Path) -> None:
    write_story(tmp_path / "data")
    name = "the shop \U0001f600"
    succeed(personagraph(tmp_path, "run", tmp_path / "data", "-w", name))
    count = personagraph(tmp_path, "query", "MATCH (u:User) RETURN count(u) AS n", "-w", name)
    assert "5" in succeed(count)


@pytest.mark.parametrize(
    "command",
    ["run", "verify", "serve --port 0", "personas list", "query RETURN", "export records -o x.csv"],
)
def test_every_command_refuses_a_workspace_of_a_newer_version(tmp_path: Path, command: str) -> None:
    write_story(tmp_path / "data")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "workspace.json").write_text('{"format": 999}')
    more = [tmp_path / "data"] if command == "run" else []
    said = refused(personagraph(tmp_path, *command.split(), *more, "-w", "w"), 4)
    assert "newer" in said
    assert [file.name for file in (tmp_path / "w").iterdir()] == ["workspace.json"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("personas list", 0),
        ("personas show p_1", 3),
        ("verify", 3),
        ("query RETURN", 3),
        ("serve --port 0", 3),
        ("export records -o x.csv", 3),
        ("doctor", 0),
    ],
)
def test_a_workspace_in_which_nothing_ran_says_so(
    story: Path, tmp_path: Path, command: str, code: int
) -> None:
    for name in ("workspace.json", "key"):
        (tmp_path / "w").mkdir(exist_ok=True)
        shutil.copy2(story / "story" / name, tmp_path / "w" / name)
    done = personagraph(tmp_path, *command.split(), "-w", "w")
    if code:
        assert "hint:" in refused(done, code)
    else:
        succeed(done)


def test_a_value_neither_marks_up_what_is_shown_nor_steers_the_terminal(story: Path) -> None:
    text = "RETURN '[/' + $a AS `[bold]`, '[red]b[/red]' AS b"
    value = json.dumps("x] \x1b]0;own\x07")
    shown = succeed(personagraph(story, "query", text, "-p", f"a={value}", "-w", "story"))
    assert "[/x] \ufffd]0;own\ufffd" in shown
    assert "[bold]" in shown
    assert "[red]b[/red]" in shown
    assert "\x1b" not in shown
    as_data = as_json(
        personagraph(story, "query", text, "-p", f"a={value}", "-w", "story", "--json")
    )
    assert as_data["rows"] == [{"[bold]": "[/x] \x1b]0;own\x07", "b": "[red]b[/red]"}]


def test_an_export_through_a_link_leaves_the_link(story: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "[b] real.csv")
    succeed(personagraph(story, "export", "records", "-w", "story", "-o", tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "[b] real.csv").read_text().startswith("record_key,")
    assert len(os.listdir(tmp_path)) == 2


def test_an_answer_without_end_is_cut_or_refused(story: Path) -> None:
    text = "UNWIND range(1, 3000000) AS x RETURN 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' + x AS t"
    few = as_json(personagraph(story, "query", text, "-w", "story", "--json"))
    assert (len(few["rows"]), few["truncated"]) == (1_000, True)
    refused(personagraph(story, "query", text, "-w", "story", "--rows", "100000000"), 5)
