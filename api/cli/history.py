"""`personagraph personas history` and `list --as-of`: personas in time, to read or as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from api import views
from api.cli.console import escape, print_json, stdout
from api.cli.personas import heading, size
from kg.errors import InputError
from kg.personas.holes import Hole, days
from kg.personas.lineage import told_changes
from kg.settings import read_settings
from kg.words import WARNING, some

MOST_HOLES = 3


def list_personas_at(workspace: str, as_of: str, as_json: bool) -> None:
    """How many held each persona at a date, as a line each."""
    from kg.lake import Lake

    with Lake.open(read_settings().workspace_path(workspace)) as lake:
        found = views.personas_at(lake, *span(as_of))
    if as_json:
        print_json(found)
        return
    console = stdout()
    if not found["personas"]:
        console.print(f"nobody held a persona as of {found['as_of']}")
    for persona in found["personas"]:
        console.print(heading(persona) + ("" if persona["is_current"] else "  [dim]no more[/]"))
    for hole in found["holes"]:
        console.print(
            f"[bold yellow]{escape(WARNING + _unknown(hole, found['as_of'][:10]))}[/]",
            soft_wrap=True,
        )


def _unknown(hole: Hole, day: str) -> str:
    """What a date inside a hole cannot tell."""
    return (
        f"{hole['dataset']} has {days(hole)}: who held what on {day} is not known from it, and "
        f"counts above are by what it said before, and by the other tables. If files of these days "
        "are missing, add them and run again."
    )


def span(text: str) -> tuple[datetime, datetime]:
    """The first and last moment that a day or moment means; UTC where it names no zone.

    Raises:
        InputError: it is neither.
    """
    try:
        at = datetime.fromisoformat(text)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:  # it is beyond the year 9999 in UTC
        raise InputError(
            f"{text!r} is no date.", hint="Write it as 2026-03-31 or 2026-03-31T18:00."
        ) from error
    is_day = len(text) <= len("2026-03-31")
    return at, at + (timedelta(days=1, milliseconds=-1) if is_day else timedelta())


def show_history(wanted: str | None, workspace: str, as_json: bool) -> None:
    """Runs and personas through them, as a marketer would tell it."""
    from kg.lake import Lake

    with Lake.open(read_settings().workspace_path(workspace)) as lake:
        found = views.history(lake, wanted)
        hint = lake.run_hint() if lake.step_id("personas") is None else ""
    if as_json:
        print_json(found)
        return
    console = stdout()
    if not found["runs"]:
        console.print("no run has found a persona in this workspace yet")
        if hint:
            console.print(escape(hint), soft_wrap=True)
    for run in found["runs"]:
        console.print(_told_run(run), soft_wrap=True)
    for persona in found["personas"]:
        console.print()
        _show(console, persona)


def _told_run(run: dict[str, Any]) -> str:
    return (
        f"run {run['number']}  [dim]data up to {run['as_of'][:10]}[/]  "
        f"{some(run['personas'], 'persona')}: {told_changes(run)}{_told_holes(run['holes'])}"
    )


def _told_holes(found: list[Hole]) -> str:
    """The tables that said nothing for a while when a run looked, the newest first."""
    newest = sorted(found, key=lambda hole: hole["last"], reverse=True)
    told = [f"{escape(hole['dataset'])} had {days(hole)}" for hole in newest[:MOST_HOLES]]
    if (more := len(found) - MOST_HOLES) > 0:
        told.append(f"{some(more, 'more hole')} (--json lists them)")
    return f"  [yellow](beside a hole: {'; '.join(told)})[/]" if told else ""


def _show(console: Console, persona: dict[str, Any]) -> None:
    over = "" if persona["is_current"] else "  [dim]no more[/]"
    console.print(f"[bold cyan]{escape(persona['name'])}[/]  [dim]{persona['persona_id']}[/]{over}")
    stood = {version["number"]: version for version in persona["versions"]}
    for number in sorted(stood.keys() | {line["number"] for line in persona["became"]}):
        came, became = (
            [line for line in persona[way] if line["number"] == number]
            for way in ("came_from", "became")
        )
        if number in stood:
            version = stood[number]
            told = f"@{version['version']}  {size(version)}  "
            told += "; ".join(_told(version, came, became))
            if version["name"] != persona["name"]:
                told += f"; called {escape(version['name'])} then"
        else:
            told = "; ".join(map(_end, became))
        console.print(f"  run {number}  {told}", soft_wrap=True)


def _told(
    version: dict[str, Any], came: list[dict[str, Any]], became: list[dict[str, Any]]
) -> Iterator[str]:
    """What happened to a persona in a run, in words."""
    if version["kind"] == "split":
        yield f"was split, and keeps the larger part ({_overlap(version)})"
    elif version["kind"]:
        yield f"goes on ({_overlap(version)})"
    for line in came:
        if line["kind"] == "born":
            yield "new"
        elif line["kind"] == "split":
            yield f"split off from {_named(line)} ({_overlap(line)})"
        else:
            yield f"took in {_named(line)} ({_overlap(line)})"
    for line in became:
        yield f"a part is {_named(line)} now ({_overlap(line)})"


def _end(line: dict[str, Any]) -> str:
    if line["kind"] == "retired":
        return "retired"
    return f"became part of {_named(line)} ({_overlap(line)})"


def _named(line: dict[str, Any]) -> str:
    return f"{escape(line['name'])} [dim]{line['persona_id']}[/]"


def _overlap(line: dict[str, Any]) -> str:
    people = line["people_overlap"]
    told = f"{line['overlap']:.0%} of intents the same"
    return told if people is None else f"{told}, {people:.0%} of people"
