"""Text files as whole lines of valid UTF-8, whatever they hold, in bounded memory.

Nothing is dropped: bytes that are no text become `UNREADABLE`, a line that is too long becomes
`TOO_LONG` and its beginning. Both marks are Unicode noncharacters, which no text contains.
"""

import codecs
import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

LONGEST_LINE = 1 << 20  # bytes
KEPT_OF_LONG = 1 << 16
UNREADABLE = "\ufdd0"
TOO_LONG = "\ufdd1"
_CHUNK = 4 << 20
_QUOTES = b'"'


class UnreadableFile(Exception):  # noqa: N818 - reads as the fact it states
    """A whole file that cannot be read, with a short code and why; costs no other file anything."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return UNREADABLE, error.end
    raise error


codecs.register_error("personagraph.mark", _mark)


def whole_lines(path: Path, encoding: str = "utf-8") -> Iterator[bytes]:
    """Blocks of whole lines, each ending in a line feed, UTF-8, without byte order mark.

    Raises:
        UnreadableFile: empty, binary, cut off, or not there.
    """
    try:
        with path.open("rb") as plain:
            file = _unpacked(plain)
            read = _decoded(file, encoding)
            head = read(_CHUNK)
            if not head.strip():
                raise UnreadableFile("empty", "the file holds nothing")
            if b"\x00" in head[:4096]:
                raise UnreadableFile("foreign", "the file is not text")
            yield from _blocks(_after(head.removeprefix(codecs.BOM_UTF8), read))
    except (EOFError, gzip.BadGzipFile) as error:
        raise UnreadableFile("cut_off", "the compressed file ends early or is damaged") from error
    except OSError as error:
        raise UnreadableFile("unreadable", error.strerror or "cannot be opened") from error
    except LookupError as error:
        raise UnreadableFile("encoding", f"there is no encoding {encoding!r}") from error


def beginning(path: Path, size: int) -> bytes:
    """The first bytes of a file, unpacked; fewer where it is shorter.

    Raises:
        UnreadableFile: it is cut off, or not there.
    """
    try:
        with path.open("rb") as plain:
            return _unpacked(plain).read(size)
    except (EOFError, gzip.BadGzipFile) as error:
        raise UnreadableFile("cut_off", "the compressed file ends early or is damaged") from error
    except OSError as error:
        raise UnreadableFile("unreadable", error.strerror or "cannot be opened") from error


def _unpacked(plain: BinaryIO) -> BinaryIO:
    packed = plain.read(2) == b"\x1f\x8b"
    plain.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if packed else plain


def _decoded(file: BinaryIO, encoding: str) -> Callable[[int], bytes]:
    if codecs.lookup(encoding).name == "utf-8":
        return file.read
    reader = codecs.getreader(encoding)(file, "personagraph.mark")
    return lambda size: reader.read(size).encode()


def _after(head: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
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
