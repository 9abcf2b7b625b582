"""Files that are there whole or not at all, and what a refusing disk is called.

Invariant: a file written here survives a power cut once the call has returned.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kg.errors import InputError, Unavailable

_ROOM_BYTES = 1 << 20
_FREE = "Free some space on that disk and run the command again; nothing was half-written."
_PERMIT = "Give yourself permission there, or choose another place."
_HINTS = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: _FREE,
    errno.EFBIG: "Raise the limit of file sizes (ulimit -f), or choose another disk.",
    errno.EACCES: _PERMIT,
    errno.EPERM: _PERMIT,
    errno.EROFS: _PERMIT,
    errno.ENAMETOOLONG: "Choose a shorter name.",
}
_WRONG_PATHS = {errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
"""Numbers of a path that cannot be; no hints of a disk, by which a library's words are read."""


@contextmanager
def on_disk(place: Path) -> Iterator[None]:
    """Translate what the operating system refuses below `place` to Unavailable."""
    try:
        yield
    except OSError as error:
        raise refused(place, error) from error


def is_refusal(error: Exception) -> bool:
    """Whether a library's error says in words that the operating system refused."""
    return _number_in(str(error)) is not None


def refused(place: Path, error: Exception) -> Unavailable:
    """The disk said no; libraries say why in a number, in words, or not at all."""
    number = getattr(error, "errno", None) or _number_in(str(error)) or _number_now(place)
    hint = _HINTS.get(number or 0, "Check the disk, then run the command again.")
    if number in _WRONG_PATHS:
        hint = (
            f"Change that path, {place}: nothing can be made there, or something of another kind "
            "is in its way."
        )
    return Unavailable(
        f"The disk refused to work on {place}: "
        f"{os.strerror(number) if number else type(error).__name__}.",
        hint=hint,
        path=str(place),
    )


def _number_in(text: str) -> int | None:
    return next((number for number in _HINTS if os.strerror(number) in text), None)


def _number_now(place: Path) -> int | None:
    """ENOSPC when the disk is full at this moment."""
    home = next((folder for folder in (place, *place.parents) if folder.exists()), None)
    is_full = home is not None and shutil.disk_usage(home).free < _ROOM_BYTES
    return errno.ENOSPC if is_full else None


def write_whole(file: Path, content: bytes) -> None:
    """Write a file (mode 0600) so that a reader sees the old one, or all of the new one."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(file.parent)


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """A new path beside `out`; what the block leaves there, file or folder, takes its place.

    Raises:
        InputError: what is there is no file and no folder. Unavailable: the disk refuses; nothing
            is left then.
    """
    out = out.resolve()  # a link stays one
    refuse_special(out)
    fresh = out.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield fresh
        with on_disk(out):
            for file in sorted(fresh.rglob("*")) if fresh.is_dir() else ():
                sync_file(file)
            sync_file(fresh)
            fresh.replace(out)
            sync_folder(out.parent)
    finally:
        if fresh.is_dir():
            shutil.rmtree(fresh, ignore_errors=True)
        else:
            fresh.unlink(missing_ok=True)


def refuse_special(out: Path) -> None:
    """A device or a pipe is not replaced by a file.

    Raises:
        InputError: `out` is such a one.
    """
    if out.exists() and not (out.is_file() or out.is_dir()):
        raise InputError(
            f"{out} is there and is neither a file nor a folder.",
            hint="Name another file; it would be replaced.",
        )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    sync_file(folder)


def sync_file(file: Path) -> None:
    """Make the content of a file (or the names in a folder) durable."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
