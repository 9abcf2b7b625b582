"""Whether a mapping fits a folder: every file and column it names is there, every time has a zone.

Everything here happens before anything is written; what does not fit is refused with the line.
"""

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingestion import shipped
from ingestion.columns import is_clock, is_naive
from ingestion.folder import entries_of, files_of
from ingestion.mapping import Mapping
from ingestion.nested import kind_at, value_at
from ingestion.record import Dataset, Source
from ingestion.sources import has_rows, survey_of
from ingestion.table import EVENT_FORMATS, SURVEYS, Link, Table
from ingestion.values import Time
from kg.errors import InputError
from kg.lake.disk import on_disk
from kg.lake.files import LINE, Shape, Staged, Written, first_rows, shape_of
from kg.lake.headers import FIRST_LINE, LOOKS_LIKE_DATA, is_data_line, shown
from kg.lake.lines import UnreadableFile
from kg.lake.partitions import values_in
from kg.lake.scratch import Scratch

_LINES = {*EVENT_FORMATS, "tickets"}
_PLAIN_TEXT = {"snowplow", "weblogs"}  # their lines need not be JSON
_STAGED_AS_LINES = {"json", "xml", "html"}
_LOOKED_AT = 20_000  # lines of JSON


@dataclass(frozen=True)
class BadFile:
    """A file that cannot be read as a whole."""

    source: Source
    dataset: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Fitted:
    """A mapping bound to the files of a folder."""

    mapping: Mapping
    folder: Path
    datasets: tuple[Dataset, ...]
    bad: tuple[BadFile, ...] = ()
    linked: tuple[str, ...] = ()  # read only for what other tables take from them
    unmapped: tuple[str, ...] = ()
    unusable: dict[str, str] = field(default_factory=dict)  # what cannot even be opened -> why
    ignored: dict[str, str] = field(default_factory=dict)  # file -> the mapping's reason


def find_files(folder: Path, mapping: Mapping) -> Fitted:
    """Which file belongs to which dataset.

    Raises:
        InputError: the mapping names files that are not there, or one file twice.
    """
    entries = entries_of(folder)
    names = sorted(name for name, problem in entries.items() if problem is None)
    taken: dict[str, str] = {}
    datasets: list[Dataset] = []
    ignored: dict[str, str] = {}
    for label, table in mapping.tables.items():
        mine = _matching(folder, names, label, table, mapping)
        for name in mine:
            if name in taken and _is_closed(name, table):
                continue  # several tables may lie in one workbook
            if name in taken:
                raise _refused(mapping, f"the file {name!r} belongs to the tables {taken[name]!r} "
                               f"and {label!r}", "tables", label, "files")  # fmt: skip
            taken[name] = label
        if table.kind == "ignore":
            ignored |= dict.fromkeys(mine, table.reason or "")
        else:
            datasets.append(Dataset(label, table, tuple(source(folder, n) for n in mine)))
    linked = {name for table in mapping.tables.values() for name in links_of(table)}
    rest = [name for name in names if name not in taken]
    return Fitted(
        mapping, folder, tuple(datasets), (),
        linked=tuple(name for name in rest if name in linked),
        unmapped=tuple(name for name in rest if name not in linked),
        unusable={name: problem for name, problem in entries.items() if problem is not None},
        ignored=ignored,
    )  # fmt: skip


def links_of(table: Table) -> list[str]:
    """The other files a table takes values from."""
    files = {name for link in table.links.values() for name in link.file}
    return sorted(files | ({table.questions.file} if table.questions else set()))


def source(folder: Path, name: str) -> Source:
    """What identifies one file: its digest, size and age."""
    path = folder / name
    with on_disk(path):
        stat = path.stat()
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        digest = ""  # its reading will say why
    return Source(path, name, stat.st_size, digest, stat.st_mtime_ns // 1_000_000)


def _matching(
    folder: Path, names: list[str], label: str, table: Table, mapping: Mapping
) -> list[str]:
    found: set[str] = set()
    for pattern in table.files:
        mine = _glob(folder, names, pattern) or _closed(names, pattern)
        if not mine and table.kind == "ignore":
            continue  # nothing to ignore
        if not mine:
            near = difflib.get_close_matches(pattern, names, n=1)
            holds = f"The folder holds: {', '.join(names[:10]) or 'nothing'}."
            raise _refused(mapping, f"no file fits {pattern!r}", "tables", label, "files",
                           hint=f"Did you mean {near[0]!r}?" if near else holds)  # fmt: skip
        found.update(mine)
    return sorted(found)


def _closed(names: list[str], pattern: str) -> list[str]:
    """The file that should have been a folder: a workbook or database that cannot be opened."""
    return [name for name in names if pattern.startswith(f"{name}/")]


def _is_closed(name: str, table: Table) -> bool:
    return any(pattern.startswith(f"{name}/") for pattern in table.files)


def _glob(folder: Path, names: list[str], pattern: str) -> list[str]:
    if pattern in names:
        return [pattern]
    if not any(mark in pattern for mark in "*?["):
        return []
    known = set(names)
    try:
        found = {path.relative_to(folder).as_posix() for path in folder.glob(pattern)}
    except (ValueError, NotImplementedError):  # no pattern, or one for another folder
        return []
    return sorted(found & known)


def stage(scratch: Scratch, fitted: Fitted, only: set[str] | None = None) -> Fitted:
    """Make every file readable (or those in `only`) and check the mapping against its columns.

    Raises:
        InputError: a column is in no file, or a time has no zone.
    """
    bad: list[BadFile] = []
    datasets = []
    for dataset in fitted.datasets:
        staged: dict[str, Staged] = {}
        for one in dataset.sources:
            if only is not None and one.name not in only:
                continue
            try:
                staged[one.name] = _staged(scratch, one, dataset.table)
            except UnreadableFile as error:
                bad.append(BadFile(one, dataset.name, error.reason, error.detail))
        links = {
            label: tuple(_linked(scratch, fitted, dataset, label, link))
            for label, link in (dataset.table.links.items() if staged else ())
        }
        if dataset.table.questions and staged:
            # A list, not something to look values up in: nothing must be equal.
            link = Link.model_construct(file=(dataset.table.questions.file,), on={})
            links["questions"] = tuple(_linked(scratch, fitted, dataset, "questions", link))
        datasets.append(Dataset(dataset.name, dataset.table, dataset.sources, staged, links))
    return _check(scratch, replace(fitted, datasets=tuple(datasets), bad=tuple(bad)), only)


def _staged(scratch: Scratch, one: Source, table: Table) -> Staged:
    shape: Shape = shape_of(one.path, table.encoding)
    if _is_closed(one.name, table):
        raise UnreadableFile("foreign", "there are no tables in it: it is one file")
    wanted: str | None = "ndjson" if table.format in _LINES or table.parts else None
    if table.format in EVENT_FORMATS and shape == "parquet":
        wanted = "parquet"
    elif shape == "csv" and has_rows(table.format or ""):
        wanted = "csv"
    elif table.format in _PLAIN_TEXT and shape != "json":
        shape = "ndjson"  # every line is one, whatever it holds
    wanted = "csv" if table.format in {"survey", *SURVEYS} and shape != "parquet" else wanted
    if table.format in {"csv", "parquet", "ndjson"}:
        wanted = table.format
    if table.header != FIRST_LINE:
        wanted = "csv"
    if wanted and wanted != ("ndjson" if shape in _STAGED_AS_LINES else shape):
        raise UnreadableFile("foreign", f"expected {wanted}, the file looks like {shape}")
    if table.format in SURVEYS and survey_of(first_rows(one.path, table.encoding)) != table.format:
        raise UnreadableFile("foreign", f"the header rows are not those of {table.format}")
    how = replace(written(table), number_twins=table.format in SURVEYS)  # questions may be alike
    return scratch.stage(one.path, shape, how, values=values_in(one.name))


def written(table: Table) -> Written:
    """How the mapping says that the files of a table are written, if they are text."""
    return Written(table.encoding, table.delimiter, table.header)


def _written_of(fitted: Fitted, known: list[str], name: str) -> Written:
    """How a file is written, as the table says that reads it."""
    tables = fitted.mapping.tables.values()
    return next((written(table) for table in tables for pattern in table.files
                 if name in _glob(fitted.folder, known, pattern)), Written())  # fmt: skip


def _linked(
    scratch: Scratch, fitted: Fitted, dataset: Dataset, label: str, link: Link
) -> Iterator[Staged]:
    place = ("tables", dataset.name, "links", label)
    if label == "questions":
        place = ("tables", dataset.name, "questions", "file")
    known = files_of(fitted.folder)
    names: dict[str, None] = {}
    for pattern in link.file:
        found = _glob(fitted.folder, known, pattern)
        if not found:
            holds = f"The folder holds: {', '.join(known[:10])}."
            raise _refused(fitted.mapping, f"there is no file {pattern!r}", *place, hint=holds)
        names |= dict.fromkeys(found)
    for name in _last_written_first(fitted.folder, names):
        try:
            path, how = fitted.folder / name, _written_of(fitted, known, name)
            staged = scratch.stage(path, shape_of(path, how.encoding), how, values=values_in(name))
        except UnreadableFile as error:
            message = f"the linked file {name!r} cannot be read: {error.detail}"
            hint = "Mend the file; other files take values from it."
            raise _refused(fitted.mapping, message, *place, hint=hint) from error
        for column in link.matches().values():
            if LINE not in staged.columns and not dataset.table.columns_for(column, staged.columns):
                raise _missing(fitted.mapping, name, column, list(staged.columns), place)
        yield staged


def _last_written_first(folder: Path, names: Iterable[str]) -> list[str]:
    """Of things that are exported every month the last state counts."""
    return sorted(names, key=lambda name: ((folder / name).stat().st_mtime_ns, name), reverse=True)


def _check(scratch: Scratch, fitted: Fitted, only: set[str] | None) -> Fitted:
    from ingestion.sources.received import used_columns

    datasets, bad = [], list(fitted.bad)
    for dataset in fitted.datasets:
        staged, odd = _of_one_shape(fitted.mapping, dataset)
        bad += odd
        needed = [] if dataset.table.format in _LINES else used_columns(dataset.table)
        # A new file beside others that were read as the mapping says is odd, not the mapping.
        first = only is None or all(one.name in only for one in dataset.sources)
        for one in dataset.sources:
            if one.name not in staged or LINE in staged[one.name].columns:
                continue
            lost = _lost(needed, staged[one.name], dataset)
            if lost and first and len(staged) == 1:
                raise _missing(fitted.mapping, one.name, lost, list(staged[one.name].columns),
                               ("tables", dataset.name))  # fmt: skip
            if lost:
                del staged[one.name]
                bad.append(BadFile(one, dataset.name, "missing_column", f"it has no {lost!r}"))
        if staged and needed and first and LINE in next(iter(staged.values())).columns:
            _check_fields(scratch, fitted.mapping, replace(dataset, staged=staged), needed)
        _check_zones(scratch, fitted.mapping, dataset, staged)
        datasets.append(
            Dataset(dataset.name, dataset.table, dataset.sources, staged, dataset.links)
        )
    return replace(fitted, datasets=tuple(datasets), bad=tuple(bad))


def _of_one_shape(mapping: Mapping, dataset: Dataset) -> tuple[dict[str, Staged], list[BadFile]]:
    """The files of a table in the format that most of them have, and those in another."""
    shapes = Counter(one.shape for one in dataset.staged.values()).most_common()
    if len(shapes) > 1 and shapes[0][1] == shapes[1][1]:
        message = f"the files of table {dataset.name!r} are of different formats"
        raise _refused(mapping, message, "tables", dataset.name, "files",
                       hint="Make one table for each format.")  # fmt: skip
    usual = shapes[0][0] if shapes else None
    staged = {name: one for name, one in dataset.staged.items() if one.shape == usual}
    odd = [one for one in dataset.sources if one.name in dataset.staged.keys() - staged.keys()]
    detail = f"the other files of its table are {usual}, it is "
    return staged, [
        BadFile(one, dataset.name, "foreign", detail + dataset.staged[one.name].shape)
        for one in odd
    ]


def _check_fields(scratch: Scratch, mapping: Mapping, dataset: Dataset, needed: list[str]) -> None:
    """JSON has no header: a field is missing when none of the first lines has it."""
    import ibis

    from ingestion.functions import json_keys, json_texts, json_valid
    from ingestion.sources.received import json_path, unwrapped

    table = dataset.table
    own = (name for name in needed if name.partition(".")[0] not in dataset.links)
    names = [name for name in own if not table.may_lack(name)]
    lines = scratch.rows(list(dataset.staged.values()))[[LINE]].limit(_LOOKED_AT)
    lines = scratch.view(unwrapped(lines, table.rows).limit(_LOOKED_AT))
    good = scratch.keep(lines.filter(json_valid(lines[LINE])))
    paths = {name: [json_path(one) for one in (name, *table.names.get(name, ()))] for name in names}
    found = good.select(**{f"f{n}": json_texts(good[LINE], ibis.literal(paths[name]))
                           for n, name in enumerate(names)})  # fmt: skip
    counts = found.agg(**{
        f"n{n}": found[f"f{n}"].filter(lambda one: one.notnull()).length().sum().fill_null(0)
        for n in range(len(names))
    } or {"n": found.count()})  # fmt: skip
    row = scratch.fetch(counts)[0]
    keyed = good.select(key=json_keys(good[LINE])).unnest("key").distinct()
    keys = sorted(found["key"] for found in scratch.fetch(keyed))
    if not keys:
        return  # not one line of JSON; its reading says so, line by line
    for number, name in enumerate(names):
        if row[f"n{number}"] == 0:
            one = next(iter(dataset.staged))
            raise _missing(mapping, one, name, keys, ("tables", dataset.name))


def _lost(needed: list[str], staged: Staged, dataset: Dataset) -> str | None:
    for name in needed:
        label, _, column = name.partition(".")
        if dataset.table.columns_for(name, staged.columns) or dataset.table.may_lack(name):
            continue
        aliases = (name, *dataset.table.names.get(name, ()))
        if any(kind_at(staged.columns, one) is not None for one in aliases):
            continue
        linked = dataset.links.get(label, ())
        if any(kind_at(one.columns, column) is not None for one in linked):
            continue
        return name
    return None


def _check_zones(
    scratch: Scratch, mapping: Mapping, dataset: Dataset, staged: dict[str, Staged]
) -> None:
    import pyarrow as pa

    table = dataset.table
    item = table.item
    times: dict[str, Time | None] = {
        "time": table.time,
        "starts": item.starts if item else None,
        "ends": item.ends if item else None,
        **{f"then {number}": further.time for number, further in enumerate(table.then)},
    }
    for key, time in times.items():
        if time is None or time.zone or mapping.time_zone:
            continue
        label, _, column = time.column.partition(".")
        files = dataset.links[label] if label in dataset.links else tuple(staged.values())
        column = column if label in dataset.links else time.column
        found = [(file, one, kind) for file in files
                 for one in table.columns_for(column, file.columns) or [column]
                 if (kind := kind_at(file.columns, one)) is not None]  # fmt: skip
        types = [kind for _, _, kind in found]
        naive_type = any(pa.types.is_date(t) or (pa.types.is_timestamp(t) and t.tz is None)
                         for t in types)  # fmt: skip
        clocks = tuple(one for one in time.formats if is_clock(one))
        if clocks == ("iso",):
            clocks = ()  # which times lack a zone their reading says
        texts = [(file, one) for file, one, kind in found if pa.types.is_string(kind)]
        if not naive_type and not (clocks and texts):
            continue
        shown_as = time.column if label in dataset.links else found[0][1]
        under = {"starts": "item", "ends": "item"}.get(key, key.split()[0])
        place = ("tables", dataset.name, under)
        if naive_type or any(_reads(scratch, file, one, clocks) for file, one in texts):
            raise _refused(
                mapping, f"the times in {shown_as!r} carry no zone", *place,
                hint="Say which: `zone: UTC` beside the column, or `time_zone:` for the mapping.",
            )  # fmt: skip
        if len(time.formats) == len(clocks) and "iso" not in clocks:
            raise _refused(
                mapping, f"not one of the times in {shown_as!r} is written as {clocks[0]}", *place,
                hint="Say how they are written: `formats: iso` reads 2026-01-31T10:00:00Z.",
            )  # fmt: skip


def _reads(scratch: Scratch, file: Staged, column: str, formats: tuple[str, ...]) -> bool:
    """Whether one of the first times is a clock's in one of these formats, or there are none."""
    import ibis

    rows = scratch.rows([file])
    inside = value_at(rows, {name: name for name in rows.columns}, column)
    times = rows.select(text=(rows[column] if inside is None else inside).strip().nullif(""))
    times = times.filter(times.text.notnull()).limit(_LOOKED_AT)
    read = ibis.or_(*[is_naive(times.text, one).fill_null(False) for one in formats])
    row = scratch.fetch(times.agg(given=times.count(), read=read.sum().fill_null(0)))[0]
    return bool(row["read"] or not row["given"])


def _missing(
    mapping: Mapping, file: str, column: str, known: list[str], place: tuple[str, ...]
) -> InputError:
    if place == ("tables", place[-1]) and _is_published(mapping.tables[place[-1]], column):
        return _not_of_format(mapping, file, column, known, place)
    names = shown(known)
    near = difflib.get_close_matches(column, names, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"Its columns: {', '.join(names[:30])}."
    if is_data_line(known):  # nor is any other word of that line repeated
        hint = f"Give it a line with the names of its columns: {LOOKS_LIKE_DATA}."
    return _refused(mapping, f"{file!r} has no column {column!r}", *place, word=column, hint=hint)


def _is_published(table: Table, column: str) -> bool:
    """Whether it is the vendor's format that needs a column, and no word of the mapping."""
    known = shipped.tables().get(table.format or "")
    return known is not None and column in known.table.get("required", ())


def _not_of_format(
    mapping: Mapping, file: str, column: str, known: list[str], place: tuple[str, ...]
) -> InputError:
    """The refusal of a file that lacks what every file of a vendor's format has."""
    table = mapping.tables[place[-1]]
    lost = [one for one in table.required or () if not table.columns_for(one, known)]
    first = lost[0] if lost else column
    like = next((one for one in table.names.get(first, ()) if "." not in one), first)
    seen = "no names of columns" if is_data_line(known) else ", ".join(shown(known)[:30])
    hint = (
        f"It has {seen}. Leave out `format:` and map its columns, or begin with "
        "`personagraph source propose PATH`."
    )
    message = f"{file!r} is not of the format {table.format}: it has no column like {like!r}"
    return _refused(mapping, message, *place, word=table.format, hint=hint)


def _refused(
    mapping: Mapping, message: str, *place: str, hint: str | None = None, word: str | None = None
) -> InputError:
    line = mapping.line(*place, word=word)
    if mapping.is_written:
        return InputError(f"{mapping.place(line)}{message}.", hint=hint, line=line)
    hint = f"There is no mapping yet: `personagraph source propose` begins one. {hint or ''}"
    return InputError(f"{message[0].upper()}{message[1:]}.", hint=hint.strip())
