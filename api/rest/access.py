"""What routes depend on."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from api.graph import Graph
from kg.lake import Lake
from kg.store.protocol import Store


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
