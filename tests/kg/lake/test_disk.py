"""A disk that is full, or not ours: refused clearly, nothing half-visible.

The full disk is a real one: a small tmpfs in a mount namespace of its own.
"""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from kg.errors import Unavailable
from kg.lake.disk import on_disk

ROOT = Path(__file__).parents[3]

PRELUDE = """
import os, sys
from pathlib import Path
import pyarrow as pa
import kg.lake.lake, kg.lake.writer, kg.exports
from kg.errors import PersonagraphError
from kg.lake import Lake, Workspace

place = Path(sys.argv[1])

def noise(rows):
    return pa.table({"record_key": [os.urandom(40).hex() for _ in range(rows)],
                     "user_id": ["u"] * rows})

def refused(action):
    try:
        action()
    except PersonagraphError as error:
        return type(error).__name__, error.message, error.hint
    raise SystemExit("not refused")
"""

FULL_TABLE = """
def fill():
    with lake.step("big") as step:
        step.append("identities", noise(5))
        step.append("user_aliases", noise(100_000).rename_columns(["alias_id", "user_id"]))

with Lake.writer(place / "w") as lake:
    with lake.step("small") as step:
        step.overwrite("identities", noise(10))
    kind, message, hint = refused(fill)
    assert kind == "Unavailable" and "No space left" in message and "Free" in hint, (kind, message)
    assert lake.head.number == 1 and lake.arrow("identities").num_rows == 10
    (place / "w/lake/user_aliases").exists()
with Lake.open(place / "w") as reader:
    assert reader.head.number == 1 and reader.arrow("identities").num_rows == 10
    assert reader.arrow("user_aliases").num_rows == 0
with Lake.writer(place / "w") as lake:
    with lake.step("big") as step:
        step.append("identities", noise(5))
    assert lake.arrow("identities").num_rows == 15
"""

FULL_MANIFEST = """
def fill():
    with lake.step("big") as step:
        step.append("identities", noise(5))
        with (place / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass

with Lake.writer(place / "w") as lake:
    with lake.step("small") as step:
        step.overwrite("identities", noise(10))
    kind, message, hint = refused(fill)
    assert kind == "Unavailable" and "No space left" in message and "Free" in hint, (kind, message)
    assert lake.head.number == 1 and lake.arrow("identities").num_rows == 10
    with Lake.open(place / "w") as reader:
        assert reader.head.number == 1 and reader.arrow("identities").num_rows == 10
    assert [file.name for file in (place / "w/runs").iterdir()] == [
        f"000001-small-{lake.step_id('small')}.json"]
    (place / "ballast").unlink()
    with lake.step("big") as step:
        step.append("identities", noise(5))
    assert lake.arrow("identities").num_rows == 15
"""

FULL_EXPORT = """
from kg.exports import write_export
with Lake.writer(Path(sys.argv[2])) as lake:
    with lake.step("identity") as step:
        step.overwrite("identities", noise(100_000))
    for name in ("x.parquet", "x.csv", "x.ndjson"):
        (place / name).write_text("before")
        kind, message, hint = refused(lambda: write_export(lake, "identities", place / name))
        assert kind == "Unavailable" and "No space left" in message and "Free" in hint, message
        assert (place / name).read_text() == "before"
assert sorted(os.listdir(place)) == ["x.csv", "x.ndjson", "x.parquet"]
"""

NO_PERMISSION = """
from kg.exports import write_export
with Lake.writer(place / "w") as lake:
    with lake.step("identity") as step:
        step.overwrite("identities", noise(10))
for folder, _, files in os.walk(place):
    os.chmod(folder, 0o555)
    for file in files:
        os.chmod(os.path.join(folder, file), 0o444)
if os.getuid() == 0:
    os.setuid(65534)

def write():
    with Lake.writer(place / "w"):
        pass

with Lake.open(place / "w") as reader:
    assert reader.arrow("identities").num_rows == 10
    actions = [write, lambda: Workspace.create(place / "new"),
               lambda: write_export(reader, "identities", place / "x.csv")]
    for action in actions:
        kind, message, hint = refused(action)
        assert kind == "Unavailable" and "Permission denied" in message, (kind, message)
        assert "permission" in hint, hint
assert os.listdir(place) == ["w"]
"""


def run(code: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + code, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def run_on_full_disk(code: str, place: Path, *arguments: str) -> None:
    """Run code with 2 MiB of disk at `place`, which only that process sees."""
    own = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-Urm"]
    probe = [*own, "mount", "-t", "tmpfs", "-o", "size=2m", "small", str(place)]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs in a namespace of its own (unshare -m)")
    script = 'mount -t tmpfs -o size=2m small "$1" && shift && exec "$@"'
    python = [sys.executable, "-W", "ignore", "-c", PRELUDE + code, str(place), *arguments]
    done = subprocess.run(
        [*own, "sh", "-c", script, "sh", str(place), *python],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_disk_that_fills_while_a_table_is_written(tmp_path: Path) -> None:
    run_on_full_disk(FULL_TABLE, tmp_path)


def test_a_disk_that_fills_before_the_manifest(tmp_path: Path) -> None:
    run_on_full_disk(FULL_MANIFEST, tmp_path)


def test_a_disk_that_fills_while_an_export_is_written(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    run_on_full_disk(FULL_EXPORT, place, str(tmp_path / "w"))


def test_a_disk_that_is_not_ours(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)
    run(NO_PERMISSION, str(tmp_path))


@pytest.mark.parametrize("path", ["file/home", "nowhere/home", "file", "folder"])
def test_a_path_that_cannot_be_is_named_as_what_to_change(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    place = tmp_path / path
    make = partial(place.write_text, "") if path == "folder" else place.mkdir
    with pytest.raises(Unavailable) as told, on_disk(place):
        make()
    assert told.value.hint
    assert told.value.hint.startswith(f"Change that path, {place}:")
