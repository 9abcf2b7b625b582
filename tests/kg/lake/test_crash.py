"""What a killed writer leaves behind: real processes, real SIGKILL."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kg.lake import Lake

STORY = Path(__file__).with_name("story.py")
ROOT = Path(__file__).parents[3]
POINTS = [
    "before the first table",
    "after the first table",
    "after all tables of the first step",
    "between file and commit",
    "after an append",
    "after two appends",
    "after all tables",
    "before the manifest has its name",
    "after the manifest",
]


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, STORY, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> int:
    process.communicate(timeout=120)
    return process.returncode


def rows(workspace: Path) -> dict[str, Any]:
    process = start("rows", str(workspace))
    output, problem = process.communicate(timeout=120)
    assert process.returncode == 0, problem.decode()
    answer: dict[str, Any] = json.loads(output)
    return answer


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    workspace = tmp_path_factory.mktemp("whole") / "w"
    assert finish(start("run", str(workspace))) == 0
    answer = rows(workspace)
    assert len(answer["tables"]["identities"]) == 40_010
    return answer


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_and_run_again_has_the_same_rows(
    point: str, tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    workspace = tmp_path / "w"
    assert finish(start("run", str(workspace), point)) == -signal.SIGKILL
    if point in {"after an append", "after two appends", "after all tables"}:
        with Lake.open(workspace) as lake:
            assert lake.arrow("identities").num_rows == 20_000
            assert lake.step_id("identity") is None
    assert finish(start("run", str(workspace))) == 0
    assert rows(workspace) == uninterrupted


def test_a_run_killed_while_it_heals_has_the_same_rows(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    workspace = tmp_path / "w"
    assert finish(start("run", str(workspace), "after two appends")) == -signal.SIGKILL
    assert finish(start("run", str(workspace), "while healing")) == -signal.SIGKILL
    assert finish(start("run", str(workspace))) == 0
    assert rows(workspace) == uninterrupted


def test_a_run_killed_at_any_moment_has_the_same_rows(
    tmp_path: Path, uninterrupted: dict[str, Any]
) -> None:
    workspace = tmp_path / "w"
    moments = random.Random(7)
    codes: list[int] = []
    for _ in range(8):
        process = start("run", str(workspace))
        note = workspace / "lock.pid"
        while process.poll() is None and not (
            note.exists() and note.read_text() == f"{process.pid}\n"
        ):
            time.sleep(0.005)
        time.sleep(moments.random() * 0.3)
        process.kill()
        codes.append(finish(process))
    assert -signal.SIGKILL in codes
    assert finish(start("run", str(workspace))) == 0
    assert rows(workspace) == uninterrupted


def test_healing_what_is_healed_adds_no_version(tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    assert finish(start("run", str(workspace), "after an append")) == -signal.SIGKILL
    log = workspace / "lake" / "identities" / "_delta_log"
    with Lake.writer(workspace) as lake:
        healed = len(list(log.iterdir()))
        assert lake.heal() == []
    with Lake.writer(workspace):
        assert len(list(log.iterdir())) == healed
