"""Every bad input costs only itself: a reason, its position, its text; nothing else is lost."""

import gzip
import io
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from folders import EVENTS, GOOD, HEAD, Read, fill, lines

from ingestion.ingest import check
from ingestion.mapping import parse
from ingestion.quarantine import FILE_REASONS, ROW_REASONS
from kg.errors import InputError, NotFound
from kg.lake import Lake
from kg.lake.quotes import OPEN_QUOTE, Quotes


def parquet(**columns: pa.Array) -> bytes:
    """A table that the mapping of events reads, two rows; `columns` replaces or adds."""
    rows = {"id": ["1", "2"], "who": ["ann", "bob"], "at": ["2026-01-01"] * 2, "item": ["c"] * 2}
    file = io.BytesIO()
    pq.write_table(pa.table({**rows, "quantity": ["1", "1"], **columns}), file)
    return file.getvalue()


def damaged(content: bytes) -> bytes:
    """Its end, which lists what is where, is whole; what stands there is not."""
    return content[:8] + b"\xff" * 60 + content[68:]


OK = "1,ann,2026-01-01T10:00:00Z,cup,1"
JSON = '{"id": %d, "who": "ann", "at": "2026-01-01T00:00:00Z", "item": "cup", "quantity": 1}\n'


def read(
    tmp_path: Path, content: str | bytes, mapping: str = EVENTS, name: str = "events.csv"
) -> Read:
    folder = fill(tmp_path / "data", {name: content}, mapping)
    return Read(folder, tmp_path / "workspace")


def assert_adds_up(found: Read) -> None:
    for one in found.report.files:
        assert one.received == one.accepted + one.duplicate + one.quarantined
        assert one.quarantined == sum(one.reasons.values())
    assert len(found.rows("records")) == found.report.total("received")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,bob,2026-01-01", "ragged"),
        ("2,bob,2026-01-01T10:00:00Z,cup,1,more", "ragged"),
        ("2,bob,,cup,1", "missing_time"),
        (",bob,2026-01-01T10:00:00Z,cup,1", "missing_id"),
        ("2,bob,1970-01-01T00:00:00Z,cup,1", "time_out_of_range"),
        ("2,bob,2099-01-01T00:00:00Z,cup,1", "time_out_of_range"),
        ("2,bob,13/13/2026,cup,1", "unreadable_time"),
        ("2,bob,03/04/2026,cup,1", "unreadable_time"),
        ("2,bob,2026-02-30,cup,1", "unreadable_time"),
        ("2,bob,infinity,cup,1", "unreadable_time"),
        (f"2,bob,2026-01-01T10:00:00Z,{'x' * 1025},1", "long_value"),
        ("2" + 512 * "é" + ",bob,2026-01-01T10:00:00Z,cup,1", "long_value"),
        ("2,bob,2026-01-01T10:00:00Z,cup,NaN", "not_a_number"),
        ("2,bob,2026-01-01T10:00:00Z,cup,-inf", "not_a_number"),
        ("2,bob,2026-01-01T10:00:00Z,cup,two", "not_a_number"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    found = read(tmp_path, f"{GOOD}\n{OK}\n{row}\n3,cem,2026-01-02,cup,\n")
    assert found.reasons() == {2: reason}
    assert found.rows("events", "record_key") == ["events.csv#1", "events.csv#3"]
    kept = [one["raw"] for one in found.rows("records") if one["status"] == "quarantined"]
    assert "bob" in kept[0]
    assert_adds_up(found)


def test_a_product_of_numbers_is_a_number(tmp_path: Path) -> None:
    mapping = EVENTS + "    value: [quantity, item]\n"
    rows = "1,ann,2026-01-01,2,3\n2,ann,2026-01-01,1e200,1e200\n"
    found = read(tmp_path, f"{GOOD}\n{rows}", mapping)
    assert found.reasons() == {2: "not_a_number"}
    assert found.rows("events", "value") == [6.0]


def test_unreadable_bytes_cost_only_their_row(tmp_path: Path) -> None:
    found = read(
        tmp_path, f"{GOOD}\n{OK}\n".encode() + b"2,b\xffb,2026-01-01,cup,1\n3,c,2026-01-01,cup,1\n"
    )
    assert found.reasons() == {2: "encoding"}
    assert_adds_up(found)


def test_a_null_character_costs_only_its_row(tmp_path: Path) -> None:
    filler = "".join(f"r{n},dan,2026-01-02,cup,1\n" for n in range(500))
    found = read(tmp_path, f"{GOOD}\n{OK}\n2,b\0b,2026-01-02,cup,1\n{filler}x,\0,2026-01-02,c,1\n")
    assert found.reasons() == {2: "encoding", 503: "encoding"}
    assert len(found.rows("events")) == 501
    assert_adds_up(found)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_what_nobody_declared(tmp_path: Path, encoding: str) -> None:
    content = f"{GOOD}\n1,ann,2026-01-01,caff\u00e8 \U0001f600,1\n"
    found = read(tmp_path, content.encode(encoding))
    assert found.rows("events", "item_id") == ["caff\u00e8 \U0001f600"]


def test_an_encoding_of_several_bytes_is_read_to_its_last_byte(tmp_path: Path) -> None:
    mapping = EVENTS.replace("    kind: event\n", "    kind: event\n    encoding: utf-16-be\n")
    content = f"{GOOD}\n{OK}\n2,bob,2026-01-02,cup,1".encode("utf-16-be") + b"\x00"
    found = read(tmp_path, content, mapping)
    assert found.reasons() == {2: "encoding"}, "half a character is not dropped"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_may_end_as_on_any_system(tmp_path: Path, end: str) -> None:
    rows = [GOOD, OK, "2,bob", "3,cem,2026-01-02,cup,1", ""]
    found = read(tmp_path, end.join(rows))
    assert found.reasons() == {2: "ragged"}
    assert found.rows("events", "record_key") == ["events.csv#1", "events.csv#3"]


def test_blank_lines_before_the_header_are_no_header(tmp_path: Path) -> None:
    assert read(tmp_path, f"\n\r\n{GOOD}\n{OK}\n").rows("events", "record_key") == ["events.csv#1"]


@pytest.mark.parametrize("role", ["quantity", "who", "id", "at", "more"])
def test_nan_and_infinity_in_a_column_of_numbers_cost_only_their_rows(
    tmp_path: Path, role: str
) -> None:
    content = parquet(**{role: pa.array([float("nan"), float("-inf")])})
    folder = fill(
        tmp_path / "data", {"events-a.parquet": content, "events-b.parquet": parquet()}, EVENTS
    )
    found = Read(folder, tmp_path / "workspace")
    assert_adds_up(found)
    assert found.file("events-b.parquet").received == 2
    reasons = {"quantity": {"not_a_number": 2}, "at": {"unreadable_time": 2}}
    assert found.file("events-a.parquet").reasons == reasons.get(role, {})


def test_texts_that_a_parquet_file_holds_as_bytes_are_texts(tmp_path: Path) -> None:
    words = pa.array(["Lämpe".encode(), b"\xff"], pa.binary())
    found = read(tmp_path, parquet(item=words), name="events.parquet")
    assert found.rows("events", "item_id") == ["Lämpe", "\\xFF"]


def test_whole_numbers_in_a_column_of_floats_stay_ids(tmp_path: Path) -> None:
    content = parquet(id=pa.array([7.0, 1e300]), who=pa.array([12345.0, 0.0]))
    found = read(tmp_path, content, name="events.parquet")
    assert found.rows("events", "record_key") == ["events.parquet#1e+300", "events.parquet#7"]
    assert found.rows("identifiers", "value") == ["12345"]


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (("17.0", "18.0", ""), ["17", "18"]),  # as pandas writes them
        (("17.0", "18"), ["17", "18"]),
        (("1.0", "1.1"), ["1.0", "1.1"]),  # no numbers but names with points
        (("17.0", "A7"), ["17.0", "A7"]),
    ],
)
def test_ids_that_are_whole_numbers_are_one_however_they_are_written(
    tmp_path: Path, ids: tuple[str, ...], told: list[str]
) -> None:
    rows = "".join(f"{n},{one},2026-01-01,x,1\n" for n, one in enumerate(ids))
    plain = "k,19,2026-01-01,x,1\n"
    files = {"events-a": f"{GOOD}\n{rows}", "events-b": f"{GOOD}\n{plain}"}
    found = Read(fill(tmp_path / "data", files, EVENTS), tmp_path / "workspace")
    assert found.rows("identifiers", "value") == sorted([*told, "19"])
    written = found.rows("records", "record_key")
    assert "events-a#0" in written


def test_a_whole_number_of_json_is_an_id_without_a_point(tmp_path: Path) -> None:
    rows = [{"id": f"o{n}", "who": who, "at": "2026-01-01", "item": "x", "quantity": 1}
            for n, who in enumerate((17.0, 17, 1.5))]  # fmt: skip
    found = read(tmp_path, lines(rows), name="events.jsonl")
    assert found.rows("identifiers", "value") == ["1.5", "17", "17"]


def test_a_mapping_reaches_into_columns_that_hold_several_values(tmp_path: Path) -> None:
    content = parquet(
        customer=pa.array([{"id": "c1", "seen": {"times": 3, "on": "2026-01-01"}}, None]),
        tags=pa.array([["new", "red"], []]),
        notes=pa.array([[("shop", "north")], None], pa.map_(pa.string(), pa.string())),
    )
    mapping = HEAD + (
        "tables:\n  events:\n    files: events*\n    kind: event\n    key: id\n"
        "    identifiers: {crm: customer.id}\n    verb: bought\n    category: tags.0\n"
        "    object: notes.shop\n    quantity: customer.seen.times\n"
        "    time: {column: at, zone: UTC}\n    ignore_columns: [who, item, quantity]\n"
    )
    found = read(tmp_path, content, mapping, "events.parquet")
    assert found.rows("events", "record_key", "category", "object", "quantity") == [
        ("events.parquet#1", "new", "north", 3.0), ("events.parquet#2", None, None, None),
    ]  # fmt: skip
    assert found.rows("identifiers", "value") == ["c1"]
    assert found.report.datasets[0].unread == ()
    for wrong in ("customer.nr", "tags.first", "other.id"):
        with pytest.raises(InputError, match=f"no column '{wrong}'"):
            check(tmp_path / "data", parse(mapping.replace("customer.id", wrong)))
    day = "{column: customer.seen.on, formats: '%Y-%m-%d'}"
    naive = mapping.replace("{column: at, zone: UTC}", day)
    with pytest.raises(InputError, match=r"'customer\.seen\.on' carry no zone"):
        check(tmp_path / "data", parse(naive))


@pytest.mark.parametrize(
    "name", ["filename", "_path", "_position", "_problem", "_raw", "_line", "source", "_u0", "_c0"]
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_may_have_any_name(tmp_path: Path, name: str, suffix: str) -> None:
    content = f"{GOOD},{name}\n{OK},x\n".encode()
    if suffix == "parquet":
        content = parquet(**{name: pa.array(["x", "y"])})
    mapping = EVENTS + f"    object: {name}\n"
    found = read(tmp_path, content, mapping, name=f"events.{suffix}")
    assert found.rows("events", "object")[0] == "x"


def test_a_file_whose_name_is_a_pattern_is_that_file(tmp_path: Path) -> None:
    files = {"events*.parquet": parquet(), "events-b.parquet": parquet(id=pa.array(["3", "4"]))}
    found = Read(fill(tmp_path / "data", files, EVENTS), tmp_path / "workspace")
    assert [one.received for one in found.report.files] == [2, 2]
    assert len(found.rows("events")) == 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("start", ["[", " [ \n "])
def test_a_list_in_one_document_is_read_beside_a_file_of_lines(
    tmp_path: Path, start: str, encoding: str
) -> None:
    files = {"events-[a].json": f"{start}{JSON % 2}]".encode(encoding), "events-b.jsonl": JSON % 1}
    found = Read(fill(tmp_path / "data", files, EVENTS), tmp_path / "workspace")
    assert found.rows("events", "record_key") == ["events-[a].json#2", "events-b.jsonl#1"]


def test_a_list_that_is_not_whole_costs_only_its_file(tmp_path: Path) -> None:
    files = {"events-a.json": f"[{JSON % 2}", "events-b.jsonl": JSON % 1}
    found = Read(fill(tmp_path / "data", files, EVENTS), tmp_path / "workspace")
    assert "not a whole JSON document" in (found.file("events-a.json").detail or "")
    assert found.rows("events", "record_key") == ["events-b.jsonl#1"]


def test_what_is_no_file_is_told_and_costs_nothing_else(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"events.csv": f"{GOOD}\n{OK}\n"}, EVENTS)
    (folder / "events-folder.csv").mkdir()
    (folder / "events-gone.csv").symlink_to("nothing.csv")
    (folder / "events-loop.csv").symlink_to("events-loop.csv")
    (folder / "again").symlink_to(".")
    os.mkfifo(folder / "events-pipe.csv")
    (Path(os.fsdecode(os.fsencode(folder) + b"/events-\xff.csv"))).write_text(f"{GOOD}\n{OK}\n")
    found = Read(folder, tmp_path / "workspace")
    told = {one.source: one.detail for one in found.report.files if one.status == "unreadable"}
    assert told == {
        "again": "a link to a folder is not followed",
        "events-gone.csv": "a link that leads nowhere",
        "events-loop.csv": "a link that leads nowhere",
        "events-pipe.csv": "it is no file",
        "events-\ufffd.csv": "its name is not UTF-8",
    }
    assert found.rows("events", "record_key") == ["events.csv#1"]


def test_a_folder_of_which_nothing_can_be_read_does_not_replace_what_was(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"events.csv": f"{GOOD}\n{OK}\n"}, EVENTS)
    before = Read(folder, tmp_path / "workspace").rows("events")
    fill(folder, {"events.csv": b""})
    with pytest.raises(InputError, match=r"events\.csv: the file holds nothing") as refused:
        Read(folder, tmp_path / "workspace")
    assert "source check" in (refused.value.hint or "")
    with Lake.open(tmp_path / "workspace") as lake:
        assert lake.arrow("events").drop_columns(["run_id"]).to_pylist() == before


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    mapping = EVENTS.replace("    kind: event\n", "    kind: event\n    encoding: latin-1\n")
    found = read(tmp_path, f"{GOOD}\n1,ann,2026-01-01,caffè,1\n".encode("latin-1"), mapping)
    assert found.rows("events", "item_id") == ["caffè"]


def test_a_line_of_50_mb_is_quarantined_by_its_position(tmp_path: Path) -> None:
    long = "x" * (50 << 20)
    found = read(tmp_path, f"{GOOD}\n{OK}\n2,{long},2026-01-01,cup,1\n3,cem,2026-01-01,cup,1\n")
    assert found.reasons() == {2: "too_long"}
    assert found.rows("events", "record_key") == ["events.csv#1", "events.csv#3"]
    assert max(len(one["raw"] or "") for one in found.rows("records")) <= 1 << 16


def test_json_that_is_broken_in_the_middle_costs_only_its_line(tmp_path: Path) -> None:
    long = '{"id": 4, "who": "' + "x" * (50 << 20) + '"}\n'
    content = JSON % 1 + '{"id": 2, "wh\n' + "[1, 2]\n" + long + "\n" + JSON % 5
    found = read(tmp_path, content, name="events.jsonl")
    assert found.reasons() == {2: "invalid_json", 3: "invalid_json", 4: "too_long"}
    assert found.file("events.jsonl").first == {"invalid_json": 2, "too_long": 4}
    assert found.rows("events", "record_key") == ["events.jsonl#1", "events.jsonl#5"]
    assert_adds_up(found)


@pytest.mark.parametrize(
    "later",
    [
        "",  # nothing closes it
        '7,"eve",2026-01-01,cup,1\n',  # the next quote opens another field
        '7,eve,2026-01-01,"cup, large",1\n',
        '7,eve,"2026-01-01",cup,1\n8,"fay",2026-01-01,cup,1\n',
    ],
)
def test_a_stray_quote_costs_only_its_line(tmp_path: Path, later: str) -> None:
    rows = "".join(f"{n},bob,2026-01-01,cup,1\n" for n in range(3, 7))
    found = read(tmp_path, f'{GOOD}\n{OK}\n2,ann,2026-01-01,"15 inch,1\n{rows}{later}')
    assert found.reasons() == {2: "open_quote"}
    count = 5 + later.count("\n")
    assert len(found.rows("events")) == count
    kept = [one["raw"] for one in found.rows("records") if one["status"] == "quarantined"]
    assert kept == ['2,ann,2026-01-01,"15 inch,1'], "as it stands in the file"
    assert found.file("events.csv").first == {"open_quote": 2}
    assert_adds_up(found)


def test_rows_between_a_stray_quote_and_one_that_ends_a_field_are_no_field(tmp_path: Path) -> None:
    rows = '2,ann,2026-01-01,"cup,1\n3,bob,2026-01-01,cup,1\n4,cem,2026-01-01,cup,1"\n'
    found = read(tmp_path, f"{GOOD}\n{OK}\n{rows}")
    assert found.reasons() == {2: "open_quote", 4: "not_a_number"}
    assert_adds_up(found)


def test_a_well_quoted_field_that_looks_like_rows_is_kept_and_told(tmp_path: Path) -> None:
    rows = '2,ann,2026-01-01,"cup,1\n3,bob,2026-01-01,tea",1\n'
    found = read(tmp_path, f"{GOOD}\n{OK}\n{rows}")
    assert found.rows("events", "item_id") == ["cup", "cup,1\n3,bob,2026-01-01,tea"]
    (dataset,) = found.report.datasets
    assert "events.csv: a field in quotes that begins in line 3 holds" in dataset.warnings[0]


def test_quotes_that_can_be_read_are_read_as_they_are(tmp_path: Path) -> None:
    items = [
        '"one\ntwo, or ""three""\n\nfour"',
        '15" wide',
        '"a"b',
        '"with" ',
        '"\n"',
        '""',
        '"""x"""',
    ]
    rows = "".join(f"{n},ann,2026-01-01,{item},1\r\n" for n, item in enumerate(items, 1))
    found = read(tmp_path, f"{GOOD}\r\n{rows}")
    read_as = ['one\ntwo, or "three"\n\nfour', '15" wide', "ab", "with", '"x"']
    assert {one for one in found.rows("events", "item_id") if one} == set(read_as)
    assert found.reasons() == {}
    (dataset,) = found.report.datasets
    assert not any("quote" in warning for warning in dataset.warnings)


def test_a_field_of_several_lines_may_lie_across_the_blocks_of_a_file() -> None:
    rows = [f'{n},"a ""b"",\n{n}\nc",x\n' for n in range(99)]
    text = "".join(["id,text,more\n", *rows, '99,"stray,x\n', *rows])
    lines = [f"{line}\n".encode() for line in text.splitlines()]
    whole, cut = (b"".join(Quotes(iter(blocks), ",", 3)) for blocks in ([text.encode()], lines))
    assert whole == cut
    assert len(whole.splitlines()) == len(lines)
    assert whole.count(OPEN_QUOTE.encode()) == 1


@pytest.mark.parametrize("rest", [("x" * 9_999 + "\n") * 600, ""])
def test_a_quote_is_not_looked_for_without_end(tmp_path: Path, rest: str) -> None:
    found = read(tmp_path, f'{GOOD}\n1,ann,2026-01-01,"{rest}cup,1\n{OK}\n')
    assert found.file("events.csv").reasons["open_quote"] == 1
    assert found.rows("events", "item_id") == ["cup"]
    assert_adds_up(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "foreign"),
        (b"PAR1 and then nothing", "unreadable"),
        (gzip.compress(b"id,who\n" * 999)[:40], "cut_off"),
        (gzip.compress(b"id,who\n" * 999)[:30] + b"\xff" * 20, "cut_off"),
        (gzip.compress(gzip.compress(b"id,who\n" * 999)), "foreign"),
        (f"{GOOD}\n{OK}\n".encode("utf-16-le"), "foreign"),
        ("id,who,\u00e4t,item,quantity\n".encode("latin-1"), "encoding"),
        (b"id," + b"x" * (2 << 20) + b"\n1,2\n", "too_long"),
        ((",".join(f"c{n}" for n in range(5_001)) + "\n").encode(), "unreadable"),
        (parquet(quantity=pa.array([1.0, 2.0]))[:-300], "unreadable"),
        (damaged(parquet(quantity=pa.array([1.0, 2.0]))), "unreadable"),
        (b"id,who,at,item,quantity,who\n1,a,2026-01-01,c,1,b\n", "duplicate_header"),
        (b"id,WHO,at,item,quantity,who\n1,a,2026-01-01,c,1,b\n", "duplicate_header"),
        (b"another,file\n1,2\n", "missing_column"),
        (f'id,"{GOOD}\n{OK}\n'.encode(), "unreadable"),
    ],
)
def test_a_bad_file_costs_nothing_else(tmp_path: Path, content: bytes, reason: str) -> None:
    folder = fill(
        tmp_path / "data", {"events-a.csv": content, "events-b.csv": f"{GOOD}\n{OK}\n"}, EVENTS
    )
    found = Read(folder, tmp_path / "workspace")
    assert found.file("events-a.csv").status == "unreadable"
    assert (found.file("events-a.csv").detail or "").startswith(f"{reason}: ")
    assert found.rows("events", "record_key") == ["events-b.csv#1"]
    assert reason in FILE_REASONS
    assert_adds_up(found)


def test_a_file_in_another_format_than_the_others_costs_only_itself(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"events-a.csv": JSON % 1, "events-b.csv": f"{GOOD}\n{OK}\n"}
    with pytest.raises(InputError, match="of different formats"):  # which one is meant?
        check(fill(tmp_path / "two", files, EVENTS))
    files["events-c.csv"] = f"{GOOD}\n2,bob,2026-01-01,cup,1\n"
    found = Read(fill(tmp_path / "three", files, EVENTS), tmp_path / "workspace")
    assert (found.file("events-a.csv").detail or "").startswith("foreign: the other files")
    assert found.rows("events", "record_key") == ["events-b.csv#1", "events-c.csv#2"]
    assert_adds_up(found)


def test_a_header_without_rows_is_a_file_without_records(tmp_path: Path) -> None:
    none = "No record in 'data' can be used: its files hold none"
    with pytest.raises(InputError, match=none) as raised:
        read(tmp_path, f"{GOOD}\n")
    assert str(raised.value.hint).startswith("Export them again"), "there is no reason to list"
    found = check(tmp_path / "data").files
    assert [(one.source, one.status, one.received) for one in found] == [("events.csv", "read", 0)]


def test_files_that_are_all_ignored_are_not_called_empty(tmp_path: Path) -> None:
    tables = "tables: {events: {kind: ignore, reason: it names nobody, files: events.csv}}\n"
    mapping = f"name: x\nconsent: {{default: granted, basis: tests}}\n{tables}"
    report = check(fill(tmp_path / "x", {"events.csv": f"{GOOD}\n{OK}\n"}, mapping))
    why = "No record in 'x' can be used: the mapping reads none of its files"
    with pytest.raises(InputError, match=why) as refused:
        report.refuse_useless("x", "look at the records")
    assert "kind: event" in (refused.value.hint or "")


def test_a_file_that_cannot_be_read_is_not_called_empty(tmp_path: Path) -> None:
    cut_off = gzip.compress(f"{GOOD}\n{OK}\n".encode() * 999)[:60]
    report = check(fill(tmp_path, {"events.csv": cut_off}, EVENTS))
    why = r"No record in 'x' can be used: events\.csv: cut_off: the compressed file ends early"
    with pytest.raises(InputError, match=why):
        report.refuse_useless("x", "")


def test_records_newer_than_the_date_of_their_file_are_told_with_the_command(
    tmp_path: Path,
) -> None:
    folder = fill(tmp_path / "data", {"events.csv": f"{GOOD}\n{OK}\n"}, EVENTS)
    os.utime(folder / "events.csv", (1_577_836_800, 1_577_836_800))  # 2020
    with pytest.raises(InputError, match="time_out_of_range") as refused:
        Read(folder, tmp_path / "workspace")
    assert "where times of now are right" in (refused.value.hint or "")
    assert "`touch FILE`" in (refused.value.hint or "")
    assert "A time in 1970 is mostly seconds" in (refused.value.hint or "")


def test_missing_folders_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no data folder"):
        check(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        check(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        check(tmp_path / "empty")


@pytest.mark.parametrize(
    ("change", "line", "says", "hint"),
    [
        (("item: item", "item: itm"), 11, "'events.csv' has no column 'itm'", "'item'"),
        (("files: events*", "files: evnts.csv"), 5, "no file fits 'evnts.csv'", "'events.csv'"),
        (
            ("{column: at, zone: UTC}", "{column: at, formats: '%d.%m.%Y'}"),
            9,
            "not one of the times in 'at' is written as %d.%m.%Y",
            "formats: iso",
        ),
        (
            ("{column: at, zone: UTC}", "{column: at, formats: ['%Y-%m-%dT%H:%M:%SZ']}"),
            9,
            "no zone",
            "zone: UTC",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_before_anything_is_written(
    tmp_path: Path, change: tuple[str, str], line: int, says: str, hint: str
) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, f"{GOOD}\n{OK}\n", EVENTS.replace(*change))
    assert f"line {line}: " in str(refused.value)
    assert says in str(refused.value)
    assert hint in (refused.value.hint or "")
    with Lake.open(tmp_path / "workspace") as lake:
        assert lake.head is None


@pytest.mark.parametrize(
    "first", ["1,ann@x.org,2026-01-01,Ann Smith,1", OK + ",Ann Smith,+4 123456"]
)
def test_a_first_row_in_the_place_of_names_is_repeated_in_no_message(
    tmp_path: Path, first: str
) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, f"{first}\n{OK}\n")
    said = f"{refused.value} {refused.value.hint}"
    assert "looks like data, not like names" in said
    assert "Ann" not in said
    assert "x.org" not in said
    with pytest.raises(InputError) as refused:
        read(tmp_path / "one", "name,+44 123 456 789,a@b.org,other,more\n1,2,3,4,5\n")
    assert refused.value.hint == "Its columns: name, other, more."


def test_a_field_that_no_json_line_has_is_refused(tmp_path: Path) -> None:
    line = '{"id": 1, "wo": "ann", "at": "2026-01-01T00:00:00Z", "item": "c", "quantity": 1}\n'
    with pytest.raises(InputError, match="no column 'who'") as refused:
        read(tmp_path, line, name="events.jsonl")
    assert refused.value.hint == "Did you mean 'wo'?"


def test_a_format_without_a_zone_is_never_taken_for_utc_in_json(tmp_path: Path) -> None:
    mapping = EVENTS.replace("{column: at, zone: UTC}", "{column: at, formats: [iso, '%d.%m.%Y']}")
    clock = JSON.replace("2026-01-01T00:00:00Z", "01.02.2026")
    found = read(tmp_path, JSON % 1 + clock % 2, mapping, name="events.jsonl")
    assert found.reasons() == {2: "naive_time"}


def test_times_without_a_zone_among_others_are_quarantined(tmp_path: Path) -> None:
    mapping = EVENTS.replace("{column: at, zone: UTC}", "at")
    found = read(tmp_path, f"{GOOD}\n{OK}\n2,bob,2026-01-01T10:00:00,cup,1\n"
                 "3,bob,2026-01-01T10:00:00+02:00,cup,1\n", mapping)  # fmt: skip
    assert found.reasons() == {2: "naive_time"}
    assert found.rows("events", "occurred_at_ms") == [1767254400000, 1767261600000]


def test_utc_is_a_zone_as_a_warehouse_writes_it(tmp_path: Path) -> None:
    mapping = EVENTS.replace("{column: at, zone: UTC}", "at")
    rows = "2,bob,2026-01-01 10:00:00 UTC,cup,1\n3,bob,2026-01-01 10:00:00.123 UTC,cup,1\n"
    odd = "4,bob,2026-01-01 10:00:00 UTC+2,cup,1\n5,bob,2026-01-01 UTC,cup,1\n"
    found = read(tmp_path, f"{GOOD}\n{OK}\n{rows}{odd}", mapping)
    assert found.rows("events", "occurred_at_ms")[1:] == [1767261600000, 1767261600123]
    assert found.reasons() == dict.fromkeys((4, 5), "unreadable_time")


@pytest.mark.parametrize(
    "written",
    ["2026-01-01T10:00Z", "2026-01-01 10:00+00", "2026-01-01 05:00 -0500",
     "2026-01-01 05:00:00 -0500", "2026-01-01 11:00:00.000 +01:00", "2026-01-01T10:00:00 Z",
     "2026-01-01 10:00 UTC"],
)  # fmt: skip
def test_times_without_seconds_and_offsets_after_a_blank_are_read(
    tmp_path: Path, written: str
) -> None:
    mapping = EVENTS.replace("{column: at, zone: UTC}", "at")
    found = read(tmp_path, f"{GOOD}\n{OK.replace('2026-01-01T10:00:00Z', written)}\n", mapping)
    assert found.rows("events", "occurred_at_ms") == [1767261600000]


@pytest.mark.parametrize(
    "unseen",
    ["{}\u200b", "\u200e{}", "\ufeff{}", "{}\u00a0", "{}\u00ad", "\u2066{}\u2069"],
)
def test_characters_that_nobody_sees_make_no_other_person(tmp_path: Path, unseen: str) -> None:
    mapping = EVENTS.replace("{customer: who}", "{customer: who, email: item}")
    rows = "1,K1,2026-01-01,a@x.org,1\n" + "2,U,2026-01-01,M,1\n".replace(
        "U", unseen.format("K1")).replace("M", unseen.format("A@x.org"))  # fmt: skip
    found = read(tmp_path, f"{GOOD}\n{rows}", mapping)
    assert found.rows("identifiers", "value") == ["K1", "K1", "a@x.org", "a@x.org"]


def test_days_and_hours_that_do_not_exist_are_no_matter_of_the_zone(tmp_path: Path) -> None:
    mapping = EVENTS.replace("{column: at, zone: UTC}", "at")
    found = read(tmp_path, f"{GOOD}\n{OK}\n2,bob,2026-02-30T10:00:00Z,cup,1\n"
                 "3,bob,2026-01-01T25:00:00+02:00,cup,1\n"
                 "4,bob,2026-02-30,cup,1\n", mapping)  # fmt: skip
    assert found.reasons() == {2: "unreadable_time", 3: "unreadable_time", 4: "naive_time"}


def test_a_column_that_only_seems_to_be_declared_is_a_warning(tmp_path: Path) -> None:
    mapping = EVENTS + (
        "    forms: {quantty: amount}\n    lists: {whom: ';'}\n"
        "    names: {item: [artikel], itm: [item]}\n"
        "    ignore_columns: [more]\n    required: [id, who, nothing]\n"
    )
    (dataset,) = read(tmp_path, f"{GOOD}\n{OK}\n", mapping).report.datasets
    line = mapping.count("\n") - 4
    told = [one.removeprefix("personagraph.yaml, line ") for one in dataset.warnings]
    assert [one for one in told if "no file has" in one] == [
        f"{line + place}: {name!r} under {key} is a column that no file has{likely}"
        for place, name, key, likely in (
            (0, "quantty", "forms", "; did you mean 'quantity'?"),
            (1, "whom", "lists", "; did you mean 'who'?"),
            (3, "more", "ignore_columns", ""),
            (4, "nothing", "required", ""),
            (2, "artikel", "names", ""),
            (2, "itm", "names", "; did you mean 'item'?"),
        )
    ]


@pytest.mark.parametrize("form", ["iso", "%Y-%m-%dT%H:%M:%S%z"])
def test_an_offset_that_no_place_has_is_no_time(tmp_path: Path, form: str) -> None:
    mapping = EVENTS.replace("{column: at, zone: UTC}", f"{{column: at, formats: '{form}'}}")
    rows = [f"{n},bob,2026-01-01T10:00:00{offset},cup,1"
            for n, offset in enumerate(("+25:00", "-15:00", "+14:00", "-12:00"), 1)]  # fmt: skip
    found = read(tmp_path, "\n".join([GOOD, *rows]), mapping)
    assert found.reasons() == {1: "unreadable_time", 2: "unreadable_time"}


def test_dates_that_two_formats_read_differently_are_ambiguous(tmp_path: Path) -> None:
    mapping = EVENTS.replace(
        "{column: at, zone: UTC}", '{column: at, formats: ["%d/%m/%Y", "%m/%d/%Y"], zone: UTC}'
    )
    rows = "1,a,13/01/2026,c,1\n2,a,01/13/2026,c,1\n3,a,03/04/2026,c,1\n4,a,05/05/2026,c,1\n"
    found = read(tmp_path, f"{GOOD}\n{rows}", mapping)
    assert found.reasons() == {3: "ambiguous_time"}


def test_clocks_are_read_in_the_zone_that_is_declared(tmp_path: Path) -> None:
    mapping = EVENTS.replace("zone: UTC", "zone: America/New_York")
    found = read(tmp_path, f"{GOOD}\n1,a,2026-01-01 12:00,c,1\n2,a,2026-05-01 12:00,c,1\n", mapping)
    assert found.rows("events", "occurred_at_ms") == [1767286800000, 1777651200000]


def test_clocks_that_are_set_are_read_as_the_documentation_says(tmp_path: Path) -> None:
    mapping = EVENTS.replace("zone: UTC", "zone: Europe/Berlin")
    rows = "1,a,2024-03-31 02:30,left out,1\n2,a,2024-10-27 02:30,shown twice,1\n"
    found = read(tmp_path, f"{GOOD}\n{rows}", mapping)
    assert sorted(found.rows("events", "occurred_at_ms")) == [1711848600000, 1729992600000]


@pytest.mark.parametrize(
    "junk",
    [
        "x" * 1025,
        "null",
        "undefined",
        "0",
        "none",
        "-1",
        "n/a",
        "NULL",
        "000000",
        "nan",
        "0.0",
        "########",
        "???",
        "***",
    ],
)
def test_identifiers_that_name_nobody_are_dropped_and_counted(tmp_path: Path, junk: str) -> None:
    found = read(tmp_path, f"{GOOD}\n{OK}\n2,{junk},2026-01-01,cup,1\n")
    assert found.rows("identifiers", "value") == ["ann"]
    assert len(found.rows("events")) == 2
    (dataset,) = found.report.datasets
    assert (dataset.dropped_identifiers, dataset.anonymous) == (1, 1)
    assert dataset.placeholders == 1


@pytest.mark.parametrize("namespace", ["customer", "phone"])
def test_a_number_that_a_spreadsheet_has_rounded_is_nobody_s(
    tmp_path: Path, namespace: str
) -> None:
    mapping = EVENTS.replace("customer: who", f"{namespace}: who")
    written = ["4.91512E+11", '"4,91512E+11"', "1E+10", "491512345678", "+491512345678"]
    rows = [f"{n},{one},2026-01-01,cup,1" for n, one in enumerate(written, 1)]
    found = read(tmp_path, "\n".join([GOOD, *rows]), mapping)
    told = found.rows("identifiers", "record_key")
    assert told == ["events.csv#4", "events.csv#5"]
    assert found.report.datasets[0].dropped_identifiers == 3


def test_an_address_is_the_same_as_mail_programs_write_it(tmp_path: Path) -> None:
    mapping = EVENTS.replace("{customer: who}", "{email: who}")
    written = ["ann@x.org", "Ann Lee <Ann@X.org>", '"""Lee, Ann"" <ann@x.org>;"', "ann@x.org;",
               "mailto:ann@x.org.", "<mailto:ann@x.org>", "ann @x.org"]  # fmt: skip
    other = ["a@x.org; b@x.org", "Ann <ann@x.org> <b@x.org>", "<ann@x.org", "Ann <ann>"]
    rows = [f"{n},{one},2026-01-01,cup,1" for n, one in enumerate([*written, *other], 1)]
    found = read(tmp_path, "\n".join([GOOD, *rows]), mapping)
    told = dict(found.rows("identifiers", "record_key", "value"))
    assert {told.pop(f"events.csv#{n}") for n in range(1, len(written) + 1)} == {"ann@x.org"}
    assert "ann@x.org" not in told.values()


def test_consent_in_other_words_is_quarantined_not_guessed(tmp_path: Path) -> None:
    mapping = HEAD + (
        "tables:\n  consents:\n    files: events.csv\n    kind: consent\n"
        "    identifiers: {email: mail}\n"
        "    consents: [{purpose: {column: what}, granted: ok}]\n"
    )
    found = read(
        tmp_path, "mail,what,ok\na@x.org,email,YES\nb@x.org,email,n\nc@x.org,email,hm\n", mapping
    )
    assert found.reasons() == {3: "unknown_value"}
    assert found.rows("consents", "record_key", "granted") == [
        ("events.csv#1", True), ("events.csv#2", False)]  # fmt: skip


def test_every_reason_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/mapping.md").read_text()
    assert [reason for reason in ROW_REASONS if f"`{reason}`" not in text] == []


def test_letters_of_another_encoding_are_told_with_the_line_to_write(tmp_path: Path) -> None:
    line = "write `encoding: cp1252` in its table"
    rows = f"{GOOD}\n{OK}\n2,bob,2026-01-01,café,1\n"
    (dataset,) = read(tmp_path, rows.encode("latin-1"), EVENTS).report.datasets
    assert any(line in warning for warning in dataset.warnings)
    for number, text in enumerate((f"{GOOD}\n2,bob,2026-01-01,café,1\n", GOOD + ",café\n1,b\n")):
        folder = fill(tmp_path / str(number), {"events.csv": text.encode("latin-1")}, EVENTS)
        with pytest.raises(InputError) as refused:
            Read(folder, tmp_path / f"w{number}")
        assert line in (refused.value.hint or "").lower()


@pytest.mark.parametrize(
    "before", ["", "\n", "\n\r\n\n", "sep=,\n", "SEP=;\r\n", "\ufeffsep=,\r\n\n"]
)
def test_what_stands_before_the_header_is_no_record(tmp_path: Path, before: str) -> None:
    found = read(tmp_path, f"{before}{GOOD}\n{OK}\n2,bob\n{OK.replace('1,', '3,', 1)}\n")
    assert found.reasons() == {2: "ragged"}
    assert found.rows("records", "record_key", "status") == [
        ("events.csv#1", "accepted"), ("events.csv#2", "quarantined"),
        ("events.csv#3", "accepted"),
    ]  # fmt: skip


@pytest.mark.parametrize(("table", "line"), [
    ("format: hubspot_contact\n", 7),
    ("kind: profile\n    key: Record ID\n    required: [Record ID]\n", 9),
])  # fmt: skip
def test_a_misspelt_trait_of_a_table_that_needs_few_columns_is_a_warning(
    tmp_path: Path, table: str, line: int
) -> None:
    rows = "Record ID,Email,Create Date,Plan Type\n1,a@x.org,2026-01-05T10:00:00Z,pro\n"
    mapping = f"{HEAD}tables:\n  c:\n    files: h.csv\n    {table}    traits: {{plan: PlanType}}\n"
    found = Read(fill(tmp_path / "data", {"h.csv": rows}, mapping), tmp_path / "workspace")
    assert [one for one in found.report.datasets[0].warnings if "PlanType" in one] == [
        f"personagraph.yaml, line {line}: 'PlanType' under traits is a column that no file has; "
        "did you mean 'Plan Type'?"
    ]
