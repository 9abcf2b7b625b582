"""What routes depend on."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.graph import Graph
from kg.errors import NotAllowed
from kg.lake import Lake
from kg.store.protocol import Store

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def asked_here(request: Request) -> None:
    """Refuse what a page of another site asks through its visitor's browser (DNS rebinding).

    Raises:
        NotAllowed: the request names another host than this machine.
    """
    if _host(request.headers.get("host", "")) not in LOOPBACK:
        raise NotAllowed(
            "Only this machine is answered, by its own name.", hint="Ask 127.0.0.1 or localhost."
        )


def _host(header: str) -> str:
    """The name in a Host header; of one that names nothing, nothing (`request.url` would say where
    the server is)."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def graph_of(request: Request) -> Graph:
    """The graph of the workspace that this server answers for."""
    graph: Graph = request.app.state.graph
    return graph


def store_of(graph: Annotated[Graph, Depends(graph_of)]) -> Iterator[Store]:
    """The store of that graph, the same one for the whole of a request."""
    with graph.reading() as store:
        yield store


def lake_of(graph: Annotated[Graph, Depends(graph_of)]) -> Iterator[Lake]:
    """The lake of that workspace as its newest run left it; not shared with other requests."""
    with Lake.open(graph.workspace.path) as lake:
        yield lake
