"""Whether a file is whole that nothing else reads to its end."""

import re
from pathlib import Path

from kg.lake.documents import NOT_WHOLE, refuse_broken_document
from kg.lake.feeds import refuse_broken_feed
from kg.lake.files import columns_of, first_rows, shape_of
from kg.lake.lines import UnreadableFile, whole_text

_JSON = re.compile(rb"\s*(\{\s*[\"}]|\[\s*[{\[])")  # and not `[2026-01-05 10:00] started`
_LINES = 50  # of JSON lines are looked at


def refuse_broken(path: Path) -> None:
    """Refuse JSON that begins as such and is none, a feed and a Parquet file that are not whole.

    Of JSON lines the first are looked at: one that is broken costs only itself.

    Raises:
        UnreadableFile: it is not whole.
    """
    shape = shape_of(path)
    if shape == "parquet":
        columns_of(path)
    elif shape == "json":
        refuse_broken_document(path)
    elif shape == "xml":
        refuse_broken_feed(path)
    elif shape == "ndjson":
        _refuse_broken_lines(path)


def _refuse_broken_lines(path: Path) -> None:
    head = next(whole_text(path), b"")
    if _JSON.match(head) and not first_rows(path, count=_LINES):
        several = b"\n" in head.strip()
        told = "not one of its first lines is whole JSON" if several else NOT_WHOLE
        raise UnreadableFile("unreadable", told)
