"""Texts that are not UTF-8: in which encoding they are read, and how sure that is."""

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from kg.lake.files import shape_of
from kg.lake.lines import UnreadableFile, whole_text

_With = TypeVar("_With")
UTF_8, WESTERN = "utf-8", "cp1252"
"""What a file is in, and what if it is no UTF-8, unless its letters then are not the right ones."""
_MOSTLY = 0.9  # of the foreign letters are no UTF-8: some always were stored in the other encoding
_FOREIGN = re.compile(r"[^\x00-\x7F]")
_NO_UTF_8 = re.compile("[\udc80-\udcff]")  # as Python stands for a byte that is none


def encoding_of(path: Path) -> str | None:
    """The encoding that a table in text must declare: it has letters that are no UTF-8, and hardly
    any that are. None: it is UTF-8, or as good as, or no such table."""
    foreign, bad = _letters(path)
    return WESTERN if bad > 0 and bad >= _MOSTLY * foreign else None


def _letters(path: Path) -> tuple[int, int]:
    """How many letters of a table in text encodings write differently; how many are no UTF-8."""
    foreign = bad = 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    try:
        for block in whole_text(path) if shape_of(path) == "csv" else ():
            text = decoder.decode(block)
            if not text.isascii():
                foreign += len(_FOREIGN.findall(text))
                bad += len(_NO_UTF_8.findall(text))
    except UnreadableFile:
        return 0, 0  # its reading will say why
    return foreign, bad


def by_encoding(
    folder: Path, files: Sequence[tuple[str, _With, str | None]]
) -> dict[str | None, list[tuple[str, _With]]]:
    """Files (name, what comes with it, encoding) of one table by their encoding; those that are the
    same in any are with the others."""
    found: dict[str | None, list[tuple[str, _With]]] = {}
    several = len({encoding for _, _, encoding in files}) > 1
    for name, one, encoding in files:
        any_will_do = several and encoding is None and _letters(folder / name) == (0, 0)
        found.setdefault(WESTERN if any_will_do else encoding, []).append((name, one))
    return found
