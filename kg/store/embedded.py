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
from kg.lake.disk import on_disk
from kg.processes import began_at
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
        try:
            self._attach()
        except BaseException:
            self._detach()
            raise

    def is_current(self) -> bool:
        with suppress(NotFound):
            return self._generations.current() == self._hold.path
        return False

    def bulk_load(self, graph: GraphTables, progress: Progress = silent) -> None:
        with on_disk(self._generations.root):
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
            with on_disk(self._generations.root):
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
        try:
            return super()._managed(query, params, access)
        except PersonagraphError:  # a server that is ending even refuses its own password
            if not self._is_alone():
                raise
        self._follow()
        return super()._managed(query, params, access)

    def _auto_commit(self, text: str, params: dict[str, Any]) -> Rows:
        self._follow()
        return super()._auto_commit(text, params)

    def _follow(self) -> None:
        """Take over, or join the next one, when the process that served this graph is gone.

        Where that fails it is tried again at the next query.
        """
        if self._is_alone():
            with self._following:  # threads share a store
                if self._is_alone():
                    self._driver.close()
                    self._attach()

    def _is_alone(self) -> bool:
        """Whether neither this process nor the one that it joined serves the graph."""
        if self._server is not None:
            return False
        return self._joined is None or _registered(self._hold.path) != self._joined

    def _attach(self) -> None:
        generation = self._hold.path
        password = self._generations.password()
        try:
            with on_disk(generation), self._generations.opening(generation):
                self._joined = _registered(generation)
                if self._joined is None:
                    self._server = start_server(generation, password, self._log)
                    _register(generation, self._server.port)
                port = self._joined.port if self._joined else self._port()
                driver = open_driver(f"bolt://127.0.0.1:{port}", ("root", password))
        except PersonagraphError:
            self._joined = None
            self._stop()
            raise
        super().__init__(driver, DATABASE, self.workspace_id)

    def _port(self) -> int:
        assert self._server is not None  # noqa: S101 - set by the only caller
        return self._server.port

    def _detach(self) -> None:
        with suppress(AttributeError):  # the driver is not there when opening failed
            self._driver.close()
        self._stop()
        self._hold.release()

    def _stop(self) -> None:
        """End the server of this process; who wants to serve next waits until it has let go."""
        if self._server is None:
            return
        ended, self._server = self._server, None
        try:
            with self._generations.opening(self._hold.path):
                (self._hold.path / "server.json").unlink(missing_ok=True)
                ended.server.stop()
        except FileNotFoundError:  # the whole directory is gone
            ended.server.stop()


def _registered(generation: Path) -> Registration | None:
    """The process that serves a generation, if it is still the same and alive."""
    try:
        found = Registration(**json.loads((generation / "server.json").read_text()))
        began = began_at(found.pid)
        alive = began is not None and abs(began - found.started) < 1.0
    except (FileNotFoundError, ValueError, TypeError):
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
        Unavailable: its folder may not be written, or the disk is full.
    """
    generations = Generations(workspace)
    with on_disk(generations.root):
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
