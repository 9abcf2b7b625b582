"""Where data may lie, made a plain folder of files: a folder in which some files are workbooks or
databases and some folders Delta tables, one such file, a PostgreSQL server, files at an address.

A table that lies in something becomes a Parquet file named inside it (`crm.xlsx/Contacts`,
`shop.db/orders`; a table of a server is just `orders`), so that mappings and record keys name it
like any other file, and its content alone says whether it has changed. Other files are linked, not
copied. The plain folder lies among the system's temporary files and is gone after use.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from ingestion.fit import links_of
from ingestion.mapping import NAME, Mapping, load
from kg.lake.databases import is_log, is_sqlite, postgres, sqlite
from kg.lake.delta_folders import LOG, delta, is_delta
from kg.lake.disk import on_disk
from kg.lake.held import Held, write_held
from kg.lake.lines import UnreadableFile, write_note
from kg.lake.remote import RemoteFiles, listed
from kg.lake.workbooks import is_workbook, sheets
from kg.progress import Progress, silent

_POSTGRES = ("postgresql://", "postgres://")
_NOT_NAMED = UnreadableFile("not_fetched", "the mapping does not name it")


@dataclass(frozen=True)
class Wanted:
    """Which files a mapping names; without one, all are wanted."""

    patterns: tuple[str, ...] | None = None

    @classmethod
    def by(cls, mapping: Mapping) -> "Wanted":
        """Those that become records, and those that others take values from."""
        read = [table for table in mapping.tables.values() if table.kind != "ignore"]
        return cls(tuple(name for one in read for name in (*one.files, *links_of(one))))

    def has(self, name: str) -> bool:
        """Whether a pattern may fit a file, something in it, or the table that it is a part of;
        a `*` is taken widely."""
        if self.patterns is None or name == NAME:
            return True
        mine = _beginnings(name)
        return any(
            any(fnmatchcase(name, part) for part in _beginnings(pattern))
            or any(fnmatchcase(part, pattern) for part in mine)
            for pattern in self.patterns
        )


def _beginnings(name: str) -> list[str]:
    path = PurePosixPath(name)
    return [str(path), *map(str, path.parents)][: len(path.parts)]


def is_address(data: str) -> bool:
    """Whether data lies elsewhere than on this machine."""
    return "://" in data


def name_of(data: str) -> str:
    """What data is called: its folder, its database, or the last part of its address; never what
    may be secret in it."""
    if not is_address(data):
        return Path(data).resolve().name or "data"
    parts = urlsplit(data)
    return PurePosixPath(unquote(parts.path)).name.lstrip(".") or parts.hostname or "data"


def is_container(path: Path) -> bool:
    """Whether a file or folder holds tables that are no files of their own."""
    # By os.path, to which what may not be looked at is not there: whoever reads it says so.
    if os.path.islink(path) and os.path.isdir(path):
        return False  # links to folders are not followed
    return is_delta(path) or (os.path.isfile(path) and (is_workbook(path) or is_sqlite(path)))


@contextmanager
def opened(
    data: str, mapping: Path | None = None, *, whole: bool = False, progress: Progress = silent
) -> Iterator[Path]:
    """The data as a plain folder of files; a folder that is one already is given back as it is.

    Args:
        data: a folder, a file or an address.
        mapping: how it will be read, where that is not said beside the data; what it does not name
            is not fetched.
        whole: fetch everything, to look at what is there.
        progress: where it is told how far the fetching is.

    Raises:
        NotFound, InputError, Unavailable: it is not there, or cannot be read.
    """
    here = None if is_address(data) else Path(data).resolve()
    if here is not None and not _holds_containers(here):
        yield Path(data)
        return
    if mapping is None and here is not None and os.path.isfile(here / NAME):
        mapping = here / NAME
    wanted = Wanted.by(load(mapping)) if mapping is not None and not whole else Wanted()
    with _temporary() as home:
        plain = home / "data" / name_of(data)
        plain.mkdir(parents=True)
        if here is not None:
            _flatten(here, plain, wanted, progress)
        elif data.startswith(_POSTGRES):
            with postgres(data) as tables:
                _write(tables, plain, "", wanted, progress)
        else:
            may_say = not whole and mapping is None  # the mapping among the files
            fetched = home / "fetched" / name_of(data)
            _fetch(listed(data), fetched, wanted, may_say, progress)
            _flatten(fetched, plain, wanted, progress)
        yield plain


@contextmanager
def _temporary() -> Iterator[Path]:
    with on_disk(Path(tempfile.gettempdir())):
        folder = Path(tempfile.mkdtemp(prefix="personagraph-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(
    files: RemoteFiles, folder: Path, wanted: Wanted, may_say: bool, progress: Progress
) -> None:
    """Bring the wanted files here, the mapping among them first, which may say what is wanted."""
    names = sorted(files.paths, key=lambda name: (name != NAME, name))
    if any(name.startswith(f"{LOG}/") for name in names):
        wanted = Wanted()  # all of it is one table
    with progress.task("Fetching files", len(names)) as task:
        for name in names:
            if wanted.has(name):
                files.fetch(name, _room(folder / name))
            else:
                write_note(_room(folder / name), _NOT_NAMED)
            if name == NAME and may_say:
                wanted = Wanted.by(load(folder / name))
            task.advance()


def _room(target: Path) -> Path:
    with on_disk(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _walk(folder: Path) -> Iterator[Path]:
    """The files and containers below a folder, none that is hidden or a part of another."""
    if is_delta(folder):
        yield folder
        return
    for place, folders, files in os.walk(folder):
        here = Path(place)
        apart = {name for name in folders if os.path.islink(here / name) or is_delta(here / name)}
        for name in sorted({*files, *apart}):
            if not name.startswith(".") and not is_log(here / name):
                yield here / name
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in apart
        )


def _holds_containers(data: Path) -> bool:
    return is_container(data) or any(map(is_container, _walk(data)))


def _flatten(source: Path, plain: Path, wanted: Wanted, progress: Progress) -> None:
    """A folder in which every container is a folder of files, and everything else a link."""
    home = source.parent if is_container(source) else source
    found = [source] if is_container(source) else list(_walk(source))
    with progress.task("Opening files", len(found)) as task:
        for path in found:
            inside = path.relative_to(home).as_posix()
            if is_container(path):
                _unpack(path, plain, inside, wanted, progress)
            else:
                with on_disk(plain):
                    _room(plain / inside).symlink_to(path.absolute())
            task.advance()


def _unpack(path: Path, plain: Path, inside: str, wanted: Wanted, progress: Progress) -> None:
    try:
        if path.is_dir():
            _write([delta(path)], plain, inside, wanted, progress)
        elif is_sqlite(path):
            with sqlite(path) as tables:
                _write(tables, plain, inside, wanted, progress)
        else:
            _write(list(sheets(path)), plain, inside, wanted, progress)
    except UnreadableFile as error:
        write_note(_room(plain / inside), error)


def _write(
    tables: Sequence[Held], plain: Path, inside: str, wanted: Wanted, progress: Progress
) -> None:
    """Each table as a file; of what no mapping names, a note that it is there."""
    with progress.task(f"Fetching {inside or 'tables'}", len(tables)) as task:
        for one in tables:
            name = "/".join(part for part in (inside, one.name) if part)
            if wanted.has(name):
                write_held(one, _room(plain / name))
            else:
                write_note(_room(plain / name), _NOT_NAMED)
            task.advance()
