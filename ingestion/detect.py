"""Which mapping reads a folder: the one beside the data, a shipped example that fits, or none is
needed because the files speak for themselves."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion import shipped
from ingestion.fit import files_of, find_files
from ingestion.mapping import NAME, Mapping, load
from ingestion.sources import survey_of
from kg.errors import InputError
from kg.lake.files import columns_of, first_rows, shape_of
from kg.lake.lines import UnreadableFile, whole_lines

_LOOKED_AT = 50  # lines of a file
_MESSAGE_TYPES = {"identify", "track", "page", "screen", "group", "alias"}
_UNDECLARED = "none declared: the files were read without a mapping"

FORMATS = {
    "segment": "product events of the Segment spec, JSON lines (.jsonl, .gz), recognised by itself",
    "tickets": "support tickets, Zendesk-like JSON lines, recognised by itself",
    "survey": "survey responses, one row each, with a list of the questions; needs a mapping",
    "qualtrics": "survey responses of Qualtrics, CSV or TSV with three header rows",
    "surveymonkey": "survey responses of SurveyMonkey, CSV with two header rows",
    "typeform": "survey responses of Typeform, CSV",
    "csv": "any table as CSV (delimiter and .gz recognised); needs a mapping",
    "parquet": "any table as Parquet; needs a mapping",
    "ndjson": "any objects as JSON lines; needs a mapping",
}


@dataclass(frozen=True)
class KnownFormat:
    """Something that can be read: a format, or a shipped example for a public data set."""

    name: str
    kind: str  # format, table (a format whose columns a vendor has published) or example
    about: str


def known_formats() -> list[KnownFormat]:
    """What `personagraph source list` shows."""
    formats = [KnownFormat(name, "format", about) for name, about in FORMATS.items()]
    formats += [KnownFormat(name, "table", one.about) for name, one in shipped.tables().items()]
    examples = [KnownFormat(name, "example", one.about) for name, one in examples_by_name().items()]
    return [*formats, *examples]


@cache
def examples_by_name() -> dict[str, Mapping]:
    """The shipped mappings, from the wheel or from the repository."""
    inside = Path(str(package_files("ingestion"))) / "examples"
    folder = inside if inside.is_dir() else Path(__file__).parent.parent / "examples"
    return {path.parent.name: load(path) for path in sorted(folder.glob(f"*/{NAME}"))}


def find_mapping(folder: Path) -> Mapping:
    """The mapping of a folder.

    Raises:
        NotFound: there is no such folder.
        InputError: nothing fits; the hint names the nearest example and what it lacks.
    """
    names = files_of(folder)
    if (folder / NAME).is_file():
        return load(folder / NAME)
    if not names:
        raise InputError(
            f"The data folder {folder.name!r} is empty.",
            hint="Name the folder with the files.",
        )
    example = example_of(folder, names)
    if example is not None:
        return example
    found = _self_explaining(folder, names)
    if found is not None:
        return found
    raise InputError(
        f"Nothing says how to read {folder.name!r}: there is no {NAME} in it.",
        hint=_nearest(folder, names),
    )


def example_of(folder: Path, names: list[str]) -> Mapping | None:
    """The shipped example whose files and columns a folder has."""
    fitting = (one for one in examples_by_name().values() if not list(_lacking(folder, names, one)))
    return next(fitting, None)


def _lacking(folder: Path, names: list[str], mapping: Mapping) -> Iterator[str]:
    """The files and columns an example needs and the folder does not have."""
    from ingestion.sources.tables import used_columns

    wanted = {label: table for label, table in mapping.tables.items() if table.kind != "ignore"}
    for table in wanted.values():
        for name in table.files:
            if name not in names:
                yield f"file {name}"
    if any(name not in names for table in wanted.values() for name in table.files):
        return
    for dataset in find_files(folder, mapping).datasets:
        for source in dataset.sources:
            try:
                known = columns_of(source.path, encoding=dataset.table.encoding)
            except UnreadableFile:
                yield f"file {source.name} (unreadable)"
                continue
            links = dataset.table.links
            for column in used_columns(dataset.table):
                if column not in known and column.partition(".")[0] not in links:
                    yield f"column {column} in {source.name}"


def _nearest(folder: Path, names: list[str]) -> str:
    """A hint: the example of which most files are there, and what it lacks."""
    present = {
        name: sum(file in names for file in wanted) / len(wanted)
        for name, one in examples_by_name().items()
        if (wanted := [f for t in one.tables.values() if t.kind != "ignore" for f in t.files])
    }
    best = max(present, key=lambda name: (present[name], name), default="")
    if not best or not present[best]:
        return (
            f"Write a {NAME} beside the data: `personagraph source propose` begins one, "
            "docs/mapping.md shows how to go on."
        )
    lacking = list(_lacking(folder, names, examples_by_name()[best]))
    return f"The nearest example, {best}, lacks: {', '.join(lacking[:4])}."


def _self_explaining(folder: Path, names: list[str]) -> Mapping | None:
    found: dict[str, list[str]] = {}
    for name in names:
        kind = recognise(folder / name)
        if kind is not None:
            found.setdefault(kind, []).append(name)
    if not found:
        return None
    return Mapping.model_validate(
        {
            "name": folder.resolve().name,
            "about": "Read without a mapping, by what the files hold.",
            "consent": {"default": "granted", "basis": _UNDECLARED},
            "tables": {kind: {"files": mine, "format": kind} for kind, mine in found.items()},
        }
    )


def recognise(path: Path) -> str | None:
    """The format of a file by its first rows, where they are such; None: it needs a mapping."""
    try:
        shape = shape_of(path)
        objects = list(_objects(path)) if shape == "ndjson" else first_rows(path)
    except UnreadableFile:
        return None
    if not objects:
        return None
    for kind, fits in (("segment", _is_message), ("tickets", _is_ticket)):
        if shape not in {"ndjson", "json"}:
            break
        if sum(map(fits, objects)) > len(objects) / 2:
            return kind
    return survey_of(objects) or shipped.recognise(objects)


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    for line in islice(next(whole_lines(path), b"").splitlines(), _LOOKED_AT):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def _is_message(found: dict[str, Any]) -> bool:
    if isinstance(found.get("batch"), list):
        return True
    return found.get("type") in _MESSAGE_TYPES and bool(
        {"messageId", "anonymousId", "userId"} & set(found)
    )


def _is_ticket(found: dict[str, Any]) -> bool:
    names = set(found)
    return (
        bool({"requester_id", "requester"} & names)
        and "created_at" in names
        and bool({"subject", "description"} & names)
    )
