"""Small data folders for tests, and what ingestion makes of them in a real lake."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ingestion.ingest import ingest
from ingestion.mapping import Mapping as Declared
from ingestion.report import FileReport, Report
from kg.lake import Lake

WRITTEN_AT = 1_780_000_000  # 2026-05-28, UTC seconds: what files written here say of their age
HEAD = "name: small\nconsent: {default: granted, basis: a test}\n"
EVENTS = HEAD + (
    "tables:\n"
    "  events:\n"
    "    files: events*\n"
    "    kind: event\n"
    "    key: id\n"
    "    identifiers: {customer: who}\n"
    "    time: {column: at, zone: UTC}\n"
    "    verb: bought\n"
    "    item: item\n"
    "    quantity: quantity\n"
)
GOOD = "id,who,at,item,quantity"


def fill(folder: Path, files: Mapping[str, str | bytes], mapping: str | None = None) -> Path:
    """Write files (and a mapping) below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (WRITTEN_AT, WRITTEN_AT))
    if mapping is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "personagraph.yaml").write_text(mapping)
    return folder


def lines(objects: Iterable[Mapping[str, Any]]) -> str:
    """JSON lines."""
    return "".join(json.dumps(one) + "\n" for one in objects)


class Read:
    """A folder read into a workspace: its report, and the rows of the lake's tables."""

    def __init__(self, folder: Path, workspace: Path, mapping: Declared | None = None) -> None:
        with Lake.writer(workspace) as lake:
            self.report: Report = ingest(lake, folder, mapping)
            self.run_id = lake.step_id("ingest")
        self._workspace = workspace

    def rows(self, table: str, *columns: str) -> list[Any]:
        """Rows in a fixed order: as dictionaries, or as tuples (one column: values) of columns."""
        with Lake.open(self._workspace) as lake:
            found = lake.arrow(table).drop_columns(["run_id"]).to_pylist()
        if not columns:
            return sorted(found, key=str)
        if len(columns) == 1:
            return sorted((row[columns[0]] for row in found), key=str)
        return sorted((tuple(row[name] for name in columns) for row in found), key=str)

    def file(self, name: str) -> FileReport:
        """What became of a file."""
        return next(one for one in self.report.files if one.source == name)

    def reasons(self) -> dict[int, str]:
        """Position -> reason of the quarantined rows."""
        found = self.rows("records", "position", "reason", "status")
        return {place: reason for place, reason, status in found if status == "quarantined"}
