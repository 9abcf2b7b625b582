"""JSON documents: a list, a page with a list inside, or objects written over many lines.

The engine reads them as they stream, object by object; each becomes one line of JSON, as if the
file had held one object per line. A document is whole or it is not: one that ends early is not
read at all, because what is missing cannot be told from what was never there.
"""

from pathlib import Path

import duckdb

from kg.lake.lines import LONGEST_LINE, UnreadableFile, beginning

LARGEST_OBJECT = 256 << 20  # bytes; a page of an export is one object
_BLANK = b"\xef\xbb\xbf \t\r\n"


def is_document(path: Path) -> bool:
    """Whether a file of JSON is a document rather than one object per line.

    It is when it begins with a list, when its first object goes on in the next line, or when its
    first line is longer than a record may be: that is a page of records.
    """
    head = beginning(path, LONGEST_LINE + 1).lstrip(_BLANK)
    first, ended, _ = head.partition(b"\n")
    goes_on = first.strip() == b"{" or (not ended and len(head) > LONGEST_LINE)
    return head[:1] == b"[" or (head[:1] == b"{" and goes_on)


def stage_document(path: Path, into: Path, columns: tuple[str, str, str, str]) -> int:
    """Write a document's objects as Parquet; how many there are.

    Args:
        path: the document.
        into: the file to write.
        columns: what position, problem, raw and line are called.

    Raises:
        UnreadableFile: it is no JSON, ends early or holds nothing.
    """
    position, problem, raw, line = columns
    target = str(into).replace("'", "''")
    _objects(
        path,
        f"COPY (SELECT row_number() OVER () AS {position}, NULL::VARCHAR AS {problem}, "  # noqa: S608
        f"NULL::VARCHAR AS {raw}, line AS {line} FROM objects) "
        f"TO '{target}' (FORMAT parquet, COMPRESSION lz4)",
    )
    with duckdb.connect() as con:
        counted = con.execute("SELECT count(*) FROM read_parquet(?)", [str(into)]).fetchall()
    if not counted[0][0]:
        raise UnreadableFile("empty", "the document holds nothing")
    return int(counted[0][0])


def first_objects(path: Path, count: int) -> list[str]:
    """The first objects of a document, each as a line of JSON.

    Raises:
        UnreadableFile: it is no JSON.
    """
    return [row[0] for row in _objects(path, f"FROM objects LIMIT {count}")]


def _objects(path: Path, query: str) -> list[tuple[str]]:
    """Ask about `objects(line)`, one row for each object of a document."""
    is_list = beginning(path, 1 << 12).lstrip(_BLANK)[:1] == b"["
    source = str(path).replace("'", "''")
    with duckdb.connect() as con:
        try:
            con.execute(
                "CREATE VIEW objects AS SELECT json(json)::VARCHAR AS line "  # noqa: S608
                f"FROM read_json_objects('{source}', "
                f"format = '{'array' if is_list else 'unstructured'}', "
                f"maximum_object_size = {LARGEST_OBJECT})"
            )
            return con.execute(query).fetchall()
        except duckdb.Error as error:
            raise UnreadableFile("unreadable", "this is not a whole JSON document") from error
