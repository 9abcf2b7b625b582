"""Who a workspace is, as a graph database is told."""

import hashlib
from pathlib import Path


def workspace_id(workspace: Path) -> str:
    """A workspace's own id: of its key, so that a moved or restored workspace keeps it.

    A folder without a key (no lake was made there yet) goes by its path.
    """
    key = workspace / "key"
    secret = key.read_bytes() if key.exists() else str(workspace.resolve()).encode()
    return hashlib.sha256(b"personagraph workspace\0" + secret).hexdigest()[:16]
