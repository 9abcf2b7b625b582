"""Exports: the tables others check us by, with columns that are a contract.

Invariant: an export has the columns of its contract, in that order, times as UTC timestamps, and
the same rows in the same order for the same lake. More columns may be added at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import InputError, NotFound

if TYPE_CHECKING:
    from kg.lake import Lake

FORMATS = {".parquet": "parquet", ".csv": "csv", ".ndjson": "ndjson"}
_ASKED_FOR = ("rules", "goals")  # steps that run only where the business states such
# Milliseconds, which is what the lake holds.
_ISO_8601 = "%Y-%m-%dT%H:%M:%S.%gZ"


@dataclass(frozen=True)
class Export:
    """One export.

    Args:
        row: what a row is.
        columns: the contract.
        key: columns the rows are sorted by; the other columns break ties.
        step: the step that must have run; empty: this version does not compute it.
        rows: the Ibis expression with at least these columns; `_at` and `as_of` in milliseconds
            under the names of the lake (`_ms`).
    """

    row: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    step: str
    rows: Callable[["Lake"], Any]


def _records(lake: "Lake") -> Any:
    """Records with their fate; a denial of the person they turned out to be about wins."""
    records = lake.table("records")
    users = lake.table("users")
    denied = users.filter(users.consent_denied).select("user_id")
    blocked = lake.table("identities").semi_join(denied, "user_id").select("record_key").distinct()
    joined = records.left_join(blocked, "record_key")
    is_blocked = (joined.status == "accepted") & joined.record_key_right.notnull()
    return joined.mutate(
        status=is_blocked.ifelse("consent_blocked", joined.status),
        reason=is_blocked.ifelse("consent_denied", joined.reason),
    ).select(*records.columns)


def _reconciliation(lake: "Lake") -> Any:
    """What was counted when a file was read, beside where each of its records is now."""
    records = _records(lake)
    fates = ("accepted", "duplicate", "quarantined", "consent_blocked")
    counts = {fate: records.source.count(where=records.status == fate) for fate in fates}
    found = records.group_by("source").agg(**counts)
    files = lake.table("files").select("source", "received")
    joined = files.left_join(found, "source").drop("source_right")
    return joined.mutate(**{fate: joined[fate].fill_null(0) for fate in fates})


def _intents(lake: "Lake") -> Any:
    intents = lake.table("intents").select("intent_id", "verb", "topic")
    return lake.table("event_intents").inner_join(intents, "intent_id")


def _memberships(lake: "Lake") -> Any:
    columns = ("intent_id", "persona_id", "micro_persona_id")
    memberships = lake.table("memberships").select(*columns)
    return lake.table("event_intents").left_join(memberships, "intent_id")


def _personas(lake: "Lake") -> Any:
    names = lake.table("wordings").select("persona_id", "version", "name")
    return lake.table("personas").left_join(names, ["persona_id", "version"])


def _traits(lake: "Lake") -> Any:
    rows = lake.table("golden_traits")
    return rows.mutate(value=rows.personal.ifelse(None, rows.value))


def _table(name: str) -> Callable[["Lake"], Any]:
    return lambda lake: lake.table(name)


def _not_computed(lake: "Lake") -> Any:
    raise AssertionError("an export without a step has no rows")


def _export(
    row: str, columns: str, key: str, step: str, rows: Callable[["Lake"], Any] = _not_computed
) -> Export:
    return Export(row, tuple(columns.split()), tuple(key.split()), step, rows)


EXPORTS = {
    "records": _export(
        "a row received",
        "record_key source kind status reason occurred_at recorded_at",
        "record_key source",
        "ingest",
        _records,
    ),
    "identities": _export(
        "a record about a person",
        "record_key user_id",
        "record_key",
        "identity",
        _table("identities"),
    ),
    "judgements": _export(
        "a decision",
        "left_record_key right_record_key verdict probability rule author judged_at",
        "left_record_key right_record_key judged_at",
        "identity",
        _table("judgements"),
    ),
    "sessions": _export(
        "an event's session",
        "record_key session_id user_id",
        "record_key",
        "intents",
        _table("event_intents"),
    ),
    "intents": _export(
        "an event's intent",
        "record_key intent_id user_id verb topic",
        "record_key",
        "intents",
        _intents,
    ),
    "memberships": _export(
        "an event's persona",
        "record_key intent_id user_id persona_id micro_persona_id",
        "record_key",
        "personas",
        _memberships,
    ),
    "holdings": _export(
        "a user's persona",
        "user_id persona_id weight low high valid_from valid_to",
        "user_id persona_id valid_from",
        "personas",
        _table("holdings"),
    ),
    "personas": _export(
        "a persona version",
        "persona_id version name parent_id people share share_low share_high stability run_id "
        "kept_by kept_because",
        "persona_id version",
        "personas",
        _personas,
    ),
    "levels": _export(
        "a family of personas, or a micro-persona (its parent is a persona)",
        "level_id level parent_id name people share share_low share_high stability intents run_id",
        "level level_id",
        "personas",
        _table("levels"),
    ),
    "rule_personas": _export(
        "a persona by rule",
        "persona_id name kind definition people population share share_low share_high intents "
        "defined_as_of run_id",
        "persona_id",
        "rules",
        _table("rule_personas"),
    ),
    "rule_holdings": _export(
        "a user's persona by rule",
        "user_id persona_id intents",
        "user_id persona_id",
        "rules",
        _table("rule_holdings"),
    ),
    "kept_out": _export(
        "an intent that shapes no persona because the business said so",
        "intent_id why",
        "intent_id",
        "personas",
        _table("kept_out"),
    ),
    "goals": _export(
        "an intent that reaches a goal",
        "goal intent_id user_id at",
        "goal intent_id",
        "goals",
        _table("reached"),
    ),
    "descent": _export(
        "a link between runs",
        "run_id from_persona_id to_persona_id kind overlap",
        "run_id",
        "personas",
        _table("descent"),
    ),
    "claims": _export(
        "a claim",
        "persona_id version claim_id kind subject direction measure unit value reference_value "
        "low high q people as_of query params",
        "persona_id version claim_id",
        "claims",
        _table("claims"),
    ),
    "evidence": _export(
        "a step of a path",
        "claim_id path position label node_id",
        "claim_id path position",
        "claims",
        _table("evidence"),
    ),
    "forecasts": _export(
        "a forecast", "task user_id as_of horizon_days probability low high", "task user_id", ""
    ),
    "lifts": _export(
        "a persona's answer to a campaign",
        "campaign_id persona_id effect low high people_treated people_control kind",
        "campaign_id persona_id",
        "",
    ),
    "traits": _export(
        "a person's trait: the value that holds (null: personal), what chose it, and who said it",
        "user_id name value rule record_key source at",
        "user_id name",
        "identity",
        _traits,
    ),
    "reconciliation": _export(
        "a source file",
        "source received accepted duplicate quarantined consent_blocked",
        "source",
        "ingest",
        _reconciliation,
    ),
}

COMPUTED = tuple(name for name, export in EXPORTS.items() if export.step)
"""The exports that this version has a step for."""


def export_rows(lake: "Lake", name: str) -> Any:
    """The rows of an export, as an Ibis table in the order of the contract.

    Raises:
        InputError: there is no export of that name.
        NotFound: it is not computed, by this version or in this workspace.
    """
    export = EXPORTS.get(name)
    if export is None:
        raise InputError(
            f"There is no export {name!r}.", hint=f"One of: {', '.join(COMPUTED)}.", name=name
        )
    if not export.step or lake.step_id(export.step) is None:
        raise _missing(lake, name, export.step)
    rows = export.rows(lake)
    columns = [_column(rows, column) for column in export.columns]
    rest = [column for column in export.columns if column not in export.key]
    return rows.select(*columns).order_by(*export.key, *rest)


def _missing(lake: "Lake", name: str, step: str) -> NotFound:
    """Why an export is not there, and what would make it be."""
    workspace = lake.workspace.name
    there = [other for other in COMPUTED if lake.step_id(EXPORTS[other].step)]
    known = f" There are: {', '.join(there)}." if there else ""
    if not step:
        message = f"{name} is not computed yet: this version has no step for it."
        return NotFound(message, hint=known.strip() or None, name=name)
    if step in _ASKED_FOR:
        message = f"{name} is not computed yet: no {step} were asked for in workspace {workspace}."
        hint = (
            f"State {step} in its personas.yaml, which "
            f"`{lake.workspace.command('personas constraints --write')}` begins, and run again."
            f"{known}"
        )
        return NotFound(message, hint=hint, name=name, step=step)
    message = f"{name} is not computed yet: the step {step} has not run."
    return NotFound(message, hint=lake.run_hint(), name=name, step=step)


def write_export(lake: "Lake", name: str, out: Path) -> int:
    """Write an export to a file, Parquet, CSV or NDJSON by its suffix; whole or not at all.

    Returns:
        How many rows there are.

    Raises:
        InputError: an unknown name or suffix, or a folder that is not there.
        NotFound: the export is not computed.
        Unavailable: the disk refuses.
    """
    kind = FORMATS.get(out.suffix.lower())
    if kind is None:
        raise InputError(
            f"Cannot tell the format of {out.name!r} by its suffix.",
            hint=f"One of: {', '.join(FORMATS)}.",
            suffix=out.suffix,
        )
    from kg.lake.disk import appearing

    check_file(out)
    rows = export_rows(lake, name)
    with appearing(out) as fresh:
        return lake.copy(rows if kind == "parquet" else _readable(rows), fresh, kind)


def check_file(out: Path) -> None:
    """Refuse, before any work, what cannot become a file.

    Raises:
        InputError: its folder is not there, or it is a folder, a device or a pipe.
        Unavailable: the disk refuses.
    """
    from kg.lake.disk import on_disk, refuse_special

    with on_disk(out):
        out = out.resolve()
        if not out.parent.is_dir():
            raise InputError(
                f"The folder {out.parent} does not exist.",
                hint=f"Make it with: mkdir -p {out.parent}",
            )
        if out.is_dir():
            raise InputError(f"{out} is a folder.", hint="Name a file in it.")
        refuse_special(out)


def _column(rows: Any, name: str) -> Any:
    if name in rows.columns:
        return rows[name]
    return rows[f"{name}_ms"].as_timestamp("ms").cast("timestamp('UTC')").name(name)


def _readable(rows: Any) -> Any:
    """Times as ISO 8601 in UTC, for formats that have no type for them."""
    times = {
        name: rows[name].cast("timestamp").strftime(_ISO_8601)
        for name, kind in rows.schema().items()
        if kind.is_timestamp()
    }
    return rows.mutate(**times) if times else rows
