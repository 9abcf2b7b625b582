"""The embedded store: ArcadeDB in this process, or in one that already serves the same graph.

Nothing has to be started. The first process to open a generation serves it over Bolt on loopback
with a random password that only the workspace's owner can read; the next one joins. When the
process that serves goes away, one of those that joined takes over at its next query.
"""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil  # type: ignore[import-untyped]

from kg import queries
from kg.errors import NotFound, PersonagraphError
from kg.progress import Progress, silent
from kg.store.bolt import BoltStore, open_driver
from kg.store.bulk import create_empty, fill_new
from kg.store.communities import canonical_edges, native_leiden, numbered_by_first_member
from kg.store.engine import DATABASE, Running, start_server
from kg.store.generations import Generations, Hold
from kg.store.protocol import Rows
from kg.store.tables import GraphTables, Watermark
from kg.store.workspace import workspace_id


class Registration(NamedTuple):
    """What `server.json` in a generation says of the process that serves it."""

    pid: int
    started: float
    port: int


class EmbeddedStore(BoltStore):
    """One generation of a workspace's graph, open; see `Store` for what the methods promise."""

    name: queries.Dialect = "embedded"

    def __init__(self, workspace: Path, generations: Generations, hold: Hold) -> None:
        self._log = workspace / "log"
        self._generations = generations
        self._hold = hold
        self._following = threading.Lock()
        self._server: Running | None = None
        self._joined: Registration | None = None
        self.workspace_id = workspace_id(workspace)
        self._attach()

    def is_current(self) -> bool:
        with suppress(NotFound):
            return self._generations.current() == self._hold.path
        return False

    def bulk_load(self, graph: GraphTables, progress: Progress = silent) -> None:
        building = self._generations.build()
        try:
            fill_new(building.path, graph, self._log, progress)
            self._generations.finish(building)
        except BaseException:
            building.release()
            self._generations.sweep()
            raise
        self._detach()
        self._hold = building
        self._attach()
        self.migrate()

    def set_watermark(self, watermark: Watermark) -> None:
        super().set_watermark(watermark)
        if watermark.claims is not None and not self.is_current():
            self._generations.publish(self._hold.path)
            self._generations.sweep()

    def leiden(
        self,
        n: int,
        source: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        resolution: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        edges = canonical_edges(source, target, weight)
        return numbered_by_first_member(native_leiden(n, *edges, resolution=resolution, seed=seed))

    def close(self) -> None:
        self._detach()

    def _managed(self, query: queries.Query, params: dict[str, Any], access: str) -> Rows:
        self._follow()
        return super()._managed(query, params, access)

    def _auto_commit(self, text: str, params: dict[str, Any]) -> Rows:
        self._follow()
        return super()._auto_commit(text, params)

    def _follow(self) -> None:
        """Take over, or join the next one, when the process that served this graph is gone."""
        if self._joined is None:
            return
        with self._following:  # threads share a store
            if self._joined is not None and _registered(self._hold.path) != self._joined:
                self._driver.close()
                self._attach()

    def _attach(self) -> None:
        generation = self._hold.path
        password = self._generations.password()
        with self._generations.opening(generation):
            self._joined = _registered(generation)
            if self._joined is None:
                self._server = start_server(generation, password, self._log)
                _register(generation, self._server.port)
        port = self._joined.port if self._joined else self._port()
        try:
            driver = open_driver(f"bolt://127.0.0.1:{port}", ("root", password))
        except PersonagraphError:
            self._detach()
            raise
        super().__init__(driver, DATABASE, self.workspace_id)

    def _port(self) -> int:
        assert self._server is not None  # noqa: S101 - set by the only caller
        return self._server.port

    def _detach(self) -> None:
        with suppress(AttributeError):  # the driver is not there when opening failed
            self._driver.close()
        if self._server is not None:
            with suppress(FileNotFoundError):
                (self._hold.path / "server.json").unlink()
            self._server.server.stop()
            self._server = None
        self._hold.release()


def _registered(generation: Path) -> Registration | None:
    """The process that serves a generation, if it is still the same and alive."""
    try:
        found = Registration(**json.loads((generation / "server.json").read_text()))
        alive = abs(psutil.Process(found.pid).create_time() - found.started) < 1.0
    except (FileNotFoundError, ValueError, TypeError, psutil.Error):
        return None
    return found if alive else None


def _register(generation: Path, port: int) -> None:
    started = psutil.Process().create_time()
    text = json.dumps(Registration(os.getpid(), started, port)._asdict())
    fresh = generation / f"server.{os.getpid()}"
    fresh.write_text(text)
    fresh.replace(generation / "server.json")


def open_embedded(workspace: Path, *, write: bool) -> EmbeddedStore:
    """Open the current generation of a workspace's graph; for writing, make an empty first one.

    Raises:
        NotFound: there is no graph and `write` is false.
        Conflict: a process has it open that does not answer.
    """
    generations = Generations(workspace)
    if write and not (generations.root / "current").exists():
        building = generations.build()
        create_empty(building.path, workspace / "log")
        generations.publish(generations.finish(building))
        building.release()
    if write:
        generations.sweep()
    store = EmbeddedStore(workspace, generations, generations.hold())
    if write:
        store.migrate()
    return store
