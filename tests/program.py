"""The program as a person uses it: real processes, nothing imported."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

# Files of others, and files that may not be written, are so for the administrator as well.
AS_ANYBODY = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--")
    if os.geteuid() == 0
    else ()
)
PROGRAM = Path(sys.executable).parent / "personagraph"
Result = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class SimulatedWorld:
    """A simulated company: its exports, and the truth about them."""

    data: Path
    truth: Path


def personagraph(
    home: Path, *arguments: str | bytes | Path, under: Sequence[str] = (), **env: str
) -> Result:
    """Run the program with its workspaces under `home`; never raises on a bad exit code.

    Args:
        home: folder of the workspaces.
        arguments: of the command line.
        under: a command that starts the program, such as `AS_ANYBODY`.
        env: more of its environment.
    """
    return subprocess.run(
        [*under, str(PROGRAM), *map(os.fsdecode, arguments)],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"PERSONAGRAPH_HOME": str(home)} | env,
    )


def succeed(result: Result) -> str:
    """Its standard output, or a failure that shows what it said."""
    assert result.returncode == 0, f"{result.stdout[-2000:]}\n{result.stderr[-4000:]}"
    return result.stdout


def as_json(result: Result) -> Any:
    """The JSON document a command printed."""
    return orjson.loads(succeed(result))


def refused(result: Result, code: int) -> str:
    """What a command that failed as promised said: one error line, one hint, no trace."""
    assert result.returncode == code, f"exit {result.returncode}: {result.stderr[-3000:]}"
    assert "Traceback" not in result.stderr
    assert "\tat " not in result.stderr, "the engine's own trace"
    lines = [line for line in result.stderr.splitlines() if line.startswith(("error:", "hint:"))]
    assert lines, result.stderr
    assert lines[0].startswith("error:")
    assert len(lines) <= 2, f"one error and one hint are expected: {lines}"
    return "\n".join(lines)
