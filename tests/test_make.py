"""The Makefile: what `make test` needs is named at once, before anything is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "sed", "sort", "xargs", "echo")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A machine with what every one has, and no JDK or Maven."""
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    return tmp_path


def put(folder: Path, name: str, version: str = "") -> None:
    """A program that only says its version, as Java does."""
    (folder / name).write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    (folder / name).chmod(0o755)


def make(path: Path, target: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    if program is None:
        pytest.skip("make is not installed")
    command = [program, "-C", str(ROOT), target, f'JAVAS="{path}/java"']
    return subprocess.run(
        command, env=os.environ | {"PATH": str(path)}, capture_output=True, text=True, check=False
    )


def test_what_is_missing_is_named_in_one_line_before_anything_is_installed(empty: Path) -> None:
    put(empty, "java", "11.0.2")
    done = make(empty, "test")
    assert done.returncode == 2
    assert "needs a JDK 17 or 21, and Maven (JDKs found: 11)" in done.stdout
    assert "pip" not in done.stdout


@pytest.mark.parametrize("version", ["17.0.15", "21"])
def test_a_jdk_that_neo4j_runs_on_is_enough(empty: Path, version: str) -> None:
    put(empty, "java", version)
    put(empty, "mvn")
    assert make(empty, "java").returncode == 0
