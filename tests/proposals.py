"""Small tables, and what is proposed for them."""

import re
from pathlib import Path

from folders import fill

from ingestion.propose import Proposal, propose


def of(tmp_path: Path, **files: str) -> Proposal:
    """The proposal for files of these names."""
    return propose(fill(tmp_path / "data", {f"{name}.csv": text for name, text in files.items()}))


def named(found: Proposal, table: str) -> dict[str, tuple[str, ...]]:
    """The identifiers of a table: namespace -> columns."""
    return {space: one.column for space, one in found.mapping.tables[table].identifiers.items()}


def doubted(found: Proposal, word: str) -> bool:
    """Whether somebody is asked about it."""
    return any(word in doubt for doubt in found.doubts)


def table(head: str, row: str, rows: int = 150) -> str:
    """A file whose rows have their number in them: `{}`, and what it leaves over by 50: `{50}`."""

    def numbered(n: int) -> str:
        return re.sub(r"\{(\d*)\}", lambda by: str(n % int(by[1]) if by[1] else n), row)

    return head + "\n" + "".join(numbered(n) + "\n" for n in range(rows))
