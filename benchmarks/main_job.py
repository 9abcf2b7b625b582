"""The main job on a data set, as a person runs it: wall time and peak memory of whole processes.

    python benchmarks/main_job.py ../shared/data/online_retail_ii

Runs `personagraph run`, `run` again on the same files, and `verify`, each as a process of its own
in a fresh workspace, and prints what each took and what each step of the first run took.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "personagraph"


def measured(home: str, *arguments: str) -> tuple[float, float, str]:
    """Wall seconds, peak resident GiB and standard output of one call."""
    started = time.monotonic()
    process = subprocess.Popen(
        [str(PROGRAM), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PERSONAGRAPH_HOME": home},
    )
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        sys.exit(f"personagraph {' '.join(arguments)} failed with exit code {code}")
    return time.monotonic() - started, usage.ru_maxrss / 2**20, out


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as home:
        calls = {
            "run": ("run", data, "-w", "bench", "--json"),
            "run again, nothing new": ("run", data, "-w", "bench", "--json"),
            "verify": ("verify", "-w", "bench", "--json"),
        }
        for name, arguments in calls.items():
            seconds, gib, out = measured(home, *arguments)
            print(f"{name:<24} {seconds:7.1f} s   {gib:5.2f} GiB peak")
            if name == "run":
                until_intents = 0.0
                for step in json.loads(out)["steps"]:
                    print(f"    {step['step']:<20} {step['seconds']:7.1f} s")
                    if step["step"] in {"ingest", "identity", "topics", "intents"}:
                        until_intents += step["seconds"]
                print(f"    {'up to intents':<20} {until_intents:7.1f} s")


if __name__ == "__main__":
    main()
