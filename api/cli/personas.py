"""`personagraph personas`: the personas of a workspace, to read or as JSON."""

from typing import Any

from rich.console import Console
from rich.table import Column, Table

from api import views
from api.cli.console import escape, print_json, stdout
from api.cli.notes_on_personas import giant, how_firm, little, tried_in_vain, why_so_many
from api.cli.notes_on_records import of_topics
from kg.errors import NotFound
from kg.personas.holes import holes, tables
from kg.settings import read_settings
from kg.words import command

KEPT_SENTENCES = 4


def list_personas(workspace: str, verbose: bool, as_json: bool) -> None:
    """Every persona in a few lines: name, share with interval, what sets it apart.

    `verbose`: why there are as many.
    """
    from kg.lake import Lake

    lake = Lake.open(read_settings().workspace_path(workspace))
    found = views.personas(lake)
    if as_json:
        print_json(found)
        return
    console = stdout()
    if verbose and found:
        console.print(f"{why_so_many(lake.summary('personas'))}\n", soft_wrap=True)
    if not found:
        console.print(escape(nothing_found(lake.summary("personas"))), soft_wrap=True)
    if verbose and not found and (told := tried_in_vain(lake.summary("personas"))):
        console.print(told, soft_wrap=True)
    if lake.step_id("personas") is None:
        console.print(escape(lake.run_hint()), soft_wrap=True)
    if any(persona["author"] is None for persona in found):
        console.print(f"{escape(_unstated(lake))}\n", soft_wrap=True)
    searched = lake.summary("personas")
    for line in (*of_all(lake), *how_firm(searched), *little(searched)):
        console.print(f"{escape(line)}\n", style="bold yellow", soft_wrap=True)
    show_all(console, found)
    show_proposal(console, lake, workspace)


def of_all(lake: Any) -> list[str]:
    """Why any of the personas may be none: their languages alone, or one topic, set them apart."""
    return [*of_topics(lake.summary("topics")), *giant(lake.summary("personas"))]


def show_all(console: Console, found: list[dict[str, Any]]) -> None:
    """Personas in a few lines each, those of a family together under its name."""
    families = {p["parent_id"]: p["family"] for p in found if p["family"]}
    for persona in found:
        family = families.pop(persona["parent_id"], None)
        if family:
            mine = [p for p in found if p["parent_id"] == family["id"]]
            _show_level(console, "family: ", family, f"; {len(mine)} personas")
            console.print()
        elif persona["family"]:
            continue
        for one in mine if family else (persona,):
            show_summary(console, one)


def _show_level(console: Console, before: str, one: dict[str, Any], more: str = "") -> None:
    """A family or a micro-persona in a line; without people where one of the family has too few."""
    from kg.personas.sentences import percent

    told = ""
    if one["people"]:
        told = f"{percent(one['share'])}% of people ({one['people']:,}{more})"
    console.print(
        f"{before}[bold]{escape(one['name'])}[/]  [dim]{one['id']}[/]  {told or more[2:]}",
        soft_wrap=True,
    )


def proposal(lake: Any) -> str:
    """Why a full search is proposed, and what stands against it now; empty: it is not."""
    reasons = lake.summary("personas").get("proposed", [])
    if not reasons:
        return ""
    told = f"A full search is proposed because {'; and '.join(reasons)}."
    if missing := tables(holes(lake)):
        told += (
            f" That may be for want of what is missing of {missing} (the run says when): look "
            "first."
        )
    return told


def show_proposal(console: Console, lake: Any, workspace: str | None = None) -> None:
    """The proposal and how to follow it, if there is one.

    Args:
        workspace: its name; None: whoever reads it has just typed the run.
    """
    if told := proposal(lake):
        again = "Run the same once more with --search."
        if workspace is not None:
            again = f"{command(workspace, 'run DATA')} --search"
        console.print(f"[yellow]{escape(told)}[/]", soft_wrap=True)
        console.print(f"[dim]{escape(again)}[/]", soft_wrap=True)


def nothing_found(summary: dict[str, Any]) -> str:
    """Why there are no personas, in a sentence; a legal answer."""
    if not summary:
        return views.NOT_LOOKED
    if summary.get("result", "").startswith("no persona"):
        return str(summary["result"])
    if summary.get("result", "").startswith("too few"):
        return f"no persona: {summary['result']}"
    return (
        "no persona: no group of intents recurs in the same people more than chance would do. More "
        "of what they did (a longer time, other sources), or topics that are finer or broader "
        "(`topic_level` in the mapping), may show some"
    )


def show_summary(console: Console, persona: dict[str, Any]) -> None:
    """A persona in a few lines."""
    from kg.personas.sentences import OTHERS

    console.print(heading(persona))
    if persona["kept_by"]:
        console.print(
            f"  [bold]kept by the {persona['kept_by']}[/]: {escape(persona['kept_because'])}",
            soft_wrap=True,
        )
    apart = [s for s in persona["sentences"] if "of all people hold" not in s["text"]]
    for sentence in apart[:KEPT_SENTENCES]:
        console.print(f"  • {escape(sentence['text'])}", soft_wrap=True)
    if persona["sentences"] and not any(OTHERS in s["text"] for s in persona["sentences"]):
        console.print(
            "  [dim]They are not compared with others: in the half of all people that this is done "
            "on, too few hold it, or are as active, to be sure of a difference.[/]",
            soft_wrap=True,
        )
    for part in persona["micro_personas"]:
        _show_level(console, "    part: ", part, f" of its {persona['people']:,}")
    console.print()


def heading(persona: dict[str, Any]) -> str:
    """A persona in a line of markup: its name, id and version, and how many hold it."""
    return (
        f"[bold cyan]{escape(persona['name'])}[/]  [dim]{persona['persona_id']}"
        f"@{persona['version']}[/]  {size(persona)}"
    )


def size(figures: dict[str, Any]) -> str:
    """How many hold a persona, in words; `people` is null where they are too few to be told."""
    from kg.personas.sentences import percents, tenths
    from kg.personas.statistics import MIN_PEOPLE

    if figures["people"] is None:
        return f"fewer than {MIN_PEOPLE} people (of {figures['population']:,})"
    low, high = figures["share_low"], figures["share_high"]
    of = f"{figures['people']:,} of {figures['population']:,}"
    share, *_ = percents(figures["share"], low, high)
    return f"{share}% of people ({tenths(low)} to {tenths(high)}; {of})"


def show_persona(wanted: str, workspace: str, claim_id: str | None, as_json: bool) -> None:
    """One persona with its claims and their evidence, or one claim and how to recompute it."""
    from kg.lake import Lake

    lake = Lake.open(read_settings().workspace_path(workspace))
    persona = views.one_persona(lake, wanted)
    claim = None if claim_id is None else _claim(persona, claim_id)
    if as_json:
        print_json(persona if claim is None else claim)
        return
    console = stdout()
    if claim is not None:
        show_claim(console, persona["name"], claim)
        return
    show_summary(console, persona | {"sentences": []})
    if persona["family"]:
        _show_level(console, "of the family: ", persona["family"])
    for line in of_all(lake):
        console.print(escape(line), style="bold yellow", soft_wrap=True)
    if persona["author"] is None:
        console.print(escape(_unstated(lake)), soft_wrap=True)
        return
    console.print(escape(persona["summary"]), soft_wrap=True)
    for sentence in persona["sentences"]:
        cited = " ".join(sentence["claims"])
        console.print(f"  • {escape(sentence['text'])} [dim]{cited}[/]", soft_wrap=True)
    console.print()
    show_claims(console, persona["claims"])
    console.print(f"[dim]{escape(_how_to_read(persona))}[/]", soft_wrap=True)
    one_claim = command(workspace, f"personas show {persona['persona_id']} --claim ID")
    console.print(
        f"[dim]run them all again: {escape(command(workspace, 'verify'))}; the Cypher of one: "
        f"{escape(one_claim)}[/]",
        soft_wrap=True,
    )


def _unstated(lake: Any) -> str:
    """What to do where personas are found and a run has still to name them and state claims."""
    return f"They have no names or claims yet, which come last in a run. {lake.run_hint()}"


def _how_to_read(persona: dict[str, Any]) -> str:
    """What the table of claims counts, what `descriptive` is, and how firm the persona is."""
    from kg.personas.kinds import KINDS

    claims = persona["claims"]
    told = []
    if any(not KINDS[claim["kind"]].of_all for claim in claims):
        told.append(
            "what is compared with others is counted on the half of all people that the persona "
            "was not searched in"
        )
    if any(claim["descriptive"] for claim in claims):
        told.append(
            "descriptive: it was found by what people did, so that they did it proves nothing new"
        )
    if persona["kept_by"] is None:
        told.append(
            f"stability {persona['stability']:.2f}: how far rules learned from other people say "
            "the same of who holds it (1: wholly; below 0.7 it would be no persona)"
        )
    return "; ".join(told)


def show_claims(console: Console, claims: list[dict[str, Any]]) -> None:
    """A table of claims, then one path of evidence of each that has one."""
    console.print(claim_table(claims))
    for claim in claims:
        if claim["evidence"]:
            title = f"[bold]{claim['claim_id']}[/] {escape(_about(claim))}, {_because(claim)}"
            console.print(title, soft_wrap=True)
            show_path(console, claim["evidence"][0])


def _claim(persona: dict[str, Any], claim_id: str) -> dict[str, Any]:
    found = [claim for claim in persona["claims"] if claim["claim_id"] == claim_id.lower()]
    if not found:
        stated = ", ".join(claim["claim_id"] for claim in persona["claims"])
        raise NotFound(
            f"{persona['persona_id']} states no claim {claim_id!r}",
            hint=f"it states: {stated or 'none'}",
        )
    one: dict[str, Any] = found[0]
    return one


def show_claim(console: Console, name: str, claim: dict[str, Any]) -> None:
    """A claim followed down to a single person's intent, and its Cypher with the arithmetic."""
    from kg.personas.explain import explain

    console.print(f"[bold]{escape(name)}[/]: {escape(claim_line(claim))}", soft_wrap=True)
    console.print(f"[dim]counted: {escape(claim['measure'])}[/]", soft_wrap=True)
    if claim["evidence"]:
        console.print(_because(claim))
        show_path(console, claim["evidence"][0])
    console.print("[bold]The Cypher that recomputes it[/]")
    console.print(escape(explain(claim)), soft_wrap=True)


def claim_line(claim: dict[str, Any]) -> str:
    """A claim in a line: its share and interval, what it says, and of how many others."""
    from kg.personas.sentences import OTHERS, tenths

    share = f"{tenths(claim['value'])} ({tenths(claim['low'])} to {tenths(claim['high'])})"
    reference = claim["reference_value"]
    if reference is None:
        return f"{share} {_about(claim)}"
    return f"{share} of them {_about(claim)}, against {tenths(reference)} of {OTHERS}"


def _because(claim: dict[str, Any]) -> str:
    """What a path under a claim is: one for it, or, where holders do it less, one against it; under
    a share one that the persona was found by, which need not be what most holders do."""
    if claim["direction"] == "less":
        return "somebody of whom it is not true:"
    if claim["kind"] == "share":
        return "one of them, and the first intent of theirs that counts towards it:"
    return "because, among others:"


def _about(claim: dict[str, Any]) -> str:
    """What a claim says, without its numbers: `bought tea`."""
    from kg.personas.kinds import KINDS
    from kg.personas.labels import phrase

    return phrase(KINDS[claim["kind"]], claim["subject"], claim["subject_label"])


def claim_table(claims: list[dict[str, Any]]) -> Table:
    """Claims with value, direction, reference and interval."""
    from kg.personas.kinds import KINDS
    from kg.personas.sentences import tenths

    table = Table(Column("claim", no_wrap=True), "kind", "what it says", "value")
    for name in ("equally active others", "95 % interval", "q", "people"):
        table.add_column(name, no_wrap=name == "q")
    for claim in claims:
        reference, q = claim["reference_value"], claim["q"]
        table.add_row(
            claim["claim_id"],
            KINDS[claim["kind"]].words,
            escape(_about(claim)),
            tenths(claim["value"]),
            "" if reference is None else f"{claim['direction']} than {tenths(reference)}",
            f"{tenths(claim['low'])} to {tenths(claim['high'])}",
            "descriptive" if claim["descriptive"] else ("" if q is None else f"{q:.2g}"),
            f"{claim['people']:,}",
        )
    return table


def show_path(console: Console, path: list[dict[str, str]]) -> None:
    """An evidence path, node by node: what each is, what ties it to the next."""
    from kg.personas.evidence import relations

    links = [*relations([step["label"] for step in path]), ""]
    for indent, (step, link) in enumerate(zip(path, links, strict=True)):
        gap = "   " * indent
        about = f": {step['about']}" if step["about"] else ""
        console.print(
            f"  {gap}({step['label']} [cyan]{escape(step['node_id'])}[/]{escape(about)})",
            soft_wrap=True,
        )
        if link:
            console.print(f"  {gap} └ {escape(link)}")
    console.print()
