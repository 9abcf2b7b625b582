"""Readers while a writer writes: real processes over one workspace."""

import os
import subprocess
import sys
import time
from pathlib import Path

from kg.lake import Lake

ROOT = Path(__file__).parents[3]
ROUNDS = 40
# Each run leaves equally many rows of one value in two tables, by an overwrite and an append.
WRITE = f"""
import sys
from pathlib import Path
import pyarrow as pa
from kg.lake import Lake

with Lake.writer(Path(sys.argv[1])) as lake:
    for number in range({ROUNDS}):
        with lake.step("x", seed=number) as step:
            step.overwrite("identities", pa.table(
                {{"record_key": [str(i) for i in range(number + 1)],
                 "user_id": [str(number)] * (number + 1)}}))
            step.append("user_aliases", pa.table({{"alias_id": ["a"], "user_id": ["u"]}}))
"""


def test_readers_see_whole_runs_and_wait_for_nobody(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w"):
        pass
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(tmp_path / "w")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    seen: list[int] = []
    slowest_s = 0.0
    with Lake.open(tmp_path / "w") as first, Lake.open(tmp_path / "w") as moving:
        while writer.poll() is None:
            started = time.monotonic()
            moving.refresh()
            users = moving.arrow("identities", ["user_id"])["user_id"].to_pylist()
            aliases = moving.arrow("user_aliases").num_rows
            slowest_s = max(slowest_s, time.monotonic() - started)
            assert len(users) == aliases
            assert set(users) == ({str(aliases - 1)} if aliases else set())
            seen.append(aliases)
            assert first.arrow("identities").num_rows == 0
        moving.refresh()
        assert moving.arrow("user_aliases").num_rows == ROUNDS
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 2, "the test saw the writer at work"
    assert slowest_s < 5
