"""JSON documents: a list, a page with a list inside, or objects written over many lines.

The engine reads them as they stream, object by object; each becomes one line of JSON, as if the
file had held one object per line. A document is whole or it is not: one that ends early is not
read at all, because what is missing cannot be told from what was never there.
"""

import re
import tempfile
from pathlib import Path

import duckdb

from kg.lake.engine import listed, on_engine
from kg.lake.lines import LONGEST_LINE, UnreadableFile, whole_text

LARGEST_OBJECT = 256 << 20  # bytes; a page of an export is one object
NOT_WHOLE = "this is not a whole JSON document"
_LIST = re.compile(rb"\s*\[\s*[{\]]")


def is_document(path: Path, encoding: str = "utf-8") -> bool:
    """Whether a file of JSON is a document rather than one object or list per line.

    It is when it is one list of objects, when its first object goes on in the next line, or when
    its first line is longer than a record may be: that is a page of records.

    Raises:
        UnreadableFile: it cannot be read.
    """
    head = next(whole_text(path, encoding), b"")[: LONGEST_LINE + 1].lstrip()
    first, ended, rest = head.partition(b"\n")
    if head[:1] == b"[":
        # A list that is whole on its line, with more below it, is a batch of messages.
        batch = first.rstrip().endswith(b"]") and rest.lstrip()[:1] in (b"[", b"{")
        return _LIST.match(head) is not None and not batch
    is_open = first.rstrip()[-1:] in (b"{", b"[") and bool(rest.strip())
    goes_on = first.strip() == b"{" or is_open or (not ended and len(head) > LONGEST_LINE)
    return head[:1] == b"{" and goes_on


def refuse_broken_document(path: Path) -> None:
    """Read a document to its end.

    Raises:
        UnreadableFile: it is no JSON, or ends early.
    """
    _objects(path, "utf-8", "SELECT max(length(line)) FROM objects")


def stage_document(path: Path, encoding: str, into: Path, columns: tuple[str, ...]) -> int:
    """Write a document's objects as Parquet; how many there are.

    Args:
        path: the document.
        encoding: of its text.
        into: the file to write.
        columns: what position, problem, raw and line are called.

    Raises:
        UnreadableFile: it is no JSON, ends early or holds nothing.
    """
    position, problem, raw, line = (f'"{name}"' for name in columns)
    target = str(into).replace("'", "''")
    _objects(
        path,
        encoding,
        f"COPY (SELECT row_number() OVER () AS {position}, NULL::VARCHAR AS {problem}, "  # noqa: S608
        f"NULL::VARCHAR AS {raw}, line AS {line} FROM objects) "
        f"TO '{target}' (FORMAT parquet, COMPRESSION lz4)",
        beside=into.parent,
    )
    with duckdb.connect() as con:
        counted = con.execute("SELECT count(*) FROM read_parquet(?)", [str(into)]).fetchall()
    if not counted[0][0]:
        raise UnreadableFile("empty", "the document holds nothing")
    return int(counted[0][0])


def first_objects(path: Path, encoding: str, count: int) -> list[str]:
    """The first objects of a document, each as a line of JSON.

    Raises:
        UnreadableFile: it is no JSON.
    """
    return [row[0] for row in _objects(path, encoding, f"FROM objects LIMIT {count}")]


def _objects(path: Path, encoding: str, query: str, beside: Path | None = None) -> list[tuple[str]]:
    """Ask about `objects(line)`, one row for each object of a document.

    The engine reads a copy as plain text: `beside` is where it may lie while it is needed.
    """
    with (
        tempfile.NamedTemporaryFile(suffix=".json", dir=beside) as copy,
        on_engine(Path(copy.name)),
        duckdb.connect() as con,
    ):
        form, last = "", b""
        for piece in whole_text(path, encoding):
            form = form or ("array" if piece.lstrip()[:1] == b"[" else "unstructured")
            last = piece.rstrip()[-1:] or last
            copy.write(piece)
        copy.flush()
        # The engine itself forgives a list that ends after a comma.
        if last != (b"]" if form == "array" else b"}"):
            raise UnreadableFile("unreadable", NOT_WHOLE)
        try:
            con.execute(
                "CREATE VIEW objects AS SELECT json(json)::VARCHAR AS line "  # noqa: S608
                f"FROM read_json_objects({listed([copy.name])}, "
                f"format = '{form}', maximum_object_size = {LARGEST_OBJECT})"
            )
            return con.execute(query).fetchall()
        except (duckdb.IOException, duckdb.OutOfMemoryException):
            raise
        except duckdb.Error as error:
            raise UnreadableFile("unreadable", NOT_WHOLE) from error
