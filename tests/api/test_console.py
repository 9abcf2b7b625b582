"""What is shown of names and values from outside, and how the program ends; in this process."""

from io import StringIO

import pytest
from rich.console import Console

from api.cli import console
from api.cli.console import TerminalProgress, escape

HOSTILE = "shop[bold red] q[/]z :smile: a\x1b[2Jb\u202ec\u2067d\u200fe"
STILL = "shop[bold red] q[/]z :smile: a\ufffd[2Jb\ufffdc\ufffdd\ufffde"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_step_that_names_a_file_shows_the_name_as_it_is(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(console, "LONG_STEP_SECONDS", 0.0)
    out = StringIO()
    shown = Console(file=out, force_terminal=terminal, color_system=None, emoji=False, width=200)
    with TerminalProgress(shown).task(HOSTILE):
        pass
    assert STILL in out.getvalue()


def test_a_value_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.stdout().print(escape(HOSTILE))
    assert capsys.readouterr().out == STILL + "\n"
