"""`personagraph identity`: who is one person, why, and who says otherwise."""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column, Table

from api.cli.console import escape, print_json, stdout
from kg.settings import read_settings
from kg.words import command, some

if TYPE_CHECKING:
    from ingestion.identity.explain import Explanation
    from ingestion.identity.verdicts import Verdict

SHOWN_USERS = 20
SHOWN_VALUES = 5


def _path(workspace: str) -> Path:
    return read_settings().workspace_path(workspace)


def _rules(workspace: str) -> Any:
    from ingestion.identity.limits import RULES_FILE, read_rules

    return read_rules(_path(workspace) / RULES_FILE)


def explain(one: str, other: str, workspace: str, as_json: bool) -> None:
    """A pair in words, with weights for and against, and what holds of each."""
    from ingestion.identity.explain import explain as explained
    from ingestion.identity.matching import OPERATING_POINT
    from ingestion.identity.settle import configured
    from kg.lake import Lake

    with Lake.open(_path(workspace)) as lake:
        found = explained(lake, one, other, configured(lake, _rules(workspace)))
    if as_json:
        print_json(asdict(found) | {"operating_point": OPERATING_POINT})
        return
    console = stdout()
    console.print(f"[bold]{escape(found.verdict)}[/]", soft_wrap=True)
    for line in [*found.links, *found.identifiers]:
        console.print(f"  • {escape(line)}", soft_wrap=True)
    if found.waits:
        console.print(f"  • waits for a person: {escape(found.waits)}", soft_wrap=True)
    _show_weights(console, found)
    for user, told in found.traits.items():
        _show_traits(console, user, told)


def _show_weights(console: Console, found: "Explanation") -> None:
    from ingestion.identity.matching import OPERATING_POINT

    if found.probability is None or found.prior_bits is None:
        console.print("[dim]nothing in their details can be compared[/]")
        return
    table = Table("what their details say", "bits", title_justify="left")
    for weight in found.weights:
        table.add_row(escape(weight.words), f"{weight.bits:+.1f}")
    table.add_row("[dim]two records drawn at random[/]", f"[dim]{found.prior_bits:+.1f}[/]")
    console.print(table)
    console.print(
        f"Together: probability {found.probability:.4f} of one person; "
        f"{OPERATING_POINT:.0%} decides. A bit doubles the odds.",
        soft_wrap=True,
    )


def traits(name: str, workspace: str, as_json: bool) -> None:
    """What holds of a person, which record and rule say so, and what else was said."""
    from ingestion.identity.golden import told_traits
    from ingestion.identity.verdicts import user_of
    from kg.lake import Lake

    with Lake.open(_path(workspace)) as lake:
        user = user_of(lake, name)
        told = told_traits(lake, user)
    if as_json:
        print_json({"user_id": user, "traits": told})
        return
    _show_traits(stdout(), user, told)


def _show_traits(console: Console, user: str, told: list[dict[str, Any]]) -> None:
    if not told:
        console.print(f"no record says anything of {user} that may be used")
        return
    record = Column("in", overflow="fold")  # to be copied whole
    table = Table(f"trait of {user}", "value", "holds because it was", record, "values said")
    for row in told:
        value = "[dim](kept private)[/]" if row["personal"] else escape(row["value"])
        table.add_row(
            escape(row["name"]),
            value,
            row["because"],
            escape(row["record_key"]),
            f"{row['values']:,}",
        )
        for other in row["others"][:SHOWN_VALUES]:
            when = datetime.fromtimestamp(other["at_ms"] / 1000, UTC).date()
            words = f"not {escape(other['value'])}"
            where = f"{escape(other['source'])} on {when}"
            table.add_row("", words, where, escape(other["record_key"]), "", style="dim")
        if len(row["others"]) > SHOWN_VALUES:
            more = f"… and {len(row['others']) - SHOWN_VALUES:,} more (--json lists them)"
            table.add_row("", more, style="dim")
    console.print(table)


def review(workspace: str, rows: int, as_json: bool) -> None:
    """Pairs for a person to look at."""
    from ingestion.identity.reviews import WHY
    from ingestion.identity.settle import refuse_unresolved
    from kg.lake import Lake

    with Lake.open(_path(workspace)) as lake:
        refuse_unresolved(lake)
        table = lake.arrow("reviews").drop_columns(["run_id"])
    waiting = [row | {"why": WHY[row["cause"]]} for row in table.slice(0, rows).to_pylist()]
    if as_json:
        print_json({"waiting": len(table), "pairs": waiting})
        return
    console = stdout()
    if not waiting:
        console.print("nothing waits: every pair is decided")
        return
    console.print(f"To be decided: {some(len(table), 'pair')}; the first, by what depends on them:")
    for row in waiting:
        console.print(
            f"[bold cyan]{row['left_user_id']}[/] and [bold cyan]{row['right_user_id']}[/]  "
            f"probability {row['probability']:.3f}, {some(row['events'], 'event')}\n"
            f"  {escape(row['why'])}: {escape(row['reason'])}\n"
            f"  [dim]{escape(row['left_record_key'])}  {escape(row['right_record_key'])}[/]",
            soft_wrap=True,
        )
    for words in (
        "identity explain A B",
        "identity merge A B --by NAME --because WHY",
        "identity split A B --by NAME --because WHY",
    ):
        console.print(f"[dim]{escape(command(workspace, words))}[/]", soft_wrap=True)


def merge(one: str, other: str, workspace: str, by: str, because: str, as_json: bool) -> None:
    """Two are one person; with what that overrides."""
    from ingestion.identity import verdicts
    from ingestion.identity.cautions import cautions
    from ingestion.identity.settle import configured
    from kg.lake import Lake

    rules = _rules(workspace)
    with Lake.open(_path(workspace)) as lake:
        overrides = cautions(lake, one, other, configured(lake, rules).limits())
    found = _judged(workspace, lambda lake, who: verdicts.merge(lake, one, other, who), by, because)
    if as_json:
        print_json(asdict(found) | {"overrides": asdict(overrides)})
        return
    _show_verdict(found, workspace)
    for words in overrides.words():
        stdout().print(f"[yellow]Caution:[/] {escape(words)}", soft_wrap=True)


def split(record: str, other: str | None, workspace: str, by: str, because: str) -> None:
    """A record is somebody else's; with another name: the two are two people."""
    from ingestion.identity import verdicts

    def decide(lake: Any, who: Any) -> "Verdict":
        if other is None:
            return verdicts.split(lake, record, who)
        return verdicts.apart(lake, record, other, who)

    found = _judged(workspace, decide, by, because)
    _show_verdict(found, workspace)


def undo(number: int, workspace: str, by: str, because: str) -> None:
    """A verdict is taken back."""
    from ingestion.identity import verdicts

    found = _judged(workspace, lambda lake, who: verdicts.undo(lake, number, who), by, because)
    _show_verdict(found, workspace)


def _judged(workspace: str, decide: Any, by: str, because: str) -> "Verdict":
    from ingestion.identity.verdicts import Who
    from kg.lake import Lake, Workspace

    path = Workspace.open(_path(workspace)).path  # a typing slip must not make a workspace
    with Lake.writer(path) as lake:
        found: Verdict = decide(lake, Who(by, because, time.time_ns() // 1_000_000))
    return found


def _show_verdict(found: "Verdict", workspace: str) -> None:
    from ingestion.identity.standing import WITHDRAWN

    console = stdout()
    console.print(f"Verdict {found.number}: {found.verdict}. It touches {', '.join(found.users)}.")
    console.print("The next run computes them anew, and all that rests on them.")
    if found.verdict != WITHDRAWN:
        console.print(
            "Take it back with: "
            + escape(command(workspace, f"identity undo {found.number} --by NAME --because WHY")),
            soft_wrap=True,
        )


def list_verdicts(workspace: str, as_json: bool) -> None:
    """What people said."""
    from ingestion.identity.verdicts import verdicts
    from kg.lake import Lake

    with Lake.open(_path(workspace)) as lake:
        found = verdicts(lake)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    console = stdout()
    if not found:
        console.print("no person has said anything of anybody yet")
    for one in found:
        console.print(
            f"[bold]{one.number}[/] {one.verdict}: {escape(one.left_record_key)} and "
            f"{escape(one.right_record_key)}, by {escape(one.author)}: {escape(one.reason)}",
            soft_wrap=True,
        )


def preview(workspace: str, file: Path | None, as_json: bool) -> None:
    """What other rules would do."""
    from ingestion.identity.choices import read_choices
    from ingestion.identity.limits import read_rules
    from ingestion.identity.preview import preview as previewed
    from ingestion.identity.settle import configured
    from kg.errors import NotFound
    from kg.lake import Lake

    if file is not None and not file.exists():
        raise NotFound(f"There is no file {str(file)!r}.", hint="docs/identity.md shows one.")
    rules = read_rules(file) if file else _rules(workspace)
    if file:
        read_choices(file)  # refused here as a run would refuse it; traits join nobody
    with Lake.open(_path(workspace)) as lake:
        found = previewed(lake, configured(lake, rules))
    if as_json:
        print_json(asdict(found))
        return
    console = stdout()
    console.print(
        f"{some(found.people, 'person')} instead of {found.people_now:,}; nothing was changed."
    )
    _show(console, "would be merged", found.changes["merged"])
    _show(console, "would be split", found.changes["split"])
    if found.records_lost or found.records_gained:
        console.print(
            f"{some(found.records_lost, 'record')} would be nobody's, "
            f"{found.records_gained:,} would be somebody's."
        )
    if found.unnamed:
        names = ", ".join(found.unnamed)
        console.print(
            f"[yellow]Caution:[/] no record names {escape(names)}, so what the rules say of that "
            "changes nothing.",
            soft_wrap=True,
        )


def _show(console: Console, words: str, changed: dict[str, Any]) -> None:
    console.print(f"{changed['count']:,} {words}" + (":" if changed["count"] else ""))
    for row in changed["users"][:SHOWN_USERS]:
        console.print(f"  {row['user_id']}: {', '.join(row['others'])}", soft_wrap=True)
    if changed["count"] > SHOWN_USERS:
        console.print(f"  … and {changed['count'] - SHOWN_USERS:,} more (--json lists them)")


def rules(workspace: str, as_json: bool) -> None:
    """How far each identifier is trusted."""
    from ingestion.identity.limits import RULES_FILE
    from ingestion.identity.settle import configured
    from kg.lake import Lake

    own = _rules(workspace)
    with Lake.open(_path(workspace)) as lake:
        config = configured(lake, own)
    limits = config.limits()
    rows = {name: asdict(limits.of(name)) for name in sorted(limits.namespaces)
            if not name.startswith("#")}  # fmt: skip
    source = {name: "workspace" if name in own else
              "mapping" if name in config.namespaces else "shipped" for name in rows}  # fmt: skip
    file = _path(workspace) / RULES_FILE
    if as_json:
        print_json({"file": str(file), "namespaces": rows, "from": source})
        return
    console = stdout()
    shown = ("trust", "unique", "limit", "together", "most", "merges", "personal")
    table = Table("identifier", *shown, "from")
    for name, row in sorted(rows.items(), key=lambda one: (one[1]["trust"], one[0])):
        words = [str(row[key]).lower() for key in shown]
        table.add_row(escape(name), *words, source[name])
    console.print(table)
    console.print(
        f"Change it in {escape(str(file))}; "
        f"`{escape(command(workspace, 'identity preview'))}` says what that would do.",
        soft_wrap=True,
    )
