"""Graph stores: one interface, one driver, two places where the graph can live."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kg.settings import Settings
    from kg.store.protocol import Store


def open_store(settings: "Settings", workspace: Path, *, write: bool) -> "Store":
    """Open the graph of a workspace where the settings say it lives.

    Args:
        settings: `store`, and for Neo4j its address and login.
        workspace: the workspace's folder.
        write: prepare for writing: make what is missing, and refuse another's database.

    Raises:
        NotFound: nothing was loaded yet (embedded, not for writing).
        Conflict: another process or another workspace has it.
        InputError: the login is wrong, or the server too old or without GDS.
        Unavailable: nothing answers.
    """
    if settings.store == "embedded":
        from kg.store.embedded import open_embedded

        return open_embedded(workspace, write=write)
    from kg.store.neo4j import open_neo4j
    from kg.store.workspace import workspace_id

    return open_neo4j(settings, workspace_id(workspace), write=write)
