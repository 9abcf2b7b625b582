"""`personagraph serve`: the REST door, on loopback."""

import socket
from contextlib import suppress

from api.cli.console import escape, stderr
from kg.errors import Conflict
from kg.settings import read_settings


def serve(workspace: str, port: int) -> None:
    """Answer until interrupted.

    Raises:
        Conflict: the port is taken.
    """
    import uvicorn

    from api.app import create_app

    settings = read_settings()
    app = create_app(settings, settings.workspace_path(workspace))
    with _loopback(port) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        stderr().print(
            f"{escape(workspace)} is served at {address}, its API described at {address}/docs"
        )
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        with suppress(KeyboardInterrupt):  # how a server is ended
            uvicorn.Server(config).run(sockets=[listener])


def _loopback(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        state = "may not be used" if isinstance(error, PermissionError) else "is taken"
        raise Conflict(
            f"Port {port} on loopback {state}.", hint="Choose another; --port 0 takes any free one."
        ) from error
    return listener
