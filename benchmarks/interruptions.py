"""The main job killed (SIGKILL) and run again: does it end with the same tables?

    python benchmarks/interruptions.py DATA [--store neo4j] [--kills 10] [--seed 0]
    python benchmarks/interruptions.py DATA --before LESS     # the run that adds what LESS lacks

Runs `personagraph run` once undisturbed, then once per kill in a workspace of its own: killed at a
random moment of that kill's share of the undisturbed time, run again, verified. On Neo4j each has a
real server of its own (as in the tests), which goes on while the program dies. Prints a line per
kill: what the program had told last, whether every export holds the same rows, and what `verify`
says.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.main_job import PROGRAM, measured
from tests.neo4j.server import Options, neo4j_server

EXPORTS = (
    "records", "identities", "sessions", "intents", "memberships", "holdings", "personas", "levels",
    "claims", "evidence", "traits", "reconciliation",
)  # fmt: skip


def main() -> int:
    """Kill, run again, compare; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--before", help="data that every workspace has run already")
    parser.add_argument("--store", choices=("embedded", "neo4j"), default="embedded")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, run = random.Random(arguments.seed), ("run", arguments.data, "-w", "bench", "--json")
    before = [("run", arguments.before, "-w", "bench", "--json")] if arguments.before else []
    same = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        with store(arguments.store):
            for earlier in before:
                measured(str(whole), *earlier)
            seconds, _, _ = measured(str(whole), *run)
            expected = tables(whole)
        for number in range(arguments.kills):
            home = Path(folder) / str(number)
            moment = seconds * (number + rng.random()) / arguments.kills
            with store(arguments.store):
                for earlier in before:
                    measured(str(home), *earlier)
                last = killed(home, run, moment)
                measured(str(home), *run)
                found = tables(home)
                verdict = json.loads(measured(str(home), "verify", "-w", "bench", "--json")[2])
            unlike = [name for name, rows in found.items() if not rows.equals(expected[name])]
            same += not unlike and verdict["ok"]
            print(
                f"killed after {moment:6.1f} s ({last}): "
                f"{'the same' if not unlike else 'other ' + ', '.join(unlike)}; "
                f"{verdict['claims']} claims verify: {verdict['ok']}",
                flush=True,
            )
    print(f"{same} of {arguments.kills} ended as a run that nobody disturbed")
    return 0 if same == arguments.kills else 1


@contextlib.contextmanager
def store(name: str) -> Iterator[None]:
    """An empty store, and its settings for the programs that are started within."""
    os.environ["PERSONAGRAPH_STORE"] = name
    if name == "embedded":
        yield
        return
    with neo4j_server(Options(heap="2g")) as server:
        os.environ["PERSONAGRAPH_NEO4J_URI"] = server.uri
        yield


def killed(home: Path, run: tuple[str, ...], seconds: float) -> str:
    """Start the main job and kill it at that moment; the last line it had told."""
    process = subprocess.Popen(
        [str(PROGRAM), *run],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PERSONAGRAPH_HOME": str(home)},
    )
    time.sleep(seconds)
    process.kill()
    told = process.communicate()[1].strip().splitlines()
    ending = "" if process.returncode < 0 else ", it had ended"
    return (told[-1] if told else "nothing told yet") + ending


def tables(home: Path) -> dict[str, pa.Table]:
    """Every export of the workspace, as it is written."""
    found = {}
    for name in EXPORTS:
        file = home / f"{name}.parquet"
        measured(str(home), "export", name, "-w", "bench", "-o", str(file))
        found[name] = pq.read_table(file)
    return found


if __name__ == "__main__":
    sys.exit(main())
