"""Sheets as tables: what is the header, what type a column has, what cannot be read."""

import datetime
import struct
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
import xlwt
from workbook import write_workbook

from kg.lake.lines import UnreadableFile
from kg.lake.workbooks import is_workbook, sheets

AT = datetime.datetime.fromisoformat("2026-01-05T10:00:03")
DAY = AT.date()


def read(path: Path, number: int = 0) -> pa.Table:
    assert is_workbook(path)
    return list(sheets(path))[number].read().read_all()


def sheet(path: Path, *rows: list[Any], from_1904: bool = False) -> pa.Table:
    write_workbook(path, {"S": rows}, from_1904=from_1904)
    return read(path)


@pytest.mark.parametrize("from_1904", [False, True])
def test_cells_keep_their_types_whatever_day_the_workbook_counts_from(
    tmp_path: Path, from_1904: bool
) -> None:
    found = sheet(
        tmp_path / "a.xlsx",
        ["id", "at", "day", "price", "vip", "code"],
        [1, AT, DAY, 2.5, True, "007"],
        [2, AT, DAY, 3, False, "008"],
        from_1904=from_1904,
    )
    assert found.schema.types == [
        pa.int64(), pa.timestamp("us"), pa.date32(), pa.float64(), pa.bool_(),
        pa.string()]  # fmt: skip
    assert found.to_pylist()[0] == {
        "id": 1, "at": AT, "day": DAY, "price": 2.5, "vip": True, "code": "007"}  # fmt: skip


def test_a_column_of_several_kinds_is_text_and_days_among_times_are_midnights(
    tmp_path: Path,
) -> None:
    found = sheet(tmp_path / "a.xlsx", ["x", "at"], [1, AT], ["n/a", DAY], [True, None], [2.5, AT])
    assert found["x"].to_pylist() == ["1", "n/a", "true", "2.5"]
    assert found["at"].to_pylist() == [
        AT,
        datetime.datetime.combine(DAY, datetime.time()),
        None,
        AT,
    ]


def test_titles_above_and_empty_rows_between_are_left_out(tmp_path: Path) -> None:
    found = sheet(
        tmp_path / "a.xlsx",
        [], [None, "Our people"], [], [None, "id", "name", None], [None, 1, "Ann", "x"], [],
        [None, 2, "Bo"],
    )  # fmt: skip
    assert found.to_pydict() == {"id": [1, 2], "name": ["Ann", "Bo"], "column 3": ["x", None]}


def test_a_sheet_of_one_column_has_a_header(tmp_path: Path) -> None:
    assert sheet(tmp_path / "a.xlsx", ["mail"], ["a@x.org"]).to_pylist() == [{"mail": "a@x.org"}]


def test_a_header_without_rows_is_a_table_without_rows(tmp_path: Path) -> None:
    found = sheet(tmp_path / "a.xlsx", ["id", "mail"])
    assert (found.column_names, len(found)) == (["id", "mail"], 0)


def test_a_formula_that_failed_is_an_empty_cell(tmp_path: Path) -> None:
    found = sheet(tmp_path / "a.xlsx", ["id", "price"], [1, "=1/0"], [2, 5.5])
    assert found["price"].to_pylist() == [None, 5.5]


def test_a_cell_that_spans_rows_stands_in_each_of_them(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    one = book.add_worksheet("S")
    one.merge_range(0, 0, 0, 2, "A title over all columns")
    one.write_row(1, 0, ["order", "sku", "n"])
    one.merge_range(2, 0, 3, 0, "o1")
    one.merge_range(4, 1, 5, 1, "pan")
    one.write_column(2, 2, range(4))
    one.write(2, 1, "cup")
    book.close()
    found = read(tmp_path / "a.xlsx")
    assert found["order"].to_pylist() == ["o1", "o1", None, None]
    assert found["sku"].to_pylist() == ["cup", None, "pan", "pan"]


def grouped(path: Path, groups: dict[str, str], *rows: list[Any]) -> list[dict[str, Any]]:
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    page = book.add_worksheet()
    for number, cells in enumerate(rows, 2):
        for column, cell in enumerate(cells):
            if isinstance(cell, datetime.date):
                page.write_datetime(number, column, cell, day)
            else:
                page.write(number, column, cell)
    for place, text in groups.items():
        (page.merge_range if ":" in place else page.write)(place, text)
    book.close()
    return read(path).to_pylist()


def test_headings_over_several_columns_stand_above_the_header(tmp_path: Path) -> None:
    groups = {"A1:F1": "Orders of 2026", "A2": "Id", "B2:C2": "Customer", "D2:F2": "Order"}
    found = grouped(tmp_path / "a.xlsx", groups,
                    ["", "Name", "Email", "Day", "Total", "Vip"],
                    ["7", "Ann", "a@x.org", DAY, 2.5, "no"])  # fmt: skip
    assert found == [{"Id": "7", "Name": "Ann", "Email": "a@x.org", "Day": DAY, "Total": 2.5,
                      "Vip": "no"}]  # fmt: skip
    groups = {"A2:A3": "Id", "B2:C2": "Jan", "D2:E2": "Feb"}
    found = grouped(tmp_path / "b.xlsx", groups, ["", "Qty", "Total", "Qty", "Total"],
                    [7, 1, 2, 3, 4])  # fmt: skip
    assert found == [{"Id": 7, "Jan Qty": 1, "Jan Total": 2, "Feb Qty": 3, "Feb Total": 4}]


@pytest.mark.parametrize(
    "first", [["7", "Ann", "Lee", "no"], ["", "Ann", "a@x.org", "no"], ["x", "Ann", "", "no"]]
)
def test_a_name_over_two_columns_of_data_is_the_header(tmp_path: Path, first: list[str]) -> None:
    found = grouped(tmp_path / "a.xlsx", {"A2": "Id", "B2:C2": "Name", "D2": "Vip"},
                    first, ["8", "Bo", "Ay", "no"])  # fmt: skip
    assert [list(one) for one in found] == [["Id", "Name", "column 3", "Vip"]] * 2
    assert found[0]["Name"] == "Ann"


def test_a_sheet_is_read_in_pieces_of_one_type(tmp_path: Path) -> None:
    found = sheet(tmp_path / "a.xlsx", ["id"], *([n] for n in range(9_000)), [0.5])
    assert found["id"].to_pylist() == [*map(float, range(9_000)), 0.5]


def test_an_empty_sheet_says_so_and_charts_are_no_sheets(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    book.add_worksheet("A").write_row(0, 0, ["id"])
    book.add_worksheet("Empty")
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=A!$A$1:$A$2"})
    book.add_chartsheet("Chart").set_chart(chart)
    book.close()
    found = list(sheets(tmp_path / "a.xlsx"))
    assert [one.name for one in found] == ["A", "Empty"]
    with pytest.raises(UnreadableFile, match="the sheet holds nothing"):
        found[1].read()


def test_old_workbooks_are_read(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    one = book.add_sheet("S")
    for row, cells in enumerate([["id", "day"], [5, DAY], [6, DAY]]):
        for column, cell in enumerate(cells):
            style = (
                xlwt.easyxf(num_format_str="D/M/YY") if cell == DAY else xlwt.Style.default_style
            )
            one.write(row, column, cell, style)
    book.save(str(tmp_path / "a.xls"))
    assert read(tmp_path / "a.xls").to_pylist() == [{"id": 5, "day": DAY}, {"id": 6, "day": DAY}]


def test_open_document_spreadsheets_are_read(tmp_path: Path) -> None:
    def cell(kind: str, value: str) -> str:
        of = {"float": "value", "date": "date-value", "string": "string-value"}[kind]
        return f'<table:table-cell office:value-type="{kind}" office:{of}="{value}"><text:p>{value}</text:p></table:table-cell>'  # noqa: E501

    space = "urn:oasis:names:tc:opendocument:xmlns"
    header = cell("string", "id") + cell("string", "day")
    row = cell("float", "5") + cell("date", "2026-01-05")
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{space}:office:1.0" '
        f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="S"><table:table-row>{header}'
        f"</table:table-row><table:table-row>{row}</table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    assert [str(value) for value in read(tmp_path / "a.ods").to_pylist()[0].values()] == [
        "5", "2026-01-05"]  # fmt: skip


def _record(kind: int, body: bytes = b"") -> bytes:
    number = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return number + bytes([len(body)]) + body  # of less than 128 bytes


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def test_binary_workbooks_are_read(tmp_path: Path) -> None:
    """The few records ([MS-XLSB]) that a sheet of one text and one number needs."""
    relations = "http://schemas.openxmlformats.org/{}/2006/relationships"
    bundle = _record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("S"))
    book = _record(131) + _record(143) + bundle + _record(144) + _record(132)

    def row(number: int) -> bytes:
        return _record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))

    text = _record(6, struct.pack("<II", 0, 0) + _wide("id"))
    value = _record(5, struct.pack("<IId", 0, 0, 7.0))
    size = _record(148, struct.pack("<IIII", 0, 1, 0, 0))
    data = _record(145) + row(0) + text + row(1) + value + _record(146)
    kind = relations.format("officeDocument") + "/worksheet"
    with zipfile.ZipFile(tmp_path / "a.xlsb", "w") as archive:
        archive.writestr("xl/workbook.bin", book)
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{relations.format("package")}"><Relationship Id="rId1" '
            f'Type="{kind}" Target="worksheets/sheet1.bin"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.bin", _record(129) + size + data + _record(130))
    assert read(tmp_path / "a.xlsb").to_pylist() == [{"id": 7}]


def test_what_is_damaged_locked_or_no_workbook_says_so(tmp_path: Path) -> None:
    whole = tmp_path / "a.xlsx"
    write_workbook(whole, {"S": [["id"], [1]]})
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(whole.read_bytes()[:900])
    assert is_workbook(cut)
    with pytest.raises(UnreadableFile, match="damaged"):
        list(sheets(cut))
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024)
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(old + "EncryptedPackage".encode("utf-16-le") + bytes(1024))
    with pytest.raises(UnreadableFile, match="locked with a password"):
        list(sheets(locked))
    (tmp_path / "a.doc").write_bytes(old)
    with pytest.raises(UnreadableFile, match="no workbook"):
        list(sheets(tmp_path / "a.doc"))
    (tmp_path / "a.csv").write_text("id\n1\n")
    assert not is_workbook(tmp_path / "a.csv")
