"""What the simulator writes: every file, every record in the truth, the same bytes every time."""

import csv
import errno
import gzip
import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from program import SimulatedWorld as World

from ingestion import mapping
from ingestion.simulate import generate, simulate, world
from kg.errors import Conflict, InputError, Unavailable

CSV_HEADERS = {
    "crm/contacts.csv": "contact_id first_name last_name email secondary_email phone street city "
    "postal_code region age_band plan user_id customer_no created_on",
    "crm/campaigns.csv": "campaign_id name type offer starts_on ends_on",
    "crm/campaign_members.csv": "member_id campaign_id contact_id arm status sent_at",
    "survey/answers.csv": "response_id submitted_at email recommend reason comment",
    "survey/questions.csv": "question_id question type scale",
    "shop/catalogue.csv": "sku name department category subcategory price",
    "consent/consent.csv": "consent_id email user_id purpose status changed_at",
}

KEYS = {
    "crm/contacts.csv": "contact_id",
    "crm/campaigns.csv": "campaign_id",
    "crm/campaign_members.csv": "member_id",
    "consent/consent.csv": "consent_id",
    "survey/answers.csv": "response_id",
    "shop/catalogue.csv": "sku",
}


def rows(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def messages(data: Path) -> dict[str, list[bytes]]:
    return {
        file.relative_to(data).as_posix(): gzip.decompress(file.read_bytes()).splitlines()
        for file in sorted((data / "segment").glob("*.jsonl.gz"))
    }


def truth(planted: World, name: str) -> pa.Table:
    return pq.read_table(planted.truth / f"{name}.parquet")


def parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found


def received_keys(data: Path) -> set[str]:
    """The key of every row, from the files alone."""
    keys = set()
    for name, lines in messages(data).items():
        for number, line in enumerate(lines, 1):
            message = parsed(line)
            keys.add(f"{name}#{(message or {}).get('messageId') or number}")
    for name, column in KEYS.items():
        for number, row in enumerate(rows(data / name), 1):
            is_ragged = None in row
            keys.add(f"{name}#{number if is_ragged else row[column] or number}")
    tickets = (data / "support/tickets.jsonl").read_bytes().splitlines()
    for number, line in enumerate(tickets, 1):
        keys.add(f"support/tickets.jsonl#{(parsed(line) or {}).get('id') or number}")
    lines_count = pq.read_metadata(data / "shop/order_lines.parquet").num_rows
    return keys | {f"shop/order_lines.parquet#{row}" for row in range(1, lines_count + 1)}


def digest(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_every_file_has_the_columns_that_its_page_promises(planted: World) -> None:
    for name, header in CSV_HEADERS.items():
        assert (planted.data / name).read_text("utf-8").splitlines()[0] == header.replace(" ", ",")
    lines = pq.read_schema(planted.data / "shop/order_lines.parquet")
    assert lines.names == ["order_id", "customer_no", "sku", "quantity", "unit_price",
                           "ordered_at", "channel"]  # fmt: skip
    assert lines.field("ordered_at").type == pa.timestamp("ms")  # a clock without a zone
    kinds = Counter(
        message["type"]
        for lines in messages(planted.data).values()
        for line in lines
        if (message := parsed(line))
    )
    assert set(kinds) == {"track", "page", "identify", "group"}


def test_the_mapping_beside_the_data_is_valid(planted: World) -> None:
    found = mapping.load(planted.data / mapping.NAME)
    assert {"product", "contacts", "members", "orders", "consents"} <= set(found.tables)


def test_the_truth_names_every_record_and_no_other(planted: World, report: dict[str, Any]) -> None:
    known = truth(planted, "records")["record_key"].to_pylist()
    assert len(known) == len(set(known)) == report["records"]
    assert set(known) == received_keys(planted.data)


def test_events_and_dirt_speak_of_known_records(planted: World, report: dict[str, Any]) -> None:
    known = set(truth(planted, "records")["record_key"].to_pylist())
    events = truth(planted, "events")["record_key"].to_pylist()
    assert len(events) == len(set(events)) == report["events"]
    assert set(events) <= known
    assert set(truth(planted, "dirt")["record_key"].to_pylist()) <= known


def test_an_intent_has_one_person_and_one_persona(planted: World) -> None:
    events = truth(planted, "events").to_pandas()
    assert (events.groupby("intent").person_id.nunique() == 1).all()
    assert (events.groupby("intent").persona.nunique(dropna=False) == 1).all()


def test_the_same_seed_writes_the_same_bytes_and_dates(planted: World, tmp_path: Path) -> None:
    simulate(1000, 7, tmp_path)
    assert digest(tmp_path / "data") == digest(planted.data)
    assert digest(tmp_path / "truth") == digest(planted.truth)
    dates = {file.stat().st_mtime for file in tmp_path.rglob("*") if file.is_file()}
    assert dates == {world.END_MS / 1000}


def test_another_seed_writes_another_world(planted: World, tmp_path: Path) -> None:
    simulate(1000, 8, tmp_path)
    mine, other = digest(tmp_path / "data"), digest(planted.data)
    same = {name for name in mine if mine[name] == other[name]}
    assert same == {"personagraph.yaml", "crm/campaigns.csv", "survey/questions.csv"}


def test_lines_that_are_written_twice_are_counted_twice_and_not_told_in_the_truth(
    planted: World, tmp_path: Path
) -> None:
    written = simulate(1000, 7, tmp_path)
    found = Counter(truth(planted, "dirt")["dirt"].to_pylist())
    assert written.lines - written.records == found["duplicate line"] > 0
    received = sum(map(len, messages(planted.data).values()))
    received += sum(len(rows(planted.data / name)) for name in CSV_HEADERS)
    received += len((planted.data / "support/tickets.jsonl").read_bytes().splitlines())
    received += pq.read_metadata(planted.data / "shop/order_lines.parquet").num_rows
    assert received - written.lines == len(rows(planted.data / "survey/questions.csv"))
    assert "lines" not in orjson.loads((tmp_path / "truth/world.json").read_bytes())


def test_every_kind_of_dirt_is_there(planted: World, report: dict[str, Any]) -> None:
    found = Counter(truth(planted, "dirt")["dirt"].to_pylist())
    assert set(found) == {
        "duplicate line", "re-exported", "malformed JSON", "1970 or 2099", "no messageId",
        "junk user id", "no identifier", "late event", "shared kiosk device", "resold device",
        "ragged row", "no contact id", "junk phone", "father and son", "father and son, one e-mail",
        "switchboard", "role mailbox", "recycled customer number", "recycled phone",
        "second contact", "personal data in text",
    }  # fmt: skip
    again = (found["duplicate line"] + found["re-exported"]) / report["events"]
    assert 0.01 < again < 0.02


def test_junk_ids_kiosks_and_wrong_years_are_in_the_files(planted: World) -> None:
    found = [
        m for lines in messages(planted.data).values() for line in lines if (m := parsed(line))
    ]
    assert set(world.JUNK_IDS) <= {message.get("userId") for message in found}
    people = {
        m["userId"] for m in found if m.get("anonymousId") == world.KIOSKS[0] and "userId" in m
    }
    assert len(people) > 3
    assert {"1970", "2099"} <= {message["timestamp"][:4] for message in found}
    assert any(message["timestamp"].endswith("+02:00") for message in found)


def test_one_person_has_one_customer_number_unless_it_is_recycled(planted: World) -> None:
    contacts = rows(planted.data / "crm/contacts.csv")
    shared = Counter(row["customer_no"] for row in contacts if row["customer_no"])
    recycled = truth(planted, "people").to_pandas().mixed_up
    pairs = sum("recycled customer number" in what for what in recycled) // 2
    assert sum(count - 1 for count in shared.values()) <= pairs


def test_nobody_has_an_address_that_could_exist(planted: World) -> None:
    for row in rows(planted.data / "crm/contacts.csv"):
        assert row["email"].endswith(".test")


@pytest.mark.parametrize("people", [0, 999, 100_001])
def test_a_world_of_the_wrong_size_is_refused(people: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1,000 to 100,000"):
        simulate(people, 1, tmp_path)


def test_a_world_that_cannot_be_written_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(seed: int) -> None:
        del seed
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(generate, "make_catalogue", full)
    with pytest.raises(Unavailable):
        simulate(1000, 1, tmp_path)
    assert not list(tmp_path.iterdir())


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "letter.txt").write_text("mine")
    with pytest.raises(Conflict, match="no simulated world"):
        simulate(1000, 1, tmp_path)
    assert (tmp_path / "data" / "letter.txt").read_text() == "mine"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_people(tmp_path: Path) -> None:
    code = (
        "import sys, resource; from pathlib import Path; from ingestion.simulate import simulate\n"
        "simulate(int(sys.argv[1]), 1, Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for people in (2_000, 10_000):
        command = [sys.executable, "-c", code, str(people), str(tmp_path / str(people))]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout))
    assert peaks[1] < peaks[0] * 1.3
