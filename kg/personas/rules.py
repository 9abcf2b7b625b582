"""Personas by rule: whoever meets conditions over intents, beside the personas that are found.

Invariant: they have tables of their own; nothing of them counts as found, and what is found counts
for none of them.
"""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from kg.hashing import stable_id
from kg.lake.tables import schema_of
from kg.personas.constraints import Condition, Constraints
from kg.personas.counts import newest_ms
from kg.personas.kinds import DAY_MS
from kg.personas.named import Named
from kg.personas.statistics import unless_few, wilson

KIND = "rule"
PAUSE_MS = 12 * 3_600_000
"""A longer pause begins another occasion, as for the personas that are found."""


def rule_id(name: str) -> str:
    """The id of the persona by the rule of this name."""
    return stable_id("r", name, digits=8)


def apply(step: Any, constraints: Constraints) -> None:
    """Write `rule_personas`, `rule_holdings` and `rule_memberships`.

    Raises:
        InputError: a name that this workspace does not know.
    """
    import ibis

    end, former = newest_ms(step), step.arrow("rule_personas").to_pylist()
    named, intents = Named(step, constraints), with_occasions(seen_intents(step))
    members = [
        meeting(intents, named, name, conditions, end).mutate(
            persona_id=ibis.literal(rule_id(name))
        )
        for name, conditions in constraints.rules.items()
    ]
    columns = ["intent_id", "user_id", "persona_id"]
    nothing = step.table("rule_memberships").limit(0).select(*columns)
    every = ibis.union(nothing, *[one.select(*columns) for one in members]) if members else nothing
    step.overwrite("rule_memberships", every.order_by("persona_id", "intent_id"))
    inside = step.table("rule_memberships")
    held = inside.group_by("user_id", "persona_id").agg(intents=inside.count())
    step.overwrite("rule_holdings", held.order_by("persona_id", "user_id"))
    step.overwrite("rule_personas", _personas(step, constraints, end, former))


def defined(lake: Any) -> Constraints:
    """The rules as the newest run had them, whatever the file says by now."""
    rows = lake.arrow("rule_personas", ["name", "definition"]).to_pylist()
    rules = {row["name"]: json.loads(row["definition"]) for row in rows}
    return Constraints.model_validate({"rules": rules})


def seen_intents(lake: Any) -> Any:
    """The intents of everybody who did not deny consent."""
    users = lake.table("users")
    return lake.table("intents").semi_join(users.filter(~users.consent_denied), "user_id")


def with_occasions(intents: Any) -> Any:
    """Intents with the `occasion` they belong to, from 0 for each person."""
    import ibis

    order = {"group_by": intents.user_id, "order_by": [intents.started_at_ms, intents.intent_id]}
    pause = intents.started_at_ms - intents.started_at_ms.lag().over(**order)
    rows = intents.mutate(begins=(pause > PAUSE_MS).fill_null(False).cast("int64"))
    order = {"group_by": rows.user_id, "order_by": [rows.started_at_ms, rows.intent_id]}
    return rows.mutate(occasion=rows.begins.sum().over(ibis.window(following=0, **order)))


def meeting(
    intents: Any, named: Named, name: str, conditions: Sequence[Condition], at_ms: int
) -> Any:
    """The intents by which people meet a rule at a moment: intent_id, user_id (Ibis).

    Args:
        intents: with occasions.
        at_ms: what happened later counts for nothing, and windows end here.
    """
    import ibis

    parts, people = [], None
    for place, condition in enumerate(conditions):
        rows = intents.filter(intents.started_at_ms <= at_ms)
        if condition.within_days is not None:
            rows = rows.filter(rows.started_at_ms > at_ms - condition.within_days * DAY_MS)
        rows = named.intents(rows, condition, "rules", name, place)
        often = rows.group_by("user_id").agg(occasions=rows.occasion.nunique())
        often = often.filter(often.occasions >= condition.occasions).select("user_id")
        people = often if people is None else people.semi_join(often, "user_id")
        parts.append(rows.select("intent_id", "user_id"))
    every = ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0]
    return every.semi_join(people, "user_id")


def _personas(
    step: Any, constraints: Constraints, end_ms: int, former: list[dict[str, Any]]
) -> pa.Table:
    """One row a rule; a definition that has not changed keeps the time it was made."""
    held = step.table("rule_holdings")
    counted = held.group_by("persona_id").agg(people=held.count(), intents=held.intents.sum())
    counts = {row["persona_id"]: row for row in step.lake.run(counted).to_pylist()}
    population = int(seen_intents(step).user_id.nunique().to_pyarrow().as_py())
    known = {(row["persona_id"], row["definition"]): row["defined_as_of_ms"] for row in former}
    rows = []
    for name, conditions in constraints.rules.items():
        one = rule_id(name)
        people = counts.get(one, {}).get("people", 0)
        low, high = wilson(people, max(population, 1))
        told = [condition.model_dump(exclude_none=True) for condition in conditions]
        definition = json.dumps(told, sort_keys=True)
        rows.append(
            {
                "persona_id": one,
                "name": name,
                "kind": KIND,
                "definition": definition,
                "people": people,
                "population": population,
                "share": people / max(population, 1),
                "share_low": float(low),
                "share_high": float(high),
                "intents": counts.get(one, {}).get("intents", 0),
                "defined_as_of_ms": known.get((one, definition), end_ms),
            }
        )
    step.summary["rules"] = [
        {key: row[key] for key in ("persona_id", "name", "population")}
        | {"people": unless_few(row["people"])}
        for row in rows
    ]
    fields = [field for field in schema_of("rule_personas") if field.name != "run_id"]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))
