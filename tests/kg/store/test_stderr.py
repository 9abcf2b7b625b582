"""Native code and Python share descriptor 2 only until a log is named."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAY = """
import os, sys
from pathlib import Path
from kg.store.stderr import keep_apart, send_native
if sys.argv[2] == "apart":
    keep_apart()
os.write(2, b"early ")
send_native(Path(sys.argv[1]))
os.write(2, b"native ")
print("python", file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("how", "folder", "shown", "logged"),
    [
        ("apart", ".", "early python\n", "native "),
        ("apart", "none", "early python\n", None),
        ("together", ".", "early native python\n", None),
    ],
)
def test_what_native_code_says_goes_to_the_log_and_what_python_says_stays(
    tmp_path: Path, how: str, folder: str, shown: str, logged: str | None
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAY, str(tmp_path / folder), how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == shown
    file = tmp_path / "stderr.log"
    assert (file.read_text() if file.exists() else None) == logged
