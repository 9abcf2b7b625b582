"""Text files as whole lines of valid UTF-8, whatever they hold, in bounded memory.

Nothing is dropped: bytes that are no text become `UNREADABLE`, a line that is too long becomes
`TOO_LONG` and its beginning. Both marks are Unicode noncharacters, which no text contains.
A byte order mark says what a file is, whatever was declared.
"""

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

LONGEST_LINE = 1 << 20  # bytes
KEPT_OF_LONG = 1 << 16
UNREADABLE = "\ufdd0"
TOO_LONG = "\ufdd1"
_NOTE = "\ufdd3".encode()  # a file that begins so holds no data, but why there are none
_CHUNK = 4 << 20
_DELIMITED = re.compile(rb"\Asep=.(\r\n?|\n)", re.IGNORECASE)
_QUOTES = b'"'
_ARCHIVE = b"PK\x03\x04"
_MARKED = (  # longest first: one begins with the other
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_Opened = io.BufferedReader | gzip.GzipFile
_Read = Callable[[int], bytes]


class UnreadableFile(Exception):  # noqa: N818 - reads as the fact it states
    """A whole file that cannot be read, with a short code and why; costs no other file anything."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def write_note(path: Path, error: UnreadableFile) -> None:
    """Leave a file whose reading raises this error."""
    path.write_bytes(_NOTE + f"{error.reason}\n{error.detail}".encode())


def _refuse_note(plain: io.BufferedReader) -> None:
    if plain.peek(len(_NOTE))[: len(_NOTE)] == _NOTE:
        reason, _, detail = plain.read()[len(_NOTE) :].decode().partition("\n")
        raise UnreadableFile(reason, detail)


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        return UNREADABLE, error.end
    raise error


codecs.register_error("personagraph.mark", _mark)


def whole_lines(path: Path, encoding: str = "utf-8") -> Iterator[bytes]:
    """Blocks of whole lines, each ending in a line feed, UTF-8, without byte order mark.

    Raises:
        UnreadableFile: empty, binary, cut off, or not there.
    """
    yield from _blocks(whole_text(path, encoding))


def whole_text(path: Path, encoding: str = "utf-8") -> Iterator[bytes]:
    """A text in pieces, unpacked, as UTF-8 without byte order mark, its lines as long as they are;
    a first line `sep=;`, which is a word to spreadsheet programs, is an empty one.

    Raises:
        UnreadableFile: empty, binary, cut off, or not there.
    """
    with opened(path) as file:
        try:
            read = _decoded(file, encoding)
            head = _DELIMITED.sub(b"\n", read(_CHUNK).removeprefix(codecs.BOM_UTF8))
            if not head.strip():
                raise UnreadableFile("empty", "the file holds nothing")
            if not _is_text(head[:4096]):
                raise UnreadableFile("foreign", "it is not text, or not in the encoding declared")
            if b"\r" in head and b"\n" not in head:  # as a Macintosh once wrote it
                head, read = head.replace(b"\r", b"\n"), _with_line_feeds(read)
            yield from _after(head, read)
        except (LookupError, UnicodeError) as error:
            raise UnreadableFile("encoding", f"{encoding!r} is no encoding of text") from error


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file to read bytes from, unpacked.

    Raises:
        UnreadableFile: it cannot be opened, or (while reading) it is cut off.
    """
    try:
        with path.open("rb") as plain:
            _refuse_note(plain)
            yield _unpacked(plain)
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise UnreadableFile("cut_off", "the compressed file ends early or is damaged") from error
    except OSError as error:
        raise UnreadableFile("unreadable", error.strerror or "cannot be opened") from error


def _unpacked(plain: io.BufferedReader) -> _Opened:
    magic = plain.read(4)
    plain.seek(0)
    if magic in {_ARCHIVE, b"PK\x05\x06"}:  # an archive, an empty archive
        return io.BufferedReader(LineStream(_members(plain)), _CHUNK)
    if magic[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=plain)
    return plain


def _members(plain: io.BufferedReader) -> Iterator[bytes]:
    """The files of a zip archive in the order of their names, each unpacked and ending a line."""
    with zipfile.ZipFile(plain) as archive:
        for name in _names(archive):
            with _opened(archive, name) as member:
                last = b"\n"
                file = _unpacked(io.BufferedReader(member))
                if file.peek(3).startswith(codecs.BOM_UTF8):
                    file.read(3)
                while block := file.read(_CHUNK):
                    yield block
                    last = block[-1:]
                if last != b"\n":
                    yield b"\n"


def _names(archive: zipfile.ZipFile) -> list[str]:
    names = sorted(one.filename for one in archive.infolist() if not one.is_dir())
    if "[Content_Types].xml" in names:
        raise UnreadableFile("foreign", "this is an office document, not an archive of texts")
    return [name for name in names if not _is_hidden(name)]


def refuse_several(path: Path) -> None:
    """Refuse an archive of several files, each of which has a header of its own.

    Raises:
        UnreadableFile: it is one, or cannot be opened.
    """
    with opened(path), path.open("rb") as plain:
        if plain.read(4) != _ARCHIVE:
            return
        with zipfile.ZipFile(plain) as archive:
            count = len(_names(archive))
        if count > 1:
            raise UnreadableFile(
                "unreadable", f"the archive holds {count:,} tables, each one file: unpack it"
            )


def _is_hidden(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _opened(archive: zipfile.ZipFile, name: str) -> Any:
    try:
        return archive.open(name)
    except RuntimeError as error:  # so zipfile says that it is locked or packed unusually
        raise UnreadableFile("unreadable", "the archive is locked or packed unusually") from error


def _decoded(file: _Opened, encoding: str) -> _Read:
    begin = file.peek(4)
    encoding = next((name for mark, name in _MARKED if begin.startswith(mark)), encoding)
    if codecs.lookup(encoding).name == "utf-8":
        return file.read
    decoder = codecs.getincrementaldecoder(encoding)("personagraph.mark")

    def read(size: int) -> bytes:
        text = ""
        while not text and (chunk := file.read(size)):
            text = decoder.decode(chunk)
        return (text or decoder.decode(b"", final=True)).encode(errors="personagraph.mark")

    return read


def _with_line_feeds(read: _Read) -> _Read:
    return lambda size: read(size).replace(b"\r", b"\n")


def _is_text(sample: bytes) -> bool:
    """A stray null character costs its row; many, or one among bytes that are no text, the file."""
    nulls = sample.count(0)
    if not nulls:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return nulls * 50 <= len(sample)


def _after(head: bytes, read: _Read) -> Iterator[bytes]:
    while head:
        yield head
        head = read(_CHUNK)


def _blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest, skipping = b"", False
    for chunk in chunks:
        if skipping and (end := chunk.find(b"\n")) < 0:
            continue
        block, skipping = rest + (chunk[end:] if skipping else chunk), False
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if end:
            yield _readable(_cut(block[:end]))
        if len(rest) > LONGEST_LINE:
            rest, skipping = _short(rest), True
    if rest:
        yield _readable(rest + b"\n")


def _cut(block: bytes) -> bytes:
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    if np.diff(ends, prepend=-1).max() <= LONGEST_LINE:
        return block
    lines = block.split(b"\n")
    return b"\n".join(_short(line) if len(line) > LONGEST_LINE else line for line in lines)


def _short(line: bytes) -> bytes:
    # Without its quotes, so that a cut line does not swallow the lines after it.
    return TOO_LONG.encode() + line[:KEPT_OF_LONG].replace(_QUOTES, b"'")


def _readable(block: bytes) -> bytes:
    if b"\x00" in block:
        block = block.replace(b"\x00", UNREADABLE.encode())
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode(errors="personagraph.mark").encode()
    return block


class LineStream(io.RawIOBase):
    """The blocks of `whole_lines` as one file, for readers that want to read one."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fill the buffer as far as the next block goes."""
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
