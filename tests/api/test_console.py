"""What a person presses and sees."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from api.cli import console


@pytest.fixture
def heeding() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    console.heed_interrupts()
    yield
    signal.signal(signal.SIGINT, before)
    console._asked["to_end"] = False


@pytest.mark.usefixtures("heeding")
def test_an_interruption_that_a_library_swallows_is_raised_again() -> None:
    progress = console.TerminalProgress()
    with progress.task("Before") as task:
        task.advance()
        with suppress(KeyboardInterrupt):  # as libraries do
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 1)
        with pytest.raises(KeyboardInterrupt):
            task.advance()
    with pytest.raises(KeyboardInterrupt), progress.task("After"):
        pass
