"""Which mapping reads a folder: beside the data, a shipped example that fits, or none is needed."""

from pathlib import Path

from ingestion.mapping import NAME, Mapping, load
from kg.errors import InputError


def find_mapping(folder: Path) -> Mapping:
    """The mapping of a folder."""
    beside = folder / NAME
    if beside.is_file():
        return load(beside)
    raise InputError("no mapping")
