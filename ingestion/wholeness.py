"""Files that hold nothing to read, and why: nobody could say how, whatever a mapping says.

A file is cut off, damaged, closed or empty, or it is whole and holds no records. That is told of
each, also of files that no mapping names: what is missing there is missed by nobody otherwise.
"""

from itertools import islice
from pathlib import Path

from ingestion import shipped
from kg.lake.files import columns_of, first_rows, shape_of
from kg.lake.lines import UnreadableFile, whole_text
from kg.lake.whole import refuse_broken

_PACKED = {".gz", ".zip"}
_PROSE = {".md", ".txt", ".html"}
_WITHOUT_DATA = {"empty", "cut_off", "unreadable"}
_LOOKED_AT = 50  # objects of a file
NO_ROWS = "it holds a header and no rows"
NO_RECORDS = "it is a list or a page without any records"
HOLDS_NONE = {NO_ROWS, NO_RECORDS}
"""What is said of files that are whole and hold no records: they are empty, not broken."""


def without_data(path: Path) -> UnreadableFile | None:
    """Why nobody could say how a file is read: it is cut off, damaged, closed, or nothing is in it.

    Of a plain text only the beginning is looked at, of a JSON document and a feed everything.
    """
    try:
        if path.suffix in _PACKED:
            for _ in whole_text(path):
                pass
        if shape_of(path) == "csv":
            if path.suffix in _PROSE or len(columns_of(path)) < 2:
                return None
            return None if first_rows(path, count=1) else UnreadableFile("empty", NO_ROWS)
        if _is_empty_list(path):
            return UnreadableFile("empty", NO_RECORDS)
        refuse_broken(path)
    except UnreadableFile as error:
        is_other = error.reason == "cut_off" and path.suffix not in _PACKED  # say, a document
        return error if error.reason in _WITHOUT_DATA and not is_other else None
    return None


def _is_empty_list(path: Path) -> bool:
    """Whether a file is an empty list of JSON, or the page of a vendor's list with nothing in it
    (`{"tickets": [], "count": 0}`)."""
    if shape_of(path) not in {"json", "ndjson"}:
        return False
    if b"".join(b"".join(islice(whole_text(path), 1)).split()) == b"[]":
        return True
    rows, lists = first_rows(path, count=_LOOKED_AT), shipped.pages()
    return bool(rows) and all(
        "id" not in row
        and any(row.get(name) == [] for name in lists)
        and not any(isinstance(value, list) and value for value in row.values())
        for row in rows
    )
