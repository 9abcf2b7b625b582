"""A folder that nobody has described, looked at as a whole: a mapping to correct and keep."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion import shipped
from ingestion.detect import example_of, recognise, written
from ingestion.folder import files_of
from ingestion.mapping import NAME, Mapping, parse
from ingestion.propose import tables
from ingestion.propose.drafts import Draft, Why
from ingestion.propose.encodings import UTF_8, by_encoding, encoding_of
from ingestion.propose.meanings import meaning, pieces, snake
from ingestion.propose.profiles import Profile, profile
from ingestion.propose.references import with_references
from ingestion.propose.relations import group_ids
from ingestion.propose.seen import Seen, decide
from ingestion.propose.writing import as_yaml
from ingestion.table import EVENT_FORMATS
from ingestion.values import EPOCHS
from ingestion.wholeness import HOLDS_NONE, NO_ROWS, without_data
from kg.errors import InputError
from kg.lake.files import LINE, PROBLEM, Staged, Written, columns_of, first_rows, shape_of
from kg.lake.headers import FIRST_LINE
from kg.lake.lines import UnreadableFile
from kg.lake.partitions import partitioned, values_in
from kg.lake.scratch import Scratch
from kg.lake.titles import header_lines
from kg.progress import Progress, silent

UNDECLARED = "not declared yet: say here why you may use these data"
_NO_ZONE = {"surveymonkey"}  # formats with times on a clock that their files do not name


@dataclass(frozen=True)
class Proposal:
    """A proposed mapping.

    Attributes:
        text: as it would stand in `personagraph.yaml`.
        mapping: the same, read.
        doubts: what a person should look at, a sentence each.
    """

    text: str
    mapping: Mapping
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class _Files:
    """Files of one table: of a known format, or of the same columns; `generic`: of a format that
    is known, but looked at all the same; `encoding`: where it is not UTF-8; `header`: the line
    with the names of their columns, and the last before the rows."""

    names: tuple[str, ...]
    format: str | None = None
    generic: str | None = None
    staged: tuple[Staged, ...] = ()
    columns: tuple[str, ...] = ()
    encoding: str | None = None
    header: tuple[int, int] = FIRST_LINE


def propose(folder: Path, *, progress: Progress = silent) -> Proposal:
    """Look at every file of a folder and propose how to read it; writes nothing.

    Args:
        folder: the data folder, or one file of it.
        progress: where it is told how far the looking is.

    Raises:
        NotFound: there is no such folder.
        InputError: it holds no file that can be read.
    """
    only = None if folder.is_dir() or not folder.is_file() else folder.name
    folder = folder.parent if only else folder
    names = [only] if only else files_of(folder)
    with Scratch.open() as scratch:
        notes: list[str] = []
        found = _sorted_out(scratch, folder, names, notes)
        known = [one for one in found if one.format]
        unknown = [one for one in found if not one.format]
        if not found:
            raise InputError(
                f"No file of {folder.name!r} can be read as records.",
                hint="; ".join(notes[:3]) or "Name the folder with the files.",
            )
        seen = _look(scratch, unknown, progress)
        known += list(_otherwise(unknown, seen))
        taken = {name for one in known for name in one.names}
        seen = [one for one in seen if one.profile.files[0] not in taken]
        drafts = [tables.draft(scratch, one, seen) for one in seen if one.kind != "questions"]
    tables.settle(drafts)
    drafts = [*_known(known, names), *sorted(drafts, key=_order)]
    head = _head(folder, drafts, seen, known)
    text = as_yaml(head, drafts, notes)
    doubts = [f"{key}: {why.reason}" for key, why in head.items() if why.check]
    doubts += [doubt for one in drafts for doubt in one.doubts()]
    return Proposal(text, parse(text, NAME), tuple(doubts))


def is_needed(folder: Path) -> bool:
    """Whether files of a folder are tables that nothing says how to read: no mapping beside them,
    no shipped example, and not all recognised; or on a clock, or in an encoding, that only a
    mapping can name.

    Raises:
        NotFound: there is no such folder.
    """
    names = files_of(folder)
    if (folder / NAME).is_file() or not names or example_of(folder, names) is not None:
        return False
    found = {name: _recognised(folder / name) for name in names}
    if any(form and (_lacks_zone(form) or _declared(form, how)) for form, how in found.values()):
        return True
    return any(_is_table(folder / name) for name in names if found[name][0] is None)


def _recognised(path: Path) -> tuple[str | None, str | None]:
    """The format of a file, and its encoding where that is not UTF-8."""
    encoding = encoding_of(path)
    return recognise(path, encoding or UTF_8), encoding


def _declared(form: str, encoding: str | None) -> str | None:
    """The encoding that the table of a format declares; messages are UTF-8, whatever is in them."""
    return None if form in EVENT_FORMATS else encoding


def _is_table(path: Path) -> bool:
    if (why := without_data(path)) is not None and why.detail in HOLDS_NONE:
        return False
    try:
        shape = shape_of(path)
        if shape in {"ndjson", "json"}:
            return bool(first_rows(path))
        header = header_lines(path) if shape == "csv" else FIRST_LINE
        columns = columns_of(path, Written(header=header))
    except UnreadableFile as error:
        return error.reason == "encoding"  # its columns have names, which are not UTF-8
    return len(columns) > 1 and path.suffix not in {".md", ".txt", ".html"}


# Of files of one table: the generic format, the shape, the lines of the header, the columns.
_Alike = tuple[str | None, str, tuple[int, int], tuple[str, ...]]
_KINDS = ("profile", "event", "survey", "item", "campaign", "consent", "ignore")


def _order(draft: Draft) -> tuple[int, str]:
    kind = draft.keys.get("kind", draft.keys.get("format", Why("event"))).value
    return _KINDS.index(kind), draft.label


def _sorted_out(
    scratch: Scratch, folder: Path, names: Sequence[str], notes: list[str]
) -> list[_Files]:
    """Files that belong together; what cannot be read is noted."""
    known: dict[tuple[str, str], list[tuple[str, None, str | None]]] = {}
    alike: dict[_Alike, list[tuple[str, Staged, str | None]]] = {}
    for name in names:
        try:
            form, encoding = _recognised(folder / name)
            generic = form if form is not None and _is_generic(form) else None
            if form is not None and generic is None:
                how = written(folder / name, form)
                one = name, None, _declared(form, encoding)
                known.setdefault((form, how), []).append(one)
                continue
            code = encoding or UTF_8
            shape = shape_of(folder / name, code)
            header = header_lines(folder / name, code) if shape == "csv" else FIRST_LINE
            text = Written(code, header=header)
            staged = scratch.stage(folder / name, shape, text, values=values_in(name))
            columns = _columns(folder / name, staged)
        except UnreadableFile as error:
            told = (without_data(folder / name) or error).detail
            notes.append(f"{name} is not read: {told}")
            continue
        why = without_data(folder / name) if LINE in staged.columns else None
        if why is not None:
            notes.append(f"{name} is not read: {why.detail}")
        elif len(columns) > 1 and not staged.rows:
            notes.append(f"{name} is not read: {NO_ROWS}")
        elif len(columns) < 2 or _is_prose(scratch, staged):
            notes.append(f"{name} is not read: it is no table")
        elif all(column.isdecimal() for column in columns):
            notes.append(f"{name} is not read: its header is a row of numbers, so its columns have "
                         "no names")  # fmt: skip
        else:
            alike.setdefault((generic, staged.shape, header, columns), []).append(
                (name, staged, encoding)
            )
    groups = [
        _Files(tuple(name for name, _ in mine), form, encoding=encoding)
        for (form, _), named in known.items()
        for encoding, mine in by_encoding(folder, named).items()
    ]
    for (generic, _, header, columns), members in alike.items():
        for encoding, mine in by_encoding(folder, members).items():
            files, staged_all = zip(*mine, strict=True)
            groups.append(_Files(files, None, generic, staged_all, columns, encoding, header))
    return groups


def _otherwise(unknown: Sequence[_Files], seen: Sequence[Seen]) -> Iterator[_Files]:
    """Files of generic formats in which nothing of that kind was seen: they are taken for what
    their columns say, so that no denial is left out."""
    for files, one in zip(unknown, seen, strict=True):
        if files.generic and one.kind != shipped.tables()[files.generic].table["kind"]:
            yield _Files(files.names, files.generic, encoding=files.encoding)


def _is_generic(form: str) -> bool:
    """Whether its ids may be those of other files, which are looked at here and not there."""
    return form in shipped.tables() and shipped.tables()[form].generic


def _is_prose(scratch: Scratch, staged: Staged) -> bool:
    """Whether hardly a line has as many fields as the first: text with commas, no table."""
    if staged.shape != "csv":
        return False
    rows = scratch.rows([staged])
    return bool(
        (scratch.fetch(rows.agg(bad=rows[PROBLEM].count()))[0]["bad"] or 0) > 0.5 * staged.rows
    )


def _columns(path: Path, staged: Staged) -> tuple[str, ...]:
    if LINE not in staged.columns:
        return tuple(staged.columns)
    fields: dict[str, None] = {}
    for row in first_rows(path):
        for name, value in row.items():
            inside = value if isinstance(value, dict) else None
            fields |= dict.fromkeys(f"{name}.{key}" for key in inside or ())
            if inside is None:
                fields[name] = None
    return tuple(fields)


def _look(scratch: Scratch, found: Sequence[_Files], progress: Progress) -> list[Seen]:
    profiles: list[Profile] = []
    with progress.task("Looking at columns", len(found)) as task:
        for one in found:
            looked_at = profile(scratch, one.names, one.staged, one.columns)
            profiles.append(replace(looked_at, encoding=one.encoding, header=one.header))
            task.advance()
    labels = _labels([one.names for one in found])
    meanings = [{name: meaning(column) for name, column in one.columns.items()}
                for one in profiles]  # fmt: skip
    meanings = with_references(scratch, profiles, meanings, labels)
    groups = group_ids(scratch, profiles, meanings, labels)
    seen = []
    for n, table in enumerate(profiles):
        mine = {i.column.name: group for group in groups for i in group.ids if i.table == n}
        ordered = {name: mine[name] for name in table.columns if name in mine}
        seen.append(Seen(n, labels[n], table, meanings[n], ordered))
    for looked in seen:
        decide(looked, seen)
    return seen


def _labels(files: Sequence[Sequence[str]]) -> list[str]:
    """A name for each table, from its files or, of partitions, from the folder they lie in."""
    found: list[str] = []
    for names in files:
        folder, _ = partitioned(names[0]) or ("", "")
        stem = Path(folder or names[0]).name.split(".")[0]
        words = [piece for piece in pieces(stem) if not piece.isdecimal()]
        label = base = "_".join(words) or "table"
        number = 2
        while label in found:
            label, number = f"{base}_{number}", number + 1
        found.append(label)
    return found


def _known(found: Sequence[_Files], names: Sequence[str]) -> Iterator[Draft]:
    labels: list[str] = []
    for one in found:
        label = snake(str(one.format))
        labels.append(label)
        draft = Draft(label if labels.count(label) == 1 else f"{label}_{labels.count(label)}")
        draft.put("files", tables.pattern(one.names, names))
        draft.put("format", one.format, "recognised by its content")
        if one.encoding:
            draft.put("encoding", one.encoding, tables.NOT_UTF_8, check=True)
        yield draft


def _head(
    folder: Path, drafts: Sequence[Draft], seen: Sequence[Seen], known: Sequence[_Files]
) -> dict[str, Why]:
    head = {
        "name": Why(snake(folder.resolve().name)),
        "about": Why("Proposed from the files; say here in a sentence what they are."),
        "consent": Why({"default": "granted", "basis": UNDECLARED},
                       "the files do not say why you may use them, nor what holds for people who "
                       "said nothing; a denial in the data always wins", check=True),
    }  # fmt: skip
    naive = sorted({
        f"{column.name} ({one.label})"
        for one in seen
        for column in one.profile.columns.values()
        if column.name in one.used and one.meanings[column.name].what == "time" and column.naive
        and not {*EPOCHS} & set(column.formats)
    })  # fmt: skip
    naive += sorted({f"times of {one.format}" for one in known if _lacks_zone(str(one.format))})
    level = tables.sampled_level(drafts)
    if level is not None:
        why = (
            "of a sample of lines hardly two of a basket are of one finest category, so the next "
            "broader one is taken"
        )
        head["topic_level"] = Why(level, why, check=True)
    if naive:
        told = ", ".join(naive[:4]) + (f" and {len(naive) - 4} more" if len(naive) > 4 else "")
        head["time_zone"] = Why("UTC", f"no zone is said in {told}: whose clock is it?", check=True)
    return head


def _lacks_zone(form: str) -> bool:
    table = shipped.tables().get(form)
    if table is None:
        return form in _NO_ZONE
    time = table.table.get("time", {})
    formats = time.get("formats", ()) if isinstance(time, dict) else ()
    return isinstance(time, dict) and "zone" not in time and any("%" in one for one in formats)
