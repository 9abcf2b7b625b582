"""`personagraph personas constraints`: what the business asks, and what came of it."""

from typing import Any

from api.cli.console import escape, print_json, stdout
from api.cli.notes_on_personas import asked_for
from kg.settings import read_settings

NAMED = ("goals", "rules")
"""What has a name each, and a line."""


def constraints(workspace: str, write: bool, as_json: bool) -> None:
    """Show what holds, or write the file that asks nothing yet."""
    from kg.lake import Lake
    from kg.lake.workspace import Workspace
    from kg.personas.constraints import FILE, read, write_default
    from kg.personas.shaping import check

    path = read_settings().workspace_path(workspace)
    if write:
        Workspace.create(path)
        written = write_default(path)
        stdout().print(f"wrote {escape(str(written))}", soft_wrap=True)
        return
    with Lake.open(path) as lake:
        asked, summary = read(lake.workspace.path), lake.summary("personas")
        if lake.step_id("intents") is not None:
            check(lake, asked)
    found = asked.model_dump(mode="json", exclude_defaults=True)
    came = summary.get("constraints", {})
    if as_json:
        kept, told = summary.get("kept_by_business", []), summary.get("still_told", [])
        said = {"file": str(path / FILE), "asks": found, "came_of_it": came, "kept": kept}
        print_json(said | {"still_told": told})
        return
    console = stdout()
    for key, value in found.items():
        if key in NAMED:
            console.print(f"[bold]{key}[/]:")
            for name, one in value.items():
                console.print(f"  {escape(name)}: {escape(_said(one))}", soft_wrap=True)
        else:
            console.print(f"[bold]{key}[/]: {escape(_said(value))}", soft_wrap=True)
    if not found:
        console.print("nothing is asked")
    for line in asked_for(summary):
        console.print(escape(line), soft_wrap=True)
    console.print(f"[dim]Change it in {escape(str(path / FILE))}; the next run follows.[/]")


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_said(one)}" for name, one in value.items())
    if isinstance(value, list):
        joint = " and " if any(isinstance(one, dict) for one in value) else ", "
        return joint.join(_said(one) for one in value)
    return str(value)
