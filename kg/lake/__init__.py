"""The lake: Delta tables, the runs that write them, and the one workspace they lie in.

    Lake       reads the tables of one moment; never blocks, never blocked
    Writer     the one writer; `with lake.step(...)` commits tables first, manifest last
    Workspace  the folder, its key and its lock (imports nothing heavy)
    TABLES     the columns of every table

Names load on first use, so that a command line that only needs a path starts without DuckDB.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kg.lake.lake import Lake
    from kg.lake.manifest import Manifest
    from kg.lake.tables import TABLES, WrongTable
    from kg.lake.workspace import Workspace
    from kg.lake.writer import Step, Writer

__all__ = ["TABLES", "Lake", "Manifest", "Step", "Workspace", "Writer", "WrongTable"]

_HOME = {
    "TABLES": "tables",
    "Lake": "lake",
    "Manifest": "manifest",
    "Step": "writer",
    "Workspace": "workspace",
    "Writer": "writer",
    "WrongTable": "tables",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
