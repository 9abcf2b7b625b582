"""`personagraph personas`: the personas of a workspace, to read or as JSON."""

from typing import Any

from rich.console import Console
from rich.table import Table

from api import views
from api.cli.console import escape, print_json, stdout
from kg.settings import read_settings

KEPT_SENTENCES = 4
SEARCH_HINT = "personagraph run DATA -w WORKSPACE --search"


def list_personas(workspace: str, as_json: bool) -> None:
    """Every persona in a few lines: name, share with interval, what sets it apart."""
    from kg.lake import Lake

    lake = Lake.open(read_settings().workspace_path(workspace))
    found = views.personas(lake)
    if as_json:
        print_json(found)
        return
    console = stdout()
    if not found:
        console.print(nothing_found(lake.summary("personas")))
    for persona in found:
        show_summary(console, persona)
    show_proposal(console, lake.summary("personas"))


def proposal(summary: dict[str, Any]) -> str:
    """Why a full search is proposed, in a sentence; empty: it is not."""
    reasons = summary.get("proposed", [])
    return f"A full search is proposed because {'; and '.join(reasons)}." if reasons else ""


def show_proposal(console: Console, summary: dict[str, Any]) -> None:
    """The proposal and how to follow it, if there is one."""
    if told := proposal(summary):
        console.print(f"[yellow]{escape(told)}[/]", soft_wrap=True)
        console.print(f"[dim]{SEARCH_HINT}[/]", soft_wrap=True)


def nothing_found(summary: dict[str, Any]) -> str:
    """Why there are no personas, in a sentence; a legal answer."""
    if not summary:
        return "no run has looked for personas in this workspace yet"
    return "no persona: no group of intents recurs in the same people more than chance would do"


def show_summary(console: Console, persona: dict[str, Any]) -> None:
    """A persona in a few lines."""
    low, high = persona["share_low"], persona["share_high"]
    console.print(
        f"[bold cyan]{escape(persona['name'])}[/]  [dim]{persona['persona_id']}"
        f"@{persona['version']}[/]  {persona['share']:.0%} of people "
        f"({low:.1%} to {high:.1%}; {persona['people']:,} of {persona['population']:,})"
    )
    apart = [s for s in persona["sentences"] if "of all people hold" not in s["text"]]
    for sentence in apart[:KEPT_SENTENCES]:
        console.print(f"  • {escape(sentence['text'])}", soft_wrap=True)
    if persona["sentences"] and not apart:
        from kg.personas.statistics import MIN_PEOPLE

        console.print(
            "  [dim]Nothing more is stated: of the people who test claims fewer than "
            f"{MIN_PEOPLE} hold it.[/]",
            soft_wrap=True,
        )
    console.print()


def show_persona(wanted: str, workspace: str, as_json: bool) -> None:
    """One persona with its claims, evidence and queries."""
    from kg.lake import Lake

    persona = views.one_persona(Lake.open(read_settings().workspace_path(workspace)), wanted)
    if as_json:
        print_json(persona)
        return
    console = stdout()
    show_summary(console, persona | {"sentences": []})
    console.print(escape(persona["summary"]), soft_wrap=True)
    for sentence in persona["sentences"]:
        cited = " ".join(sentence["claims"])
        console.print(f"  • {escape(sentence['text'])} [dim]{cited}[/]", soft_wrap=True)
    console.print()
    console.print(claim_table(persona["claims"]))
    for claim in persona["claims"]:
        if claim["evidence"]:
            console.print(f"[bold]{claim['claim_id']}[/] {escape(claim['subject_label'])}")
            show_path(console, claim["evidence"][0])
    console.print(
        "[dim]run a claim again: personagraph verify; read its query: cypher/<query>.cypher[/]"
    )


def claim_table(claims: list[dict[str, Any]]) -> Table:
    """Claims with value, reference and interval."""
    table = Table(
        "claim", "kind", "subject", "value", "equally active others", "95 % interval", "q", "people"
    )
    for claim in claims:
        reference, q = claim["reference_value"], claim["q"]
        table.add_row(
            claim["claim_id"],
            claim["kind"],
            escape(claim["subject_label"]),
            f"{claim['value']:.1%}",
            "" if reference is None else f"{reference:.1%}",
            f"{claim['low']:.1%} to {claim['high']:.1%}",
            "descriptive" if claim["descriptive"] else ("" if q is None else f"{q:.2g}"),
            f"{claim['people']:,}",
        )
    return table


def show_path(console: Console, path: list[dict[str, str]]) -> None:
    """An evidence path, node by node."""
    from kg.personas.evidence import relations

    links = [*relations([step["label"] for step in path]), ""]
    for indent, (step, link) in enumerate(zip(path, links, strict=True)):
        gap = "   " * indent
        console.print(
            f"  {gap}({step['label']} [cyan]{escape(step['node_id'])}[/])", soft_wrap=True
        )
        if link:
            console.print(f"  {gap} └ {escape(link)}")
    console.print()
