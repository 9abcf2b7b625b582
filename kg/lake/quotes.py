"""Quotes in CSV text that are opened and not closed, found before they swallow the rows after them.

A field may go over several lines. Its opening quote is a stray one where the quote that would close
it has other text behind it, where none follows, or where what lies between is rows and the whole
has not the fields of one. A stray quote costs the line it stands in: that is marked, and reading
goes on with the next. What a parser reads as it should passes as it is, byte by byte.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.lake.lines import KEPT_OF_LONG, UnreadableFile

OPEN_QUOTE = "\ufdd4"  # begins a marked line; like the marks of `lines` in no text
LONGEST_RECORD = 4 << 20  # bytes; what a parser takes at once
_QUOTE = "\ufdd5"  # stands for a quote in a marked line
_LINE_FEED, _RETURN = 10, 13
_FEWEST_COLUMNS = 3  # one comma per line is prose
_Numbers = np.ndarray[Any, np.dtype[np.int64]]


def unmarked(text: str, columns: int) -> str:
    """A marked line as it stood in its file, if it is a long one its beginning."""
    return text[len(OPEN_QUOTE) : -columns].replace(_QUOTE, '"')[:KEPT_OF_LONG]


class Quotes:
    """Blocks of whole lines passing by, with the lines marked in which a quote is a stray one.

    A marked line has more fields than the header. Of a field that is well quoted and looks like
    rows nobody can tell: it is kept, and `warnings` names it. `passed`: lines of the file above the
    first block.
    """

    def __init__(
        self, blocks: Iterator[bytes], delimiter: str, columns: int, passed: int = 0
    ) -> None:
        self._blocks = blocks
        self._delimiter = delimiter
        self._columns = columns
        self._forms = _Forms(delimiter)
        self._passed = passed  # lines
        self._doubtful: list[int] = []  # lines
        self._header_passed = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on fields that hold what looks like rows."""
        if not self._doubtful:
            return ()
        more = len(self._doubtful) - 1
        return (
            f"a field in quotes that begins in line {self._doubtful[0]:,} holds what looks like "
            f"rows{f' (so do {more:,} others)' if more else ''}: see whether a quote is missing",
        )

    def __iter__(self) -> Iterator[bytes]:
        """The blocks.

        Raises:
            UnreadableFile: the stray quote stands in the header.
        """
        rest = b""
        for block in self._blocks:
            if not rest and self._is_plain(block):
                yield self._seen(block, block)
                continue
            good, rest = self._marked(rest + block, is_last=False)
            if good:
                yield good
        if rest:
            yield self._marked(rest, is_last=True)[0]

    def _seen(self, text: bytes, passed: bytes) -> bytes:
        self._passed += text.count(b"\n")
        self._header_passed = self._header_passed or bool(text.strip(b"\r\n"))
        return passed

    def _is_plain(self, block: bytes) -> bool:
        """Whether all quotes stand around fields of one line: most files, and quickly told."""
        if b'"' not in block:
            return True
        letters = np.frombuffer(block, np.uint8)
        quotes = np.flatnonzero(letters == ord('"'))
        if len(quotes) % 2:
            return False
        opening, closing = quotes[::2], quotes[1::2]
        ends = np.zeros(256, bool)
        ends[[ord(self._delimiter), _LINE_FEED, _RETURN]] = True
        doubled = closing[:-1] + 1 == opening[1:]
        begins = ends[letters[opening - 1]]  # before the first letter stands the last, a line feed
        begins[1:] |= doubled
        closes = ends[letters[closing + 1]]
        closes[:-1] |= doubled
        if not (begins.all() and closes.all()):
            return False
        feeds = np.flatnonzero(letters == _LINE_FEED)
        return bool((np.searchsorted(opening, feeds) == np.searchsorted(closing, feeds)).all())

    def _marked(self, text: bytes, *, is_last: bool) -> tuple[bytes, bytes]:
        """The text up to where a field is still open, and what is left of it."""
        lines = pc.split_pattern(pa.array([text[:-1]], pa.large_string()), "\n")[0].values
        starts = np.append(0, np.flatnonzero(np.frombuffer(text, np.uint8) == _LINE_FEED) + 1)
        opening, closing, is_good = self._forms.fields(lines)
        behind = np.minimum(closing + 1, len(lines))
        within = starts[behind] - starts[opening] <= LONGEST_RECORD
        is_open = within & (closing == len(lines)) & (not is_last)
        is_good &= within
        like_rows = is_good & self._like_rows(lines, opening, behind)
        one_row = self._are_one_row(text, starts[opening[like_rows]], starts[behind[like_rows]])
        is_good[like_rows] = one_row
        like_rows[like_rows] = one_row

        end, past, strays = len(lines), 0, []
        columns = (one.tolist() for one in (opening, behind, is_open, is_good, like_rows))
        for line, next_line, open_yet, good, doubtful in zip(*columns, strict=True):
            if line < past:
                continue  # it lies in the field before
            if open_yet:
                end = line
                break
            if not good:
                strays.append(line)
                continue
            past = next_line
            if doubtful:
                self._doubtful.append(self._passed + line + 1)
        if strays and not self._header_passed and not text[: starts[strays[0]]].strip(b"\r\n"):
            raise UnreadableFile("unreadable", "a quote is opened in its header and never closed")
        marked = self._with_marks(text, starts, end, strays)
        return self._seen(text[: starts[end]], marked), text[starts[end] :]

    def _like_rows(self, lines: pa.Array, opening: _Numbers, behind: _Numbers) -> Any:
        """Whether the lines of a field hold as many fields as rows would."""
        if self._columns < _FEWEST_COLUMNS or not len(opening):
            return np.zeros(len(opening), bool)
        found = np.asarray(pc.count_substring(lines, self._delimiter), np.int64)
        total = np.append(0, np.cumsum(found))
        return total[behind] - total[opening] == (self._columns - 1) * (behind - opening)

    def _are_one_row(self, text: bytes, begins: _Numbers, ends: _Numbers) -> Any:
        """Whether these records of several lines have the fields of one row."""
        found = [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
        bare = pc.replace_substring_regex(
            pa.array(found, pa.large_string()), self._forms.quoted_field, r"\1"
        )
        return np.asarray(pc.count_substring(bare, self._delimiter)) == self._columns - 1

    def _with_marks(self, text: bytes, starts: _Numbers, end: int, strays: list[int]) -> bytes:
        pieces, at = [], 0
        more = self._delimiter.encode() * self._columns + b"\n"
        for stray in strays:
            line = text[starts[stray] : starts[stray + 1]].rstrip(b"\r\n")
            line = line.replace(b'"', _QUOTE.encode()).replace(b"\r", b" ")
            pieces += [text[at : starts[stray]], OPEN_QUOTE.encode(), line, more]
            at = starts[stray + 1]
        return b"".join([*pieces, text[at : starts[end]]])


class _Forms:
    """What a line can be: one that begins outside of a field in quotes, and one that begins in it.

    After a closing quote a parser takes other text as part of the field, and so it is here where
    the field began in the same line.
    """

    def __init__(self, delimiter: str) -> None:
        letter = f"\\x{ord(delimiter):02x}"
        ends, bare = f"[{letter}\\r]", f'[^"{letter}\\r][^{letter}\\r]*'
        inside = '[^"]*(?:""[^"]*)*'
        field = f'(?:"{inside}"(?:{bare})?|{bare})?'
        closing = f'{inside}" *'
        self.whole = f"^{field}(?:{ends}{field})*$"
        self.closes = f"^{closing}(?:{ends}{field})*$"
        self.stays = f'^(?:{closing}{ends}(?:{field}{ends})*")?{inside}$'
        self.quoted_field = f'(^|{ends}|\\n)"{inside}"'

    def fields(self, lines: pa.Array) -> tuple[_Numbers, _Numbers, Any]:
        """Where a field of several lines may begin, the line that ends it (or how many lines there
        are), and whether it ends there well."""
        quoted = np.flatnonzero(pc.match_substring(lines, '"'))
        opening = _not(quoted, lines, self.whole)
        if not len(opening):
            return opening, opening, np.zeros(0, bool)
        ending = _not(quoted, lines, self.stays)
        well = np.zeros(len(lines) + 1, bool)
        well[ending] = np.asarray(pc.match_substring_regex(lines.take(ending), self.closes))
        after = np.searchsorted(ending, opening, side="right")
        closing = np.append(ending, len(lines))[after]
        return opening, closing, well[closing]


def _not(numbers: _Numbers, lines: pa.Array, form: str) -> _Numbers:
    """Those of the lines with these numbers that are not of a form."""
    is_of_form = np.asarray(pc.match_substring_regex(lines.take(numbers), form), bool)
    return np.compress(~is_of_form, numbers)
