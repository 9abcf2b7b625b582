"""Files at an address (object storage, a web server), brought here before they are read.

fsspec speaks to them; credentials are found as each service's own tools find them. An address is
never repeated whole, because it may hold a signature or a password.
"""

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from kg.errors import InputError, NotFound, PersonagraphError, Unavailable
from kg.lake.disk import on_disk

# What an address begins with -> the extra that brings what speaks to it; None: it is installed.
_SCHEMES: dict[str, str | None] = {
    "http": None, "https": None, "s3": "s3", "gs": "gs", "az": "az", "abfs": "az", "abfss": "az",
}  # fmt: skip
_WEB = {"http", "https"}
_CONNECT_SECONDS, _SILENT_SECONDS = 10, 60
_PAGES = (b"<!doctype html", b"<html")
_TALKATIVE = ("gcsfs", "google")
"""Loggers that tell of every request that fails, some of them with its address."""


@dataclass(frozen=True)
class RemoteFiles:
    """What lies at an address.

    Attributes:
        address: as it was given.
        paths: file name, relative to the address -> where fsspec finds it.
    """

    address: str
    system: Any
    paths: dict[str, str]

    def fetch(self, name: str, target: Path) -> None:
        """Bring one file here, as old as it says it is there.

        Raises:
            NotFound: it has gone meanwhile.
            InputError: the server answers with a web page.
            Unavailable: it cannot be fetched, or not whole.
        """
        path = self.paths[name]
        is_web = urlsplit(self.address).scheme in _WEB
        with _told(self.address):
            self.system.get_file(path, str(target))
        info = self._info(path)
        modified_ns = _modified_ns(info)
        with on_disk(target.parent):
            os.utime(target, ns=(modified_ns, modified_ns))
            whole = is_web or info.get("size") in {None, target.stat().st_size}
            with target.open("rb") as file:
                is_page = is_web and file.read(64).lstrip().lower().startswith(_PAGES)
        if is_page:
            raise InputError(
                f"{_shown(self.address)} answers with a web page, not with data.",
                hint="Name the file itself, with whatever signature it needs.",
            )
        if not whole:
            raise Unavailable(
                f"A file at {_shown(self.address)} did not arrive whole.", hint="Run it again."
            )

    def _info(self, path: str) -> dict[str, Any]:
        with _told(self.address):
            try:
                return dict(self.system.info(path))
            except FileNotFoundError:  # a web server that answers to GET alone
                return {}


def listed(address: str) -> RemoteFiles:
    """The file at an address, or the files below it; hidden ones are left where they are.

    Raises:
        InputError: no such kind of address.
        NotFound: there is nothing.
        Unavailable: it cannot be reached, refuses, or nothing installed speaks to it.
    """
    scheme = urlsplit(address).scheme
    if scheme not in _SCHEMES or "::" in address:
        raise InputError(
            f"{scheme!r} is no kind of address that is known.",
            hint="Name a folder, postgresql://…, s3://…, gs://…, az://… or https://….",
        )
    if not urlsplit(address).netloc:
        raise InputError(
            f"The address {scheme}:// names no place.",
            hint=f"Say whose it is: {scheme}://HOST/…"
            if scheme in _WEB
            else f"Say which bucket: {scheme}://BUCKET/FOLDER.",
        )
    with _told(address):
        from fsspec.core import url_to_fs

        options = _web_options() if scheme in _WEB else {}
        system, root = url_to_fs(address, skip_instance_cache=True, **options)
        paths = dict(_web_file(address)) if scheme in _WEB else dict(_files(system, root))
    if not paths:
        raise NotFound(
            f"There is no file at {_shown(address)}.", hint="Check the address; a folder is read "
            "with all that lies below it.",
        )  # fmt: skip
    return RemoteFiles(address, system, paths)


def _web_options() -> dict[str, Any]:
    """A download may take as long as it needs, as long as something arrives."""
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(total=None, connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS)
    return {"client_kwargs": {"timeout": timeout}}


def _web_file(address: str) -> Iterator[tuple[str, str]]:
    """A web address is one file: what a page links to is nobody's promise."""
    name = PurePosixPath(unquote(urlsplit(address).path)).name.lstrip(".")
    yield name or "data", address


def _files(system: Any, root: str) -> Iterator[tuple[str, str]]:
    root = root.rstrip("/")
    if system.isfile(root):
        yield PurePosixPath(root).name, root
        return
    for path in sorted(system.find(root)):
        parts = PurePosixPath(path[len(root) :].lstrip("/")).parts
        if parts and not any(part.startswith(".") for part in parts):  # `..` begins so, too
            yield "/".join(parts), path


def _modified_ns(info: dict[str, Any]) -> int:
    """When a file was last written (epoch nanoseconds); now, where nobody says."""
    for name in ("LastModified", "last_modified", "updated", "mtime", "Last-Modified"):
        value = info.get(name)
        try:
            if isinstance(value, str):
                is_iso = value[:4].isdecimal()
                value = datetime.fromisoformat(value) if is_iso else parsedate_to_datetime(value)
        except ValueError:
            continue
        if isinstance(value, datetime):
            return int(value.replace(tzinfo=value.tzinfo or UTC).timestamp()) * 1_000_000_000
    return time.time_ns()


@contextmanager
def _told(address: str) -> Iterator[None]:
    """What the library or the server refuses, in a sentence that gives no secret away."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    except PersonagraphError:
        raise
    except Exception as error:  # noqa: BLE001 - every service has errors of its own
        raise _refused(address, error) from None  # its words may repeat the address
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _refused(address: str, error: Exception) -> PersonagraphError:
    shown = _shown(address)
    scheme = urlsplit(address).scheme
    status = getattr(error, "status", None)
    if isinstance(error, ImportError):
        extra = _SCHEMES[scheme]
        return Unavailable(
            f"Nothing that is installed speaks {scheme}://.",
            hint=f'Install it: pip install "personagraph[{extra}]".',
        )
    if isinstance(error, FileNotFoundError) or status == 404:
        return NotFound(f"There is nothing at {shown}.", hint="Check the address.")
    if isinstance(error, PermissionError) or status in {401, 403}:
        return Unavailable(f"{shown} may not be read.", hint="Check the credentials.")
    if "credentials" in type(error).__name__.lower():
        return Unavailable(
            f"{shown} needs credentials.", hint="Give them as the service's own tools take them."
        )
    if status is not None:
        return Unavailable(f"{shown} answers with {status}.", hint="Try again later.")
    return Unavailable(
        f"{shown} cannot be read: {_reason(error)}.", hint="Check the address and try again."
    )


_REASONS = {
    "ClientPayloadError": "the file did not arrive whole",
    "ServerDisconnectedError": "the file did not arrive whole",
    "ClientConnectorError": "nothing answers there",
    "ConnectionRefusedError": "nothing answers there",
    "EndpointConnectionError": "nothing answers there",
    "ClientConnectorDNSError": "there is no such host",
    "SocketTimeoutError": "it has stopped answering",
    "ConnectionTimeoutError": "nothing answers there",
    "InvalidURL": "this is no address",
}


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk here is full"
    kind = type(error).__name__
    return _REASONS.get(kind, kind)


def _shown(address: str) -> str:
    """Where an address leads, without what may be secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}"
