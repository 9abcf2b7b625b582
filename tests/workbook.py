"""Workbooks for tests."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter


def write_workbook(
    path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], *, from_1904: bool = False
) -> None:
    """Write sheets of rows: texts, numbers, truth values and times as cells of their kind; a text
    that begins with `=` is a formula that ended in #DIV/0!."""
    book = xlsxwriter.Workbook(path, {"date_1904": from_1904})
    clock = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, datetime.datetime):
                    sheet.write_datetime(row, column, cell, clock)
                elif isinstance(cell, datetime.date):
                    sheet.write_datetime(row, column, cell, day)
                elif isinstance(cell, str) and cell.startswith("="):
                    sheet.write_formula(row, column, cell, None, "#DIV/0!")
                else:
                    sheet.write(row, column, cell)
    book.close()
