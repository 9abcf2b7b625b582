"""The folder everything of one workspace lies in, and the only place that knows its layout.

Invariant: a folder is a workspace when its `workspace.json` is there, which is written first and
whole; only its owner can enter it, and the key never leaves it.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kg.errors import Conflict, InputError, NotFound, Unavailable
from kg.lake.disk import on_disk, sync_folder, write_whole
from kg.processes import began_at
from kg.words import command

FORMAT = 1
_KEY_BYTES = 32
_MARK = "workspace.json"
_LONGEST_NAME = 255  # bytes; what file systems allow
# delta-rs panics on the first four and confuses the last two (tried with deltalake 1.6).
_REFUSED_CHARACTERS = "[]|^%\\"


@dataclass(frozen=True)
class Writing:
    """The process that is writing to a workspace, and when it began (UTC)."""

    pid: int
    since: datetime


@dataclass(frozen=True)
class Workspace:
    """One workspace that exists and has a format this program knows.

    Args:
        path: its folder, absolute.
    """

    path: Path

    @classmethod
    def create(cls, path: Path) -> "Workspace":
        """Make the folder a workspace, or open it when it is one already.

        Raises:
            InputError: the path cannot hold tables.
            Conflict: the folder holds something else, or a workspace of a newer format.
            Unavailable: the disk refuses.
        """
        path = _absolute(path)
        with on_disk(path):
            if not (path / _MARK).exists():
                if path.exists() and not path.is_dir():
                    raise Conflict(f"{path} is a file.", hint="Name another workspace.")
                if path.exists() and _holds_something_else(path):
                    raise Conflict(
                        f"{path} is not empty and not a workspace.",
                        hint="Name another workspace, or an empty folder.",
                    )
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.chmod(0o700)
                write_whole(path / _MARK, json.dumps({"format": FORMAT}).encode() + b"\n")
        workspace = cls.open(path)
        with on_disk(path):
            for folder in (
                workspace.lake, workspace.runs, workspace.log, workspace.graph, workspace.spill,
            ):  # fmt: skip
                folder.mkdir(exist_ok=True)
        workspace.key()
        return workspace

    @classmethod
    def open(cls, path: Path) -> "Workspace":
        """Open a workspace that exists.

        Raises:
            NotFound: there is none at this path.
            Conflict: it was made by a newer version of the program.
        """
        path = _absolute(path)
        mark = path / _MARK
        try:
            content = mark.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(
                f"{path} is not a workspace.",
                hint=f"Make it with: {Workspace(path).command('run DATA')}",
                path=str(path),
            ) from None
        except OSError as error:
            raise Unavailable(
                f"{mark} cannot be read: {error.strerror}.",
                hint="Check the permissions of the workspace.",
            ) from error
        return cls._checked(path, content)

    @classmethod
    def _checked(cls, path: Path, content: bytes) -> "Workspace":
        try:
            found = json.loads(content)["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise Conflict(
                f"{path / _MARK} is damaged.", hint="Restore it from a backup."
            ) from error
        if found != FORMAT:
            raise Conflict(
                f"{path} has format {found}, this version reads format {FORMAT}.",
                hint="Install the version of personagraph that wrote it, or a newer one.",
                found=found,
                expected=FORMAT,
            )
        return cls(path)

    @property
    def name(self) -> str:
        """How a person would type it: its name when it lies in the usual home, else its path."""
        return self.path.name if self.path.parent.name == ".personagraph" else str(self.path)

    @property
    def lake(self) -> Path:
        """Folder of the Delta tables."""
        return self.path / "lake"

    @property
    def runs(self) -> Path:
        """Folder of the manifests."""
        return self.path / "runs"

    @property
    def log(self) -> Path:
        """Folder of the logs."""
        return self.path / "log"

    @property
    def graph(self) -> Path:
        """Folder of the embedded graph."""
        return self.path / "graph"

    @property
    def aside(self) -> Path:
        """Folder of what a step that is interrupted goes on from."""
        return self.path / "aside"

    @property
    def spill(self) -> Path:
        """Folder of what the engine puts aside while it works."""
        return self.path / "spill"

    def key(self) -> bytes:
        """The secret personal identifiers are hashed with (32 bytes), made on the first call."""
        file = self.path / "key"
        with on_disk(file):
            if not file.exists():
                _make_key(file)
            key = file.read_bytes()
        if len(key) != _KEY_BYTES:
            raise Conflict(
                f"The key of {self.path} is damaged: {len(key)} bytes, expected {_KEY_BYTES}.",
                hint="Restore the file `key` from a backup.",
            )
        return key

    def writing(self) -> Writing | None:
        """Who writes to it now, by the note beside the lock; None: nobody, as far as can be seen.

        The lock itself is left alone: to try it would refuse a run that begins at that moment. The
        note of a process that was killed counts for nothing, nor does its number given to another.
        """
        try:
            pid, at = int(self._note.read_text()), self._note.stat().st_mtime
        except (OSError, ValueError):
            return None
        began = began_at(pid)
        is_it = began is not None and began <= at
        return Writing(pid, datetime.fromtimestamp(at, UTC)) if is_it else None

    @property
    def _note(self) -> Path:
        """Where the one writer says which process it is."""
        return self.path / "lock.pid"

    def command(self, words: str) -> str:
        """A command for this workspace, as a person would type it."""
        return command(self.name, words)

    def remove(self) -> None:
        """Take it away, with all that is in it: of a first run that was refused nothing stays."""
        shutil.rmtree(self.path, ignore_errors=True)

    def run_hint(self, done: Iterable[str] = ()) -> str:
        """What to do where a step has not run: wait for who is writing now, or run.

        Args:
            done: steps that have run.
        """
        writing = self.writing()
        if writing is None:
            return f"Run: {self.command('run DATA')}"
        steps = f"; done so far: {', '.join(done)}" if done else ""
        return (
            f"A run is under way (process {writing.pid}, since {writing.since:%H:%M} UTC{steps}): "
            "wait until it is done."
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the one writer.

        Raises:
            Conflict: another process (or this one) is writing; its pid is in the message.
        """
        lock = FileLock(self.path / "lock", blocking=False, thread_local=False, mode=0o600)
        note = self._note
        with on_disk(self.path):
            try:
                lock.acquire()
            except Timeout:
                pid = note.read_text().strip() if note.exists() else "(just started)"
                raise Conflict(
                    f"Process {pid} is writing to {self.path}.",
                    hint="Wait until it is done, then try again; reading is possible meanwhile.",
                    pid=pid,
                ) from None
        try:
            with on_disk(self.path):
                write_whole(note, f"{os.getpid()}\n".encode())
            yield
        finally:
            note.unlink(missing_ok=True)
            lock.release()


def _make_key(file: Path) -> None:
    """Put a new key in place at once; when two processes try, the first one's key stays."""
    fresh = file.with_name(f".key.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    write_whole(fresh, secrets.token_bytes(_KEY_BYTES))
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    sync_folder(file.parent)


def _absolute(path: Path) -> Path:
    path = Path(os.path.abspath(path))
    text = str(path)
    if any(one in _REFUSED_CHARACTERS or not _is_storable(one) for one in text):
        raise InputError(
            f"A workspace cannot lie at {text!r}.",
            hint=f"Choose a path without {' '.join(_REFUSED_CHARACTERS)}, control characters and "
            "what is not UTF-8.",
        )
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise InputError("The name of the workspace is too long.", hint="Choose a shorter one.")
    return path


def _is_storable(character: str) -> bool:
    return ord(character) >= 32 and not "\ud800" <= character <= "\udfff"


def _holds_something_else(path: Path) -> bool:
    """Whether there is more than what a creation that was cut short may have left behind."""
    found = [entry.name for entry in path.iterdir() if not entry.name.endswith(".tmp")]
    # Looked at again, last: another process may have made the workspace just now.
    return bool(found) and not (path / _MARK).exists()
