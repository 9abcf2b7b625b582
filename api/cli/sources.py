"""`personagraph source`: what is read, how, and what would happen to a folder's records."""

from dataclasses import asdict
from pathlib import Path

from api.cli.console import print_json, stdout


def list_formats(as_json: bool) -> None:
    """The formats and the shipped mappings."""
    raise NotImplementedError(as_json)


def check(data: Path, mapping: Path | None, as_json: bool) -> None:
    """The dry run."""
    raise NotImplementedError((data, mapping, as_json, asdict, print_json, stdout))
