"""`personagraph personas intents`: what events came to, and what a persona's intents are."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from api import views
from api.cli.console import TerminalProgress, escape, print_json, stdout
from kg.settings import read_settings
from kg.words import some


def intents(wanted: str | None, workspace: str, as_json: bool) -> None:
    """All personas in figures, or the types of intent of one."""
    from kg.lake import Lake

    path = read_settings().workspace_path(workspace)
    with Lake.open(path) as lake, TerminalProgress().task("Counting"):
        found = views.intents(lake, wanted)
    if as_json:
        print_json(found)
    elif wanted is None:
        _show_all(stdout(), found)
    else:
        _show_one(stdout(), found)


def _show_all(console: Console, found: dict[str, Any]) -> None:
    every = found["everybody"] | {"name": "everybody, in any persona or none"}
    table = Table("intents that support", "events", "intents", "of how many events each", "types")
    table.add_column("people")
    table.add_column("intents of a person")
    for row in (every, *found["personas"]):
        table.add_row(
            escape(row["name"]),
            f"{row['events']:,}",
            f"{row['intents']:,}",
            f"{row['events_per_intent']:.2f}",
            f"{row['types']:,}",
            f"{row['people']:,}",
            f"{row['intents_per_person']:.1f}",
        )
    console.print(table)
    _show_queries(console, found, ("personas",))


def _show_one(console: Console, found: dict[str, Any]) -> None:
    console.print(f"[bold cyan]{escape(found['name'])}[/]  [dim]{found['version_id']}[/]")
    console.print(
        f"{some(found['events'], 'event')} of {some(found['people'], 'person')} came to "
        f"{some(found['intents'], 'intent')} of {some(found['types'], 'type')}: "
        f"{found['events_per_intent']:.2f} events an intent, {found['intents_per_person']:.1f} "
        "intents a person",
        soft_wrap=True,
    )
    table = Table("what they did (the line is on everybody's intents of the type)", "its people")
    table.add_column("intents")
    table.add_column("events")
    for row in found["types_told"]:
        table.add_row(
            escape(row["line"] or f"{row['verb']} {row['topic']}"),
            *(f"{row[n]:,}" for n in ("people", "intents", "events")),
        )
    console.print(table)
    if more := found["types"] - len(found["types_told"]):
        console.print(f"and {some(more, 'type')} more that fewer of its people have")
    _show_queries(console, found, ("types", "when", "items"))


def _show_queries(console: Console, found: dict[str, Any], names: Iterable[str]) -> None:
    files = ", ".join(f"cypher/{found['queries'][name]}.cypher" for name in names)
    console.print(f"[dim]counted again by {files}[/]", soft_wrap=True)
