"""The folder of a workspace: who may enter, who may write, what it refuses."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kg.errors import Conflict, NotFound
from kg.lake import Lake, Workspace

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
MAKE = (
    "import sys; from pathlib import Path; from kg.lake import Workspace; sys.stdin.readline();"
    "print(Workspace.create(Path(sys.argv[1])).key().hex())"
)
HOLD = (
    "import sys; from pathlib import Path; from kg.lake import Lake\n"
    "with Lake.writer(Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_only_its_owner_can_enter_and_read_the_key(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "home" / "w")
    assert mode(workspace.path) == 0o700
    assert mode(workspace.path / "key") == 0o600
    assert mode(workspace.path / "workspace.json") == 0o600
    assert json.loads((workspace.path / "workspace.json").read_text()) == {"format": 1}


def test_the_key_stays_the_same(tmp_path: Path) -> None:
    key = Workspace.create(tmp_path / "w").key()
    assert len(key) == 32
    assert Workspace.create(tmp_path / "w").key() == key
    assert Workspace.open(tmp_path / "w").key() == key
    assert Workspace.create(tmp_path / "other").key() != key


def test_processes_that_make_one_workspace_at_once_get_one_key(tmp_path: Path) -> None:
    processes = [python(MAKE, str(tmp_path / "w")) for _ in range(6)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0] for process in processes}
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 64
    assert not list((tmp_path / "w").glob(".*"))


def test_a_damaged_key_is_told(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w")
    (workspace.path / "key").write_bytes(b"short")
    with pytest.raises(Conflict, match="5 bytes, expected 32"):
        workspace.key()


@pytest.mark.parametrize("place", ["none", "file", "empty"])
def test_a_path_that_is_no_workspace_names_the_command(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound) as caught:
        Lake.open(tmp_path / place)
    path = tmp_path / place
    assert str(caught.value.hint) == f"Make it with: personagraph run DATA --workspace {path}"


def test_a_workspace_in_the_usual_home_is_called_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        Lake.open(tmp_path / ".personagraph" / "shop")
    assert str(caught.value.hint) == "Make it with: personagraph run DATA --workspace shop"
    told = Workspace(Path("my shop")).command("verify")
    assert told == "personagraph verify --workspace 'my shop'"


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("x")
    with pytest.raises(Conflict, match="not empty and not a workspace"):
        Lake.writer(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["photo.jpg"]
    with pytest.raises(Conflict, match="is a file"):
        Lake.writer(tmp_path / "photo.jpg")


def test_a_creation_that_was_cut_short_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / ".workspace.json.1.ab.tmp").write_text("{")
    with Lake.writer(tmp_path) as lake:
        assert lake.head is None


@pytest.mark.parametrize(
    ("content", "fact"),
    [('{"format": 2}', "has format 2"), ("{", "damaged"), ("[]", "damaged"), ("{}", "damaged")],
)
def test_a_workspace_of_a_newer_version_is_refused(content: str, fact: str, tmp_path: Path) -> None:
    Workspace.create(tmp_path / "w")
    (tmp_path / "w" / "workspace.json").write_text(content)
    for attempt in (Lake.open, Lake.writer):
        with pytest.raises(Conflict, match=fact) as caught:
            attempt(tmp_path / "w")
        assert caught.value.hint
    assert (tmp_path / "w" / "workspace.json").read_text() == content


def test_a_second_process_is_told_which_process_writes(tmp_path: Path) -> None:
    with python(HOLD, str(tmp_path / "w")) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Conflict) as caught, Lake.writer(tmp_path / "w"):
            pass
        assert caught.value.facts["pid"] == str(holder.pid)
        assert f"Process {holder.pid} is writing" in caught.value.message
        assert "Wait" in str(caught.value.hint)
        with Lake.open(tmp_path / "w") as reader:
            assert reader.arrow("users").num_rows == 0
            assert reader.run_hint().startswith(f"A run is under way (process {holder.pid}, since ")
        holder.kill()
        holder.wait()
    with Lake.open(tmp_path / "w") as reader:  # the note is still there
        assert reader.run_hint().startswith("Run: personagraph run DATA")
    with Lake.writer(tmp_path / "w"):
        assert (tmp_path / "w" / "lock.pid").read_text() == f"{os.getpid()}\n"
    assert not (tmp_path / "w" / "lock.pid").exists()


def test_a_path_that_is_only_named_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kg.lake import Workspace; import kg.exports;"
        "Workspace.create(Path(sys.argv[1]));"
        "sys.exit(bool({'duckdb', 'ibis', 'deltalake', 'pyarrow'} & set(sys.modules)))"
    )
    with python(code, str(tmp_path / "w")) as process:
        assert process.wait(timeout=60) == 0


def test_a_writer_of_which_only_remains_are_left_writes_no_more(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w")
    dead = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (workspace.path / "lock.pid").write_text(f"{dead.pid}\n")
    assert workspace.writing() is not None
    dead.kill()
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet taken note of
    assert workspace.writing() is None
    dead.communicate()
