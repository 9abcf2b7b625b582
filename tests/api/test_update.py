"""New records in a workspace that has personas: updated by their rule, killed and continued."""

import gzip
import os
import shutil
import signal
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from program import PROGRAM, SimulatedWorld, as_json, personagraph, succeed

EXPORTS = ("intents", "memberships", "holdings", "personas", "descent", "claims")
LINES = 400


@pytest.fixture(scope="module")
def more(world: SimulatedWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's files and one more, of the same people a day after the last event."""
    data = shutil.copytree(world.data, tmp_path_factory.mktemp("more") / "data")
    last = sorted((data / "segment").glob("*.gz"))[-1]
    messages = [
        orjson.loads(line) for line in gzip.decompress(last.read_bytes()).splitlines()[:LINES]
    ]
    late = [orjson.dumps(_a_day_later(message)) for message in messages]
    (last.parent / "later.jsonl.gz").write_bytes(gzip.compress(b"\n".join(late), mtime=0))
    return data


def _a_day_later(message: dict[str, str]) -> dict[str, str]:
    later = {
        name: (datetime.fromisoformat(message[name]) + timedelta(days=1)).isoformat()
        for name in ("timestamp", "sentAt", "receivedAt", "originalTimestamp")
        if name in message
    }
    return message | later | {"messageId": f"{message['messageId']}-later"}


def _exports(home: Path, out: Path) -> dict[str, str]:
    out.mkdir()
    for name in EXPORTS:
        succeed(personagraph(home, "export", name, "-w", "shop", "-o", out / f"{name}.csv"))
    return {name: (out / f"{name}.csv").read_text() for name in EXPORTS}


@pytest.mark.slow
def test_new_records_update_the_personas_and_a_killed_update_ends_the_same(
    home: Path, more: Path, tmp_path: Path
) -> None:
    for name in ("whole", "killed"):
        shutil.copytree(home / "shop", tmp_path / name / "shop")
    before = as_json(personagraph(tmp_path / "whole", "personas", "list", "-w", "shop", "--json"))
    told = succeed(personagraph(tmp_path / "whole", "run", more, "-w", "shop"))
    assert told.startswith("Personas were updated by the rule they have, without a search")
    after = as_json(personagraph(tmp_path / "whole", "personas", "list", "-w", "shop", "--json"))
    assert {(p["persona_id"], p["version"]) for p in after} <= {
        (p["persona_id"], p["version"]) for p in before
    }
    names = {p["persona_id"]: p["name"] for p in before}
    is_kept = "least half of the holders do" not in told
    assert not is_kept or all(p["name"] == names[p["persona_id"]] for p in after)
    assert sum(p["intents"] for p in after) > sum(p["intents"] for p in before)
    for pause in (6.0, 14.0):
        process = subprocess.Popen(
            [str(PROGRAM), "run", str(more), "-w", "shop"],
            env=os.environ | {"PERSONAGRAPH_HOME": str(tmp_path / "killed")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(pause)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    succeed(personagraph(tmp_path / "killed", "run", more, "-w", "shop"))
    exports = _exports(tmp_path / "killed", tmp_path / "a")
    assert exports == _exports(tmp_path / "whole", tmp_path / "b")
    again = as_json(personagraph(tmp_path / "killed", "run", more, "-w", "shop", "--json"))
    assert again["personas"] == "Nothing is new: the personas are as they were."
    assert all(step["skipped"] for step in again["steps"])
    succeed(personagraph(tmp_path / "killed", "verify", "-w", "shop"))
    looked = as_json(personagraph(tmp_path / "killed", "doctor", "-w", "shop", "--json"))
    assert "personas" in {one["what"] for one in looked}
