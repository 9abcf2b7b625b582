"""The demo, from the built wheel, in an empty environment outside the repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def call(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_the_demo_runs_from_the_wheel_in_an_empty_environment(tmp_path: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    call(uv, "build", "--wheel", "--out-dir", tmp_path / "dist", ROOT, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    call(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv/bin/python"
    pins = ["--constraint", ROOT / "constraints.txt", "--override", ROOT / "overrides.txt"]
    call(uv, "pip", "install", "--python", python, *pins, wheel, cwd=tmp_path)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    program = tmp_path / "venv/bin/personagraph"
    shown = call(program, "demo", "--people", "1000", cwd=tmp_path, env=env)
    assert "MATCH" in shown
    assert "%" in shown
    assert "missed" in shown
    checked = call(program, "verify", "--workspace", "demo", cwd=tmp_path, env=env)
    assert "hold" in checked
    listed = call(program, "source", "list", cwd=tmp_path, env=env)
    assert "completejourney" in listed
