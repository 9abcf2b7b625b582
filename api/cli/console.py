"""What a person sees: tables and progress on a terminal, plain lines anywhere else.

Results go to standard output; progress, notes and errors go to standard error, so that
`--json` can be piped.
"""

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich import markup
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from kg.errors import Unavailable

PLAIN_WIDTH = 110
LONG_STEP_SECONDS = 1.0
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000))
_DIRECTIONS = (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_STEERING = {one: "\ufffd" for one in (*_CONTROLS, *_DIRECTIONS) if chr(one) not in "\t\n"}


def stdout() -> Console:
    """Where results go; tables keep a readable width when piped."""
    return _console(sys.stdout)


def stderr() -> Console:
    """Where progress and errors go."""
    return _console(sys.stderr)


def _console(stream: Any) -> Console:
    terminal = stream.isatty()
    width = None if terminal else PLAIN_WIDTH
    return Console(file=stream, highlight=False, emoji=False, width=width)


def escape(text: str) -> str:
    """A text from outside as it stands: it neither marks itself up nor steers the terminal.

    Marks of direction, which show a text in another order than it has, steer as controls do.
    """
    return markup.escape(_still(text))


def _still(text: str) -> str:
    return text.translate(_STEERING)


class _Output(io.FileIO):
    """Standard output, which says once that it takes no more; what comes later is dropped."""

    _is_over = False

    def write(self, data: Any, /) -> int:
        if self._is_over:  # Python flushes once more when it ends
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except BrokenPipeError:
            self._is_over = True
            raise
        except OSError as error:
            self._is_over = True
            raise Unavailable(
                f"Standard output cannot be written: {os.strerror(error.errno or 0)}.",
                hint="Make room there, or send it elsewhere.",
            ) from error


def prepare_streams() -> None:
    """Have what standard output refuses be our error; a reader that went away stays itself.

    What the caller has closed takes everything, silently.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - kept
    raw = _Output(sys.stdout.fileno(), "w", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=sys.stdout.encoding,
        errors=sys.stdout.errors,
        line_buffering=raw.isatty(),
    )


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    import orjson

    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class _Bar:
    def __init__(self, progress: Progress, task_id: Any) -> None:
        self._progress, self._task_id = progress, task_id

    def advance(self, count: float = 1) -> None:
        self._progress.advance(self._task_id, count)


class _Line:
    def advance(self, count: float = 1) -> None:
        del count


class TerminalProgress:
    """Bars with rate and remaining time on a terminal; one line per long step elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or stderr()
        self._live: Progress | None = None

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator[_Bar | _Line]:
        if not self._console.is_terminal:
            started = time.monotonic()
            yield _Line()
            seconds = time.monotonic() - started
            if seconds >= LONG_STEP_SECONDS:
                self._console.print(f"{escape(description)}: {seconds:.1f} s")
            return
        if self._live is not None:
            yield from self._bar(self._live, description, total)
            return
        with _bars(self._console) as self._live:
            yield from self._bar(self._live, description, total)
        self._live = None

    def say(self, message: str) -> None:
        self._console.print(escape(message), soft_wrap=True)

    @staticmethod
    def _bar(live: Progress, description: str, total: float | None) -> Iterator[_Bar]:
        task_id = live.add_task(_still(description), total=total)
        yield _Bar(live, task_id)
        if total is None:
            live.update(task_id, total=1, completed=1)


def _bars(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", markup=False),  # it may name a file
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        console=console,
    )
