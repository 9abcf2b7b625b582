"""Texts that are not UTF-8: in which encoding they are read, and how sure that is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import ibis

from kg.lake.files import PROBLEM, Staged, shape_of
from kg.lake.lines import UnreadableFile
from kg.lake.scratch import Scratch

WESTERN = "cp1252"
"""What a file is in that is no UTF-8, unless its letters then are not the right ones."""
_FOREIGN = r"[^\x00-\x7F]"


def staged_as_written(
    scratch: Scratch, path: Path, values: Mapping[str, str | None]
) -> tuple[Staged, str | None]:
    """A file, and the encoding that its table must declare (None: it is UTF-8, or as good as).

    Raises:
        UnreadableFile: it cannot be read as a whole.
    """
    try:
        found = scratch.stage(path, shape_of(path), values=values)
    except UnreadableFile as error:
        if error.reason != "encoding":  # of the names of its columns
            raise
        return _western(scratch, path, values), WESTERN
    bad = _garbled(scratch, found)
    if found.shape == "csv" and bad and is_ascii(scratch, found):
        other = _western(scratch, path, values)
        if _garbled(scratch, other) < bad:
            return other, WESTERN
    return found, None


def _western(scratch: Scratch, path: Path, values: Mapping[str, str | None]) -> Staged:
    return scratch.stage(path, shape_of(path, WESTERN), encoding=WESTERN, values=values)


def _garbled(scratch: Scratch, staged: Staged) -> int:
    """How many rows hold what is no text in the encoding they were read in."""
    if staged.shape == "parquet":
        return 0
    rows = scratch.rows([staged])
    garbled = (rows[PROBLEM] == "encoding").fill_null(False)
    return int(scratch.fetch(rows.agg(count=garbled.sum().fill_null(0)))[0]["count"])


def is_ascii(scratch: Scratch, staged: Staged) -> bool:
    """Whether the rows that can be read hold no letter that encodings write differently."""
    rows = scratch.rows([staged])
    rows = rows.filter(rows[PROBLEM].isnull())
    foreign = [rows[name].re_search(_FOREIGN).fill_null(False) for name in staged.columns]
    return not scratch.fetch(rows.agg(any=ibis.or_(*foreign).any().fill_null(False)))[0]["any"]


def by_encoding(
    scratch: Scratch, files: Sequence[tuple[str, Staged, str | None]]
) -> dict[str | None, list[tuple[str, Staged]]]:
    """Files (name, staged, encoding) of the same columns by their encoding; those that are the same
    in any are with the others."""
    found: dict[str | None, list[tuple[str, Staged]]] = {}
    several = len({encoding for _, _, encoding in files}) > 1
    for name, staged, encoding in files:
        any_will_do = several and encoding is None and is_ascii(scratch, staged)
        found.setdefault(WESTERN if any_will_do else encoding, []).append((name, staged))
    return found
