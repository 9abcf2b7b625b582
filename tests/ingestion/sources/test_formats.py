"""What holds for every format of product events, tried on the export of every vendor."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import vendors
from folders import HEAD, Read, fill

from ingestion.detect import _event_formats, _is_ticket, known_formats, recognise
from ingestion.ingest import check
from ingestion.namespaces import FORMAT_NAMESPACES
from ingestion.sources import event_modules
from ingestion.sources.formats import Format, namespace
from ingestion.table import EVENT_FORMATS
from kg.errors import InputError

EXPORTS = vendors.exports()
FORMS: dict[str, Format] = {name: one.FORMAT for name, one in event_modules().items()}


@pytest.mark.parametrize("file", sorted(EXPORTS))
def test_a_file_is_known_by_what_it_holds_as_its_own_format_and_no_other(
    tmp_path: Path, file: str
) -> None:
    mine, content = EXPORTS[file]
    path = tmp_path / "export"  # no suffix gives it away
    path.write_bytes(content)
    assert recognise(path) == mine
    objects, lines = vendors.seen(content)
    if objects:
        tests = [*_event_formats("fits"), ("tickets", _is_ticket)]
        claimed = [name for name, fits in tests if any(map(fits, objects))]
    else:
        claimed = [name for name, fits in _event_formats("fits_text") if any(map(fits, lines))]
        rows = list(csv.DictReader(lines))
        claimed += [name for name, fits in _event_formats("fits_row") if any(map(fits, rows))]
    assert claimed == [mine]


def test_every_vendor_tells_the_same_story(tmp_path: Path) -> None:
    told = ("segment.jsonl", "snowplow.tsv", "amplitude.zip", "posthog.parquet", "posthog.csv",
            "ga4.parquet", "mixpanel.jsonl", "cloudevents-batch.json")  # fmt: skip
    files = {file: EXPORTS[file][1] for file in told}
    found = Read(fill(tmp_path / "data", files), tmp_path / "workspace")
    for file in told:
        report = found.file(file)
        assert (report.status, report.quarantined, report.duplicate) == ("read", 0, 0), file
    columns = ("source", "occurred_at_ms", "verb", "object", "item_id", "quantity", "value",
               "basket_id", "channel")  # fmt: skip
    events = found.rows("events", *columns)
    at = [vendors.AT_MS + minute * vendors.MINUTE for minute in (0, 1, 3, 4)]
    for file in told:
        home = "Home" if file.startswith("segment") else "/"
        assert [row[1:] for row in events if row[0] == file] == [
            (at[0], "viewed", home, None, None, None, None, "web"),
            (at[1], "viewed", None, "p1", 2.0, None, None, "web"),
            (at[2], "added", None, "p1", 2.0, None, None, "web"),
            (at[3], "bought", None, "p1", 2.0, 20.0, "o1", "web"),
        ], file
    items = found.rows("items", "item_id", "title", "categories", "price")
    assert items == [("p1", "Lamp", ["Home", "Light"], 10.0)]
    users = {row for row in found.rows("identifiers", "namespace", "value") if row[1] == "u1"}
    assert users == {("user_id", "u1"), ("distinct_id", "u1")}
    assert [dataset.new_fields for dataset in found.report.datasets] == [{}] * len(told)


HOSTILE = "'; DROP TABLE x;-- \"\\ \u202e\u0000\x1b[31m <script> ${jndi} %s {0} \U0001f600"


def _strange(file: str) -> tuple[bytes, dict[int, str]]:
    """A file with one good line among bad ones, and the reasons of the bad ones by position."""
    good = EXPORTS[file][1].splitlines()[0]
    text = not good.startswith((b"{", b"["))
    spoiled = good[: len(good) // 2] + b"\xff" + good[len(good) // 2 :]
    bad = {
        2: (good[: len(good) // 2], "ragged" if text else "invalid_json"),
        3: (spoiled, "encoding"),
        4: (b"[]", "invalid_json"),
        5: (b'"text"', "ragged" if FORMS[EXPORTS[file][0]].parsed else "invalid_json"),
        6: (b"{}", "unknown_type"),
        7: (b'{"hello": {"a": [1, null]}}', "unknown_type"),
        8: (b"[1, [2], null]", "invalid_json"),
        9: (b"[" * 5000 + b"]" * 5000, "invalid_json"),
    }
    content = b"\n".join([good, *(line for line, _ in bad.values())]) + b"\n"
    return content, {place: reason for place, (_, reason) in bad.items()}


STRANGE = ("segment.jsonl", "snowplow.tsv", "snowplow.json", "amplitude.json", "posthog.jsonl",
           "ga4.json", "mixpanel.jsonl", "cloudevents.jsonl", "otel.jsonl", "access.log",
           "access.json")  # fmt: skip
EXPORTS_PLAIN = {**EXPORTS, "amplitude.json": ("amplitude", vendors.jsonl(vendors.amplitude()))}


def test_what_is_cut_off_misencoded_or_no_message_costs_only_itself(tmp_path: Path) -> None:
    EXPORTS.update(EXPORTS_PLAIN)
    expected, files, tables = {}, {}, ""
    for file in STRANGE:
        files[file], expected[file] = _strange(file)
        tables += f"  {file.replace('.', '_')}: {{files: {file}, format: {EXPORTS[file][0]}}}\n"
    found = Read(fill(tmp_path / "data", files, HEAD + "tables:\n" + tables), tmp_path / "ws")
    records = found.rows("records", "source", "position", "status", "reason")
    for file in STRANGE:
        mine = [row[1:] for row in records if row[0] == file]
        quarantined = {place: reason for place, status, reason in mine if status == "quarantined"}
        assert quarantined == expected[file], file
        assert all(place == 1 for place, status, _ in mine if status != "quarantined")
        report = found.file(file)
        assert report.received == report.accepted + report.duplicate + report.quarantined
        assert report.accepted >= 1
        assert sum(row[0] == file for row in records) == report.received


BROKEN = (HOSTILE, '[{"a": 1', '{"a": ', '"', "", "[]", "{}")


def _spoiled(message: Any, text: str, depth: int = 0) -> Any:
    """The same message with every text in it replaced by another, its keys kept."""
    if isinstance(message, dict):
        keep = {"type", "event", "event_type", "event_name", "specversion", "schema", "key"}
        return {
            name: value if depth == 0 and name in keep else _spoiled(value, text, depth + 1)
            for name, value in message.items()
        }
    if isinstance(message, list):
        return [_spoiled(one, text, depth + 1) for one in message]
    return text if isinstance(message, str) else message


def _retyped(message: Any) -> Any:
    """The same message with texts as lists, numbers as objects and objects as numbers."""
    if isinstance(message, dict):
        return {name: {"a": 1} if isinstance(value, int) else [value] if isinstance(value, str)
                else 7 for name, value in message.items()}  # fmt: skip
    return message


def test_hostile_texts_and_changed_types_break_nothing_and_are_accounted_for(
    tmp_path: Path,
) -> None:
    EXPORTS.update(EXPORTS_PLAIN)
    files, tables = {}, ""
    for file in STRANGE:
        messages = [json.loads(line) for line in EXPORTS[file][1].splitlines()
                    if line.startswith(b"{")]  # fmt: skip
        if not messages:
            lines = EXPORTS[file][1].decode().splitlines()
            hostile = HOSTILE.replace("\x00", "")
            files[file] = "\n".join(line.replace("u1", hostile) for line in lines) + "\n"
        else:
            spoiled = [_spoiled(one, text) for one in messages for text in BROKEN]
            # Objects and lists become texts that are none.
            broken = [
                {name: text if isinstance(value, dict | list) else value
                 for name, value in one.items()}
                for one in messages for text in BROKEN
            ]  # fmt: skip
            retyped = [_retyped(one) for one in messages]
            files[file] = vendors.jsonl([*spoiled, *broken, *retyped, *messages])
        tables += f"  {file.replace('.', '_')}: {{files: {file}, format: {EXPORTS[file][0]}}}\n"
    found = Read(fill(tmp_path / "data", files, HEAD + "tables:\n" + tables), tmp_path / "ws")
    for file in STRANGE:
        report = found.file(file)
        assert report.status == "read", file
        assert report.received == report.accepted + report.duplicate + report.quarantined > 0
        assert report.accepted > 0, file
        assert "\x1b" not in str(report)


def test_a_file_of_another_vendor_is_quarantined_line_by_line(tmp_path: Path) -> None:
    foreign = vendors.jsonl([{"id": 1, "created_at": vendors.AT, "subject": "a ticket"}] * 3)
    names = [name for name in EVENT_FORMATS if name != "snowplow"]
    files = {f"{name}.jsonl": foreign for name in names} | {
        "snowplow.jsonl": EXPORTS["access.log"][1]
    }
    tables = "".join(
        f"  {name}: {{files: {name}.jsonl, format: {name}}}\n" for name in EVENT_FORMATS
    )
    folder = fill(tmp_path / "data", files, HEAD + "tables:\n" + tables)
    reasons = {one.source: one.reasons for one in check(folder).files}
    for name in names:
        assert reasons[f"{name}.jsonl"] == {"unknown_type": 3}, name
    assert reasons["snowplow.jsonl"] == {"ragged": 4}
    with pytest.raises(InputError, match="is a message of a kind that is not known"):
        Read(folder, tmp_path / "ws")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty: "), (b"\n \n", "empty: "), (b"\x00\x01\x02", "foreign: "),
     (vendors.zipped({"[Content_Types].xml": b"<x/>"}), "foreign: "),
     (vendors.zipped({"a.json.gz": b"\x1f\x8b\x08 and then nothing"}), "cut_off: "),
     (vendors.zipped({"a.json": b"{}\n" * 999})[:90], "cut_off: "),
     (vendors.zipped({}), "empty: ")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_costs_no_other(
    tmp_path: Path, content: bytes, says: str
) -> None:
    mapping = HEAD + "tables:\n  app: {files: 'amplitude*', format: amplitude}\n"
    files = {"amplitude-1.zip": content, "amplitude-2.zip": EXPORTS["amplitude.zip"][1]}
    found = Read(fill(tmp_path / "data", files, mapping), tmp_path / "workspace")
    assert found.file("amplitude-1.zip").status == "unreadable"
    assert (found.file("amplitude-1.zip").detail or "").startswith(says)
    assert found.file("amplitude-2.zip").accepted == 4


def test_the_namespaces_of_a_format_are_declared_for_identity() -> None:
    assert tuple(FORMS) == EVENT_FORMATS
    for name, form in FORMS.items():
        assert set(FORMAT_NAMESPACES[name]) == set(map(namespace, form.identifiers)), name


def test_every_format_is_listed_and_has_a_page_in_the_docs() -> None:
    listed = {one.name for one in known_formats()}
    page = (Path(__file__).parents[3] / "docs/sources.md").read_text()
    for name in EVENT_FORMATS:
        assert name in listed
        assert f"`{name}`" in page
