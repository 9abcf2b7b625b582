"""Standard error of a process in which native code writes to it as well.

The engine's runtime prints to descriptor 2, from threads of its own and past every setting of its
log: some thirty lines of trace when its log file cannot be written. So the two are told apart:
Python writes to a copy of the descriptor, and the descriptor itself goes to a file.
"""

import os
import sys
from pathlib import Path
from typing import Any

FILE = "stderr.log"
_python: list[Any] = []  # Python's own stream, where the two are apart


def keep_apart() -> None:
    """Have Python write its standard error to a descriptor of its own; nobody sees a difference.

    To be called by a program, before anything holds `sys.stderr`.
    """
    if sys.stderr is None or _python:  # closed, or done already
        return
    own = os.dup(sys.stderr.fileno())
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    _python.append(open(own, "w", buffering=1, encoding=encoding, errors=errors))  # noqa: SIM115
    sys.stderr = _python[0]


def send_native(log: Path) -> None:
    """Append what native code says from now on to a file in `log`, where the two are apart.

    A disk that takes no file takes no word of it either; what it refused is told as an error.
    """
    if not _python:
        return
    try:
        target = os.open(log / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        target = os.open(os.devnull, os.O_WRONLY)
    os.dup2(target, 2)
    os.close(target)
