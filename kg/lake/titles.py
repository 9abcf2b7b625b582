"""Where the header of a table in text stands that has titles above it, or more lines below.

Reports begin with what they are (`Sales`, `Created: 2026-01-01`), and some exports have a line of
units or of long names between the names and the rows. That is told by the lines themselves and only
where it is plain; all else begins with its header.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from kg.lake.headers import FIRST_LINE, is_data
from kg.lake.lines import whole_lines

_DELIMITERS = ",;\t|"
_NO_VALUE = {"", "-", "?", "n/a", "na", "nan", "none", "null", "unknown", "\\n", "#n/a"}
_LOOKED_AT = 200  # lines
_FEWEST_ROWS = 3  # below the header
_MOST_BELOW = 2  # lines between the header and the rows
_MOSTLY = 0.9

_Record = tuple[int, list[str]]  # the line it begins in, its fields


def header_lines(path: Path, encoding: str = "utf-8") -> tuple[int, int]:
    """The line with the names of the columns, and the last line before the rows (1-based).

    Raises:
        UnreadableFile: it cannot be read.
    """
    block = next(whole_lines(path, encoding), b"").decode()
    text = "".join(f"{line}\n" for line in block.split("\n")[:_LOOKED_AT])
    found = [table for delimiter in _DELIMITERS if (table := _table(text, delimiter))]
    if not found:
        return FIRST_LINE
    records = max(found, key=lambda table: (len(table), len(table[0][1])))
    first, names = records[0]
    below = list(islice(_below(records), _MOST_BELOW))
    if first > 1 and not _are_names(names):
        return FIRST_LINE
    breaks = sum(name.count("\n") for name in names)  # names over several lines count as one
    return (first, below[-1] - breaks) if below else (first, first)


def _table(text: str, delimiter: str) -> list[_Record]:
    """The records of a text from what may be its header on, where it is a table of such fields and
    nothing but titles stands above it."""
    try:
        records = list(_records(text, delimiter))
    except csv.Error:
        return []
    widths = Counter(len(fields) for _, fields in records)
    width = max(widths, key=lambda one: (widths[one], one), default=0)
    if width < 2 or 2 * widths[width] <= len(records):
        return []
    for place, (_, fields) in enumerate(records):
        if 2 * _filled(fields) > width:
            rows = [one for one in records[place:] if len(one[1]) == width]
            return rows if len(fields) == width and len(rows) > _FEWEST_ROWS else []
    return []


def _records(text: str, delimiter: str) -> Iterator[_Record]:
    read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begins = 1
    for fields in read:
        if any(fields):
            yield begins, fields
        begins = read.line_num + 1


def _filled(fields: Sequence[str]) -> int:
    return sum(bool(field.strip()) for field in fields)


def _are_names(fields: Sequence[str]) -> bool:
    """Whether fields are the names of columns: all different, and nobody's data."""
    given = [field.casefold() for field in fields if field.strip()]
    return len(set(given)) == len(given) and not any(map(is_data, given))


def _below(records: Sequence[_Record]) -> Iterator[int]:
    """The lines right below the names that hold no row: no date and no number stand where all rows
    below have some, but words that no row has."""
    for place in range(1, len(records) - _FEWEST_ROWS):
        line, fields = records[place]
        columns = list(zip(*(row for _, row in records[place + 1 :]), strict=True))
        of_data = [n for n, values in enumerate(columns) if _is_of_data(values)]
        said = [n for n in of_data if fields[n].strip().casefold() not in _NO_VALUE]
        is_new = all(fields[n] not in columns[n] for n in said)
        if len(of_data) < 2 or not said or not is_new or any(map(is_data, filter(None, fields))):
            return
        yield line


def _is_of_data(values: Sequence[str]) -> bool:
    given = [value for value in values if value.strip()]
    return len(given) >= _FEWEST_ROWS and sum(map(is_data, given)) >= _MOSTLY * len(given)
