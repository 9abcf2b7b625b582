"""Workbooks (xlsx, xlsm, xlsb, xls, ods): their sheets as tables.

The header is the first row that is no title (a single cell above a wider table), or the row below
it where cells of it stand across several columns that have names of their own; empty rows are left
out; a cell that spans several rows below the header stands in each of them. Values are those
the workbook was saved with: a formula that ended in an error is an empty cell.
"""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg.lake.files import UNNAMED
from kg.lake.headers import is_data
from kg.lake.held import Held, file_name
from kg.lake.lines import UnreadableFile

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_INSIDE = {"xl/workbook.xml", "xl/workbook.bin"}
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_LOCKED = ("locked", "the workbook is locked with a password")
_BROKEN = ("unreadable", "the workbook is damaged, or no workbook")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SUFFIXES = {".xlsx", ".xlsm", ".xlsb", ".ods"}  # of what is cut off, the name is all there is
_BATCH_ROWS = 8_192
_EXACT = 2**53  # whole numbers up to here are exact in a cell


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook, by its content; an old office document counts as one."""
    magic = b""
    try:
        with path.open("rb") as file:
            magic = file.read(8)
        if magic == _OLD:
            return True
        if magic[:4] != b"PK\x03\x04":
            return False
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names:
                return archive.read("mimetype").strip() == _ODS
            return bool(names & _INSIDE)
    except (OSError, zipfile.BadZipFile):
        return magic[:4] == b"PK\x03\x04" and path.suffix.lower() in _SUFFIXES


def sheets(path: Path) -> Iterator[Held]:
    """The sheets of a workbook in their order, those without any cell included.

    Raises:
        UnreadableFile: it is damaged or locked with a password.
    """
    from python_calamine import SheetTypeEnum

    book = _opened(path)
    written = path.stat().st_mtime_ns
    for sheet in book.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet:
            yield Held(file_name(sheet.name), partial(_read, book, sheet.name), written)


def _opened(path: Path) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise UnreadableFile(*_LOCKED) from error
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableFile(*(_LOCKED if _is_encrypted(path) else _BROKEN)) from error


def _is_encrypted(path: Path) -> bool:
    """Whether an office file is nothing but an envelope around an encrypted one."""
    with path.open("rb") as file:
        return file.read(8) == _OLD and _ENCRYPTED in file.read()


def _read(book: Any, name: str) -> pa.RecordBatchReader:
    from python_calamine import CalamineError

    try:
        sheet = book.get_sheet_by_name(name)
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableFile("unreadable", "the sheet is damaged") from error
    header, names = _header(sheet)
    kinds = [set[type]() for _ in names]
    for rows in _body(sheet, header):
        for seen, cells in zip(kinds, zip(*rows, strict=True), strict=True):
            seen.update(_kind(cell) for cell in cells if cell != "")
    types = [_type(seen) for seen in kinds]
    schema = pa.schema(list(zip(names, types, strict=True)))
    return pa.RecordBatchReader.from_batches(schema, _batches(sheet, header, schema))


def _rows(sheet: Any) -> Iterator[list[Any]]:
    """The rows of a sheet from its first filled one on; empty columns before it are left out."""
    return islice(sheet.iter_rows(), sheet.start[0], None)


def _header(sheet: Any) -> tuple[int, list[str]]:
    """Which row the header is (from the first filled one on), and the names in it."""
    if sheet.start is None:
        raise UnreadableFile("empty", "the sheet holds nothing")
    wide = max(_filled(row) for row in _rows(sheet))
    for number, row in enumerate(_rows(sheet)):
        if _filled(row) >= min(2, wide) > 0:
            below = _names_below(sheet, number, row)
            texts = enumerate(below or map(_text, row), 1)
            names = [text or f"{UNNAMED}{place}" for place, text in texts]
            return (number + 1 if below else number), names
    raise UnreadableFile("empty", "the sheet holds nothing")


def _names_below(sheet: Any, number: int, row: Sequence[Any]) -> list[str] | None:
    """The names in the row below one whose cells stand across several columns; None: it has none.

    A name that comes again is told by what stands above it: `Jan Total`, `Feb Total`.
    """
    above = _across(sheet, number)
    below, after = [*islice(_rows(sheet), number + 1, number + 3), [], []][:2]
    if not above or not below or "" in [below[column] for column in above]:
        return None
    cells = [cell if cell != "" else own for cell, own in zip(below, row, strict=True)]
    if not all(isinstance(cell, str) for cell in cells) or any(map(is_data, cells)):
        return None
    if len(set(above.values())) == 1 and all(isinstance(cell, str) for cell in after):
        return None  # one name over two columns of texts, say: that is the header
    return [
        f"{row[above[column]]} {name}" if cells.count(name) > 1 and column in above else name
        for column, name in enumerate(cells)
    ]


def _across(sheet: Any, number: int) -> dict[int, int]:
    """The columns over which a cell of a row stands together with others -> where it begins."""
    top, left = sheet.start
    found: dict[int, int] = {}
    for (first, column), (last, end) in sheet.merged_cell_ranges or ():
        if first == last == top + number and end > column:
            found |= dict.fromkeys(range(column - left, end - left + 1), column - left)
    return found


def _filled(row: Sequence[Any]) -> int:
    return sum(cell != "" for cell in row)


def _body(sheet: Any, header: int) -> Iterator[list[list[Any]]]:
    """The rows below the header that hold something, some thousand at a time."""
    rows = _spanned(sheet, header)
    filled = (row for row in rows if _filled(row))
    while found := list(islice(filled, _BATCH_ROWS)):
        yield found


def _spanned(sheet: Any, header: int) -> Iterator[list[Any]]:
    top, left = sheet.start
    spans = [
        (first - top, last - top, column - left)
        for (first, column), (last, _) in sheet.merged_cell_ranges or ()
        if last > first > header + top
    ]
    held: dict[int, tuple[int, Any]] = {}  # column -> its last row, and the value that spans it
    starts: dict[int, list[tuple[int, int]]] = {}
    for first, last, column in spans:
        starts.setdefault(first, []).append((column, last))
    for number, row in enumerate(_rows(sheet)):
        if number <= header:
            continue
        for column, (last, value) in held.items():
            if number <= last:
                row[column] = value
        held |= {column: (last, row[column]) for column, last in starts.get(number, ())}
        yield row


def _batches(sheet: Any, header: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for rows in _body(sheet, header):
        columns = zip(*rows, strict=True)
        arrays = [_array(cells, kind) for cells, kind in zip(columns, schema.types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _kind(cell: Any) -> type:
    """What a cell holds; a whole number is an int, however the file writes it."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return int
    return type(cell)


def _type(kinds: set[type]) -> pa.DataType:
    """The type of a column: texts where its cells are of several kinds."""
    if kinds == {date}:
        return pa.date32()
    if kinds and kinds <= {date, datetime}:
        return pa.timestamp("us")
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def _array(cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        return pa.array([_text(cell) for cell in cells], kind)
    given = [None if cell == "" else cell for cell in cells]
    if pa.types.is_timestamp(kind):
        given = [_at_midnight(cell) for cell in given]
    if pa.types.is_int64(kind):
        given = [None if cell is None else int(cell) for cell in given]
    return pa.array(given, kind)


def _at_midnight(cell: Any) -> Any:
    is_day = isinstance(cell, date) and not isinstance(cell, datetime)
    return datetime.combine(cell, time()) if is_day else cell


def _text(cell: Any) -> str | None:
    if cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
