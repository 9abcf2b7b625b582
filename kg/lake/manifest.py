"""What a run read, wrote and found: the one file whose appearance makes its tables visible.

Invariant: manifests are numbered without gaps by the one writer, never changed, and each is
complete: it names the version of every table and the latest run of every step.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kg.errors import NotFound, Unavailable
from kg.lake.disk import on_disk, write_whole

_NAME = re.compile(r"(\d{6,})-.+\.json")


@dataclass(frozen=True)
class Manifest:
    """One committed run.

    Args:
        number: 1 for the first run of the workspace.
        step, run_id: what ran, and its deterministic id.
        started_at, finished_at: ISO 8601, UTC; provenance only.
        config, inputs, seed, code_version: what the id is made of.
        reads, writes: table -> Delta version that this run read, or left behind.
        tables: table -> Delta version, of every table there is after this run.
        steps: step -> {"run_id", "summary"} of its latest run.
    """

    number: int
    step: str
    run_id: str
    started_at: str
    finished_at: str
    config: dict[str, Any]
    inputs: dict[str, str | None]
    seed: int
    code_version: str
    reads: dict[str, int] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)


def write_manifest(runs: Path, manifest: Manifest) -> None:
    """Commit: from here on every new reader sees the run."""
    file = runs / f"{manifest.number:06d}-{manifest.step}-{manifest.run_id}.json"
    write_whole(file, json.dumps(asdict(manifest), indent=1, sort_keys=True).encode() + b"\n")


def read_manifest(runs: Path, number: int | None = None) -> Manifest | None:
    """The manifest of a number, or the newest (None when nothing has run).

    Raises:
        NotFound: there is no manifest of that number.
        Unavailable: it cannot be read.
    """
    with on_disk(runs):
        files = _by_number(runs)
        if number is None:
            number = max(files, default=None)
            if number is None:
                return None
        if number not in files:
            raise NotFound(
                f"There is no run number {number}.",
                hint=f"The newest is {max(files, default=0)}.",
                number=number,
            )
        content = files[number].read_bytes()
    try:
        return Manifest(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise Unavailable(
            f"The manifest {files[number].name} is damaged.", hint="Restore it from a backup."
        ) from error


def number_of(runs: Path, run_id: str) -> int:
    """The number of the newest run of this id.

    Raises:
        NotFound: there is none.
    """
    with on_disk(runs):
        found = [number for number, file in _by_number(runs).items() if _id_of(file) == run_id]
    if not found:
        raise NotFound(f"There is no run {run_id}.", hint="The workspace was not copied whole.")
    return max(found)


def _id_of(file: Path) -> str:
    return file.stem.rpartition("-")[2]


def last_manifest(runs: Path, step: str) -> Manifest | None:
    """The newest manifest of one step; None where it has not run.

    Raises:
        Unavailable: it cannot be read.
    """
    with on_disk(runs):
        files = _by_number(runs)
    numbers = [number for number, file in files.items() if file.name.split("-")[1] == step]
    return read_manifest(runs, max(numbers)) if numbers else None


def _by_number(runs: Path) -> dict[int, Path]:
    if not runs.exists():
        return {}
    matches = ((_NAME.fullmatch(file.name), file) for file in runs.iterdir())
    return {int(match[1]): file for match, file in matches if match}
