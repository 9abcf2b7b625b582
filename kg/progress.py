"""How long work tells how far it is; doors draw it (rich), everyone else is silent."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Task(Protocol):
    """One long step under way."""

    def advance(self, count: float = 1) -> None:
        """`count` more units are done."""


class Progress(Protocol):
    """Where steps announce long work."""

    def task(self, description: str, total: float | None = None) -> AbstractContextManager[Task]:
        """Announce a step of `total` units (None: unknown); leaving the block ends it."""

    def say(self, message: str) -> None:
        """Something a user should know now, in a sentence without personal data."""


class _Silent:
    def task(self, description: str, total: float | None = None) -> AbstractContextManager[Task]:
        del description, total
        return nullcontext(self)

    def say(self, message: str) -> None:
        del message

    def advance(self, count: float = 1) -> None:
        del count


silent: Progress = _Silent()
unwatched: Task = _Silent()
