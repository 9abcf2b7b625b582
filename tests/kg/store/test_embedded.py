"""The embedded store: generations, several processes, crashes, and who may reach it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from kg.errors import Conflict, NotFound
from kg.settings import Settings
from kg.store import open_store
from kg.store.engine import engine_error
from kg.store.generations import Generations
from kg.store.tables import Watermark
from tests.kg.store.small_graph import PEOPLE, small_graph

EMBEDDED = Settings(store="embedded")
USERS = "MATCH (u:User) RETURN count(u) AS n"


def load(workspace: Path, run_id: str = "run1") -> None:
    with open_store(EMBEDDED, workspace, write=True) as store:
        store.bulk_load(small_graph(run_id))
        store.set_watermark(Watermark(store.workspace_id, run_id, "claims"))


def in_process(code: str, *args: str) -> "subprocess.Popen[str]":
    """A fresh Python that opens stores; it has `EMBEDDED`, `open_store` and its arguments."""
    head = """
    import sys, time
    from pathlib import Path
    from kg.settings import Settings
    from kg.store import open_store
    from kg.store.tables import Watermark
    from tests.kg.store.small_graph import small_graph
    EMBEDDED = Settings(store="embedded")
    workspace = Path(sys.argv[1])
    def say(text): print(text, flush=True)
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code), *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"PYTHONPATH": "."},
    )


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def directories(workspace: Path) -> list[str]:
    return sorted(p.name for p in (workspace / "graph").iterdir() if p.is_dir())


SERVE = """
with open_store(EMBEDDED, workspace, write=False) as store:
    say("open")
    sys.stdin.readline()
"""


LOCK = """
from kg.store.engine import engine, database_path
from kg.store.generations import Generations
library = engine(workspace / "log")
database = library.open_database(str(database_path(Generations(workspace).current())))
say("locked")
sys.stdin.readline()
"""


def test_a_workspace_without_a_graph_says_what_to_run(workspace: Path) -> None:
    with pytest.raises(NotFound, match="no graph yet") as caught:
        open_store(EMBEDDED, workspace, write=False)
    assert "personagraph run" in str(caught.value.hint)


def test_it_opens_in_a_second_and_a_half(workspace: Path) -> None:
    load(workspace)
    best = []
    for _ in range(3):
        begun = time.perf_counter()
        with open_store(EMBEDDED, workspace, write=False) as store:
            store.run("graph/ready")
        best.append(time.perf_counter() - begun)
    assert min(best) < 1.5


def test_only_the_owner_can_read_the_password_and_only_loopback_listens(workspace: Path) -> None:
    load(workspace)
    with open_store(EMBEDDED, workspace, write=False):
        password = workspace / "graph" / "password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert stat.S_IMODE((workspace / "graph").stat().st_mode) == 0o700
        assert len(password.read_text()) >= 40
        listening = [
            connection.laddr.ip
            for connection in psutil.Process().net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert set(listening) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert not list((workspace / "graph").glob("**/mcp-config.json")) or all(
        json.loads(path.read_text())["enabled"] is False
        for path in (workspace / "graph").glob("**/mcp-config.json")
    )


def test_a_wrong_password_gets_nowhere(workspace: Path) -> None:
    import neo4j

    load(workspace)
    with open_store(EMBEDDED, workspace, write=False):
        (registered,) = (workspace / "graph").glob("g*/server.json")
        port = json.loads(registered.read_text())["port"]
        uri = f"bolt://127.0.0.1:{port}"
        with (
            neo4j.GraphDatabase.driver(uri, auth=("root", "guess-guess")) as driver,
            pytest.raises(neo4j.exceptions.Neo4jError),
        ):
            driver.execute_query("RETURN 1", database_="graph")


def test_a_second_process_joins_the_first_and_both_see_writes(workspace: Path) -> None:
    load(workspace)
    first = in_process(SERVE, str(workspace))
    assert line(first) == "open"
    with open_store(EMBEDDED, workspace, write=True) as store:
        assert store.run(USERS) == [{"n": PEOPLE}]
        store.write("MATCH (u:User {id: 'u_001'}) SET u.half = 'seen'")
        assert store.run("MATCH (u:User {half: 'seen'}) RETURN u.id AS id") == [{"id": "u_001"}]
    first.communicate("\n", timeout=30)
    assert first.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_who_joined_takes_over_when_the_first_process_dies(workspace: Path, how: int) -> None:
    load(workspace)
    first = in_process(SERVE, str(workspace))
    assert line(first) == "open"
    with open_store(EMBEDDED, workspace, write=False) as store:
        assert store.run(USERS) == [{"n": PEOPLE}]
        first.send_signal(how)
        first.wait(30)
        assert store.run(USERS) == [{"n": PEOPLE}]


def test_a_directory_locked_by_something_that_does_not_answer_is_a_conflict(
    workspace: Path,
) -> None:
    load(workspace)
    other = in_process(LOCK, str(workspace))
    assert line(other) == "locked"
    with pytest.raises(Conflict, match="does not answer"):
        open_store(EMBEDDED, workspace, write=False)
    other.communicate("\n", timeout=30)
    with open_store(EMBEDDED, workspace, write=False) as store:
        assert store.run(USERS) == [{"n": PEOPLE}]


def test_a_reader_keeps_its_generation_while_a_new_one_is_published(workspace: Path) -> None:
    load(workspace, "run1")
    reader = in_process(
        """
        run = "MATCH (u:User {id: 'u_001'}) RETURN u.run_id AS r"
        with open_store(EMBEDDED, workspace, write=False) as store:
            say(store.run(run)[0]["r"])
            sys.stdin.readline()
            say(store.run(run)[0]["r"])
            sys.stdin.readline()
        """,
        str(workspace),
    )
    assert line(reader) == "run1"
    load(workspace, "run2")
    assert len(directories(workspace)) == 2
    assert reader.stdin is not None
    reader.stdin.write("\n")
    reader.stdin.flush()
    assert line(reader) == "run1"
    with open_store(EMBEDDED, workspace, write=False) as fresh:
        assert fresh.is_current()
        assert fresh.watermark() == Watermark(fresh.workspace_id, "run2", "claims")
    reader.communicate("\n", timeout=30)
    with open_store(EMBEDDED, workspace, write=True):
        assert len(directories(workspace)) == 1


def test_a_load_that_is_not_completed_is_never_seen(workspace: Path) -> None:
    load(workspace, "run1")
    with open_store(EMBEDDED, workspace, write=True) as store:
        store.bulk_load(small_graph("run2"))
        store.set_watermark(Watermark(store.workspace_id, "run2"))  # claims are not written yet
        assert store.run("MATCH (u:User {id: 'u_001'}) RETURN u.run_id AS r") == [{"r": "run2"}]
    with open_store(EMBEDDED, workspace, write=True) as store:
        assert store.run("MATCH (u:User {id: 'u_001'}) RETURN u.run_id AS r") == [{"r": "run1"}]
        assert len(directories(workspace)) == 1


@pytest.mark.slow
def test_a_kill_in_the_middle_of_a_load_costs_nothing(workspace: Path) -> None:
    load(workspace, "run1")
    code = """
    with open_store(EMBEDDED, workspace, write=True) as store:
        say("loading")
        while True:
            store.bulk_load(small_graph("run2"))
            store.write_nodes("Claim", small_graph().nodes["Claim"], "run2")
    """
    for delay_s in (0.05, 0.3, 0.6, 1.0, 1.6):
        loader = in_process(code, str(workspace))
        assert line(loader) == "loading"
        time.sleep(delay_s)
        loader.kill()
        loader.wait()
        with open_store(EMBEDDED, workspace, write=True) as store:
            assert store.watermark() == Watermark(store.workspace_id, "run1", "claims")
            assert store.run(USERS) == [{"n": PEOPLE}]
        assert len(directories(workspace)) == 1


def test_what_was_acknowledged_survives_a_kill(workspace: Path) -> None:
    load(workspace)
    code = """
    with open_store(EMBEDDED, workspace, write=True) as store:
        for number in range(100_000):
            store.write("MERGE (t:Task {id: $id})", {"id": f"t{number}"})
            say(number)
    """
    writer = in_process(code, str(workspace))
    last = -1
    while last < 60:
        last = int(line(writer))
    writer.kill()
    rest = writer.communicate()[0].split()
    last = int(rest[-1]) if rest else last
    with open_store(EMBEDDED, workspace, write=False) as store:
        found = store.run("MATCH (t:Task) WHERE t.id STARTS WITH 't' RETURN count(t) AS n")
    assert found[0]["n"] in (last + 1, last + 2)


def test_two_processes_that_open_at_once_share_one_server(workspace: Path) -> None:
    load(workspace)
    processes = [in_process(SERVE, str(workspace)) for _ in range(3)]
    assert [line(process) for process in processes] == ["open"] * 3
    assert len(list((workspace / "graph").glob("g*/server.json"))) == 1
    for process in processes:
        process.communicate("\n", timeout=30)
    assert [process.returncode for process in processes] == [0, 0, 0]


def test_a_stale_registration_is_not_believed(workspace: Path) -> None:
    load(workspace)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stale = {"pid": os.getpid(), "started": 0.0, "port": taken.getsockname()[1]}
        (Generations(workspace).current() / "server.json").write_text(json.dumps(stale))
        with open_store(EMBEDDED, workspace, write=False) as store:
            assert store.run(USERS) == [{"n": PEOPLE}]


def test_the_engine_writes_its_log_into_the_workspace(workspace: Path) -> None:
    code = """
    with open_store(EMBEDDED, workspace, write=True) as store:
        store.run("graph/ready")
    """
    done = in_process(code, str(workspace))
    out, _ = done.communicate(timeout=60)
    assert out == ""
    assert list((workspace / "log").glob("arcadedb.log*"))


JOIN = """
with open_store(EMBEDDED, workspace, write=False) as store:
    say("open")
    until = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < until:
        store.run("graph/ready")
    say("fine")
"""


def test_who_joined_goes_on_when_the_process_that_served_ends_by_itself(workspace: Path) -> None:
    """As a server does when a run ends: it asks all the time, also while the run lets go."""
    load(workspace)
    with open_store(EMBEDDED, workspace, write=False):
        joined = [in_process(JOIN, str(workspace), "6") for _ in range(2)]
        assert [line(process) for process in joined] == ["open", "open"]
    assert [line(process) for process in joined] == ["fine", "fine"]
    for process in joined:
        process.communicate(timeout=30)


def test_who_could_not_take_over_tries_again_at_the_next_query(workspace: Path) -> None:
    load(workspace)
    first = in_process(SERVE, str(workspace))
    assert line(first) == "open"
    with open_store(EMBEDDED, workspace, write=False) as store:
        first.kill()
        first.wait(30)
        locker = in_process(LOCK, str(workspace))
        assert line(locker) == "locked"
        for _ in range(2):
            with pytest.raises(Conflict, match="does not answer"):
                store.run(USERS)
        locker.communicate("\n", timeout=30)
        assert store.run(USERS) == [{"n": PEOPLE}]


def test_a_process_that_ended_and_was_not_buried_serves_nobody(workspace: Path) -> None:
    load(workspace)
    first = in_process(SERVE, str(workspace))
    assert line(first) == "open"
    first.kill()
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
    with open_store(EMBEDDED, workspace, write=False) as store:
        assert store.run(USERS) == [{"n": PEOPLE}]
    first.wait()


def test_what_an_interrupted_publication_left_is_swept(workspace: Path) -> None:
    load(workspace)
    (workspace / "graph" / "current.123").write_text("g0000")
    with open_store(EMBEDDED, workspace, write=True) as store:
        assert store.run(USERS) == [{"n": PEOPLE}]
    assert not list((workspace / "graph").glob("current.*"))


LIMITED = """
import resource
from kg.errors import Unavailable
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
try:
    open_store(EMBEDDED, workspace, write=True)
except Unavailable as error:
    say(error.message + " " + error.hint)
"""


def test_a_limit_of_file_sizes_is_named(workspace: Path) -> None:
    process = in_process(LIMITED, str(workspace))
    said = line(process)
    process.communicate()
    assert "File too large" in said
    assert "ulimit -f" in said


def test_a_failure_without_words_of_ours_is_in_the_log_and_not_on_the_screen(
    tmp_path: Path,
) -> None:
    for count in (1, 2):
        told = engine_error(Exception("Odd state of row 'ann@shop.test'\nat B.java"), tmp_path)
        assert "ann@" not in f"{told} {told.hint}"
        (file,) = tmp_path.iterdir()
        assert str(file) in str(told.hint)
        assert file.read_text().count("Odd state of row 'ann@shop.test'") == count
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    full = engine_error(Exception("(caused by java.io.IOException: Disk quota exceeded)"), tmp_path)
    assert "Free some space" in str(full.hint)
