"""Files as they come in: read once, in bounded memory, into columns with the position of every row.

Parquet is read where it lies; all else is staged as Parquet in a scratch folder: strings, as they
stand in the file, of JSON, feeds and pages as lines of JSON. A row that cannot be read keeps its
position, a reason and its text; a file that cannot be read at all raises `UnreadableFile` and costs
no other file anything.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from kg.lake.documents import first_objects, is_document, stage_document
from kg.lake.feeds import feed_items
from kg.lake.headers import FIRST_LINE, LOOKS_LIKE_DATA, is_data, is_data_line
from kg.lake.lines import (
    KEPT_OF_LONG,
    TOO_LONG,
    UNREADABLE,
    LineStream,
    UnreadableFile,
    refuse_several,
    whole_lines,
    whole_text,
)
from kg.lake.pages import page_objects
from kg.lake.quotes import LONGEST_RECORD, OPEN_QUOTE, Quotes, unmarked

# Noncharacters, so that no column of a file can be called so.
POSITION, PROBLEM, RAW, PATH = "\ufdd2position", "\ufdd2problem", "\ufdd2raw", "\ufdd2path"
LINE = "\ufdd2line"
ROW_NUMBER = "file_row_number"  # what the engine calls it in Parquet files
MOST_COLUMNS = 5_000  # four times as many took two minutes and 4 GB
UNNAMED = "column "  # what a column without a name is called, before its number
_OURS = pa.schema([(POSITION, pa.int64()), (PROBLEM, pa.string()), (RAW, pa.string())])
_DELIMITERS = ",;\t|"
_WRITTEN_AT_ONCE = 10_000  # objects of a feed
csv.field_size_limit(LONGEST_RECORD)
_MARKUP = re.compile(rb"\s*<(\?xml|!doctype|html|rss|feed|!--)", re.IGNORECASE)
_HTML = re.compile(rb"<(!doctype\s+html|html)", re.IGNORECASE)

Shape = Literal["csv", "parquet", "ndjson", "json", "xml", "html"]


@dataclass(frozen=True)
class Written:
    """How a table in text is written.

    Attributes:
        encoding: of its text.
        delimiter: what stands between fields; None: whatever its header has most of.
        header: the line (1-based) with the names of the columns, and the last line before the rows;
            what stands above the first, and after it up to the last, is no data. Names over several
            lines count as one; blank lines before them are passed over anyway.
        number_twins: a second column of one name is not refused but called `name (2)`.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    header: tuple[int, int] = FIRST_LINE
    number_twins: bool = False

    @property
    def lines_below(self) -> int:
        """How many lines between the names and the rows are neither."""
        return self.header[1] - self.header[0]


PLAIN = Written()


@dataclass(frozen=True)
class Staged:
    """One file, ready to be read as columns.

    Attributes:
        path: the Parquet file to read: staged, or the file itself.
        shape: what it came as.
        columns: name -> Arrow type; of JSON lines only the line is a column.
        rows: how many rows it holds, those that cannot be read included.
        warnings: sentences on what may be wrong in it though it can be read.
    """

    path: Path
    shape: Shape
    columns: dict[str, pa.DataType] = field(hash=False)
    rows: int
    warnings: tuple[str, ...] = ()


def shape_of(path: Path, encoding: str = "utf-8") -> Shape:
    """What a file is by its content: Parquet, JSON, XML, a web page or else CSV.

    Args:
        path: the file.
        encoding: of its text.

    Raises:
        UnreadableFile: it cannot be opened, is empty or is not text.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise UnreadableFile("unreadable", error.strerror or "cannot be opened") from error
    if magic == b"PAR1":
        return "parquet"
    head = next(whole_text(path, encoding), b"")  # its first line may be longer than a record
    if _MARKUP.match(head):
        return "html" if _HTML.search(head[:4096]) else "xml"
    if head.lstrip()[:1] not in {b"{", b"["}:
        return "csv"
    return "json" if is_document(path, encoding) else "ndjson"


def stage(path: Path, shape: Shape, into: Path, how: Written = PLAIN) -> Staged:
    """Make one file readable as columns; `into` is where a staged copy may be written.

    Raises:
        UnreadableFile: the file as a whole cannot be read.
    """
    if shape == "parquet":
        return _parquet(path)
    if shape == "ndjson":
        return _stage_lines(path, into, how.encoding)
    if shape == "json":
        rows = stage_document(path, how.encoding, into, (POSITION, PROBLEM, RAW, LINE))
        return Staged(into, "ndjson", {LINE: pa.string()}, rows)
    if shape in {"xml", "html"}:
        return _stage_objects(_marked_up(path, shape, how.encoding), into)
    return _stage_csv(path, into, how)


def columns_of(path: Path, how: Written = PLAIN) -> list[str]:
    """The columns of a CSV or Parquet file from its beginning alone; of all others none.

    Raises:
        UnreadableFile: it cannot be read.
    """
    shape = shape_of(path, how.encoding)
    if shape == "parquet":
        return list(_parquet(path).columns)
    return _header(path, how)[1] if shape == "csv" else []


def first_rows(path: Path, encoding: str = "utf-8", count: int = 50) -> list[dict[str, Any]]:
    """The first rows of a file as dictionaries, whatever its shape, to tell what it is.

    Raises:
        UnreadableFile: it cannot be read.
    """
    shape = shape_of(path, encoding)
    if shape == "parquet":
        return _first_of_parquet(path, count)
    if shape == "csv":
        how = Written(encoding, number_twins=True)
        delimiter, names = _header(path, how)
        text = _without_open(_beginning(path, how), delimiter, len(names))
        read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = (row for row in read if not "".join(row[:1]).startswith(OPEN_QUOTE))
        return [dict(zip(names, row, strict=False)) for row in islice(rows, 1, count + 1)]
    if shape == "json":
        lines = first_objects(path, encoding, count)
    elif shape in {"xml", "html"}:
        lines = list(islice(_marked_up(path, shape, encoding), count))
    else:
        lines = next(whole_lines(path, encoding), b"").decode().split("\n")[:count]
    return [row for line in lines for row in _objects(line)]


def _first_of_parquet(path: Path, count: int) -> list[dict[str, Any]]:
    try:
        with pa.parquet.ParquetFile(path) as file:
            _names(file)
            batch = next(file.iter_batches(batch_size=count), None)
            columns = [] if batch is None else [map(_value, column) for column in batch.columns]
            names = file.schema_arrow.names
            return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile("unreadable", "this is not a whole Parquet file") from error


def _value(scalar: Any) -> Any:
    """A value as Python has it; None for a time that it has not, before year 1 or after 9999."""
    try:
        return scalar.as_py()
    except OverflowError:
        return None


def _beginning(path: Path, how: Written) -> str:
    """The first whole lines of a table from its header on."""
    blocks = dropwhile(lambda block: not block.strip(b"\r\n"), _from_header(path, how))
    block = b"".join(islice(blocks, 2))  # a last line without its end is a block of its own
    return block.decode().lstrip("\r\n")


def _from_header(path: Path, how: Written) -> Iterator[bytes]:
    """The blocks of a table in text without the lines above its header."""
    above = how.header[0] - 1
    for block in whole_lines(path, how.encoding):
        ends = block.count(b"\n") if above else 0
        if above and ends <= above:
            above -= ends
            continue
        yield block.split(b"\n", above)[above] if above else block
        above = 0


def _blank_lines(path: Path, how: Written) -> int:
    """How many blank lines stand before the names of the columns."""
    count = 0
    for block in _from_header(path, how):
        rest = block.lstrip(b"\r\n")
        count += block[: len(block) - len(rest)].count(b"\n")
        if rest:
            break
    return count


def _without_open(text: str, delimiter: str, columns: int) -> str:
    """A text with the lines marked in which a quote is opened and not closed."""
    return b"".join(Quotes(iter([text.encode()]), delimiter, columns)).decode()


def _objects(line: str) -> Iterator[dict[str, Any]]:
    """The object of a line, or those of its list; of what is no JSON none: its reading says so."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return
    yield from (one for one in (found if isinstance(found, list) else [found])
                if isinstance(one, dict))  # fmt: skip


def _parquet(path: Path) -> Staged:
    try:
        with pa.parquet.ParquetFile(path) as file:
            columns = {name: file.schema_arrow.field(name).type for name in _names(file)}
            return Staged(path, "parquet", columns, file.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile("unreadable", "this is not a whole Parquet file") from error


def _names(file: Any) -> list[str]:
    names = list(file.schema_arrow.names)
    if ROW_NUMBER in names:
        raise UnreadableFile("foreign", f"a column is called {ROW_NUMBER}; give it another name")
    _check_names(names)
    return names


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise UnreadableFile("empty", "it has no columns")
    if len(names) > MOST_COLUMNS:
        message = f"it has {len(names):,} columns; at most {MOST_COLUMNS:,} are read"
        raise UnreadableFile("unreadable", message)
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            what = f"the column {name!r} is there twice" if name else "two columns have no name"
            told = LOOKS_LIKE_DATA if is_data(name) or is_data_line(names) else what
            raise UnreadableFile("duplicate_header", told)
        seen.add(name.lower())


def _stage_lines(path: Path, into: Path, encoding: str) -> Staged:
    schema = _OURS.append(pa.field(LINE, pa.string()))
    seen, rows = 0, 0
    with pa.parquet.ParquetWriter(
        into, schema, compression="lz4", use_dictionary=False, write_statistics=False
    ) as out:
        for block in whole_lines(path, encoding):
            lines = pc.split_pattern(pa.array([block[:-1]], pa.large_string()), "\n")[0].values
            lines = lines.cast(pa.string())
            position = pa.array(np.arange(seen + 1, seen + 1 + len(lines)))
            filled = pc.not_equal(pc.utf8_trim_whitespace(lines), "")
            table = pa.table({POSITION: position, LINE: lines}).filter(filled)
            out.write_table(_with_problems(table, LINE, schema))
            seen, rows = seen + len(lines), rows + len(table)
    return Staged(into, "ndjson", {LINE: pa.string()}, rows)


def _marked_up(path: Path, shape: Shape, encoding: str) -> Iterator[str]:
    return feed_items(path) if shape == "xml" else page_objects(path, encoding)


def _stage_objects(objects: Iterator[str], into: Path) -> Staged:
    """Objects that are found one by one, as JSON lines."""
    schema = _OURS.append(pa.field(LINE, pa.string()))
    rows = 0
    with pa.parquet.ParquetWriter(into, schema, compression="lz4") as out:
        while some := list(islice(objects, _WRITTEN_AT_ONCE)):
            position = pa.array(np.arange(rows + 1, rows + 1 + len(some)))
            table = pa.table({POSITION: position, LINE: pa.array(some, pa.string())})
            out.write_table(_with_problems(table, LINE, schema))
            rows += len(some)
    return Staged(into, "ndjson", {LINE: pa.string()}, rows)


def _with_problems(table: pa.Table, column: str, schema: pa.Schema) -> pa.Table:
    text = table.column(column)
    problem = pc.case_when(
        pc.make_struct(pc.starts_with(text, TOO_LONG), pc.match_substring(text, UNREADABLE)),
        "too_long",
        "encoding",
    )
    bad = pc.is_valid(problem)
    nothing = pa.scalar(None, pa.string())
    table = table.append_column(PROBLEM, problem)
    table = table.append_column(
        RAW, pc.if_else(bad, pc.utf8_slice_codeunits(text, 0, KEPT_OF_LONG), nothing)
    )
    index = table.schema.get_field_index(column)
    return table.set_column(index, column, pc.if_else(bad, nothing, text)).select(schema.names)


class _Rejects:
    """Rows that do not fit the header, with the row numbers the parser gives them."""

    def __init__(self, before: int) -> None:
        self.before = before  # lines beside the names that are no rows; the parser numbers them
        self.rows: list[tuple[int, str, str]] = []

    def __call__(self, row: Any) -> str:
        text, reason = row.text, "ragged"
        if text.startswith(OPEN_QUOTE):
            text, reason = unmarked(text, row.expected_columns), "open_quote"
        reason = "too_long" if text.startswith(TOO_LONG) else reason
        reason = "encoding" if UNREADABLE in text else reason
        self.rows.append((row.number - self.before - 1, reason, text[:KEPT_OF_LONG]))
        return "skip"

    def numbered(self, start: int, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The positions of the `count` good rows that follow position `start`."""
        bad = np.array([number for number, _, _ in self.rows], np.int64)
        bad = np.sort(bad[bad >= start])
        end = start + count
        while (grown := start + count + int((bad < end).sum())) != end:
            end = grown
        return np.setdiff1d(np.arange(start, end), bad, assume_unique=True)


def _stage_csv(path: Path, into: Path, how: Written) -> Staged:
    delimiter, names = _header(path, how)
    rejects = _Rejects(_blank_lines(path, how) + how.lines_below)
    quotes = Quotes(_from_header(path, how), delimiter, len(names), how.header[0] - 1)
    blocks = _Marks(iter(quotes))
    schema = pa.schema([*_OURS, *((name, pa.string()) for name in names)])
    rows, drained, start = 0, 0, 1
    with pa.parquet.ParquetWriter(into, schema, compression="lz4") as out:
        try:
            for batch in _csv_batches(blocks, delimiter, names, rejects):
                position = rejects.numbered(start, batch.num_rows)
                start = int(position[-1]) + 1 if len(position) else start
                out.write_table(_csv_rows(batch, position, schema, marked=blocks.seen))
                rows += batch.num_rows
                drained = _write_rejects(out, rejects, drained, schema)
            _write_rejects(out, rejects, drained, schema)
        except pa.ArrowInvalid as error:
            message = "the text does not hold rows and columns"
            raise UnreadableFile("unreadable", message) from error
    received = rows + len(rejects.rows)
    columns = dict.fromkeys(names, pa.string())
    return Staged(into, "csv", columns, received, quotes.warnings)


def _header(path: Path, how: Written) -> tuple[str, list[str]]:
    refuse_several(path)
    block = _beginning(path, how)
    if not block:
        raise UnreadableFile("empty", f"there is no line {how.header[0]:,} in it for its header")
    first = block.partition("\n")[0]
    if first.startswith(TOO_LONG):
        raise UnreadableFile("too_long", "its first line is longer than 1 MiB")
    delimiter = how.delimiter
    if delimiter is None:
        outside = "".join(first.split('"')[::2])
        delimiter = max(_DELIMITERS, key=outside.count)
    block = _without_open(block, delimiter, 0)
    try:
        header = next(csv.reader(io.StringIO(block, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFile("unreadable", "its first line does not hold columns") from error
    if any(UNREADABLE in name for name in header):
        raise UnreadableFile(
            "encoding", "the names of its columns are not in the encoding declared"
        )
    names = [name if name.strip() else f"{UNNAMED}{n}" for n, name in enumerate(header, 1)]
    if how.number_twins:
        names = list(_numbered(names))
    _check_names(names)
    return delimiter, names


def _numbered(names: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        count = seen[name.lower()] = seen.get(name.lower(), 0) + 1
        yield name if count == 1 else f"{name} ({count})"


class _Marks:
    """Blocks passing by, and whether any of them held a mark."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks = blocks
        self.seen = False

    def __iter__(self) -> Iterator[bytes]:
        marks = UNREADABLE.encode(), TOO_LONG.encode()
        for block in self.blocks:
            self.seen = self.seen or any(mark in block for mark in marks)
            yield block


def _csv_batches(
    blocks: _Marks, delimiter: str, names: list[str], rejects: _Rejects
) -> Iterator[pa.RecordBatch]:
    stream = io.BufferedReader(LineStream(iter(blocks)), 1 << 20)
    yield from pa.csv.open_csv(
        stream,
        # The names are ours, so that columns without one have one; the file's own are a row, and
        # so is each blank line before them and what stands between them and the rows.
        read_options=pa.csv.ReadOptions(
            use_threads=False,
            block_size=LONGEST_RECORD,
            column_names=names,
            skip_rows_after_names=rejects.before + 1,
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=rejects
        ),
        convert_options=pa.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )


def _csv_rows(batch: pa.RecordBatch, position: Any, schema: pa.Schema, *, marked: bool) -> pa.Table:
    table = pa.Table.from_batches([batch]).append_column(POSITION, pa.array(position))
    problem = pa.nulls(len(table), pa.string())
    for name in batch.schema.names if marked else ():  # a mark can stand in any column
        text = table.column(name)
        for mark, reason in ((UNREADABLE, "encoding"), (TOO_LONG, "too_long")):
            found = pc.fill_null(pc.match_substring(text, mark), False)
            problem = pc.if_else(found, reason, problem)
    table = table.append_column(PROBLEM, problem)
    return table.append_column(RAW, pa.nulls(len(table), pa.string())).select(schema.names)


def _write_rejects(out: Any, rejects: _Rejects, drained: int, schema: pa.Schema) -> int:
    fresh = rejects.rows[drained:]
    if fresh:
        columns = dict(
            zip((POSITION, PROBLEM, RAW), map(list, zip(*fresh, strict=True)), strict=True)
        )
        table = pa.table(columns)
        for name in schema.names[len(_OURS) :]:
            table = table.append_column(name, pa.nulls(len(table), pa.string()))
        out.write_table(table.select(schema.names).cast(schema))
    return len(rejects.rows)
