"""Which mapping reads a folder: the one beside the data, a shipped example that fits, or none is
needed because the files speak for themselves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion import shipped
from ingestion.fit import find_files
from ingestion.folder import files_of
from ingestion.mapping import NAME, Mapping, load
from ingestion.sources import has_rows, survey_of
from ingestion.wholeness import without_data
from kg.errors import InputError
from kg.lake.files import Written, columns_of, first_rows, shape_of
from kg.lake.lines import UnreadableFile, whole_lines

_LOOKED_AT = 50  # lines of a file
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
    "snowplow": "Snowplow events: enriched TSV, flattened JSON, tracker payloads; recognised",
    "amplitude": "Amplitude export (.zip, .json.gz), merged ids, HTTP API bodies; recognised",
    "posthog": "PostHog batch exports (JSON lines, Parquet, CSV), capture bodies; recognised",
    "ga4": "Google Analytics 4 BigQuery export (JSON lines, Parquet); recognised",
    "mixpanel": "Mixpanel raw export, and track and engage bodies; recognised",
    "cloudevents": "CloudEvents 1.0, structured or batched JSON; recognised",
    "otel": "OpenTelemetry logs and spans as OTLP JSON lines, folded into sessions; recognised",
    "weblogs": "web server access logs, common, combined or JSON lines; recognised",
}


PLACES = {
    "workbook": "sheets of .xlsx, .xlsm, .xlsb, .xls and .ods files, each a table: book.xlsx/Sheet",
    "sqlite": "tables and views of an SQLite file, each a table: shop.db/orders",
    "delta": "a Delta table folder, one table as of its newest version",
    "partitions": "folders like year=2026/ of Parquet or CSV files: year becomes a column",
    "postgresql": "tables and views of postgresql://USER@HOST/DATABASE, each a table",
    "s3, gs, az": "files of s3://, gs:// or az:// addresses; each needs its extra",
    "https": "one file of a web server",
}


@dataclass(frozen=True)
class KnownFormat:
    """Something that can be read: a place, a format, or a shipped example for a public data set."""

    name: str
    kind: str  # place, format, table (a format whose columns a vendor has published) or example
    about: str


def known_formats() -> list[KnownFormat]:
    """What `personagraph source list` shows."""
    formats = [KnownFormat(name, "place", about) for name, about in PLACES.items()]
    formats += [KnownFormat(name, "format", about) for name, about in FORMATS.items()]
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
            f"The data folder {folder.resolve().name!r} is empty: there is no file in it.",
            hint="Name the folder with the files.",
        )
    example = example_of(folder, names)
    if example is not None:
        return example
    found = _self_explaining(folder, names)
    if found is not None:
        return found
    why = {name: problem for name in names if (problem := without_data(folder / name))}
    told = "; ".join(f"{name}: {one.detail}" for name, one in list(why.items())[:3])
    if len(why) == len(names):
        raise InputError(
            f"No file of {folder.resolve().name!r} holds data that can be read; {told}.",
            hint="Export anew, and whole, what should hold data.",
        )
    raise InputError(
        f"Nothing says how to read {folder.resolve().name!r}: there is no {NAME} in it.",
        hint=_nearest(folder, names) + (f" Without data: {told}." if told else "") + nearly(folder),
    )


def nearly(folder: Path) -> str:
    """What speaks against the formats of which files have all columns, each in a sentence with a
    blank before it."""
    told = []
    for name in files_of(folder):
        try:
            flat = shape_of(folder / name) in {"csv", "parquet"}
            why = shipped.nearest(first_rows(folder / name), flat=flat)
        except UnreadableFile:
            continue
        if why is not None and recognise(folder / name) is None:
            told.append(f" {name} is not recognised: {why}.")
    return "".join(told[:2])


def example_of(folder: Path, names: list[str]) -> Mapping | None:
    """The shipped example whose files and columns a folder has."""
    fitting = (one for one in examples_by_name().values() if not list(_lacking(folder, names, one)))
    return next(fitting, None)


def _lacking(folder: Path, names: list[str], mapping: Mapping) -> Iterator[str]:
    """The files and columns an example needs and the folder does not have."""
    from ingestion.sources.received import used_columns

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
                known = columns_of(source.path, Written(dataset.table.encoding))
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
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        kind = recognise(folder / name)
        if kind is not None:
            found.setdefault((kind, written(folder / name, kind)), []).append(name)
    if not found:
        return None
    # The files of one table are of one shape.
    plain = {kind: min(how for one, how in found if one == kind) for kind, _ in found}
    labels = {(kind, how): kind if how == plain[kind] else f"{kind}_{how}" for kind, how in found}
    return Mapping.model_validate(
        {
            "name": folder.resolve().name,
            "about": "Read without a mapping, by what the files hold.",
            "consent": {"default": "granted", "basis": _UNDECLARED},
            "tables": {
                labels[key]: {"files": mine, "format": key[0]} for key, mine in found.items()
            },
        }
    )


def written(path: Path, kind: str) -> str:
    """How a file of a known format is written, so that it can be read together with its like: in
    columns (`parquet`, `csv`), or in lines, which comes first and has no name."""
    shape = shape_of(path)
    if shape == "parquet" or (shape == "csv" and (kind in shipped.tables() or has_rows(kind))):
        return shape
    return ""


def recognise(path: Path, encoding: str = "utf-8") -> str | None:
    """The format of a file by its first rows, of Parquet by its columns too, where most of them are
    such; None: it needs a mapping."""
    try:
        shape = shape_of(path, encoding)
        if shape == "parquet":
            named = [dict.fromkeys(columns_of(path))]
            return _most("fits", named) or _of_rows(first_rows(path), flat=True)
        rows = first_rows(path, encoding) if shape != "csv" else []
        if rows:
            return _most("fits", rows) or _of_objects(rows)
        if kind := _most("fits_text", list(_lines(path))):
            return kind
        rows = first_rows(path, encoding)
        return _most("fits_row", rows) or _of_rows(rows, flat=True)
    except UnreadableFile:
        return None


def _most(test: str, rows: list[Any]) -> str | None:
    """The format of product events whose test most of the rows pass."""
    for kind, fits in _event_formats(test):
        if sum(map(fits, rows)) > len(rows) / 2:
            return kind
    return None


def _of_objects(rows: list[dict[str, Any]]) -> str | None:
    return _of_rows(rows) or ("tickets" if sum(map(_is_ticket, rows)) > len(rows) / 2 else None)


def _of_rows(rows: list[dict[str, Any]], *, flat: bool = False) -> str | None:
    """The survey tool or the published table whose rows these are; `flat`: rows of columns."""
    return (survey_of(rows) or shipped.recognise(rows, flat=flat)) if rows else None


def _event_formats(test: str) -> list[tuple[str, Callable[[Any], bool]]]:
    """The formats of product events that have a test of this name, and the test."""
    from ingestion.sources import event_modules

    modules = event_modules().items()
    return [(name, getattr(one, test)) for name, one in modules if hasattr(one, test)]


def _lines(path: Path) -> Iterator[str]:
    for line in islice(next(whole_lines(path), b"").split(b"\n"), _LOOKED_AT):
        if line.strip():
            yield line.decode()


def _is_ticket(found: dict[str, Any]) -> bool:
    names = set(found)
    return (
        bool({"requester_id", "requester"} & names)
        and "created_at" in names
        and bool({"subject", "description"} & names)
    )
