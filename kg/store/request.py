"""What crosses over to the process in which an analyst's Cypher runs."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One query of an analyst and its limits, as the process that runs it is told.

    Args:
        text: Cypher, and `params` its parameters.
        max_rows: rows returned at most.
        timeout_s: seconds it may run.
        memory_mb: MiB its process may hold.
        mark: by which what is left of it on the server is found.
        copy: embedded: the private copy of the graph that it reads, and `log` the driver's folder.
        uri: Neo4j: where it is, with `user`, `password` and whose graph it must be.
    """

    text: str
    params: dict[str, Any]
    max_rows: int
    timeout_s: float
    memory_mb: int
    mark: str
    workspace_id: str = ""
    copy: str | None = None
    log: str | None = None
    uri: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
