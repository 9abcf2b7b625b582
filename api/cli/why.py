"""`personagraph personas why`: why somebody holds a persona, and what would end it."""

from typing import Any

from rich.table import Column, Table

from api import views
from api.cli.console import TerminalProgress, escape, print_json, stdout
from kg.settings import read_settings
from kg.words import some

SHOWN_REASONS = 20
NAMED_OCCASIONS = 5
"""Of the smallest change; of a longer one these, the latest, are named."""


def why(wanted: str, name: str, workspace: str, as_json: bool) -> None:
    """What of a person's counts towards a persona, and the fewest occasions that it rests on."""
    from ingestion.identity.verdicts import user_of
    from kg.lake import Lake

    with Lake.open(read_settings().workspace_path(workspace)) as lake:
        persona = views.named_persona(lake, wanted)
        with TerminalProgress().task("Asking the rule"):
            found = views.why(lake, user_of(lake, name), persona["persona_id"])
    if as_json:
        print_json(found)
        return
    console = stdout()
    for line in told(persona["name"], found):
        console.print(line, soft_wrap=True)
    console.print(_reasons(most_telling(found["reasons"])))
    if (more := len(found["reasons"]) - SHOWN_REASONS) > 0:
        console.print(f"… and {more:,} more that tell less (--json lists them)")
    console.print(ending(found), soft_wrap=True)


def told(name: str, found: dict[str, Any]) -> list[str]:
    """Since when it is held, how much of the person it is, and what holding takes."""
    share = f"{found['weight']:.0%} ({found['low']:.0%} to {found['high']:.0%})"
    return [
        f"{found['user_id']} holds [bold cyan]{escape(name)}[/] [dim]{found['persona_id']}[/] "
        f"since {found['valid_from'][:10]}: {found['intents']:,} of their "
        f"{some(found['all_intents'], 'intent')} are in it, {share}.",
        f"Counted are {found['episodes']:,} of {found['all_episodes']:,} things that they were "
        f"after, on {found['occasions']:,} of {some(found['all_occasions'], 'occasion')}; to hold "
        f"it takes {found['least_occasions']} occasions, and {found['least_share']:.0%} of the "
        "things.",
    ]


def most_telling(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are most common in the persona against all, in the order they were in."""
    order = sorted(range(len(reasons)), key=lambda n: (-reasons[n]["times"], n))
    return [reasons[n] for n in sorted(order[:SHOWN_REASONS])]


def _reasons(reasons: list[dict[str, Any]]) -> Table:
    occasion, times = Column("occasion", justify="right"), Column("as common", justify="right")
    table = Table(occasion, "what counts towards it", "how surely", times)
    for one in reasons:
        sure, often = f"{one['probability']:.0%}", f"{one['times']:,.1f} x"
        table.add_row(str(one["occasion"]), escape(one["about"]), sure, often)
    table.caption = "as common: how often it occurs in the persona, over how often in all"
    return table


def ending(found: dict[str, Any]) -> str:
    """The smallest change that would end it, as a sentence."""
    change = found["change"]
    named = ", ".join(map(str, change[-NAMED_OCCASIONS:]))
    which = f"occasion{'s' if len(change) > 1 else ''} {named}"
    if len(change) > NAMED_OCCASIONS:
        which = f"{len(change):,} occasions, the latest of them {named} (--json lists all)"
    if found["is_smallest"]:
        return f"The smallest change that would end it: had they not come on {which}."
    return (
        f"A change that would end it: had they not come on {which}. There may be a smaller one: "
        "there are too many to try them all."
    )
