import datetime
import gzip
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kg.lake import Lake
from kg.lake.files import POSITION, PROBLEM, Written, columns_of, first_rows
from kg.lake.lines import LONGEST_LINE, UnreadableFile, whole_lines
from kg.lake.scratch import Scratch
from kg.lake.titles import header_lines


def rows(tmp_path: Path, content: bytes, shape: str = "csv") -> list[tuple[int, str | None]]:
    path = tmp_path / "file"
    path.write_bytes(content)
    with Scratch.open(tmp_path) as scratch:
        staged = scratch.stage(path, shape)  # type: ignore[arg-type]
        found = scratch.fetch(scratch.rows([staged]))
    assert staged.rows == len(found)
    return sorted((row[POSITION], row[PROBLEM]) for row in found)


def test_positions_count_rows_not_lines_whatever_lies_between(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfa,b\n1,"two\nlines"\n2\n3,x\n\n4,x,y\n5,x\n'
    assert rows(tmp_path, content) == [
        (1, None),
        (2, "ragged"),
        (3, None),
        (4, "ragged"),
        (5, None),
    ]


def test_positions_hold_over_many_blocks(tmp_path: Path) -> None:
    body = b"".join(
        b"%d,%s\n" % (n, b"x" * 60) if n % 7 else b"%d\n" % n for n in range(1, 200_001)
    )
    found = rows(tmp_path, b"a,b\n" + body)
    assert [place for place, _ in found] == list(range(1, 200_001))
    assert all((problem == "ragged") == (place % 7 == 0) for place, problem in found)


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_the_delimiter_is_recognised_in_the_header(tmp_path: Path, delimiter: bytes) -> None:
    assert rows(
        tmp_path, delimiter.join([b"a", b'"b,;c"', b"d"]) + b"\n" + delimiter.join([b"1"] * 3)
    ) == [(1, None)]


def test_windows_lines_and_a_last_line_without_an_end_are_read(tmp_path: Path) -> None:
    assert rows(tmp_path, b"a,b\r\n1,2\r\n3,4") == [(1, None), (2, None)]
    assert rows(tmp_path, b'{"a":1}\r\n\r\n{"a":2}', "ndjson") == [(1, None), (3, None)]


def test_a_line_at_the_limit_is_whole_and_one_beyond_is_cut(tmp_path: Path) -> None:
    whole, cut = b"x" * LONGEST_LINE, b"y" * (LONGEST_LINE + 1)
    path = tmp_path / "lines"
    path.write_bytes(whole + b"\n" + cut + b"\n" + b"z\n")
    found = b"".join(whole_lines(path)).splitlines()
    assert [len(found[0]), found[2]] == [LONGEST_LINE, b"z"]
    assert len(found[1]) < 1 << 17


def test_what_does_not_fit_into_memory_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.lake.engine._MEMORY", "120MB")
    path = tmp_path / "numbers.csv"
    path.write_bytes(
        b"a,b\n" + b"".join(b"%d,%040d\n" % (n % 999_983, n) for n in range(2_000_000))
    )
    with Scratch.open(tmp_path) as scratch:
        rows = scratch.rows([scratch.stage(path, "csv")])
        kept = scratch.keep(rows.order_by("b").mutate(c=rows.a + rows.b))
        assert scratch.fetch(kept.agg(n=kept.count()))[0]["n"] == 2_000_000
    with Lake.writer(tmp_path / "workspace") as lake:
        numbers = pa.table({"record_key": [f"{n:060d}" for n in range(1_000_000)]})
        with lake.step("x") as step:
            step.overwrite("identities", numbers.append_column("user_id", numbers[0]))
        found = lake.table("identities")
        rows_in_order = lake.batches(found.order_by(found.record_key.reverse()))
        assert sum(batch.num_rows for batch in rows_in_order) == 1_000_000


def test_the_scratch_folder_is_gone_after_use(tmp_path: Path) -> None:
    with Scratch.open(tmp_path) as scratch:
        assert scratch.folder.is_dir()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [30, -6])
def test_a_compressed_file_that_ends_early_is_unreadable(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:cut])
    with pytest.raises(UnreadableFile, match="cut_off"):
        list(whole_lines(path))


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def test_tables_of_an_archive_are_never_read_as_one(tmp_path: Path) -> None:
    one = {"b.csv": b"id,name\n1,Ann\n", "__MACOSX/._b.csv": b"\0", ".c": b"x,y\n"}
    assert columns_of(archive(tmp_path / "one.zip", one)) == ["id", "name"]
    two = archive(tmp_path / "two.zip", {**one, "a.csv": b"id,sku\n1,cup\n2,pan\n"})
    with pytest.raises(UnreadableFile, match="the archive holds 2 tables"):
        columns_of(two)
    with pytest.raises(UnreadableFile, match="unpack it"):
        rows(tmp_path, two.read_bytes())


def test_every_file_of_an_archive_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    marked = b"\xef\xbb\xbf"
    packed = gzip.compress(marked + b'{"b":2}')
    files = {"a": marked + b'{"a":1}\n', "b": packed, "c": marked}
    found = b"".join(whole_lines(archive(tmp_path / "a.zip", files)))
    assert found.splitlines() == [b'{"a":1}', b'{"b":2}']


def test_times_that_python_has_not_are_no_reason_not_to_look_at_a_file(tmp_path: Path) -> None:
    far = pa.array([-(10**17), 0, 10**18], pa.timestamp("us", "UTC"))  # 1200 BC, 1970, 33658
    days = pa.array([-(10**6), 0, 10**7], pa.date32())
    nested = pa.StructArray.from_arrays([far], ["at"])
    pq.write_table(pa.table({"far": far, "days": days, "n": nested}), tmp_path / "a")
    found = first_rows(tmp_path / "a", count=2)
    at = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert [one["far"] for one in found] == [None, at]
    assert found[0] == {"far": None, "days": None, "n": None}
    assert found[1]["days"] == at.date()


@pytest.mark.parametrize(
    ("head", "header"),
    [
        (b"id,day,n\n", (1, 1)),
        (b"Sales\nCreated: 2026-01-01\n\nid,day,n\n", (4, 4)),
        (b'Sales "West",,\n,,\nid,day,n\n', (3, 3)),
        (b"id,day,n\nnumber,date,EUR\n", (1, 2)),
        (b"Sales\nid,day,n\n\n,,EUR\n", (2, 4)),
        (b'Sales\n"the\nid",day,n\n,date,EUR\n', (2, 3)),
    ],
)  # fmt: skip
def test_titles_above_the_header_and_units_below_it_are_no_rows(
    tmp_path: Path, head: bytes, header: tuple[int, int]
) -> None:
    body = b"1,2026-01-01,5\n2,2026-01-02\n3,2026-01-03,7\n4,2026-01-04,8\n5,2026-01-05,8\n"
    path = tmp_path / "sales.csv"
    path.write_bytes(head + body)
    assert header_lines(path) == header
    how = Written(header=header)
    assert columns_of(path, how)[1:] == ["day", "n"]
    with Scratch.open(tmp_path) as scratch:
        found = scratch.fetch(scratch.rows([scratch.stage(path, "csv", how)]))
    assert [(row[POSITION], row["n"]) for row in sorted(found, key=lambda row: row[POSITION])] == [
        (1, "5"), (2, None), (3, "7"), (4, "8"), (5, "8")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "id,day,n\n1,n/a,\n" + "2,2026-01-01,5\n" * 9,  # a row that says nothing
        "id,day,n\n1,,later\n" + "2,2026-01-01,5\n" * 9 + "3,,later\n",
        "a,b,c\n" + "1,x,y,z\n" * 9,  # each row with its number, which has no name
        "Sales\n" + "1,2026-01-01,5\n" * 9,  # no header at all
        "Sales\nid,day,n\n",
        "Notes, and more\nHere is, what was, done, and how.\nNo table.\nOf nothing, at all\n",
        'name\n"open,a,b\nx,y\n',
    ],
)
def test_what_is_no_plain_title_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert header_lines(tmp_path / "a.csv") == (1, 1)


def test_a_header_that_is_said_to_stand_behind_the_end_makes_the_file_unreadable(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text("Sales\nid,n\n1,2\n")
    with pytest.raises(UnreadableFile, match="no line 9"):
        columns_of(tmp_path / "a.csv", Written(header=(9, 9)))


def test_lines_are_named_as_they_stand_in_the_file_where_titles_stand_above(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('Sales\n\na,b,c\n1,2,"x\n1,2,y\n1,2,z"\n')
    with Scratch.open(tmp_path) as scratch:
        staged = scratch.stage(tmp_path / "a.csv", "csv", Written(header=(3, 3)))
    assert "begins in line 4" in staged.warnings[0]
