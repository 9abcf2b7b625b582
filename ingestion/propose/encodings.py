"""Texts that are not UTF-8: in which encoding they are read, and how sure that is."""

import codecs
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from kg.lake.files import Staged, shape_of
from kg.lake.lines import UnreadableFile, whole_text
from kg.lake.scratch import Scratch

_With = TypeVar("_With")
WESTERN = "cp1252"
"""What a file is in that is no UTF-8, unless its letters then are not the right ones."""
_MOSTLY = 0.9  # of the foreign letters are no UTF-8: some always were stored in the other encoding
_FOREIGN = re.compile(r"[^\x00-\x7F]")
_NO_UTF_8 = re.compile("[\udc80-\udcff]")  # as Python stands for a byte that is none


def is_western(path: Path) -> bool:
    """Whether a table in text has letters that are no UTF-8, and hardly any that are."""
    foreign, bad = _letters(path)
    return bad > 0 and bad >= _MOSTLY * foreign


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


def staged_as_written(
    scratch: Scratch, path: Path, values: Mapping[str, str | None]
) -> tuple[Staged, str | None]:
    """A file, and the encoding that its table must declare (None: it is UTF-8, or as good as).

    Raises:
        UnreadableFile: it cannot be read as a whole.
    """
    if is_western(path):
        shape = shape_of(path, WESTERN)
        return scratch.stage(path, shape, encoding=WESTERN, values=values), WESTERN
    return scratch.stage(path, shape_of(path), values=values), None


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
