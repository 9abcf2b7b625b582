"""Which code a run was made by, so that changed code makes new runs."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("kg", "ingestion", "gnn", "cypher")
_SUFFIXES = {".py", ".cypher", ".yaml", ".yml", ".json", ".csv"}


@cache
def code_version() -> str:
    """`<package version>+<12 hex of the sources of kg, ingestion, gnn and cypher>`."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for file in sorted(_sources(root), key=lambda file: file.relative_to(root).as_posix()):
        digest.update(f"{file.relative_to(root).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    try:
        package = version("personagraph")
    except PackageNotFoundError:
        package = "0"
    return f"{package}+{digest.hexdigest()[:12]}"


def _sources(root: Path) -> list[Path]:
    return [
        file
        for package in _PACKAGES
        for file in (root / package).rglob("*")
        if file.suffix in _SUFFIXES and file.is_file()
    ]
