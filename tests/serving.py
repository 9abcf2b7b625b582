"""The program left running: a server with a client of it, or a run that others go on beside."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from program import PROGRAM


def started(home: Path, *arguments: str | Path) -> "subprocess.Popen[str]":
    """The program as a terminal starts it; tests in the background would pass on that Ctrl-C is
    ignored."""
    return subprocess.Popen(
        [str(PROGRAM), *map(str, arguments)],
        env=os.environ | {"PERSONAGRAPH_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@contextmanager
def served(home: Path, workspace: str) -> Iterator[httpx.Client]:
    """A client of a server on a free port, which answers for a workspace under `home`."""
    with started(home, "serve", "-w", workspace, "--port", "0") as server:
        assert server.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stderr.readline())
        assert found
        with httpx.Client(
            base_url=found[0], timeout=60, transport=httpx.HTTPTransport(retries=5)
        ) as client:
            yield client
        server.send_signal(signal.SIGINT)
        assert "Traceback" not in server.stderr.read()
