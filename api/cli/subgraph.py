"""`personagraph personas subgraph` and `map`: what a persona is made of, and all in a picture."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from api import views
from api.cli.console import TerminalProgress, escape, print_json, stderr, stdout
from kg.errors import NotFound
from kg.personas.statistics import MIN_PEOPLE
from kg.settings import read_settings
from kg.words import some

if TYPE_CHECKING:
    from kg.lake import Lake
    from kg.personas.figures import Bridge, Figures, Hub

SHOWN_BRIDGES = 10


def subgraph(wanted: str, workspace: str, out: Path | None, as_json: bool) -> None:
    """Write the subgraph of a persona, or show it in figures."""
    from kg.lake import Lake
    from kg.personas.figures import figures
    from kg.personas.subgraph import subgraph as induced
    from kg.personas.subgraph import version_in_force

    with Lake.open(read_settings().workspace_path(workspace)) as lake:
        persona = views.named_persona(lake, wanted)
        version_id = version_in_force(lake, persona["persona_id"])
        if out is not None:
            _write(lake, version_id, out, as_json)
            return
        with TerminalProgress().task("Counting"):
            found = figures(lake, induced(lake, version_id))
    if as_json:
        print_json(asdict(found) | {"name": persona["name"]})
        return
    show(stdout(), persona["name"], found)


def _write(lake: "Lake", version_id: str, out: Path, as_json: bool) -> None:
    from kg.personas.subgraph import check_target, save
    from kg.personas.subgraph import subgraph as induced

    check_target(out)
    with TerminalProgress().task("Writing"):
        nodes, edges = save(lake, induced(lake, version_id), out)
    if as_json:
        print_json({"version_id": version_id, "out": str(out), "nodes": nodes, "edges": edges})
        return
    stderr().print(
        f"{some(nodes, 'node')} and {some(edges, 'edge')} of {version_id} written to "
        f"{escape(str(out))}"
    )


def show(console: Console, name: str, found: "Figures") -> None:
    """The figures of a subgraph, to read."""
    console.print(
        f"[bold cyan]{escape(name)}[/]  [dim]{found.version_id}[/]  "
        f"{found.people:,} of {found.population:,} people"
    )
    nodes = ", ".join(f"{count:,} {label}" for label, count in found.nodes.items())
    types = [row["type"] for row in found.edges]
    edges = ", ".join(
        f"{row['edges']:,} {row['type']}"
        + (f" ({row['start']} to {row['end']})" if types.count(row["type"]) > 1 else "")
        for row in found.edges
    )
    console.print(f"nodes    {nodes}", soft_wrap=True)
    console.print(f"edges    {edges}", soft_wrap=True)
    console.print(
        f"density  {found.density:.2g} of all ordered pairs of nodes; {found.topic_density:.1%} of "
        f"all pairs of one of its people and one of its {some(found.topics, 'topic')}",
        soft_wrap=True,
    )
    for what, hubs in (("topics", found.topic_hubs), ("items", found.item_hubs)):
        if hubs:
            console.print(_hubs(what, hubs))
        else:
            console.print(f"no hub among {what}: fewer than {MIN_PEOPLE} of its people meet in any")
    if found.bridges:
        console.print(_bridges(found.bridges))
    console.print("[dim]every count is that of a query: cypher/persona/subgraph_*.cypher[/]")


def _hubs(what: str, hubs: "tuple[Hub, ...]") -> Table:
    from kg.personas.sentences import percent

    table = Table(f"hubs: {what}", "its people", "share", "of all people", "lift")
    for hub in hubs:
        table.add_row(
            escape(hub.label),
            f"{hub.people:,}",
            f"{percent(hub.share)}%",
            f"{percent(hub.everybody_share)}%",
            f"{hub.lift:.1f}",
        )
    return table


def _bridges(bridges: "tuple[Bridge, ...]") -> Table:
    table = Table("bridges to", "in common", "by chance", "lift", "q", "topics done for both")
    for bridge in bridges[:SHOWN_BRIDGES]:
        topics = [f"{t.label} ({t.people:,}; {t.lift:.1f}x)" for t in bridge.joining]
        table.add_row(
            escape(bridge.name),
            f"fewer than {MIN_PEOPLE}" if bridge.people is None else f"{bridge.people:,}",
            f"{bridge.expected:,.1f}",
            "" if bridge.lift is None else f"{bridge.lift:.2f}",
            "" if bridge.q is None else f"{bridge.q:.2g}",
            escape(", ".join(topics)),
        )
    return table


def draw_map(workspace: str, out: Path, as_json: bool) -> None:
    """Write the map of a workspace's personas as SVG or HTML, by suffix."""
    from api.picture.page import check_picture, picture
    from kg.lake import Lake
    from kg.lake.disk import on_disk, write_whole
    from kg.personas.atlas import atlas

    check_picture(out)
    with Lake.open(read_settings().workspace_path(workspace)) as lake:
        views.refuse_unlooked(lake)
        with TerminalProgress().task("Drawing"):
            found = atlas(lake)
            if not found.personas:
                raise NotFound(
                    f"There is nothing to draw: no persona here is held by {MIN_PEOPLE} people.",
                    hint=f"`{lake.workspace.command('personas list')}` says why.",
                )
            text = picture(found, lake.workspace.path.name, out.suffix)
        with on_disk(out):
            write_whole(out, text.encode())
    if as_json:
        print_json({"personas": len(found.personas), "out": str(out)})
        return
    stderr().print(f"{some(len(found.personas), 'persona')} drawn to {escape(str(out))}")
