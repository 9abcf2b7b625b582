"""What is shown of names and values from outside, and how the program ends."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from program import personagraph, refused, succeed
from rich.console import Console

from api.cli import console
from api.cli.console import TerminalProgress, escape
from api.cli.ending import CUT_SHORT, ending, is_interrupted
from api.cli.personas import claim_line, proposal, show_claims, show_proposal
from api.cli.query import _pasted
from kg.errors import InputError, NotFound, Unavailable
from kg.exports import COMPUTED, EXPORTS

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


def test_help_lists_what_can_be_exported_and_nothing_that_cannot(tmp_path: Path) -> None:
    told = set(re.findall(r"\w+", succeed(personagraph(tmp_path, "export", "--help"))))
    assert told >= set(COMPUTED)
    assert told.isdisjoint(EXPORTS.keys() - set(COMPUTED))


class _Said:
    """A lake of which some steps have said something."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said

    def summary(self, step: str) -> dict[str, Any]:
        found: dict[str, Any] = self.said.get(step, {})
        return found


def test_who_is_proposed_a_search_while_records_are_missing_is_told_to_look_first() -> None:
    hole = {"dataset": "orders", "first": "2026-06-01", "last": "2026-06-30"}
    intents = {"holes": [hole]}
    told = proposal(_Said({"personas": {"proposed": ["much is new"]}, "intents": intents}))
    assert told.startswith("A full search is proposed because much is new. That may be for want of")
    assert "orders" in told
    assert proposal(_Said({"personas": {"proposed": []}, "intents": intents})) == ""


def test_who_is_proposed_a_search_is_told_how_in_this_workspace() -> None:
    out = StringIO()
    shown = Console(file=out, width=200)
    lake = _Said({"personas": {"proposed": ["much is new"]}})
    show_proposal(shown, lake, "shop")
    show_proposal(shown, lake)
    assert "personagraph run DATA --workspace shop --search" in out.getvalue()
    assert "Run the same once more with --search." in out.getvalue()
    assert "WORKSPACE" not in out.getvalue()


def after(error: Exception, cause: BaseException | None, context: BaseException) -> Exception:
    error.__cause__, error.__context__ = cause, context
    return error


def cut_short() -> None:
    try:
        raise KeyboardInterrupt
    finally:
        raise RuntimeError("generator didn't stop after throw()")


def test_what_goes_wrong_because_of_ctrl_c_is_an_interruption() -> None:
    with pytest.raises(RuntimeError) as raised:
        cut_short()
    error: Exception = raised.value
    assert ending(error) == CUT_SHORT
    assert ending(after(NotFound("none"), None, error)) == CUT_SHORT
    assert is_interrupted(after(ValueError(), OSError(), error))
    for error in (Unavailable("away", hint="wait"), ValueError(), BrokenPipeError()):
        assert not is_interrupted(after(error, KeyError(), KeyError()))
    one = ValueError()
    assert not is_interrupted(after(one, None, after(KeyError(), None, one))), "a ring ends"
    assert ending(Unavailable("away", hint="wait")) == ("away", "wait", 6)
    assert not ending(BrokenPipeError()).message
    assert ending(MemoryError("Unable to allocate 16.0 GiB")).code == 6
    assert ending(ValueError("secret")).message == "ValueError in personagraph itself"


def test_an_output_that_takes_nothing_is_one_line(tmp_path: Path) -> None:
    def into(where: str) -> tuple[str, ...]:
        return ("sh", "-c", f'"$@" {where}', "sh")

    for more in (["--help"], ["source", "list", "--json"]):
        done = personagraph(tmp_path, *more, under=into(">/dev/full"))
        assert "No space left" in refused(done, 6)
    gone = personagraph(tmp_path, "source", "list", under=into("| true"))
    assert succeed(gone) + gone.stderr == ""
    assert succeed(personagraph(tmp_path, "source", "list", under=into(">&- 2>&-"))) == ""
    closed = personagraph(tmp_path, "verify", "-w", "none", under=into(">&- 2>&-"))
    assert closed.returncode == NotFound.exit_code


def test_a_path_under_a_claim_of_less_is_marked_and_the_table_says_the_direction() -> None:
    path = [{"label": "Session", "node_id": "s_1", "about": "web"}]
    claim = {
        "kind": "channel", "subject": "", "measure": "people with an intent here",
        "value": 0.044, "low": 0.015, "high": 0.122, "q": None, "descriptive": True,
        "people": 68, "evidence": [path],
    }  # fmt: skip
    less = {"claim_id": "c_less", "subject_label": "survey", "direction": "less"}
    more = {"claim_id": "c_more", "subject_label": "web", "direction": "more"}
    with StringIO() as written:
        told = [claim | less | {"reference_value": 0.183}, claim | more | {"reference_value": 4e-4}]
        share = more | {"claim_id": "c_all", "kind": "share", "subject_label": "people"}
        told += [claim | share | {"reference_value": None}]
        goal = more | {"claim_id": "c_goal", "kind": "goal_inside"}
        told += [claim | goal | {"reference_value": None}]
        show_claims(Console(file=written, width=140), told)
        said = written.getvalue()
    against = "c_less came through survey, somebody of whom it is not true:"
    assert f"{against}\n  (Session s_1: web)" in said
    assert "c_more came through web, because, among others:\n  (Session s_1: web)" in said
    assert "c_all of all people hold this persona, one of them, and the first intent of" in said
    assert [re.split(r"\s*│\s*", row)[2] for row in said.splitlines() if "│ c_" in row][
        -1
    ] == "goal"
    rows = [re.split(r"\s*│\s*", line)[4:6] for line in said.splitlines() if "│ c_" in line]
    assert rows[:2] == [["4.4%", "less than 18.3%"], ["4.4%", "more than 0.04%"]]


def test_a_claim_by_itself_says_what_they_did_and_against_whom() -> None:
    claim = {
        "kind": "topic", "subject": "bought tea", "subject_label": "tea", "value": 0.26,
        "low": 0.22, "high": 0.32, "reference_value": 0.68,
    }  # fmt: skip
    assert claim_line(claim) == (
        "26.0% (22.0% to 32.0%) of them bought tea, against 68.0% of equally active others"
    )
    share = claim | {"kind": "share", "subject_label": "", "reference_value": None}
    assert claim_line(share) == "26.0% (22.0% to 32.0%) of all people hold this persona"


def test_a_query_may_end_as_in_a_file_and_must_say_something() -> None:
    assert _pasted(":param a => 1;\nRETURN $a AS a;\n") == ("RETURN $a AS a", {"a": 1})
    for nothing in ("", " ;\n", "// a comment", ":param a => 1;\n"):
        with pytest.raises(InputError, match="There is no query"):
            _pasted(nothing)
