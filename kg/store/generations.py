"""The directories of the embedded graph, so that a load is seen whole or not at all.

    graph/current            name of the generation that new readers open (replaced atomically)
    graph/g000007/           one generation: an ArcadeDB server's root, closed or open
    graph/building-000008/   a load under way, or what a crash left of one
    graph/read-4be1../       a private copy for analysts' queries (`private_copy`)
    graph/password           of the server, random, readable by its owner only

Invariant: `current` names a directory that is complete. A generation that someone has open is held
by a shared lock, which the system drops when the process ends, however it ends; what nobody holds
and `current` does not name is removed.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kg.errors import Conflict, NotFound

_NUMBERED = re.compile(r"(?:g|building-)(\d{6,})")
_OURS = re.compile(r"g\d{6,}|(building|trash|copying|read)-\w+")
_TRIES = 100


class Hold:
    """A generation that this process keeps from being removed."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let it go; the second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def hold(path: Path) -> Hold | None:
    """Keep a directory from being removed; None when it is gone, or is just being removed."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        with suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == (path / "held").stat().st_ino:
                return Hold(path, descriptor)
        os.close(descriptor)
    return None


def _held_new(path: Path) -> Hold:
    held = hold(path)
    if held is None:
        raise Conflict("A directory of the graph was removed while it was being made.")
    return held


def remove_unheld(path: Path) -> None:
    """Remove a directory that nobody holds; else do nothing."""
    with suppress(FileNotFoundError, BlockingIOError):
        descriptor = os.open(path / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            trash = path.with_name(f"trash-{secrets.token_hex(8)}")
            path.rename(trash)
            shutil.rmtree(trash)
        finally:
            os.close(descriptor)


class Generations:
    """The generations under one workspace's `graph/`."""

    def __init__(self, workspace: Path) -> None:
        self.root = workspace / "graph"

    def current(self) -> Path:
        """The generation that new readers open.

        Raises:
            NotFound: nothing was ever loaded.
        """
        try:
            return self.root / (self.root / "current").read_text().strip()
        except FileNotFoundError:
            from kg.lake.workspace import Workspace

            hint = Workspace(self.root.parent).run_hint()
            raise NotFound("This workspace has no graph yet.", hint=hint) from None

    def hold(self) -> Hold:
        """Keep the current generation from being removed.

        Raises:
            NotFound: nothing was ever loaded.
        """
        for _ in range(_TRIES):
            held = hold(self.current())
            if held is not None:
                return held
        raise Conflict("The graph is being replaced all the time.", hint="Try again later.")

    def build(self) -> Hold:
        """A new empty directory to load into, held."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = [_NUMBERED.fullmatch(entry.name) for entry in self.root.iterdir()]
        number = 1 + max((int(name[1]) for name in found if name), default=0)
        path = self.root / f"building-{number:06d}"
        path.mkdir(mode=0o700)
        return _held_new(path)

    def finish(self, building: Hold) -> Path:
        """Give a directory that is fully written and closed its final name."""
        final = self.root / building.path.name.replace("building-", "g")
        for folder, _, names in os.walk(building.path):
            for name in names:
                _fsync(Path(folder) / name)
        building.path.rename(final)
        building.path = final
        _fsync(self.root)
        return final

    def publish(self, generation: Path) -> None:
        """From now on new readers open this one."""
        fresh = self.root / f"current.{os.getpid()}"
        fresh.write_text(generation.name + "\n")
        _fsync(fresh)
        fresh.replace(self.root / "current")
        _fsync(self.root)

    def sweep(self) -> None:
        """Remove what `current` does not name and nobody holds; for the one writer."""
        for unfinished in self.root.glob("current.*"):
            unfinished.unlink(missing_ok=True)
        try:
            keep = self.current().name
        except NotFound:
            keep = ""
        for path in sorted(self.root.iterdir()):
            if path.name != keep and path.is_dir() and _OURS.fullmatch(path.name):
                remove_unheld(path)

    def password(self) -> str:
        """The password of this workspace's servers, made on first use."""
        path = self.root / "password"
        with suppress(FileExistsError):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self.root / f"password.{os.getpid()}.{secrets.token_hex(4)}"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
            try:
                os.link(fresh, path)  # fails when another process was first
            finally:
                fresh.unlink()
        return path.read_text().strip()

    @contextmanager
    def opening(self, generation: Path) -> Iterator[None]:
        """Only one process at a time decides whether to start a server or to join one."""
        descriptor = os.open(generation / "opening", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
