"""The REST application: one workspace, its graph, problem+json for everything that goes wrong."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from api.graph import Graph
from api.rest import people, personas, problems
from api.rest.access import asked_here
from kg.settings import Settings

VERSION = "v1"


def create_app(settings: Settings, workspace: Path) -> FastAPI:
    """The application for one workspace, with its graph open.

    Raises:
        NotFound: there is no such workspace, or nothing was run in it yet.
    """
    graph = Graph(settings, workspace)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.graph = graph
        yield
        graph.close()

    app = routes()
    app.router.lifespan_context = lifespan
    return app


def routes() -> FastAPI:
    """The application without a graph: enough to describe it; its pages ask no other host."""
    app = FastAPIOffline(
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},
        title="Personagraph",
        version=VERSION,
        summary="People, the personas they hold, and claims that can be re-run.",
        dependencies=[Depends(asked_here)],
    )
    problems.install(app)
    app.include_router(people.router, prefix=f"/{VERSION}")
    app.include_router(personas.router, prefix=f"/{VERSION}")
    return app


if __name__ == "__main__":
    sys.stdout.write(json.dumps(routes().openapi(), indent=2) + "\n")
