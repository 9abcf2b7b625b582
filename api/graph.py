"""The graph as the doors read it: opened once, followed when a run publishes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kg.errors import Conflict, Unavailable
from kg.settings import Settings

if TYPE_CHECKING:
    from kg.store.protocol import Store


@contextmanager
def current_graph(settings: Settings, workspace: Path) -> Iterator["Store"]:
    """The graph of a workspace, checked to show all of its lake.

    Raises:
        NotFound: there is no such workspace, or no graph in it.
        Conflict: the graph is behind the lake, because a run is under way or was killed.
    """
    from kg.graph import is_behind
    from kg.lake import Lake
    from kg.store import open_store

    with Lake.open(workspace) as lake, open_store(settings, workspace, write=False) as store:
        if is_behind(lake, store):
            raise Conflict(
                "The graph is behind the lake: a run is under way or was stopped, or another "
                "version of personagraph made it.",
                hint="Wait for it, or run it again; what is done already is skipped.",
            )
        yield store


class Graph:
    """The graph of a server: every request reads one whole graph, the newest when it began."""

    def __init__(self, settings: Settings, workspace: Path) -> None:
        from kg.lake import Workspace

        self.workspace = Workspace.open(workspace)
        self._settings = settings
        self._newest = _Lent(self._open())
        self._lock = threading.Lock()

    def _open(self) -> "Store":
        from kg.store import open_store

        return open_store(self._settings, self.workspace.path, write=False)

    @contextmanager
    def reading(self) -> Iterator["Store"]:
        """The newest graph, which stays open while the block lasts, whatever a run publishes.

        Raises:
            Unavailable: no run has made it whole, and none is about to.
        """
        with self._lock:
            if not self._newest.store.is_current():
                old, self._newest = self._newest, _Lent(self._open())
                self._close_unused(old)
            lent = self._newest
            lent.readers += 1
        try:
            self._refuse_part(lent.store)
            yield lent.store
        finally:
            with self._lock:
                lent.readers -= 1
                self._close_unused(lent)

    def _refuse_part(self, store: "Store") -> None:
        """What a stopped run left of a graph answers "nothing", and that is not so."""
        watermark = store.watermark()
        if watermark is not None and watermark.claims is not None:
            return
        if store.name != "embedded" and self.workspace.writing():
            return  # until a run has ended, readers there go by the personas of the one before
        raise Unavailable(
            "The graph is not whole: a run is under way for the first time, or was stopped.",
            hint="Wait for it, or run it again; what is done already is skipped.",
        )

    def _close_unused(self, lent: "_Lent") -> None:
        if lent is not self._newest and not lent.readers:
            lent.store.close()

    def close(self) -> None:
        """Let go of the store."""
        self._newest.store.close()


@dataclass
class _Lent:
    """A store, and how many requests are reading it."""

    store: "Store"
    readers: int = 0
