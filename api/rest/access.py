"""What routes depend on."""

from fastapi import Request

from api.graph import Graph


def graph_of(request: Request) -> Graph:
    """The graph of the workspace that this server answers for."""
    graph: Graph = request.app.state.graph
    return graph
