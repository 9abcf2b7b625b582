"""A small lake story that a test runs, kills and runs again, in processes of its own.

python story.py run WORKSPACE [POINT]    two steps; killed (SIGKILL) at the point, if any
python story.py rows WORKSPACE           every row of every table, as JSON
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from kg.lake import TABLES, Lake, delta, writer

ROWS = 20_000


def identities(start: int) -> pa.Table:
    return pa.table(
        {
            "record_key": [f"a.csv#{row}" for row in range(start, start + ROWS)],
            "user_id": [f"u_{row % 97:016x}" for row in range(ROWS)],
        }
    )


def aliases(start: int) -> pa.Table:
    return identities(start).rename_columns(["alias_id", "user_id"])


def run(workspace: Path) -> None:
    with Lake.writer(workspace) as lake:
        with lake.step("ingest", config={"part": 1}) as step:
            if not step.done:
                step.overwrite("identities", identities(0))
                step.append("user_aliases", aliases(0))
        with lake.step("identity", inputs={"ingest": lake.step_id("ingest")}) as step:
            if not step.done:
                step.append("identities", step.table("identities").limit(10))
                step.append("identities", identities(ROWS))
                step.append("user_aliases", aliases(ROWS))
                step.overwrite("user_traits", _nothing("user_traits"))
                step.summary["rows"] = 2 * ROWS


def rows(workspace: Path) -> dict[str, Any]:
    with Lake.open(workspace) as lake:
        tables = {name: lake.arrow(name).to_pylist() for name in TABLES}
        return {"tables": tables, "head": lake.head and lake.head.steps}


def _nothing(name: str) -> pa.Table:
    return TABLES[name].empty_table()


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _at_call(number: int, original: Callable[..., Any]) -> Callable[..., Any]:
    """Die instead of the call of that number (1 is the first)."""
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return _die() if calls == number else original(*arguments, **options)

    return counted


def _then_die(number: int, original: Callable[..., Any]) -> Callable[..., Any]:
    """Die after the call of that number has done its work."""
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*arguments, **options)
        return _die() if calls == number else result

    return counted


# Writes 1, 2 belong to the first step, 3 to 6 to the second.
POINTS: dict[str, Callable[[], None]] = {
    "before the first table": lambda: setattr(delta, "write", _at_call(1, delta.write)),
    "after the first table": lambda: setattr(delta, "write", _at_call(2, delta.write)),
    "after all tables of the first step": lambda: setattr(
        writer, "write_manifest", _at_call(1, writer.write_manifest)
    ),
    "between file and commit": lambda: setattr(delta, "_added", _at_call(3, delta._added)),
    "after an append": lambda: setattr(delta, "write", _then_die(3, delta.write)),
    "after two appends": lambda: setattr(delta, "write", _then_die(4, delta.write)),
    "after all tables": lambda: setattr(
        writer, "write_manifest", _at_call(2, writer.write_manifest)
    ),
    "before the manifest has its name": lambda: setattr(Path, "replace", _at_call(5, Path.replace)),
    "after the manifest": lambda: setattr(
        writer, "write_manifest", _then_die(2, writer.write_manifest)
    ),
    "while healing": lambda: setattr(DeltaTable, "restore", _then_die(1, DeltaTable.restore)),
}


if __name__ == "__main__":
    verb, place = sys.argv[1], Path(sys.argv[2])
    if verb == "run":
        # Somebody may be editing the sources while this runs.
        writer.code_version = lambda: "story"
        for point in sys.argv[3:]:
            POINTS[point]()
        run(place)
    else:
        json.dump(rows(place), sys.stdout)
