"""`source propose`, and `run` on files that nobody has described: proposed, shown, asked for."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from business import CONSENTS
from program import PROGRAM, as_json, personagraph, refused, succeed

PEOPLE = "".join(f"K-{n:04d},ann{n}@x.org,{'free' if n % 3 else 'pro'}\n" for n in range(60))
ORDERS = "".join(
    f"{n},K-{n % 60:04d},2026-01-{n % 28 + 1:02d}T10:00:00Z,S-{n % 7},{n % 5 + 1}\n"
    for n in range(300)
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "people.csv").write_text("customer_id,email,plan\n" + PEOPLE)
    (folder / "orders.csv").write_text("order_line,customer_id,ordered_at,sku,total\n" + ORDERS)
    return folder


def test_a_proposal_is_printed_and_its_doubts_are_told(data: Path, tmp_path: Path) -> None:
    result = personagraph(tmp_path, "source", "propose", data)
    assert "tables:" in succeed(result)
    assert "CHECK" in result.stdout
    assert "consent" in result.stderr
    assert not (data / "personagraph.yaml").exists()


def test_a_check_refuses_what_a_run_would_refuse(data: Path, tmp_path: Path) -> None:
    (data / "agreed.csv").write_text(CONSENTS)
    checked = personagraph(tmp_path, "source", "check", data, "--json")
    assert "there is no personagraph.yaml in it" in refused(checked, 2)
    files = {one["source"]: one for one in json.loads(checked.stdout)["files"]}
    assert files["agreed.csv"]["status"] == "read"
    assert files["people.csv"]["detail"].startswith("nothing says how to read it")
    refused(personagraph(tmp_path, "run", data, "-w", "w"), 2)


def test_a_proposal_is_written_once_and_never_over_a_mapping(data: Path, tmp_path: Path) -> None:
    out = data / "personagraph.yaml"
    succeed(personagraph(tmp_path, "source", "propose", data, "--out", out))
    text = out.read_text()
    succeed(personagraph(tmp_path, "source", "check", data))
    refused(personagraph(tmp_path, "source", "propose", data, "--out", out), 4)
    assert out.read_text() == text


def test_a_proposal_can_be_had_as_json(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "mapping.yaml"
    told = as_json(personagraph(tmp_path, "source", "propose", data, "--out", out, "--json"))
    assert told["mapping"] == out.read_text()
    assert any("consent" in doubt for doubt in told["doubts"])
    assert told["out"] == str(out)


def test_a_run_without_a_terminal_refuses_and_names_both_ways_on(
    data: Path, tmp_path: Path
) -> None:
    said = refused(personagraph(tmp_path, "run", data, "-w", "shop"), 2)
    assert "source propose" in said
    assert "--yes" in said
    assert not (tmp_path / "shop").exists()


def test_a_run_told_yes_takes_the_proposal_and_keeps_it(data: Path, tmp_path: Path) -> None:
    result = personagraph(tmp_path, "run", data, "-w", "shop", "--yes")
    assert "360" in succeed(result)
    assert (data / "personagraph.yaml").read_text().startswith("# Proposed by")
    assert "CHECK" in result.stderr
    succeed(personagraph(tmp_path, "run", data, "-w", "shop"))  # the mapping is there now


def test_yes_helps_nobody_whose_files_say_nothing_of_people(tmp_path: Path) -> None:
    folder = tmp_path / "stores"
    folder.mkdir()
    (folder / "stores.csv").write_text("store_id,size\n" + "".join(f"{n},{n}\n" for n in range(9)))
    said = refused(personagraph(tmp_path, "run", folder, "-w", "shop", "--yes"), 2)
    assert "what people did" in said


@pytest.mark.parametrize("answer", ["n", "y"])
def test_somebody_at_a_terminal_is_asked(data: Path, tmp_path: Path, answer: str) -> None:
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [str(PROGRAM), "run", str(data), "-w", "shop"],
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        env=os.environ | {"PERSONAGRAPH_HOME": str(tmp_path)},
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    said = b""
    while True:
        try:
            block = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        said += block
    os.close(ours)
    assert run.wait(timeout=600) == (0 if answer == "y" else 5)
    assert b"read the files so?" in said
    assert (data / "personagraph.yaml").exists() == (answer == "y")


def test_a_cut_export_that_nothing_names_is_told_with_its_exit_code(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    event = '{"type": "track", "event": "X", "messageId": "m", "userId": "u", '
    (folder / "a.jsonl").write_text(event + '"timestamp": "2026-01-05T10:00:00Z"}\n')
    (folder / "tickets.json").write_text('{"tickets": [{"id": 1, "requester_id": 2')
    said = refused(personagraph(tmp_path, "source", "check", folder), 7)
    assert "tickets.json (unreadable: this is not a whole JSON document)" in said


def test_a_run_names_the_format_that_comes_nearest(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "c.csv").write_text("Id,LastName\n1,Ay\n0035g00000ABcdAAAT,Be\n2,Ce\n")
    said = refused(personagraph(tmp_path, "run", folder, "-w", "crm"), 2)
    assert "it has the columns of salesforce_contact, but '1' under 'Id'" in said
