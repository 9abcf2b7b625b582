"""What lies in a data folder, before anything in it is opened."""

import os
from collections.abc import Iterator
from pathlib import Path

from ingestion.mapping import NAME
from kg.errors import InputError, NotFound
from kg.lake.disk import on_disk


def files_of(folder: Path) -> list[str]:
    """Every file of a data folder, relative, sorted; hidden ones and the mapping left out.

    Raises:
        NotFound: there is no such folder.
        InputError: it is a file.
        Unavailable: it cannot be opened.
    """
    return sorted(name for name, problem in entries_of(folder).items() if problem is None)


def entries_of(folder: Path) -> dict[str, str | None]:
    """Every file, or what else is there and why nothing can be read of it; raises as `files_of`."""
    return dict(_entries(folder))


def _entries(folder: Path) -> Iterator[tuple[str, str | None]]:
    with on_disk(folder):
        if not folder.exists():
            raise NotFound(
                f"There is no data folder {str(folder)!r}.",
                hint="Name the folder with the files.",
            )
        if not folder.is_dir():
            raise InputError(
                f"{str(folder)!r} is a file, not a data folder.", hint="Name the folder it lies in."
            )
        os.scandir(folder).close()
    closed: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in (*folders, *files) if not name.startswith(".")):
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            if inside != NAME and (path.is_symlink() or name in files):
                yield _shown(inside), _problem_of(path, inside)
    for error in closed:
        yield _shown(Path(error.filename).relative_to(folder).as_posix()), error.strerror


def _problem_of(path: Path, inside: str) -> str | None:
    if _shown(inside) != inside:
        return "its name is not UTF-8"
    if path.is_file():
        return None
    if path.is_dir():
        return "a link to a folder is not followed"
    return "a link that leads nowhere" if path.is_symlink() else "it is no file"


def _shown(name: str) -> str:
    """A name as text, also one that is none."""
    return os.fsencode(name).decode(errors="replace")
