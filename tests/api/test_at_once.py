"""Programs that use one workspace at once: each reads a whole state, none gets an error."""

import os
import signal
from collections import Counter
from pathlib import Path

import httpx
import pytest
from program import as_json, personagraph, refused, succeed
from serving import served, started
from world import EVENTS, write_story

LATE = (
    '{"messageId": "late", "type": "track", "event": "Product Viewed", "userId": "usr-mira", '
    '"timestamp": "2026-03-07T09:00:00Z", "properties": {"product_id": "LAMP"}}\n'
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_story(tmp_path / "data")
    return tmp_path / "data"


def arrives_late(data: Path) -> None:
    """A message more in the file of events, which keeps its age."""
    file = data / EVENTS
    age = file.stat().st_mtime
    file.write_text(file.read_text() + LATE)
    os.utime(file, (age, age))


def test_a_server_answers_while_a_run_writes_and_shows_its_result(
    data: Path, tmp_path: Path
) -> None:
    succeed(personagraph(tmp_path, "run", data, "-w", "w"))
    answers: Counter[tuple[int, int]] = Counter()

    def ask(client: httpx.Client) -> None:
        answer = client.get("/v1/people/user_id:usr-mira")
        answers[answer.status_code, answer.json().get("session_count", -1)] += 1

    with served(tmp_path, "w") as client:
        ask(client)
        ((_, before),) = answers
        arrives_late(data)
        with started(tmp_path, "run", data, "-w", "w") as run:
            assert run.stderr is not None
            while run.poll() is None:
                ask(client)
            assert run.returncode == 0, run.stderr.read()
        for _ in range(5):
            ask(client)  # the run's process, which held the new graph, is gone
        assert set(answers) == {(200, before), (200, before + 1)}
        assert answers[200, before + 1] >= 5


def test_two_runs_at_once_are_one_run_and_a_refusal_and_lose_nothing(
    data: Path, tmp_path: Path
) -> None:
    first, second = (started(tmp_path, "run", data, "-w", "w") for _ in range(2))
    said = {process.wait(): process.communicate()[1] for process in (first, second)}
    assert set(said) == {0, 4}
    told = [line for line in said[4].splitlines() if line.startswith(("error:", "hint:"))]
    assert len(told) == 2
    assert "is writing to" in told[0]
    steps = as_json(personagraph(tmp_path, "run", data, "-w", "w", "--json"))["steps"]
    assert all(step["skipped"] for step in steps)
    succeed(personagraph(tmp_path, "verify", "-w", "w"))


def test_a_run_that_is_interrupted_says_so_and_is_continued_by_the_next(
    data: Path, tmp_path: Path
) -> None:
    run = started(tmp_path, "run", data, "-w", "w")
    manifests = tmp_path / "w" / "runs"
    while run.poll() is None and not (manifests.is_dir() and list(manifests.glob("0*.json"))):
        pass
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 130, said
    told = [line for line in said.splitlines() if line.startswith(("error:", "hint:"))]
    assert told == ["error: Interrupted.", told[-1]]
    assert "run the same command again" in told[-1].lower()
    assert "Traceback" not in said
    refused(personagraph(tmp_path, "export", "claims", "-w", "w", "-o", tmp_path / "c.csv"), 3)
    report = as_json(personagraph(tmp_path, "run", data, "-w", "w", "--json"))
    assert report["steps"][0]["skipped"], "what was done before the interruption is kept"
    for name in ("interrupted", "whole"):
        workspace = {"interrupted": "w", "whole": "again"}[name]
        succeed(personagraph(tmp_path, "run", data, "-w", workspace))
        for export in ("records", "identities", "intents"):
            out = tmp_path / f"{name}-{export}.csv"
            succeed(personagraph(tmp_path, "export", export, "-w", workspace, "-o", out))
    for export in ("records", "identities", "intents"):
        whole, interrupted = (tmp_path / f"{n}-{export}.csv" for n in ("whole", "interrupted"))
        assert interrupted.read_text() == whole.read_text()
