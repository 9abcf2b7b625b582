"""A real PostgreSQL server for tests, of the Debian package, run by an unprivileged user."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER = "reader"


class MissingServer(Exception):  # noqa: N818 - reads as the fact it states
    """PostgreSQL is not installed here."""


@dataclass(frozen=True)
class Server:
    """A running server; anybody who knows the password may do anything."""

    port: int
    password: str
    bin: Path

    def address(self, database: str = "postgres", password: str | None = None) -> str:
        """Where a database is, as the program takes it."""
        secret = self.password if password is None else password
        return f"postgresql://{USER}:{secret}@127.0.0.1:{self.port}/{database}"

    def run(self, sql: str) -> None:
        """Run statements."""
        subprocess.run(
            [self.bin / "psql", self.address(), "-v", "ON_ERROR_STOP=1", "-qc", sql],
            check=True, capture_output=True, text=True,
        )  # fmt: skip


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    raise MissingServer("PostgreSQL is not installed (Debian: apt-get install postgresql)")


def _unprivileged() -> str | None:
    """Whom the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def postgres_server() -> Iterator[Server]:
    """Start a server on a free port of the loopback; its data are gone afterwards.

    Raises:
        MissingServer: it is not installed.
    """
    programs, user = _programs(), _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="personagraph-postgres-"))
    password = secrets.token_hex(8)
    try:
        (folder / "password").write_text(password)
        if user is not None:
            shutil.chown(folder, user)
            shutil.chown(folder / "password", user)
        data = folder / "data"
        _call(user, programs / "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256",
              "--no-sync", "--pwfile", folder / "password", "-E", "UTF8",
              "--locale", "C")  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        _call(user, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options,
              "start")  # fmt: skip
        try:
            yield Server(port, password, programs)
        finally:
            _call(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _call(user: str | None, *command: str | Path) -> None:
    # The server keeps what it inherits open, so it is given a file and no pipe.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            [str(part) for part in command], user=user, cwd="/", stdin=subprocess.DEVNULL,
            stdout=said, stderr=said, timeout=120, start_new_session=True,
        )  # fmt: skip
        said.seek(0)
        assert done.returncode == 0, said.read()
