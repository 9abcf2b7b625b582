"""A disk that is full or not ours, as a person meets it: an error, and nothing lost.

The full disk is a real one: a small tmpfs in a mount namespace of its own.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from program import AS_ANYBODY, Result, personagraph, refused, succeed
from world import EVENTS, write_story

TESTS = Path(__file__).parents[1]
COUNT = "MATCH (u:User) RETURN count(u) AS people"
MAY_NOT = "Give yourself permission"


@contextmanager
def without_rights(path: Path, mode: int) -> Iterator[None]:
    """A path that nobody may write (0o500) or enter (0)."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def test_a_home_that_may_not_be_written(tmp_path: Path) -> None:
    write_story(tmp_path / "data")
    (tmp_path / "home").mkdir()
    with without_rights(tmp_path / "home", 0o500):
        run = personagraph(tmp_path / "home", "run", tmp_path / "data", under=AS_ANYBODY)
    assert MAY_NOT in refused(run, 6)
    assert not list((tmp_path / "home").iterdir())


def test_a_workspace_that_may_only_be_read_is_read_and_stays_as_it_is(
    story: Path, tmp_path: Path
) -> None:
    shutil.copytree(story / "story", tmp_path / "w")

    def may(*command: str | Path) -> Result:
        return personagraph(tmp_path, *command, "-w", "w", under=AS_ANYBODY)

    subprocess.run(["chmod", "-R", "a-w", tmp_path / "w"], check=True)
    try:
        succeed(may("personas", "list"))
        succeed(may("export", "records", "-o", tmp_path / "records.csv"))
        for command in (
            ("run", story / "data"),
            ("query", COUNT),
            ("verify",),
            ("serve", "--port", "0"),
            ("export", "records", "-o", tmp_path / "w" / "records.csv"),
        ):
            assert MAY_NOT in refused(may(*command), 6)
    finally:
        subprocess.run(["chmod", "-R", "u+w", tmp_path / "w"], check=True)
    succeed(personagraph(tmp_path, "verify", "-w", "w"))


def test_data_that_may_not_be_read_is_named_and_costs_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_story(data)

    def check(*more: str | Path) -> Result:
        return personagraph(tmp_path, "source", "check", data, *more, under=AS_ANYBODY)

    (data / "support" / "old").mkdir()
    with (
        without_rights(data / "support" / "tickets.jsonl", 0),
        without_rights(data / "support" / "old", 0),
    ):
        checked = check("--json")
        assert "All was read but" in refused(checked, 7)
        files = {one["source"]: one for one in json.loads(checked.stdout)["files"]}
    assert files["support/tickets.jsonl"]["detail"] == "unreadable: Permission denied"
    assert files["support/old"]["detail"] == "Permission denied"
    assert files["shop/orders.csv"]["accepted"] == 5
    with without_rights(data / "shop", 0):
        assert "no file fits 'shop/orders.csv'" in refused(check(), 2)
    with without_rights(data / "personagraph.yaml", 0):
        assert "permission denied" in refused(check(), 2)
    with without_rights(data, 0):
        assert MAY_NOT in refused(check(), 6)
        for command in (("run", data / "crm"), ("simulate", "--out", data / "x")):
            assert MAY_NOT in refused(personagraph(tmp_path, *command, under=AS_ANYBODY), 6)


ON_A_SMALL_DISK = """
import os, subprocess, sys
from pathlib import Path
from program import as_json, personagraph, refused, succeed

home, data, events = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
count = ("query", sys.argv[4], "-w", "w", "--json")

def room(mebibytes):
    used = sum(file.stat().st_blocks * 512 for file in home.rglob("*"))
    size = f"size={used + int(mebibytes * 2**20)}"
    subprocess.run(["mount", "-o", f"remount,{size}", home], check=True)

def exports():
    texts = []
    for name in ("records", "identities", "intents", "claims"):
        out = data.parent / f"{name}.csv"
        succeed(personagraph(home, "export", name, "-w", "w", "-o", out))
        texts.append(out.read_text())
    return texts

for mebibytes in (0.1, 1, 3, 8):
    room(mebibytes)
    assert "Free some space" in refused(personagraph(home, "run", data, "-w", "w"), 6)
room(200)
succeed(personagraph(home, "run", data, "-w", "w"))
people, before = as_json(personagraph(home, *count)), exports()
events.write_text(events.read_text() + sys.argv[5])
for mebibytes in (0.1, 4):
    room(mebibytes)
    said = refused(personagraph(home, "run", data, "-w", "w"), 6)
    assert "Free some space" in said, said
room(200)
assert as_json(personagraph(home, *count)) == people
succeed(personagraph(home, "run", data, "-w", "w"))
assert exports() != before
assert as_json(personagraph(home, *count))["rows"][0]["people"] == people["rows"][0]["people"] + 1
succeed(personagraph(home, "verify", "-w", "w"))
"""
LATE = (
    '{"messageId": "late", "type": "track", "event": "Product Viewed", "userId": "usr-new", '
    '"timestamp": "2026-03-07T09:00:00Z", "properties": {"product_id": "LAMP"}}\n'
)


@pytest.mark.slow
def test_a_disk_that_fills_during_a_run_costs_nothing_but_time(tmp_path: Path) -> None:
    data, small = tmp_path / "data", tmp_path / "small"
    write_story(data)
    small.mkdir()
    own = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-Urm"]
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "small", str(small)]
    if subprocess.run([*own, *mount], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs in a namespace of its own (unshare -m)")
    arguments = [small, data, data / EVENTS, COUNT, LATE]
    script = 'mount -t tmpfs -o size=1m small "$1" && shift && exec "$@"'
    done = subprocess.run(
        [*own, "sh", "-c", script, "sh", small, sys.executable, "-c", ON_A_SMALL_DISK, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
