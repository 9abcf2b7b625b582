"""The persona step as the number of intents grows: seconds and memory of each part.

    python benchmarks/growth.py --intents 60000 600000 2000000

One JSON line per size, each in a process of its own: a search over a planted world
(`tests/gnn/planted.py`; above 600,000 intents the same people again under other ids), then an
update to it after a search on all but the newest hundredth. `seconds` are those the step reports,
`peak_gib` the resident memory of the process, at most, while a part was under way (sampled), and
that of the whole.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc

from gnn.communities import native_leiden
from gnn.found import PersonaConfig
from gnn.search import find
from gnn.update import update
from kg.lake import Lake
from tests.gnn.planted import Story, plant
from tests.gnn.told import USER
from tests.rows import table

INTENTS_PER_PERSON = 22
MOST_PLANTED = 600_000


def main() -> None:
    """Measure every size asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--intents", type=int, nargs="+", default=[60_000, 600_000])
    parser.add_argument("--here", action="store_true", help="in this process, one size")
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measured(arguments.intents[0])), flush=True)
        return
    for intents in arguments.intents:
        call = [sys.executable, __file__, "--here", "--intents", str(intents)]
        subprocess.run(call, check=True)


def measured(count: int) -> dict[str, Any]:
    """A search and an update over about this many intents."""
    intents, users = world(count)
    late = pc.greater_equal(
        intents["started_at_ms"], int(np.quantile(intents["started_at_ms"].to_numpy(), 0.99))
    )
    figures: dict[str, Any] = {"intents": len(intents), "people": len(users)}
    with tempfile.TemporaryDirectory() as folder, Lake.writer(Path(folder) / "w") as lake:
        put(lake, intents.filter(pc.invert(late)), users, "early")
        with Memory() as memory, lake.step("personas", inputs={"run": "early"}) as step:
            started = time.perf_counter()
            find(step, PersonaConfig(), progress=memory)
            figures["search"] = told(step, started, memory)
        put(lake, intents, users, "all")
        searched = str(step.id)
        with Memory() as memory, lake.step("personas", inputs={"run": "all"}) as step:
            started = time.perf_counter()
            update(step, searched, PersonaConfig(), native_leiden, memory)
            figures["update"] = told(step, started, memory)
    return figures


def told(step: Any, started: float, memory: "Memory") -> dict[str, Any]:
    """What a step took."""
    return {
        "personas": step.summary.get("personas", 0),
        "total_s": round(time.perf_counter() - started, 1),
        "seconds": step.summary["seconds"],
        "peak_gib": {part: round(peak / 2**30, 2) for part, peak in memory.peaks.items()},
    }


def put(lake: Any, intents: pa.Table, users: pa.Table, run: str) -> None:
    """The step before."""
    with lake.step("intents", inputs={"run": run}) as step:
        step.overwrite("intents", intents)
        step.overwrite("users", users)


def world(count: int) -> tuple[pa.Table, pa.Table]:
    """About this many intents and their people, as tables of the lake."""
    planted = plant(31, Story(people=min(count, MOST_PLANTED) // INTENTS_PER_PERSON))
    copies = max(round(count / len(planted.intents)), 1)
    users = table(
        "users", [u | USER | {"consent_denied": False} for u in planted.users.to_pylist()]
    )
    rows = [
        with_ids(planted.intents, ("intent_id", "session_id", "user_id"), n) for n in range(copies)
    ]
    people = [with_ids(users, ("user_id",), n) for n in range(copies)]
    return pa.concat_tables(rows), pa.concat_tables(people)


def with_ids(rows: pa.Table, names: tuple[str, ...], number: int) -> pa.Table:
    """The rows again under other ids."""
    for name in names:
        column = pc.binary_join_element_wise(rows[name], str(number), "-")
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


class Memory:
    """The largest resident memory while each part was under way; a `Progress`."""

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}
        self._part, self._ended = "other", threading.Event()
        self._process = psutil.Process()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            now, part = self._process.memory_info().rss, self._part
            for name in (part, "all"):
                self.peaks[name] = max(self.peaks.get(name, 0), now)

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator["Memory"]:
        """A part begins."""
        del total
        self._part = description
        yield self
        self._part = "other"

    def advance(self, count: float = 1) -> None:
        """Nothing to do."""
        del count


if __name__ == "__main__":
    main()
