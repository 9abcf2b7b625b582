"""`personagraph personas compare`: found personas beside rule-based ones."""

from typing import Any

from rich.console import Console
from rich.table import Table

from api import views
from api.cli.console import escape, print_json, stdout
from kg.settings import read_settings

KINDS = ("found", "rule")
LEAST_SHOWN = 0.05
"""Pairs with less in common (Jaccard) are in --json only."""
STABILITY = (
    "stability: how far rules learned from other people say the same of who holds it (1: wholly); "
    "that who held it still does is none: a holding rests on a whole history and seldom ends, nor "
    "does meeting a rule without `within_days`"
)
WAYS = ("found", "rule", "both", "activity alone")


def compare(workspace: str, days: int, as_json: bool) -> None:
    """Coverage, each persona, overlap and accuracy, as tables or as JSON."""
    from api.comparison import comparison
    from kg.lake import Lake

    with Lake.open(read_settings().workspace_path(workspace)) as lake:
        views.refuse_unlooked(lake)
        found = comparison(lake, days)
    if as_json:
        print_json(found)
        return
    console = stdout()
    for line in found["said"]:
        console.print(f"{line}.", soft_wrap=True)
    if found["personas"]:
        _coverage(console, found["coverage"])
        _each(console, found["personas"], days)
    _overlap(console, found)
    _goals(console, found)
    for goal in found["accuracy"]:
        _accuracy(console, goal)


def _percent(share: float | None) -> str:
    from kg.personas.sentences import tenths

    return "" if share is None else tenths(share)


def _coverage(console: Console, coverage: dict[str, Any]) -> None:
    title = f"Coverage of all {coverage['people']:,} people and {coverage['intents']:,} intents"
    table = Table("", "personas", "of people", "of intents", title=title, title_justify="left")
    for kind in KINDS:
        one = coverage[kind]
        if not one["personas"]:
            continue
        shares = one["share_of_people"], one["share_of_intents"]
        told = map(_percent, shares) if one["people"] is not None else ("too few hold one", "")
        table.add_row(kind, f"{one['personas']:,}", *told)
    console.print(table)


def _each(console: Console, personas: list[dict[str, Any]], days: int) -> None:
    table = Table(
        *("persona", "", "of people", "stability", f"held {days} days ago, still", "fresh"),
        *("days defined",),
        title=f"Each (fresh: holders with an intent of it in the last {days} days)",
        title_justify="left",
    )
    for one in personas:
        stability = "" if one["stability"] is None else f"{one['stability']:.2f}"
        table.add_row(
            escape(one["name"]),
            "kept" if one["kept_by"] else one["kind"],
            "too few" if one["people"] is None else f"{_percent(one['share'])} ({one['people']:,})",
            stability,
            _percent(one["still_held"]),
            _percent(one["fresh"]),
            f"{one['definition_days']:,}",
        )
    console.print(table)
    console.print(f"[dim]{STABILITY}[/]", soft_wrap=True)
    for one in personas:
        if one["said"]:
            console.print(f"  {escape(one['name'])}: {escape('; '.join(one['said']))}.")


def _overlap(console: Console, found: dict[str, Any]) -> None:
    names = {one["persona_id"]: one["name"] for one in found["personas"]}
    near = [one for one in found["overlap"] if (one["jaccard"] or 0) >= LEAST_SHOWN]
    if not near:
        return
    table = Table(
        *("found", "rule", "hold both", "of found", "of rule", "Jaccard", "adjusted Rand"),
        title="Overlap",
        title_justify="left",
    )
    for one in sorted(near, key=lambda row: -row["jaccard"]):
        table.add_row(
            escape(names[one["found"]]),
            escape(names[one["rule"]]),
            f"{one['both']:,}",
            _percent(one["of_found"]),
            _percent(one["of_rule"]),
            f"{one['jaccard']:.2f}",
            f"{one['adjusted_rand']:z.2f}",
        )
    console.print(table)


def _goals(console: Console, found: dict[str, Any]) -> None:
    if not found["goals"]:
        return
    names = {one["persona_id"]: one["name"] for one in found["personas"]}
    table = Table(
        *("goal", "persona", "reached it", "equally active others", "95 % interval", "people"),
        title="Goals (holders who test claims)",
        title_justify="left",
    )
    for one in sorted(found["goals"], key=lambda row: (row["goal"], -row["value"])):
        table.add_row(
            escape(one["goal"]),
            escape(names[one["persona_id"]]),
            _percent(one["value"]),
            _percent(one["reference_value"]),
            f"{_percent(one['low'])} to {_percent(one['high'])}",
            f"{one['people']:,}",
        )
    console.print(table)


def _accuracy(console: Console, goal: dict[str, Any]) -> None:
    title = f"Goal {goal['goal']}, within {goal['within_days']} days"
    if "why_not" in goal:
        console.print(f"{escape(title)}: cannot be had: {goal['why_not']}.", soft_wrap=True)
        return
    table = Table("foretold by", "AUC", "mean and spread, people resampled", title=escape(title))
    table.title_justify = "left"
    for way in WAYS:
        one = goal[way]
        if "why_not" in one:
            table.add_row(way, "", one["why_not"])
        else:
            table.add_row(way, f"{one['auc']:.3f}", f"{one['mean']:.3f} ± {one['spread']:.3f}")
    console.print(table)
    console.print(
        f"[dim]{goal['base_rate']:.1%} of {goal['judged_on']:,} people reached it; learned from "
        f"{goal['learned_on']:,} others, one such time earlier[/]",
        soft_wrap=True,
    )
    for line in goal["said"]:
        console.print(f"  {line}.", soft_wrap=True)
