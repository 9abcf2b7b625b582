"""How a command ends that could not do what was asked: one line, a hint, a code of its own."""

from typing import NamedTuple

import typer

from kg.errors import PersonagraphError, Unavailable

INTERRUPTED = 130
BROKEN_PIPE = 141


class Ending(NamedTuple):
    """What is said on standard error (nothing where `message` is empty), and the exit code."""

    message: str
    hint: str | None
    code: int


CUT_SHORT = Ending(
    "Interrupted.", "Nothing is lost: run the same command again to go on.", INTERRUPTED
)
_SILENT = Ending("", None, BROKEN_PIPE)
_NO_MEMORY = Ending(
    "The memory of this machine is too small for it.",
    "Nothing is lost: end other programs, and run the same command again to go on.",
    Unavailable.exit_code,
)


def ending(error: Exception) -> Ending:
    """How an error that reached the last door is told."""
    if is_interrupted(error):
        return CUT_SHORT
    if isinstance(error, BrokenPipeError):
        return _SILENT
    if isinstance(error, PersonagraphError):
        return Ending(error.message, error.hint, error.exit_code)
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, typer.TyperException):
        return _misused(error)
    return Ending(
        f"{type(error).__name__} in personagraph itself",
        "run it again with `personagraph --debug ...` and report the trace",
        1,
    )


def is_interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C is behind an error: it may land in a block whose own end then fails."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, KeyboardInterrupt):
            return True
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            waiting += [one.__cause__, one.__context__]
    return False


def _misused(error: typer.TyperException) -> Ending:
    """An option or argument that is wrong; without any, the help has been shown already."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "personagraph"
    return Ending(message, f"{command} --help shows how it is called.", error.exit_code)
